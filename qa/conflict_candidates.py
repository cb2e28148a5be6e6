"""Which sentences may contradict each other: those that share two words which not too many others share.

Pairs of facts are never all compared: a pair of words is a number, and sorting the numbers brings together who shares
one. Nothing but numbers is kept of the sentences.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import combinations
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from qa.conflict_facts import Fact, State
from qa.conflict_words import Words

_MOST_ALIKE: Final = 40  # facts that share a pair of words; what more share does not tell what a value belongs to
_MOST_WORDS: Final = 12  # of one fact, which makes at most 66 pairs

Numbers = NDArray[np.int64]


class Candidates:
    """Sentences by the words of their facts; each is added once, and they count from 0."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._pairs = _Postings()
        self._single = _Postings()
        self._count = 0

    def add(self, facts: Iterable[Fact]) -> None:
        """Add the next sentence."""
        facts = list(facts)
        self._pairs.add({key for fact in facts for key in _pairs(fact, self._words)}, self._count)
        self._single.add(
            {_number(kind_of(fact), word) for fact in facts for word in fact.own | fact.heading}, self._count
        )
        self._count += 1

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Pairs of sentences that may contradict each other, by their numbers, in order."""
        keys, owners = self._pairs.sorted()
        first = _firsts(keys)
        sizes = np.diff(np.append(first, len(keys)))
        found: list[Numbers] = []
        for size in range(2, _MOST_ALIKE + 1):
            groups = first[sizes == size]
            if len(groups):
                members = owners[groups[:, None] + np.arange(size)]
                one, other = np.triu_indices(size, k=1)
                found.append(np.unique((members[:, one] * self._count + members[:, other]).ravel()))
        for code in np.unique(np.concatenate(found)).tolist() if found else ():
            yield divmod(code, self._count)

    def with_all(self, kind: str, stems: Iterable[str]) -> list[int]:
        """The sentences that have all these words for facts of one kind, though not always for one fact."""
        keys, owners = self._single.sorted()
        found = []
        for word in stems:
            key = np.uint64(_number(kind, word))
            found.append(owners[np.searchsorted(keys, key) : np.searchsorted(keys, key, side="right")])
        return [int(number) for number in reduce(np.intersect1d, found)] if found else []


def kind_of(fact: Fact) -> str:
    """What facts must have in common to be compared: the dimension of their values."""
    return fact.value.dimension if fact.value else ""


class _Postings:
    """Keys and the sentences that have them."""

    def __init__(self) -> None:
        self._keys = array("Q")
        self._owners = array("L")
        self._sorted: tuple[NDArray[np.uint64], Numbers] | None = None

    def add(self, keys: set[int], owner: int) -> None:
        self._keys.extend(keys)
        self._owners.extend([owner] * len(keys))
        self._sorted = None

    def sorted(self) -> tuple[NDArray[np.uint64], Numbers]:
        """All keys in order, each with its sentence; the sentences of one key in order."""
        if self._sorted is None:
            keys, owners = np.array(self._keys, dtype=np.uint64), np.array(self._owners, dtype=np.int64)
            order = np.lexsort((owners, keys))
            self._sorted = keys[order], owners[order]
        return self._sorted


def _firsts(keys: NDArray[np.uint64]) -> Numbers:
    """Where each key begins."""
    if not len(keys):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))


def _pairs(fact: Fact, words: Words) -> Iterator[int]:
    """A number for each pair of words that another fact must share; what a sentence flatly says, for all its words."""
    if fact.value is None and fact.state in {State.IS, State.NOT}:
        yield _number("", *sorted(fact.own))
    if fact.value is None and fact.state is State.IS:
        return
    settings = {f"{value.dimension} {value.low:g}" for value in fact.others}
    told = sorted((fact.own | fact.heading) - words.light | settings)[:_MOST_WORDS]
    for one, other in combinations(told, 2):
        yield _number(kind_of(fact), one, other)
    if len(told) == 1:
        yield _number(kind_of(fact), *told)


def _number(*parts: str) -> int:
    text = "\n".join(parts).encode()
    return crc32(text) << 32 | crc32(text[::-1])

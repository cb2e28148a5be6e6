"""What is known of words for comparing subjects: `qa/data/conflicts.toml`, whose comments say what its parts mean."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from qa.terms import stem

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# Verbs that are written as two words and named as one.
_VERBS_OF_TWO = re.compile(r"\b(check|pick|follow)(?:s|ed|ing)? (in|up)\b", re.IGNORECASE)
# Compounds that are one word for telling things apart; others are taken apart at their hyphens.
_WHOLE = re.compile(
    r"^(?:e-mail|x-ray|follow-up|check-in|in-person|self-pay|self-paying|day-case|one-time|in-office|pick-up|no-show)$"
)


_FUNCTION = (
    "a an and are as at be but by can do does for from had has have how i if in is it its my of on or our so that the "
    "their then these they this to was we were what when where which who why will with would you your being am he "
    "she his"
)
_SHORTEST_FIELD: Final = 8  # letters


@dataclass(frozen=True)
class Words:
    """Which words mean the same, say little or nothing, narrow what is meant, or are on which side of a contrast."""

    same: Mapping[str, str]
    generic: frozenset[str]
    light: frozenset[str]
    narrowing: frozenset[str]
    sides: Mapping[str, tuple[tuple[int, int], ...]]

    def content(self, text: str) -> frozenset[str]:
        """The stems that tell what a text is about, with those that tell little."""
        return frozenset(self.canonical(word) for word in _tokens(text) if not self._is_generic(word))

    def _is_generic(self, word: str) -> bool:
        return word in self.generic or word.removesuffix("s") in self.generic or word.endswith("ly")

    def neighbors(self, text: str) -> frozenset[tuple[str, str]]:
        """Each two words that tell something and stand side by side: "procedure appointment"."""
        found = [None if self._is_generic(word) else self.canonical(word) for word in _tokens(text)]
        return frozenset((one, other) for one, other in pairwise(found) if one and other)

    def sides_of(self, text: str) -> frozenset[tuple[int, int]]:
        """The contrast and the side of it, both by number, of each word that has one."""
        return frozenset(side for word in _tokens(text) for side in self.sides.get(stem(word), ()))

    def narrowed(self, text: str) -> frozenset[str]:
        """The words that make what a text is about another thing."""
        return frozenset(stem(word) for word in _tokens(text)) & self.narrowing

    def canonical(self, word: str) -> str:
        """One stem for all words that mean the same."""
        stemmed = stem(word)
        return self.same.get(stemmed, _field(stemmed))


def _field(stemmed: str) -> str:
    """One stem for a field of work and those who work in it: physiotherapy, physiotherapist."""
    if len(stemmed) >= _SHORTEST_FIELD:
        return stemmed.removesuffix("ist").removesuffix("i")
    return stemmed


@lru_cache(maxsize=4096)
def _tokens(text: str) -> tuple[str, ...]:
    """The words of a text in small letters, compounds taken apart."""
    return tuple(_words(_VERBS_OF_TWO.sub(r"\1-\2", text)))


def _words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        word = match[0].lower().replace("’", "'").removesuffix("'s")
        if "-" in word and not _WHOLE.match(word):
            yield from word.split("-")
        elif word:
            yield word


@cache
def load_words() -> Words:
    """The packaged words."""
    content = tomllib.loads(files("qa").joinpath("data", "conflicts.toml").read_text(encoding="utf-8"))
    same: dict[str, str] = {}
    for line in content["same"]:
        stems = [stem(word) for word in line.split()]
        for each in stems:
            same.setdefault(each, stems[0])
    sides: dict[str, dict[tuple[int, int], None]] = {}
    for number, line in enumerate(content["different"]):
        for side, words in enumerate(line.split("|")):
            for word in words.split():
                sides.setdefault(stem(word), {})[number, side] = None
    return Words(
        same=same,
        generic=frozenset((*content["generic"].split(), *_FUNCTION.split())),
        light=frozenset(same.get(stem(word), _field(stem(word))) for word in content["light"].split()),
        narrowing=frozenset(stem(word) for word in content["narrowing"].split()),
        sides={word: tuple(found) for word, found in sides.items()},
    )

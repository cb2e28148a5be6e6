"""Contradictions between documents: other numbers, times, amounts, days or yes and no for the same thing.

Only sentences that clearly speak about the same thing are compared, so that what is listed is worth a look; much that
contradicts is not found. See docs/conflicts.md for what is compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Final

from qa.conflict_candidates import Candidates, kind_of
from qa.conflict_facts import LONGEST, Fact, facts_of, units
from qa.conflict_pairs import ConflictKind, Found, agree, contradiction
from qa.conflict_words import load_words
from qa.errors import IndexCorrupt
from qa.models import BlockKind, CorpusDocument, Passage, Status, passage_id
from qa.sentences import sentence_spans

__all__ = [
    "Conflict",
    "ConflictKind",
    "Statement",
    "compare_documents",
    "find_conflicts",
    "judge_pair",
    "read_conflicts",
    "write_conflicts",
]

_FACTS_KEPT: Final = 20_000  # sentences
_MOST_PLACES: Final = 20  # pairs of documents that one contradiction is listed for


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence, list item or table row, `text`, at `start` to `end` in the text of its document."""

    document_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two statements of different documents that cannot both be right; `said` is what each of them says of it.

    `is_strict` says that it is certainly the same thing in the same unit, or yes against no in plain words.
    """

    one: Statement
    other: Statement
    kind: ConflictKind
    said: tuple[str, str]
    is_strict: bool

    @property
    def sides(self) -> tuple[tuple[Statement, str], tuple[Statement, str]]:
        """Both statements, each with its value."""
        return (self.one, self.said[0]), (self.other, self.said[1])

    def newest_first(self, approved_on: Callable[[str], date | None]) -> tuple[tuple[Statement, str], ...]:
        """Both sides, that of the document (by its id) which was approved last first; those never approved last."""
        return tuple(sorted(self.sides, key=lambda side: approved_on(side[0].document_id) or date.min, reverse=True))


def judge_pair(
    one: str, other: str, headings: Sequence[str] = (), other_headings: Sequence[str] = ()
) -> Conflict | None:
    """The contradiction of two sentences under these headings, outermost first; None where there is none."""
    words = load_words()
    first, second = Statement("", 0, len(one), one), Statement("", 0, len(other), other)
    found = contradiction(facts_of(one, headings, "", words), facts_of(other, other_headings, "", words), words)
    return _conflict(first, second, found) if found is not None else None


def find_conflicts(passages: Iterable[Passage]) -> tuple[Conflict, ...]:
    """The contradictions between sentences of different documents, in the order of the passages.

    A sentence that stands in many documents is listed with at most twenty of those that contradict it.
    """
    corpus = _Corpus()
    for passage in passages:
        corpus.add(passage)
    return tuple(corpus.conflicts())


def compare_documents(documents: Iterable[CorpusDocument]) -> tuple[Conflict, ...]:
    """The contradictions between whole documents, of which those that are withdrawn are left out."""
    return find_conflicts(
        passage
        for entry in documents
        if entry.metadata.status is not Status.WITHDRAWN
        for passage in _blocks_as_passages(entry)
    )


def _blocks_as_passages(entry: CorpusDocument) -> Iterator[Passage]:
    """Each block but headings as a passage of its own; list items with the sentence that introduces them."""
    text, lead_in = entry.document.text, ""
    for block in entry.document.blocks:
        span = (block.start, block.end)
        if block.kind is BlockKind.HEADING:
            lead_in = ""
            continue
        is_item = block.kind is BlockKind.LIST_ITEM
        yield Passage(
            id=passage_id(entry.id, span),
            document_id=entry.id,
            text=text[slice(*span)],
            start=block.start,
            end=block.end,
            headings=block.headings,
            pages=(),
            tokens=0,
            lead_in=lead_in if is_item else "",
        )
        if block.kind is BlockKind.PARAGRAPH:
            lead_in = text[slice(*sentence_spans(text, *span)[-1])]
        elif not is_item:
            lead_in = ""


def write_conflicts(path: Path, conflicts: Sequence[Conflict]) -> None:
    """Write conflicts to a JSON file."""
    content = {"conflicts": [asdict(conflict) for conflict in conflicts]}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_conflicts(path: Path) -> tuple[Conflict, ...]:
    """The conflicts of a file that `write_conflicts` wrote. Raises IndexCorrupt for one that cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_from_json(each) for each in content["conflicts"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexCorrupt("the list of conflicts cannot be read", path=path, found=str(error)) from error


def _from_json(content: dict[str, Any]) -> Conflict:
    one, other = content["said"]
    return Conflict(
        one=Statement(**content["one"]),
        other=Statement(**content["other"]),
        kind=ConflictKind(content["kind"]),
        said=(one, other),
        is_strict=bool(content["is_strict"]),
    )


def _differ(one: Statement, other: Statement) -> bool:
    return one.document_id != other.document_id


def _conflict(one: Statement, other: Statement, found: Found) -> Conflict:
    said = (_said(one.text, found.one), _said(other.text, found.other))
    return Conflict(one, other, found.kind, said, found.is_strict)


def _said(text: str, fact: Fact) -> str:
    start, end = fact.span
    return " ".join(text[start:end].split()).rstrip(".,;:")


class _Corpus:
    """The distinct sentences of a corpus that say anything which can be contradicted, each with all its places.

    Their facts are read again when they are needed, so that those of a large corpus need not be kept.
    """

    def __init__(self) -> None:
        self._words = load_words()
        self._candidates = Candidates(self._words)
        self._numbers: dict[tuple[str, tuple[str, ...], str], int] = {}
        self._texts: list[tuple[str, tuple[str, ...], str]] = []
        self._places: list[list[Statement]] = []
        self._facts = lru_cache(maxsize=_FACTS_KEPT)(self._read)

    def add(self, passage: Passage) -> None:
        """Read the sentences of a passage."""
        for start, end in units(passage.text):
            text = passage.text[start:end]
            if len(text) > LONGEST:
                continue
            key = (" ".join(text.split()), passage.headings, passage.lead_in)
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = len(self._texts)
                self._texts.append((text, passage.headings, passage.lead_in))
                self._places.append([])
                self._candidates.add(self._facts(number))
            place = Statement(passage.document_id, passage.start + start, passage.start + end, text)
            self._places[number].append(place)

    def conflicts(self) -> Iterator[Conflict]:
        """The contradictions between documents."""
        for first, second in self._candidates.pairs():
            pairs = [pair for pair in product(self._places[first], self._places[second]) if _differ(*pair)]
            found = contradiction(self._facts(first), self._facts(second), self._words) if pairs else None
            if found is not None and not self._is_ambiguous(found):
                yield from (_conflict(one, other, found) for one, other in pairs[:_MOST_PLACES])

    def _read(self, number: int) -> tuple[Fact, ...]:
        return facts_of(*self._texts[number], self._words)

    def _is_ambiguous(self, found: Found) -> bool:
        """Whether one document says several things with all words that the two facts share.

        A document seldom contradicts itself: where "first visit" stands with 60 minutes and with 15, it is not enough
        to say what takes so long.
        """
        kind = kind_of(found.one)
        said: dict[str, list[Fact]] = {}
        for number in self._candidates.with_all(kind, found.shared):
            for fact in self._facts(number):
                if kind_of(fact) == kind and found.shared <= fact.own | fact.heading:
                    for place in self._places[number]:
                        said.setdefault(place.document_id, []).append(fact)
        return any(not agree(facts[0], fact) for facts in said.values() for fact in facts[1:])

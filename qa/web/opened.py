"""A document opened at an address: which of its leaves is shown, and what is marked.

A leaf is what is shown at once: a page, slide or sheet, or a part of what is too long for that.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from qa.answer import Library
from qa.eligibility import Eligibility
from qa.index.contract import IndexedDocument, Source
from qa.models import Block, Passage
from qa.offsets import Span
from qa.sentences import sentences
from qa.web.public_ids import LENGTH, PublicIds

_PART = 60_000  # characters of a leaf, about
_MOST_SENTENCES = 20  # that one address may mark
_LAST_SENTENCE = 400  # no passage has more
_NAME = re.compile(rf"[A-Za-z0-9_-]{{{LENGTH}}}")
_NUMBER = re.compile(r"[1-9][0-9]{0,4}")
_ONE_BY_ONE = ("doc", "passage", "page", "part")


class Query(Protocol):
    """The parameters of an address, each with all its values."""

    def getlist(self, key: str) -> list[str]:
        """The values of one parameter, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """What an address asks for. `passage` is empty where nothing is to be marked; without `sentences` it is all of it.

    `page` and `part` count from 1; where they are None, it is the leaf with what is marked, or the first.
    """

    document: str
    passage: str = ""
    sentences: tuple[int, ...] = ()
    page: int | None = None
    part: int | None = None

    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of its address, without what is not set."""
        numbers = (("page", self.page), ("part", self.part), *(("sentence", number) for number in self.sentences))
        return [
            ("doc", self.document),
            *((name, str(number)) for name, number in numbers if number is not None),
            *([("passage", self.passage)] if self.passage else []),
        ]


def place_in(query: Query) -> Place | None:
    """What the parameters of an address ask for; None for what no address of ours says."""
    given: Mapping[str, list[str]] = {name: query.getlist(name) for name in (*_ONE_BY_ONE, "sentence")}
    if not given["doc"] or any(len(given[name]) > 1 for name in _ONE_BY_ONE):
        return None
    if not all(_NAME.fullmatch(name) for name in given["doc"] + given["passage"]):
        return None
    numbers = given["page"] + given["part"] + given["sentence"]
    if len(given["sentence"]) > _MOST_SENTENCES or not all(_NUMBER.fullmatch(number) for number in numbers):
        return None
    sentence_numbers = tuple(sorted({int(number) for number in given["sentence"]}))
    if sentence_numbers and (not given["passage"] or sentence_numbers[-1] > _LAST_SENTENCE):
        return None
    return Place(
        document=given["doc"][0],
        passage="".join(given["passage"]),
        sentences=sentence_numbers,
        page=next(map(int, given["page"]), None),
        part=next(map(int, given["part"]), None),
    )


@dataclass(frozen=True, slots=True)
class Leaf:
    """`span` of the document's text; `part` of `parts` of `page`, or of the whole document where `page` is None."""

    page: int | None
    part: int
    parts: int
    span: Span


@dataclass(frozen=True, slots=True)
class Opened:
    """One leaf of a document, the `number`th (from 0) of `leaves`.

    `marks` are spans of the document's text, not only of this leaf's, in order; `passage` is the one that they begin
    in, and the document's first where nothing is marked. `is_changed` says that the address marks something which the
    document has not any more.
    """

    document: IndexedDocument
    source: Source
    blocks: tuple[Block, ...]
    leaves: tuple[Leaf, ...]
    number: int
    passage: Passage
    marks: tuple[Span, ...]
    is_changed: bool

    @property
    def leaf(self) -> Leaf:
        """The leaf that is shown."""
        return self.leaves[self.number]

    @property
    def marks_here(self) -> tuple[Span, ...]:
        """The marks that share characters with the leaf, as they are."""
        start, end = self.leaf.span
        return tuple(mark for mark in self.marks if mark[0] < end and mark[1] > start)

    @property
    def quote(self) -> str:
        """The words that are marked; what is left out between them is an ellipsis."""
        pieces: list[str] = []
        for number, (start, end) in enumerate(self.marks):
            if number:
                between = self.source.text[self.marks[number - 1][1] : start]
                pieces.append(" … " if between.strip() else between)
            pieces.append(self.source.text[start:end])
        return "".join(pieces)


def find(name: str, library: Library, ids: PublicIds, today: date) -> IndexedDocument | None:
    """The document with this name, where `library` may show it today; None for any other."""
    document_id = ids.find_document(name, library.index)
    if document_id is None:
        return None
    document = library.index.document(document_id)
    mask = library.eligibility.mask(today)
    may_be_shown = len(document.passages) > 0 and (mask is None or bool(mask[document.passages].all()))
    return document if may_be_shown else None


def may_show(document: IndexedDocument, eligibility: Eligibility) -> bool:
    """Whether a document that was found may be given out at this moment."""
    try:
        return eligibility.confirm([document.id])
    except KeyError:
        return False


def open_at(place: Place, document: IndexedDocument, library: Library, ids: PublicIds) -> Opened | None:
    """The leaf of a document that `place` asks for; None where it has no such leaf, or is damaged."""
    index = library.index
    if not index.is_intact(document.id):
        return None
    source, blocks = index.source(document.id), index.blocks(document.id)
    passages = index.passages(document.passages)
    number = ids.find_passage(place.passage, source.text, passages) if place.passage else None
    marks = _marks(passages[number:], place.sentences) if number is not None else ()
    leaves = tuple(_leaves(source, blocks))
    shown = _leaf_number(place, leaves, marks)
    if shown is None:
        return None
    return Opened(
        document=document,
        source=source,
        blocks=blocks,
        leaves=leaves,
        number=shown,
        passage=passages[number if marks and number is not None else 0],
        marks=marks,
        is_changed=bool(place.passage) and not marks,
    )


def _marks(passages: Sequence[Passage], wanted: Sequence[int]) -> tuple[Span, ...]:
    """The sentences with these numbers, counted from 1 from the first passage on; none unless all are there."""
    if not wanted:
        return ((passages[0].start, passages[0].end),)
    found: list[Span] = []
    number = 0
    for passage in passages:
        for start, end in sentences(passage.text):
            number += 1
            if number in wanted:
                found.append((passage.start + start, passage.start + end))
        if number >= wanted[-1]:
            break
    return tuple(found) if len(found) == len(wanted) else ()


def _leaf_number(place: Place, leaves: Sequence[Leaf], marks: Sequence[Span]) -> int | None:
    if place.page is None and place.part is None and not marks:
        return 0
    wanted = [
        number
        for number, leaf in enumerate(leaves)
        if place.page in (None, leaf.page) and place.part in (None, leaf.part)
    ]
    marked = (number for number in wanted if marks and leaves[number].span[0] <= marks[0][0] < leaves[number].span[1])
    return next(marked, wanted[0] if wanted else None)


def _leaves(source: Source, blocks: Sequence[Block]) -> Iterable[Leaf]:
    pages: list[tuple[int | None, Span]] = [
        (number, (page.start, page.end)) for number, page in enumerate(source.pages, start=1)
    ]
    for page, span in pages or [(None, (0, len(source.text)))]:
        spans = _parts(span, blocks)
        for part, of_part in enumerate(spans, start=1):
            yield Leaf(page, part, len(spans), of_part)


def _parts(span: Span, blocks: Sequence[Block]) -> list[Span]:
    """`span` cut where blocks begin, into parts of `_PART` characters or, where a block is longer, a little more."""
    start, end = span
    parts: list[Span] = []
    while end - start > _PART:
        after = bisect_right(blocks, start + _PART, key=lambda block: block.start) - 1
        cut = blocks[after].start if after >= 0 and blocks[after].start > start else None
        if cut is None:
            cut = blocks[after + 1].start if after + 1 < len(blocks) else end
        if cut >= end:
            break
        parts.append((start, cut))
        start = cut
    return [*parts, (start, end)]

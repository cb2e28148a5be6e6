"""The contradictions between documents that concern one question."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from qa.conflicts import Conflict, Statement
from qa.highlight import sentences_of
from qa.index.contract import PassageIndex
from qa.models import Hit
from qa.offsets import Span
from qa.retrieve import Query

# A sentence answers the question when its words come at least this near, as a part of the hit's nearest sentence. It is
# a little below what is highlighted: of two sentences that answer alike only one may be.
_NEARLY: Final = 0.7
# The nearest sentence of a hit far down may still be about something else: the same part of the nearest of all hits.
_NEARLY_OF_ALL: Final = 0.6
_NOTHING: Final = 1e-3  # what is left of a cosine of 0 after rounding


@dataclass(frozen=True, slots=True)
class Answering:
    """A sentence of a document that answers a question, and how near its words come to the question's."""

    document_id: str
    span: Span
    nearness: float


def concerning(
    conflicts: Iterable[Conflict],
    hits: Sequence[Hit],
    query: Query,
    index: PassageIndex,
    may_be_shown: Callable[[str], bool],
) -> tuple[Conflict, ...]:
    """The conflicts that concern a question whose shown hits are `hits`, the nearest to it first.

    Documents of both sides may be shown, and one side is among the sentences that answer; the other may stand anywhere.
    """
    named = {hit.passage.document_id for hit in hits}
    possible = [
        conflict
        for conflict in conflicts
        if {conflict.one.document_id, conflict.other.document_id} & named
        and may_be_shown(conflict.one.document_id)
        and may_be_shown(conflict.other.document_id)
    ]
    return among(possible, answering(hits, query, index)) if possible else ()


def among(conflicts: Iterable[Conflict], answers: Sequence[Answering]) -> tuple[Conflict, ...]:
    """The conflicts of which one side is among these sentences, the nearest first."""
    nearness = [(max(_nearness(side, answers) for side in (each.one, each.other)), each) for each in conflicts]
    found = [(near, conflict) for near, conflict in nearness if near > 0]
    return tuple(conflict for _, conflict in sorted(found, key=lambda each: -each[0]))


def answering(hits: Sequence[Hit], query: Query, index: PassageIndex) -> tuple[Answering, ...]:
    """The sentences of the hits that answer the question or nearly do, in the order of the hits."""
    by_hit = [_sentences(hit, query, index) for hit in hits]
    nearest = max((each.nearness for found in by_hit for each in found), default=0.0)
    return tuple(
        each
        for found in by_hit
        for each in found
        if each.nearness > _NOTHING
        and each.nearness >= _NEARLY * max(other.nearness for other in found)
        and each.nearness >= _NEARLY_OF_ALL * nearest
    )


def _nearness(statement: Statement, answers: Sequence[Answering]) -> float:
    """How near the sentences come that a statement is, or is part of; 0 where it is none of them."""
    return max(
        (
            each.nearness
            for each in answers
            if each.document_id == statement.document_id
            and each.span[0] < statement.end
            and statement.start < each.span[1]
        ),
        default=0.0,
    )


def _sentences(hit: Hit, query: Query, index: PassageIndex) -> list[Answering]:
    """Every sentence of a hit, with how near its words come."""
    passage = hit.passage
    return [
        Answering(passage.document_id, (passage.start + start, passage.start + end), sentence.nearness)
        for sentence in sentences_of(hit, query, index)
        for start, end in [sentence.span]
    ]

"""Hits as a person gets them: numbered, with their source and the sentences marked that answer best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from qa.conflicts import Conflict, Statement
from qa.eligibility import Eligibility
from qa.evidence.quotes import is_sound
from qa.highlight import highlights
from qa.index.contract import PassageIndex
from qa.metadata import overdue_since
from qa.models import Citation, CitedPassage, Disagreement, Hit, Passage, pages_of
from qa.offsets import Span
from qa.retrieve import Query
from qa.sentences import sentences


def cite(
    hits: Sequence[Hit], query: Query | None, index: PassageIndex, eligibility: Eligibility, today: date
) -> tuple[CitedPassage, ...]:
    """The hits, which were verified, numbered from 1. Without a query no sentence is marked."""
    cited = []
    for rank, hit in enumerate(hits, start=1):
        passage = hit.passage
        marked = highlights(hit, query, index) if query is not None else ()
        spans = tuple(sentence.span for sentence in marked)
        cited.append(
            CitedPassage(
                id=passage.id,
                rank=rank,
                score=hit.score,
                text=passage.text,
                highlights=spans,
                sentences=tuple(sentence.number for sentence in marked),
                span=index.source(passage.document_id).raw_span((passage.start, passage.end)),
                citation=citation_of(
                    passage,
                    index,
                    eligibility,
                    today,
                    marked=spans[0] if spans else None,
                    also_in=tuple(citation_of(other, index, eligibility, today) for other in hit.also_in),
                ),
                lead_in=passage.lead_in,
            )
        )
    return tuple(cited)


def cite_both(conflict: Conflict, index: PassageIndex, eligibility: Eligibility, today: date) -> Disagreement | None:
    """Both sides of a conflict, the one that was approved later first; None where one cannot be verified."""
    sides = [_side(statement, index, eligibility, today) for statement in (conflict.one, conflict.other)]
    found = [(side, said) for side, said in zip(sides, conflict.said, strict=True) if side is not None]
    if len(found) < len(sides):
        return None
    newest_first = sorted(found, key=lambda each: each[0].citation.approved_on or date.min, reverse=True)
    (first, one), (second, other) = newest_first
    return Disagreement(said=(one, other), sides=(replace(first, rank=1), replace(second, rank=2)))


def _side(statement: Statement, index: PassageIndex, eligibility: Eligibility, today: date) -> CitedPassage | None:
    """The passage that a statement stands in, with the statement highlighted; None where it does not stand there."""
    passages = index.passages(index.document(statement.document_id).passages)
    passage = next((each for each in passages if each.start <= statement.start and statement.end <= each.end), None)
    if passage is None or not is_sound(passage, index):
        return None
    marked = (statement.start - passage.start, statement.end - passage.start)
    if passage.text[slice(*marked)] != statement.text:
        return None
    own = enumerate(sentences(passage.text), start=1)
    return CitedPassage(
        id=passage.id,
        rank=1,
        score=0.0,
        text=passage.text,
        highlights=(marked,),
        sentences=tuple(number for number, (start, end) in own if start < marked[1] and marked[0] < end),
        span=index.source(passage.document_id).raw_span((passage.start, passage.end)),
        citation=citation_of(passage, index, eligibility, today, marked=marked),
        lead_in=passage.lead_in,
    )


def citation_of(
    passage: Passage,
    index: PassageIndex,
    eligibility: Eligibility,
    today: date,
    *,
    marked: Span | None = None,
    also_in: tuple[Citation, ...] = (),
) -> Citation:
    """Where a passage stands; `marked` is the span in its text whose page is wanted, otherwise its own first."""
    source = index.source(passage.document_id)
    wanted = (passage.start + marked[0], passage.start + marked[1]) if marked else (passage.start, passage.end)
    page = next(iter(pages_of(wanted, source.pages)), None)
    now = eligibility.metadata(passage.document_id)
    built = index.document(passage.document_id).metadata
    return Citation(
        document=passage.document_id,
        title=built.title,
        section=passage.headings,
        start=passage.start,
        page=page,
        page_label=source.pages[page - 1].label if page is not None else None,
        page_kind=source.page_kind,
        pages=passage.pages,
        recognised=any(source.pages[number - 1].recognised for number in passage.pages),
        path=passage.document_id,
        approved_on=now.approved_on,
        review_by=now.review_by,
        version=built.version,
        audience=now.audience,
        status=now.status,
        overdue_since=overdue_since(now, today),
        also_in=also_in,
    )

"""Hits as a person gets them: numbered, with their source and the sentences marked that answer best."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from qa.eligibility import Eligibility
from qa.highlight import highlights
from qa.index.contract import PassageIndex
from qa.metadata import overdue_since
from qa.models import Citation, CitedPassage, Hit, Passage, pages_of
from qa.offsets import Span
from qa.retrieve import Query


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

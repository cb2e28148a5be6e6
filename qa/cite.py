"""Hits as a person gets them: numbered, with their source and the sentences marked that answer best."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from qa.eligibility import Eligibility
from qa.highlight import highlights
from qa.index.contract import PassageIndex
from qa.metadata import overdue_since
from qa.models import Citation, CitedPassage, Hit, Passage
from qa.retrieve import Query


def cite(
    hits: Sequence[Hit], query: Query | None, index: PassageIndex, eligibility: Eligibility, today: date
) -> tuple[CitedPassage, ...]:
    """The hits numbered from 1. Without a query no sentence is marked."""
    cited = []
    for rank, hit in enumerate(hits, start=1):
        passage = hit.passage
        cited.append(
            CitedPassage(
                id=passage.id,
                rank=rank,
                score=hit.score,
                text=passage.text,
                highlights=highlights(hit, query, index) if query is not None else (),
                span=index.source(passage.document_id).raw_span((passage.start, passage.end)),
                citation=_citation(
                    passage,
                    index,
                    eligibility,
                    today,
                    also_in=tuple(_citation(other, index, eligibility, today) for other in hit.also_in),
                ),
                lead_in=passage.lead_in,
            )
        )
    return tuple(cited)


def _citation(
    passage: Passage,
    index: PassageIndex,
    eligibility: Eligibility,
    today: date,
    also_in: tuple[Citation, ...] = (),
) -> Citation:
    page = passage.pages[0] if passage.pages else None
    now = eligibility.metadata(passage.document_id)
    return Citation(
        document=passage.document_id,
        title=index.document(passage.document_id).metadata.title,
        section=passage.headings,
        page=page,
        page_label=index.source(passage.document_id).pages[page - 1].label if page is not None else None,
        pages=passage.pages,
        path=passage.document_id,
        approved_on=now.approved_on,
        review_by=now.review_by,
        version=index.document(passage.document_id).metadata.version,
        audience=now.audience,
        status=now.status,
        overdue_since=overdue_since(now, today),
        also_in=also_in,
    )

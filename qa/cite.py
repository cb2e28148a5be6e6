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


def cite_disagreements(
    conflicts: Sequence[Conflict], index: PassageIndex, eligibility: Eligibility, today: date
) -> tuple[Disagreement, ...]:
    """What contradicts each other together; without what cannot be verified.

    What was approved later stands first, but for documents that say again what one before them says: those stand last.
    """
    found = []
    for together in _together(conflicts):
        sides = [(_side(statement, index, eligibility, today), said) for statement, said in together.items()]
        sound = [(side, said) for side, said in sides if side is not None]
        if len(sound) >= 2 and len({said for _, said in sound}) >= 2:
            sound.sort(key=lambda each: each[0].citation.approved_on or date.min, reverse=True)
            said = [value for _, value in sound]
            order = sorted(range(len(sound)), key=lambda place: said[:place].count(said[place]))
            found.append(
                Disagreement(
                    said=tuple(said[place] for place in order),
                    sides=tuple(replace(sound[place][0], rank=rank) for rank, place in enumerate(order, start=1)),
                )
            )
    return tuple(found)


def _together(conflicts: Sequence[Conflict]) -> list[dict[Statement, str]]:
    """The statements of conflicts that share one, with what each says, so that none is shown twice."""
    groups: list[dict[Statement, str]] = []
    for conflict in conflicts:
        own = dict(zip((conflict.one, conflict.other), conflict.said, strict=True))
        sharing = [group for group in groups if group.keys() & own.keys()]
        groups = [group for group in groups if group not in sharing]
        groups.append({statement: said for group in (*sharing, own) for statement, said in group.items()})
    return groups


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

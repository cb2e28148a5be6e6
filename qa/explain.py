"""Why a question was answered as it was: every candidate, how it came to its place, and the decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from qa.answer import Decided, Library, decide, readable
from qa.audience import Audience
from qa.clock import Clock
from qa.confidence import UNCALIBRATED, Contribution
from qa.embed import Embedder
from qa.index.contract import PassageIndex
from qa.models import Candidate, Evidence, Hit, Level, Triaged
from qa.replies import guidance, why_not_looked_up
from qa.retrieve import Reading
from qa.settings import Settings
from qa.terms import terms
from qa.triage import triage


@dataclass(frozen=True, slots=True)
class ExplainedCandidate:
    """One passage that was compared with the question. `place` counts from 1, in the order of the scores.

    A passage that the clinic chose and no search found stands last, with a score of 0.

    `words` are the words of the question that stand in the passage or in its headings, as stems. `shown_as` is the
    number under which people see it, also when it was merged into another (`fate` says so), or None.
    """

    place: int
    document: str
    section: tuple[str, ...]
    pages: tuple[int, ...]
    candidate: Candidate
    words: tuple[str, ...]
    shown_as: int | None
    fate: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """`triaged` and `guidance` as in an answer. `notices` say why a question was not looked up; then there is no more.

    `readings` are words that were read as others, `unknown` the words that no document has, `trust` how far words
    count beside meaning for this question (1 is usual). `contributions` say what the decision was made of.
    """

    question: str
    audience: Audience
    triaged: Triaged
    guidance: tuple[str, ...]
    notices: tuple[str, ...]
    readings: tuple[Reading, ...] = ()
    unknown: tuple[str, ...] = ()
    trust: float = 0.0
    candidates: tuple[ExplainedCandidate, ...] = ()
    evidence: Evidence | None = None
    contributions: tuple[Contribution, ...] = ()
    probability: float = 0.0
    threshold: float = 0.0
    sure: float = 0.0
    level: Level = Level.NOT_COVERED
    pinned: bool = False
    calibrated: bool = False
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def explain(
    question: str,
    audience: Audience,
    *,
    library: Library,
    embedder: Embedder,
    settings: Settings,
    clock: Clock,
    top: int | None = None,
) -> Explanation:
    """Answer a question as `answer` does, and keep what led to it."""
    question = readable(question)
    now = clock()
    triaged = triage(question, rules=settings.urgent.rules, embedder=embedder)
    first = guidance(triaged.urgency, question, settings, now)
    notices = why_not_looked_up(question, settings, now, audience)
    if notices:
        return Explanation(question, audience, triaged, first, notices)
    index, judge = library.index, library.judge
    decided = decide(question, audience, library=library, embedder=embedder, settings=settings, now=now, top=top)
    found = decided.found
    _, known = index.information(found.query.terms)
    return Explanation(
        question=question,
        audience=audience,
        triaged=triaged,
        guidance=first,
        notices=(),
        readings=found.query.readings,
        unknown=tuple(term for term, held in zip(found.query.terms, known.tolist(), strict=True) if not held),
        trust=found.trust,
        candidates=_candidates(decided, index, reranked=judge.reranker is not None),
        evidence=found.evidence,
        contributions=judge.confidence.contributions(found.evidence),
        probability=decided.probability,
        threshold=judge.confidence.threshold,
        sure=judge.confidence.sure,
        level=decided.level,
        pinned=decided.pinned,
        calibrated=judge.confidence is not UNCALIBRATED,
        warnings=judge.warnings,
    )


def _candidates(decided: Decided, index: PassageIndex, *, reranked: bool) -> tuple[ExplainedCandidate, ...]:
    found = decided.found
    asked = dict.fromkeys(found.query.terms)
    compared = {candidate.number for candidate in found.compared}
    pinned = [hit.candidate for hit in found.hits if hit.candidate.number not in compared]
    candidates = (*found.compared, *pinned)
    passages = index.passages([candidate.number for candidate in candidates])
    shown = found.hits if decided.level is not Level.NOT_COVERED else ()
    fates = _fates(shown)
    explained = []
    for place, (candidate, passage) in enumerate(zip(candidates, passages, strict=True), start=1):
        title = index.document(passage.document_id).metadata.title
        held = set(terms("\n".join([title, *passage.headings, passage.lead_in, passage.text])))
        shown_as, fate = fates.get(candidate.number) or _same_text(passage.id, shown) or (None, "")
        if decided.pinned and shown_as == 1 and not fate:
            fate = "the clinic chose it for this question"
        elif shown_as is not None and reranked and not fate:
            fate = "put here by the reranker"
        explained.append(
            ExplainedCandidate(
                place=place,
                document=passage.document_id,
                section=passage.headings,
                pages=passage.pages,
                candidate=candidate,
                words=tuple(term for term in asked if term in held),
                shown_as=shown_as,
                fate=fate,
            )
        )
    return tuple(explained)


def _fates(hits: tuple[Hit, ...]) -> Mapping[int, tuple[int, str]]:
    """For each passage that is in a hit, the hit's number and what happened to it."""
    fates: dict[int, tuple[int, str]] = {}
    for rank, hit in enumerate(hits, start=1):
        for number in hit.numbers:
            merged = number != hit.candidate.number
            fates[number] = (rank, "put together with its neighbour" if merged else "")
    return fates


def _same_text(passage_id: str, hits: tuple[Hit, ...]) -> tuple[int, str] | None:
    for rank, hit in enumerate(hits, start=1):
        if any(other.id == passage_id for other in hit.also_in):
            return rank, "says the same: named there as a further source"
    return None

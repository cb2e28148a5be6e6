"""The online composition: question in; guidance in danger, cited passages or an honest "not covered" out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from time import perf_counter

from qa.audience import Audience
from qa.cite import cite, cite_disagreements
from qa.clock import Clock
from qa.conflicts import Conflict
from qa.disagreement import concerning
from qa.eligibility import Eligibility
from qa.embed import Embedder
from qa.evidence.quotes import verified
from qa.index.contract import Mask, PassageIndex
from qa.judge import Judge
from qa.models import Answer, AnswerKind, CitedPassage, Disagreement, Hit, Level, Status, Urgency
from qa.pins import pinned_question, put_first
from qa.protocol import protocol_hits
from qa.replies import advice, guidance, sentence, why_not_looked_up
from qa.retrieve import Query, Retrieved, retrieve
from qa.settings import Settings
from qa.triage import triage

_STRICT = Judge()
_SHORTEST_EXAMPLE = 3  # words; "Why us?" is no example
_SEVERAL = 40  # words; so many often ask several things, of which each alone may well be answered
_PROTOCOL = 3  # passages of the emergency protocol
_MOST_LOOKS = 5  # how often one question is looked up because labels change meanwhile


@dataclass(frozen=True, slots=True)
class Library:
    """One audience's documents as they may be shown now, and what judges whether they answer."""

    index: PassageIndex
    eligibility: Eligibility
    judge: Judge = _STRICT


def answer(
    question: str,
    audience: Audience,
    *,
    library: Library | None,
    embedder: Embedder | None,
    settings: Settings,
    clock: Clock,
    top: int | None = None,
    instead: tuple[str, ...] = (),
) -> Answer:
    """Answer one question for one audience from that audience's documents.

    Triage comes first, whatever else is missing. Without a library or an embedder the reply is `not_covered` with the
    words for it; with `instead`, sentences to say (that too much is asked), nothing is looked up and triage goes by
    patterns alone. This never raises because of what the question holds.
    """
    started = perf_counter()
    question = readable(question)
    now = clock()
    triaged = triage(question, rules=settings.urgent.rules, embedder=None if instead else embedder)
    notices = instead or why_not_looked_up(question, settings, now, audience)
    decided: Decided | None = None
    hits: tuple[Hit, ...] = ()
    contested: tuple[Conflict, ...] = ()
    if library is not None and embedder is not None and not notices:
        decided = decide(question, audience, library=library, embedder=embedder, settings=settings, now=now, top=top)
        hits = () if decided.level is Level.NOT_COVERED else verified(decided.found.hits, library.index)
        if hits[:1] != decided.found.hits[:1]:
            # What was to answer is not what the documents say: nobody is told that the rest answers.
            decided, hits = replace(decided, level=Level.NOT_COVERED), ()
        contested = _contested(hits, decided.found.query, library, now.date())
        if decided.level is Level.NOT_COVERED:
            name = "not_covered_at_once" if len(question.split()) > _SEVERAL else "not_covered"
            notices = (sentence(name, settings, now, audience=audience),)
    elif not notices:
        notices = (sentence("no_index", settings, now, audience=audience),)
    level = decided.level if decided else None
    withheld = audience is Audience.PATIENT and any(conflict.is_strict for conflict in contested)
    if withheld:
        hits, level, notices = (), None, (sentence("documents_disagree", settings, now),)
    query = decided.found.query if decided else None
    if triaged.urgency.is_danger and audience is Audience.STAFF and library is not None:
        hits = _protocol_first(hits, query, library.index, settings)
    passages: tuple[CitedPassage, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    if library is not None:
        passages = cite(hits, query, library.index, library.eligibility, now.date())
        if audience is Audience.STAFF:
            disagreements = cite_disagreements(contested, library.index, library.eligibility, now.date())
    if triaged.urgency is Urgency.ADVICE:
        notices = (advice(settings, now, call=audience is Audience.PATIENT and not notices), *notices)
    return Answer(
        question=question,
        audience=audience,
        kind=_kind(triaged.urgency, hits, withheld=withheld),
        triaged=triaged,
        guidance=guidance(triaged.urgency, question, settings, now),
        confidence=decided.probability if decided else None,
        level=level,
        pinned=decided.pinned if decided else False,
        passages=passages,
        notices=notices,
        generation=library.index.generation if library is not None else None,
        elapsed_ms=(perf_counter() - started) * 1000,
        disagreements=disagreements,
    )


def _kind(urgency: Urgency, hits: tuple[Hit, ...], *, withheld: bool) -> AnswerKind:
    if urgency.is_danger:
        return AnswerKind.URGENT
    if withheld:
        return AnswerKind.CONFLICT
    return AnswerKind.ANSWER if hits else AnswerKind.NOT_COVERED


def _contested(hits: Sequence[Hit], query: Query, library: Library, today: date) -> tuple[Conflict, ...]:
    """The conflicts that concern the question, between documents that are approved and may be shown at this moment."""
    index, eligibility = library.index, library.eligibility

    def may_be_shown(document_id: str) -> bool:
        mask, of_document = eligibility.mask(today), index.document(document_id).passages
        is_open = mask is None or bool(mask[of_document].all())
        return is_open and eligibility.metadata(document_id).status is Status.APPROVED

    found = concerning(index.conflicts, hits, query, index, may_be_shown)
    named = {side.document_id for conflict in found for side in (conflict.one, conflict.other)}
    if eligibility.confirm(named):
        return found
    # A label has changed since the mask was made: those that are still approved are left.
    return tuple(each for each in found if may_be_shown(each.one.document_id) and may_be_shown(each.other.document_id))


def _protocol_first(
    hits: tuple[Hit, ...], query: Query | None, index: PassageIndex, settings: Settings
) -> tuple[Hit, ...]:
    """The clinic's emergency protocol, then what else was found."""
    found = protocol_hits(settings.clinic.emergency_protocol, query, index, settings.retrieval, _PROTOCOL)
    protocol = verified(found, index)
    named = {hit.passage.id for hit in protocol}
    return (*protocol, *(hit for hit in hits if hit.passage.id not in named))


@dataclass(frozen=True, slots=True)
class Decided:
    """What was found and whether it answers. A pinned question always does."""

    found: Retrieved
    probability: float
    level: Level
    pinned: bool


def decide(
    question: str,
    audience: Audience,
    *,
    library: Library,
    embedder: Embedder,
    settings: Settings,
    now: datetime,
    top: int | None = None,
) -> Decided:
    """Look a question up that has words, and decide whether what is found answers it.

    Labels are looked up once more for what would be shown; where one has changed since, so is the question.
    """
    for _ in range(_MOST_LOOKS):
        decided = _decide(question, audience, library, embedder, settings, now, top)
        hits = decided.found.hits
        shown = {passage.document_id for hit in hits for passage in (hit.passage, *hit.also_in)}
        if library.eligibility.confirm(shown):
            return decided
    return Decided(replace(decided.found, hits=()), 0.0, Level.NOT_COVERED, pinned=False)


def _decide(
    question: str,
    audience: Audience,
    library: Library,
    embedder: Embedder,
    settings: Settings,
    now: datetime,
    top: int | None,
) -> Decided:
    index, judge = library.index, library.judge
    mask = library.eligibility.mask(now.date())
    found = retrieve(
        question,
        index=index,
        embedder=embedder,
        mask=mask,
        settings=settings.retrieval,
        top=top or settings.retrieval.top,
        reranker=judge.reranker,
    )
    probability = judge.confidence.probability(found.evidence) if found.hits else 0.0
    pinned = pinned_question(question, audience, judge.pinned)
    with_pin = put_first(found, pinned.places[0], index, mask) if pinned else None
    if with_pin is not None:
        return Decided(with_pin, probability, Level.LIKELY, pinned=True)
    return Decided(found, probability, judge.confidence.level(probability), pinned=False)


def readable(question: str) -> str:
    """Half characters become question marks."""
    return question.encode("utf-8", "replace").decode("utf-8")


def example_questions(library: Library, count: int, today: date) -> dict[str, str]:
    """Up to `count` questions that are headings of documents which may be shown now, of different ones first.

    Each comes with its document's id, so that whoever keeps them can have it confirmed before they are shown again.
    Reads headings until enough documents have such a question, which may take a moment where hardly one has.
    """
    for _ in range(_MOST_LOOKS):
        by_document = _questions_of(library.index, library.eligibility.mask(today), count)
        if library.eligibility.confirm(by_document):
            return _from_each_in_turn(by_document, count)
    return {}


def _from_each_in_turn(by_document: Mapping[str, Sequence[str]], count: int) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for depth in range(max(map(len, by_document.values()), default=0)):
        for document_id, asked in by_document.items():
            if depth < len(asked) and len(chosen) < count:
                chosen.setdefault(asked[depth], document_id)
    return chosen


def _questions_of(index: PassageIndex, mask: Mask | None, count: int) -> dict[str, list[str]]:
    """The questions among the headings of the first `count` documents, by id, that have one and may be shown."""
    by_document: dict[str, list[str]] = {}
    for document in index.documents():
        if len(by_document) == count:
            break
        if mask is not None and not mask[document.passages].all():
            continue
        asked = [heading for heading in index.headings(document) if _is_question(heading)]
        if asked:
            by_document[document.id] = asked
    return by_document


def _is_question(heading: str) -> bool:
    return heading.endswith("?") and len(heading.split()) > _SHORTEST_EXAMPLE


def answer_json(reply: Answer) -> dict[str, object]:
    """The contract of `clinic-qa ask --json`; later versions only add keys."""
    content = asdict(reply)
    sides = [side for disagreement in content["disagreements"] for side in disagreement["sides"]]
    for passage in [*content["passages"], *sides]:
        passage["citation"] = _citation_json(passage["citation"])
    return content


def _citation_json(citation: dict[str, object]) -> dict[str, object]:
    dated = {key: value.isoformat() if isinstance(value, date) else value for key, value in citation.items()}
    also_in = citation["also_in"]
    if isinstance(also_in, list | tuple):
        dated["also_in"] = [_citation_json(other) for other in also_in]
    return dated

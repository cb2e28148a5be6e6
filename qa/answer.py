"""The online composition: question in, cited passages or an honest "not covered" out.

Triage will stand before everything else here; until it does, no answer is of the kind `urgent`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from time import perf_counter

from qa.audience import Audience
from qa.clock import Clock, whom_to_call
from qa.embed import Embedder
from qa.highlight import highlights
from qa.index.contract import IndexedDocument, PassageIndex, Source
from qa.judge import Judge
from qa.language import foreign_language
from qa.messages import known_languages, load_messages
from qa.models import Answer, AnswerKind, Citation, CitedPassage, Level, Passage
from qa.pins import pinned_question, put_first
from qa.retrieve import Retrieved, retrieve
from qa.settings import Settings

_STRICT = Judge()
_SHORTEST_EXAMPLE = 3  # words; "Why us?" is no example


def answer(
    question: str,
    audience: Audience,
    *,
    index: PassageIndex | None,
    embedder: Embedder | None,
    settings: Settings,
    clock: Clock,
    judge: Judge = _STRICT,
    top: int | None = None,
) -> Answer:
    """Answer one question for one audience from that audience's index.

    Without an index or an embedder the reply is `not_covered` with the words for it; this never raises because of what
    the question holds.
    """
    started = perf_counter()
    question = readable(question)
    now = clock()
    decided: Decided | None = None
    notices = why_not_looked_up(question, settings, now)
    if not notices and (index is None or embedder is None):
        notices = (_sentence("no_index", settings, now),)
    elif not notices and index is not None and embedder is not None:
        decided = decide(
            question, audience, index=index, embedder=embedder, settings=settings, now=now, judge=judge, top=top
        )
        if decided.level is Level.NOT_COVERED:
            notices = (_sentence("not_covered", settings, now),)
    passages = cite(decided.found, index) if decided and index and decided.level is not Level.NOT_COVERED else ()
    return Answer(
        question=question,
        audience=audience,
        kind=AnswerKind.ANSWER if passages else AnswerKind.NOT_COVERED,
        confidence=decided.probability if decided else None,
        level=decided.level if decided else None,
        pinned=decided.pinned if decided else False,
        passages=passages,
        notices=notices,
        generation=index.generation if index is not None else None,
        elapsed_ms=(perf_counter() - started) * 1000,
    )


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
    index: PassageIndex,
    embedder: Embedder,
    settings: Settings,
    now: datetime,
    judge: Judge,
    top: int | None = None,
) -> Decided:
    """Look a question up that has words, and decide whether what is found answers it."""
    mask = index.eligible(now.date())
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


def cite(found: Retrieved, index: PassageIndex) -> tuple[CitedPassage, ...]:
    """The hits as a person gets them, numbered from 1, with the sentences marked that answer best."""
    sources = {hit.passage.document_id: index.source(hit.passage.document_id) for hit in found.hits}
    cited = []
    for rank, hit in enumerate(found.hits, start=1):
        passage = hit.passage
        source = sources[passage.document_id]
        cited.append(
            CitedPassage(
                id=passage.id,
                rank=rank,
                score=hit.score,
                text=passage.text,
                highlights=highlights(hit, found.query, index),
                span=source.raw_span((passage.start, passage.end)),
                citation=_citation(
                    passage,
                    index.document(passage.document_id),
                    source,
                    also_in=tuple(
                        _citation(other, index.document(other.document_id), index.source(other.document_id))
                        for other in hit.also_in
                    ),
                ),
                lead_in=passage.lead_in,
            )
        )
    return tuple(cited)


def example_questions(index: PassageIndex, count: int, today: date) -> tuple[str, ...]:
    """Up to `count` questions that are headings of documents which may be shown today, of different ones first."""
    mask = index.eligible(today)
    by_document: dict[str, list[str]] = {}
    for document in index.documents():
        if mask is not None and not mask[document.passages].all():
            continue
        for heading in index.headings(document):
            if heading.endswith("?") and len(heading.split()) > _SHORTEST_EXAMPLE:
                by_document.setdefault(document.id, []).append(heading)
    chosen: list[str] = []
    depth = 0
    while len(chosen) < count and any(depth < len(headings) for headings in by_document.values()):
        chosen += [headings[depth] for headings in by_document.values() if depth < len(headings)]
        depth += 1
    return tuple(dict.fromkeys(chosen))[:count]


def answer_json(reply: Answer) -> dict[str, object]:
    """The contract of `clinic-qa ask --json`; later versions only add keys."""
    content = asdict(reply)
    for passage in content["passages"]:
        passage["citation"] = _citation_json(passage["citation"])
    return content


def _citation_json(citation: dict[str, object]) -> dict[str, object]:
    dated = {key: value.isoformat() if isinstance(value, date) else value for key, value in citation.items()}
    also_in = citation["also_in"]
    if isinstance(also_in, list | tuple):
        dated["also_in"] = [_citation_json(other) for other in also_in]
    return dated


def _citation(
    passage: Passage, document: IndexedDocument, source: Source, also_in: tuple[Citation, ...] = ()
) -> Citation:
    page = passage.pages[0] if passage.pages else None
    return Citation(
        document=document.id,
        title=document.metadata.title,
        section=passage.headings,
        page=page,
        page_label=source.pages[page - 1].label if page is not None else None,
        pages=passage.pages,
        path=document.id,
        approved_on=document.metadata.approved_on,
        review_by=document.metadata.review_by,
        version=document.metadata.version,
        also_in=also_in,
    )


def why_not_looked_up(question: str, settings: Settings, now: datetime) -> tuple[str, ...]:
    """What to say instead of searching, for questions that cannot be searched; empty for the others."""
    messages = load_messages(settings.clinic.languages[0])
    limit = settings.answering.max_question_characters
    if not question.strip():
        return (messages.question_empty,)
    if len(question) > limit:
        return (messages.question_too_long.format(length=len(question), limit=limit),)
    if not any(character.isalpha() for character in question):
        return (messages.question_without_words,)
    language = foreign_language(question, settings.clinic.languages)
    if language is None:
        return ()
    theirs = [language] if language in known_languages() else []
    return tuple(
        _sentence("question_other_language", settings, now, language=each)
        for each in (*theirs, settings.clinic.languages[0])
    )


def _sentence(name: str, settings: Settings, now: datetime, language: str | None = None) -> str:
    """A message that may name whom to call and the documents' languages."""
    spoken = language or settings.clinic.languages[0]
    messages = load_messages(spoken)
    pattern: str = getattr(messages, name)
    names = [messages.language_names.get(code, code) for code in settings.clinic.languages]
    call = whom_to_call(settings.clinic, messages, now, spoken)
    return pattern.format(call=call, languages=", ".join(names)).strip()

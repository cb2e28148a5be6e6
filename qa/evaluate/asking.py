"""Asking a collection's questions: what was found, and how long a whole answer took."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final, TypeVar

from qa.answer import Library, answer
from qa.audience import Audience
from qa.clock import Clock
from qa.eligibility import AsBuilt
from qa.embed import Embedder
from qa.encoding import Progress
from qa.errors import QAError
from qa.evaluate.collection import Collection
from qa.evaluate.dataset import Query
from qa.highlight import highlights
from qa.judge import Judge
from qa.models import Hit
from qa.offsets import Span
from qa.retrieve import Reranker, Retrieved, retrieve

Asked = TypeVar("Asked")
Result = TypeVar("Result")

TOP: Final = 10  # hits that metrics look at
_WARM_UP: Final = 5  # questions that are asked before time is taken
# What our code and the libraries under it raise when they fail. A question that fails scores zero and is named in the
# report; an evaluation that stopped there would show nothing of the others.
CRASHES: Final = (
    QAError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    sqlite3.Error,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for one question.

    `ranking` are documents, best first; those of one group share their rank. `passages` are the first ten hits: a
    document and a span of its text; `longest` is the most model tokens that one of them has. `highlights` are the spans
    of its document's text that the first hit would be shown with. After a crash, which `crash` names, all are empty.
    """

    ranking: tuple[tuple[str, ...], ...] = ()
    passages: tuple[tuple[str, Span], ...] = ()
    highlights: tuple[Span, ...] = ()
    longest: int = 0
    crash: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What `answer` made of one question, and the milliseconds it took."""

    answered: bool
    milliseconds: float
    crash: str = ""


def find_all(
    queries: Sequence[Query],
    collection: Collection,
    embedder: Embedder,
    clock: Clock,
    progress: Progress,
    reranker: Reranker | None = None,
) -> dict[str, Found]:
    """What is found for each question, by its id, whether or not an answer would show it."""
    mask = collection.index.eligible(clock().date())

    def find(query: Query) -> Found:
        found = retrieve(
            query.text,
            index=collection.index,
            embedder=embedder,
            mask=mask,
            settings=collection.settings.retrieval,
            top=TOP,
            reranker=reranker,
        )
        groups = [
            tuple(dict.fromkeys(collection.id_of(passage.document_id) for passage in (hit.passage, *hit.also_in)))
            for hit in found.hits
        ]
        rest = [(document,) for document in collection.documents_of(found.ranking.tolist())]
        return Found(
            ranking=(*groups, *rest),
            passages=places_of(found.hits, collection),
            highlights=tuple(span for hit in found.hits[:1] for span in _highlights(hit, found, collection)),
            longest=max((hit.passage.tokens for hit in found.hits), default=0),
        )

    return {
        query.id: guarded(find, query, lambda crash, _query: Found(crash=crash))
        for query in _counted(queries, "find", progress)
    }


def answer_all(
    queries: Sequence[Query],
    collection: Collection,
    embedder: Embedder,
    clock: Clock,
    progress: Progress,
    reranker: Reranker | None = None,
) -> dict[str, Answered]:
    """Whether each question is answered, and how long that takes: whole, warm and one at a time.

    A collection is not calibrated, so that the fixed rule decides.
    """
    index = collection.index
    library = Library(index, AsBuilt(index), Judge(reranker=reranker))

    def ask(query: Query) -> Answered:
        started = perf_counter()
        reply = answer(
            query.text,
            Audience.PATIENT,
            library=library,
            embedder=embedder,
            settings=collection.settings,
            clock=clock,
        )
        return Answered(bool(reply.passages), (perf_counter() - started) * 1000)

    def failed(crash: str, _query: Query) -> Answered:
        return Answered(answered=False, milliseconds=0.0, crash=crash)

    for query in queries[:_WARM_UP]:
        guarded(ask, query, failed)
    gc.collect()
    gc.freeze()  # as the app does: otherwise the collector walks through the model's libraries now and then
    try:
        return {query.id: guarded(ask, query, failed) for query in _counted(queries, "answer", progress)}
    finally:
        gc.unfreeze()


def guarded(work: Callable[[Asked], Result], asked: Asked, failed: Callable[[str, Asked], Result]) -> Result:
    """What `work` gives, or what `failed` makes of its crash, in words, and of what was asked."""
    try:
        return work(asked)
    except CRASHES as error:
        return failed(f"{type(error).__name__}: {error}", asked)


def _counted(queries: Sequence[Query], stage: str, progress: Progress) -> Iterator[Query]:
    for done, query in enumerate(queries, start=1):
        yield query
        progress(stage, done, len(queries))


def places_of(hits: Iterable[Hit], collection: Collection) -> tuple[tuple[str, Span], ...]:
    """The document that each hit stands in, and where in its text."""
    return tuple(_place(hit, collection) for hit in hits)


def _place(hit: Hit, collection: Collection) -> tuple[str, Span]:
    passage = hit.passage
    raw = collection.index.source(passage.document_id).raw_span((passage.start, passage.end))
    return collection.id_of(passage.document_id), collection.in_text(passage.document_id, raw)


def _highlights(hit: Hit, found: Retrieved, collection: Collection) -> tuple[Span, ...]:
    """What would be marked in a hit, as spans of its document's text."""
    source = collection.index.source(hit.passage.document_id)
    return tuple(
        collection.in_text(
            hit.passage.document_id, source.raw_span((hit.passage.start + start, hit.passage.start + end))
        )
        for start, end in (sentence.span for sentence in highlights(hit, found.query, collection.index))
    )

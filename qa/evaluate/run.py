"""An evaluation from beginning to end: of a test collection, or of a clinic's own questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qa.answer import Library
from qa.audience import Audience
from qa.build import EmbedderLoader
from qa.clock import Clock
from qa.embed import Embedder, ModelFiles, SentenceEmbedder
from qa.encoding import Progress
from qa.errors import EvaluationError
from qa.evaluate.asking import Answered, Found, answer_all, find_all
from qa.evaluate.bootstrap import Estimate, estimate
from qa.evaluate.collection import Collection, open_collection
from qa.evaluate.dataset import Qrels, Query, digest_of, qrels_file, queries_file, read_qrels, read_queries
from qa.evaluate.floors import Digests, check_floors, folder_digest, read_floors, write_floors
from qa.evaluate.labelled import answerable_auroc, ask_labelled, by_kind, gate_scores, stale_places, summarise
from qa.evaluate.ranking_metrics import (
    RELEVANT,
    Run,
    Scores,
    document_scores,
    left_out,
    require_ir_measures,
    score_run,
    write_run,
)
from qa.evaluate.removal import Removal, ask_with_and_without
from qa.evaluate.report import AudienceReport, DatasetReport, QuestionsReport, Report
from qa.evaluate.span_metrics import score_spans
from qa.index.faiss_index import open_index
from qa.judge import open_judge
from qa.live_labels import LiveLabels
from qa.questions import read_questions
from qa.retrieve.rerank import load_reranker
from qa.settings import Settings

_MOST_NAMED = 5
_LATENCY = (50, 95)


@dataclass(frozen=True, slots=True)
class Ask:
    """What to ask of a collection, where it is not as usual: see `clinic-qa evaluate --help`."""

    queries: Path | None = None
    qrels: Path | None = None
    field: str = "text"
    relevant: int = RELEVANT
    run_file: Path | None = None
    cache: Path | None = None


def evaluate_dataset(
    data: Path,
    ask: Ask,
    *,
    settings: Settings,
    clock: Clock,
    progress: Progress = lambda _stage, _done, _all: None,
    load_embedder: EmbedderLoader | None = None,
) -> DatasetReport:
    """Ask a test collection's questions and score what is found.

    Questions without judgements and without an answer's span are not asked. Raises EvaluationError for data that cannot
    be used, and what `build` raises.
    """
    queries_at, qrels_at = queries_file(data, ask.queries), qrels_file(data, ask.qrels)
    everything = read_queries(queries_at, ask.field)
    judged = read_qrels(qrels_at) if qrels_at else {}
    asked = [query for query in everything if query.id in judged or query.answer is not None]
    if not asked:
        raise EvaluationError(
            "none of the questions has judgements or an answer",
            path=queries_at,
            found=f"{len(everything)} questions, {len(judged)} of other names with judgements",
            expected="a file in qrels, or --qrels FILE; or questions with metadata.answer_start",
        )
    qrels: Qrels = {query.id: judged[query.id] for query in asked if query.id in judged}
    if qrels:
        require_ir_measures()
    collection = open_collection(
        data, settings=settings, clock=clock, cache=ask.cache, progress=progress, load_embedder=load_embedder
    )
    try:
        embedder = _embedder(settings, load_embedder)
        reranker = load_reranker(settings.retrieval, settings.model)
        found = find_all(asked, collection, embedder, clock, progress, reranker)
        answered = answer_all(asked, collection, embedder, clock, progress, reranker)
        removal = ask_with_and_without(asked, collection, embedder, clock, progress, reranker)
        run: Run = {query.id: document_scores(found[query.id].ranking) for query in asked}
        if ask.run_file is not None:
            write_run(run, ask.run_file, f"clinic-qa-{collection.index.generation}")
        plain = score_run(run, qrels, condensed=False, relevant=ask.relevant) if qrels else {}
        condensed = score_run(run, qrels, condensed=True, relevant=ask.relevant) if qrels else {}
        spans = score_spans(asked, found)
        return DatasetReport(
            name=data.resolve().name,
            digests=Digests(digest_of(queries_at, qrels_at), collection.digest),
            questions=len(asked),
            documents=len(collection.ids),
            passages=collection.index.manifest.passages,
            built=collection.built,
            ranking={"plain": _estimates(plain), "condensed": _estimates(condensed)} if qrels else {},
            left_out={name: left_out(scores, qrels) for name, scores in plain.items()},
            spans=_estimates(spans),
            answered=estimate([float(each.answered) for each in answered.values()]),
            latency=_percentiles(answered),
            longest=max((each.longest for each in found.values()), default=0),
            most_tokens=settings.retrieval.returned_tokens,
            removal=removal,
            bound=settings.answering.most_wrong,
            scores=_by_question(asked, plain, condensed, spans, answered),
            notes=tuple(_notes(everything, asked, judged, collection, ask)),
            crashes=_crashes(found, answered, removal),
        )
    finally:
        collection.index.close()


def evaluate_questions(
    questions_file: Path,
    *,
    settings: Settings,
    clock: Clock,
    load_embedder: EmbedderLoader | None = None,
) -> QuestionsReport:
    """Ask a clinic's own questions of its live indexes, with what decides there whether they are answered.

    Raises QuestionsError for a file that cannot be used and IndexProblem where an index cannot be opened.
    """
    questions = read_questions(questions_file)
    fingerprint = ModelFiles.find(settings.model.name).fingerprint(settings.model)
    embedder = _embedder(settings, load_embedder)
    reranker = load_reranker(settings.retrieval, settings.model)
    audiences: dict[str, AudienceReport] = {}
    scores: dict[str, float] = {}
    notes = _seen_before(questions_file, settings)
    generation = ""
    for audience in Audience:
        own = [question for question in questions if question.audience is audience]
        if not own:
            continue
        index = open_index(settings.index.folder, audience, fingerprint)
        try:
            judge = open_judge(index, settings, reranker)
            library = Library(index, LiveLabels(index, settings, clock), judge)
            outcomes = ask_labelled(own, audience, library=library, embedder=embedder, settings=settings, clock=clock)
            notes += [*stale_places(own, index), *judge.warnings]
            generation = index.generation
        finally:
            index.close()
        estimates = summarise(outcomes)
        audiences[audience] = AudienceReport(
            estimates, by_kind(outcomes), outcomes, answerable_auroc(outcomes), judge.confidence.threshold
        )
        scores |= gate_scores(audience, estimates)
    return QuestionsReport(
        digests=Digests(digest_of(questions_file), folder_digest(settings.corpus.folder)),
        generation=generation,
        audiences=audiences,
        scores=scores,
        bound=settings.answering.most_wrong,
        notes=tuple(dict.fromkeys(notes)),
    )


def hold_against_floors(
    report: Report, *, floors: Path | None, write_to: Path | None, allow_lower: bool = False
) -> list[str]:
    """What is wrong with a report, by a floors file; and, where asked for, the report's scores as new floors.

    Nothing is written while something is wrong. Raises EvaluationError for a file that cannot be used, and where a
    floor would be lowered without `allow_lower`.
    """
    problems = check_floors(report.gate(), read_floors(floors), report.digests) if floors else []
    if write_to is not None and not problems:
        write_floors(write_to, report.gate(), report.digests, allow_lower=allow_lower)
    return problems


def _seen_before(questions_file: Path, settings: Settings) -> list[str]:
    """That the calibration was fitted to these questions, too."""
    named = settings.answering.questions
    if named is None or named.resolve() != questions_file.resolve():
        return []
    return [
        "These questions are named in clinic.toml, so they count in the calibration, too: what decides has seen them."
        " `clinic-qa calibrate` says how it did on those that it had not seen."
    ]


def _embedder(settings: Settings, load_embedder: EmbedderLoader | None) -> Embedder:
    files = ModelFiles.find(settings.model.name)
    if load_embedder is not None:
        return load_embedder(settings.model, files)
    return SentenceEmbedder.load(settings.model, files, threads=1)  # as the app does


def _estimates(scores: Scores) -> dict[str, Estimate]:
    estimates = {name: estimate(list(values.values())) for name, values in scores.items()}
    return {name: value for name, value in estimates.items() if value is not None}


def _percentiles(answered: Mapping[str, Answered]) -> dict[str, float]:
    """Of the answers that did not crash."""
    times = [each.milliseconds for each in answered.values() if not each.crash]
    return {f"p{at}": float(np.percentile(times, at)) for at in _LATENCY} if times else {}


def _by_question(
    asked: Sequence[Query], plain: Scores, condensed: Scores, spans: Scores, answered: Mapping[str, Answered]
) -> dict[str, dict[str, float]]:
    columns = {
        **{f"{name} plain": values for name, values in plain.items()},
        **{f"{name} condensed": values for name, values in condensed.items()},
        **spans,
        "answered": {query: float(each.answered) for query, each in answered.items()},
    }
    return {
        query.id: {name: values[query.id] for name, values in columns.items() if query.id in values} for query in asked
    }


def _notes(
    everything: Sequence[Query], asked: Sequence[Query], judged: Qrels, collection: Collection, ask: Ask
) -> list[str]:
    """What is odd about the data, a sentence each."""
    names = {query.id for query in everything}
    documents = {document for query in asked for document in judged.get(query.id, {})}
    spans = [query.answer for query in asked if query.answer is not None]
    documents |= {span.document for span in spans}
    misplaced = [query.id for query in asked if query.answer is not None and not collection.says(query.answer)]
    notes = [
        _some("questions have neither judgements nor an answer and were not asked", names - {q.id for q in asked}),
        _some("questions of the judgements are not among the questions and do not count", judged.keys() - names),
        _some("judged documents are not in the collection; they count as never found", documents - set(collection.ids)),
        _some("answers do not stand where they are said to; they count all the same", misplaced),
        _some("documents could not be read", collection.unread_ids),
    ]
    if judged and not any(grade >= ask.relevant for grades in judged.values() for grade in grades.values()):
        notes.append(f"No document has grade {ask.relevant} or more, which counts as relevant: see --relevant.")
    return [note for note in notes if note]


def _some(what: str, names: Sequence[str] | set[str]) -> str:
    if not names:
        return ""
    shown = ", ".join(sorted(names)[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")
    return f"{len(names)} {what}: {shown}"


def _crashes(found: Mapping[str, Found], answered: Mapping[str, Answered], removal: Removal | None) -> tuple[str, ...]:
    crashed = [(query, each.crash) for results in (found, answered) for query, each in results.items() if each.crash]
    sentences = [f"{query}: {crash}" for query, crash in crashed]
    return tuple(dict.fromkeys([*sentences, *(removal.crashes if removal else ())]))

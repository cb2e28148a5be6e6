"""Graded judgements to scores, with ir_measures and trec_eval behind it.

Gains are 2^grade - 1; a document is relevant from a grade on, 2 unless said otherwise. AP@10 is divided by
min(relevant, 10), so that a perfect first page scores 1 however many documents are relevant. *Condensed* scores are of
the ranking without its unjudged documents (Sakai, SIGIR 2007): most documents of a collection were never judged, and a
good one among them must not count as a bad one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from qa.errors import EvaluationError
from qa.evaluate.dataset import Qrels

Run = dict[str, dict[str, float]]
Scores = dict[str, dict[str, float]]  # by metric, then by question

DEPTH: Final = 1000  # documents of a ranking that are scored
RELEVANT: Final = 2  # the lowest grade that counts as relevant
METRICS: Final = ("nDCG@10", "AP@10", "RR@10", "P@1", "R@100")
_CUT = 10
_INSTALL = 'Install it with: pip install "clinic-qa[evaluate]"'


def document_scores(ranking: Iterable[Sequence[str]]) -> dict[str, float]:
    """Scores that fall from rank to rank, for the first 1,000 documents of groups that share a rank, best first.

    A document has the rank of its best place. trec_eval orders documents with equal scores by their ids.
    """
    scores: dict[str, float] = {}
    for group in ranking:
        fresh = [document for document in group if document not in scores][: DEPTH - len(scores)]
        if fresh:
            # Whole numbers, because trec_eval keeps scores in single precision.
            scores |= dict.fromkeys(fresh, float(DEPTH - len(scores)))
        if len(scores) >= DEPTH:
            break
    return scores


def score_run(run: Run, qrels: Qrels, *, condensed: bool, relevant: int = RELEVANT) -> Scores:
    """Each metric's score of each question; a question that the run lacks scores zero.

    A question is left out of a metric where the judgements alone decide its score: without any gain (nDCG) or any
    relevant document (the others). Raises EvaluationError where ir_measures is not installed.
    """
    measures = _measures(relevant, condensed=condensed)
    names = {measure: name for name, measure in measures.items()}
    scores: Scores = {name: {} for name in METRICS}
    relevant_counts = {query: sum(grade >= relevant for grade in judged.values()) for query, judged in qrels.items()}
    judged_queries = {query: judged for query, judged in qrels.items() if judged}
    for query, measure, value in _ir_measures().pytrec_eval.iter_calc(list(names), judged_queries, run):
        name, count = names[measure], relevant_counts[query]
        if not (any(qrels[query].values()) if name == "nDCG@10" else count):
            continue
        if name == "AP@10":
            value *= count / min(count, _CUT)  # trec_eval divides by all relevant documents
        elif name == "RR@10" and value < 1 / _CUT:
            value = 0.0  # trec_eval's reciprocal rank has no cut
        scores[name][query] = float(value)
    return scores


def write_run(run: Run, path: Path, name: str) -> None:
    """Write a run in TREC's format: question, Q0, document, rank from 1, score, name of the run.

    White space in an id, which the format has no place for, becomes its percent code.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for query, documents in run.items():
            # trec_eval's own order: by score, and within one score by id, both falling.
            ordered = sorted(documents.items(), key=lambda entry: (entry[1], entry[0]), reverse=True)
            for rank, (document, score) in enumerate(ordered, start=1):
                file.write(f"{_packed(query)} Q0 {_packed(document)} {rank} {score:g} {name}\n")


def left_out(scores: Mapping[str, float], qrels: Qrels) -> int:
    """How many judged questions a metric leaves out."""
    return len(qrels) - len(scores)


def require_ir_measures() -> None:
    """Raise EvaluationError where ir_measures is not installed: before anything that takes time."""
    _ir_measures()


def _measures(relevant: int, *, condensed: bool) -> dict[str, Any]:
    library = _ir_measures()
    options: dict[str, Any] = {"judged_only": True} if condensed else {}
    gains = {grade: 2**grade - 1 for grade in range(11)}
    return {
        "nDCG@10": library.nDCG(gains=gains, **options) @ _CUT,
        "AP@10": library.AP(rel=relevant, **options) @ _CUT,
        "RR@10": library.RR(rel=relevant, **options),
        "P@1": library.P(rel=relevant, **options) @ 1,
        "R@100": library.R(rel=relevant, **options) @ 100,
    }


def _ir_measures() -> Any:  # noqa: ANN401 - a module of functions without types
    try:
        return import_module("ir_measures")
    except ImportError as error:
        raise EvaluationError("evaluating needs the package ir-measures", remedy=_INSTALL) from error


def _packed(text: str) -> str:
    return re.sub(r"\s", lambda match: quote(match.group()), text)

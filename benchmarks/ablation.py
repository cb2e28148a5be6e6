"""What each part of the ranking is worth, on test collections, as the table of docs/ranking.md.

    python benchmarks/ablation.py DATA [DATA ...]

DATA are folders in the BEIR layout; questions with `metadata.summary` are asked in both forms. Every variant orders the
same candidates, whose signals are worked out once; neighbours are not merged and duplicates not collapsed, so numbers
differ a little from those of `clinic-qa evaluate`. `±` is the half width of the paired 95 % bootstrap interval of the
difference to the full formula, in points of the set's first measure.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.clock import clinic_clock
from qa.embed import SentenceEmbedder
from qa.evaluate.collection import Collection, open_collection
from qa.evaluate.dataset import Query, qrels_file, queries_file, read_qrels, read_queries
from qa.evaluate.ranking_metrics import document_scores, score_run
from qa.evaluate.span_metrics import overlap
from qa.glossary import Glossary, load_glossary
from qa.retrieve import read_query
from qa.retrieve.score import Ranked, rank
from qa.settings import Retrieval, load_settings

Floats = NDArray[np.float64]
_HALF = 0.5
_K = 60  # of reciprocal rank fusion


@dataclass(frozen=True)
class Signals:
    """One column for each signal of the compared candidates of a question."""

    similarity: Floats
    asking: Floats
    words: Floats
    late: Floats
    sentence: Floats
    by_meaning: Floats  # ranks; infinite where a candidate has none
    by_words: Floats
    trust: float


Formula = Callable[[Signals], Floats]


def full(s: Signals) -> Floats:
    """The formula of qa.retrieve.score, with its weights written out."""
    return s.similarity + s.asking / 2 + 1.2 * s.trust * (s.words + s.late + 2 * s.sentence)


VARIANTS: dict[str, tuple[Formula, int]] = {  # with the number of free parameters
    "meaning only (cosine)": (lambda s: s.similarity, 0),
    "words only (BM25)": (lambda s: s.words, 2),
    "reciprocal rank fusion, equal, k=60": (lambda s: 1 / (_K + s.by_meaning) + 1 / (_K + s.by_words), 1),
    "the full formula": (full, 5),
    "- without late interaction": (lambda s: s.similarity + s.asking / 2 + 4.8 * s.trust * s.words, 4),
    "- without the best sentence": (lambda s: s.similarity + s.asking / 2 + 1.2 * s.trust * (s.words + 3 * s.late), 4),
    "- without BM25 in the sum": (
        lambda s: s.similarity + s.asking / 2 + 1.2 * s.trust * (2 * s.late + 2 * s.sentence),
        4,
    ),
    "- without the sentence that asks": (
        lambda s: 1.5 * s.similarity + 1.2 * s.trust * (s.words + s.late + 2 * s.sentence),
        4,
    ),
    "- trust always 1": (lambda s: s.similarity + s.asking / 2 + 1.2 * (s.words + s.late + 2 * s.sentence), 4),
    "- words at half the weight": (
        lambda s: s.similarity + s.asking / 2 + 0.6 * s.trust * (s.words + s.late + 2 * s.sentence),
        5,
    ),
    "- words at twice the weight": (
        lambda s: s.similarity + s.asking / 2 + 2.4 * s.trust * (s.words + s.late + 2 * s.sentence),
        5,
    ),
}


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    arguments = parser.parse_args()
    settings = load_settings()
    embedder = SentenceEmbedder.load(settings.model)
    for data in arguments.data:
        collection = open_collection(
            data, settings=settings, clock=clinic_clock("UTC"), load_embedder=lambda *_: embedder
        )
        has_summaries = '"summary"' in queries_file(data, None).read_text(encoding="utf-8")
        for field in ("text", "metadata.summary") if has_summaries else ("text",):
            queries = read_queries(queries_file(data, None), field)
            for note, retrieval, glossary in (
                ("", settings.retrieval, load_glossary(settings.retrieval.glossary)),
                (" (no glossary)", settings.retrieval, Glossary({})),
                (" (25 compared)", settings.retrieval.model_copy(update={"compared": 25}), load_glossary(None)),
            ):
                only = ["the full formula"] if note else list(VARIANTS)
                table(data, field, note, only, queries, collection, embedder, retrieval, glossary)


def table(
    data: Path,
    field: str,
    note: str,
    variants: Sequence[str],
    queries: Sequence[Query],
    collection: Collection,
    embedder: SentenceEmbedder,
    retrieval: Retrieval,
    glossary: Glossary,
) -> None:
    """Print one table."""
    index = collection.index
    ranked = []
    for query in queries:
        read = read_query(query.text, index=index, embedder=embedder, glossary=glossary)
        ranked.append(rank(read, index=index, mask=None, settings=retrieval))
    if not note:
        print(f"\n**{data.resolve().name}, {field}**\n")
    judge = Spans(queries, collection) if queries[0].answer else Documents(data, queries, collection)
    reference = judge.scores([ordered(each, full) for each in ranked])
    if not note:
        print("| ranking | " + " | ".join(judge.names) + " | ± | parameters |")
        print("|---|" + "---|" * (len(judge.names) + 2))
    for name in variants:
        formula, parameters = VARIANTS[name]
        scores = judge.scores([ordered(each, formula) for each in ranked])
        means = " | ".join(f"{np.nanmean(scores[:, place]):.3f}" for place in range(len(judge.names)))
        print(
            f"| {name}{note} | {means} | {half_width(scores[:, 0] - reference[:, 0]):.3f} | {parameters} |", flush=True
        )


def ordered(ranked: Ranked, formula: Formula) -> list[int]:
    """The numbers of all candidates, those that were compared ordered by a formula."""
    compared = ranked.compared
    columns = {
        name: np.array([getattr(candidate.signals, name) for candidate in compared])
        for name in ("similarity", "asking", "words", "late", "sentence")
    }
    ranks = {
        name: np.array([placing.rank if (placing := getattr(each, kind)) else np.inf for each in compared], dtype=float)
        for name, kind in (("by_meaning", "dense"), ("by_words", "lexical"))
    }
    scores = formula(Signals(**columns, **ranks, trust=ranked.trust))
    first = [compared[place].number for place in np.lexsort(([each.number for each in compared], -scores))]
    return [*first, *ranked.ranking[len(first) :].tolist()]


def half_width(differences: Floats) -> float:
    """Half the width of the 95 % bootstrap interval of the mean."""
    known = differences[~np.isnan(differences)]
    resampled = np.random.default_rng(0).choice(known, (2000, len(known))).mean(axis=1)
    low, high = np.percentile(resampled, [2.5, 97.5])
    return float(high - low) / 2


class Documents:
    """Scores rankings by graded judgements, condensed."""

    names = ("nDCG@10", "AP@10", "P@1")

    def __init__(self, data: Path, queries: Sequence[Query], collection: Collection) -> None:
        judgements = qrels_file(data, None)
        if judgements is None:
            raise SystemExit(f"{data} has no judgements")
        self._qrels = read_qrels(judgements)
        self._queries = queries
        self._collection = collection

    def scores(self, rankings: Sequence[list[int]]) -> Floats:
        """A row for each question; not a number where a measure leaves it out."""
        run = {
            query.id: document_scores([(document,) for document in self._collection.documents_of(ranking)])
            for query, ranking in zip(self._queries, rankings, strict=True)
        }
        asked = {query.id: self._qrels[query.id] for query in self._queries if query.id in self._qrels}
        scores = score_run(run, asked, condensed=True)
        return np.array([[scores[name].get(query.id, np.nan) for name in self.names] for query in self._queries])


class Spans:
    """Scores rankings by whether a passage holds half of the answer."""

    names = ("answer@1", "answer@5", "article@1")

    def __init__(self, queries: Sequence[Query], collection: Collection) -> None:
        self._answers = [replace(query.answer) for query in queries if query.answer]
        self._collection = collection

    def scores(self, rankings: Sequence[list[int]]) -> Floats:
        """A row for each question."""
        rows = []
        for answer, ranking in zip(self._answers, rankings, strict=True):
            hits, articles = [], []
            for passage in self._collection.index.passages(ranking[:5]):
                raw = self._collection.index.source(passage.document_id).raw_span((passage.start, passage.end))
                span = self._collection.in_text(passage.document_id, raw)
                articles.append(self._collection.id_of(passage.document_id) == answer.document)
                shared = overlap(span, (answer.start, answer.end))
                hits.append(articles[-1] and shared >= _HALF * (answer.end - answer.start))
            rows.append((hits[0], any(hits), articles[0]))
        return np.array(rows, dtype=float)


if __name__ == "__main__":
    main()

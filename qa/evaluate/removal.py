"""Questions with a known article, asked with that article and once more without it.

How well can the two be told apart? The rule is fitted as `clinic-qa calibrate` fits one, to four fifths of the
articles, and applied to the questions of the other fifth (cross-fitting). What an article says may stand in another one
as well; then a question without its article is not without an answer, which lowers the AUROC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from qa.calibrate.fitting import Sample, fold_of, held_out_probabilities
from qa.clock import Clock
from qa.confidence import chosen
from qa.embed import Embedder
from qa.encoding import Progress
from qa.evaluate.answerability import Judged, auroc_estimate
from qa.evaluate.asking import Found, guarded, places_of
from qa.evaluate.bootstrap import Estimate
from qa.evaluate.collection import Collection
from qa.evaluate.dataset import AnswerSpan, Query
from qa.evaluate.span_metrics import has_answer
from qa.glossary import load_glossary
from qa.retrieve import Reranker, find, read_query

LOOKED_AT: Final = 3  # passages of an answer that a person reads
_UNANSWERABLE: Final = 0.5  # each question is asked once with its article and once without


@dataclass(frozen=True, slots=True)
class Removal:
    """`auroc` is the rule's, `by_cosine` that of the best cosine of any passage alone, both over `questions` pairs.

    `judged` has two entries a question, with its article and without. `crashes` is a sentence for each that failed.
    """

    auroc: Estimate
    by_cosine: Estimate
    questions: int
    judged: tuple[Judged, ...]
    crashes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {"auroc": self.auroc.as_json(), "by_cosine": self.by_cosine.as_json(), "questions": self.questions}


@dataclass(frozen=True, slots=True)
class _Pair:
    """A question with its article and without: the evidence as samples, and the best cosine."""

    samples: tuple[Sample, Sample] | None = None
    cosines: tuple[float, float] = (0.0, 0.0)
    crash: str = ""


def ask_with_and_without(
    queries: Sequence[Query],
    collection: Collection,
    embedder: Embedder,
    clock: Clock,
    progress: Progress,
    reranker: Reranker | None = None,
) -> Removal | None:
    """Ask the questions whose article is in the collection; None with fewer than two parts to fit and to apply to."""
    index, settings = collection.index, collection.settings.retrieval
    eligible = index.eligible(clock().date())
    everything = np.ones(index.manifest.passages, dtype=bool) if eligible is None else eligible
    passages = {collection.id_of(document.id): document.passages for document in index.documents()}
    glossary = load_glossary(settings.glossary)

    def pair(asked: tuple[Query, AnswerSpan]) -> _Pair:
        query, span = asked
        read = read_query(query.text, index=index, embedder=embedder, glossary=glossary)
        removed = everything.copy()
        removed[passages[span.document]] = False
        samples, cosines = [], []
        for mask, present in ((everything, True), (removed, False)):
            found = find(read, index=index, mask=mask, settings=settings, top=LOOKED_AT, reranker=reranker)
            right = present and has_answer(span, Found(passages=places_of(found.hits, collection)), LOOKED_AT)
            samples.append(Sample(chosen(found.evidence), present, right, span.document, "documents"))
            cosines.append(max(index.dense(read.vector, 1, mask).scores.tolist(), default=-1.0))
        return _Pair((samples[0], samples[1]), (cosines[0], cosines[1]))

    with_article = [(query, query.answer) for query in queries if query.answer and query.answer.document in passages]
    if len({fold_of(span.document) for _, span in with_article}) < 2:
        return None
    pairs = []
    for done, asked in enumerate(with_article, start=1):
        pairs.append(guarded(pair, asked, lambda crash, failed: _Pair(crash=f"{failed[0].id}: {crash}")))
        progress("remove", done, len(with_article))
    return _removal(pairs)


def _removal(pairs: Sequence[_Pair]) -> Removal | None:
    samples = [sample for pair in pairs if pair.samples for sample in pair.samples]
    cosines = [cosine for pair in pairs if pair.samples for cosine in pair.cosines]
    groups = [sample.group for sample in samples]
    if len({fold_of(group) for group in groups}) < 2:
        return None
    probabilities = held_out_probabilities(samples, _UNANSWERABLE).tolist()
    present = [sample.answerable for sample in samples]
    by_rule, by_cosine = (auroc_estimate(scores, present, groups) for scores in (probabilities, cosines))
    if by_rule is None or by_cosine is None:
        return None
    return Removal(
        auroc=by_rule,
        by_cosine=by_cosine,
        questions=len(samples) // 2,
        judged=tuple(
            Judged(probability, sample.right) for probability, sample in zip(probabilities, samples, strict=True)
        ),
        crashes=tuple(pair.crash for pair in pairs if pair.crash),
    )

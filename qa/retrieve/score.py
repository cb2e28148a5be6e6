"""How well each candidate answers, from its meaning and its words.

    score = similarity + asking / 2 + w · trust · (words + late + 2 · sentence)

similarity  cosine of the question with the passage
asking      the best cosine of one of the question's sentences: in a story, one of them asks
words       BM25 as a part of the question's information: divided by the sum of the idf of all its terms, so that it
            lies between 0 and 1 and a long story, of which no passage says much, scores low by itself
late        for each word of the question the nearest word of the passage (late interaction), weighted by idf
sentence    the same within the best single sentence
trust       (2 · the best `words` of any candidate)²: how far this question's words can be trusted. Pointed questions
            share most of their words with the passage that answers, stories few

The form was chosen with the weights on the development sets of two kinds (docs/ranking.md has the table): stories want
meaning, pointed questions want words, and no fixed weight serves both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.index.contract import Mask, Numbers, PassageIndex, Ranking
from qa.models import Candidate, Placing, Signals
from qa.retrieve.query import Query
from qa.settings import Retrieval

_ASKING = 0.5
_SENTENCE = 2.0
_EXPECTED = 0.5  # of a question's information in the best passage: there, trust is 1


@dataclass(frozen=True, slots=True)
class Ranked:
    """All candidates, best first, and what was found out about those that were compared word by word."""

    ranking: NDArray[np.int64]
    compared: tuple[Candidate, ...]
    trust: float
    agreement: float


def rank(query: Query, *, index: PassageIndex, mask: Mask | None, settings: Retrieval) -> Ranked:
    """Rank the candidates of both searches. Ties go to the passage that stands earlier in the corpus."""
    dense = index.dense(query.vector, settings.candidates, mask)
    lexical = index.lexical(query.terms, settings.candidates, mask)
    numbers = np.union1d(dense.numbers, lexical.numbers).astype(np.int64)
    if not len(numbers):
        return Ranked(numbers, (), 0.0, 0.0)
    cosines = index.cosines(np.vstack([query.vector, query.asking]), numbers)
    similarity, asking = cosines[0], cosines[1:].max(axis=0)
    words = np.zeros(len(numbers), dtype=np.float32)
    if query.information:
        words = np.minimum(index.word_scores(query.terms, numbers) / query.information, 1)
    trust = float((words.max() / _EXPECTED) ** 2)
    meaning = similarity + _ASKING * asking
    weight = settings.words_weight * trust
    first = meaning + trust * words
    order = _best_first(first, numbers)
    compared, rest = order[: settings.compared], order[settings.compared :]

    late, sentence = late_interaction(query, index, numbers[compared])
    score = meaning[compared] + weight * (words[compared] + late + _SENTENCE * sentence)
    by_score = _best_first(score, numbers[compared])
    by_meaning, by_words = (_placings(ranking, numbers[compared]) for ranking in (dense, lexical))
    candidates = tuple(
        Candidate(
            number=int(numbers[place]),
            score=float(score[at]),
            dense=by_meaning[at],
            lexical=by_words[at],
            signals=Signals(
                similarity=float(similarity[place]),
                asking=float(asking[place]),
                words=float(words[place]),
                late=float(late[at]),
                sentence=float(sentence[at]),
            ),
        )
        for at, place in ((at, compared[at]) for at in by_score)
    )
    ranking = np.concatenate([numbers[compared][by_score], numbers[rest]])
    return Ranked(ranking, candidates, trust, _agreement(dense, lexical))


def late_interaction(query: Query, index: PassageIndex, numbers: Numbers) -> tuple[NDArray[np.float32], ...]:
    """For each passage, how near the question's words come in all of it, and in its best sentence; both 0 to 1."""
    matches = index.match(query.words, numbers)
    whole = np.zeros(len(numbers), dtype=np.float32)
    sentence = np.zeros(len(numbers), dtype=np.float32)
    if not len(query.words):
        return whole, sentence
    by_segment = matches.best @ query.weights
    for place in range(len(numbers)):
        first, after = matches.starts[place], matches.starts[place + 1]
        whole[place] = matches.best[first:after].max(axis=0) @ query.weights
        if after > first + 1:  # the first segment stands in front of the passage and is none of its sentences
            sentence[place] = by_segment[first + 1 : after].max()
    return whole, sentence


def _best_first(scores: NDArray[np.float32], numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.lexsort((numbers, -scores))


def _placings(ranking: Ranking, numbers: NDArray[np.int64]) -> list[Placing | None]:
    """Where a ranking has each of these passages."""
    order = np.argsort(ranking.numbers)
    at = np.searchsorted(ranking.numbers, numbers, sorter=order)
    places = order[np.minimum(at, len(order) - 1)] if len(order) else at
    return [
        Placing(rank=int(place) + 1, score=float(ranking.scores[place]))
        if len(order) and ranking.numbers[place] == number
        else None
        for place, number in zip(places, numbers, strict=True)
    ]


_FIRST = 10


def _agreement(dense: Ranking, lexical: Ranking) -> float:
    """The part of the first ten by meaning that are among the first ten by words."""
    both = np.intersect1d(dense.numbers[:_FIRST], lexical.numbers[:_FIRST])
    return len(both) / min(_FIRST, max(len(dense.numbers), 1))

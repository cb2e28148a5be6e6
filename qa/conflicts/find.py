"""Which sentences of a corpus contradict each other.

Only sentences whose words are near each other on average are looked at, each with the nearest few: the time grows
little faster than the corpus.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa.conflicts.conflict import Conflict, Statement
from qa.conflicts.learned import Learned, conflict_of, judge, load_learned
from qa.conflicts.sentence import Sentence, State
from qa.conflicts.statements import Offsets, sentences_of
from qa.embed import Vectors, unit
from qa.models import EmbeddedText, Passage
from qa.passage_vectors import PassageVectors
from qa.token_codec import TokenCodec

NEIGHBORS: Final = 8  # sentences that each is compared with
LEAST_NEARNESS: Final = 0.5  # of the mean vectors of two sentences' words
_MOST_PLACES: Final = 20  # pairs of documents that one contradiction is listed for
_FEW: Final = 4_000  # sentences that are compared with all


def knows_model(model: str) -> bool:
    """Whether it was learned with this model, by its digest; with another no conflicts are found."""
    return load_learned().model == model


def find_conflicts(
    passages: Sequence[Passage],
    texts: Sequence[EmbeddedText],
    vectors: Sequence[PassageVectors],
    codec: TokenCodec,
    offsets: Offsets,
    learned: Learned | None = None,
) -> tuple[Conflict, ...]:
    """The contradictions between sentences of different documents, in the order of the passages.

    `texts` and `vectors` are what was embedded for each passage, and what came of it; `offsets` are those of the
    model's tokenizer. A sentence that stands in many documents is listed with at most twenty of
    those that contradict it.
    """
    known = learned or load_learned()
    read: list[Sentence] = []
    places: list[list[Statement]] = []
    numbers: dict[tuple[str, tuple[str, ...], str], int] = {}
    for passage, text, of_text in zip(passages, texts, vectors, strict=True):
        for statement, sentence in sentences_of(passage, text, of_text, codec, offsets):
            key = (" ".join(statement.text.split()), passage.headings, passage.lead_in)
            number = numbers.setdefault(key, len(read))
            if number == len(read):
                read.append(sentence)
                places.append([])
            places[number].append(statement)
    found = []
    for first, second in sorted(_candidates(read)):
        pairs = [pair for pair in product(places[first], places[second]) if pair[0].document_id != pair[1].document_id]
        judged = judge(read[first], read[second], known) if pairs else None
        if judged is not None:
            both = (read[first], read[second])
            found += [conflict_of(pair, both, judged[1], is_strict=judged[2]) for pair in pairs[:_MOST_PLACES]]
    return tuple(found)


def _candidates(read: Sequence[Sentence]) -> set[tuple[int, int]]:
    """Pairs of sentences that may contradict each other, the earlier first."""
    if not read:
        return set()
    means = unit(np.stack([sentence.words.vectors.mean(axis=0) for sentence in read]))
    by_kind: dict[str, list[int]] = {}
    for number, sentence in enumerate(read):
        for kind in {fact.value.dimension for fact in sentence.facts if fact.value}:
            by_kind.setdefault(kind, []).append(number)
    pairs: set[tuple[int, int]] = set()
    for members in by_kind.values():
        pairs.update(_near(means, members, members))
    denied = _with(read, {State.NOT, State.NEED_NOT})
    pairs.update(_near(means, denied, _with(read, {State.MAY, State.MUST, State.IS})))
    return pairs


def _with(read: Sequence[Sentence], states: set[State]) -> list[int]:
    return [
        number
        for number, sentence in enumerate(read)
        if any(fact.value is None and fact.state in states for fact in sentence.facts)
    ]


def _near(means: Vectors, ones: Sequence[int], others: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each of some sentences with the nearest of others."""
    if not ones or not others:
        return
    nearness, order = _nearest(means[list(others)], means[list(ones)])
    for number, near, row in zip(ones, nearness, order, strict=True):
        for cosine, place in zip(near.tolist(), row.tolist(), strict=True):
            if place >= 0 and cosine >= LEAST_NEARNESS and others[place] != number:
                yield min(number, others[place]), max(number, others[place])


def _nearest(among: Vectors, of: Vectors) -> tuple[Vectors, NDArray[np.int64]]:
    """The cosines and places of the nearest to each row, -1 for places that are missing."""
    import faiss

    dimension = among.shape[1]
    whole = faiss.IndexFlatIP(dimension)
    if len(among) <= _FEW:
        whole.add(among)
        nearness, order = whole.search(of, NEIGHBORS + 1)
        return nearness, order
    index = faiss.IndexIVFFlat(whole, dimension, int(2 * np.sqrt(len(among))), faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid, index.cp.min_points_per_centroid = 6, 64, 1
    index.train(among)
    index.nprobe = 12
    index.add(among)
    nearness, order = index.search(of, NEIGHBORS + 1)
    return nearness, order

"""Learning from labelled pairs of sentences: a logistic regression for values, and one for yes and no.

Every author's pairs are judged by what was learned from the others': people write pairs in their own way, and what a
model makes of sentences by somebody it has never read is what a clinic gets.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from qa.conflicts.learned import EXAMPLES, Learned, Scale, digest_of, may_be_strict
from qa.conflicts.pair import Pair, differing, features
from qa.conflicts.sentence import Sentence
from qa.conflicts.statements import Offsets, sentences_of
from qa.embed import Embedder
from qa.models import EmbeddedText, Passage
from qa.passage_vectors import encode_passages, word_tokens
from qa.token_codec import TokenCodec

Row = dict[str, Any]
Numbers = NDArray[np.float64]
PENALTY: Final = 3e-3
LISTED_PRECISION: Final = 0.9
STRICT_PRECISION: Final = 0.95


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was learned; for each example what it would say if its author's had been left out: none, listed, strict."""

    learned: Learned
    rows: tuple[Row, ...]
    left_out: tuple[tuple[bool, bool], ...]

    def quality(self) -> dict[str, float]:
        """Precision and recall of all contradictions and of the strict ones, each author's left out."""
        return measured(self.rows, self.left_out)


def measured(rows: Sequence[Row], found: Sequence[tuple[bool, bool]]) -> dict[str, float]:
    """Precision and recall; `found` says of each row whether it was listed, and whether as strict.

    A contradiction is no false alarm among the strict ones, whether or not its label says strict.
    """
    scores: dict[str, float] = {}
    for place, name in enumerate(("", "strict ")):
        claimed = [each[place] for each in found]
        right = sum(row["label"] == "conflict" for row, one in zip(rows, claimed, strict=True) if one)
        wanted = [row["strict"] if place else row["label"] == "conflict" for row in rows]
        scores[f"{name}precision"] = right / max(sum(claimed), 1)
        scores[f"{name}recall"] = sum(map(all, zip(claimed, wanted, strict=True))) / sum(wanted)
    return scores


def learn(embedder: Embedder, offsets: Offsets) -> Fitted:
    """Learn from the packaged examples."""
    content = files("qa").joinpath("data", "conflicts", EXAMPLES).read_bytes()
    rows = [json.loads(line) for line in content.decode("utf-8").splitlines()]
    sides = read_pairs(rows, embedder, offsets)
    pairs = [differing(*both) if both else (None, None) for both in sides]
    authors = np.array([row["author"] for row in rows])
    scales: list[Scale] = []
    found = [(False, False)] * len(rows)
    for which in (0, 1):
        places = [place for place, each in enumerate(pairs) if each[which] is not None]
        made = [_features(sides[place], pairs[place][which]) for place in places]
        names = list(made[0])
        matrix = np.array([[one[name] for name in names] for one in made])
        wanted = np.array([rows[place]["label"] == "conflict" for place in places], dtype=np.float64)
        # What contradicts in one way says nothing about the other.
        counts = np.array(
            [
                not want or (rows[place]["kind"] == "yes_no") == bool(which)
                for place, want in zip(places, wanted, strict=True)
            ]
        )
        own = authors[places]
        left_out = np.zeros(len(places))
        for author in sorted(set(own)):
            scale = _fit(names, matrix[counts & (own != author)], wanted[counts & (own != author)])
            left_out[own == author] = [scale.probability(made[at]) for at in np.flatnonzero(own == author)]
        strict = np.array([_may_be_strict(pairs[place][which], seen) for place, seen in zip(places, made, strict=True)])
        listed = _threshold(left_out, wanted, LISTED_PRECISION)
        certain = max(_threshold(left_out[strict], wanted[strict], STRICT_PRECISION), listed)
        for place, probability, may in zip(places, left_out, strict, strict=True):
            before = found[place]
            found[place] = (before[0] or bool(probability >= listed), before[1] or bool(may and probability >= certain))
        scales.append(replace(_fit(names, matrix[counts], wanted[counts]), listed=listed, strict=certain))
    learned = Learned(digest_of(content), embedder.fingerprint.digest, *scales)
    return Fitted(learned, tuple(rows), tuple(found))


def _features(both: tuple[Sentence, Sentence] | None, pair: Pair | None) -> dict[str, float]:
    assert both is not None and pair is not None  # noqa: S101, PT018 - only such places are asked for
    return features(*both, pair)


def _may_be_strict(pair: Pair | None, seen: dict[str, float]) -> bool:
    return pair is not None and may_be_strict(pair, seen)


def read_pairs(rows: Sequence[Row], embedder: Embedder, offsets: Offsets) -> list[tuple[Sentence, Sentence] | None]:
    """Both sentences of each row; None where one says nothing that can be contradicted."""
    texts, passages = [], []
    for row in rows:
        for side in ("one", "other"):
            heading, text = row[f"{side}_heading"], row[side]
            front = f"{heading}\n" if heading else ""
            texts.append(EmbeddedText(front + text, len(front)))
            passages.append(Passage(side, side, text, 0, len(text), (heading,) if heading else (), (), 0))
    vectors, tokens = embedder.encode_tokens([text.text for text in texts])
    words = [word_tokens(text.text, of_text)[1].vectors for text, of_text in zip(texts, tokens, strict=True)]
    codec = TokenCodec.fit(np.concatenate(words))
    encoded = encode_passages(texts, vectors, tokens, codec)
    read = [
        [each for _, each in sentences_of(*both, codec, offsets)] for both in zip(passages, texts, encoded, strict=True)
    ]
    return [
        (max(one, key=_size), max(other, key=_size)) if one and other else None
        for one, other in zip(read[::2], read[1::2], strict=True)
    ]


def _size(sentence: Sentence) -> tuple[int, int]:
    return sum(fact.value is not None for fact in sentence.facts), len(sentence.words)


def _fit(names: Sequence[str], matrix: Numbers, wanted: Numbers) -> Scale:
    means, deviations = matrix.mean(axis=0), matrix.std(axis=0) + 1e-6
    inputs = np.hstack([(matrix - means) / deviations, np.ones((len(matrix), 1))])
    free = np.append(np.ones(len(names)), 0.0)  # the intercept is not held back

    def loss(now: Numbers) -> tuple[float, Numbers]:
        raised = inputs @ now
        slope = inputs.T @ (1 / (1 + np.exp(-raised)) - wanted) / len(wanted) + 2 * PENALTY * free * now
        cost = (np.logaddexp(0, raised) - wanted * raised).mean() + PENALTY * (free * now**2).sum()
        return float(cost), slope

    best = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B").x

    def named(values: Numbers) -> dict[str, float]:
        return dict(zip(names, (float(value) for value in values), strict=True))

    return Scale(float(best[-1]), named(best[:-1]), named(means), named(deviations), 1.0, 1.0)


def _threshold(probabilities: Numbers, wanted: Numbers, precision: float) -> float:
    """The lowest probability from which on so many are right, by those that were left out; 1 where there is none."""
    order = np.argsort(-probabilities, kind="stable")
    right = np.cumsum(wanted[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(right >= precision)
    return float(probabilities[order[enough[-1]]]) if len(enough) else 1.0

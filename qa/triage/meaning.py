"""What a text means, as a model sees it: compared with the reviewed examples by a linear classifier fitted on them.

The classifier is a multinomial logistic regression on the examples' vectors, fitted when a model is first used with
a folder of rules. A model that cannot tell the examples apart (another language, a toy) is not used: see
`Meaning.usable`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from qa.embed import Embedder, Vectors
from qa.models import Urgency
from qa.triage.rules import Rules
from qa.triage.words import Sentence

Scores = NDArray[np.float64]

CLASSES: Final = tuple(Urgency)
_PENALTY: Final = 0.3  # of the squared weights, for each example; found by cross-validation
_SHARPER: Final = 4.0  # vectors are that long for the classifier: unit vectors need large weights
_FOLDS: Final = 4
_DANGERS: Final = [place for place, urgency in enumerate(CLASSES) if urgency.is_danger]
_MORE_LIKELY: Final = 0.5
_LEAST_DIFFERENT: Final = 0.9  # part of the examples that have a vector of their own
# What a model must reach on examples that it was not fitted on, or it is not used.
LEAST_DANGER_FOUND: Final = 0.85
MOST_FALSE_ALARMS: Final = 0.2
_LONGEST: Final = 40  # words of one unit
_SHORTEST: Final = 4  # words that say something without the sentence beside them
_WINDOW: Final = 24  # words of a stretch of a long sentence
_STEP: Final = 12
MOST_UNITS: Final = 120


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of a text that is compared as one: a sentence, two short ones, or a part of a long one."""

    words: tuple[str, ...]
    asks: bool

    @property
    def text(self) -> str:
        """As the model reads it."""
        return " ".join(self.words) + ("?" if self.asks else "")


def units(sentences: Sequence[Sentence]) -> list[Unit]:
    """The stretches of a text, each once: at most `MOST_UNITS`, half from its beginning, half from its end."""
    found: list[Unit] = []
    whole = sum(len(sentence.words) for sentence in sentences)
    if len(sentences) > 1 and whole <= _LONGEST:
        words = tuple(word for sentence in sentences for word in sentence.words)
        found.append(Unit(words, any(sentence.asks for sentence in sentences)))
    for place, sentence in enumerate(sentences):
        words = sentence.words
        if len(words) <= _LONGEST and (len(words) >= _SHORTEST or len(sentences) == 1):
            found.append(Unit(words, sentence.asks))
        if len(words) > _WINDOW:
            starts = range(0, max(1, len(words) - _WINDOW + _STEP), _STEP)
            found += [Unit(words[start : start + _WINDOW], sentence.asks) for start in starts]
        if place + 1 < len(sentences):
            both = (*words, *sentences[place + 1].words)
            if len(both) <= _LONGEST:
                found.append(Unit(both, sentence.asks or sentences[place + 1].asks))
    found = list(dict.fromkeys(found))
    if len(found) > MOST_UNITS:
        return found[: MOST_UNITS // 2] + found[-MOST_UNITS // 2 :]
    return found


def as_read(rules: Rules, text: str) -> str:
    """An example as one unit, spelt as units are."""
    sentences = rules.sentences(text)
    words = tuple(word for sentence in sentences for word in sentence.words)
    return Unit(words, any(sentence.asks for sentence in sentences)).text


@dataclass(frozen=True)
class Meaning:
    """The examples as vectors, and what was learned from them."""

    vectors: Vectors
    classes: NDArray[np.intp]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, rules: Rules, embedder: Embedder) -> Meaning:
        """Encodes every example once."""
        texts = [as_read(rules, text) for text, _ in rules.examples]
        classes = np.array([CLASSES.index(urgency) for _, urgency in rules.examples])
        return cls(embedder.encode(texts), classes, tuple(text for text, _ in rules.examples))

    def probabilities(self, vectors: Vectors) -> Scores:
        """For each vector the probability of each class, in the order of `CLASSES`."""
        return _softmax(_inputs(vectors) @ self._weights)

    def nearest(self, vector: Vectors, urgency: Urgency) -> str:
        """The example of this class that is most like a vector."""
        own = np.flatnonzero(self.classes == CLASSES.index(urgency))
        return self.texts[int(own[np.argmax(self.vectors[own] @ vector)])]

    @cached_property
    def _weights(self) -> Scores:
        return fit(self.vectors, self.classes)

    @cached_property
    def held_out(self) -> Scores:
        """The probabilities of each example from a classifier that was fitted without it and a quarter of the rest."""
        found = np.zeros((len(self.classes), len(CLASSES)))
        fold = np.arange(len(self.classes)) % _FOLDS
        for each in range(_FOLDS):
            weights = fit(self.vectors[fold != each], self.classes[fold != each])
            found[fold == each] = _softmax(_inputs(self.vectors[fold == each]) @ weights)
        return found

    @cached_property
    def usable(self) -> bool:
        """Whether the model tells examples apart that it was not fitted on."""
        if len(np.unique(self.vectors.round(4), axis=0)) < len(self.vectors) * _LEAST_DIFFERENT:
            return False
        danger_found, false_alarms = self.quality
        return danger_found >= LEAST_DANGER_FOUND and false_alarms <= MOST_FALSE_ALARMS

    @cached_property
    def quality(self) -> tuple[float, float]:
        """On examples held out: the part of the danger found, and of harmless ones taken for danger."""
        danger = np.isin(self.classes, _DANGERS)
        harmless = self.classes == CLASSES.index(Urgency.NONE)
        alarmed = self.held_out[:, _DANGERS].sum(axis=1) >= _MORE_LIKELY
        return float(alarmed[danger].mean()), float(alarmed[harmless].mean())


def fit(vectors: Vectors, classes: NDArray[np.intp]) -> Scores:
    """Weights of a multinomial logistic regression, of shape (dimension + 1, classes); each class weighs the same."""
    from scipy.optimize import minimize

    inputs = _inputs(vectors)
    wanted = np.eye(len(CLASSES))[classes]
    share = wanted.sum(axis=0)
    weights = (1 / np.maximum(share, 1))[classes] / len(CLASSES)

    def loss(flat: Scores) -> tuple[float, Scores]:
        now = flat.reshape(inputs.shape[1], len(CLASSES))
        found = _softmax(inputs @ now)
        penalised = now.copy()
        penalised[-1] = 0
        cost = -(weights * np.log(np.maximum((found * wanted).sum(axis=1), 1e-12))).sum()
        cost += _PENALTY / len(classes) * (penalised**2).sum()
        slope = inputs.T @ ((found - wanted) * weights[:, None]) + 2 * _PENALTY / len(classes) * penalised
        return float(cost), slope.ravel()

    start = np.zeros(inputs.shape[1] * len(CLASSES))
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    fitted: Scores = best.x.reshape(inputs.shape[1], len(CLASSES))
    return fitted


def _inputs(vectors: Vectors) -> Scores:
    """The vectors made longer, and a one for the constant."""
    return np.hstack([vectors.astype(np.float64) * _SHARPER, np.ones((len(vectors), 1))])


def _softmax(values: Scores) -> Scores:
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


_kept: WeakKeyDictionary[Embedder, dict[int, Meaning]] = WeakKeyDictionary()
_one_at_a_time = threading.Lock()


def meaning_of(rules: Rules, embedder: Embedder) -> Meaning:
    """The examples as this model sees them; worked out once for each loaded model and folder of rules."""
    with _one_at_a_time:
        of_model = _kept.setdefault(embedder, {})
        if id(rules) not in of_model:
            of_model[id(rules)] = Meaning.of(rules, embedder)
        return of_model[id(rules)]

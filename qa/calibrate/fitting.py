"""From questions with their evidence to a rule: the regression, the threshold, and what is measured on held-out ones.

The regression is a logistic one with no coefficient below 0, so that more evidence never lowers a probability. Made
questions share more words with their passages than patients' do, and a free fit leans on that; so a ridge draws the
coefficients to fixed ones, `UNCALIBRATED`'s, and the documents decide mostly on middle, scale and threshold.

The threshold is chosen as conformal risk control does (Angelopoulos, Bates, Fisch, Lei and Schuster, ICLR 2024): the
lowest one at which (n · share + 1) / (n + 1) is at most `bound`, where `share` of n answers are wrong; the 1 stands
for the question to come, taken to be a wrong answer. Where questions weigh differently, n is their effective number
(Kish 1965), (Σw)² / Σw², with the questions of one section counted as one. The method's guarantee is for losses that
only grow when more is answered, and for questions like those tested; the share of answers that are wrong is not quite
such a loss, and made questions are not patients'. So the calibration also says whether an exact binomial test
(Clopper and Pearson, Biometrika 1934) confirms the bound at that threshold: whether the 1 - `risk` quantile of Beta(k
+ 1, n - k), for k wrong answers, is within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa.confidence import FARTHEST, FEATURES, UNCALIBRATED, Confidence, Tally

_FOLDS: Final = 5
_RIDGE: Final = 0.3  # how strongly coefficients are drawn to `UNCALIBRATED`'s, beside the mean loss
_SMALLEST_SCALE: Final = 0.02  # a part of the evidence that hardly varies here must not count for much elsewhere
# A threshold that answers less than this share of the answerable questions is not looked at: it would be of little use,
# and whether it keeps the bound hangs on single questions.
_START: Final = 0.25

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """One question that was asked. `features` stand in the order of `FEATURES`.

    `right` says that one of the first three passages found answers. Samples of one `group` are no independent evidence.
    `source` is "documents" or "clinic". A sample counts as `repeats` questions.
    """

    features: tuple[float, ...]
    answerable: bool
    right: bool
    group: str
    source: str
    repeats: float = 1.0


@dataclass(frozen=True, slots=True)
class Risk:
    """`bound`: the share of answers that may be wrong. `unanswerable`: the share of questions taken to have no answer.

    `certainty`: how sure the test must be that the bound holds for questions like those tested.
    """

    bound: float
    unanswerable: float
    certainty: float


def weights(samples: Sequence[Sample], unanswerable: float) -> Floats:
    """A weight for each sample, of mean 1: those without an answer have the share `unanswerable` of the sum."""
    answerable = np.array([sample.answerable for sample in samples])
    repeats = np.array([sample.repeats for sample in samples])
    given = np.where(answerable, 1 - unanswerable, unanswerable)
    totals = np.where(answerable, repeats[answerable].sum(), repeats[~answerable].sum())
    return np.asarray(repeats * given / totals * len(samples))


def fit(samples: Sequence[Sample], unanswerable: float) -> Confidence:
    """The regression over these samples, answering everything: thresholds of 0."""
    from scipy.optimize import minimize

    values = np.array([sample.features for sample in samples])
    right = np.array([sample.right for sample in samples], dtype=float)
    weight = weights(samples, unanswerable) / len(samples)
    means = weight @ values
    scales = np.maximum(np.sqrt(weight @ (values - means) ** 2), _SMALLEST_SCALE)
    prior = np.array(UNCALIBRATED.coefficients)
    inputs = np.clip((values - means) / scales, -FARTHEST, FARTHEST)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        coefficients, intercept = parameters[:-1], parameters[-1]
        logits = inputs @ coefficients + intercept
        away = coefficients - prior
        value = weight @ (np.logaddexp(0, logits) - right * logits) + _RIDGE / 2 * away @ away
        errors = weight * (1 / (1 + np.exp(-np.clip(logits, -700, 700))) - right)
        return float(value), np.append(errors @ inputs + _RIDGE * away, errors.sum())

    found = minimize(
        loss,
        np.append(prior, 0.0),
        jac=True,
        method="L-BFGS-B",
        bounds=[*[(0, None)] * len(FEATURES), (None, None)],
    )
    return Confidence(
        features=FEATURES,
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        coefficients=tuple(np.maximum(found.x[:-1], 0).tolist()),
        intercept=float(found.x[-1]),
        threshold=0.0,
        sure=0.0,
    )


def fold_of(group: str) -> int:
    """The fold that a group belongs to, drawn from its name."""
    return int.from_bytes(sha256(group.encode()).digest()[:4]) % _FOLDS


def held_out_probabilities(samples: Sequence[Sample], unanswerable: float) -> Floats:
    """For each sample the probability from a regression that saw nothing of its fold."""
    folds = np.array([fold_of(sample.group) for sample in samples])
    probabilities = np.zeros(len(samples))
    for fold in range(_FOLDS):
        rule = fit([sample for sample, own in zip(samples, folds, strict=True) if own != fold], unanswerable)
        for place in np.flatnonzero(folds == fold).tolist():
            probabilities[place] = rule.probability_of(samples[place].features)
    return probabilities


@dataclass(frozen=True, slots=True)
class Threshold:
    """`tested`: the binomial test confirmed the bound; otherwise it holds as measured, no more."""

    value: float
    tested: bool


def threshold(samples: Sequence[Sample], probabilities: Floats, risk: Risk) -> Threshold | None:
    """The lowest threshold that keeps the bound, see above; None where none does that answers a quarter of them."""
    weight = weights(samples, risk.unanswerable)
    answerable = np.array([sample.answerable for sample in samples])
    wrong = np.array([not sample.right for sample in samples])
    _, group = np.unique([sample.group for sample in samples], return_inverse=True)
    start = _START * weight[answerable].sum()
    lowest: Threshold | None = None
    for candidate in np.unique(probabilities)[::-1]:
        answered = probabilities >= candidate
        if weight[answered & answerable].sum() < start:
            continue
        share = float(weight[answered & wrong].sum() / weight[answered].sum())
        by_group = np.bincount(group[answered], weights=weight[answered])
        size = float(by_group.sum() ** 2 / (by_group**2).sum())
        if (size * share + 1) / (size + 1) <= risk.bound:
            lowest = Threshold(float(candidate), tested=upper_bound(share, size, risk.certainty) <= risk.bound)
    return lowest


def upper_bound(share: float, size: float, certainty: float) -> float:
    """The exact binomial upper bound of a share that was `share` of `size`, which need not be a whole number."""
    from scipy.stats import beta

    wrong = share * size
    return float(beta.ppf(certainty, wrong + 1, size - wrong)) if wrong < size else 1.0


def tally(samples: Sequence[Sample], answered: NDArray[np.bool_]) -> Tally:
    """What became of the samples when those of `answered` are."""
    pairs = list(zip(samples, answered.tolist(), strict=True))
    return Tally(
        answerable=sum(sample.answerable for sample, _ in pairs),
        answered=sum(sample.answerable and shown for sample, shown in pairs),
        wrong=sum(sample.answerable and shown and not sample.right for sample, shown in pairs),
        unanswerable=sum(not sample.answerable for sample, _ in pairs),
        unanswerable_answered=sum(not sample.answerable and shown for sample, shown in pairs),
    )


def held_out_answers(samples: Sequence[Sample], probabilities: Floats, risk: Risk) -> NDArray[np.bool_]:
    """Which samples would be answered with the threshold that the samples of the other folds give."""
    folds = np.array([fold_of(sample.group) for sample in samples])
    answered = np.zeros(len(samples), dtype=bool)
    for fold in range(_FOLDS):
        others = np.flatnonzero(folds != fold)
        found = threshold([samples[place] for place in others.tolist()], probabilities[others], risk)
        own = folds == fold
        answered[own] = found is not None and probabilities[own] >= found.value
    return answered

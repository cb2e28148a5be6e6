"""How well a probability tells good answers from bad ones: the numbers behind the plots, and the AUROC."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa.evaluate.bootstrap import RESAMPLES, SEED, Estimate

BINS: Final = 10
_RESAMPLES_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Judged:
    """One question: the probability that its first three passages answer, and whether they do."""

    probability: float
    right: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """The `count` questions with probabilities from `low` up to `high`: their mean, and the share that is right."""

    low: float
    high: float
    count: int
    predicted: float
    measured: float


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """What a `threshold` gives: the share of all questions answered, and the share of those answers that is wrong."""

    threshold: float
    answered: float
    wrong: float


@dataclass(frozen=True, slots=True)
class Panel:
    """What is drawn for one set of questions.

    `threshold` is the rule's, None where it has none; `bound` is the share of answers that may be wrong.
    """

    name: str
    judged: tuple[Judged, ...]
    threshold: float | None
    bound: float


def reliability_bins(judged: Sequence[Judged], bins: int = BINS) -> tuple[Bin, ...]:
    """The questions in bins of equal width, the last with its upper end; bins without a question are left out."""
    edges = [number / bins for number in range(bins + 1)]
    found = []
    for number, (low, high) in enumerate(pairwise(edges)):
        within = [
            each for each in judged if low <= each.probability and (each.probability < high or number == bins - 1)
        ]
        if within:
            found.append(
                Bin(
                    low=low,
                    high=high,
                    count=len(within),
                    predicted=sum(each.probability for each in within) / len(within),
                    measured=sum(each.right for each in within) / len(within),
                )
            )
    return tuple(found)


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error (Naeini, Cooper and Hauskrecht, AAAI 2015): |predicted - measured|, by count."""
    return sum(each.count * abs(each.predicted - each.measured) for each in bins) / sum(each.count for each in bins)


def risk_coverage(judged: Sequence[Judged]) -> tuple[RiskPoint, ...]:
    """A point for each probability as the threshold, the highest first: equal ones are answered together."""
    ordered = sorted(judged, key=lambda each: -each.probability)
    points = []
    wrong = 0
    for answered, each in enumerate(ordered, start=1):
        wrong += not each.right
        if answered == len(ordered) or ordered[answered].probability != each.probability:
            points.append(RiskPoint(each.probability, answered / len(ordered), wrong / answered))
    return tuple(points)


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """The part of all pairs in which the positive one scores higher, where a tie counts half; None without a pair.

    From the ranks of all scores together (Mann and Whitney, 1947).
    """
    if not positive or not negative:
        return None
    from scipy.stats import rankdata

    ranks = rankdata([*positive, *negative])[: len(positive)]
    above = ranks.sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(positive) * len(negative)))


def auroc_estimate(
    scores: Sequence[float], positive: Sequence[bool], groups: Sequence[Hashable] | None = None
) -> Estimate | None:
    """The AUROC with its 95 % interval by the percentile bootstrap over groups; without `groups`, over scores.

    Resamples without a pair are not counted. `count` of the estimate is the number of scores; None without a pair.
    """
    values, is_positive = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    mean = auroc(values[is_positive].tolist(), values[~is_positive].tolist())
    if mean is None:
        return None
    places = {group: place for place, group in enumerate(dict.fromkeys(groups or range(len(scores))))}
    group = np.array([places[each] for each in (groups or range(len(scores)))])
    low, high = np.percentile(_resampled(values, is_positive, group), (2.5, 97.5))
    return Estimate(mean, float(low), float(high), len(scores))


def _resampled(
    values: NDArray[np.float64], positive: NDArray[np.bool_], group: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The AUROC of each resample of whole groups."""
    above = values[positive][:, None] - values[~positive][None, :]
    wins = (np.sign(above) + 1) / 2  # 1, 1/2 for a tie, 0
    size = int(group.max()) + 1
    generator = np.random.default_rng(SEED)
    found = []
    for _ in range(0, RESAMPLES, _RESAMPLES_AT_ONCE):
        times = generator.multinomial(size, np.full(size, 1 / size), size=_RESAMPLES_AT_ONCE)[:, group]
        ups, downs = times[:, positive].astype(np.float64), times[:, ~positive].astype(np.float64)
        pairs = ups.sum(axis=1) * downs.sum(axis=1)
        won = ((ups @ wins) * downs).sum(axis=1)
        found.append(won[pairs > 0] / pairs[pairs > 0])
    return np.concatenate(found)

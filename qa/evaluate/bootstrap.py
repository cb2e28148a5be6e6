"""Means with their uncertainty, by the percentile bootstrap over questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

RESAMPLES = 10_000
SEED = 20170
_NUMBERS_AT_ONCE = 4_000_000  # drawn at once, 32 MB


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `count` questions; 95 % of the means of resampled questions lie between `low` and `high`."""

    mean: float
    low: float
    high: float
    count: int

    def as_json(self) -> dict[str, float]:
        """The four numbers by name."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def estimate(values: Sequence[float]) -> Estimate | None:
    """The mean of one value a question and its 95 % interval (Efron, 1979); None without values.

    Always the same for the same values: the resamples are drawn from a fixed seed.
    """
    if not values:
        return None
    drawn = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(SEED)
    rows = max(1, _NUMBERS_AT_ONCE // len(drawn))
    means = np.concatenate(
        [
            drawn[generator.integers(0, len(drawn), size=(min(rows, RESAMPLES - done), len(drawn)))].mean(axis=1)
            for done in range(0, RESAMPLES, rows)
        ]
    )
    low, high = np.percentile(means, (2.5, 97.5))
    return Estimate(float(drawn.mean()), float(low), float(high), len(drawn))

from __future__ import annotations

import numpy as np
import pytest

from qa.evaluate.bootstrap import estimate


def test_no_values_have_no_mean() -> None:
    """Without a value there is nothing to estimate."""
    assert estimate([]) is None


def test_equal_values_have_no_width() -> None:
    """Where every question scores the same, so does every resample."""
    found = estimate([0.25] * 7)
    assert found is not None
    assert (found.mean, found.low, found.high, found.count) == (0.25, 0.25, 0.25, 7)


def test_the_interval_is_the_binomial_one() -> None:
    """For 0 and 1 in equal numbers the interval is close to p ± 1.96 √(p (1 - p) / n)."""
    found = estimate([0.0, 1.0] * 200)
    assert found is not None
    half = 1.96 * (0.25 / 400) ** 0.5
    assert found.low == pytest.approx(0.5 - half, abs=0.005)
    assert found.high == pytest.approx(0.5 + half, abs=0.005)


def test_the_same_values_give_the_same_interval() -> None:
    """The resamples come from a fixed seed, so that a report can be made again."""
    values = [float(value) for value in np.random.default_rng(1).random(50)]
    assert estimate(values) == estimate(values)


def test_many_values_are_drawn_in_parts() -> None:
    """More values than are drawn at once give a mean between the interval's ends all the same."""
    found = estimate([0.0, 0.5, 1.0] * 3000)
    assert found is not None
    assert found.low < found.mean < found.high
    assert found.count == 9000

from __future__ import annotations

import pytest

from qa.evaluate.answerability import (
    Bin,
    Judged,
    RiskPoint,
    auroc,
    auroc_estimate,
    calibration_error,
    reliability_bins,
    risk_coverage,
)

JUDGED = (Judged(0.5, False), Judged(0.25, False), Judged(0.5, True), Judged(0.75, True), Judged(1.0, True))


def test_reliability_bins() -> None:
    """A bin has its lower end, the last one both; its mean probability and its share right are its questions'."""
    assert reliability_bins(JUDGED, 2) == (
        Bin(low=0.0, high=0.5, count=1, predicted=0.25, measured=0.0),
        Bin(low=0.5, high=1.0, count=4, predicted=0.6875, measured=0.75),
    )


def test_bins_without_a_question_are_left_out() -> None:
    """Nothing is said about probabilities that no question has."""
    assert [(each.low, each.count) for each in reliability_bins(JUDGED)] == [(0.2, 1), (0.5, 2), (0.7, 1), (0.9, 1)]
    assert reliability_bins(()) == ()


def test_the_expected_calibration_error() -> None:
    """The distances of 0.25 (one question) and 0.0625 (four) have a mean of 0.1 by question."""
    assert calibration_error(reliability_bins(JUDGED, 2)) == pytest.approx((1 * 0.25 + 4 * 0.0625) / 5)


def test_risk_and_coverage() -> None:
    """Each probability is a threshold once: equal ones are answered together, whatever order they came in."""
    expected = (
        RiskPoint(threshold=1.0, answered=0.2, wrong=0.0),
        RiskPoint(threshold=0.75, answered=0.4, wrong=0.0),
        RiskPoint(threshold=0.5, answered=0.8, wrong=0.25),
        RiskPoint(threshold=0.25, answered=1.0, wrong=0.4),
    )
    assert risk_coverage(JUDGED) == expected
    assert risk_coverage(JUDGED[::-1]) == expected
    assert risk_coverage(()) == ()


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        ([3.0, 2.0], [1.0, 0.0], 1.0),
        ([0.0], [1.0, 2.0], 0.0),
        ([0.5, 0.5], [0.5], 0.5),
        ([0.9, 0.4, 0.4], [0.4, 0.1], 5 / 6),  # 4 wins and 2 ties of 6 pairs
        ([0.8, 0.3], [0.5, 0.3, 0.1], 4.5 / 6),  # 0.8 wins 3; 0.3 wins 1 and ties 1
    ],
)
def test_auroc(positive: list[float], negative: list[float], expected: float) -> None:
    """The part of the pairs that the positive one wins, where a tie counts half."""
    assert auroc(positive, negative) == pytest.approx(expected)


def test_auroc_needs_both_sorts() -> None:
    """Without a pair there is nothing to compare."""
    assert auroc([], [1.0]) is None
    assert auroc_estimate([0.5, 0.7], [True, True]) is None
    assert auroc_estimate([], []) is None


def test_the_interval_of_the_auroc() -> None:
    """Perfect scores have no width; others have an interval around what the ranks give, always the same one."""
    perfect = auroc_estimate([0.9, 0.8, 0.1, 0.2], [True, True, False, False])
    assert perfect is not None
    assert (perfect.mean, perfect.low, perfect.high, perfect.count) == (1.0, 1.0, 1.0, 4)
    scores, positive = [0.8, 0.3, 0.5, 0.3, 0.1] * 10, [True, True, False, False, False] * 10
    found = auroc_estimate(scores, positive)
    assert found is not None
    assert found.mean == pytest.approx(4.5 / 6)
    assert 0.55 < found.low < found.mean < found.high < 0.95
    assert auroc_estimate(scores, positive) == found


def test_groups_are_drawn_whole() -> None:
    """Ten copies of one pair are no more evidence than that pair, so that an interval over two groups is the widest."""
    scores, positive = [0.9, 0.1] * 10 + [0.1, 0.9] * 10, [True, False] * 20
    groups = ["a"] * 20 + ["b"] * 20
    alone, grouped = auroc_estimate(scores, positive), auroc_estimate(scores, positive, groups)
    assert alone is not None
    assert grouped is not None
    assert alone.mean == grouped.mean == 0.5
    assert (grouped.low, grouped.high) == (0.0, 1.0)
    assert alone.low > 0.2

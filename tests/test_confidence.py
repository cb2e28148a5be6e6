from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from qa.audience import Audience
from qa.confidence import FEATURES, UNCALIBRATED, Calibration, Confidence, Level, Tally, read_calibration
from qa.errors import CalibrationError
from qa.models import Evidence

NOTHING = Evidence(
    similarity=0.0,
    coverage=0.0,
    late=0.0,
    sentence=0.0,
    asking=0.0,
    margin=0.0,
    known=0.0,
    agreement=0.0,
    length=4.0,
)
EIGHT = len(FEATURES)
# Only similarity counts: its logit is 2 · (similarity - 0.5) / 0.25, between -6 and 6.
RULE = Confidence(
    features=FEATURES,
    means=(0.5,) * EIGHT,
    scales=(0.25,) * EIGHT,
    coefficients=(2.0, *(0.0,) * (EIGHT - 1)),
    intercept=0.0,
    threshold=0.6,
    sure=0.9,
)
CALIBRATION = Calibration(
    audience=Audience.PATIENT,
    confidence=RULE,
    bound=0.05,
    tested=True,
    expected_unanswerable=0.25,
    measured={"documents": Tally(answerable=100, answered=80, wrong=2, unanswerable=50, unanswerable_answered=1)},
    fitted_on={"documents": 150, "ambiguous": 7},
    made_on=date(2026, 11, 23),
    made_for="ab" * 32,
    method="a method",
)


@pytest.mark.parametrize(
    ("similarity", "probability"),
    [(0.5, 0.5), (0.75, 0.8808), (0.25, 0.1192), (1.25, 0.9975), (9.0, 0.9975), (-9.0, 0.0025)],
)
def test_a_probability_is_the_logistic_of_the_evidence(similarity: float, probability: float) -> None:
    """The logits 0, 2, -2 and 6 give what logistic tables say, and no part counts beyond three scales."""
    assert CALIBRATION.probability(replace(NOTHING, similarity=similarity)) == pytest.approx(probability, abs=1e-4)


@pytest.mark.parametrize(
    ("probability", "level"),
    [(0.0, Level.NOT_COVERED), (0.599, Level.NOT_COVERED), (0.6, Level.POSSIBLE), (0.9, Level.LIKELY)],
)
def test_a_level_begins_at_its_threshold(probability: float, level: Level) -> None:
    """A probability at a threshold has the level above it."""
    assert RULE.level(probability) is level


@pytest.mark.parametrize("name", FEATURES)
def test_more_evidence_never_lowers_the_uncalibrated_probability(name: str) -> None:
    """Each part of the evidence raises the probability or leaves it."""
    values = [UNCALIBRATED.probability(replace(NOTHING, **{name: value / 10})) for value in range(11)]
    assert values == sorted(values)


def test_uncalibrated_answers_only_strong_evidence() -> None:
    """Without a calibration, no evidence and weak evidence are not answered, and the strongest is."""
    weak = Evidence(0.35, 0.3, 0.45, 0.35, 0.35, 0.05, 0.6, 0.2, 6.0)
    strong = Evidence(0.8, 1.0, 0.9, 0.8, 0.8, 0.1, 1.0, 0.6, 6.0)
    levels = [UNCALIBRATED.level(UNCALIBRATED.probability(each)) for each in (NOTHING, weak, strong)]
    assert levels == [Level.NOT_COVERED, Level.NOT_COVERED, Level.LIKELY]


def test_the_length_of_a_question_changes_nothing() -> None:
    """A long story with the same evidence has the same probability."""
    assert UNCALIBRATED.probability(NOTHING) == UNCALIBRATED.probability(replace(NOTHING, length=90.0))


def test_the_wrong_share_is_of_all_answers() -> None:
    """With a quarter unanswerable: (0.75 · 2/100 + 0.25 · 1/50) / (0.75 · 80/100 + 0.25 · 1/50)."""
    measured = CALIBRATION.measured["documents"]
    assert measured.wrong_share(0.25) == pytest.approx(0.02 / 0.605)
    assert measured.answered_share == 0.8


def test_shares_of_nothing_are_none() -> None:
    """Without questions or without answers there is no share."""
    assert Tally().wrong_share(0.3) is None
    assert Tally().answered_share is None
    assert Tally(answerable=1, unanswerable=1).wrong_share(0.3) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"features": ("length",)},
        {"means": (0.0,)},
        {"scales": (0.0,) * EIGHT},
        {"coefficients": (-1.0,) * EIGHT},
        {"intercept": float("nan")},
        {"threshold": 0.95},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_impossible_rule_cannot_be_made(changes: dict[str, object]) -> None:
    """Unknown parts, missing numbers, scales of 0, falling coefficients and crossed thresholds are refused."""
    with pytest.raises(ValueError, match=r"expected|must"):
        replace(RULE, **changes)  # type: ignore[arg-type] # wrong on purpose


def test_a_calibration_survives_its_file(tmp_path: Path) -> None:
    """What is read is what was written."""
    CALIBRATION.write(tmp_path / "calibration.json")
    assert read_calibration(tmp_path / "calibration.json") == CALIBRATION


def test_without_a_file_there_is_no_calibration(tmp_path: Path) -> None:
    """A missing file is no error."""
    assert read_calibration(tmp_path / "calibration.json") is None


def test_a_damaged_calibration_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """Broken JSON, another format, and wrong or missing values say what to run."""
    path = tmp_path / "calibration.json"
    CALIBRATION.write(path)
    whole = json.loads(path.read_text(encoding="utf-8"))
    damaged = {
        "read": "{",
        "another format": json.dumps({**whole, "format": 99}),
        "damaged": json.dumps({**whole, "bound": "five"}),
        "is damaged": json.dumps({**whole, "confidence": {**whole["confidence"], "scales": [0] * EIGHT}}),
        "calibration is damaged": json.dumps({key: value for key, value in whole.items() if key != "made_for"}),
    }
    for words, text in damaged.items():
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CalibrationError, match=f"{words}.*clinic-qa build"):
            read_calibration(path)

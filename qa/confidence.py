"""From the evidence of a ranking to the probability that its first passages answer, and to what people are told of it.

`Confidence` is the rule: a logistic regression over `Evidence` in which more evidence never lowers the probability, and
the thresholds. `Calibration` is such a rule fitted to one audience's documents, with what was measured as it was made.
`UNCALIBRATED` is the rule where there is no calibration: fixed, and stricter than a fitted one.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from qa.audience import Audience
from qa.errors import CalibrationError
from qa.models import Evidence, Level

FORMAT: Final = 1
# The parts of `Evidence` that are used, in its order. The length of a question is not among them: headings are short
# and patients' stories are long, so a weight learnt from the documents would say nothing of patients. A long question
# spreads its words over more than one passage, which lowers the other parts, and that errs towards "not covered".
FEATURES: Final = ("similarity", "coverage", "late", "sentence", "asking", "margin", "known", "agreement")
FARTHEST: Final = 3.0  # standard deviations; beyond them, a part of the evidence counts no more than there
_REMEDY: Final = "Run `clinic-qa build`, or `clinic-qa calibrate`, to make the calibration anew."


@dataclass(frozen=True, slots=True)
class Contribution:
    """One part of the evidence, its value, and what it adds to the logit of the probability."""

    feature: str
    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class Confidence:
    """The rule. `means`, `scales` and `coefficients` stand in the order of `features`.

    From `threshold` on, a question is answered; from `sure` on, which is not lower, its answer is a likely one.
    """

    features: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    threshold: float
    sure: float

    def __post_init__(self) -> None:
        sizes = {len(self.features), len(self.means), len(self.scales), len(self.coefficients)}
        if self.features != FEATURES or sizes != {len(FEATURES)}:
            raise ValueError(f"expected one number for each of {FEATURES}, got {self.features} and sizes {sizes}")
        if min(self.scales) <= 0 or min(self.coefficients) < 0:
            raise ValueError("scales must be above 0 and coefficients must not be below 0")
        if not 0 <= self.threshold <= self.sure:
            raise ValueError(f"expected 0 <= threshold <= sure, got {self.threshold} and {self.sure}")
        if not all(math.isfinite(value) for value in (*self.means, *self.scales, *self.coefficients, self.intercept)):
            raise ValueError("all numbers must be finite")

    def probability(self, evidence: Evidence) -> float:
        """The probability, between 0 and 1, that the first three passages answer."""
        return self.probability_of(chosen(evidence))

    def probability_of(self, values: tuple[float, ...]) -> float:
        """The same from the values of `FEATURES` alone."""
        logit = self.intercept + sum(self._weights(values))
        return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0  # exp(700) is about as large as numbers go

    def _weights(self, values: tuple[float, ...]) -> list[float]:
        """What each value adds to the logit."""
        return [
            coefficient * min(max((value - mean) / scale, -FARTHEST), FARTHEST)
            for value, mean, scale, coefficient in zip(values, self.means, self.scales, self.coefficients, strict=True)
        ]

    def contributions(self, evidence: Evidence) -> tuple[Contribution, ...]:
        """What each part of the evidence adds to the logit of the probability."""
        values = chosen(evidence)
        return tuple(map(Contribution, self.features, values, self._weights(values)))

    def level(self, probability: float) -> Level:
        """What to tell people of an answer with this probability."""
        if probability >= self.sure:
            return Level.LIKELY
        return Level.POSSIBLE if probability >= self.threshold else Level.NOT_COVERED


def chosen(evidence: Evidence) -> tuple[float, ...]:
    """The values of `FEATURES`."""
    return tuple(getattr(evidence, name) for name in FEATURES)


# Coefficients: rounded from a fit on COVID-QA, each question with its article present and removed (458 questions,
# 98 articles; held-out AUROC 0.83), with more for meaning and for the words known at all, which tell questions about
# other things apart and of which that set has none. Means and scales: questions made from the sample documents. The
# threshold is stricter than fitted ones were.
UNCALIBRATED: Final = Confidence(
    features=FEATURES,
    means=(0.45, 0.29, 0.52, 0.45, 0.45, 0.68, 0.84, 0.26),
    scales=(0.17, 0.22, 0.17, 0.15, 0.17, 0.80, 0.24, 0.22),
    coefficients=(0.5, 0.4, 0.2, 0.3, 0.2, 0.6, 0.2, 0.3),
    intercept=0.0,
    threshold=0.9,
    sure=0.97,
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How questions fared. `wrong` counts answered ones that have an answer, but not among their first three passages.

    An answer to a question that has none is wrong too; `unanswerable_answered` counts those.
    """

    answerable: int = 0
    answered: int = 0
    wrong: int = 0
    unanswerable: int = 0
    unanswerable_answered: int = 0

    def wrong_share(self, unanswerable: float) -> float | None:
        """The share of wrong answers among all answers, were this share of all questions unanswerable.

        None without any answer, or without questions of both sorts.
        """
        if not self.answerable or not self.unanswerable:
            return None
        false = unanswerable * self.unanswerable_answered / self.unanswerable
        answers = (1 - unanswerable) * self.answered / self.answerable + false
        return ((1 - unanswerable) * self.wrong / self.answerable + false) / answers if answers else None

    @property
    def answered_share(self) -> float | None:
        """The share of the answerable questions that were answered; None without any."""
        return self.answered / self.answerable if self.answerable else None


@dataclass(frozen=True, slots=True)
class Calibration:
    """A rule and where it came from.

    `bound` is the share of answers that may be wrong and `tested` whether a test confirmed it,
    `expected_unanswerable` the share of all questions that is taken to have no answer. `measured` has a tally
    of held-out questions for each source: "documents" (made from them) and "clinic" (its labelled ones);
    `fitted_on` counts the questions by source, and "ambiguous" those that were left out. `made_for` is the
    digest that `made_for` in qa.calibrate gives. `method` is a sentence with the citation.
    """

    audience: Audience
    confidence: Confidence
    bound: float
    tested: bool
    expected_unanswerable: float
    measured: dict[str, Tally]
    fitted_on: dict[str, int]
    made_on: date
    made_for: str
    method: str

    def probability(self, evidence: Evidence) -> float:
        """See `Confidence.probability`."""
        return self.confidence.probability(evidence)

    def as_json(self) -> dict[str, object]:
        """For files and for `--json`."""
        return {**asdict(self), "made_on": self.made_on.isoformat()}

    def write(self, path: Path) -> None:
        """Write the calibration as JSON."""
        content = {"format": FORMAT, **self.as_json()}
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_calibration(path: Path) -> Calibration | None:
    """What `Calibration.write` wrote, or None where there is no file. Raises CalibrationError for anything else."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CalibrationError("the calibration cannot be read", path=path, found=str(error), remedy=_REMEDY) from error
    found = content.pop("format", None) if isinstance(content, dict) else None
    if found != FORMAT:
        raise CalibrationError(
            "the calibration has another format",
            path=path,
            found=f"format {found}",
            expected=f"format {FORMAT}",
            remedy=_REMEDY,
        )
    try:
        return _adapter().validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise CalibrationError(
            "the calibration is damaged",
            path=path,
            found=".".join(str(part) for part in first["loc"]),
            expected=first["msg"].removeprefix("Value error, "),
            remedy=_REMEDY,
        ) from error


@cache
def _adapter() -> TypeAdapter[Calibration]:
    return TypeAdapter(Calibration)

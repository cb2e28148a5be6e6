from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from builders import H, P, document, entry, index_of
from conftest import NamesEmbedder

from qa.audience import Audience
from qa.calibrate import Uncalibrated, calibrate
from qa.confidence import Calibration
from qa.index.faiss_index import FaissIndex
from qa.models import Evidence
from qa.questions import LabelledQuestion, Place
from qa.settings import Answering, Retrieval

TODAY = date(2026, 11, 23)


def name(number: int) -> str:
    """A made-up word that nothing else holds."""
    return "".join(chr(ord("a") + int(digit)) * 2 for digit in f"{number:04}") + "ology"


def words(first: int, count: int) -> str:
    return " ".join(name(number) for number in range(first, first + count))


@pytest.fixture(scope="module")
def index_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], FaissIndex]:
    """An index of so many documents, of one section each, in words that no other document has."""

    @cache
    def made(count: int) -> FaissIndex:
        documents = [
            entry(
                f"{number:03}.md",
                document((H, words(10 * number, 3)), (P, words(10 * number + 1, 8))),
                title=name(10 * number),
            )
            for number in range(count)
        ]
        return index_of(tmp_path_factory.mktemp("calibrate") / "index", documents, NamesEmbedder())

    return made


@pytest.fixture
def calibrated(index_with: Callable[[int], FaissIndex]):  # noqa: ANN201 - a function
    def made(count: int, **more: Any) -> Calibration | Uncalibrated:
        return calibrate(
            index_with(count),
            NamesEmbedder(),
            Retrieval(),
            Answering(**{"most_wrong": 0.1, **more.pop("answering", {})}),
            audience=Audience.PATIENT,
            today=TODAY,
            made_for="digest",
            **more,
        )

    return made


def test_a_calibration_tells_what_is_there_from_what_is_not(calibrated) -> None:  # noqa: ANN001 - the fixture above
    """With the answering document the probability is above the threshold, without any shared word it is below."""
    made = calibrated(100)
    assert isinstance(made, Calibration)
    assert (made.audience, made.made_for, made.made_on) == (Audience.PATIENT, "digest", TODAY)
    assert made.probability(Evidence(*[1.0] * 9)) >= made.confidence.threshold > made.probability(Evidence(*[0.1] * 9))
    measured = made.measured["documents"]
    assert measured.answerable > 250
    assert measured.unanswerable > 300  # foreign ones and those whose document was hidden
    share = measured.wrong_share(made.expected_unanswerable)
    assert share is not None
    assert share <= 0.1


def test_the_same_documents_give_the_same_calibration(calibrated) -> None:  # noqa: ANN001 - the fixture above
    """Nothing is left to chance."""
    assert calibrated(40) == calibrated(40)


def test_few_sections_are_not_calibrated(calibrated) -> None:  # noqa: ANN001 - the fixture above
    """A tiny corpus gives a reason with the number found and the number needed."""
    made = calibrated(5)
    assert isinstance(made, Uncalibrated)
    assert "5 sections" in made.reason
    assert "20" in made.reason


def test_a_clinics_own_questions_are_measured_apart(calibrated) -> None:  # noqa: ANN001 - the fixture above
    """Labelled questions of the audience count by themselves; those of the other audience do not count."""
    questions = [
        LabelledQuestion(words(10, 3), (Place("001.md"),)),
        LabelledQuestion("what about parking", ()),
        LabelledQuestion("for staff", (), audience=Audience.STAFF),
    ]
    made = calibrated(40, questions=questions)
    assert isinstance(made, Calibration)
    assert (made.measured["clinic"].answerable, made.measured["clinic"].unanswerable) == (1, 1)
    assert made.fitted_on["clinic"] == 2


def test_a_clinics_list_of_foreign_questions_is_used(calibrated, tmp_path: Path) -> None:  # noqa: ANN001 - the fixture above
    """Its questions are asked in place of the packaged ones."""
    own = tmp_path / "foreign.txt"
    own.write_text("who won the cup\nhow deep is the sea\n", encoding="utf-8")
    packaged, ours = calibrated(30), calibrated(30, answering={"foreign_questions": own})
    assert isinstance(packaged, Calibration)
    assert isinstance(ours, Calibration)
    assert packaged.measured["documents"].unanswerable - ours.measured["documents"].unanswerable == 150 - 2

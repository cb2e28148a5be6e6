from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from builders import BY_SIMILARITY, entry, index_of
from conftest import WordEmbedder

from qa.audience import Audience
from qa.calibrate.kept import calibration_digest, calibration_file
from qa.confidence import UNCALIBRATED, Calibration
from qa.index import FaissIndex
from qa.index.generations import generation_folder
from qa.judge import Judge, open_judge
from qa.settings import Settings

QUESTIONS = """
questions:
  - question: when may I drive
    document: home.md
    pinned: yes
  - question: what does it cost
    document: none
"""


@pytest.fixture
def index(settings: Settings, embedder: WordEmbedder) -> Iterator[FaissIndex]:
    folder = generation_folder(settings.index.folder, "test") / Audience.PATIENT
    folder.parent.mkdir(parents=True)
    opened = index_of(folder, [entry("home.md", "driving tomorrow")], embedder)
    yield opened
    opened.close()


@pytest.fixture
def calibration(index: FaissIndex, settings: Settings) -> Path:
    """A calibration that belongs to the index."""
    path = calibration_file(settings.index.folder, "test", Audience.PATIENT)
    Calibration(
        audience=Audience.PATIENT,
        confidence=BY_SIMILARITY,
        bound=0.05,
        tested=True,
        expected_unanswerable=0.2,
        measured={},
        fitted_on={},
        made_on=date(2026, 11, 23),
        made_for=calibration_digest(index, settings),
        method="by hand",
    ).write(path)
    return path


def with_questions(settings: Settings, path: Path) -> Settings:
    return settings.model_copy(update={"answering": settings.answering.model_copy(update={"questions": path})})


def with_bound(settings: Settings, bound: float) -> Settings:
    return settings.model_copy(update={"answering": settings.answering.model_copy(update={"most_wrong": bound})})


def test_a_calibration_that_fits_is_used(index: FaissIndex, settings: Settings, calibration: Path) -> None:
    """The rule beside the index decides when it was made for it, and there is nothing to warn of."""
    assert calibration.is_file()
    assert open_judge(index, settings) == Judge(BY_SIMILARITY)


def test_without_a_calibration_the_strict_rule_decides(index: FaissIndex, settings: Settings) -> None:
    """A missing calibration is a warning that names the command."""
    judge = open_judge(index, settings)
    assert judge.confidence is UNCALIBRATED
    (warning,) = judge.warnings
    assert "patient index is not calibrated" in warning
    assert "clinic-qa calibrate" in warning
    assert "strong evidence" in warning


def test_a_calibration_for_other_settings_is_not_used(index: FaissIndex, settings: Settings, calibration: Path) -> None:
    """A bound that was changed after the calibration makes it strict until it is calibrated again."""
    assert calibration.is_file()
    judge = open_judge(index, with_bound(settings, 0.01))
    assert judge.confidence is UNCALIBRATED
    assert "other settings or documents" in judge.warnings[0]


def test_a_damaged_calibration_is_a_warning(index: FaissIndex, settings: Settings, calibration: Path) -> None:
    """A file that cannot be read makes the judge strict and is named; it keeps nobody from asking."""
    calibration.write_bytes(calibration.read_bytes()[:99])
    judge = open_judge(index, settings)
    assert judge.confidence is UNCALIBRATED
    assert calibration.name in judge.warnings[0]
    assert "strong evidence" in judge.warnings[0]


def test_only_pinned_questions_are_kept(
    index: FaissIndex, settings: Settings, calibration: Path, tmp_path: Path
) -> None:
    """Of the clinic's questions, which also measure, the judge has the pinned ones; a new file asks for calibration."""
    assert calibration.is_file()
    path = tmp_path / "questions.yaml"
    path.write_text(QUESTIONS, encoding="utf-8")
    judge = open_judge(index, with_questions(settings, path))
    assert [question.text for question in judge.pinned] == ["when may I drive"]
    assert len(judge.warnings) == 1
    assert "other settings or documents" in judge.warnings[0]


def test_questions_that_cannot_be_read_are_a_warning(index: FaissIndex, settings: Settings, tmp_path: Path) -> None:
    """Without its file of questions the judge pins nothing and says why."""
    judge = open_judge(index, with_questions(settings, tmp_path / "none.yaml"))
    assert judge.pinned == ()
    assert judge.warnings[-1].startswith("No question is pinned: ")
    assert "none.yaml" in judge.warnings[-1]


def test_the_reranker_is_handed_on(index: FaissIndex, settings: Settings, calibration: Path) -> None:
    """The judge carries the reranker that it is given."""
    assert calibration.is_file()

    class Reversed:
        def scores(self, question: str, texts: object) -> object: ...

    reranker = Reversed()
    judge = open_judge(index, settings, reranker)  # type: ignore[arg-type] # never asked
    assert judge == replace(Judge(BY_SIMILARITY), reranker=reranker)

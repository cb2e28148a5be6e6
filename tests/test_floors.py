"""The quality gate: the sample corpus's questions are answered at least as well as tests/eval/floors.json says.

Floors are the values measured when they were written, less 0.03: processors without bfloat16 round otherwise.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.build import build
from qa.clock import Clock
from qa.evaluate.floors import check_floors, read_floors
from qa.evaluate.run import evaluate_questions
from qa.settings import Settings, with_folders

EVAL = Path(__file__).with_name("eval")


@pytest.mark.model
def test_the_sample_questions_are_answered_no_worse_than_the_floors(
    sample_settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    """Ranking, answering and refusing on the sample's 445 questions stay at or above the pinned floors."""
    settings = with_folders(sample_settings, corpus=Path(__file__).parents[1] / "corpus", index=tmp_path / "index")
    build(settings, clock=clock)
    report = evaluate_questions(EVAL / "questions.yaml", settings=settings, clock=clock)
    assert check_floors(report.gate(), read_floors(EVAL / "floors.json"), report.digests) == []

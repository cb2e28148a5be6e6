"""The quality gate: the sample corpus's questions are answered at least as well as tests/eval/floors.json says.

Floors are the values measured when they were written, less 0.03: processors without bfloat16 round otherwise.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.build import build
from qa.clock import Clock
from qa.conflicts import read_conflicts
from qa.evaluate.floors import check_floors, read_floors
from qa.evaluate.run import evaluate_questions
from qa.index.generations import generation_folder
from qa.settings import Settings, with_folders

EVAL = Path(__file__).with_name("eval")


@pytest.mark.model
def test_the_sample_questions_are_answered_no_worse_than_the_floors(
    sample_settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    """Ranking, answering and refusing on the sample's 445 questions stay at the floors; one conflict is strict."""
    settings = with_folders(sample_settings, corpus=Path(__file__).parents[1] / "corpus", index=tmp_path / "index")
    built = build(settings, clock=clock)
    report = evaluate_questions(EVAL / "questions.yaml", settings=settings, clock=clock)
    assert check_floors(report.gate(), read_floors(EVAL / "floors.json"), report.digests) == []
    # Beside it, as a build takes its time: only the fasting hours are kept from patients in this corpus.
    conflicts = read_conflicts(
        generation_folder(settings.index.folder, built.generation) / "patient" / "conflicts.json"
    )
    strict = [{each.one.document_id, each.other.document_id} for each in conflicts if each.is_strict]
    assert strict == [{"patient/before-your-infusion.md", "patient/faq.md"}]

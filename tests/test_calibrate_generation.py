from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import NOW, NamesEmbedder
from test_calibrate_run import words

from qa.audience import Audience
from qa.build import BuildReport, build
from qa.calibrate import Uncalibrated
from qa.calibrate.generation import calibrate_live
from qa.calibrate.kept import calibration_file
from qa.confidence import Calibration, read_calibration
from qa.embed import Model, ModelFiles
from qa.errors import IndexMissing
from qa.settings import Settings


class Loader:
    """Loads the made-up words' embedder under the real model's name, and counts how often."""

    def __init__(self) -> None:
        self.loaded = 0

    def __call__(self, settings: Model, files: ModelFiles | None = None) -> NamesEmbedder:
        self.loaded += 1
        return NamesEmbedder((files or ModelFiles.find(settings.name)).fingerprint(settings))


class Clinic:
    """Builds a corpus; each build is a day later than the one before."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.loader = Loader()
        self.builds = 0

    def write(self, number: int, *, audience: str = "patient") -> None:
        text = f"---\naudience: {audience}\n---\n# {words(10 * number, 3)}\n\n{words(10 * number + 1, 8)}.\n"
        (self.settings.corpus.folder / f"{number:03}.md").write_text(text, encoding="utf-8")

    def build(self, **answering: object) -> BuildReport:
        """Build with these settings of [answering]; `loaded` counts from here."""
        self.loader.loaded = 0
        now = NOW + timedelta(days=self.builds)
        self.builds += 1
        changed = self.settings.answering.model_copy(update=answering)
        settings = self.settings.model_copy(update={"answering": changed})
        return build(settings, clock=lambda: now, load_embedder=self.loader)

    def kept(self, report: BuildReport, audience: Audience = Audience.PATIENT) -> Path:
        return calibration_file(self.settings.index.folder, report.generation, audience)

    def calibration(self, report: BuildReport, audience: Audience = Audience.PATIENT) -> Calibration:
        found = read_calibration(self.kept(report, audience))
        assert found is not None
        return found


@pytest.fixture
def clinic(settings: Settings, tmp_path: Path) -> Clinic:
    """24 documents for patients and one for staff; few foreign questions."""
    foreign = tmp_path / "foreign.txt"
    foreign.write_text("\n".join(words(5000 + 5 * number, 5) for number in range(30)), encoding="utf-8")
    answering = settings.answering.model_copy(update={"foreign_questions": foreign, "most_wrong": 0.2})
    made = Clinic(settings.model_copy(update={"answering": answering}))
    for number in range(24):
        made.write(number)
    made.write(24, audience="staff")
    return made


def test_a_build_calibrates_each_audience(clinic: Clinic) -> None:
    """Each index gets a calibration of its own beside it, made that day from what its audience sees."""
    report = clinic.build()
    assert report.notes == ()
    patient, staff = (clinic.calibration(report, audience) for audience in Audience)
    assert {patient.audience, staff.audience} == set(Audience)
    assert patient.made_for != staff.made_for
    assert patient.made_on == NOW.date()
    assert not list(clinic.kept(report).parent.glob("*.failed"))


def test_a_rebuild_without_changes_takes_the_calibration_over(clinic: Clinic) -> None:
    """The same documents and settings keep their calibration, to the byte, and no model is loaded."""
    first, second = clinic.build(), clinic.build()
    assert clinic.loader.loaded == 0
    assert second.generation != first.generation
    for audience in Audience:
        assert clinic.kept(second, audience).read_bytes() == clinic.kept(first, audience).read_bytes()


def test_another_bound_makes_it_anew(clinic: Clinic) -> None:
    """A changed bound is calibrated for, with the vectors that are there; going back takes the older one over."""
    first = clinic.build()
    second = clinic.build(most_wrong=0.3)
    assert clinic.loader.loaded == 1
    assert second.embedded == 0
    before, after = clinic.calibration(first), clinic.calibration(second)
    assert (before.bound, after.bound) == (0.2, 0.3)
    assert after.made_on > before.made_on
    third = clinic.build()
    assert clinic.loader.loaded == 0
    assert clinic.calibration(third) == before


def test_a_staff_document_changes_the_staff_calibration_alone(clinic: Clinic) -> None:
    """What patients see is as before: their calibration is taken over, the staff's is made anew."""
    first = clinic.build()
    clinic.write(25, audience="staff")
    second = clinic.build()
    assert clinic.calibration(second) == clinic.calibration(first)
    staff = clinic.calibration(second, Audience.STAFF)
    assert staff.made_for != clinic.calibration(first, Audience.STAFF).made_for
    assert staff.made_on > clinic.calibration(second).made_on


@pytest.mark.parametrize("damage", [b"", b"{", b'{"format": 99}', b'{"format": 1}', b"[]"])
def test_a_damaged_calibration_is_made_anew(clinic: Clinic, damage: bytes) -> None:
    """A file that cannot be used is neither taken over nor an error."""
    first = clinic.build()
    whole = clinic.calibration(first)
    clinic.kept(first).write_bytes(damage)
    second = clinic.build()
    assert clinic.loader.loaded == 1
    again = clinic.calibration(second)
    assert again.confidence == whole.confidence
    assert again.made_on > whole.made_on


def test_too_few_documents_are_a_note_and_are_not_tried_again(clinic: Clinic) -> None:
    """Why there is no calibration is said at each build, without asking again while nothing changes."""
    for number in range(10, 24):
        (clinic.settings.corpus.folder / f"{number:03}.md").unlink()
    first = clinic.build()
    assert len(first.notes) == 2
    assert "patient index is not calibrated" in first.notes[0]
    assert "at least 20" in first.notes[0]
    assert not clinic.kept(first).exists()
    second = clinic.build()
    assert (second.notes, clinic.loader.loaded) == (first.notes, 0)
    for number in range(10, 24):
        clinic.write(number)
    third = clinic.build()
    assert third.notes == ()
    assert clinic.kept(third).exists()


def test_a_damaged_reason_is_found_out_anew(clinic: Clinic) -> None:
    """A broken note of why there is no calibration is passed over."""
    for number in range(10, 24):
        (clinic.settings.corpus.folder / f"{number:03}.md").unlink()
    first = clinic.build()
    for failed in clinic.kept(first).parent.glob("*.failed"):
        assert json.loads(failed.read_bytes())["reason"]
        failed.write_bytes(b"\xff{")
    assert clinic.build().notes == first.notes


def test_questions_that_cannot_be_used_are_a_note(clinic: Clinic, tmp_path: Path) -> None:
    """A broken list of foreign questions costs the calibration, not the build, and mending it brings it back."""
    report = clinic.build(foreign_questions=tmp_path / "none.txt")
    assert "none.txt" in report.notes[0]
    assert not clinic.kept(report).exists()
    (tmp_path / "none.txt").write_text("who won\n" * 30, encoding="utf-8")
    assert clinic.build(foreign_questions=tmp_path / "none.txt").notes == ()


@pytest.fixture
def live(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[Audience, Calibration | Uncalibrated]]:
    """Calibrates what is live as `clinic-qa calibrate` does, a hundred days later."""
    monkeypatch.setattr("qa.calibrate.generation.SentenceEmbedder.load", clinic.loader)
    later = NOW.date() + timedelta(days=100)
    return lambda: calibrate_live(clinic.settings, later, lambda *_: None)


def test_the_live_generation_is_calibrated_again(
    clinic: Clinic, live: Callable[[], dict[Audience, Calibration | Uncalibrated]]
) -> None:
    """Asked for, both calibrations are made anew in their place, whatever is there, with one model loaded."""
    report = clinic.build()
    before = clinic.calibration(report)
    clinic.loader.loaded = 0
    made = live()
    assert clinic.loader.loaded == 1
    assert set(made) == set(Audience)
    after = clinic.calibration(report)
    assert made[Audience.PATIENT] == after
    assert (after.confidence, after.made_for) == (before.confidence, before.made_for)
    assert after.made_on > before.made_on
    assert not list(clinic.kept(report).parent.glob("*.tmp"))


def test_without_an_index_there_is_nothing_to_calibrate(
    live: Callable[[], dict[Audience, Calibration | Uncalibrated]],
) -> None:
    """Before the first build the error names the command to run."""
    with pytest.raises(IndexMissing, match="clinic-qa build"):
        live()

from __future__ import annotations

import json
import shutil
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
from qa.settings import Answering, Settings, with_folders


class Loader:
    """Loads the made-up words' embedder under the real model's name, and counts how often."""

    def __init__(self) -> None:
        self.loaded = 0

    def __call__(self, settings: Model, files: ModelFiles | None = None) -> NamesEmbedder:
        self.loaded += 1
        return NamesEmbedder((files or ModelFiles.find(settings.name)).fingerprint(settings))


class Clinic:
    """Builds the corpus of a folder; each build is a day later than the one before."""

    def __init__(self, folder: Path, first: BuildReport | None = None) -> None:
        (folder / "corpus").mkdir(exist_ok=True, parents=True)
        answering = Answering(most_wrong=0.2, foreign_questions=folder / "foreign.txt")
        self.settings = with_folders(Settings(answering=answering), corpus=folder / "corpus", index=folder / "index")
        self.loader = Loader()
        self.builds = 0 if first is None else 1

    def write(self, number: int, *, audience: str = "patient") -> None:
        front_matter = f"---\naudience: {audience}\napproved_by: Dr. Test\n---\n"
        text = f"{front_matter}# {words(10 * number, 3)}\n\n{words(10 * number + 1, 8)}.\n"
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


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuildReport]:
    """A folder with 24 documents for patients and one for staff, few foreign questions, and what a build made."""
    folder = tmp_path_factory.mktemp("clinic")
    foreign = "\n".join(words(5000 + 5 * number, 5) for number in range(30))
    (folder / "foreign.txt").write_text(foreign, encoding="utf-8")
    clinic = Clinic(folder)
    for number in range(24):
        clinic.write(number)
    clinic.write(24, audience="staff")
    return folder, clinic.build()


@pytest.fixture
def first(built: tuple[Path, BuildReport]) -> BuildReport:
    """The first build's report."""
    return built[1]


@pytest.fixture
def clinic(built: tuple[Path, BuildReport], tmp_path: Path) -> Clinic:
    """The clinic after its first build, in a folder of this test."""
    return Clinic(shutil.copytree(built[0], tmp_path / "clinic"), built[1])


@pytest.fixture
def small(tmp_path: Path) -> Clinic:
    """A clinic with ten documents, before its first build."""
    made = Clinic(tmp_path / "small")
    (tmp_path / "small" / "foreign.txt").write_text("who won the cup\n" * 30, encoding="utf-8")
    for number in range(10):
        made.write(number)
    return made


def test_a_build_calibrates_each_audience(clinic: Clinic, first: BuildReport) -> None:
    """Each index gets a calibration of its own beside it, made that day from what its audience sees."""
    assert first.notes == ()
    patient, staff = (clinic.calibration(first, audience) for audience in Audience)
    assert {patient.audience, staff.audience} == set(Audience)
    assert patient.made_for != staff.made_for
    assert patient.made_on == NOW.date()
    assert not list(clinic.kept(first).parent.glob("*.failed"))


def test_a_rebuild_without_changes_takes_the_calibration_over(clinic: Clinic, first: BuildReport) -> None:
    """The same documents and settings keep their calibration, to the byte, and no model is loaded."""
    second = clinic.build()
    assert clinic.loader.loaded == 0
    assert second.generation != first.generation
    for audience in Audience:
        assert clinic.kept(second, audience).read_bytes() == clinic.kept(first, audience).read_bytes()


def test_another_bound_makes_it_anew(clinic: Clinic, first: BuildReport) -> None:
    """A changed bound is calibrated for, with the vectors that are there; going back takes the older one over."""
    second = clinic.build(most_wrong=0.3)
    assert clinic.loader.loaded == 1
    assert second.embedded == 0
    before, after = clinic.calibration(first), clinic.calibration(second)
    assert (before.bound, after.bound) == (0.2, 0.3)
    assert after.made_on > before.made_on
    third = clinic.build()
    assert clinic.loader.loaded == 0
    assert clinic.calibration(third) == before


def test_a_staff_document_changes_the_staff_calibration_alone(clinic: Clinic, first: BuildReport) -> None:
    """What patients see is as before: their calibration is taken over, the staff's is made anew."""
    clinic.write(25, audience="staff")
    second = clinic.build()
    assert clinic.calibration(second) == clinic.calibration(first)
    staff = clinic.calibration(second, Audience.STAFF)
    assert staff.made_for != clinic.calibration(first, Audience.STAFF).made_for
    assert staff.made_on > clinic.calibration(second).made_on


@pytest.mark.parametrize("damage", [b"{", b'{"format": 99}', b"[]"])
def test_a_damaged_calibration_is_made_anew(clinic: Clinic, first: BuildReport, damage: bytes) -> None:
    """A file that cannot be used is neither taken over nor an error."""
    whole = clinic.calibration(first)
    clinic.kept(first).write_bytes(damage)
    second = clinic.build()
    assert clinic.loader.loaded == 1
    again = clinic.calibration(second)
    assert again.confidence == whole.confidence
    assert again.made_on > whole.made_on


def test_too_few_documents_are_a_note_and_are_not_tried_again(small: Clinic) -> None:
    """Why there is no calibration is said at each build, without asking again while nothing changes."""
    first = small.build()
    assert len(first.notes) == 2
    assert "patient index is not calibrated" in first.notes[0]
    assert "at least 20" in first.notes[0]
    assert not small.kept(first).exists()
    second = small.build()
    assert (second.notes, small.loader.loaded) == (first.notes, 0)
    for number in range(10, 24):
        small.write(number)
    third = small.build()
    assert third.notes == ()
    assert small.kept(third).exists()


def test_a_damaged_reason_is_found_out_anew(small: Clinic) -> None:
    """A broken note of why there is no calibration is passed over."""
    first = small.build()
    for failed in small.kept(first).parent.glob("*.failed"):
        assert json.loads(failed.read_bytes())["reason"]
        failed.write_bytes(b"\xff{")
    assert small.build().notes == first.notes


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
    monkeypatch.setattr(
        "qa.calibrate.generation.SentenceEmbedder.load",
        lambda settings, files, **_threads: clinic.loader(settings, files),
    )
    later = NOW.date() + timedelta(days=100)
    return lambda: calibrate_live(clinic.settings, later, lambda *_: None)


def test_the_live_generation_is_calibrated_again(
    clinic: Clinic, first: BuildReport, live: Callable[[], dict[Audience, Calibration | Uncalibrated]]
) -> None:
    """Asked for, both calibrations are made anew in their place, whatever is there, with one model loaded."""
    before = clinic.calibration(first)
    made = live()
    assert clinic.loader.loaded == 1
    assert set(made) == set(Audience)
    after = clinic.calibration(first)
    assert made[Audience.PATIENT] == after
    assert (after.confidence, after.made_for) == (before.confidence, before.made_for)
    assert after.made_on > before.made_on
    assert not list(clinic.kept(first).parent.glob("*.tmp"))


def test_without_an_index_there_is_nothing_to_calibrate(
    clinic: Clinic, live: Callable[[], dict[Audience, Calibration | Uncalibrated]]
) -> None:
    """Before the first build the error names the command to run."""
    shutil.rmtree(clinic.settings.index.folder)
    with pytest.raises(IndexMissing, match="clinic-qa build"):
        live()

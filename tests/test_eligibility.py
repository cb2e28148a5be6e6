from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from builders import BY_SIMILARITY, as_built, entry, index_of
from conftest import NOW, WordEmbedder
from hypothesis import given
from hypothesis import strategies as st

import qa.live_labels
import qa.walk
from qa.answer import Library, decide, example_questions
from qa.audience import Audience
from qa.build import build
from qa.cite import cite
from qa.clock import Clock
from qa.eligibility import AsBuilt
from qa.embed import ModelFiles, ModelFingerprint
from qa.index import FaissIndex, open_index
from qa.judge import Judge
from qa.live_labels import LiveLabels
from qa.load import load_documents
from qa.metadata import patient_may_read, stricter
from qa.models import CitedPassage, Metadata, SignOff, Status
from qa.settings import Claims, Corpus, Settings, with_folders
from qa.sidecars import label, write_sidecar

Change = Callable[[Path], object]

TODAY = NOW.date()
APPROVED = "audience: patient\napproved_by: Dr. Test\napproved_on: 2026-11-01\n"
HOME = "# Getting home\n\n## When may I drive again?\n\nNo driving until the next morning."
JUDGE = Judge(replace(BY_SIMILARITY, threshold=0.0))
FILES = {
    "home.md": f"---\n{APPROVED}---\n{HOME}\n",
    "copy.md": f"---\n{APPROVED}---\n# A copy\n\nNo driving until the next morning.\n",
    "leaflets/eating.txt": "Eating\n\nFasting for six hours before the visit.\n",
    "leaflets/eating.txt.yaml": APPROVED,
    "leaflets/nausea.md": f"---\n{APPROVED}review_by: 2026-12-01\n---\n## How soon does nausea pass?\n\nSoon.\n",
    "open/cost.txt": "Cost\n\nThe cost is a hundred dollars.\n",
    "open/cost.txt.yaml": "approved_by: Dr. Test\n",
    "door.md": "---\naudience: staff\n---\n# Door\n\nThe code of the door.\n",
    "draft.md": "---\naudience: patient\nstatus: draft\n---\n# Anxiety\n\nAbout anxiety.\n",
}
THEIRS = {"home.md", "copy.md", "leaflets/eating.txt", "leaflets/nausea.md", "open/cost.txt"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with documents and the index that was built of them."""
    folder = tmp_path_factory.mktemp("built")
    for name, content in FILES.items():
        path = folder / "corpus" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(content, encoding="utf-8")
    settings = clinic(folder)
    build(
        settings,
        clock=lambda: NOW,
        load_embedder=lambda model, files: WordEmbedder(files.fingerprint(model)),
        calibrated=False,
    )
    return folder


@pytest.fixture
def corpus(built: Path, tmp_path: Path) -> Settings:
    """The settings of a clinic whose documents have just been built."""
    return clinic(Path(shutil.copytree(built, tmp_path / "clinic")))


def clinic(folder: Path) -> Settings:
    """The folder `open` below the documents is for patients."""
    settings = Settings(corpus=Corpus(folder_audience={"open": Audience.PATIENT}))
    return with_folders(settings, corpus=folder / "corpus", index=folder / "index")


@cache
def fingerprint() -> ModelFingerprint:
    """Of the default model, whose files take a moment to check."""
    return ModelFiles.find(Settings().model.name).fingerprint(Settings().model)


@contextmanager
def opened(settings: Settings, audience: Audience) -> Iterator[FaissIndex]:
    index = open_index(settings.index.folder, audience, fingerprint())
    yield index
    index.close()


@pytest.fixture
def index(corpus: Settings) -> Iterator[FaissIndex]:
    with opened(corpus, Audience.PATIENT) as index:
        yield index


@pytest.fixture
def labels(index: FaissIndex, corpus: Settings, clock: Clock) -> LiveLabels:
    """The patients' labels, looked at once."""
    return LiveLabels(index, corpus, clock)


@pytest.fixture
def rested(index: FaissIndex, corpus: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> LiveLabels:
    """The same, of files that have lain still for so long that their times are trusted."""
    file_clock = qa.walk._file_clock
    monkeypatch.setattr(qa.walk, "_file_clock", lambda: file_clock() + 10_000_000_000)
    return LiveLabels(index, corpus, clock)


@pytest.fixture
def staff(corpus: Settings, clock: Clock) -> Iterator[LiveLabels]:
    with opened(corpus, Audience.STAFF) as index:
        yield LiveLabels(index, corpus, clock)


@pytest.fixture
def folder(corpus: Settings) -> Path:
    return corpus.corpus.folder


def shown(labels: LiveLabels, index: FaissIndex, today: date = TODAY) -> set[str]:
    """The documents that the mask leaves; it never parts one."""
    mask = labels.mask(today)
    parts = {document.id: mask is None or mask[document.passages] for document in index.documents()}
    whole = {id_: True if part is True else set(part.tolist()) for id_, part in parts.items()}
    assert all(part in (True, {True}, {False}) for part in whole.values())
    return {id_ for id_, part in whole.items() if part in (True, {True})}


def labelled(name: str, **changes: object) -> Change:
    return lambda folder: label([folder / name], changes, today=TODAY)


def written(name: str, content: str) -> Change:
    return lambda folder: (folder / name).write_text(content, encoding="utf-8")


def replaced(name: str, old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return change


def moved(name: str, to: str) -> Change:
    return lambda folder: (folder / name).rename(folder / to)


def linked(name: str) -> Change:
    """The file or folder goes to another place, and a link stands for it, as if nothing had happened."""

    def change(folder: Path) -> None:
        elsewhere = folder.parent / "elsewhere"
        (folder / name).rename(elsewhere)
        (folder / name).symlink_to(elsewhere)

    return change


def folder_instead(folder: Path) -> None:
    (folder / "home.md").unlink()
    (folder / "home.md").mkdir()


TAKEN = {
    "withdrawn": ({"home.md"}, labelled("home.md", status="withdrawn")),
    "withdrawn by its label": ({"leaflets/eating.txt"}, labelled("leaflets/eating.txt", status="withdrawn")),
    "relabelled to staff": ({"leaflets/eating.txt"}, labelled("leaflets/eating.txt", audience="staff")),
    "a draft again": ({"leaflets/eating.txt"}, labelled("leaflets/eating.txt", status="draft")),
    "overdue": ({"leaflets/eating.txt"}, labelled("leaflets/eating.txt", review_by=TODAY - timedelta(days=1))),
    "without an approver": ({"leaflets/eating.txt"}, written("leaflets/eating.txt.yaml", "audience: patient\n")),
    "without a label": ({"leaflets/eating.txt"}, lambda folder: (folder / "leaflets/eating.txt.yaml").unlink()),
    "with a broken label": ({"leaflets/eating.txt"}, written("leaflets/eating.txt.yaml", "audience: [patient\n")),
    "with an empty label": ({"leaflets/eating.txt"}, written("leaflets/eating.txt.yaml", "")),
    "with a label in odd words": (
        {"leaflets/eating.txt"},
        written("leaflets/eating.txt.yaml", f"{APPROVED}expires: x"),
    ),
    "with a second label": ({"leaflets/eating.txt"}, written("leaflets/eating.txt.yml", APPROVED)),
    "with a misnamed label": ({"home.md"}, written("home.yaml", "status: withdrawn\n")),
    "with a label that has a suffix": ({"home.md"}, written("home.md.yaml.txt", "status: withdrawn\n")),
    "with a link for a label": ({"leaflets/eating.txt"}, linked("leaflets/eating.txt.yaml")),
    "with a new label": ({"home.md"}, written("home.md.yaml", "audience: staff\n")),
    "beside an orphan, in a folder": ({"open/cost.txt"}, written("open/costs.txt.yaml", "audience: staff\n")),
    "deleted": ({"home.md"}, lambda folder: (folder / "home.md").unlink()),
    "renamed": ({"home.md"}, moved("home.md", "house.md")),
    "moved with its label": ({"open/cost.txt"}, moved("open", "elsewhere")),
    "its folder moved": ({"leaflets/eating.txt", "leaflets/nausea.md"}, moved("leaflets", "door")),
    "a link": ({"home.md"}, linked("home.md")),
    "behind a link": ({"leaflets/eating.txt", "leaflets/nausea.md"}, linked("leaflets")),
    "a folder": ({"home.md"}, folder_instead),
    "emptied": ({"home.md"}, written("home.md", "")),
    "no text any more": ({"home.md"}, lambda folder: (folder / "home.md").write_bytes(bytes(range(256)) * 9)),
    "withdrawn in its front matter": ({"home.md"}, replaced("home.md", "audience", "status: withdrawn\naudience")),
    "for staff in its front matter": ({"home.md"}, replaced("home.md", "patient", "staff")),
    "without front matter": ({"home.md"}, written("home.md", HOME)),
    "with broken front matter": ({"home.md"}, replaced("home.md", "patient", "[patient")),
    "with front matter that is none": ({"home.md"}, written("home.md", f"\naudience: staff\n\n{HOME}")),
    "a text that says staff": (
        {"leaflets/eating.txt"},
        replaced("leaflets/eating.txt", "Eating", "Audience: staff\n\nEating"),
    ),
    "a twin": ({"home.md"}, written("HOME.md", "# Something else\n")),
}
CHANGES = pytest.mark.parametrize(("taken", "change"), TAKEN.values(), ids=TAKEN)


@CHANGES
def test_what_is_taken_away_is_not_confirmed(
    labels: LiveLabels, index: FaissIndex, folder: Path, taken: set[str], change: Change
) -> None:
    """Looked at again, a document that patients may not read any more is refused, and the mask has learnt of it."""
    change(folder)
    assert shown(labels, index) == THEIRS
    for document in THEIRS:
        assert labels.confirm([document]) is (document not in taken)
    assert shown(labels, index) == THEIRS - taken
    assert labels.confirm(THEIRS - taken)


@CHANGES
def test_what_is_taken_away_is_masked_by_the_next_refresh(
    rested: LiveLabels, index: FaissIndex, folder: Path, taken: set[str], change: Change
) -> None:
    """A refresh finds the same without being told where to look."""
    change(folder)
    rested.refresh()
    assert shown(rested, index) == THEIRS - taken


@CHANGES
def test_a_build_would_take_away_the_same(
    corpus: Settings, index: FaissIndex, clock: Clock, taken: set[str], change: Change
) -> None:
    """Labels just opened hold back exactly what a build at that moment would keep from patients."""
    change(corpus.corpus.folder)
    loaded = load_documents(corpus, cache=None, today=TODAY).documents
    theirs = {read.id for read in loaded if patient_may_read(read.metadata, TODAY)}
    assert shown(LiveLabels(index, corpus, clock), index) == theirs & THEIRS == THEIRS - taken


@CHANGES
def test_what_was_taken_away_comes_back_without_a_build(
    rested: LiveLabels, index: FaissIndex, folder: Path, taken: set[str], change: Change
) -> None:
    """Once everything is as it was at the build, patients get it again."""
    shutil.copytree(folder, folder.parent / "before")
    change(folder)
    for document in THEIRS:
        assert rested.confirm([document]) is (document not in taken)
    shutil.rmtree(folder)
    shutil.copytree(folder.parent / "before", folder)
    rested.refresh()
    assert shown(rested, index) == THEIRS
    assert rested.confirm(THEIRS)


@CHANGES
def test_staff_see_what_patients_do_not_get(staff: LiveLabels, folder: Path, taken: set[str], change: Change) -> None:
    """For staff nothing is masked, and what was taken from patients says so, looked up just before it is shown."""
    change(folder)
    assert staff.confirm(taken)
    assert staff.mask(TODAY) is None
    for document in taken:
        assert not patient_may_read(staff.metadata(document), TODAY)
    assert all(patient_may_read(staff.metadata(document), TODAY) for document in THEIRS - taken)


GRANTED = {
    "a draft approved": labelled("draft.md", status="approved", approved_by="Dr. Test"),
    "a draft's front matter": written("draft.md", f"---\n{APPROVED}---\nAbout anxiety.\n"),
    "staff's text opened": written("door.md", f"---\n{APPROVED}---\nThe code of the door.\n"),
    "another document": written("new.md", f"---\n{APPROVED}---\nNew.\n"),
    "a later review": replaced("leaflets/nausea.md", "2026-12-01", "2027-06-01"),
}


@pytest.mark.parametrize("change", GRANTED.values(), ids=GRANTED)
def test_nothing_is_granted_without_a_build(
    labels: LiveLabels, staff: LiveLabels, index: FaissIndex, folder: Path, change: Change
) -> None:
    """What label or front matter newly allow waits for a build; for staff it stays marked as it was."""
    change(folder)
    later = date(2026, 12, 2)
    for live in (labels, staff):
        live.refresh()
    assert shown(labels, index) == THEIRS
    assert shown(labels, index, later) == THEIRS - {"leaflets/nausea.md"}
    assert staff.metadata("draft.md").status is Status.DRAFT
    assert staff.metadata("door.md").audience is Audience.STAFF
    assert staff.metadata("leaflets/nausea.md").review_by == date(2026, 12, 1)


def test_a_document_expires_by_the_clinics_clock(index: FaissIndex, corpus: Settings, staff: LiveLabels) -> None:
    """Its last day is the day of its review; after that it is not shown, with no change on disk."""
    moments = [datetime(2026, 12, 1, 23, 59, tzinfo=NOW.tzinfo)]
    labels = LiveLabels(index, corpus, lambda: moments[-1])
    assert "leaflets/nausea.md" in shown(labels, index, moments[-1].date())
    assert labels.confirm(["leaflets/nausea.md"])
    moments.append(moments[-1] + timedelta(minutes=1))
    assert "leaflets/nausea.md" not in shown(labels, index, moments[-1].date())
    assert not labels.confirm(["leaflets/nausea.md"])
    assert staff.confirm(["leaflets/nausea.md"])


def test_an_earlier_review_date_counts_at_once(labels: LiveLabels, index: FaissIndex, folder: Path) -> None:
    """A review that is brought forward hides the document from that day on, and until then it is shown."""
    labelled("home.md", review_by=TODAY)(folder)
    labels.refresh()
    assert "home.md" in shown(labels, index)
    assert "home.md" not in shown(labels, index, TODAY + timedelta(days=1))


def test_a_new_text_under_the_old_label_keeps_the_old_one_shown(
    labels: LiveLabels, index: FaissIndex, folder: Path
) -> None:
    """A document that is being rewritten stays as it was built, until the next build, while its label allows it."""
    replaced("home.md", "next morning", "next noon")(folder)
    (folder / "leaflets" / "eating.txt").write_text("Eating\n\nFasting for eight hours.\n", encoding="utf-8")
    labels.refresh()
    assert shown(labels, index) == THEIRS
    assert labels.confirm(THEIRS)


def test_a_file_over_the_limit_is_closed(index: FaissIndex, corpus: Settings, clock: Clock) -> None:
    """What a build would refuse for its size is held back without being read."""
    small = corpus.model_copy(update={"corpus": corpus.corpus.model_copy(update={"max_file_mb": 0.0001})})
    home = corpus.corpus.folder / "home.md"
    assert home.stat().st_size > 100
    assert "home.md" not in shown(LiveLabels(index, small, clock), index)


def test_a_file_that_a_reader_stumbles_over_closes_itself_alone(
    labels: LiveLabels, index: FaissIndex, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong with one file holds that document back, and the others are looked at all the same."""

    def stumble(data: bytes, path: Path) -> object:
        if path.name == "home.md":
            raise LookupError("unknown encoding")
        return real(data, path)

    real = qa.live_labels.decode
    monkeypatch.setattr(qa.live_labels, "decode", stumble)
    labelled("copy.md", status="withdrawn")(folder)
    labels.refresh()
    assert shown(labels, index) == THEIRS - {"home.md", "copy.md"}


@contextmanager
def folder_gone(folder: Path) -> Iterator[None]:
    away = folder.rename(folder.with_name("away"))
    yield
    away.rename(folder)


@contextmanager
def folder_a_file(folder: Path) -> Iterator[None]:
    with folder_gone(folder):
        folder.write_text("no folder", encoding="utf-8")
        yield
        folder.unlink()


@contextmanager
def folder_forbidden(folder: Path) -> Iterator[None]:
    """Its entries can be looked at one by one, but not listed."""
    real = qa.live_labels.documents_in

    def refuse(root: Path, prefix: str) -> object:
        if not prefix:
            raise PermissionError(13, "Permission denied")
        return real(root, prefix)

    os.utime(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(qa.live_labels, "documents_in", refuse)
        yield
    os.utime(folder)


@pytest.mark.parametrize("trouble", [folder_gone, folder_a_file, folder_forbidden])
@pytest.mark.parametrize("looks", [1, 3])
def test_without_the_folder_everything_is_closed(
    labels: LiveLabels,
    index: FaissIndex,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    trouble: Callable[[Path], Collection[None]],
    looks: int,
) -> None:
    """A folder that cannot be listed closes every document, which the log says once, until it is back."""
    with caplog.at_level(logging.WARNING), trouble(folder):  # type: ignore[attr-defined] # a context manager
        for _ in range(looks):
            assert not labels.confirm(["home.md"])
            labels.refresh()
        assert shown(labels, index) == set()
    assert [record.message.count("cannot be listed") for record in caplog.records] == [1]
    assert "driving" not in caplog.text
    labels.refresh()
    assert shown(labels, index) == THEIRS


def test_an_empty_folder_in_its_place_closes_everything(labels: LiveLabels, index: FaissIndex, folder: Path) -> None:
    """A drive that is not mounted leaves an empty folder, which holds no document."""
    folder.rename(folder.with_name("away"))
    folder.mkdir()
    assert not labels.confirm(["home.md"])
    labels.refresh()
    assert shown(labels, index) == set()


def test_the_folder_itself_may_be_a_link(index: FaissIndex, corpus: Settings, clock: Clock) -> None:
    """A clinic may keep its documents on another disk, behind a link."""
    elsewhere = corpus.corpus.folder.rename(corpus.corpus.folder.with_name("disk"))
    corpus.corpus.folder.symlink_to(elsewhere)
    assert shown(LiveLabels(index, corpus, clock), index) == THEIRS


class Changing(WordEmbedder):
    """Makes a change on the disk while the question is being looked up, after the mask was taken."""

    def __init__(self, change: Callable[[], object]) -> None:
        super().__init__()
        self._changes = [change]

    def encode_tokens(self, texts):  # noqa: ANN001, ANN201 - the fake's own signature
        for change in self._changes[:1]:
            self._changes.clear()
            change()
        return super().encode_tokens(texts)


@pytest.fixture
def asked(index: FaissIndex, labels: LiveLabels, corpus: Settings):  # noqa: ANN201 - a function
    """What is shown for "driving?" while something changes, with its citations."""

    def ask(change: Callable[[], object] = lambda: None) -> tuple[CitedPassage, ...]:
        library = Library(index, labels, JUDGE)
        embedder = Changing(change)
        decided = decide(
            "driving?", Audience.PATIENT, library=library, embedder=embedder, settings=corpus, now=NOW, top=1
        )
        return cite(decided.found.hits, decided.found.query, index, labels, TODAY)

    return ask


def cited(passages: tuple[CitedPassage, ...]) -> set[str]:
    """Every document that is named."""
    return {each.document for passage in passages for each in (passage.citation, *passage.citation.also_in)}


@pytest.mark.parametrize("name", ["home.md", "copy.md"])
@pytest.mark.parametrize("change", [labelled, None], ids=["withdrawn", "deleted"])
def test_a_label_that_changes_while_somebody_asks_counts(
    asked: Callable[..., tuple[CitedPassage, ...]], folder: Path, name: str, change: object
) -> None:
    """Between finding and showing, a document is looked at again: neither its passage nor its name is shown."""
    assert cited(asked()) == {"home.md", "copy.md"}
    take = labelled(name, status="withdrawn") if change else lambda folder: (folder / name).unlink()
    assert cited(asked(lambda: take(folder))) == {"home.md", "copy.md"} - {name}


def test_a_withdrawn_document_is_no_further_source(
    asked: Callable[..., tuple[CitedPassage, ...]], labels: LiveLabels, folder: Path
) -> None:
    """The same text in a withdrawn document is not named beside the one that patients get."""
    labelled("copy.md", status="withdrawn")(folder)
    labels.refresh()
    (passage,) = asked()
    assert (passage.citation.document, passage.citation.also_in) == ("home.md", ())


def test_labels_that_never_rest_end_in_no_answer(index: FaissIndex, corpus: Settings, labels: LiveLabels) -> None:
    """When what is found is refused again and again, nothing is shown."""

    class Never(AsBuilt):
        def confirm(self, _ids: object) -> bool:  # type: ignore[override] # a fake that looks at nothing
            return False

    decided = decide(
        "driving?",
        Audience.PATIENT,
        library=Library(index, Never(index), JUDGE),
        embedder=WordEmbedder(),
        settings=corpus,
        now=NOW,
    )
    assert decided.found.hits == ()
    assert labels.confirm(THEIRS)


@pytest.mark.parametrize("is_refreshed", [False, True])
def test_example_questions_name_no_withdrawn_document(
    index: FaissIndex, labels: LiveLabels, folder: Path, *, is_refreshed: bool
) -> None:
    """A heading of a withdrawn document is no example, whether or not the withdrawal has been noticed yet."""
    library = Library(index, labels)
    assert example_questions(library, 4, TODAY) == {
        "When may I drive again?": "home.md",
        "How soon does nausea pass?": "leaflets/nausea.md",
    }
    labelled("home.md", status="withdrawn")(folder)
    if is_refreshed:
        labels.refresh()
    assert example_questions(library, 4, TODAY) == {"How soon does nausea pass?": "leaflets/nausea.md"}


def test_files_that_stay_as_they_are_are_not_opened(
    rested: LiveLabels, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at settled files and folders opens and lists nothing; what changes then is still found."""
    looked: list[str] = []
    real_list, real_said = qa.live_labels.documents_in, qa.live_labels.metadata_of
    monkeypatch.setattr(qa.live_labels, "documents_in", lambda *of: looked.append("listed") or real_list(*of))
    monkeypatch.setattr(qa.live_labels, "metadata_of", lambda *of: looked.append("read") or real_said(*of))
    rested.refresh()
    assert rested.confirm(THEIRS)
    assert looked == []
    mask = rested.mask(TODAY)
    written("leaflets/eating.txt.yaml", f"{APPROVED}status: withdrawn\n")(folder)
    assert not rested.confirm(["leaflets/eating.txt"])
    assert looked == ["read"]
    assert rested.mask(TODAY) is not mask
    written("home.md.yaml", "audience: staff\n")(folder)
    assert not rested.confirm(["home.md"])
    assert looked == ["read", "listed", "read"]


def test_files_that_changed_just_now_are_read_again(
    labels: LiveLabels, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within two seconds a second change may leave no trace in the times of a file or folder: these are not trusted."""
    newest = max(path.stat().st_ctime_ns for path in [folder, *folder.rglob("*")])
    looked: list[str] = []
    real_list, real_said = qa.live_labels.documents_in, qa.live_labels.metadata_of
    monkeypatch.setattr(qa.live_labels, "documents_in", lambda *of: looked.append("listed") or real_list(*of))
    monkeypatch.setattr(qa.live_labels, "metadata_of", lambda file, *of: looked.append(file.id) or real_said(file, *of))
    for later, seen in [(1_900_000_000, True), (2_100_000_000, True), (2_200_000_000, False)]:
        monkeypatch.setattr(qa.walk, "_file_clock", lambda later=later: newest + later)
        looked.clear()
        assert labels.confirm(["home.md", "copy.md"])
        assert looked == (["listed", "home.md", "copy.md"] if seen else [])


def test_a_label_that_changed_just_now_is_read_again(
    labels: LiveLabels, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document whose own file is old is looked into all the same while its label is new."""
    time.sleep(0.05)
    new = folder / "leaflets" / "eating.txt.yaml"
    new.write_text(APPROVED, encoding="utf-8")
    changed = new.stat().st_ctime_ns
    monkeypatch.setattr(qa.walk, "_file_clock", lambda: changed + 1_970_000_000)
    read: list[str] = []
    real = qa.live_labels.metadata_of
    monkeypatch.setattr(qa.live_labels, "metadata_of", lambda file, *of: read.append(file.id) or real(file, *of))
    assert labels.confirm(["leaflets/eating.txt"])
    assert labels.confirm(["leaflets/eating.txt"])
    assert read == ["leaflets/eating.txt", "leaflets/eating.txt"]


def test_the_mask_stays_the_same_while_nothing_changes(labels: LiveLabels, folder: Path) -> None:
    """Whoever keeps what was made for a mask can tell by the mask itself whether it still holds."""
    labelled("home.md", status="withdrawn")(folder)
    labels.refresh()
    mask = labels.mask(TODAY)
    labels.refresh()
    assert labels.confirm(["copy.md"])
    assert mask is not None
    assert labels.mask(TODAY) is mask


def test_no_mask_where_everything_may_be_shown(labels: LiveLabels) -> None:
    """As from the index itself, None says that all may be shown."""
    assert labels.mask(TODAY) is None


def test_a_document_that_the_index_has_not_is_a_mistake(labels: LiveLabels) -> None:
    """Asking for another index's document is an error, not a quiet no."""
    with pytest.raises(KeyError):
        labels.metadata("door.md")
    with pytest.raises(KeyError):
        labels.confirm(["door.md"])


def test_title_and_version_stay_those_of_the_text_that_is_shown(staff: LiveLabels, folder: Path) -> None:
    """A label that was rewritten for the next version says nothing about the one in the index."""
    before = staff.metadata("leaflets/eating.txt")
    labelled("leaflets/eating.txt", title="Food", version="9", approved_by="Another", approved_on=TODAY)(folder)
    staff.refresh()
    assert staff.metadata("leaflets/eating.txt") == before


def test_a_deleted_document_is_withdrawn_to_staff(staff: LiveLabels, folder: Path) -> None:
    """Staff still find it until the next build, marked."""
    (folder / "home.md").unlink()
    staff.refresh()
    now = staff.metadata("home.md")
    assert (now.audience, now.status) == (Audience.STAFF, Status.WITHDRAWN)


def test_many_may_look_at_once(labels: LiveLabels, index: FaissIndex, folder: Path) -> None:
    """While refreshes run in other threads, a document is refused from the moment its label says so."""
    stop = threading.Event()

    def refresh() -> None:
        while not stop.is_set():
            labels.refresh()

    threads = [threading.Thread(target=refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            labelled("home.md", status="withdrawn")(folder)
            assert not labels.confirm(["home.md"])
            assert "home.md" not in shown(labels, index)
            labelled("home.md", status="approved")(folder)
            assert labels.confirm(["home.md"])
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_as_built_knows_what_the_index_knows(tmp_path: Path, embedder: WordEmbedder) -> None:
    """Without a folder of documents, the index's own dates decide, and whatever is asked is confirmed."""
    index = index_of(tmp_path / "index", [entry("a", "driving", review_by=TODAY), entry("b", "cost")], embedder)
    eligibility = as_built(index).eligibility
    assert eligibility.mask(TODAY) is None
    mask = eligibility.mask(TODAY + timedelta(days=1))
    assert mask is not None
    assert mask.tolist() == [False, True]
    assert eligibility.metadata("a").review_by == TODAY
    assert eligibility.confirm(["a", "b"])


DAYS = st.none() | st.dates(date(2024, 2, 27), date(2028, 3, 2))
STATEMENTS = st.builds(
    Metadata,
    title=st.just("A title"),
    audience=st.sampled_from(Audience),
    status=st.sampled_from(Status),
    approved_on=DAYS,
    review_by=DAYS,
)


@given(then=STATEMENTS, now=STATEMENTS, today=st.dates(date(2024, 2, 1), date(2029, 4, 1)))
def test_the_stricter_of_then_and_now(then: Metadata, now: Metadata, today: date) -> None:
    """Patients may read what is put together on exactly the days on which they may read both."""
    both = patient_may_read(then, today) and patient_may_read(now, today)
    assert patient_may_read(stricter(then, now), today) is both
    assert patient_may_read(stricter(now, then), today) is both
    assert stricter(then, then) == then
    assert stricter(stricter(then, now), now) == stricter(then, now)


@pytest.mark.parametrize(("mode", "taken"), [("block", True), ("warn", False)])
def test_a_sign_off_that_is_taken_back_takes_the_document_away(
    tmp_path: Path, settings: Settings, embedder: WordEmbedder, clock: Clock, mode: str, *, taken: bool
) -> None:
    """Where claims wait for a sign-off, a document that was shown because of one is not without it; it comes back."""
    settings = settings.model_copy(update={"claims": Claims.model_validate({"mode": mode})})
    sign_off = SignOff("5" * 64, "Dr. Test", TODAY)
    built = entry("safe.md", "Ketamine is safe.")
    built = replace(built, metadata=replace(built.metadata, signed_off=(sign_off,)))
    path = settings.corpus.folder / "safe.md"
    path.write_text("Ketamine is safe.", encoding="utf-8")
    write_sidecar(path, {"audience": "patient", "approved_by": "Dr. Test", "signed_off": [sign_off]})
    index = index_of(tmp_path / "patient", [built], embedder)
    labels = LiveLabels(index, settings, clock)
    assert labels.confirm(["safe.md"])
    write_sidecar(path, {"signed_off": []})
    assert labels.confirm(["safe.md"]) is not taken
    assert shown(labels, index) == (set() if taken else {"safe.md"})
    write_sidecar(path, {"signed_off": [sign_off]})
    assert labels.confirm(["safe.md"])
    index.close()

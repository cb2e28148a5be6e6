from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from builders import as_built
from conftest import NOW, WordEmbedder
from filelock import FileLock

from qa.answer import answer
from qa.audience import Audience
from qa.build import BuildReport, build
from qa.clock import Clock
from qa.embed import Model, ModelFiles
from qa.errors import BuildError, BuildRunning, IndexCorrupt, IndexMissing, NothingToPublish, QAError
from qa.index import current_generation, open_index
from qa.index.generations import generations, publish, read_report
from qa.publish import RolledBack, roll_back
from qa.settings import Settings
from qa.sidecars import label

Words = Callable[[Model, ModelFiles], WordEmbedder]
HOME = "# Getting home\n\nNo driving until the morning."
PLANTED = "The vault of the violet giraffe opens at midnight."


def write(settings: Settings, name: str, text: str, **metadata: str) -> Path:
    path = settings.corpus.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "".join(f"{key}: {value}\n" for key, value in metadata.items())
    path.write_text(f"---\n{head}---\n{text}\n" if head else f"{text}\n", encoding="utf-8")
    return path


APPROVED = {"audience": "patient", "approved_by": "Dr. Test", "approved_on": "2026-11-01"}


@pytest.fixture
def corpus(settings: Settings) -> Settings:
    write(settings, "home.md", HOME, **APPROVED)
    write(settings, "eating.md", "# Eating\n\nFasting for six hours.", **APPROVED)
    write(settings, "door.md", f"# Door\n\n{PLANTED}", audience="staff")
    return settings


@pytest.fixture
def run(corpus: Settings, load_words: Words) -> Callable[..., BuildReport]:
    """Build the corpus; each build is a minute later than the one before."""
    moments = iter(NOW + timedelta(minutes=minute) for minute in range(99))

    def built(settings: Settings = corpus, load: Words = load_words) -> BuildReport:
        now = next(moments)
        return build(settings, clock=lambda: now, load_embedder=load)

    return built


def held(settings: Settings, audience: Audience) -> list[str]:
    fingerprint = ModelFiles.find(settings.model.name).fingerprint(settings.model)
    index = open_index(settings.index.folder, audience, fingerprint)
    try:
        return [document.id for document in index.documents()]
    finally:
        index.close()


def test_each_audience_gets_its_index(run: Callable[..., BuildReport], corpus: Settings) -> None:
    """Patients get what is theirs, staff get everything, and the report counts both."""
    report = run()
    assert held(corpus, Audience.PATIENT) == ["eating.md", "home.md"]
    assert held(corpus, Audience.STAFF) == ["door.md", "eating.md", "home.md"]
    assert report.documents == {"patient": 2, "staff": 3}
    assert report.passages == {"patient": 2, "staff": 3}
    assert (report.embedded, report.from_cache) == (3, 0)


def contents(path: Path) -> list[bytes]:
    """The bytes of a file, and what is packed into the values of a database."""
    if not path.is_file():
        return []
    found = [path.read_bytes()]
    if path.suffix == ".sqlite":
        connection = sqlite3.connect(path)
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        values = [
            value
            for table in tables
            for row in connection.execute(f"select * from {table}")  # noqa: S608 - the database's own names
            for value in row
        ]
        connection.close()
        blobs = [value for value in values if isinstance(value, bytes)]
        assert blobs
        found += [zlib.decompress(blob) for blob in blobs]
    return found


def test_staff_text_is_in_no_byte_of_the_patients_index(run: Callable[..., BuildReport], corpus: Settings) -> None:
    """A sentence planted in a staff document, its words and its file's name are nowhere in the patients' files."""
    folder = corpus.index.folder / "generations" / run().generation
    staff = [content for path in (folder / "staff").rglob("*") for content in contents(path)]
    for planted in (PLANTED, "violet", "giraff", "door.md"):
        assert any(planted.encode() in content for content in staff)
        for path in (folder / "patient").rglob("*"):
            assert not any(planted.encode() in content for content in contents(path)), path


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"audience": "staff"},
        {"audience": "everyone"},
        {"audience": "patient", "status": "draft"},
        {"audience": "patient", "status": "withdrawn"},
        {**APPROVED, "review_by": "2026-11-22"},
        {**APPROVED, "review_by": "soon"},
    ],
)
def test_patients_get_nothing_that_is_not_plainly_theirs(
    run: Callable[..., BuildReport], corpus: Settings, metadata: dict[str, str]
) -> None:
    """Unlabelled, mislabelled, draft, withdrawn and overdue documents stay with the staff."""
    write(corpus, "other.md", "# Other\n\nAbout nausea.", **metadata)
    run()
    assert "other.md" not in held(corpus, Audience.PATIENT)
    assert "other.md" in held(corpus, Audience.STAFF)


def test_a_rebuild_embeds_only_what_changed(run: Callable[..., BuildReport], corpus: Settings) -> None:
    """After one changed file everything else comes from the caches."""
    run()
    write(corpus, "home.md", "# Getting home\n\nNo driving until noon.", **APPROVED)
    report = run()
    assert (report.embedded, report.from_cache) == (1, 2)


def test_a_rebuild_without_changes_loads_no_model(run: Callable[..., BuildReport]) -> None:
    """When the cache knows every vector, the model is not even loaded."""
    run()

    def refuse(_settings: Model, _files: ModelFiles) -> WordEmbedder:
        raise AssertionError("the model was loaded")

    assert run(load=refuse).embedded == 0


def test_a_rebuild_reads_only_what_changed(
    run: Callable[..., BuildReport], corpus: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one changed file no other file is opened again."""
    run()
    changed = write(corpus, "home.md", "# Getting home\n\nNo driving until noon.", **APPROVED)
    opened: list[str] = []
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path.name) or real(path))
    assert run().load.read_count == 3
    assert {name for name in opened if name.endswith(".md")} <= {changed.name}


def test_ids_stay_when_another_document_changes(run: Callable[..., BuildReport], corpus: Settings) -> None:
    """A passage keeps its id while its own document stays as it is."""

    def ids() -> list[str]:
        fingerprint = ModelFiles.find(corpus.model.name).fingerprint(corpus.model)
        index = open_index(corpus.index.folder, Audience.PATIENT, fingerprint)
        return [passage.id for passage in index.passages(index.document("home.md").passages)]

    run()
    before = ids()
    write(corpus, "eating.md", "# Eating\n\nFasting. Fasting. Fasting.\n\n# More\n\nNausea.", **APPROVED)
    write(corpus, "a-new-one.md", "# New\n\nCost.", **APPROVED)
    run()
    assert ids() == before


def test_a_corpus_without_a_telling_word_is_built(settings: Settings, clock: Clock, load_words: Words) -> None:
    """Documents of nothing but words that stand in any question have an index like others."""
    write(settings, "is.md", "# What is it?\n\nIs it on? It is.", **APPROVED)
    report = build(settings, clock=clock, load_embedder=load_words)
    assert report.passages == {"patient": 1, "staff": 1}
    assert held(settings, Audience.PATIENT) == ["is.md"]


def test_one_bad_file_never_stops_the_others(run: Callable[..., BuildReport], corpus: Settings) -> None:
    """A file that cannot be read is a line of the report, and everything else is published."""
    (corpus.corpus.folder / "broken.pdf").write_bytes(b"%PDF-1.4 no more")
    report = run()
    assert [line.path for line in report.load.failed] == ["broken.pdf"]
    assert report.documents["patient"] == 2


def test_an_empty_corpus_publishes_nothing(settings: Settings, clock: Clock, load_words: Words) -> None:
    """Without a document there is nothing to publish; the error says where to put some."""
    with pytest.raises(NothingToPublish, match="Put documents into this folder"):
        build(settings, clock=clock, load_embedder=load_words)
    assert current_generation(settings.index.folder) is None


def test_a_missing_corpus_folder_says_so(settings: Settings, clock: Clock, load_words: Words) -> None:
    """A folder that is not there is an error that names it."""
    settings.corpus.folder.rmdir()
    with pytest.raises(QAError, match="corpus"):
        build(settings, clock=clock, load_embedder=load_words)


def test_a_corpus_that_vanished_does_not_replace_the_live_generation(
    run: Callable[..., BuildReport], corpus: Settings
) -> None:
    """When every document is gone (a drive that is not mounted), the old generation stays live."""
    live = run().generation
    for path in corpus.corpus.folder.iterdir():
        path.unlink()
    with pytest.raises(NothingToPublish):
        run()
    assert current_generation(corpus.index.folder) == live


def test_the_second_of_two_builds_stops(run: Callable[..., BuildReport], corpus: Settings) -> None:
    """While one build holds the folder, another says so and changes nothing."""
    live = run().generation
    with FileLock(corpus.index.folder / "build.lock"), pytest.raises(BuildRunning, match="another build is running"):
        run()
    assert current_generation(corpus.index.folder) == live


def test_rollback_goes_one_generation_back(run: Callable[..., BuildReport], corpus: Settings, clock: Clock) -> None:
    """Each rollback makes the generation before the live one live, until there is none."""
    first, second, third = (run().generation for _ in range(3))
    assert roll_back(corpus, clock) == RolledBack(third, second, earlier=())
    assert roll_back(corpus, clock) == RolledBack(second, first, earlier=())
    with pytest.raises(BuildError, match="no generation to go back to"):
        roll_back(corpus, clock)
    assert current_generation(corpus.index.folder) == first


def test_rollback_brings_back_earlier_wording(run: Callable[..., BuildReport], corpus: Settings, clock: Clock) -> None:
    """A document that changed and is still for patients comes back as it was, and is named."""
    run()
    write(corpus, "home.md", "# Getting home\n\nNo driving until noon.", **APPROVED)
    run()
    assert roll_back(corpus, clock).earlier == ("home.md",)


def relabel(**metadata: str) -> Callable[[Settings], None]:
    return lambda settings: write(settings, "home.md", HOME, **metadata) and None


def move(settings: Settings) -> None:
    (settings.corpus.folder / "home.md").rename(settings.corpus.folder / "other.md")
    label([settings.corpus.folder / "other.md"], {"audience": "staff"}, today=NOW.date())


def reuse_the_name(settings: Settings) -> None:
    move(settings)
    write(settings, "home.md", "# Something else\n\nAbout nausea.", **APPROVED)


def empty(settings: Settings) -> None:
    for path in settings.corpus.folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    "take",
    [
        relabel(audience="staff"),
        relabel(**APPROVED, status="withdrawn"),
        relabel(**APPROVED, review_by="2026-11-22"),
        relabel(**APPROVED, review_by="2026-11-30"),
        relabel(audience="patient", odd="a: [1"),
        lambda settings: (settings.corpus.folder / "home.md").unlink(),
        move,
        reuse_the_name,
        empty,
    ],
)
def test_rollback_gives_patients_nothing_back_that_was_taken(
    run: Callable[..., BuildReport], corpus: Settings, clock: Clock, take: Callable[[Settings], None]
) -> None:
    """What was relabelled, withdrawn, moved, deleted, made due earlier or unreadable stays away from patients."""
    run()
    live = run().generation
    take(corpus)
    with pytest.raises(BuildError, match=r"home\.md"):
        roll_back(corpus, clock)
    assert current_generation(corpus.index.folder) == live


def test_the_staffs_index_in_the_patients_place_is_not_opened(
    run: Callable[..., BuildReport], corpus: Settings
) -> None:
    """An index is opened only as the audience's and the generation's that it was made for."""
    folder = corpus.index.folder / "generations" / run().generation
    shutil.rmtree(folder / "patient")
    shutil.copytree(folder / "staff", folder / "patient")
    with pytest.raises(IndexCorrupt, match="not the one that belongs here"):
        held(corpus, Audience.PATIENT)


@pytest.mark.parametrize("content", [b"", b"../../elsewhere", b"\xff\xfe", b"20261123T150000.000000Z/staff/.."])
def test_a_pointer_that_names_no_generation_is_an_error(
    run: Callable[..., BuildReport], corpus: Settings, content: bytes
) -> None:
    """The pointer leads to a generation or nowhere, and a build mends it."""
    run()
    (corpus.index.folder / "current").write_bytes(content)
    with pytest.raises(IndexCorrupt, match="clinic-qa build"):
        held(corpus, Audience.PATIENT)
    run()
    assert held(corpus, Audience.PATIENT)


def test_only_the_newest_generations_stay(run: Callable[..., BuildReport], corpus: Settings) -> None:
    """As many generations are kept as the settings say, the live one among them."""
    names = [run().generation for _ in range(5)]
    assert generations(corpus.index.folder) == names[-3:]


def test_the_report_stays_beside_its_generation(run: Callable[..., BuildReport], corpus: Settings) -> None:
    """What a build read and warned about can be looked up later."""
    report = run()
    kept = read_report(corpus.index.folder)
    assert kept == json.loads(json.dumps(report.as_json()))


def test_progress_is_told_stage_by_stage(corpus: Settings, clock: Clock, load_words: Words) -> None:
    """Each stage counts up to its end, in order."""
    seen: list[tuple[str, int, int]] = []
    build(corpus, clock=clock, load_embedder=load_words, progress=lambda *step: seen.append(step))
    assert list(dict.fromkeys(stage for stage, _, _ in seen)) == ["read", "split", "embed", "index"]
    ends = {stage: (done, everything) for stage, done, everything in seen}
    assert all(done == everything for done, everything in ends.values())


def test_settings_that_shape_nothing_do_not_invalidate_an_index(
    run: Callable[..., BuildReport], corpus: Settings
) -> None:
    """A new phone number needs no build."""
    run()
    clinic = corpus.clinic.model_copy(update={"phone": "555-0199", "name": "Another"})
    assert held(corpus.model_copy(update={"clinic": clinic}), Audience.PATIENT)


def test_before_the_first_build_the_error_names_the_command(settings: Settings) -> None:
    """An index that was never built says what to run."""
    with pytest.raises(IndexMissing, match="clinic-qa build"):
        held(settings, Audience.PATIENT)


BUILD_SCRIPT = """
import sys
from datetime import datetime
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import WordEmbedder
from qa.build import build
from qa.settings import Settings, with_folders
settings = with_folders(Settings(index={"keep_generations": 50}), corpus=Path(sys.argv[2]), index=Path(sys.argv[3]))
build(settings, clock=lambda: datetime.fromisoformat(sys.argv[4]),
      load_embedder=lambda model, files: WordEmbedder(files.fingerprint(model)))
"""


def start_build(settings: Settings, moment: datetime) -> subprocess.Popen[bytes]:
    places = [str(Path(__file__).parent), str(settings.corpus.folder), str(settings.index.folder), moment.isoformat()]
    return subprocess.Popen([sys.executable, "-c", BUILD_SCRIPT, *places])


def test_a_build_that_is_killed_changes_nothing(
    run: Callable[..., BuildReport], corpus: Settings, sample_settings: Settings, clock: Clock
) -> None:
    """Killed at twenty moments, a build leaves the old generation answering, and the next build succeeds."""
    live = run().generation
    fingerprint = ModelFiles.find(corpus.model.name).fingerprint(corpus.model)
    started = time.monotonic()
    assert start_build(corpus, NOW + timedelta(hours=1)).wait() == 0
    whole = time.monotonic() - started
    publish(corpus.index.folder, live)
    killed = 0
    for moment in range(20):
        # Another text each time, so that every build has something to read and to embed.
        write(corpus, "home.md", f"# Getting home\n\nNo driving until {moment} in the morning.", **APPROVED)
        process = start_build(corpus, NOW + timedelta(hours=2, minutes=moment))
        time.sleep(whole * (moment + 1) / 21)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if current_generation(corpus.index.folder) != live:  # it had published before the signal came
            publish(corpus.index.folder, live)
        index = open_index(corpus.index.folder, Audience.PATIENT, fingerprint)
        reply = answer(
            "driving?",
            Audience.PATIENT,
            library=as_built(index),
            embedder=WordEmbedder(fingerprint),
            settings=sample_settings,
            clock=clock,
        )
        index.close()
        assert (reply.generation, reply.passages[0].text) == (live, "No driving until the morning.")
    assert killed >= 10
    assert start_build(corpus, NOW + timedelta(days=1)).wait() == 0
    assert held(corpus, Audience.PATIENT) == ["eating.md", "home.md"]
    assert not [path for path in (corpus.index.folder / "generations").iterdir() if path.name.endswith(".unfinished")]

from __future__ import annotations

import logging
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from click.testing import CliRunner
from conftest import NOW

from qa.audience import Audience
from qa.cli import main
from qa.errors import JournalError
from qa.journal import Journal, Purged, Retention
from qa.models import Answer, AnswerKind, Level, Triaged, Urgency
from qa.settings import Journal as JournalSettings
from qa.settings import Settings, State, load_settings

KEEP_DAYS = 30
LATER = NOW + timedelta(days=KEEP_DAYS, seconds=1)
KILLS = 25


class MovingClock:
    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def reply(question: str) -> Answer:
    return Answer(
        question=question,
        audience=Audience.PATIENT,
        kind=AnswerKind.NOT_COVERED,
        triaged=Triaged(Urgency.NONE, "", 0.0),
        guidance=(),
        confidence=0.1,
        level=Level.NOT_COVERED,
        pinned=False,
        passages=(),
        notices=("Please call.",),
        generation="g",
        elapsed_ms=1.0,
    )


def journal(folder: Path, clock: MovingClock, questions: Literal["none", "full"] = "full") -> Journal:
    return Journal(
        Settings(
            state=State(folder=folder / "state"), journal=JournalSettings(questions=questions, keep_days=KEEP_DAYS)
        ),
        clock,
    )


@pytest.fixture
def moving() -> MovingClock:
    return MovingClock()


@pytest.fixture
def kept(tmp_path: Path, moving: MovingClock) -> Journal:
    return journal(tmp_path, moving)


def rows(of: Journal) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"file:{of.path}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT * FROM question ORDER BY asked_at, text").fetchall()
    finally:
        connection.close()


def bytes_on_disk(of: Journal) -> bytes:
    """All that is in the state folder, whatever the files are called."""
    return b"".join(path.read_bytes() for path in of.path.parent.rglob("*") if path.is_file())


def test_without_consent_nothing_is_made(tmp_path: Path, moving: MovingClock) -> None:
    """With questions "none", recording and enforcing leave no file and no folder."""
    off = journal(tmp_path, moving, "none")
    off.record(reply("may I drive?"))
    assert off.enforce() == Purged(0, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_question_is_written_down(kept: Journal) -> None:
    """A row says when, for whom, what, with which outcome, and nothing of who asked."""
    kept.record(reply("may I drive?"))
    assert rows(kept) == [(int(NOW.timestamp()), "patient", "may I drive?", "not_covered", "not_covered", "[]")]


def test_a_question_that_is_too_long_is_written_down_in_part(kept: Journal) -> None:
    """Of a question that nobody looks up for its length, no more is written than of the longest that is looked up."""
    kept.record(reply("a" * 1_000_000))
    assert [len(str(row[2])) for row in rows(kept)] == [Settings().answering.max_question_characters]


def test_the_journal_is_its_owners_alone(kept: Journal) -> None:
    """The folder has mode 700 and the file 600, also a file that was open to others before."""
    kept.record(reply("one"))
    assert stat.S_IMODE(kept.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    kept.path.chmod(0o644)
    kept.record(reply("two"))
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600


def test_a_folder_that_others_write_into_is_refused(kept: Journal, caplog: pytest.LogCaptureFixture) -> None:
    """Where others could put a file of theirs in its place, nothing is written, and the log says why."""
    kept.path.parent.mkdir(mode=0o700)
    kept.path.parent.chmod(0o777)
    kept.record(reply("may I drive?"))
    assert list(kept.path.parent.iterdir()) == []
    assert "chmod 700" in caplog.text
    assert "drive" not in caplog.text


@pytest.mark.parametrize(
    ("after", "left"),
    [
        (timedelta(days=KEEP_DAYS), ["asked"]),
        (timedelta(days=KEEP_DAYS, seconds=1), []),
        (timedelta(days=-2), []),
    ],
    ids=["on the last day", "a second later", "asked in the future"],
)
def test_a_question_is_kept_for_its_days(kept: Journal, moving: MovingClock, after: timedelta, left: list[str]) -> None:
    """A question stays for `keep_days` and not a second longer; one of a clock that ran ahead does not stay."""
    kept.record(reply("asked"))
    moving.now = NOW + after
    assert kept.enforce() == Purged(1 - len(left), len(left))
    assert [row[2] for row in rows(kept)] == left


def test_nothing_of_a_deleted_question_is_left_in_any_file(kept: Journal, moving: MovingClock) -> None:
    """Of short and long questions, asked and deleted in turns, no byte of the deleted ones stays; the others do."""
    drawn = random.Random(5)  # noqa: S311 - not for secrets
    for number in range(400):
        old = drawn.random() < 0.5
        moving.now = NOW if old else LATER
        kept.record(reply(f"{'old' if old else 'new'}-{number}-zebra " + "quokka " * drawn.choice([1, 5, 700])))
        if number % 100 == 50:
            moving.now = LATER
            kept.enforce()
    moving.now = LATER
    assert b"old-" in bytes_on_disk(kept)
    purged = kept.enforce()
    content = bytes_on_disk(kept)
    assert purged.deleted > 0
    assert b"old-" not in content
    assert content.count(b"new-") == purged.kept
    kept.purge(None)
    content = bytes_on_disk(kept)
    assert b"zebra" not in content
    assert b"quokka" not in content
    assert [path.name for path in kept.path.parent.iterdir()] == ["journal.sqlite"]


def test_a_vacuum_that_is_owed_is_made_good(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a purge dies before its VACUUM, the next enforcing makes up for it though it deletes nothing."""
    real = sqlite3.connect

    class NoVacuum(sqlite3.Connection):
        def execute(self, statement: str, *rest: object) -> sqlite3.Cursor:
            if statement == "VACUUM":
                raise sqlite3.OperationalError("killed")
            return super().execute(statement, *rest)  # type: ignore[arg-type] # the parameters, passed on

    for number in range(200):
        kept.record(reply(f"quokka-{number} " * 30))
    size = kept.path.stat().st_size
    with monkeypatch.context() as patched:
        patched.setattr("qa.journal.sqlite3.connect", lambda *a, **k: real(*a, **k, factory=NoVacuum))
        with pytest.raises(JournalError):
            kept.purge(None)
    assert kept.path.stat().st_size == size
    assert kept.enforce() == Purged(0, 0)
    assert kept.path.stat().st_size < size
    assert b"quokka" not in bytes_on_disk(kept)


def test_what_a_killed_transaction_left_goes(kept: Journal) -> None:
    """A rollback journal that SQLite does not count as one any more goes with the next enforcing."""
    kept.record(reply("one"))
    left = kept.path.with_name("journal.sqlite-journal")
    left.write_bytes(bytes(512) + b"quokka" * 100)
    assert kept.enforce() == Purged(0, 1)
    assert not left.exists()


def test_turning_it_off_deletes_what_was_kept(tmp_path: Path, kept: Journal, moving: MovingClock) -> None:
    """Once questions is "none" again, enforcing deletes every question, however young."""
    kept.record(reply("quokka"))
    assert journal(tmp_path, moving, "none").enforce() == Purged(1, 0)
    assert b"quokka" not in bytes_on_disk(kept)


CHILD = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_journal import LATER, NOW, MovingClock, journal, reply

clock = MovingClock()
kept = journal(Path({folder!r}), clock)
print("ready", flush=True)
for turn in range(10**6):
    for number in range(3):
        clock.now = NOW
        kept.record(reply(f"old-{{turn}}-{{number}} " + "quokka " * (number * 400)))
    clock.now = LATER
    kept.record(reply(f"new-{{turn}} " + "wombat " * 300))
    print("new", flush=True)
    kept.enforce()
"""


def test_a_killed_journal_stays_usable(tmp_path: Path, kept: Journal, moving: MovingClock) -> None:
    """Killed at any moment of recording and purging, it opens, has what was recorded, and deletes what is due."""
    drawn = random.Random(11)  # noqa: S311 - not for secrets
    program = CHILD.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    moving.now = LATER
    recorded = 0
    for _ in range(KILLS):
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(drawn.uniform(0, 0.15))
        child.send_signal(signal.SIGKILL)
        recorded += child.communicate()[0].count("new")
        purged = kept.enforce()
        content = bytes_on_disk(kept)
        assert b"old-" not in content
        assert b"quokka" not in content
        assert purged.kept >= recorded
        assert content.count(b"new-") == purged.kept
        connection = sqlite3.connect(kept.path)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        recorded = purged.kept
    assert recorded > KILLS
    assert [path.name for path in kept.path.parent.iterdir()] == ["journal.sqlite"]


def test_several_write_at_once(kept: Journal, tmp_path: Path, moving: MovingClock) -> None:
    """Threads that record while another purges lose nothing and leave nothing behind."""

    def record(who: int) -> None:
        for number in range(20):
            kept.record(reply(f"new-{who}-{number}"))

    threads = [threading.Thread(target=record, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    other = journal(tmp_path, moving)
    while any(thread.is_alive() for thread in threads):
        other.enforce()
    for thread in threads:
        thread.join()
    assert kept.enforce().kept == 80


@pytest.mark.parametrize(
    "content", [b"this is no database at all, but a text" * 40, b"SQLite format 3\0" + b"\1" * 900]
)
def test_a_broken_file_stops_no_answer(kept: Journal, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Recording into what is no journal changes nothing, raises nothing, and logs the trouble without the question."""
    kept.path.parent.mkdir(mode=0o700)
    kept.path.write_bytes(content)
    kept.record(reply("may I drive?"))
    assert kept.path.read_bytes() == content
    assert "cannot be used" in caplog.text
    assert "drive" not in caplog.text
    with pytest.raises(JournalError, match=r"journal\.sqlite: the journal cannot be used .*Delete the file"):
        kept.enforce()
    assert kept.path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(kept: Journal) -> None:
    """A SQLite file that we did not make is refused, and keeps its rows."""
    kept.path.parent.mkdir(mode=0o700)
    connection = sqlite3.connect(kept.path)
    connection.executescript("CREATE TABLE theirs (asked_at, text); INSERT INTO theirs VALUES (1, 'x');")
    connection.close()
    kept.record(reply("ours"))
    with pytest.raises(JournalError, match="a database of another program"):
        kept.purge(None)
    connection = sqlite3.connect(kept.path)
    assert connection.execute("SELECT * FROM theirs").fetchall() == [(1, "x")]
    connection.close()


def test_a_journal_of_another_version_is_refused(kept: Journal) -> None:
    """A format that we do not know is an error that says both, not a guess."""
    kept.record(reply("one"))
    connection = sqlite3.connect(kept.path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(JournalError, match="found format 7, expected format 1"):
        kept.enforce()


def test_a_link_is_not_followed(kept: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A link in the journal's place is no journal."""
    (tmp_path / "elsewhere").write_bytes(b"")
    kept.path.parent.mkdir(mode=0o700)
    kept.path.symlink_to(tmp_path / "elsewhere")
    kept.record(reply("quokka"))
    assert (tmp_path / "elsewhere").read_bytes() == b""
    assert "not a plain file" in caplog.text


def test_a_full_disk_stops_no_answer(
    kept: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When SQLite cannot write, the log has its code, and neither the question nor a traceback."""
    kept.record(reply("one"))
    real = sqlite3.connect

    class Full(sqlite3.Connection):
        def execute(self, statement: str, *rest: object) -> sqlite3.Cursor:
            if statement.startswith("INSERT"):
                super().execute("PRAGMA max_page_count = 1")
            return super().execute(statement, *rest)  # type: ignore[arg-type] # the parameters, passed on

    monkeypatch.setattr("qa.journal.sqlite3.connect", lambda *a, **k: real(*a, **k, factory=Full))
    kept.record(reply("quokka " * 5000))
    assert "SQLITE_FULL" in caplog.text
    assert "quokka" not in caplog.text
    monkeypatch.undo()
    assert [row[2] for row in rows(kept)] == ["one"]


def test_retention_needs_no_visitor(kept: Journal, moving: MovingClock) -> None:
    """The thread deletes at its start, and again later without anybody asking."""
    kept.record(reply("quokka one"))
    moving.now = LATER
    keeper = Retention(kept, every=0.01)
    keeper.start()
    wait_for(lambda: not rows(kept))
    kept.record(reply("quokka two"))
    assert rows(kept)
    moving.now = LATER + timedelta(days=KEEP_DAYS, seconds=1)
    wait_for(lambda: not rows(kept))
    keeper.stop()
    assert b"quokka" not in bytes_on_disk(kept)


def wait_for(reached: object) -> None:
    assert callable(reached)
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def test_retention_outlives_a_broken_file(
    kept: Journal, tmp_path: Path, moving: MovingClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A journal that cannot be used is reported, and looked at again when it is mended."""
    kept.path.parent.mkdir(mode=0o700)
    kept.path.write_bytes(b"no database " * 100)
    keeper = Retention(kept, every=0.01)
    with caplog.at_level(logging.INFO):
        keeper.start()
        wait_for(lambda: "could not be deleted" in caplog.text)
        kept.path.unlink()
        kept.record(reply("quokka"))
        kept._settings = journal(tmp_path, moving, "none")._settings
        wait_for(lambda: "Deleted 1 questions" in caplog.text)
        keeper.stop()
    assert "quokka" not in caplog.text


# clinic-qa purge


@pytest.fixture
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings from the environment of this test, which keep questions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLINIC_QA_STATE__FOLDER", str(tmp_path / "state"))
    monkeypatch.setenv("CLINIC_QA_JOURNAL__QUESTIONS", "full")
    return load_settings()


def purge(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["purge", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_deletes_what_is_due(on: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain `purge` keeps to the settings, `--older-than` to its days, `--all` keeps nothing."""
    real_now = datetime.now(NOW.tzinfo)
    clock = MovingClock()
    kept = Journal(on, clock)
    for days in (40, 20, 3, 0):
        clock.now = real_now - timedelta(days=days)
        kept.record(reply(f"asked-{days}"))
    assert purge() == "Questions deleted: 1. Still kept: 3.\n"
    assert purge("--older-than", "10") == "Questions deleted: 1. Still kept: 2.\n"
    assert [row[2] for row in rows(kept)] == ["asked-3", "asked-0"]
    monkeypatch.setenv("CLINIC_QA_JOURNAL__QUESTIONS", "none")
    assert purge("--older-than", "10") == "Questions deleted: 0. Still kept: 2.\n"
    assert purge("--older-than", "2") == "Questions deleted: 1. Still kept: 1.\n"
    assert purge() == "Questions deleted: 1. Still kept: 0.\n"
    kept.record(reply("again"))
    assert purge("--all") == "Questions deleted: 1. Still kept: 0.\n"
    assert b"asked-" not in bytes_on_disk(kept)


def test_purging_what_is_not_there_makes_nothing(on: Settings) -> None:
    """Without a journal the command says so and leaves no file."""
    assert "nothing to delete" in purge("--all")
    assert not Journal(on, MovingClock()).path.parent.exists()


def test_the_command_explains_a_broken_file(on: Settings) -> None:
    """A file that is no journal is an error in a sentence, with what to do."""
    kept = Journal(on, MovingClock())
    kept.path.parent.mkdir(mode=0o700)
    kept.path.write_bytes(b"no database " * 100)
    result = CliRunner().invoke(main, ["purge"])
    assert result.exit_code == 1
    assert "Delete the file" in result.output

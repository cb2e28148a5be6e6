"""The journal: what was asked, written down only where the clinic turned that on, and deleted on time.

One SQLite file in the state folder. Nothing is kept of who asked: no address, no session, no name of a device.

How deleting works, so that no byte of a deleted question stays in any file: `secure_delete` overwrites a row with
zeros; the rollback journal is a file that goes with each transaction (the write-ahead log, which does not, is not
used); `temp_store` keeps the rest in memory; and `VACUUM` writes every page anew, because SQLite may have left a copy
of a row behind when it moved it. That a `VACUUM` is still owed is part of the deletion itself, so that a process
which is killed in between leaves the debt to the next.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from qa.clock import Clock
from qa.errors import JournalError, QAError
from qa.models import Answer
from qa.private_files import private_folder
from qa.settings import Settings, state_folder

FILE_NAME = "journal.sqlite"
ENFORCE_SECONDS = 30 * 60.0

_APPLICATION = 0x43514A4C  # "CQJL", SQLite's application_id
_FORMAT = 1  # SQLite's user_version
_WAIT_TO_RECORD = 2.0  # seconds; somebody waits for the answer
_WAIT_TO_PURGE = 30.0
_CLOCK_TOLERANCE = timedelta(days=1)
_TABLES = """
CREATE TABLE question (
    asked_at INTEGER NOT NULL,  -- seconds since 1970
    audience TEXT NOT NULL,
    text TEXT NOT NULL,
    kind TEXT NOT NULL,
    level TEXT,
    documents TEXT NOT NULL     -- a JSON list of document ids
);
CREATE TABLE debt (vacuum INTEGER NOT NULL, purges INTEGER NOT NULL);
INSERT INTO debt VALUES (0, 0);
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many questions were deleted, and how many are still there."""

    deleted: int
    kept: int


class Journal:
    """The questions of one clinic. Safe to use from several threads and processes."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """The file is only touched when there is something to write or to delete."""
        self.path = (settings.state.folder or state_folder()) / FILE_NAME
        self._settings = settings
        self._clock = clock

    def record(self, reply: Answer) -> None:
        """Write down what was asked, where that is turned on. Never raises: an answer must not wait for a journal.

        Of a question that was too long to be looked up, only as much as could have been.
        """
        if self._settings.journal.questions == "none":
            return
        documents = dict.fromkeys(passage.citation.document for passage in reply.passages)
        row = (
            int(self._clock().timestamp()),
            reply.audience.value,
            reply.question[: self._settings.answering.max_question_characters],
            reply.kind.value,
            reply.level.value if reply.level else None,
            json.dumps(list(documents), ensure_ascii=False),
        )
        try:
            with self._connection(_WAIT_TO_RECORD) as connection, _transaction(connection):
                connection.execute("INSERT INTO question VALUES (?, ?, ?, ?, ?, ?)", row)
        except (QAError, sqlite3.Error, OSError) as error:
            _log.error("A question could not be written into the journal: %s", _reason(error))

    def enforce(self) -> Purged:
        """Delete what has been kept for its time, or all where the journal is turned off. Raises JournalError."""
        kept = self._settings.journal
        return self.purge(self._clock() - timedelta(days=kept.keep_days) if kept.questions == "full" else None)

    def purge(self, before: datetime | None) -> Purged:
        """Delete the questions asked before that moment, or all (None). Without a file there is nothing to do.

        A question from the future, which a wrong clock leaves behind, goes too. Raises JournalError, and AccountsError
        for a state folder that is not private.
        """
        if not self.path.exists():
            return Purged(0, 0)
        try:
            with self._connection(_WAIT_TO_PURGE) as connection:
                return _purge(connection, before, self._clock() + _CLOCK_TOLERANCE)
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error

    @contextmanager
    def _connection(self, wait: float) -> Iterator[sqlite3.Connection]:
        """A connection of its own for each use, so that the file may come and go under a running app."""
        self._make_private()
        connection = sqlite3.connect(self.path, timeout=wait, isolation_level=None)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA temp_store = MEMORY")
            self._check(connection)
            connection.execute("PRAGMA journal_mode = DELETE")
            yield connection
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # locked, or a full disk: the file itself may be well
            raise self._unusable(error) from error
        finally:
            connection.close()

    def _make_private(self) -> None:
        """The folder for its owner alone, and the file, before there is anything in it."""
        private_folder(self._settings)
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        except FileExistsError:
            found = self.path.lstat()
            if not stat.S_ISREG(found.st_mode):
                raise JournalError("the journal is not a plain file", path=self.path, remedy="Move it away.") from None
            if stat.S_IMODE(found.st_mode) & 0o077:
                self.path.chmod(0o600)

    def _check(self, connection: sqlite3.Connection) -> None:
        """Whether the file is a journal of ours; an empty one becomes one."""
        application, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
        if (application, version) == (_APPLICATION, _FORMAT):
            return
        with _transaction(connection):
            if _pragma(connection, "application_id") == _APPLICATION:
                version = _pragma(connection, "user_version")
                if version == _FORMAT:  # another process was quicker
                    return
                raise JournalError(
                    "the journal was written by another version of this software",
                    path=self.path,
                    found=f"format {version}",
                    expected=f"format {_FORMAT}",
                    remedy="Use that version, or delete the file and the questions with it.",
                )
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise self._unusable("a database of another program")
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_FORMAT}")

    def _unusable(self, found: Exception | str) -> JournalError:
        return JournalError(
            "the journal cannot be used",
            path=self.path,
            found=found if isinstance(found, str) else _reason(found),
            expected="a journal that clinic-qa has made",
            remedy="Delete the file, or move it away; a new one is made when it is needed.",
        )


class Retention:
    """A thread that keeps the journal to its time, whether anybody asks or not."""

    def __init__(self, journal: Journal, every: float = ENFORCE_SECONDS) -> None:
        self._journal = journal
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_to_it, name="journal", daemon=True)

    def start(self) -> None:
        """Enforce now, and then again and again."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_WAIT_TO_PURGE)

    def _keep_to_it(self) -> None:
        while True:
            try:
                purged = self._journal.enforce()
                if purged.deleted:
                    _log.info("Deleted %s questions from the journal; %s are kept", purged.deleted, purged.kept)
            except QAError as error:
                _log.error("Old questions could not be deleted: %s", error)
            if self._stopping.wait(self._every):
                return


def _purge(connection: sqlite3.Connection, before: datetime | None, latest: datetime) -> Purged:
    with _transaction(connection):
        if before is None:
            deleted = connection.execute("DELETE FROM question").rowcount
        else:
            limits = (before.timestamp(), latest.timestamp())
            deleted = connection.execute("DELETE FROM question WHERE asked_at < ? OR asked_at > ?", limits).rowcount
        # Counted so that something is written even when nothing was deleted: a transaction that writes takes away the
        # rollback journal that a killed one has left.
        connection.execute("UPDATE debt SET vacuum = max(vacuum, ?), purges = purges + 1", (deleted > 0,))
        owed = connection.execute("SELECT vacuum FROM debt").fetchone()[0]
        kept = connection.execute("SELECT count(*) FROM question").fetchone()[0]
    if owed:
        connection.execute("VACUUM")
        with _transaction(connection):
            connection.execute("UPDATE debt SET vacuum = 0")
    return Purged(deleted, kept)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # SQLite ends it by itself when the disk is full
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _reason(error: Exception) -> str:
    """What went wrong, without a word of what was being written."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", type(error).__name__)
    return str(error) if isinstance(error, QAError) else type(error).__name__

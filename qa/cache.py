"""Documents that were parsed before, so that a build reads only what has changed. Losing the file costs only time.

One SQLite file holds two tables: a digest for each unchanged file, and a parsed document for each digest and reader.
Writes wait in memory for a moment and go out together, each lot in one transaction, so that a build that is killed
loses that moment and nothing else.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from qa.document_json import FORMAT, from_json, to_json
from qa.models import Document
from qa.walk import Fingerprint

_SCHEMA = 1_000 * FORMAT + 1  # `user_version` of the file; any other file is made anew
_TABLES = """
    DROP TABLE IF EXISTS files;
    DROP TABLE IF EXISTS documents;
    CREATE TABLE files (path TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE documents (digest TEXT, parser TEXT, content BLOB NOT NULL, PRIMARY KEY (digest, parser));
"""
_PENDING_BYTES = 16_000_000
_PENDING_SECONDS = 1.0
_WAIT_SECONDS = 5.0  # for another process that is writing
# What says that the file itself is bad, and not that it is locked, the disk full or the folder read-only.
_BAD_FILE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT}
_T = TypeVar("_T")


class ParseCache:
    """Made with `open`. For one thread at a time; close it, or use `with`.

    Never raises because of the file: a broken one is made anew, one that cannot be used is done without, and
    `warnings` says so.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._connection: sqlite3.Connection | None = None
        self._files: dict[str, tuple[str, str]] = {}
        self._new_files: dict[str, tuple[str, str]] = {}
        self._new_documents: dict[tuple[str, str], bytes] = {}
        self._used_files: set[str] = set()
        self._used_documents: set[tuple[str, str]] = set()
        self._waiting_bytes = 0
        self._last_flush = time.monotonic()

    @classmethod
    def open(cls, path: Path) -> Self:
        """The cache in the file `path`, which is made, with its folder, when missing."""
        cache = cls(path)
        cache._open()
        return cache

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def digest(self, path: str, fingerprint: Fingerprint) -> str | None:
        """The SHA-256 that the file had when it had this fingerprint; None when that is not known."""
        known, digest = self._files.get(path, ("", ""))
        if known != _key(fingerprint):
            return None
        self._used_files.add(path)
        return digest

    def remember_digest(self, path: str, fingerprint: Fingerprint, digest: str) -> None:
        """Note the digest of a file whose bytes were just read."""
        self._files[path] = self._new_files[path] = (_key(fingerprint), digest)
        self._used_files.add(path)
        self._flush_if_due()

    def get(self, digest: str, parser: str) -> Document | None:
        """What `parser` made of the bytes with this digest, or None."""
        key = (digest, parser)
        content = self._new_documents.get(key) or self._attempt(lambda connection: _content(connection, key))
        if content is None:
            return None
        try:
            document = from_json(json.loads(zlib.decompress(content)))
        except (zlib.error, ValueError, LookupError, TypeError, AttributeError):
            self.warnings.append(f"an entry of the cache {self.path} is broken; its document is read again")
            return None
        self._used_documents.add(key)
        return document

    def put(self, digest: str, parser: str, document: Document) -> None:
        """Keep a document that was parsed without an error."""
        content = zlib.compress(json.dumps(to_json(document), separators=(",", ":")).encode(), level=1)
        self._new_documents[digest, parser] = content
        self._waiting_bytes += len(content)
        self._used_documents.add((digest, parser))
        self._flush_if_due()

    def prune(self) -> None:
        """Forget everything that was neither asked for nor put in since the cache was opened."""
        self.flush()
        self._attempt(self._prune)

    def flush(self) -> None:
        """Write what waits in memory."""
        if self._new_files or self._new_documents:
            self._attempt(self._write)
        self._new_files.clear()
        self._new_documents.clear()
        self._waiting_bytes = 0
        self._last_flush = time.monotonic()

    def close(self) -> None:
        """Flush and close the file; nothing is kept after that."""
        self.flush()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.warnings.append(f"no cache: its folder {self.path.parent} cannot be made ({error.strerror})")
            return
        try:
            self._connect()
        except sqlite3.DatabaseError as error:
            if not _is_bad_file(error):
                self._do_without(error)
                return
            self._make_anew()

    def _connect(self) -> None:
        connection = sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            if connection.execute("PRAGMA user_version").fetchone() != (_SCHEMA,):
                connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_SCHEMA}; COMMIT;")
            rows = connection.execute("SELECT path, fingerprint, digest FROM files").fetchall()
            connection.execute("SELECT digest, parser, content FROM documents LIMIT 1").fetchone()
        except sqlite3.DatabaseError:
            connection.close()
            raise
        self._files = {path: (fingerprint, digest) for path, fingerprint, digest in rows}
        self._connection = connection

    def _make_anew(self) -> None:
        self.warnings.append(f"the cache {self.path} was broken and was made anew; every document is read again")
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._files = dict(self._new_files)
        try:
            for suffix in ("", "-journal", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._connect()
        except (OSError, sqlite3.DatabaseError) as error:
            self._do_without(error)

    def _do_without(self, error: Exception) -> None:
        self.warnings.append(f"the cache {self.path} cannot be used and is done without ({error})")
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _attempt(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """The value of `work`, or None where the file does not allow it."""
        if self._connection is None:
            return None
        try:
            return work(self._connection)
        except sqlite3.DatabaseError as error:
            if _is_bad_file(error):
                self._make_anew()
            else:
                self._do_without(error)
            return None

    def _flush_if_due(self) -> None:
        if self._waiting_bytes > _PENDING_BYTES or time.monotonic() - self._last_flush > _PENDING_SECONDS:
            self.flush()

    def _write(self, connection: sqlite3.Connection) -> None:
        files = [(path, *rest) for path, rest in self._new_files.items()]
        documents = [(*key, content) for key, content in self._new_documents.items()]
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", files)
            connection.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", documents)

    def _prune(self, connection: sqlite3.Connection) -> None:
        stale_files = [(path,) for path in self._files if path not in self._used_files]
        keys = connection.execute("SELECT digest, parser FROM documents").fetchall()
        stale_documents = [key for key in keys if key not in self._used_documents]
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM files WHERE path = ?", stale_files)
            connection.executemany("DELETE FROM documents WHERE digest = ? AND parser = ?", stale_documents)
        self._files = {path: entry for path, entry in self._files.items() if path in self._used_files}


def _content(connection: sqlite3.Connection, key: tuple[str, str]) -> bytes | None:
    row = connection.execute("SELECT content FROM documents WHERE digest = ? AND parser = ?", key).fetchone()
    return bytes(row[0]) if row else None


def _is_bad_file(error: sqlite3.DatabaseError) -> bool:
    # Extended result codes keep the primary one in their lowest byte.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _BAD_FILE


def _key(fingerprint: Fingerprint) -> str:
    return ":".join(map(str, fingerprint))

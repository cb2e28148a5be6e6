"""Vectors that were worked out before, so that a rebuild embeds only what changed.

A key is a digest of model, dtype and text: the cache holds no text and can be thrown away at any time.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from qa.embed import ModelFingerprint, Vectors

_SCHEMA_VERSION = 2
# A table with row ids, so that vectors are appended and not put between others: half the size, and faster.
_SCHEMA = """create table vectors (
    key blob not null unique, vector blob not null, checksum blob not null, used integer not null
)"""
_AT_ONCE = 500  # keys in one query


class VectorCache:
    """A SQLite file of vectors by key. Made with `open_vector_cache`."""

    def __init__(self, connection: sqlite3.Connection, fingerprint: ModelFingerprint) -> None:
        self._connection = connection
        self._model = f"{fingerprint.digest}\0{fingerprint.dtype}\0".encode()
        self._run = connection.execute("select coalesce(max(used), 0) + 1 from vectors").fetchone()[0]

    def get(self, texts: Sequence[str]) -> dict[int, Vectors]:
        """The known vectors, by the place of their text in `texts`; those found count as used in this run."""
        keys = [self._key(text) for text in texts]
        places: dict[bytes, list[int]] = {}
        for place, key in enumerate(keys):
            places.setdefault(key, []).append(place)
        known: dict[int, Vectors] = {}
        unique = list(places)
        for start in range(0, len(unique), _AT_ONCE):
            some = unique[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            # The marks are question marks: nothing here comes from outside.
            rows = self._connection.execute(f"select key, vector, checksum from vectors where key in ({marks})", some)  # noqa: S608
            for key, vector, checksum in rows.fetchall():
                if checksum != _checksum(key, vector):
                    continue  # damaged: as good as not there
                for place in places[key]:
                    known[place] = np.frombuffer(vector, dtype=np.float32)
            self._connection.execute(
                f"update vectors set used = ? where key in ({marks})",  # noqa: S608 - likewise
                [self._run, *some],
            )
        self._connection.commit()
        return known

    def put(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Keep these vectors, of shape (len(texts), dimension)."""
        self._connection.executemany(
            "insert or replace into vectors values (?, ?, ?, ?)",
            [
                (key, vector, _checksum(key, vector), self._run)
                for key, vector in (
                    (self._key(text), row.astype(np.float32).tobytes())
                    for text, row in zip(texts, vectors, strict=True)
                )
            ],
        )
        self._connection.commit()

    def prune(self) -> None:
        """Forget every vector that this run neither got nor put."""
        self._connection.execute("delete from vectors where used < ?", [self._run])
        self._connection.commit()

    def _key(self, text: str) -> bytes:
        return hashlib.blake2b(self._model + text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _checksum(key: bytes, vector: object) -> bytes:
    content = vector if isinstance(vector, bytes) else repr(vector).encode()
    return hashlib.blake2b(key + content, digest_size=8).digest()


@contextmanager
def open_vector_cache(path: Path, fingerprint: ModelFingerprint) -> Iterator[VectorCache]:
    """Open the cache, made anew where there is none or where the file is damaged or of another version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(path)
    try:
        yield VectorCache(connection, fingerprint)
    finally:
        connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    try:
        version = connection.execute("pragma user_version").fetchone()[0]
        connection.execute("select key, vector, checksum, used from vectors limit 1")
        if version == _SCHEMA_VERSION and connection.execute("pragma quick_check(1)").fetchone()[0] == "ok":
            return connection
    except sqlite3.DatabaseError:
        pass  # not a database, or a damaged one: as good as none
    connection.close()
    path.unlink()
    connection = sqlite3.connect(path)
    connection.executescript(f"{_SCHEMA}; pragma user_version = {_SCHEMA_VERSION};")
    return connection

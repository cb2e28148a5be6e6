"""Vectors that were worked out before, so that a rebuild embeds only what changed.

A key is a digest of model, dtype, codec and text: the cache holds no text and can be thrown away at any time. The codec
of token vectors is learned once, from the first texts that are embedded, and stays here with what it encoded.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from qa.embed import ModelFingerprint
from qa.models import EmbeddedText
from qa.passage_vectors import PassageVectors
from qa.token_codec import PIECES, TokenCodec

_SCHEMA_VERSION = 3
# A table with row ids, so that vectors are appended and not put between others: half the size, and faster.
_SCHEMA = """
create table vectors (
    key blob not null unique, content blob not null, checksum blob not null, used integer not null
);
create table codecs (model blob not null unique, content blob not null, checksum blob not null);
"""
_AT_ONCE = 500  # keys in one query


class VectorCache:
    """A SQLite file of vectors by key. Made with `open_vector_cache`."""

    def __init__(self, connection: sqlite3.Connection, fingerprint: ModelFingerprint) -> None:
        self._connection = connection
        self._model = f"{fingerprint.digest}\0{fingerprint.dtype}".encode()
        self._run = connection.execute("select coalesce(max(used), 0) + 1 from vectors").fetchone()[0]

    def codec(self) -> TokenCodec | None:
        """The codec of this model's token vectors, once one was learned."""
        row = self._connection.execute("select content, checksum from codecs where model = ?", [self._model]).fetchone()
        if row is None or row[1] != _checksum(self._model, row[0]):
            return None
        try:
            codec = TokenCodec.from_bytes(row[0])
        except ValueError:
            return None  # of another version: as good as not there
        return codec if codec.pieces == min(PIECES, len(codec.mean)) else None

    def put_codec(self, codec: TokenCodec) -> None:
        """Keep this codec for the model, in place of any other."""
        content = codec.to_bytes()
        self._connection.execute(
            "insert or replace into codecs values (?, ?, ?)", [self._model, content, _checksum(self._model, content)]
        )
        self._connection.commit()

    def get(self, texts: Sequence[EmbeddedText], codec: TokenCodec) -> dict[int, PassageVectors]:
        """What is known, by the place of its text in `texts`; what is found counts as used in this run."""
        places: dict[bytes, list[int]] = {}
        for place, text in enumerate(texts):
            places.setdefault(self._key(text, codec), []).append(place)
        known: dict[int, PassageVectors] = {}
        unique = list(places)
        for start in range(0, len(unique), _AT_ONCE):
            some = unique[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            # The marks are question marks: nothing here comes from outside.
            rows = self._connection.execute(f"select key, content, checksum from vectors where key in ({marks})", some)  # noqa: S608
            for key, content, checksum in rows.fetchall():
                if checksum != _checksum(key, content):
                    continue  # damaged: as good as not there
                vectors = _unpacked(content, codec)
                for place in places[key]:
                    known[place] = vectors
            self._connection.execute(
                f"update vectors set used = ? where key in ({marks})",  # noqa: S608 - likewise
                [self._run, *some],
            )
        self._connection.commit()
        return known

    def put(self, texts: Sequence[EmbeddedText], vectors: Sequence[PassageVectors], codec: TokenCodec) -> None:
        """Keep what was worked out for these texts."""
        self._connection.executemany(
            "insert or replace into vectors values (?, ?, ?, ?)",
            [
                (key, content, _checksum(key, content), self._run)
                for key, content in (
                    (self._key(text, codec), _packed(made)) for text, made in zip(texts, vectors, strict=True)
                )
            ],
        )
        self._connection.commit()

    def prune(self) -> None:
        """Forget everything that this run neither got nor put."""
        self._connection.execute("delete from vectors where used < ?", [self._run])
        self._connection.commit()

    def _key(self, text: EmbeddedText, codec: TokenCodec) -> bytes:
        what = f"\0{codec.digest}\0{text.front}\0".encode() + text.text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(self._model + what, digest_size=16).digest()


def _packed(vectors: PassageVectors) -> bytes:
    head = np.array([len(vectors.vector), len(vectors.segments), *vectors.segments], dtype="<u4")
    return head.tobytes() + vectors.vector.astype("<f4").tobytes() + vectors.codes.tobytes()


def _unpacked(content: bytes, codec: TokenCodec) -> PassageVectors:
    dimension, count = np.frombuffer(content, dtype="<u4", count=2)
    segments = np.frombuffer(content, dtype="<u4", count=count, offset=8)
    start = 8 + 4 * int(count)
    vector = np.frombuffer(content, dtype="<f4", count=dimension, offset=start)
    codes = np.frombuffer(content, dtype=np.uint8, offset=start + 4 * int(dimension))
    return PassageVectors(vector, tuple(int(each) for each in segments), codes.reshape(-1, codec.pieces))


def _checksum(key: bytes, content: object) -> bytes:
    held = content if isinstance(content, bytes) else repr(content).encode()
    return hashlib.blake2b(key + held, digest_size=8).digest()


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
        connection.execute("select key, content, checksum, used from vectors limit 1")
        connection.execute("select model, content, checksum from codecs limit 1")
        if version == _SCHEMA_VERSION and connection.execute("pragma quick_check(1)").fetchone()[0] == "ok":
            return connection
    except sqlite3.DatabaseError:
        pass  # not a database, or a damaged one: as good as none
    connection.close()
    path.unlink()
    connection = sqlite3.connect(path)
    connection.executescript(f"{_SCHEMA} pragma user_version = {_SCHEMA_VERSION};")
    return connection

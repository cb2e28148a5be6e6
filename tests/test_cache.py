"""The parse cache."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from qa.cache import ParseCache
from qa.models import Block, BlockKind, Document
from qa.walk import Fingerprint

DOCUMENT = Document("Drink water.", (Block(BlockKind.PARAGRAPH, 0, 12),), title="Water", warnings=("one",))
STAMP = Fingerprint(12, 1_000, 2_000, 2**64 - 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cache is; its folder is not made yet."""
    return tmp_path / "cache" / "parsed.sqlite"


def filled(path: Path) -> Path:
    """A closed cache with one document."""
    with ParseCache.open(path) as cache:
        cache.remember_digest("/c/a.txt", STAMP, "d1")
        cache.put("d1", "text 1", DOCUMENT)
    return path


def test_keeps_documents(path: Path) -> None:
    """A document comes back equal, in the same session and in the next one."""
    with ParseCache.open(path) as cache:
        cache.put("d1", "text 1", DOCUMENT)
        assert cache.get("d1", "text 1") == DOCUMENT
    with ParseCache.open(path) as cache:
        assert cache.get("d1", "text 1") == DOCUMENT
        assert cache.warnings == []


def test_other_bytes_or_reader_miss(path: Path) -> None:
    """Another digest or another version of the reader is not found."""
    with ParseCache.open(filled(path)) as cache:
        assert cache.get("d2", "text 1") is None
        assert cache.get("d1", "text 2") is None


def test_digest_by_fingerprint(path: Path) -> None:
    """A file's digest is known as long as nothing about the file has changed."""
    with ParseCache.open(filled(path)) as cache:
        assert cache.digest("/c/a.txt", STAMP) == "d1"
        assert cache.digest("/c/b.txt", STAMP) is None
        for field in Fingerprint._fields:
            assert cache.digest("/c/a.txt", STAMP._replace(**{field: 7})) is None


def test_prune(path: Path) -> None:
    """Pruning forgets what this session did not use, and nothing else."""
    with ParseCache.open(filled(path)) as cache:
        cache.remember_digest("/c/b.txt", STAMP, "d2")
        cache.put("d2", "text 1", DOCUMENT)
        cache.prune()
    with ParseCache.open(path) as cache:
        assert (cache.get("d1", "text 1"), cache.digest("/c/a.txt", STAMP)) == (None, None)
        assert (cache.get("d2", "text 1"), cache.digest("/c/b.txt", STAMP)) == (DOCUMENT, "d2")
        cache.prune()
    with ParseCache.open(path) as cache:
        assert cache.get("d2", "text 1") == DOCUMENT


@pytest.mark.parametrize("content", [b"not a database", b"SQLite format 3\x00" + b"\xff" * 5000, b"\x00" * 100])
def test_broken_file_is_made_anew(path: Path, content: bytes) -> None:
    """A file that is no database is thrown away with a warning, and the new one works."""
    path.parent.mkdir()
    path.write_bytes(content)
    with ParseCache.open(path) as cache:
        assert cache.get("d1", "text 1") is None
        assert "made anew" in cache.warnings[0]
        cache.put("d1", "text 1", DOCUMENT)
    with ParseCache.open(path) as cache:
        assert cache.get("d1", "text 1") == DOCUMENT
        assert cache.warnings == []


def test_damage_inside(path: Path) -> None:
    """Damage that shows only while reading is a miss with a warning, never an error."""
    with ParseCache.open(path) as cache:
        for number in range(200):
            cache.put(f"d{number}", "text 1", Document(os.urandom(400).hex(), ()))
    data = bytearray(path.read_bytes())
    data[8192:-4096] = b"\xa5" * (len(data) - 12_288)
    path.write_bytes(data)
    with ParseCache.open(path) as cache:
        for number in range(200):
            cache.get(f"d{number}", "text 1")
        assert cache.warnings
        cache.put("new", "text 1", DOCUMENT)
        assert cache.get("new", "text 1") == DOCUMENT


@pytest.mark.parametrize("content", [b"", b"no zlib", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_broken_entry(path: Path, content: bytes) -> None:
    """An entry that cannot be unpacked is a miss with a warning."""
    with sqlite3.connect(filled(path)) as connection:
        connection.execute("UPDATE documents SET content = ?", (content,))
    connection.close()
    with ParseCache.open(path) as cache:
        assert cache.get("d1", "text 1") is None
        assert "is read again" in cache.warnings[0]


def test_other_version_is_made_anew(path: Path) -> None:
    """A cache of another version of this software is emptied in silence: nothing is wrong with it."""
    with sqlite3.connect(filled(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    with ParseCache.open(path) as cache:
        assert cache.get("d1", "text 1") is None
        assert cache.warnings == []


def test_unusable_place(tmp_path: Path) -> None:
    """Without a place to write the cache does nothing but say so."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "parsed.sqlite").mkdir(parents=True)
    for place in (tmp_path / "file" / "parsed.sqlite", tmp_path / "folder" / "parsed.sqlite"):
        with ParseCache.open(place) as cache:
            cache.put("d1", "text 1", DOCUMENT)
            cache.flush()
            cache.prune()
            assert cache.get("d1", "text 1") is None
            assert len(cache.warnings) == 1


def test_locked_by_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process writes for long, the cache is done without."""
    monkeypatch.setattr("qa.cache._WAIT_SECONDS", 0.05)
    other = sqlite3.connect(filled(path), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with ParseCache.open(path) as cache:
        assert cache.get("d1", "text 1") is None
        assert "locked" in cache.warnings[0]
    other.close()


_KILLED = """
import os, signal, sys
from pathlib import Path
import qa.cache
from qa.models import Document
cache = qa.cache.ParseCache.open(Path(sys.argv[1]))
cache.put("d2", "text 1", Document("kept", ()))
cache.flush()
cache._connection.execute("BEGIN IMMEDIATE")
cache._connection.execute("PRAGMA cache_size = 1")
cache._connection.executemany(
    "INSERT INTO documents VALUES (?, 'half', ?)", [(str(n), b"x" * 5000) for n in range(500)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_while_writing(path: Path) -> None:
    """A process that is killed in the middle of a write loses that write only."""
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(filled(path))], check=False)
    assert ended.returncode == -signal.SIGKILL
    with ParseCache.open(path) as cache:
        assert cache.get("d1", "text 1") == DOCUMENT
        assert cache.get("d2", "text 1") == Document("kept", ())
        assert cache.get("7", "half") is None
        assert cache.warnings == []

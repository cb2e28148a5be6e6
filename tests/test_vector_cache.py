from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from qa.embed import ModelFingerprint, Vectors
from qa.vector_cache import open_vector_cache

MODEL = ModelFingerprint("m", "0" * 64, "float32")
VECTORS = np.eye(2, dtype=np.float32)


def known(path: Path, texts: list[str], model: ModelFingerprint = MODEL) -> dict[int, list[float]]:
    with open_vector_cache(path, model) as cache:
        return {place: vector.tolist() for place, vector in cache.get(texts).items()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "cache" / "vectors.sqlite"
    with open_vector_cache(file, MODEL) as cache:
        cache.put(["one", "two"], VECTORS)
    return file


def test_a_vector_is_found_again(path: Path) -> None:
    """Vectors come back as they were put, at every place where their text stands."""
    assert known(path, ["two", "new", "two", "one"]) == {0: [0, 1], 2: [0, 1], 3: [1, 0]}


@pytest.mark.parametrize(
    "other", [ModelFingerprint("m", "1" * 64, "float32"), ModelFingerprint("m", "0" * 64, "bfloat16")]
)
def test_vectors_of_another_model_are_not_found(path: Path, other: ModelFingerprint) -> None:
    """Other weights or another dtype make other vectors."""
    assert known(path, ["one", "two"], other) == {}


def test_what_a_run_did_not_use_is_forgotten(path: Path) -> None:
    """The cache does not grow with texts that are gone."""
    with open_vector_cache(path, MODEL) as cache:
        cache.get(["one"])
        cache.prune()
    assert known(path, ["one", "two"]) == {0: [1, 0]}


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_made_anew(path: Path, content: bytes) -> None:
    """A broken cache costs time and nothing else."""
    path.write_bytes(content)
    assert known(path, ["one"]) == {}
    with open_vector_cache(path, MODEL) as cache:
        cache.put(["one"], VECTORS[:1])
    assert known(path, ["one"]) == {0: [1, 0]}


@pytest.mark.parametrize("damage", ["zeroblob(1536)", "x'00'", "'text'", "null"])
def test_a_damaged_vector_is_as_good_as_none(path: Path, damage: str) -> None:
    """A vector that is not the one that was put is worked out again."""
    connection = sqlite3.connect(path)
    if damage == "null":
        connection.execute("drop table vectors")
    else:
        connection.execute("update vectors set vector = " + damage)  # noqa: S608 - the test's own words
    connection.commit()
    connection.close()
    assert known(path, ["one", "two"]) == {}


def test_the_cache_holds_no_text(path: Path) -> None:
    """Keys are digests: a sentence that was embedded cannot be read from the file."""
    sentence = "a sentence that nobody else may read"
    vectors: Vectors = VECTORS[:1]
    with open_vector_cache(path, MODEL) as cache:
        cache.put([sentence], vectors)
    assert sentence.encode() not in path.read_bytes()

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from qa.embed import ModelFingerprint, unit
from qa.models import EmbeddedText
from qa.passage_vectors import PassageVectors
from qa.token_codec import TokenCodec
from qa.vector_cache import open_vector_cache

MODEL = ModelFingerprint("m", "0" * 64, "float32")
OTHER_MODELS = [ModelFingerprint("m", "1" * 64, "float32"), ModelFingerprint("m", "0" * 64, "bfloat16")]
CODEC = TokenCodec.fit(np.eye(2, dtype=np.float32))
OTHER_CODEC = TokenCodec.fit(unit(np.array([[1, 2], [3, 1]], dtype=np.float32)))
FIRST, SECOND = np.eye(2, dtype=np.float32)
# Of the first text two words, both in its one sentence; of the second a word in front and none in its sentence.
ONE = PassageVectors(FIRST, (0, 2), CODEC.encode(np.stack([SECOND, FIRST])))
TWO = PassageVectors(SECOND, (1, 0), CODEC.encode(SECOND.reshape(1, 2)))


def texts(*names: str) -> list[EmbeddedText]:
    return [EmbeddedText(name, 0) for name in names]


def known(path: Path, names: list[str], model: ModelFingerprint = MODEL, codec: TokenCodec = CODEC) -> dict[int, str]:
    """What the cache has of these texts: the place and which of the two it is, whole."""
    with open_vector_cache(path, model) as cache:
        found = cache.get(texts(*names), codec)
    return {place: next(name for name, made in BOTH.items() if same(made, vectors)) for place, vectors in found.items()}


def same(one: PassageVectors, other: PassageVectors) -> bool:
    return (one.vector.tolist(), one.segments, one.codes.tolist()) == (
        other.vector.tolist(),
        other.segments,
        other.codes.tolist(),
    )


BOTH = {"one": ONE, "two": TWO}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "cache" / "vectors.sqlite"
    with open_vector_cache(file, MODEL) as cache:
        cache.put_codec(CODEC)
        cache.put(texts(*BOTH), list(BOTH.values()), CODEC)
    return file


def test_a_vector_is_found_again(path: Path) -> None:
    """Vectors, segments and codes come back as they were put, at every place where their text stands."""
    assert known(path, ["two", "new", "two", "one"]) == {0: "two", 2: "two", 3: "one"}


def test_many_texts_are_found_in_one_call(path: Path) -> None:
    """However many texts are asked for, each has its own vectors."""
    names = [str(number) for number in range(1_200)]
    with open_vector_cache(path, MODEL) as cache:
        cache.put(texts(*names), [ONE, TWO] * 600, CODEC)
    assert known(path, names) == {place: ("one", "two")[place % 2] for place in range(1_200)}


@pytest.mark.parametrize("other", OTHER_MODELS)
def test_vectors_of_another_model_are_not_found(path: Path, other: ModelFingerprint) -> None:
    """Other weights or another dtype make other vectors."""
    assert known(path, ["one", "two"], other) == {}


def test_what_another_codec_encoded_is_not_found(path: Path) -> None:
    """Codes mean nothing to a codec that did not make them."""
    assert known(path, ["one", "two"], codec=OTHER_CODEC) == {}


def test_the_same_text_cut_elsewhere_is_another(path: Path) -> None:
    """Where the passage's own text begins decides what its segments are."""
    with open_vector_cache(path, MODEL) as cache:
        assert cache.get([EmbeddedText("one", front=1)], CODEC) == {}


def test_the_codec_is_kept_for_its_model(path: Path) -> None:
    """A rebuild goes on with the codec that was learned; another model has none yet."""
    with open_vector_cache(path, MODEL) as cache:
        kept = cache.codec()
        assert kept is not None
        assert kept.digest == CODEC.digest
        cache.put_codec(OTHER_CODEC)
        replaced = cache.codec()
        assert replaced is not None
        assert replaced.digest == OTHER_CODEC.digest
    for model in OTHER_MODELS:
        with open_vector_cache(path, model) as cache:
            assert cache.codec() is None


@pytest.mark.parametrize("damage", ["x'00'", "'text'", "zeroblob(400)"])
def test_a_damaged_codec_is_as_good_as_none(path: Path, damage: str) -> None:
    """A codec that is not the one that was put is learned again."""
    change(path, "update codecs set content = " + damage)  # noqa: S608 - the test's own words
    with open_vector_cache(path, MODEL) as cache:
        assert cache.codec() is None


def test_what_a_run_did_not_use_is_forgotten(path: Path) -> None:
    """The cache does not grow with texts that are gone."""
    with open_vector_cache(path, MODEL) as cache:
        cache.get(texts("one"), CODEC)
        cache.prune()
    assert known(path, ["one", "two"]) == {0: "one"}


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_made_anew(path: Path, content: bytes) -> None:
    """A broken cache costs time and nothing else."""
    path.write_bytes(content)
    assert known(path, ["one"]) == {}
    with open_vector_cache(path, MODEL) as cache:
        assert cache.codec() is None
        cache.put(texts("one"), [ONE], CODEC)
    assert known(path, ["one"]) == {0: "one"}


def test_a_cache_of_another_version_is_made_anew(path: Path) -> None:
    """What an earlier version kept is not taken for this one's."""
    change(path, "pragma user_version = 2")
    assert known(path, ["one", "two"]) == {}


@pytest.mark.parametrize("damage", ["zeroblob(1536)", "x'00'", "'text'", "null"])
def test_a_damaged_vector_is_as_good_as_none(path: Path, damage: str) -> None:
    """A vector that is not the one that was put is worked out again."""
    statement = "update vectors set content = " + damage  # noqa: S608 - the test's own words
    change(path, "drop table vectors" if damage == "null" else statement)
    assert known(path, ["one", "two"]) == {}


def test_the_cache_holds_no_text(path: Path) -> None:
    """Keys are digests: a sentence that was embedded cannot be read from the file."""
    sentence = "a sentence that nobody else may read"
    with open_vector_cache(path, MODEL) as cache:
        cache.put(texts(sentence), [ONE], CODEC)
    assert sentence.encode() not in path.read_bytes()


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()

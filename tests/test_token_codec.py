from __future__ import annotations

import numpy as np
import pytest

from qa.embed import Vectors, unit
from qa.token_codec import PIECES, TokenCodec

AXES = np.eye(7, dtype=np.float32)


def random_units(count: int, dimension: int, seed: int = 1) -> Vectors:
    """Unit vectors of which a few directions carry most, as those of words do."""
    numbers = np.random.default_rng(seed)
    few = numbers.normal(size=(dimension // 8, dimension))
    return unit((numbers.normal(size=(count, dimension // 8)) @ few).astype(np.float32))


def test_few_different_vectors_are_kept_exactly() -> None:
    """Where a piece takes at most 256 values, what is decoded is what was encoded."""
    codec = TokenCodec.fit(AXES[[0, 1, 1, 2, 6]])
    codes = codec.encode(AXES[[2, 0, 6, 1]])
    assert (codes.shape, codes.dtype) == ((4, 7), np.uint8)
    assert codec.decode(codes) == pytest.approx(AXES[[2, 0, 6, 1]], abs=1e-5)


def test_cosines_are_those_of_the_vectors() -> None:
    """Each code is compared with each vector: 1 with its own, 1/√2 half way, 0 at a right angle."""
    codec = TokenCodec.fit(AXES)
    between = unit(AXES[:1] + AXES[1:2])
    found = codec.cosines(codec.encode(AXES[:3]), np.concatenate([AXES[:1], between]))
    assert found == pytest.approx(np.array([[1, 1 / 2**0.5], [0, 1 / 2**0.5], [0, 0]]), abs=1e-5)


def test_cosines_are_those_of_what_is_decoded() -> None:
    """Comparing codes gives what comparing the decoded vectors would, also where those are not exact."""
    vectors = random_units(600, 64)
    codec = TokenCodec.fit(vectors)
    codes = codec.encode(vectors[:50])
    assert codec.cosines(codes, vectors[50:90]) == pytest.approx(codec.decode(codes) @ vectors[50:90].T, abs=1e-5)


def test_many_different_vectors_stay_near() -> None:
    """A vector takes 22 bytes and comes back with a cosine above 0.9, also one that was not learned from."""
    codec = TokenCodec.fit(random_units(2_000, 384))
    others = random_units(100, 384)
    codes = codec.encode(others)
    assert codes.shape == (100, PIECES)
    assert np.sum(codec.decode(codes) * others, axis=1).min() > 0.9


def test_the_nearest_symbol_stands_for_a_piece() -> None:
    """A vector that was not learned from is replaced by the nearest that was."""
    codec = TokenCodec.fit(AXES[:3])
    leaning = unit(np.array([[0.9, 0.3, 0.1, 0, 0, 0, 0]], dtype=np.float32))
    turned = (leaning - codec.mean) @ codec.axes
    chosen = codec.symbols[np.arange(codec.pieces), codec.encode(leaning)[0]]
    for piece, symbols, symbol in zip(turned[0].reshape(codec.pieces, -1), codec.symbols, chosen, strict=True):
        assert np.linalg.norm(piece - symbol) == pytest.approx(np.linalg.norm(piece - symbols, axis=1).min())


@pytest.mark.parametrize("vectors", [AXES[:1], np.repeat(AXES[:1], 5, axis=0), np.ones((1, 1), dtype=np.float32)])
def test_one_vector_is_enough(vectors: Vectors) -> None:
    """A corpus of one word, again and again, has a codec, too."""
    codec = TokenCodec.fit(vectors)
    assert codec.decode(codec.encode(vectors)) == pytest.approx(vectors, abs=1e-6)


def test_no_vectors_have_no_codes() -> None:
    """A text without words has an empty array of codes, and its cosines are none."""
    codec = TokenCodec.fit(AXES)
    codes = codec.encode(AXES[:0])
    assert codes.shape == (0, 7)
    assert codec.decode(codes).shape == (0, 7)
    assert codec.cosines(codes, AXES).shape == (0, 7)


def test_the_same_vectors_give_the_same_codec() -> None:
    """What was encoded in one build can be compared with what is encoded in the next."""
    vectors = random_units(900, 48)
    assert TokenCodec.fit(vectors).digest == TokenCodec.fit(vectors.copy()).digest
    assert TokenCodec.fit(vectors).digest != TokenCodec.fit(vectors[1:]).digest


def test_a_codec_comes_back_from_its_bytes() -> None:
    """What is read from a file encodes as what was written."""
    codec = TokenCodec.fit(random_units(300, 32))
    again = TokenCodec.from_bytes(codec.to_bytes())
    assert again.digest == codec.digest
    assert again.encode(random_units(9, 32, seed=2)).tolist() == codec.encode(random_units(9, 32, seed=2)).tolist()


@pytest.mark.parametrize("content", [b"", b"codec", b"PK\x03\x04" + b"\0" * 60, TokenCodec.fit(AXES).to_bytes()[:-1]])
def test_other_bytes_are_no_codec(content: bytes) -> None:
    """An empty, foreign or cut file is an error that callers know."""
    with pytest.raises(ValueError, match=r"magic|reading|EOF"):
        TokenCodec.from_bytes(content)


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    """A codec whose axes and symbols do not fit is not made."""
    codec = TokenCodec.fit(AXES)
    with pytest.raises(ValueError, match="do not belong together"):
        TokenCodec(codec.mean[:3], codec.axes, codec.symbols)
    with pytest.raises(ValueError, match="do not belong together"):
        TokenCodec(codec.mean, codec.axes, codec.symbols[:2])
    with pytest.raises(ValueError, match="one, two and three dimensions"):
        TokenCodec(codec.axes, codec.axes, codec.symbols)

"""Token vectors in a few bytes each, so that an index can keep one for every word.

A vector is turned onto the main axes of the corpus's own token vectors, of which the first ones are kept, and cut into
pieces; each piece is replaced by the nearest of up to 256 that were learned for it (product quantization: Jégou, Douze
and Schmid, IEEE TPAMI 33(1), 2011). Main axes are dealt out to the pieces in turn, so that all carry about as much.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qa.embed import Vectors, unit

Codes = NDArray[np.uint8]

PIECES = 22  # bytes a vector: with 16, answer@1 on covid-qa fell by a point; with 24, an index took over 4 kB a passage
_PIECE_WIDTH = 8  # axes in a piece: 176 of MiniLM's 384 hold about 85 % of the variance
_SYMBOLS = 256
_ROUNDS = 12  # of k-means


@dataclass(frozen=True)
class TokenCodec:
    """`mean` has shape (dimension,), `axes` (dimension, kept), `symbols` (pieces, up to 256, kept / pieces)."""

    mean: Vectors
    axes: Vectors
    symbols: Vectors

    def __post_init__(self) -> None:
        shapes = [array.shape for array in (self.mean, self.axes, self.symbols)]
        if [len(shape) for shape in shapes] != [1, 2, 3]:
            raise ValueError(f"a token codec needs arrays of one, two and three dimensions, got shapes {shapes}")
        dimension, kept = self.axes.shape
        if self.mean.shape != (dimension,) or self.symbols.shape[0] * self.symbols.shape[2] != kept:
            raise ValueError(f"the arrays of a token codec do not belong together: their shapes are {shapes}")

    @classmethod
    def fit(cls, vectors: Vectors) -> TokenCodec:
        """Learn from unit vectors of shape (n, dimension), n at least 1. The same vectors give the same codec.

        Where a piece takes no more than 256 different values, every one of them is kept as it is.
        """
        dimension = vectors.shape[1]
        pieces = min(PIECES, dimension)
        kept = pieces * min(_PIECE_WIDTH, dimension // pieces)
        mean = vectors.mean(axis=0)
        centred = (vectors - mean).astype(np.float64)
        _, directions = np.linalg.eigh(centred.T @ centred)
        main = directions[:, ::-1][:, :kept]
        axes = np.ascontiguousarray(main[:, np.argsort(np.arange(kept) % pieces, kind="stable")], dtype=np.float32)
        turned = (vectors - mean) @ axes
        learned = [_learn(piece) for piece in np.split(turned, pieces, axis=1)]
        most = max(len(symbols) for symbols in learned)
        symbols = np.stack([np.pad(some, ((0, most - len(some)), (0, 0)), mode="edge") for some in learned])
        return cls(mean.astype(np.float32), axes, symbols.astype(np.float32))

    @property
    def pieces(self) -> int:
        """How many bytes a vector takes."""
        return int(self.symbols.shape[0])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what `to_bytes` gives, in hexadecimal."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @cached_property
    def _turned_mean(self) -> Vectors:
        turned: Vectors = self.mean @ self.axes
        return turned

    def encode(self, vectors: Vectors) -> Codes:
        """Codes of shape (n, pieces) for unit vectors of shape (n, dimension)."""
        turned = (vectors - self.mean) @ self.axes
        codes = np.empty((len(vectors), self.pieces), dtype=np.uint8)
        for number, (piece, symbols) in enumerate(
            zip(np.split(turned, self.pieces, axis=1), self.symbols, strict=True)
        ):
            # The nearest: |x - s|² = |x|² - 2 x·s + |s|², of which |x|² is the same for all.
            codes[:, number] = np.argmin((symbols**2).sum(axis=1) - 2 * (piece @ symbols.T), axis=1)
        return codes

    def cosines(self, codes: Codes, vectors: Vectors) -> Vectors:
        """Shape (codes, vectors): the cosine of each coded vector with each of these unit vectors."""
        turned = self.symbols[np.arange(self.pieces), codes].reshape(len(codes), self.axes.shape[1])
        squared = (turned**2).sum(axis=1) + 2 * (turned @ self._turned_mean) + float(self.mean @ self.mean)
        products = turned @ (vectors @ self.axes).T + vectors @ self.mean
        cosines: Vectors = products / np.sqrt(np.maximum(squared, np.finfo(np.float32).tiny))[:, None]
        return cosines

    def decode(self, codes: Codes) -> Vectors:
        """Unit vectors of shape (n, dimension) that stand for these codes."""
        turned = self.symbols[np.arange(self.pieces), codes].reshape(len(codes), self.axes.shape[1])
        return unit(turned @ self.axes.T + self.mean)

    def to_bytes(self) -> bytes:
        """For a file; `from_bytes` gives it back."""
        packed = io.BytesIO()
        for array in (self.mean, self.axes, self.symbols):
            np.save(packed, array, allow_pickle=False)
        return packed.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> TokenCodec:
        """What `to_bytes` gave. Raises ValueError for anything else."""
        packed = io.BytesIO(content)
        mean, axes, symbols = (np.lib.format.read_array(packed, allow_pickle=False) for _ in range(3))
        return cls(mean, axes, symbols)


def _learn(pieces: Vectors) -> Vectors:
    """Up to 256 pieces that stand for all of these."""
    different = np.unique(pieces, axis=0)
    if len(different) <= _SYMBOLS:
        return different
    import faiss

    means = faiss.Kmeans(
        pieces.shape[1], _SYMBOLS, niter=_ROUNDS, seed=1, min_points_per_centroid=1, max_points_per_centroid=len(pieces)
    )
    means.train(np.ascontiguousarray(pieces))
    return np.asarray(means.centroids)

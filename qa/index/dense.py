"""The ranking by meaning: FAISS, every passage compared, inner product over unit vectors.

Numbers take two bytes (float16), which moves a cosine by less than 0.001 and halves the index.
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from qa.embed import Vectors
from qa.index.contract import Mask, Numbers, Ranking


def write_dense(path: Path, vectors: Vectors) -> None:
    """Write the index of these unit vectors, of shape (passages, dimension)."""
    index = faiss.IndexScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    faiss.write_index(index, str(path))


class DenseIndex:
    """A FAISS index opened from a file, which is mapped, not read."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def open(cls, path: Path) -> DenseIndex:
        """Open what `write_dense` wrote."""
        return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def cosines(self, vector: Vectors, numbers: Numbers) -> NDArray[np.float32]:
        """See `PassageIndex.cosines`."""
        wanted = np.asarray(numbers, dtype=np.int64)
        if not len(wanted):
            return np.zeros((*vector.shape[:-1], 0), dtype=np.float32)
        kept: NDArray[np.float32] = vector @ self._index.reconstruct_batch(wanted).T
        return kept

    def search(self, vector: Vectors, n: int, mask: Mask | None) -> Ranking:
        """See `PassageIndex.dense`."""
        parameters = None
        if mask is not None:
            bits = np.packbits(mask, bitorder="little")
            # faiss replaces these constructors when it is imported; its stubs show the ones before.
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        count = min(n, len(self))
        if count == 0:
            return Ranking(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
        scores, numbers = self._index.search(vector.reshape(1, -1), count, params=parameters)
        found = numbers[0] >= 0
        numbers, scores = numbers[0][found], scores[0][found]
        order = np.lexsort((numbers, -scores))  # of equals, the one that stands first in the corpus
        return Ranking(numbers[order], scores[order])

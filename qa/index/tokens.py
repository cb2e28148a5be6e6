"""The words of every passage as codes, for comparing a question's words with them one by one (late interaction).

Late interaction (Khattab and Zaharia, "ColBERT", SIGIR 2020) takes, for each word of the question, the cosine of the
nearest word of the passage. It is worked out here segment by segment, from codes that are mapped, not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.embed import Vectors
from qa.index.contract import Numbers, WordMatches
from qa.passage_vectors import PassageVectors
from qa.token_codec import Codes, TokenCodec

_CODEC = "codec.bin"
_CODES = "codes.npy"
_SEGMENTS = "segments.npy"
_PASSAGES = "passages.npy"


def write_tokens(folder: Path, vectors: Sequence[PassageVectors], codec: TokenCodec) -> None:
    """Write the words of these passages into `folder`."""
    folder.mkdir()
    (folder / _CODEC).write_bytes(codec.to_bytes())
    codes = np.lib.format.open_memmap(
        folder / _CODES, mode="w+", dtype=np.uint8, shape=(sum(len(one.codes) for one in vectors), codec.pieces)
    )
    first = 0
    for one in vectors:
        codes[first : first + len(one.codes)] = one.codes
        first += len(one.codes)
    codes.flush()
    lengths = [length for one in vectors for length in one.segments]
    np.save(folder / _SEGMENTS, _starts(lengths))
    np.save(folder / _PASSAGES, _starts([len(one.segments) for one in vectors]))


def _starts(lengths: Sequence[int]) -> NDArray[np.uint32]:
    """Where each of these begins and, last, where all end."""
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.uint64)])
    if starts[-1] > np.iinfo(np.uint32).max:
        raise ValueError(f"{starts[-1]} words are more than one index can hold")
    return starts.astype(np.uint32)


@dataclass(frozen=True)
class TokenIndex:
    """Opened from a folder. `segments` are starts in `codes`, `passages` are starts in `segments`."""

    codec: TokenCodec
    codes: Codes
    segments: NDArray[np.uint32]
    passages: NDArray[np.uint32]

    @classmethod
    def open(cls, folder: Path) -> TokenIndex:
        """Open what `write_tokens` wrote."""
        codes, segments, passages = (
            np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in (_CODES, _SEGMENTS, _PASSAGES)
        )
        return cls(TokenCodec.from_bytes((folder / _CODEC).read_bytes()), codes, segments, passages)

    def __len__(self) -> int:
        return len(self.passages) - 1

    def match(self, words: Vectors, numbers: Numbers) -> WordMatches:
        """See `PassageIndex.match`."""
        ranges = [(int(self.passages[number]), int(self.passages[number + 1])) for number in numbers]
        starts = np.cumsum([0, *(after - first for first, after in ranges)])
        if not ranges or not len(words):
            return WordMatches(np.zeros((int(starts[-1]), len(words)), dtype=np.float32), starts)
        bounds = [self.segments[first : after + 1].astype(np.int64) for first, after in ranges]
        codes = np.concatenate([self.codes[bound[0] : bound[-1]] for bound in bounds])
        lengths = np.concatenate([np.diff(bound) for bound in bounds])
        best = np.zeros((len(lengths), len(words)), dtype=np.float32)
        if len(codes):
            cosines = self.codec.cosines(codes, words)
            filled = lengths > 0  # a segment without words matches nothing
            firsts = np.cumsum(lengths) - lengths
            best[filled] = np.maximum.reduceat(cosines, firsts[filled], axis=0)
        return WordMatches(np.maximum(best, 0), starts)

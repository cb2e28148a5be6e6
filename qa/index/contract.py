"""What every index backend gives: candidates, and what is needed to show them. Fusion stands above it, once for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qa.conflicts import Conflict
from qa.embed import Vectors
from qa.geometry import Geometry
from qa.models import Block, Metadata, Page, PageKind, Passage
from qa.offsets import OffsetMap, Span

Mask = NDArray[np.bool_]
Numbers = Sequence[int] | NDArray[np.int64]  # of passages, from 0


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passages best first. `numbers` are places in the index, from 0; `scores` has the same length and falls."""

    numbers: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        if len(self.numbers) != len(self.scores):
            raise ValueError(f"{len(self.numbers)} numbers but {len(self.scores)} scores")


@dataclass(frozen=True, slots=True)
class WordMatches:
    """How near the words of a question come in each segment of some passages.

    `best` has shape (segments, words): the cosine of the nearest word of the segment, 0 where there is none. The
    segments of passage i are those from `starts[i]` up to `starts[i + 1]`: first what stands in front of it, then its
    sentences.
    """

    best: NDArray[np.float32]
    starts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """A document as the index keeps it; `passages` are the numbers of its passages, which follow each other."""

    id: str
    digest: str
    metadata: Metadata
    passages: range


@dataclass(frozen=True, slots=True)
class Source:
    """The text that a document's passages were cut from, with the way back to its raw text and its pages."""

    text: str
    offsets: OffsetMap
    pages: tuple[Page, ...]
    page_kind: PageKind

    def raw_span(self, span: Span) -> Span:
        """`span` of the normalised text, in the raw text."""
        return self.offsets.to_raw(span)


class PassageIndex(Protocol):
    """One audience's passages. Safe to use from several threads."""

    @property
    def generation(self) -> str:
        """Which build this is."""
        ...

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Where two of its documents contradict each other, as found at the build."""
        ...

    def eligible(self, today: date) -> Mask | None:
        """Which passages may be shown today; None when all may."""
        ...

    def dense(self, vector: Vectors, n: int, mask: Mask | None) -> Ranking:
        """The `n` passages nearest to the unit `vector` of shape (dimension,), by cosine, among those of `mask`."""
        ...

    def lexical(self, terms: Sequence[str], n: int, mask: Mask | None) -> Ranking:
        """The `n` passages with the highest BM25 score above 0 for these terms, among those of `mask`."""
        ...

    def cosines(self, vector: Vectors, numbers: Numbers) -> NDArray[np.float32]:
        """The cosine of the unit `vector` (or, of shape (n, dimension), of each row) with each of these passages.

        Of shape (passages,) or (n, passages).
        """
        ...

    def word_scores(self, terms: Sequence[str], numbers: Numbers) -> NDArray[np.float32]:
        """The BM25 score of each of these passages for these terms."""
        ...

    def information(self, terms: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """How much each term tells (its idf in BM25), and whether any passage has it. Rare terms tell most."""
        ...

    def nearest_word(self, word: str) -> str | None:
        """The word of the documents that `word` is probably a slip of the fingers for; None where there is none."""
        ...

    def match(self, words: Vectors, numbers: Numbers) -> WordMatches:
        """How near each of these unit vectors, of shape (words, dimension), comes in these passages."""
        ...

    def passages(self, numbers: Iterable[int]) -> list[Passage]:
        """The passages with these numbers, in this order. Raises KeyError for a number that the index has not."""
        ...

    def document(self, document_id: str) -> IndexedDocument:
        """The document with this id. Raises KeyError for one that the index has not."""
        ...

    def documents(self) -> tuple[IndexedDocument, ...]:
        """All documents, in the order of their passages."""
        ...

    def source(self, document_id: str) -> Source:
        """What `document_id` was cut from. Raises KeyError for a document that the index has not."""
        ...

    def is_intact(self, document_id: str) -> bool:
        """Whether the text of `document_id` reads as it did when the index was built."""
        ...

    def blocks(self, document_id: str) -> tuple[Block, ...]:
        """The headings, paragraphs, list items and table rows of `document_id`, without their heading paths."""
        ...

    def geometry(self, document_id: str, page: int) -> Geometry:
        """Where the words of this page (from 1) stand; empty where that is not known."""
        ...

    def file(self, document_id: str) -> Path | None:
        """The bytes that `document_id` was read from, kept for pictures of its pages; None where there are none."""
        ...

    def headings(self, document: IndexedDocument) -> list[str]:
        """The innermost heading of each passage of a document, in order, without repetitions."""
        ...

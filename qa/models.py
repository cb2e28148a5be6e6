"""One frozen type for each stage: file, `Document`, `CorpusDocument`, `Passage`, `Hit`, `Answer`.

A span is a half-open pair of character offsets, as in Python slices. Two texts are meant by offsets: the *raw text*
is what the file holds, decoded (for PDF and DOCX, which hold no text to point into, it is the normalised text); the
*normalised text* is what a reader made of it. `OffsetMap` goes from the second to the first.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from qa.audience import Audience

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """Where each character of the normalised text stands in the raw text.

    Piece by piece: the `length[i]` characters from `normalised[i]` stand for the `raw_length[i]` characters from
    `raw[i]`. Where both lengths are equal, character by character; elsewhere as a whole, like the one character of
    "&rdquo;". Characters between two pieces were put in by the reader and have no place of their own. Pieces are sorted
    and do not overlap. An empty map means that the raw text is the normalised text.
    """

    normalised: tuple[int, ...] = ()
    raw: tuple[int, ...] = ()
    length: tuple[int, ...] = ()
    raw_length: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        sizes = {len(column) for column in self.columns}
        if len(sizes) != 1:
            raise ValueError(f"an offset map needs four lists of one length, got lengths {sorted(sizes)}")

    @property
    def columns(self) -> tuple[tuple[int, ...], ...]:
        """The four lists, in the order in which the constructor takes them."""
        return (self.normalised, self.raw, self.length, self.raw_length)

    def to_raw(self, span: Span) -> Span:
        """The smallest raw span that covers every character of `span` which has a place in the raw text."""
        if not self.normalised:
            return span
        start, end = span
        first = max(bisect_right(self.normalised, start) - 1, 0)
        if start >= self.normalised[first] + self.length[first] and first + 1 < len(self.normalised):
            first += 1
        last = max(bisect_right(self.normalised, max(end - 1, start)) - 1, 0)
        raw_start = self.raw[first] + self._within(first, start - self.normalised[first], whole=0)
        raw_end = self.raw[last] + self._within(last, end - self.normalised[last], whole=self.raw_length[last])
        return (raw_start, max(raw_start, raw_end))

    def _within(self, piece: int, place: int, *, whole: int) -> int:
        """How far `place` in a piece is from its beginning in the raw text; `whole` where it stands as a whole."""
        if self.length[piece] != self.raw_length[piece] and place > 0:
            return whole
        return min(max(place, 0), self.length[piece])


class BlockKind(StrEnum):
    """What a block is in its document."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list item or table row; its text is `document.text[start:end]`, never empty.

    `headings` are the headings above it, outermost first (a heading's own text is not among them). `page` counts
    from 1 and is 1 throughout for formats without pages; a block that runs over a page break has the page it starts on.
    `level` is a heading's depth from 1, a list item's nesting from 1, and 0 for the rest.
    """

    kind: BlockKind
    start: int
    end: int
    headings: tuple[str, ...] = ()
    page: int = 1
    level: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its label as printed ("iv", "3"), and its span in the normalised text (empty when it has no text)."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader made of one file.

    Blocks are in reading order and do not overlap; between them stands white space only. `pages` is empty for formats
    without pages. `front_matter` is what the file says about itself, as plain JSON values. `warnings` are sentences for
    the load report.
    """

    text: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    title: str | None = None
    offsets: OffsetMap = field(default_factory=OffsetMap)
    front_matter: dict[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Status(StrEnum):
    """How far a document has come."""

    DRAFT = "draft"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the clinic says about a document. Dates are days in the clinic's time zone."""

    title: str
    audience: Audience
    status: Status
    approved_by: str | None = None
    approved_on: date | None = None
    review_by: date | None = None
    version: str | None = None
    language: str = "en"
    source: str | None = None


@dataclass(frozen=True, slots=True)
class CorpusDocument:
    """A document in its place: `id` is its path below the corpus folder, with forward slashes; `digest` its SHA-256."""

    id: str
    digest: str
    document: Document
    metadata: Metadata


def passage_id(document_id: str, span: Span) -> str:
    """Document and place: two passages with the same text are still two."""
    return f"{document_id}#{span[0]}-{span[1]}"


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one document, `document.text[start:end]`, small enough to read at a glance.

    `id` is document and place. `headings` is the path that it stands under. `lead_in` is the line that introduces
    its list when that line stands in an earlier passage, else empty. `pages` are the pages it touches, from 1 (empty
    for formats without pages). `tokens` counts the model's tokens of `text` alone.
    """

    id: str
    document_id: str
    text: str
    start: int
    end: int
    headings: tuple[str, ...]
    pages: tuple[int, ...]
    tokens: int
    lead_in: str = ""


@dataclass(frozen=True, slots=True)
class EmbeddedText:
    """The text that is embedded for a passage. Its first `front` characters stand before the passage's own text."""

    text: str
    front: int

    @property
    def own(self) -> str:
        """The passage's own text."""
        return self.text[self.front :]


@dataclass(frozen=True, slots=True)
class Placing:
    """Where one ranking put a passage: `rank` from 1, `score` in that ranking's own unit."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for a passage: see `qa.retrieve.score`. All lie between 0 and 1, but cosines may fall below."""

    similarity: float
    asking: float
    words: float
    late: float
    sentence: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that was compared with the question, by its number in the index.

    `dense` is its place by cosine, `lexical` its place by BM25, where it had one.
    """

    number: int
    score: float
    dense: Placing | None
    lexical: Placing | None
    signals: Signals


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage in the ranking of one question.

    `numbers` are the passages of the index that `passage` was put together from, which is one for most; the candidate
    is the best of them. `also_in` are passages of other places with (nearly) the same text.
    """

    passage: Passage
    candidate: Candidate
    numbers: range
    also_in: tuple[Passage, ...] = ()

    @property
    def score(self) -> float:
        """How well it answers, for comparing hits of one question only."""
        return self.candidate.score


@dataclass(frozen=True, slots=True)
class Evidence:
    """What retrieval found, for judging whether it answers at all. The first five are the best of the first three hits.

    `margin` is the score of the best candidate above the tenth's; `known` the part of the question's information in
    words that the documents have at all; `agreement` the part of the first ten by meaning that are among the first ten
    by words; `length` the number of the question's terms.
    """

    similarity: float
    coverage: float
    late: float
    sentence: float
    asking: float
    margin: float
    known: float
    agreement: float
    length: float


@dataclass(frozen=True, slots=True)
class Citation:
    """Enough to find the quote by hand. `page` counts from 1; formats without pages have None and no `pages`."""

    document: str
    title: str
    section: tuple[str, ...]
    page: int | None
    page_label: str | None
    pages: tuple[int, ...]
    path: str
    approved_on: date | None
    review_by: date | None
    version: str | None
    also_in: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """A passage as a person gets it: `highlights` are spans in `text`, `span` is in the raw text of the source."""

    id: str
    rank: int
    score: float
    text: str
    highlights: tuple[Span, ...]
    span: Span
    citation: Citation
    lead_in: str = ""


class AnswerKind(StrEnum):
    """What an answer is. `URGENT` and `CONFLICT` are promised by the contract and not given yet."""

    ANSWER = "answer"
    NOT_COVERED = "not_covered"
    URGENT = "urgent"
    CONFLICT = "conflict"


class Level(StrEnum):
    """What people are told instead of a probability."""

    LIKELY = "likely"
    POSSIBLE = "possible"
    NOT_COVERED = "not_covered"


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to one question. `not_covered` carries no passages; `notices` are sentences for the person who asked.

    `confidence` is the probability that the first passages answer, and `level` what people are told of it; both are
    None where no documents were asked. `pinned` says that the clinic chose the first passage for this question.
    `generation` is None when no index was asked.
    """

    question: str
    audience: Audience
    kind: AnswerKind
    confidence: float | None
    level: Level | None
    pinned: bool
    passages: tuple[CitedPassage, ...]
    notices: tuple[str, ...]
    generation: str | None
    elapsed_ms: float

"""One frozen type for each stage: file, `Document`, `CorpusDocument`, `Passage`, `Hit`, `Answer`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from qa.audience import Audience
from qa.geometry import Geometry
from qa.offsets import OffsetMap, Span


class BlockKind(StrEnum):
    """What a block is in its document."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"


@dataclass(frozen=True, slots=True)
class Cell:
    """A filled cell of a table's row: its value is `document.text[start:end]`, and `column` counts from 0.

    What the reader wrote before it, "Column: ", is `document.text[name:start]`, empty for a column without a name.
    """

    column: int
    name: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list item or table row; its text is `document.text[start:end]`, never empty.

    `headings` are the headings above it, outermost first (a heading's own text is not among them). `page` counts
    from 1 and is 1 throughout for formats without pages; a block that runs over a page break has the page it starts on.
    `level` is a heading's depth from 1, a list item's nesting from 1, and 0 for the rest. `cells` are a table row's,
    from left to right, where the reader knows them. `marker` is a list item's own number or letter as the document
    shows it ("3.", "b)"), where it is not in the text.
    """

    kind: BlockKind
    start: int
    end: int
    headings: tuple[str, ...] = ()
    page: int = 1
    level: int = 0
    cells: tuple[Cell, ...] = ()
    marker: str = ""


class PageKind(StrEnum):
    """What the pages of a document are."""

    PAGE = "page"
    SLIDE = "slide"
    SHEET = "sheet"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its label as printed ("iv", "3"), and its span in the normalised text (empty when it has no text).

    `recognised` says that its text was recognised in a picture, so that some of it may be wrong.
    """

    label: str
    start: int
    end: int
    recognised: bool = False


def pages_of(span: Span, pages: Sequence[Page]) -> tuple[int, ...]:
    """The pages, from 1, that share characters with a span of the normalised text."""
    start, end = span
    return tuple(number for number, page in enumerate(pages, start=1) if page.start < end and start < page.end)


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader made of one file.

    Blocks are in reading order and do not overlap; between them stands white space only. `pages` is empty for formats
    without pages, and `geometry` for those whose pages cannot be shown as pictures. `front_matter` is what the file
    says about itself, as plain JSON values. `warnings` are sentences for the load report.
    """

    text: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    title: str | None = None
    offsets: OffsetMap = field(default_factory=OffsetMap)
    front_matter: dict[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    page_kind: PageKind = PageKind.PAGE
    geometry: Geometry = field(default_factory=Geometry)


class Status(StrEnum):
    """How far a document has come."""

    DRAFT = "draft"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class SignOff:
    """Somebody answers for a sentence: its `digest` (`qa.claims.digest_of`), who and when.

    `text` is how the sentence begins, for people who read the label; only the digest counts.
    """

    digest: str
    by: str
    on: date
    text: str = ""


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
    signed_off: tuple[SignOff, ...] = ()


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
    """Enough to find the quote by hand, and to open its document there.

    `start` is where the passage begins in the document's text. `page` is the one on which the quote is, or what is
    marked of it; it counts from 1, and formats without pages have None and no `pages`. `recognised` says that some of
    these pages were recognised from pictures. `audience` and `status` are as they stand now, and `overdue_since` is the
    day its review was due, when that is past.
    """

    document: str
    title: str
    section: tuple[str, ...]
    start: int
    page: int | None
    page_label: str | None
    page_kind: PageKind
    pages: tuple[int, ...]
    recognised: bool
    path: str
    approved_on: date | None
    review_by: date | None
    version: str | None
    audience: Audience
    status: Status
    overdue_since: date | None
    also_in: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """A passage as a person gets it: `highlights` are spans in `text`, `span` is in the raw text of the source.

    `sentences` are the numbers, from 1, of the highlighted ones among the passage's sentences.
    """

    id: str
    rank: int
    score: float
    text: str
    highlights: tuple[Span, ...]
    sentences: tuple[int, ...]
    span: Span
    citation: Citation
    lead_in: str = ""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What two or more approved documents say of the same thing, where not all can be right.

    `sides` are the passages with the sentence highlighted that says it; `said` is each one's value, in the same order,
    in its own words ("8 hours"). What was approved later stands first; what only says the same again, last.
    """

    said: tuple[str, ...]
    sides: tuple[CitedPassage, ...]


class Urgency(StrEnum):
    """What a question may be before it is a question. Where several apply, the first counts."""

    CRISIS = "crisis"
    EMERGENCY = "emergency"
    ADVICE = "advice"
    NONE = "none"

    @property
    def is_danger(self) -> bool:
        """Whether guidance comes before everything else."""
        return self in (Urgency.CRISIS, Urgency.EMERGENCY)


@dataclass(frozen=True, slots=True)
class Triaged:
    """How urgent a text is. `reason` names the rule, or quotes an example, never the text; `score` is 0 to 1."""

    urgency: Urgency
    reason: str
    score: float


class AnswerKind(StrEnum):
    """What an answer is. `CONFLICT`: approved documents contradict each other, so patients get neither side."""

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

    `guidance` comes before anything else, in sentences; it is there for a crisis and an emergency, whose kind is
    `urgent`, with passages or without.

    `confidence` is the probability that the first passages answer, and `level` what people are told of it; both are
    None where no documents were asked, and `level` where nothing is shown because documents contradict each other.
    `disagreements` are for staff, who see both sides beside the passages. `pinned` says that the clinic chose the first
    passage for this question. `generation` is None when no index was asked.
    """

    question: str
    audience: Audience
    kind: AnswerKind
    triaged: Triaged
    guidance: tuple[str, ...]
    confidence: float | None
    level: Level | None
    pinned: bool
    passages: tuple[CitedPassage, ...]
    notices: tuple[str, ...]
    generation: str | None
    elapsed_ms: float
    disagreements: tuple[Disagreement, ...] = ()

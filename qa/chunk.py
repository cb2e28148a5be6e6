"""Documents to passages, along the document's own structure.

A passage never crosses a heading, holds whole sentences, list items and table rows, and keeps a list with the line that
introduces it. Sizes are counted with the model's own tokenizer, and what is put in front of a passage for embedding
(title, headings, lead-in) is kept short enough that the model's limit is never reached: nothing is cut in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final, Protocol

from qa.models import Block, BlockKind, CorpusDocument, Document, EmbeddedText, Passage, pages_of, passage_id
from qa.offsets import Span
from qa.readers.normalise import shortened
from qa.sentences import sentence_spans
from qa.settings import Passages

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SPECIAL_TOKENS = 2  # [CLS] and [SEP]
# What stands in front of every passage of a section: a small file with long headings would make a huge index.
_LONGEST_KEPT: Final = 300  # characters of a heading or lead-in
_OUTERMOST_KEPT: Final = 2  # headings of a path that is longer than these two together
_INNERMOST_KEPT: Final = 6


class TokenCounter(Protocol):
    """Counts a model's tokens, without the special ones."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text."""
        ...

    def offsets(self, text: str) -> list[Span]:
        """The span in `text` of each of its tokens."""
        ...


class ModelTokens:
    """The counter of a Hugging Face tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def offsets(self, text: str) -> list[Span]:
        """The span in `text` of each of its tokens."""
        spans: list[Span] = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return spans


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut: a sentence, a list item or a table row. `lead_in` introduces the list it belongs to."""

    start: int
    end: int
    tokens: int
    lead_in: str
    holds_on: bool  # stays with the next unit: it introduces a list


def split(entry: CorpusDocument, tokens: TokenCounter, settings: Passages, limit: int) -> list[Passage]:
    """The passages of one document, in reading order.

    Every character of the document's text but headings and white space between blocks is in exactly one passage. A
    heading without anything under it is a passage of its own, and so is one that is too long to stand whole in front of
    what is under it. Passages keep the first 300 characters of a heading or lead-in, and of a path of more than eight
    headings the two outermost and the six innermost. `limit` is what the model reads, in tokens.
    """
    document = entry.document
    largest = min(settings.max_tokens, limit - _SPECIAL_TOKENS)
    passages: list[Passage] = []
    for section in _sections(document):
        headings = _kept(section[0].headings)
        units = _units(document, section, tokens, largest)
        for group in _pack(units, settings.min_tokens, largest):
            start, end = group[0].start, group[-1].end
            passages.append(
                Passage(
                    id=passage_id(entry.id, (start, end)),
                    document_id=entry.id,
                    text=document.text[start:end],
                    start=start,
                    end=end,
                    headings=headings,
                    pages=pages_of((start, end), document.pages),
                    tokens=sum(unit.tokens for unit in group),
                    lead_in=group[0].lead_in,
                )
            )
    return passages


def embedded_text(passage: Passage, title: str, tokens: TokenCounter, limit: int) -> EmbeddedText:
    """What is embedded: title, headings and lead-in in front of the passage's text, within `limit` tokens.

    The text itself is always whole. Of what stands in front, the innermost headings stay longest, then the title, then
    the lead-in; outer headings go first.
    """
    title = shortened(title, _LONGEST_KEPT)
    headings = [heading for heading in passage.headings if heading != title]
    parts = [*reversed(headings[-1:]), title, passage.lead_in, *reversed(headings[:-1])]
    room = limit - _SPECIAL_TOKENS - passage.tokens
    kept: set[str] = set()
    for part, size in zip(parts, tokens.count(parts), strict=True):
        if part and size <= room:
            kept.add(part)
            room -= size
    front = [part for part in (title, *headings, passage.lead_in) if part in kept]
    return EmbeddedText("".join(f"{part}\n" for part in front) + passage.text, sum(len(part) + 1 for part in front))


def _kept(path: tuple[str, ...]) -> tuple[str, ...]:
    if len(path) > _OUTERMOST_KEPT + _INNERMOST_KEPT:
        path = path[:_OUTERMOST_KEPT] + path[-_INNERMOST_KEPT:]
    return tuple(shortened(heading, _LONGEST_KEPT) for heading in path)


def _sections(document: Document) -> Iterator[list[Block]]:
    """Runs of blocks under one heading; a heading with nothing under it, or a very long one, is a run too."""
    section: list[Block] = []
    blocks = document.blocks
    for place, block in enumerate(blocks):
        if block.kind is BlockKind.HEADING:
            following = blocks[place + 1] if place + 1 < len(blocks) else None
            if section:
                yield section
                section = []
            is_bare = following is None or (following.kind is BlockKind.HEADING and following.level <= block.level)
            if is_bare or block.end - block.start > _LONGEST_KEPT:
                yield [block]
            continue
        if section and section[0].headings != block.headings:
            yield section
            section = []
        section.append(block)
    if section:
        yield section


def _units(document: Document, section: list[Block], tokens: TokenCounter, largest: int) -> list[_Unit]:
    spans: list[tuple[Span, str, bool]] = []
    lead_in = ""
    for place, block in enumerate(section):
        listed = block.kind is BlockKind.LIST_ITEM
        opens_list = (
            block.kind is BlockKind.PARAGRAPH
            and place + 1 < len(section)
            and section[place + 1].kind is BlockKind.LIST_ITEM
        )
        if listed or block.kind is BlockKind.TABLE_ROW:
            pieces = [(block.start, block.end)]
        else:
            pieces = sentence_spans(document.text, block.start, block.end)
        last = len(pieces) - 1
        spans += [
            (piece, lead_in if listed else "", opens_list and number == last) for number, piece in enumerate(pieces)
        ]
        if opens_list:
            lead_in = shortened(document.text[slice(*pieces[-1])], _LONGEST_KEPT)
        elif not listed:
            lead_in = ""
    counts = tokens.count([document.text[start:end] for (start, end), _, _ in spans])
    units: list[_Unit] = []
    for ((start, end), introduction, holds_on), count in zip(spans, counts, strict=True):
        if count <= largest:
            units.append(_Unit(start, end, count, introduction, holds_on))
        else:
            for first, after, size in _cut(document.text, start, end, tokens, largest):
                units.append(_Unit(first, after, size, introduction, holds_on and after == end))
    return _tied(units, largest)


def _tied(units: list[_Unit], largest: int) -> list[_Unit]:
    """A line that introduces a list becomes one unit with the first item, where the two fit together."""
    tied: list[_Unit] = []
    for unit in units:
        if tied and tied[-1].holds_on and tied[-1].tokens + unit.tokens <= largest:
            before = tied.pop()
            unit = _Unit(before.start, unit.end, before.tokens + unit.tokens, before.lead_in, holds_on=False)
        tied.append(unit)
    return tied


def _cut(text: str, start: int, end: int, tokens: TokenCounter, largest: int) -> Iterator[tuple[int, int, int]]:
    """Pieces (start, end, tokens) of a sentence that is too long: cut after a comma or the like, else between words."""
    stretch = text[start:end]
    offsets = tokens.offsets(stretch)
    first = 0
    while first < len(offsets):
        after = min(first + largest, len(offsets))
        if after < len(offsets):
            after = _best_cut(stretch, offsets, first, after)
        yield (start + offsets[first][0], start + offsets[after - 1][1], after - first)
        first = after


def _best_cut(text: str, offsets: list[Span], first: int, after: int) -> int:
    """The last boundary in the second half up to `after` that follows punctuation, else a word, else `after`."""
    between_words = None
    for place in range(after, (first + after) // 2, -1):
        gap = text[offsets[place - 1][1] : offsets[place][0]]
        if gap and text[offsets[place - 1][1] - 1] in ",;:)—–":
            return place
        if gap and between_words is None:
            between_words = place
    return between_words or after


def _pack(units: list[_Unit], smallest: int, largest: int) -> Iterator[list[_Unit]]:
    """Groups of neighbours within `largest` tokens and of about equal size, so that no stump is left at the end."""
    total = sum(unit.tokens for unit in units)
    target = max(smallest, ceil(total / max(ceil(total / largest), 1)))
    group: list[_Unit] = []
    size = 0
    for unit in units:
        would_be = size + unit.tokens
        closer_without = would_be > target and would_be - target > target - size and size >= smallest
        if group and (would_be > largest or closer_without):
            yield group
            group, size = [], 0
        group.append(unit)
        size += unit.tokens
    if group:
        yield group

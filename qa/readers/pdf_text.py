"""Lines put together to running text: words that were divided over a line end are made whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qa.readers.pdf_lines import SOFT_HYPHEN, Line, Placed

_HYPHENS = "-\u2010"
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_LAST_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*(?=[-\u2010]$)")
# First parts of compounds that clinics write with a hyphen, and that hardly begin a longer word at a syllable's end
# ("follow-up", "self-care", "long-term", "non-prescription"); the document's own spelling comes before this list.
_KEEP = frozenset(
    [*("self", "long", "short", "follow", "well", "non", "off", "high", "low", "full", "part", "one", "two", "first")]
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of one page, and where its words stand. `glue` goes between it and the piece before it in the same block."""

    page: int
    text: str
    glue: str = ""
    placed: tuple[Placed, ...] = ()


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    """The words, hyphenated ones too, that stand undivided in the texts of lines."""
    return frozenset(word.lower() for text in texts for word in _WORD.findall(text))


def join(lines: Sequence[Line], known: frozenset[str]) -> list[Piece]:
    """The lines as pieces, one a page. `known` is the document's `vocabulary`."""
    pieces: list[Piece] = []
    page, text, glue = 0, "", ""
    placed: list[Placed] = []
    for line in lines:
        if not page:
            page, text, placed = line.page, line.text, list(line.placed)
            continue
        before, between = _seam(text, line.text, known)
        _cut(placed, len(before))
        if line.page == page:
            placed += moved(line.placed, len(before) + len(between))
            text = before + between + line.text
        else:
            pieces.append(Piece(page, before, glue, tuple(placed)))
            page, text, glue, placed = line.page, line.text, between, list(line.placed)
    text = text.removesuffix(SOFT_HYPHEN)
    return [*pieces, Piece(page, text, glue, tuple(placed))] if page else []


def moved(placed: Iterable[Placed], by: int) -> Iterator[Placed]:
    """The same in a text that has `by` characters more in front."""
    return ((start + by, end + by, place) for start, end, place in placed)


def _cut(placed: list[Placed], length: int) -> None:
    """Leave out what stands after the first `length` characters of the text: at most its last one, a hyphen."""
    while placed and placed[-1][1] > length:
        start, _, place = placed.pop()
        if start < length:
            placed.append((start, length, place))


def joined(lines: Sequence[Line], known: frozenset[str]) -> str:
    """The lines as one text."""
    return "".join(piece.glue + piece.text for piece in join(lines, known))


def _seam(before: str, after: str, known: frozenset[str]) -> tuple[str, str]:
    """What is left of `before` ahead of the seam, and what goes between it and `after`."""
    if before.endswith(SOFT_HYPHEN):
        return before.removesuffix(SOFT_HYPHEN), ""
    if before[-1:] not in _HYPHENS or not before[-2:-1].isalnum():
        return before, " "
    first = _LAST_WORD.search(before)
    rest = _WORD.match(after)
    if first is None or rest is None or not after[0].islower():
        return before, ""  # "COVID-|19", "X-|Ray": the hyphen is the word's own
    head, tail = first.group().lower(), rest.group().lower()
    whole, divided = head + tail, f"{head}-{tail}"
    if divided in known and whole not in known:
        return before, ""
    if whole not in known and (head in _KEEP or "-" in head):
        return before, ""
    return before[:-1], ""

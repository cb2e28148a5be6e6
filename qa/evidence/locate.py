"""The rectangles on a document's pages that a quote stands in.

A quote is marked where every character of it has a sure place, and not at all otherwise.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from qa.geometry import Box, Geometry, Stretch
from qa.models import Block
from qa.offsets import Span

# Letters and digits that a mark may cover besides the quote's own, when it begins or ends inside of a word. Scripts
# that are written without spaces have lines of one "word", which such a mark would cover whole.
_MOST_BESIDES: Final = 15
# The widest gap between words of one mark, in heights of the line: justified lines are wide, columns are further apart.
_WIDEST_GAP: Final = 2.0
_SAME_LINE: Final = 0.5  # of the smaller height, that two words of a line have in common: a raised number has more
_TELLING: Final = 4  # characters of a word whose box is longer along its line than across it in any font
_VISIBLE = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle over words of one line, on a page that counts from 1."""

    page: int
    box: Box


def locate(span: Span, text: str, blocks: Sequence[Block], geometry: Geometry) -> tuple[Mark, ...] | None:
    """Where `text[span]` stands: one mark for each line, column, cell and block, in the order of the text.

    `text` and `blocks` are the document's, and `geometry` what stands on the pages that the span touches (see
    `together`); more does no harm. None when it cannot be placed: unless every character has a stretch, but for white
    space and for what the reader wrote itself between the cells of a table's row. A span that takes part of a word
    marks the whole word.
    """
    marks: list[Mark] = []
    for part in _written(span, blocks):
        stretches = list(geometry.stretches(part))
        if not _covers(stretches, part, text) or _besides(stretches, part, text) > _MOST_BESIDES:
            return None
        marks += _lines(stretches)
    return tuple(marks) or None


def together(geometries: Iterable[Geometry]) -> Geometry:
    """Several pages' geometries as one."""
    rows = sorted(row for geometry in geometries for row in zip(*geometry.columns, strict=True))
    return Geometry(*zip(*rows, strict=True)) if rows else Geometry()


def _written(span: Span, blocks: Sequence[Block]) -> Iterator[Span]:
    """The parts of `span` that stand on the page, by block and cell. Between blocks stands white space only."""
    start, end = span
    first = bisect_right(blocks, start, key=lambda block: block.end)
    last = bisect_left(blocks, end, key=lambda block: block.start)
    for block in blocks[first:last]:
        for own in [(cell.start, cell.end) for cell in block.cells] or [(block.start, block.end)]:
            part = (max(start, own[0]), min(end, own[1]))
            if part[0] < part[1]:
                yield part


def _covers(stretches: Sequence[Stretch], part: Span, text: str) -> bool:
    """Whether every visible character of `part` is in a stretch."""
    bare = part[0]
    for stretch in stretches:
        if not _is_blank(text, bare, stretch.span[0]):
            return False
        bare = stretch.span[1]
    return _is_blank(text, bare, part[1])


def _is_blank(text: str, start: int, end: int) -> bool:
    return start >= end or _VISIBLE.search(text, start, end) is None


def _besides(stretches: Sequence[Stretch], part: Span, text: str) -> int:
    """How many letters and digits the stretches hold that are not in `part`."""
    if not stretches:
        return 0
    before, after = text[stretches[0].span[0] : part[0]], text[part[1] : stretches[-1].span[1]]
    return max(sum(map(str.isalnum, before)), sum(map(str.isalnum, after)))


def _lines(stretches: Sequence[Stretch]) -> Iterator[Mark]:
    """One mark for the neighbors on each line; `stretches` are those of one block or cell."""
    upright = _is_upright(stretches)
    last: Mark | None = None
    for stretch in stretches:
        if last is not None and last.page == stretch.page and _are_neighbors(last.box, stretch.box, upright=upright):
            last = Mark(last.page, _around(last.box, stretch.box))
            continue
        if last is not None:
            yield last
        last = Mark(stretch.page, stretch.box)
    if last is not None:
        yield last


def _is_upright(stretches: Sequence[Stretch]) -> bool:
    """Whether the lines run from the page's top to its bottom or back, as on the spine of a book."""
    telling = [stretch for stretch in stretches if stretch.span[1] - stretch.span[0] >= _TELLING]
    across = sum(stretch.box.x1 - stretch.box.x0 for stretch in telling)
    return sum(stretch.box.y1 - stretch.box.y0 for stretch in telling) > across


def _are_neighbors(one: Box, other: Box, *, upright: bool) -> bool:
    """Whether two boxes stand beside each other on one line, in either direction."""
    sideways = (max(one.x0, other.x0) - min(one.x1, other.x1), min(one.x1 - one.x0, other.x1 - other.x0))
    downward = (max(one.y0, other.y0) - min(one.y1, other.y1), min(one.y1 - one.y0, other.y1 - other.y0))
    (along, _), (across, height) = (downward, sideways) if upright else (sideways, downward)
    return along <= _WIDEST_GAP * height and -across >= _SAME_LINE * height


def _around(one: Box, other: Box) -> Box:
    return Box(min(one.x0, other.x0), min(one.y0, other.y0), max(one.x1, other.x1), max(one.y1, other.y1))

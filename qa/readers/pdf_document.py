"""A PDF's blocks to its `Document`: the text, the path of headings above each block, pages, and places of words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final

from qa.geometry import Geometry
from qa.models import Block, BlockKind, Cell, Document
from qa.offsets import Span
from qa.readers.normalise import LONGEST_HEADING_KEPT, shortened
from qa.readers.paged import pages_from
from qa.readers.pdf_blocks import PdfBlock
from qa.readers.pdf_text import Piece

_PART = re.compile("[^ ]+")
_NONE: Final = frozenset[int]()


def document_of(
    blocks: Sequence[PdfBlock],
    labels: Sequence[str],
    title: str | None,
    warnings: tuple[str, ...],
    recognised: Collection[int] = _NONE,
) -> Document:
    """The document of these blocks; `labels` are the pages' and `recognised` those, from 1, read from pictures."""
    text: list[str] = []
    at = 0
    spans: dict[int, Span] = {}
    path_above: list[tuple[int, str]] = []
    placed: list[Block] = []
    stretches: list[tuple[int, ...]] = []
    last_group = 0
    for block in blocks:
        if placed:
            gap = "\n" if block.group and block.group == last_group else "\n\n"
            text.append(gap)
            at += len(gap)
        start = at
        for piece in block.pieces:
            at += len(piece.glue)
            spans[piece.page] = (spans.get(piece.page, (at, at))[0], at + len(piece.text))
            stretches += _stretches(piece, at)
            text += [piece.glue, piece.text]
            at += len(piece.text)
        if block.kind is BlockKind.HEADING:
            path_above = [(level, heading) for level, heading in path_above if level < block.level]
        headings = tuple(heading for _, heading in path_above)
        cells = tuple(_moved(cell, start) for cell in block.cells)
        placed.append(Block(block.kind, start, at, headings, block.pieces[0].page, block.level, cells))
        if block.kind is BlockKind.HEADING:
            path_above.append((block.level, shortened(block.text, LONGEST_HEADING_KEPT)))
        last_group = block.group
    return Document(
        text="".join(text),
        blocks=tuple(placed),
        pages=pages_from(labels, spans, recognised),
        title=title or _first_heading(blocks),
        warnings=warnings,
        geometry=Geometry(*zip(*stretches, strict=True)) if stretches else Geometry(),
    )


def _stretches(piece: Piece, at: int) -> Iterator[tuple[int, ...]]:
    """The rows of a `Geometry` for a piece that begins at `at`."""
    for start, end, place in piece.placed:
        if " " not in piece.text[start:end]:
            yield (at + start, at + end, piece.page, *place)
            continue
        for part in _PART.finditer(piece.text, start, end):  # a single glyph may stand for two words
            yield (at + part.start(), at + part.end(), piece.page, *place)


def _moved(cell: Cell, by: int) -> Cell:
    return replace(cell, name=cell.name + by, start=cell.start + by, end=cell.end + by)


def _first_heading(blocks: Sequence[PdfBlock]) -> str | None:
    """The largest heading of the first page; the first of several."""
    headings = [block for block in blocks if block.kind is BlockKind.HEADING and block.pieces[0].page == 1]
    return min(headings, key=lambda block: block.level).text if headings else None

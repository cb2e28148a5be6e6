"""CSV and TSV: rows of cells, divided by commas, semicolons, tabs or bars, with quoted cells as RFC 4180 has them.

Which sign divides the cells is told from the rows: no file says it. The cells' texts keep their places in the raw text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from qa.errors import TooLarge
from qa.models import Document
from qa.offsets import Span
from qa.readers.decode import decode
from qa.readers.grid import GridWriter
from qa.readers.grid_cells import MOST_CELLS, GridCell, is_figure
from qa.readers.markup import Piece
from qa.readers.normalise import TextBuilder, normalise

_SEPARATORS: Final = "\t;|,"  # the first of those that fit equally well; a comma may also be a decimal point
_SAMPLED: Final = 50_000  # characters that tell which one it is
_MOST_PLACES: Final = 1_000_000  # cells, empty ones included
_WIDEST: Final = 20_000  # cells of a row; what follows is taken for another
_LONGEST_CELL: Final = 100_000  # characters
_MOST_UNCLOSED: Final = 100  # quotes that are taken for signs; after that all are, or it would take too long
_SAID = re.compile(r"sep=([\t;|,])\r?\n", re.I)  # as one spreadsheet program says it
_QUOTED = re.compile(r'"(?:[^"]++|"")*+"')


def read(path: Path) -> Document:
    """The file as a document without pages. Its title is a line of its own above the first table.

    Raises `EmptyDocument`, `BrokenDocument`, and `TooLarge` for more than 200,000 filled cells, a
    million with the empty ones, or 100,000 characters in one.
    """
    raw, warnings = decode(path.read_bytes(), path)
    said = _SAID.match(raw)
    start = said.end() if said else 0
    separator = said[1] if said else _separator(raw)
    parts: list[list[dict[int, GridCell]]] = [[]]
    places, filled = 0, 0
    for row in rows_of(raw, separator, start):
        if (longest := max(end - start for start, end in row)) > _LONGEST_CELL:
            raise TooLarge(
                "the file has a cell that is too long",
                path=path,
                found=f"{longest:,} characters",
                expected=f"at most {_LONGEST_CELL:,}",
                remedy="Look for a quote at the beginning of a cell without one at its end.",
            )
        cells = {column: cell for column, span in enumerate(row) if (cell := _cell(raw, span)) is not None}
        places, filled = places + len(row), filled + len(cells)
        if places > _MOST_PLACES or filled > MOST_CELLS:
            raise TooLarge(
                "the file has too many cells",
                path=path,
                found=f"more than {_MOST_PLACES:,}, or {MOST_CELLS:,} that are filled",
                expected="fewer",
                remedy="Split it into several files, or take out what nobody looks up.",
            )
        if cells:
            parts[-1].append(cells)
        elif parts[-1]:
            parts.append([])
    builder = TextBuilder(raw)
    grids = GridWriter(builder)
    grids.write([part for part in parts if part])
    return builder.document(path, title=grids.title, warnings=warnings)


def rows_of(raw: str, separator: str, start: int = 0) -> Iterator[list[Span]]:
    """The rows from `start` on, each as the spans of its cells in `raw`, with their quotes.

    A quote that nothing closes is a sign like any other: it must not swallow the rows below.
    """
    end_of_cell = re.compile(f"[{re.escape(separator)}\r\n]")
    unclosed = 0
    row: list[Span] = []
    at = start
    while at < len(raw):
        after = at
        if raw[at] == '"' and unclosed < _MOST_UNCLOSED:
            closing = _QUOTED.match(raw, at)
            unclosed += closing is None
            after = closing.end() if closing else at
        found = end_of_cell.search(raw, after)
        end = found.start() if found else len(raw)
        row.append((at, end))
        at = end + 1
        if found is None or found.group() != separator or len(row) == _WIDEST:
            yield row
            row = []
            if raw[end : end + 2] == "\r\n":
                at += 1
        elif at == len(raw):
            row.append((at, at))
    if row:
        yield row


def text_of(raw: str, span: Span) -> str:
    """What a cell says, as it was before it was quoted."""
    return "".join(raw[piece.start : piece.end] for piece in _pieces(raw, span))


def _separator(raw: str) -> str:
    """The sign that divides most rows into equally many cells."""
    sample = raw[:_SAMPLED]
    best, most = ",", 0.0
    for separator in _SEPARATORS:
        widths = Counter(
            len(row) for row in rows_of(sample, separator) if len(row) > 1 or sample[slice(*row[0])].strip()
        )
        width, count = max(widths.items(), key=lambda item: (item[0] > 1) * item[1], default=(1, 0))
        share = count / max(widths.total(), 1) if width > 1 else 0.0
        if share > most:
            best, most = separator, share
    return best


def _cell(raw: str, span: Span) -> GridCell | None:
    text = normalise(text_of(raw, span))
    return GridCell(text, is_figure(text), pieces=_pieces(raw, span)) if text else None


def _pieces(raw: str, span: Span) -> tuple[Piece, ...]:
    """A cell's text without the quotes around it, and with one quote for each two inside."""
    start, end = span
    closing = _QUOTED.match(raw, start, end)
    if closing is None:
        return (Piece(start, end),)
    pieces: list[Piece] = []
    at = start + 1
    last = closing.end() - 1
    while (doubled := raw.find('""', at, last)) >= 0:
        pieces.append(Piece(at, doubled + 1))
        at = doubled + 2
    pieces += [Piece(at, last), Piece(last + 1, end)]
    return tuple(piece for piece in pieces if piece.start < piece.end)

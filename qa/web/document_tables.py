"""Rows of a document's text laid out as an HTML table, its columns' names on top instead of in each row."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from qa.models import Block, Cell
from qa.readers.normalise import shortened

Show = Callable[[int, int], str]  # The characters from `start` up to `end` as HTML, as far as they are to be seen.

# What readers write between the cells of a row, besides the columns' names.
_BETWEEN_CELLS: Final = "; "
_AFTER_ROW_NAME: Final = (": ", " ")
# A table that is wider, or mostly empty, would be far larger than its text; its rows are written as lines.
_MOST_COLUMNS: Final = 100
_MOST_PLACES: Final = 20  # for each filled cell
_LONGEST_LABEL: Final = 80  # characters


def table_html(text: str, rows: Sequence[Block], show: Show, heading: str) -> str:
    """Rows that follow each other in one table. `heading` is what the table stands under; it may be empty."""
    return "".join(_Table(text, part, show).html(heading) for part in _parts(text, rows))


def _parts(text: str, rows: Sequence[Block]) -> Iterator[Sequence[Block]]:
    """The rows, divided where a column changes its name."""
    first = 0
    names: dict[int, str] = {}
    for index, row in enumerate(rows):
        named = _named(text, row)
        if any(names.get(column, name) != name for column, name in named.items()):
            yield rows[first:index]
            first, names = index, {}
        names |= named
    yield rows[first:]


def _named(text: str, row: Block) -> dict[int, str]:
    """The names of columns that a row says."""
    names = {cell.column: text[cell.name : cell.start].rstrip(": ") for cell in row.cells}
    return {column: name for column, name in names.items() if name}


@dataclass(frozen=True, slots=True)
class _Row:
    """A row; `cells` are empty where what it holds is not known cell by cell."""

    block: Block
    cells: tuple[Cell, ...]
    names_itself: bool  # its first cell is the name of the row

    @classmethod
    def of(cls, text: str, block: Block) -> _Row:
        cells = block.cells
        gaps = [text[one.end : other.name] for one, other in pairwise(cells)]
        names_itself = bool(gaps) and gaps[0] in _AFTER_ROW_NAME
        is_whole = (
            bool(cells)
            and (cells[0].name, cells[-1].end) == (block.start, block.end)
            and all(cell.name <= cell.start <= cell.end for cell in cells)
            and all(one.end <= other.name and one.column < other.column for one, other in pairwise(cells))
            and all(gap == _BETWEEN_CELLS for gap in gaps[names_itself:])
        )
        return cls(block, cells if is_whole else (), names_itself)


class _Table:
    """One table while it is written."""

    def __init__(self, text: str, rows: Sequence[Block], show: Show) -> None:
        self._text, self._show = text, show
        self._rows = [_Row.of(text, row) for row in rows]
        self._names: dict[int, str] = {}
        for row in rows:
            self._names |= _named(text, row)
        filled = [cell.column for row in self._rows for cell in row.cells]
        self._columns = sorted(set(filled))
        places = len(self._columns) * len(self._rows)
        self._is_grid = (len(self._columns) > 1 or bool(self._names)) and not (
            len(self._columns) > _MOST_COLUMNS or places > _MOST_PLACES * len(filled)
        )

    def html(self, heading: str) -> str:
        """The table in a box within which it scrolls sideways."""
        if not self._is_grid:
            items = "".join(f"<li>{self._show(row.block.start, row.block.end)}</li>" for row in self._rows)
            return f'<ul class="cq-doc-rows" role="list">{items}</ul>'
        has_header_row = self._is_header(self._rows[0])
        body = "".join(self._row(row) for row in self._rows[has_header_row:])
        head = self._head(self._rows[0] if has_header_row else None)
        label = html.escape(shortened(heading or self._label(), _LONGEST_LABEL))
        return (
            f'<div class="cq-doc-table" role="region" aria-label="{label}" tabindex="0">'
            f"<table>{head}<tbody>{body}</tbody></table></div>"
        )

    def _label(self) -> str:
        first = self._rows[0].block
        return ", ".join(self._names.values()) or self._text[first.start : first.end]

    def _is_header(self, row: _Row) -> bool:
        """Whether this row says in full the names that the rows below it say shortened, or in part."""
        said = {cell.column: self._text[cell.start : cell.end].rstrip(": ") for cell in row.cells}
        return (
            bool(self._names)
            and all(cell.name == cell.start for cell in row.cells)
            and all(_is_short_for(name, said.get(column, "")) for column, name in self._names.items())
        )

    def _head(self, header: _Row | None) -> str:
        if not self._names:
            return ""
        names = {column: html.escape(name) for column, name in self._names.items()}
        if header is not None:
            names = {cell.column: self._show(cell.start, cell.end) for cell in header.cells}
        cells = (
            f'<th scope="col">{names[column]}</th>' if names.get(column) else "<td></td>" for column in self._columns
        )
        return f"<thead><tr>{''.join(cells)}</tr></thead>"

    def _row(self, row: _Row) -> str:
        if not row.cells:
            return self._across(row.block.start, row.block.end)
        if self._is_title(row):
            return self._across(row.cells[0].start, row.cells[0].end)
        shown_cells = {cell.column: self._show(cell.start, cell.end) for cell in row.cells}
        first = self._columns[0]
        # A column without a name beside others that have one holds the names of the rows.
        names_itself = row.names_itself or (bool(self._names) and first not in self._names and len(row.cells) > 1)
        cells = (
            f'<th scope="row">{shown}</th>' if column == first and names_itself and shown else f"<td>{shown}</td>"
            for column in self._columns
            for shown in [shown_cells.get(column, "")]
        )
        return f"<tr>{''.join(cells)}</tr>"

    def _is_title(self, row: _Row) -> bool:
        """Whether the only cell is a title within the table, rather than a value beside which another is missing."""
        cell = row.cells[0]
        is_alone = len(row.cells) == 1 and cell.column == self._columns[0]
        return is_alone and len(self._columns) > (1 if cell.name == cell.start else 2)

    def _across(self, start: int, end: int) -> str:
        return f'<tr><td class="cq-doc-across" colspan="{len(self._columns)}">{self._show(start, end)}</td></tr>'


def _is_short_for(name: str, full: str) -> bool:
    return bool(full) and (name == full or (name.endswith("…") and full.startswith(name[:-1])))

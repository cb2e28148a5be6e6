"""Rows of cells, as spreadsheets, CSV files and slides hold them: titles, headers, categories and rows of values.

Such a grid says nothing of what its rows are, so that is told from what stands in them. Where it is not plain, a row is
a row of values, and its cells stand without names: a wrong name is worse than none.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from qa.models import BlockKind
from qa.readers.grid_cells import GridCell, Row, is_strong, texts_of
from qa.readers.grid_header import header_of, marked_header_of, names_of
from qa.readers.html_tables import write_piece
from qa.readers.normalise import LONGEST_COLUMN_NAME, TextBuilder, is_cut_short

_LONGEST_HEADING: Final = 100  # characters


class GridWriter:
    """Writes grids into a builder. `title` is the first title found in any, or None."""

    def __init__(self, builder: TextBuilder) -> None:
        self.title: str | None = None
        self._builder = builder
        self._tables = 0

    def write(self, parts: Sequence[Sequence[Row]], base: int = 0) -> None:
        """Write the parts of one sheet, which empty rows divide.

        `base` is the level of the heading that they stand under, 0 where there is none.
        """
        parts = [table for rows in parts for table in _side_by_side(rows)]
        was_title = False
        for place, rows in enumerate(parts):
            if not was_title:
                self._builder.leave(base + 1)
            head = next((index for index, row in enumerate(rows) if len(row) > 1), len(rows))
            is_whole = head == len(rows)
            has_more = not is_whole or place + 1 < len(parts)
            titled = self._titles(rows[:head], base + 1, is_whole=is_whole, is_first=place == 0, has_more=has_more)
            was_title = titled and is_whole
            if was_title and place == 0:
                base += 1  # it stands above the whole sheet
            if not is_whole:
                self.table(rows[head:], base + 1 + titled)

    def table(self, rows: Sequence[Row], level: int, *, header: bool | None = None) -> None:
        """Write one table. `header` says whether its first row is set apart as a header; None leaves that to its look.

        `level` is that of headings among its rows.
        """
        self._tables += 1
        group = ("table", self._tables)
        headers = marked_header_of(rows) if header else range(0) if header is False else header_of(rows)
        if any(len(cell.text) > LONGEST_COLUMN_NAME for index in headers for cell in rows[index].values()):
            headers = range(0)
        names = names_of(rows[headers.start : headers.stop])
        places = {column: place for place, column in enumerate(sorted(set().union(*rows)))}
        last = max((index for index, row in enumerate(rows) if len(row) > 1), default=-1)
        for index, row in enumerate(rows):
            if index in headers:
                if not is_cut_short(names.values()):
                    continue
            elif len(headers) == 1 and texts_of(row) == texts_of(rows[headers.start]):
                continue
            elif _is_category(rows, index):
                self._line(next(iter(row.values())), BlockKind.HEADING, level)
                continue
            elif len(row) == 1 and len(names) > 1 and _is_note(cell := next(iter(row.values()))):
                if index > last:
                    self._builder.leave(level)  # it is about the whole table
                self._line(cell, BlockKind.PARAGRAPH, 0)
                continue
            self._builder.begin(BlockKind.TABLE_ROW, group=group)
            for column, cell in sorted(row.items()):
                self._builder.cell(names.get(column, "") if index >= headers.stop else "", places[column])
                self._put(cell)
            self._builder.end()

    def _titles(self, rows: Sequence[Row], level: int, *, is_whole: bool, is_first: bool, has_more: bool) -> bool:
        """Write rows of one cell each; whether the first is a heading."""
        titled = False
        for index, row in enumerate(rows):
            cell = next(iter(row.values()))
            stands_out = not is_whole or is_first or len(rows) == 1 or (cell.is_strong and not is_strong(rows[1]))
            is_over_text = has_more or (cell.is_strong and len(rows) > 1)
            if index == 0 and stands_out and is_over_text and _is_heading_like(cell):
                titled = True
                self._line(cell, BlockKind.HEADING, level)
                self.title = self.title or cell.text
            else:
                self._line(cell, BlockKind.PARAGRAPH, 0)
        return titled

    def _line(self, cell: GridCell, kind: BlockKind, level: int) -> None:
        self._builder.begin(kind, level)
        self._put(cell)
        self._builder.end()

    def _put(self, cell: GridCell) -> None:
        if not cell.pieces:
            self._builder.insert(cell.text)
        for piece in cell.pieces:
            write_piece(piece, self._builder)


def _is_heading_like(cell: GridCell) -> bool:
    return not cell.is_figure and len(cell.text) <= _LONGEST_HEADING and not cell.text.endswith((".", "!", ";", ","))


def _is_category(rows: Sequence[Row], index: int) -> bool:
    """Whether a row is a heading within its table: one cell that stands out, with rows of values below it."""
    if len(rows[index]) > 1 or index + 1 == len(rows) or len(rows[index + 1]) < 2 or is_strong(rows[index + 1]):
        return False
    cell = next(iter(rows[index].values()))
    return (cell.is_strong or cell.columns > 1) and _is_heading_like(cell)


def _is_note(cell: GridCell) -> bool:
    """Whether the only cell of a row is no value in its column but a remark across all of them."""
    return not cell.is_figure and (
        cell.columns > 1
        or len(cell.text) > _LONGEST_HEADING
        or cell.text.startswith("*")
        or cell.text.endswith((".", "!"))
    )


def _side_by_side(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """Tables that stand beside each other, with an empty column between and each with a header of its own.

    What stands above them comes first. Anything else is one table, as it stands.
    """
    head = next((index for index, row in enumerate(rows) if len(row) > 1), len(rows))
    columns = sorted(set().union(*rows[head:]))
    starts = [columns[0], *(after for before, after in pairwise(columns) if after > before + 1)] if columns else []
    if len(starts) < 2:
        return [rows]
    tables = []
    for start, end in pairwise([*starts, columns[-1] + 1]):
        cut = ({column: cell for column, cell in row.items() if start <= column < end} for row in rows[head:])
        tables.append([row for row in cut if row])
    if not all(header_of(table) for table in tables):
        return [rows]
    return [rows[:head], *tables] if head else [*tables]

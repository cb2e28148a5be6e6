"""The rows of one HTML table, with its header's names before the values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from qa.models import BlockKind
from qa.readers.html_tags import HEADINGS
from qa.readers.markup import Piece, Token, TokenKind
from qa.readers.normalise import LONGEST_COLUMN_NAME, TextBuilder, is_cut_short, normalise

# Beyond these a table is a mistake or an attack, and names that are said again in each row would make it far larger.
_MOST_SPANNED: Final = 100  # columns or rows
_MOST_COLUMNS: Final = 200  # that have a name or span rows; cells beyond them are read all the same
_LONGEST_SPANNING: Final = 200  # characters of a cell that is said again in the rows it spans
_MOST_HEADER_ROWS: Final = 5


def span_of(attribute: str | None) -> int:
    """What `colspan` and `rowspan` say, between 1 and 100."""
    digits = (attribute or "").strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > 4:
        return 1
    return min(max(int(digits), 1), _MOST_SPANNED)


def write_piece(piece: Piece, builder: TextBuilder) -> None:
    """Write a stretch of text, a character reference's character, or a gap that no text stands for."""
    if piece.start == piece.end:
        builder.insert(piece.stands_for)
    elif piece.stands_for:
        builder.stand_in(piece.stands_for, piece.start, piece.end)
    else:
        builder.copy(piece.start, piece.end)


@dataclass(slots=True)
class _Shape:
    start: int
    rows: int = 0
    cells: int = 0
    has_header: bool = False
    holds_sections: bool = False


def layout_tables(tokens: list[Token]) -> frozenset[int]:
    """Where the tables start that only arrange a page: of one column, or with tables or headings in unnamed cells."""
    found: set[int] = set()
    open_tables: list[_Shape] = []
    for token in tokens:
        if token.kind is TokenKind.START and token.name == "table":
            if open_tables:
                open_tables[-1].holds_sections = True
            open_tables.append(_Shape(token.start))
        elif not open_tables:
            continue
        elif token.kind is TokenKind.START:
            shape = open_tables[-1]
            shape.rows += token.name == "tr"
            shape.cells += token.name in ("td", "th")
            shape.has_header |= token.name == "th"
            shape.holds_sections |= token.name in HEADINGS
        elif token.kind is TokenKind.END and token.name == "table":
            shape = open_tables.pop()
            if shape.cells <= shape.rows or (shape.holds_sections and not shape.has_header):
                found.add(shape.start)
    return frozenset(found)


@dataclass(slots=True)
class Cell:
    """One cell while it is read; `pieces` are its text in the raw text."""

    is_header: bool
    columns: int = 1
    rows: int = 1
    pieces: list[Piece] = field(default_factory=list)
    place: int = 0


@dataclass(slots=True)
class _Spanning:
    text: str
    rows_left: int


class Table:
    """Takes rows as they end and writes them as blocks; a header is kept until there is a row for it to name."""

    def __init__(self, raw: str, builder: TextBuilder, group: object) -> None:
        self._raw = raw
        self._builder = builder
        self._group = group
        self._names: dict[int, str] = {}
        self._header: list[list[Cell]] = []
        self._spanning: dict[int, _Spanning] = {}
        self._has_rows = False

    def take(self, cells: list[Cell], *, in_head: bool) -> None:
        """Take one row: a header row is remembered, any other is written."""
        spanned = self._place(cells)
        if self._is_header(cells, in_head=in_head):
            self._header.append(cells)
            for cell in cells:
                text = self._text(cell)
                for column in range(cell.place, min(cell.place + cell.columns, _MOST_COLUMNS)):
                    self._names[column] = normalise(f"{self._names.get(column, '')} {text}")
        elif any(self._text(cell) for cell in cells):
            if not self._has_rows and is_cut_short(self._names.values()):
                self.close()
            self._has_rows = True
            self._write(cells, spanned, self._names)

    def close(self) -> None:
        """Write the header as rows unless there were others, which say it."""
        if not self._has_rows:
            for cells in self._header:
                self._write(cells, {}, {})

    def _is_header(self, cells: list[Cell], *, in_head: bool) -> bool:
        return (
            bool(cells)
            and not self._has_rows
            and len(self._header) < _MOST_HEADER_ROWS
            and (in_head or all(cell.is_header for cell in cells))
            and all(len(self._text(cell)) <= LONGEST_COLUMN_NAME for cell in cells)
        )

    def _place(self, cells: list[Cell]) -> dict[int, str]:
        """Give the cells their columns; what spans into this row from above, by column."""
        spanned = {column: cell.text for column, cell in self._spanning.items()}
        for column in list(self._spanning):
            self._spanning[column].rows_left -= 1
            if not self._spanning[column].rows_left:
                del self._spanning[column]
        column = 0
        for cell in cells:
            while column in spanned:
                column += 1
            cell.place = column
            column += cell.columns
            if cell.rows > 1 and cell.place < _MOST_COLUMNS:
                text = self._text(cell)
                self._spanning[cell.place] = _Spanning(text if len(text) <= _LONGEST_SPANNING else "", cell.rows - 1)
        return spanned

    def _write(self, cells: list[Cell], spanned: dict[int, str], names: dict[int, str]) -> None:
        self._builder.begin(BlockKind.TABLE_ROW, group=self._group)
        above = sorted(spanned.items())
        is_named = not names and cells[0].is_header and not cells[-1].is_header
        after_row_name = False
        for cell in cells:
            while above and above[0][0] < cell.place:
                column, text = above.pop(0)
                if text:
                    self._builder.cell(names.get(column, ""), column)
                    self._builder.insert(text)
            if not self._text(cell):
                continue
            if after_row_name:
                self._builder.end_cell()
                self._builder.colon()
                self._builder.open_cell(cell.place)
            else:
                self._builder.cell(names.get(cell.place, ""), cell.place)
            for piece in cell.pieces:
                write_piece(piece, self._builder)
            after_row_name = is_named and cell is cells[0]
        for column, text in above:
            if text:
                self._builder.cell(names.get(column, ""), column)
                self._builder.insert(text)
        self._builder.end()

    def _text(self, cell: Cell) -> str:
        return normalise("".join(piece.stands_for or self._raw[piece.start : piece.end] for piece in cell.pieces))

"""XLSX: the sheets that a person sees, their tables row by row, with values as the cells show them.

Hidden sheets, rows and columns are left out, as they are not meant to be seen, and so are comments, charts and
pictures. Of formulas the result counts that the file keeps. The offset map is empty: a sheet is no text to point into.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from bisect import bisect_right
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

import openpyxl
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from qa.errors import BrokenDocument, TooLarge
from qa.models import BlockKind, Document, PageKind
from qa.readers.grid import GridWriter
from qa.readers.grid_cells import MOST_CELLS, GridCell
from qa.readers.normalise import normalise, shortened
from qa.readers.number_format import Value, shown
from qa.readers.office import Format, check_package
from qa.readers.paged import PagedBuilder
from qa.readers.xlsx_view import SheetView, place_name, refuse_doctype, some, too_large, view_of

_MOST_SHEETS: Final = 500
_MOST_TEXT: Final = 20_000_000  # characters in cells; many of them may share one text
_LONGEST_REPEATED: Final = 200  # characters of a cell that is said again in the rows it is merged over
_REMEDY: Final = "Open it in a spreadsheet program and save it again as XLSX."
_FORMAT: Final = Format("XLSX", "an Excel 97-2003 workbook", "Workbook", _REMEDY)
# Every way in which openpyxl and what is under it answer a file that does not deserve it.
_FAULTS: Final = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, InvalidFileException, SyntaxError, ParseError),
    *(ExpatError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError, OSError),
)
_PLAIN_NAME = re.compile(r"(?:sheet|table|tabelle|feuille?|hoja|foglio|planilha|blad|ark|лист)[ _-]?\d*", re.I)
_NO_TITLE = re.compile(r"(?:book ?\d*|workbook ?\d*|untitled.*|microsoft excel.*|.*\.(?:xlsx?|xlsm|ods|csv))", re.I)
_ESCAPED = re.compile(r"_x(?:000[9aAdD])_")  # white space, as the format spells it


def read(path: Path) -> Document:
    """The workbook as a document: its title is the file's property, else the first title above a table.

    Each sheet is a page with its name as label, and the name heads it unless a program made it up. Raises
    `EmptyDocument`, `EncryptedDocument`, `TooLarge` (more than 200,000 filled cells or 500 sheets, or cells very far
    apart) and `BrokenDocument`.
    """
    check_package(path, _FORMAT)
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as part:
                    refuse_doctype(part, path)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of openpyxl, about what it would not write back
                book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
                try:
                    return _Reader(path, archive, book).document()
                finally:
                    book.close()
    except _FAULTS as error:
        raise BrokenDocument(
            "the file is damaged or is no XLSX file",
            path=path,
            found=f"{type(error).__name__}: {normalise(str(error))[:200]}",
            expected="an XLSX file",
            remedy=_REMEDY,
        ) from error


class _Reader:
    """Reads one workbook."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, book: Workbook) -> None:
        self._path = path
        self._archive = archive
        self._book = book
        self._builder = PagedBuilder(PageKind.SHEET)
        self._grids = GridWriter(self._builder)
        self._left = MOST_CELLS
        self._text_left = _MOST_TEXT
        self._warnings: list[str] = []

    def document(self) -> Document:
        """The workbook's document."""
        seen = [sheet for sheet in self._book.worksheets if sheet.sheet_state == "visible"]
        unseen = [sheet for sheet in self._book.worksheets if sheet.sheet_state != "visible"]
        if len(seen) > _MOST_SHEETS:
            raise TooLarge(
                "the file has too many sheets",
                path=self._path,
                found=f"{len(seen):,}",
                expected=f"at most {_MOST_SHEETS:,}",
                remedy="Split it into several files.",
            )
        if unseen:
            named = some((_quoted(sheet.title) for sheet in unseen), len(unseen))
            self._warnings.append(
                f"{_counted(len(unseen), 'hidden sheet')} left out ({named}). Show what people may read"
            )
        for sheet in seen:
            self._sheet(sheet, is_only=len(seen) == 1)
        if charts := [sheet for sheet in self._book.chartsheets if sheet.sheet_state == "visible"]:
            named = some((_quoted(sheet.title) for sheet in charts), len(charts))
            self._warnings.append(f"{_counted(len(charts), 'sheet')} with only a chart left out ({named})")
        named = normalise(self._book.properties.title or "")
        title = named if named and not _NO_TITLE.fullmatch(named) else self._grids.title
        return self._builder.document(self._path, title=title, warnings=tuple(self._warnings))

    def _sheet(self, sheet: ReadOnlyWorksheet, *, is_only: bool) -> None:
        name = normalise(sheet.title)
        with self._archive.open(sheet._worksheet_path) as part:
            view = view_of(part, self._path, name[:80])
        self._builder.turn(name)
        rows = self._rows(sheet, view, name)
        _repeat_merged(rows, view, self._left, self._path)
        if not rows:
            if view.has_pictures:
                self._warnings.append(f"Sheet {_quoted(name)} has no text, only a picture or a chart")
            return
        parts: list[list[dict[int, GridCell]]] = []
        last = 0
        for number, row in rows.items():
            if not parts or view.are_parted(last, number):
                parts.append([])
            parts[-1].append(row)
            last = number
        heads = not _PLAIN_NAME.fullmatch(name) and not (is_only and _is_said_first(name, parts[0][0]))
        if heads:
            self._builder.begin(BlockKind.HEADING, level=1)
            self._builder.insert(name)
            self._builder.end()
        self._grids.write(parts, base=int(heads))

    def _rows(self, sheet: ReadOnlyWorksheet, view: SheetView, name: str) -> dict[int, dict[int, GridCell]]:
        """The filled cells that are shown, by row and by column among those that are shown."""
        spans = {(area.row, area.column): area for area in view.merged}
        rows: dict[int, dict[int, GridCell]] = {}
        failed: list[str] = []
        hidden: set[tuple[str, int]] = set()
        if not view.last_row:
            return rows
        places = _places(view)
        sheet.reset_dimensions()  # what the file claims of its size need not be true
        area = sheet.iter_rows(min_row=1, max_row=view.last_row, min_col=1, max_col=view.last_column)
        for number, cells in enumerate(area, 1):
            for column, cell in enumerate(cells, 1):
                if cell.value is None:
                    continue
                if view.is_row_hidden(number) or view.is_column_hidden(column):
                    hidden.add(("row", number) if view.is_row_hidden(number) else ("column", column))
                elif cell.data_type == "e":
                    failed.append(place_name(number, column))
                elif isinstance(cell.value, str) and not self._has_room(len(cell.value)):
                    raise TooLarge(
                        "the file holds too much text",
                        path=self._path,
                        found=f"more than {_MOST_TEXT:,} characters",
                        expected="fewer",
                        remedy="Split it into several files.",
                    )
                elif made := _cell(cell):
                    merged = spans.get((number, column))
                    columns = places[min(merged.last_column, view.last_column)] - places[column] + 1 if merged else 1
                    made = replace(made, columns=columns) if columns > 1 else made
                    rows.setdefault(number, {})[places[column]] = made
                    self._left -= 1
        if self._left < 0:
            raise too_large(self._path, f"more than {MOST_CELLS:,} filled cells")
        self._warn(name, view, failed, hidden)
        return rows

    def _has_room(self, characters: int) -> bool:
        self._text_left -= characters
        return self._text_left >= 0

    def _warn(self, name: str, view: SheetView, failed: list[str], hidden: set[tuple[str, int]]) -> None:
        for kind in ("row", "column"):
            if count := sum(one == kind for one, _ in hidden):
                self._warnings.append(
                    f"Sheet {_quoted(name)}: {_counted(count, f'hidden {kind}')} left out. Show what people may read"
                )
        empty = [at for at in view.uncomputed if not (view.is_row_hidden(at[0]) or view.is_column_hidden(at[1]))]
        if empty:
            places = some((place_name(*at) for at in empty), len(empty))
            self._warnings.append(
                f"Sheet {_quoted(name)}: {_counted(len(empty), 'formula')} without a stored result left out ({places})."
                " Open the file in a spreadsheet program and save it"
            )
        if failed:
            self._warnings.append(
                f"Sheet {_quoted(name)}: {_counted(len(failed), 'cell')} with an error left out"
                f" ({some(iter(failed), len(failed))})"
            )


def _cell(cell: ReadOnlyCell) -> GridCell | None:
    """A cell with a value, as it is shown; None where its format hides it."""
    value: Value = cell.value
    if isinstance(value, str):
        value = _ESCAPED.sub(" ", value)
    text = normalise(shown(value, cell.number_format or "General"))
    font = cell.font
    return GridCell(text, not isinstance(value, str), bool(font and font.b)) if text else None


def _places(view: SheetView) -> list[int]:
    """For each column up to the last that is filled, how many are shown up to it; hidden ones must leave no gap."""
    return list(accumulate((not view.is_column_hidden(column) for column in range(view.last_column + 1)), initial=0))[
        1:
    ]


def _repeat_merged(rows: dict[int, dict[int, GridCell]], view: SheetView, most: int, path: Path) -> None:
    """Say a cell that is merged over several rows in each of them that has values of its own."""
    numbers, places = list(rows), _places(view)
    for area in view.merged:
        column = places[area.column] if area.column < len(places) and not view.is_column_hidden(area.column) else 0
        cell = rows.get(area.row, {}).get(column)
        if cell is None or len(cell.text) > _LONGEST_REPEATED:
            continue
        first, last = bisect_right(numbers, area.row), bisect_right(numbers, area.last_row)
        most -= last - first
        if most < 0:
            raise too_large(path, f"more than {MOST_CELLS:,} cells, with merged ones in each of their rows")
        for number in numbers[first:last]:
            rows[number].setdefault(column, cell)


def _is_said_first(name: str, row: dict[int, GridCell]) -> bool:
    return [cell.text.casefold() for cell in row.values()] == [name.casefold()]


def _quoted(name: str) -> str:
    shown_name = "".join(sign if sign.isprintable() else "�" for sign in shortened(normalise(name), 80))
    return f'"{shown_name}"'


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"

"""What a sheet's XML says that openpyxl does not tell of sheets it only reads: what is hidden, merged or missing.

Done before openpyxl sees the sheet, so that a sheet that would take it too long is refused.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Final
from xml.parsers import expat

from qa.errors import BrokenDocument, TooLarge
from qa.readers.grid_cells import MOST_CELLS

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LAST_ROW: Final = 1_048_576
_LAST_COLUMN: Final = 16_384
_LARGEST_AREA: Final = 10_000_000  # rows times columns up to the last that are filled: openpyxl makes all of them
_MOST_MERGED: Final = 20_000
_CHUNK: Final = 65_536
_PLACE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
_NO_SIZE = re.compile(r"0+(?:\.0*)?")
_PICTURES: Final = frozenset({"drawing", "picture"})


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells; rows and columns count from 1, the last ones are in it."""

    row: int
    column: int
    last_row: int
    last_column: int


@dataclass(slots=True)
class SheetView:
    """One sheet as its XML has it. Rows and columns count from 1."""

    last_row: int = 0  # with a value
    last_column: int = 0
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: bytearray = field(default_factory=lambda: bytearray(_LAST_COLUMN + 1))  # 1 for a hidden one
    merged: list[Area] = field(default_factory=list)
    uncomputed: list[tuple[int, int]] = field(default_factory=list)  # row and column of formulas without a result
    has_pictures: bool = False

    def is_column_hidden(self, column: int) -> bool:
        """Whether a column is not shown."""
        return bool(self.hidden_columns[column])

    def is_row_hidden(self, row: int) -> bool:
        """Whether a row is not shown."""
        place = bisect_left(self.hidden_rows, row)
        return place < len(self.hidden_rows) and self.hidden_rows[place] == row

    def are_parted(self, row: int, after: int) -> bool:
        """Whether a row that is shown lies between these two; it is empty if both are neighbours among the filled."""
        hidden = bisect_left(self.hidden_rows, after) - bisect_left(self.hidden_rows, row + 1)
        return after - row - 1 > hidden


def refuse_doctype(part: IO[bytes], path: Path) -> None:
    """Raises `BrokenDocument` where a part begins with a document type: it may define entities without end."""
    parser = expat.ParserCreate()
    begun: list[str] = []

    def doctype(*_: object) -> None:
        raise BrokenDocument(
            "the file is not made by a spreadsheet program",
            path=path,
            found="a part with a document type definition",
            expected="XML without",
            remedy="Open it in a spreadsheet program and save it again as XLSX.",
        )

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = lambda name, _: begun.append(name)
    try:
        while not begun and (chunk := part.read(_CHUNK)):
            parser.Parse(chunk)
    except expat.ExpatError:
        return  # no XML: a picture, say; whoever needs it as XML will complain


def view_of(part: IO[bytes], path: Path, sheet: str) -> SheetView:
    """The view of one sheet's XML.

    Raises `TooLarge`, and `BrokenDocument` or `expat.ExpatError` where it is no sheet.
    """
    scan = _Scan(path, sheet)
    while chunk := part.read(_CHUNK):
        scan.parser.Parse(chunk)
    scan.parser.Parse(b"", True)
    scan.view.hidden_rows.sort()
    return scan.view


class _Scan:
    """Follows one sheet's XML, element by element."""

    def __init__(self, path: Path, sheet: str) -> None:
        self.view = SheetView()
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._path = path
        self._sheet = sheet
        self._row = self._column = self._cells = 0
        self._is_text = self._has_formula = self._has_value = False
        self._is_root = True

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if self._is_root:
            self._is_root = False
            if namespace != MAIN:
                raise self._broken(f"a sheet of the namespace {namespace[:80] or 'of nobody'}")
        if local == "c":
            self._cell(attributes)
        elif local == "row":
            self._row = self._number(attributes.get("r", str(self._row + 1)), _LAST_ROW)
            self._column = 0
            if _is_hidden(attributes, "ht"):
                self.view.hidden_rows.append(self._row)
        elif local == "f":
            self._has_formula = True
        elif local in ("v", "t"):
            self.parser.CharacterDataHandler = self._characters
        elif local == "col":
            first, last = (self._number(attributes.get(end, ""), _LAST_COLUMN) for end in ("min", "max"))
            if _is_hidden(attributes, "width"):
                self.view.hidden_columns[first : last + 1] = b"\1" * (last + 1 - first)
        elif local == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif local in _PICTURES:
            self.view.has_pictures = True

    def _end(self, name: str) -> None:
        local = name.rpartition(" ")[2]
        if local in ("v", "t"):
            self.parser.CharacterDataHandler = None
        elif local == "c":
            if self._has_value:
                self._count()
            elif self._has_formula and not self._is_text:
                self.view.uncomputed.append((self._row, self._column))

    def _characters(self, _: str) -> None:
        self._has_value = True

    def _cell(self, attributes: dict[str, str]) -> None:
        self._is_text = attributes.get("t") == "str"  # a formula may well result in no text
        self._has_formula = self._has_value = False
        self._column = self._place(attributes["r"])[1] if "r" in attributes else self._column + 1

    def _count(self) -> None:
        view = self.view
        self._cells += 1
        view.last_row, view.last_column = max(view.last_row, self._row), max(view.last_column, self._column)
        if self._cells > MOST_CELLS:
            raise too_large(self._path, f'more than {MOST_CELLS:,} filled cells on the sheet "{self._sheet}"')
        if view.last_row * view.last_column > _LARGEST_AREA:
            raise TooLarge(
                "the file has cells too far apart",
                path=self._path,
                found=f'{view.last_row:,} rows of {view.last_column:,} columns on the sheet "{self._sheet}"',
                expected=f"at most {_LARGEST_AREA:,} cells, empty ones included",
                remedy="Delete what stands far to the right or far below the tables.",
            )

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        (row, column), (last_row, last_column) = self._place(first), self._place(last or first)
        if len(self.view.merged) < _MOST_MERGED:
            self.view.merged.append(Area(row, column, last_row, last_column))

    def _place(self, reference: str) -> tuple[int, int]:
        match = _PLACE.fullmatch(reference)
        if match is None:
            raise self._broken(f"a cell at {reference[:20]!r}")
        column = 0
        for letter in match[1]:
            column = column * 26 + ord(letter) - ord("A") + 1
        return self._number(match[2], _LAST_ROW), self._number(str(column), _LAST_COLUMN)

    def _number(self, digits: str, most: int) -> int:
        if not (digits.isascii() and digits.isdigit() and len(digits) < 8 and 1 <= int(digits) <= most):
            raise self._broken(f"a row or column {digits[:20]!r}")
        return int(digits)

    def _broken(self, found: str) -> BrokenDocument:
        return BrokenDocument(
            f'the sheet "{self._sheet[:80]}" is damaged or of a variant that is not read',
            path=self._path,
            found=found,
            expected="a sheet as spreadsheet programs save it",
            remedy='Open it in a spreadsheet program and save it again as "Excel workbook" (XLSX).',
        )


def too_large(path: Path, found: str) -> TooLarge:
    """The error for a file with more cells than are read."""
    return TooLarge(
        "the file has too many cells",
        path=path,
        found=found,
        expected=f"at most {MOST_CELLS:,}",
        remedy="Split it into several files, or take out what nobody looks up.",
    )


def place_name(row: int, column: int) -> str:
    """The name of a cell: "C4" for row 4 and column 3."""
    letters = ""
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return f"{letters}{row}"


def some(names: Iterator[str], count: int) -> str:
    """The first three of the names, and that there are more."""
    return ", ".join(islice(names, 3)) + (", …" if count > 3 else "")


def _is_hidden(attributes: dict[str, str], size: str) -> bool:
    """Whether a row or column is said to be hidden, or has no height or width."""
    return attributes.get("hidden") in ("1", "true") or _NO_SIZE.fullmatch(attributes.get(size, "")) is not None

"""The rows of a PDF's tables: which row names the columns, and how a row is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.models import Cell
from qa.readers.normalise import LONGEST_COLUMN_NAME, MOST_NAMED_COLUMNS, shortened
from qa.readers.pdf_lines import Placed
from qa.readers.pdf_tables import Table
from qa.readers.pdf_text import Piece, moved


def header_of(table: Table, texts: list[list[str]]) -> list[str]:
    """The first row's cells if they name the columns, else nothing: they look unlike the rest, or hold no figures."""
    first, rest = table.rows[0], table.rows[1:]
    if not rest or sum(1 for text in texts[0] if text) < 2:
        return []
    if first.bold and not all(row.bold for row in rest):
        return texts[0]
    if all(first.styles.isdisjoint(row.styles) for row in rest):
        return texts[0]
    short = all(text and len(text) <= 40 and not text.endswith(".") for text in texts[0])
    if not short or any(re.search(r"\d", text) for text in texts[0]):
        return []
    columns = zip(*texts[1:], strict=True)
    return texts[0] if any(all(re.search(r"\d", text) for text in column) for column in columns) else []


def column_names(header: list[str]) -> list[str]:
    """The names as each row repeats them: short, and none after the first `MOST_NAMED_COLUMNS`."""
    names = [shortened(name.rstrip(":"), LONGEST_COLUMN_NAME) for name in header[:MOST_NAMED_COLUMNS]]
    return names + [""] * (len(header) - len(names))


def goes_on(before: Table, table: Table) -> bool:
    """Whether the columns are those of a table that ended an earlier page."""
    alike = len(before.edges) == len(table.edges) and all(
        abs(one - other) < 12 for one, other in zip(before.edges, table.edges, strict=True)
    )
    return alike and before.page < table.page


def row_of(row: Sequence[Piece], names: Sequence[str]) -> tuple[Piece, tuple[Cell, ...]]:
    """A row as "Name: value; Name: value", and its filled cells with their places in that.

    `names` are those of all columns, or none at all.
    """
    text = ""
    placed: list[Placed] = []
    cells: list[Cell] = []
    for column, value in enumerate(row):
        if value.text:
            text += "; " if text else ""
            name = len(text)
            text += f"{names[column]}: " if names and names[column] else ""
            cells.append(Cell(column, name, len(text), len(text) + len(value.text)))
            placed += moved(value.placed, len(text))
            text += value.text
    return Piece(row[0].page, text, "", tuple(placed)), tuple(cells)

"""Which rows of a grid name its columns. Where that is not plain none does: a wrong name is worse than none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from qa.readers.grid_cells import GridCell, Row, is_strong, texts_of
from qa.readers.normalise import LONGEST_COLUMN_NAME

_LONGEST_PLAIN_NAME: Final = 60  # characters of a column's name that nothing but its look makes one
_MOST_ABOVE: Final = 4  # rows above a header
# What stands in the place of a figure, and so is no name of a column of figures.
_IN_PLACE_OF_FIGURES: Final = frozenset(
    "n/a|na|-|–|—|free|no charge|none|included|on request|upon request|by request|varies|call|call us|ask|ask us|tbd|"
    "tba|closed|see below|see note".split("|")
)


def header_of(rows: Sequence[Row]) -> range:
    """The rows that name the columns: none, one, or two where names stand under names of groups.

    Rows above them have fewer cells: a title with a date beside it, say.
    """
    for first, row in enumerate(rows[: _MOST_ABOVE + 1]):
        if any(len(above) >= len(row) for above in rows[:first]):
            continue
        if (
            any(cell.columns > 1 for cell in row.values())
            and len(rows) > first + 2
            and all(map(_may_be_name, row.values()))
        ):
            names = names_of(rows[first : first + 2])
            both = {column: replace(cell, text=names[column]) for column, cell in rows[first + 1].items()}
            if _is_header(both, rows[first + 2 :]):
                return range(first, first + 2)
        if _is_header(row, rows[first + 1 :]):
            return range(first, first + 1)
    return range(0)


def marked_header_of(rows: Sequence[Row]) -> range:
    """The same for a grid whose first row is set apart as a header, be it one or not."""
    names = [cell.text for cell in rows[0].values()]
    if _is_header(rows[0], rows[1:]):
        return range(1)
    can_be = len(rows) > 1 and set().union(*rows[1:]) <= rows[0].keys() and len(set(names)) == len(names)
    return range(can_be and not _has_digits(names) and all(map(_may_be_name, rows[0].values())))


def names_of(headers: Sequence[Row]) -> dict[int, str]:
    """The names of the columns; a name that spans several is said of each."""
    names: dict[int, str] = {}
    for row in headers:
        for first, cell in row.items():
            for column in range(first, first + cell.columns):
                above = names.get(column, "")
                names[column] = above if above == cell.text else f"{above} {cell.text}".strip()
    return names


def _may_be_name(cell: GridCell) -> bool:
    return not cell.is_figure and len(cell.text) <= LONGEST_COLUMN_NAME and not cell.text.endswith((".", ":"))


def _has_digits(names: Sequence[str]) -> bool:
    return any(character.isdigit() for name in names for character in name)


def _is_header(header: Row, body: Sequence[Row]) -> bool:
    """Whether a row names the columns of those below it."""
    names = [cell.text for cell in header.values()]
    body = [row for row in body if texts_of(row) != texts_of(header)]  # it may be said again for the printed page
    below: dict[int, list[GridCell]] = {}
    for row in body:
        if len(row) > 1:
            for column, cell in row.items():
                below.setdefault(column, []).append(cell)
    if not below or len(names) < 2 or len(set(names)) < len(names) or not all(map(_may_be_name, header.values())):
        return False
    columns = sorted(below)
    # The column of the rows' own names may be without one, and one of remarks at the end.
    if not set(columns[1:-1]) <= header.keys() or sum(column in header for column in columns) * 2 < len(columns):
        return False
    named = [column for column in columns if column in header]
    if any(cell.text == header[at].text for at in named for cell in below[at]):
        return False
    if is_strong(header) and not all(is_strong(row) for row in body):
        return True
    if any(len(name) > _LONGEST_PLAIN_NAME or name.casefold() in _IN_PLACE_OF_FIGURES for name in names):
        return False
    if any(sum(cell.is_figure for cell in below[at]) * 2 >= len(below[at]) for at in named):
        return True
    return len(names) > 2 and len(names) >= len(below) and len(body) > 1 and not _has_digits(names)

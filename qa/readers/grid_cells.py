"""Cells of a spreadsheet, a CSV file or a slide's table, whatever they came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from qa.readers.markup import Piece

MOST_CELLS: Final = 200_000  # filled ones, in one file
_MOST_LETTERS: Final = 4  # of a figure of few digits: "1 hour"
_FIGURE = re.compile(
    r"[-+(]?\s*(?:(?:USD|EUR|GBP|CAD|AUD|NZD|CHF|INR)\s?|[^\W\d]{0,2}[$€£¥₹]\s?)?[-+(]?[\d.,]*\d", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class GridCell:
    """One filled cell. `columns` is how many it takes; `pieces` are its text in the raw text, where there is one.

    A figure is a number, an amount, a date or a time; a strong cell is set in bold.
    """

    text: str
    is_figure: bool = False
    is_strong: bool = False
    columns: int = 1
    pieces: tuple[Piece, ...] = ()


Row: TypeAlias = Mapping[int, GridCell]  # by column, filled cells only


def is_figure(text: str) -> bool:
    """Whether a text is a figure: "$1,250.00", "15%", "3:30 PM", "24 May 2026", but not "MRI 3" or "2 weeks before"."""
    if _FIGURE.match(text) is None:
        return False
    return sum(map(str.isalpha, text)) <= max(_MOST_LETTERS, sum(map(str.isdigit, text)))


def is_strong(row: Row) -> bool:
    """Whether all its cells are."""
    return all(cell.is_strong for cell in row.values())


def texts_of(row: Row) -> dict[int, str]:
    """What its cells say, by column."""
    return {column: cell.text for column, cell in row.items()}

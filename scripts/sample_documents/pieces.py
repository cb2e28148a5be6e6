"""The texts in `text/`, taken apart into pieces that can be drawn.

The mark-up is a small part of Markdown: `#` headings, `- ` and `1. ` lists, `| ` tables, `> ` boxes, `**bold**`, blank
lines between pieces. A line of `---` starts a new page and `---NAME---` goes on in the layout NAME.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

TEXTS = Path(__file__).parent / "text"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; `level` counts from 1, which is the title."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `lead` is the line under the title, `boxed` a paragraph in a box."""

    text: str
    lead: bool = False
    boxed: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, numbered from 1 when `ordered`."""

    items: tuple[str, ...]
    ordered: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table of equally long rows; `header` is empty cells when the table has none."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Break:
    """A new page, or with a name the next frame or page of that layout."""

    layout: str


Piece = Heading | Paragraph | Listing | Table | Break

_START = re.compile(r"(#+) |(- )|(\d+\. )|(\|)|(> )|(---)")


def read_pieces(name: str) -> tuple[Piece, ...]:
    """The pieces of `text/NAME.md`."""
    return parse((TEXTS / f"{name}.md").read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Piece, ...]:
    """The pieces of a text, in order. A list or a table may follow a paragraph without a blank line."""
    pieces: list[Piece] = []
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        if lines and (not line or _starts_another(lines, line)):
            pieces.append(_piece(lines, pieces))
            lines = []
        if line:
            lines.append(line)
    return tuple(pieces)


def _starts_another(lines: list[str], line: str) -> bool:
    if lines[0].startswith("#"):
        return True
    now, then = _START.match(line), _START.match(lines[0])
    return now is not None and (then is None or now.lastindex != then.lastindex)


def _piece(lines: list[str], before: list[Piece]) -> Piece:
    first = lines[0]
    start = _START.match(first)
    kind = start.lastindex if start else None
    if start and kind == 1:
        return Heading(len(start.group(1)), first[start.end() :])
    if kind in (2, 3):
        return Listing(_items(lines), ordered=kind == 3)
    if kind == 4:
        rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
        return Table(rows[0], tuple(rows[2:]))
    if kind == 5:
        return Paragraph(" ".join(line.removeprefix("> ") for line in lines), boxed=True)
    if kind == 6:
        return Break(first.strip("-"))
    lead = bool(before) and isinstance(before[-1], Heading) and before[-1].level == 1
    return Paragraph(" ".join(lines), lead=lead)


def _items(lines: list[str]) -> tuple[str, ...]:
    items: list[str] = []
    for line in lines:
        if re.match(r"- |\d+\. ", line):
            items.append(line.split(" ", 1)[1])
        else:
            items[-1] += f" {line}"
    return tuple(items)

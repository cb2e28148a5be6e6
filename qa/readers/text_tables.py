"""Rows in plain text: cells with bars or tabs between them, and runs of "key: value" lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from qa.models import BlockKind
from qa.offsets import Span
from qa.readers.lines import Line, LineKind, is_key_value
from qa.readers.normalise import BLANKS, TextBuilder, is_cut_short, normalise

_RULE = re.compile(r"[|+]?[\s:]*+-{2,}+[\s:|+-]*+")
_LONGEST_COLUMN_NAME: Final = 40  # of a header that no rule marks
_MOST_RULES_ON_END: Final = 3  # more are no table, and looking through all of them from each would take long


@dataclass(frozen=True, slots=True)
class Row:
    """One row: spans of its cells in the raw text, and the names of its columns (empty where there is no header).

    A row of one cell is a "key: value" line. `table` numbers the tables of a text from 1. A row is not shown where it
    is a rule, or a header that every row below it says in full.
    """

    table: int
    cells: tuple[Span, ...]
    header: tuple[str, ...] = ()
    is_shown: bool = True


def find_tables(lines: list[Line]) -> dict[int, Row]:
    """The rows among `lines`, by index."""
    rows: dict[int, Row] = {}
    table = 0
    index = 0
    while index < len(lines):
        for separator in ("|", "\t"):
            found = _run(lines, index, separator)
            if found:
                break
        else:
            found = _key_values(lines, index)
        if found:
            table += 1
            for row in found:
                rows[index] = Row(table, row.cells, row.header, row.is_shown)
                index += 1
        else:
            index += 1
    return rows


def write_row(row: Row, raw: str, builder: TextBuilder) -> None:
    """Write a shown row as one block."""
    builder.begin(BlockKind.TABLE_ROW, group=("table", row.table))
    if len(row.cells) == 1:
        _write_pair(row.cells[0], raw, builder)
        return
    names = row.header or ("",) * len(row.cells)
    for place, (name, (start, end)) in enumerate(zip(names, row.cells, strict=True)):
        if normalise(raw[start:end]):
            builder.cell(name, place)
            builder.copy(start, end)
    builder.end()


def _write_pair(line: Span, raw: str, builder: TextBuilder) -> None:
    """Write a "key: value" line as it is; the key with its colon and the value are a cell each."""
    start, end = line
    value = end - len(raw[raw.index(":", start) + 1 : end].lstrip(BLANKS))
    builder.cell("")
    builder.copy(start, value)
    builder.open_cell()
    builder.copy(value, end)
    builder.end()


def _cells(line: Line, separator: str) -> list[Span]:
    """Spans of the cells; fewer than two where the line is no row."""
    if line.kind is not LineKind.TEXT or separator not in line.text:
        return []
    start, text = line.start, line.text
    if separator == "|":
        if text.startswith("|"):
            start, text = start + 1, text[1:]
        text = text.removesuffix("|")
    spans: list[Span] = []
    for cell in text.split(separator):
        spans.append((start, start + len(cell)))
        start += len(cell) + 1
    return spans


def _run(lines: list[Line], first: int, separator: str) -> list[Row]:
    columns = len(_cells(lines[first], separator))
    if columns < 2:
        return []
    spans: list[list[Span]] = []
    rule_at: list[int] = []
    for offset in range(len(lines) - first):
        line = lines[first + offset]
        if offset and line.gap:
            break
        cells = _cells(line, separator)
        if separator == "|" and "-" in line.text and _RULE.fullmatch(line.text):
            rule_at.append(offset)
            if rule_at[-_MOST_RULES_ON_END - 1 :] == [*range(offset - _MOST_RULES_ON_END, offset + 1)]:
                break
            cells = []
        elif len(cells) != columns or sum(start < end for start, end in cells) * 2 < columns:
            break
        spans.append(cells)
    if len(spans) - len(rule_at) < 2:
        return []
    texts = [[_cell_text(lines[first + offset], span) for span in cells] for offset, cells in enumerate(spans)]
    shown = [row for row in texts if row]
    header = tuple(texts[0]) if rule_at[:1] == [1] or _is_header(shown) else ()
    is_said_below = bool(header) and not is_cut_short(header)
    rows: list[Row] = []
    for offset, cells in enumerate(spans):
        names = () if offset == 0 else header
        rows.append(Row(0, tuple(cells), names, is_shown=bool(cells) and not (is_said_below and offset == 0)))
    return rows


def _cell_text(line: Line, span: Span) -> str:
    return normalise(line.text[span[0] - line.start : span[1] - line.start])


def _is_header(rows: list[list[str]]) -> bool:
    names, body = rows[0], rows[1:]
    if not all(names) or len(set(names)) < len(names) or any(len(name) > _LONGEST_COLUMN_NAME for name in names):
        return False
    if any(character.isdigit() for name in names for character in name):
        return False
    return len(body) >= 2 and any(character.isdigit() for row in body for cell in row for character in cell)


def _key_values(lines: list[Line], first: int) -> list[Row]:
    found: list[Row] = []
    for index in range(first, len(lines)):
        line = lines[index]
        if (index > first and line.gap) or line.kind is not LineKind.TEXT or not is_key_value(line.text):
            break
        found.append(Row(0, ((line.start, line.end),)))
    return found if len(found) >= 2 else []

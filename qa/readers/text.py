"""Plain text without marks: headings, lists, tables and paragraphs are told from the look of the lines.

A line break within a paragraph means one of two things, decided once for a document: the text was wrapped at a fixed
width, or every line is a paragraph, as word processors export.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from typing import Final

from qa.models import BlockKind, Document
from qa.readers import lines as look
from qa.readers.decode import decode
from qa.readers.lines import Line, LineKind
from qa.readers.normalise import TextBuilder
from qa.readers.text_tables import Row, find_tables, write_row

_WRAPPED_AT: Final = (40, 120)  # characters, the width of a wrapped line
_MOST_PLAIN_HEADINGS_ON_END: Final = 2
_SHORT_OF_WIDTH: Final = 0.6
_PROSE: Final = 80  # a line this long is a paragraph, whatever its end


class Rank(IntEnum):
    """Kinds of heading, the strongest first; a document's levels are the ranks it has, in this order."""

    TITLE = 0
    DOUBLE_UNDERLINED = 1
    CAPITALS = 2
    UNDERLINED = 3
    PLAIN = 4
    NUMBERED_TWICE = 5
    NUMBERED_DEEPER = 6
    QUESTION = 7


@dataclass(slots=True)
class Unit:
    """Lines that make one block; `rule` is the character that underlines it."""

    kind: LineKind
    lines: list[Line] = field(default_factory=list)
    rule: str = ""
    row: Row | None = None
    gap_after: bool = False
    rank: Rank | None = None

    @property
    def first(self) -> Line:
        """Its first line."""
        return self.lines[0]

    @property
    def is_alone(self) -> bool:
        """Whether it is one line between blank ones."""
        return len(self.lines) == 1 and self.first.gap and self.gap_after

    @property
    def is_item(self) -> bool:
        """Whether it has the mark of a list's item."""
        return self.kind in (LineKind.BULLET, LineKind.NUMBERED)

    @property
    def text(self) -> str:
        """The text of its first line, after a bullet."""
        return self.first.text[self.first.body - self.first.start :]


def read(path: Path) -> Document:
    """The text file as a document; its first line, where it reads like one, is the title."""
    raw, warnings = decode(path.read_bytes(), path)
    lines = look.split_lines(raw)
    wrapped_at = _wrap_width(lines)
    units = _units(lines, wrapped_at)
    _rank(units, by_line=wrapped_at is None)
    builder = TextBuilder(raw)
    title = _write(units, raw, builder)
    return builder.document(path, title=title, warnings=warnings)


def _wrap_width(lines: list[Line]) -> int | None:
    """The width that the text is wrapped at, in characters, or None where every line is a paragraph."""
    low, high = _WRAPPED_AT
    broken = [
        line
        for line, after in pairwise(lines)
        if not after.gap
        and line.kind is not LineKind.RULE
        and (after.kind is LineKind.TEXT or _is_number_in_sentence(line, after))
    ]
    middling = [line for line in broken if low <= len(line.text) <= high]
    open_ended = [line for line in middling if not look.ends_sentence(line.text)]
    if not middling or len(middling) * 10 < len(broken) * 7 or len(open_ended) * 2 < len(middling):
        return None
    return max(len(line.text) for line in middling)


def _units(lines: list[Line], wrapped_at: int | None) -> list[Unit]:
    tables = find_tables(lines)
    units: list[Unit] = []
    for index, line in enumerate(lines):
        unit = units[-1] if units else None
        row = tables.get(index)
        if unit is not None:
            unit.gap_after = unit.gap_after or line.gap
            if line.kind is LineKind.RULE and not line.gap and _can_be_underlined(unit):
                unit.rule = line.text[0]
        if line.kind is LineKind.RULE or (row is not None and not row.is_shown):
            if unit is not None:
                unit.gap_after = True
        elif unit is not None and row is None and _continues(unit, line, wrapped_at):
            unit.lines.append(line)
        else:
            kind = LineKind.TEXT if unit is not None and _is_number_in_sentence(unit.lines[-1], line) else line.kind
            units.append(Unit(kind, [line], row=row))
    if units:
        units[-1].gap_after = True
    return units


def _can_be_underlined(unit: Unit) -> bool:
    return (
        len(unit.lines) == 1
        and not unit.rule
        and unit.row is None
        and not unit.gap_after
        and unit.kind is not LineKind.BULLET
        and len(unit.text) <= look.LONGEST_TITLE
    )


def _is_number_in_sentence(before: Line, line: Line) -> bool:
    """Whether a number at the start of `line` is only a number in a sentence ("at the age of / 65. Then …")."""
    return (
        line.kind is LineKind.NUMBERED
        and line.number > 1
        and not line.gap
        and before.kind is LineKind.TEXT
        and not look.ends_sentence(before.text)
    )


def _continues(unit: Unit, line: Line, wrapped_at: int | None) -> bool:
    """Whether `line` belongs to the block above it."""
    if line.gap or unit.gap_after or unit.row is not None:
        return False
    before = unit.lines[-1]
    if line.kind is not LineKind.TEXT and not _is_number_in_sentence(before, line):
        return False
    if look.is_capitals(line.text) or (look.is_capitals(before.text) and len(unit.lines) == 1):
        return False
    mid_sentence = line.text[0].islower() and not look.ends_sentence(before.text)
    if wrapped_at is None:
        if unit.is_item:
            return line.indent > unit.first.indent or mid_sentence or not unit.text
        return mid_sentence and len(before.text) >= _WRAPPED_AT[0]
    if mid_sentence:
        return True
    # The next line's first word would have fitted: the line was ended on purpose.
    was_ended = len(before.text) < wrapped_at * _SHORT_OF_WIDTH
    return not was_ended or (unit.is_item and line.indent > unit.first.indent)


def _rank(units: list[Unit], *, by_line: bool) -> None:
    """Say which units are headings, and of what rank."""
    candidates: list[int] = []
    for index, unit in enumerate(units[:-1]):
        before = units[index - 1] if index else None
        after = units[index + 1]
        if unit.row is not None:
            continue
        if index == 0 and _is_title(unit, after, by_line=by_line):
            unit.rank = Rank.TITLE
        elif unit.rule:
            unit.rank = Rank.DOUBLE_UNDERLINED if unit.rule in "=═" else Rank.UNDERLINED
        elif unit.kind is LineKind.QUESTION:
            unit.rank = Rank.QUESTION if look.is_marked_question(unit.text) else None
        elif len(unit.lines) > 1:
            continue
        elif unit.kind is LineKind.TEXT and look.is_capitals(unit.text):
            unit.rank = None if look.is_capitals(after.text) else Rank.CAPITALS
        elif unit.kind in (LineKind.NUMBERED, LineKind.OUTLINE):
            unit.rank = _numbered(unit, before, after, by_line=by_line)
        elif unit.kind is LineKind.TEXT and look.is_question(unit.text):
            unit.rank = _question(unit, before, after, by_line=by_line)
        elif unit.kind is LineKind.TEXT and _is_plain(unit, after, by_line=by_line):
            candidates.append(index)
    # A real heading has text below it: many short lines on end are an address, say, or a list without marks.
    runs: list[list[int]] = []
    for index in candidates:
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    for run in runs:
        if len(run) <= _MOST_PLAIN_HEADINGS_ON_END:
            for index in run:
                units[index].rank = Rank.PLAIN


def _is_title(unit: Unit, after: Unit, *, by_line: bool) -> bool:
    if unit.kind in (LineKind.BULLET, LineKind.QUESTION, LineKind.ANSWER) or len(unit.lines) > 1:
        return False
    if unit.rule or look.is_capitals(unit.text):
        return True
    if look.is_key_value(unit.text) and look.is_key_value(after.text):
        return False
    if unit.kind is LineKind.NUMBERED and after.kind is LineKind.NUMBERED:
        return False
    return look.is_title_like(unit.text) and (unit.gap_after or (by_line and _is_prose(after)))


def _is_prose(unit: Unit) -> bool:
    return len(unit.lines) > 1 or len(unit.text) >= _PROSE or (len(unit.text) >= 40 and look.ends_sentence(unit.text))


def _is_plain(unit: Unit, after: Unit, *, by_line: bool) -> bool:
    if after.text[:1].islower() and not after.is_item:
        return False
    if look.is_label(unit.text):
        return not after.is_item and (unit.is_alone or _is_prose(after))
    if not look.is_heading_like(unit.text):
        return False
    # Without blank lines a heading is known by the long line below it.
    return unit.is_alone or (by_line and len(unit.text) < _PROSE * 3 // 4 and len(after.text) >= _PROSE)


def _numbered(unit: Unit, before: Unit | None, after: Unit, *, by_line: bool) -> Rank | None:
    """Headings have numbers, too: they stand alone with text below, where a list's items follow each other."""
    body = look.without_number(unit.text)
    if not (look.is_heading_like(body) or look.is_question(body)):
        return None
    if unit.kind is LineKind.OUTLINE:
        depth = look.outline_depth(unit.text)
        deeper = Rank.NUMBERED_TWICE if depth == 2 else Rank.NUMBERED_DEEPER
        return (Rank.PLAIN if depth == 1 else deeper) if unit.gap_after or _is_prose(after) else None
    if not unit.first.number or after.is_item or (before is not None and before.rank is None and before.is_item):
        return None
    return Rank.PLAIN if unit.is_alone or (by_line and len(after.text) >= _PROSE) else None


def _question(unit: Unit, before: Unit | None, after: Unit, *, by_line: bool) -> Rank | None:
    """A question heads its answer; a question among questions does not."""
    if look.is_question(after.text) or (before is not None and before.rank is None and look.is_question(before.text)):
        return None
    stands_out = unit.first.gap or by_line
    return Rank.QUESTION if stands_out else None


def _write(units: list[Unit], raw: str, builder: TextBuilder) -> str | None:
    """Write the units as blocks; the title, if there is one."""
    ranks = sorted({unit.rank for unit in units if unit.rank is not None})
    indents: list[int] = []
    title = None
    for unit in units:
        if not unit.is_item:
            indents.clear()
        if unit.row is not None:
            write_row(unit.row, raw, builder)
            continue
        if unit.rank is not None:
            builder.begin(BlockKind.HEADING, level=ranks.index(unit.rank) + 1)
        elif unit.is_item:
            builder.begin(BlockKind.LIST_ITEM, level=_nesting(indents, unit.first.indent), group="list")
        else:
            builder.begin(BlockKind.PARAGRAPH)
        builder.copy(unit.first.body, unit.lines[-1].end)
        written = builder.end()
        if unit.rank is Rank.TITLE:
            title = written
    return title


def _nesting(indents: list[int], indent: int) -> int:
    while indents and indents[-1] > indent:
        indents.pop()
    if not indents or indents[-1] < indent:
        indents.append(indent)
    return len(indents)

"""A page's words in reading order: columns one after the other, full-width lines in place, tables kept as tables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from statistics import median

from qa.readers.pdf_lines import BULLETS, Line, Row, Segment, is_marker, make_line, rows_of, text_of, wide_gap
from qa.readers.pdf_tables import Grid, Table, aligned_table, flat_rules_across, grid_table, grids_of
from qa.readers.pdf_words import PageContent, Rule, Word

Gap = tuple[float, float]
_DEPTH = 6  # columns in columns, and tables in those


def reading_order(content: PageContent, page: int, body_size: float) -> list[Line | Table]:
    """Lines and tables of one page (counted from 1); `body_size` is the size in points of most of the file's text."""
    words = list(content.words)
    tables: list[tuple[Grid, Table]] = []
    for grid in grids_of(content.rules):
        inside = [word for word in words if grid.holds(word)]
        table = grid_table(grid, inside, page)
        if table is not None:
            tables.append((grid, table))
            words = [word for word in words if not grid.holds(word)]
    return _Page(page, body_size, content.rules, tables).parts(words, _DEPTH)


class _Page:
    def __init__(self, number: int, body_size: float, rules: Sequence[Rule], tables: list[tuple[Grid, Table]]) -> None:
        self.number = number
        self.body_size = body_size
        self.rules = rules
        self.tables = tables

    def parts(self, words: Sequence[Word], depth: int) -> list[Line | Table]:
        """Lines and tables of one column of the page."""
        if not words:
            tables, self.tables = self.tables, []
            return [table for _, table in tables]
        left, right = min(word.x0 for word in words), max(word.x1 for word in words)
        found: list[Line | Table] = []
        rows = rows_of(words)
        at = 0
        while at < len(rows):
            found += self._tables_above(rows[at], left, right)
            end, gaps = self._block(rows, at)
            block = rows[at:end]
            if gaps and depth and self._is_columns(block, gaps):
                for column in _split(block, gaps):
                    found += self.parts(column, depth - 1)
                at = end
            elif gaps and (end := at + self._table_length(block, gaps)) > at:
                found.append(aligned_table(rows[at:end], gaps, self.rules, self.number))
                at = end
            else:
                found.append(make_line(rows[at].words, self.number, left, right))
                at += 1
        return found + self._tables_above(None, left, right)

    def _tables_above(self, row: Row | None, left: float, right: float) -> list[Table]:
        """The ruled tables of this column that stand above the row (all that are left, for None), taken out."""
        ready = [
            (grid, table)
            for grid, table in self.tables
            if (row is None or grid.ys[0] < row.bottom) and grid.xs[0] < right and grid.xs[-1] > left
        ]
        self.tables = [pair for pair in self.tables if pair not in ready]
        return [table for _, table in sorted(ready, key=lambda pair: pair[0].ys[0])]

    def _block(self, rows: Sequence[Row], start: int) -> tuple[int, list[Gap]]:
        """The end of the longest stretch of rows from `start` on that leave the same gaps free, and the gaps."""
        taken = [(segment.x0, segment.x1) for segment in rows[start].segments]
        least = wide_gap(self.body_size)
        if len(taken) == 1 and not (start + 1 < len(rows) and _side_by_side(rows[start], rows[start + 1], least)):
            return start + 1, []
        end = start + 1
        while end < len(rows):
            row = rows[end]
            wider = _union([*taken, *((segment.x0, segment.x1) for segment in row.segments)], least)
            if len(wider) < 2 or self._breaks(rows[start:end], row, _between(wider)):
                break
            taken = wider
            end += 1
        return end, _between(taken)

    def _breaks(self, before: Sequence[Row], row: Row, gaps: Sequence[Gap]) -> bool:
        """Whether the row begins something new: far below, below a ruled table, or a heading of its own."""
        gap = row.top - max(other.bottom for other in before)
        if gap > 2.2 * row.size or any(
            before[-1].bottom <= grid.ys[0] <= row.bottom and grid.xs[0] < gaps[0][0] and grid.xs[-1] > gaps[-1][1]
            for grid, _ in self.tables
        ):
            return True
        if len(row.segments) > 1 or gap < 0.3 * row.size:
            return False
        stands_out = row.size >= 1.12 * self.body_size or (
            all(word.bold for word in row.words) and not all(word.bold for word in before[-1].words)
        )
        return stands_out and gap > 1.3 * median(_steps(before) or [0.0])

    def _is_columns(self, rows: Sequence[Row], gaps: Sequence[Gap]) -> bool:
        """Whether the rows are running text in columns, and not a table."""
        if any(flat_rules_across(self.rules, rows[0].top, rows[-1].bottom, gap) > 1 for gap in gaps):
            return False
        columns = [rows_of(words) for words in _split(rows, gaps)]
        if any(len(column) < 3 for column in columns):
            return False
        if all(any(_is_item(row) for row in column) for column in columns[1:]):
            return True
        for column in columns:
            width = max(row.segments[-1].x1 for row in column) - min(row.segments[0].x0 for row in column)
            filled = [(row.segments[-1].x1 - row.segments[0].x0) / width for row in column]
            if median(filled) < 0.7 or median(len(text_of(row.words)) for row in column) < 14:
                return False
        # Rows of a table start side by side below a gap that runs through all of it; those of columns seldom do.
        usual = median(step for column in columns for step in _steps(column))
        through = [step for step in _steps(rows) if step > usual + 0.25 * self.body_size]
        return len(through) < 2 or len(rows) / (len(through) + 1) > 5

    def _table_length(self, rows: Sequence[Row], gaps: Sequence[Gap]) -> int:
        """How many of the rows make a table: none, or up to the last one with more than one column."""
        sides = [sum(1 for cell in _cells(row, gaps) if cell) for row in rows]
        full = [index for index, count in enumerate(sides) if count > 1]
        ruled = any(flat_rules_across(self.rules, rows[0].top - 6, rows[-1].bottom + 6, gap) > 1 for gap in gaps)
        enough = 2 if ruled or len(gaps) > 1 else 3
        if len(full) < enough:
            return 0
        length = full[-1] + 1
        while length < len(rows) and rows[length].top - rows[length - 1].bottom < 0.3 * rows[length].size:
            length += 1  # the last lines of the last row's cells
        return length


def _split(rows: Sequence[Row], gaps: Sequence[Gap]) -> list[list[Word]]:
    columns: list[list[Word]] = [[] for _ in range(len(gaps) + 1)]
    for row in rows:
        for column, words in zip(columns, _cells(row, gaps), strict=True):
            column += words
    return columns


def _cells(row: Row, gaps: Sequence[Gap]) -> list[list[Word]]:
    cells: list[list[Word]] = [[] for _ in range(len(gaps) + 1)]
    for segment in row.segments:
        cells[sum(1 for start, end in gaps if (start + end) / 2 < segment.x0)] += segment.words
    return cells


def _steps(rows: Sequence[Row]) -> list[float]:
    """The white space above each row but the first, in points; less than 0 for one beside the rows before it."""
    reached = itertools.accumulate((row.bottom for row in rows), max)
    return [row.top - bottom for row, bottom in zip(rows[1:], reached, strict=False)]


def _between(intervals: Sequence[Gap]) -> list[Gap]:
    return [(one[1], other[0]) for one, other in itertools.pairwise(intervals)]


def _side_by_side(row: Row, other: Row, least: float) -> bool:
    """Whether two rows of one stretch each stand beside each other, their baselines a little apart."""
    one, two = row.segments[0], other.segments[0]
    apart = max(two.x0 - one.x1, one.x0 - other.segments[-1].x1) >= least
    return apart and other.top < row.bottom - 0.2 * min(row.size, other.size)


def _is_item(row: Row) -> bool:
    first: Segment = row.segments[0]
    return first.words[0].text in BULLETS or (len(first.words) > 1 and is_marker(first.words[0].text))


def _union(intervals: Sequence[Gap], least: float) -> list[Gap]:
    """The intervals with all that overlap, or lie nearer than `least`, put together."""
    merged: list[Gap] = []
    for start, end in sorted(intervals):
        if merged and start - merged[-1][1] < least:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged

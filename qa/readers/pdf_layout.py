"""A page's words in reading order: columns one after the other, full-width lines in place, tables kept as tables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import inf
from statistics import median
from typing import Final

from qa.readers.pdf_lines import Line, Row, Segment, is_marker, make_line, rows_of, text_of, wide_gap
from qa.readers.pdf_tables import Grid, Table, aligned_table, flat_rules_across, grid_table, grids_of, merged
from qa.readers.pdf_words import BULLETS, PageContent, Rule, Word

Gap = tuple[float, float]
Area = tuple[float, float, float, float]  # left, top, right, bottom
_WHOLE: Final[Area] = (-inf, -inf, inf, inf)
_DEPTH = 6  # columns in columns, and tables in those


class Layout:
    """Puts the pages of one file in reading order, first to last; it remembers where columns were parted before."""

    def __init__(self, body_size: float) -> None:
        self._body_size = body_size
        self._gutters: list[Gap] = []

    def page(self, content: PageContent, number: int) -> list[Line | Table]:
        """Lines and tables of one page, counted from 1."""
        words = list(content.words)
        rules = merged(content.rules)
        tables: list[tuple[Grid, Table]] = []
        for grid in grids_of(rules):
            inside = [word for word in words if grid.holds(word)]
            table = grid_table(grid, inside, number)
            if table is not None:
                tables.append((grid, table))
                words = [word for word in words if not grid.holds(word)]
        return _Page(number, self._body_size, rules, tables, self._gutters).parts(words)


class _Page:
    def __init__(
        self,
        number: int,
        body_size: float,
        rules: Sequence[Rule],
        tables: list[tuple[Grid, Table]],
        gutters: list[Gap],
    ) -> None:
        self.number = number
        self.body_size = body_size
        self.rules = rules
        self.tables = tables
        self.gutters = gutters

    def parts(self, words: Sequence[Word], area: Area = _WHOLE, depth: int = _DEPTH) -> list[Line | Table]:
        """Lines and tables of one column of the page, which takes up `area`."""
        if not words:
            return list(self._tables_above(area[3], area))
        left, right = min(word.x0 for word in words), max(word.x1 for word in words)
        found: list[Line | Table] = []
        rows = rows_of(words)
        at = 0
        while at < len(rows):
            found += self._tables_above(rows[at].bottom, area)
            end, gaps = self._block(rows, at)
            if gaps and depth and self._is_columns(rows[at:end], gaps):
                # Where the right column begins higher than the left one, its first lines were taken for lines alone.
                while at and found and isinstance(found[-1], Line) and _begins_column(rows[at - 1], rows[at], gaps):
                    found.pop()
                    at -= 1
                self.gutters += gaps if depth == _DEPTH else []
                end, gaps = self._columns_end(rows, end, gaps)
                bottom = rows[end].top if end < len(rows) else area[3]
                sides = [area[0], *((start + stop) / 2 for start, stop in gaps), area[2]]
                for column, (start, stop) in zip(_split(rows[at:end], gaps), itertools.pairwise(sides), strict=True):
                    found += self.parts(column, (start, rows[at].top, stop, bottom), depth - 1)
                at = end
            elif gaps and (end := at + self._table_length(rows[at:end], gaps)) > at:
                found.append(aligned_table(rows[at:end], gaps, self.rules, self.number))
                at = end
            else:
                found.append(make_line(rows[at].words, self.number, left, right))
                at += 1
        return found + self._tables_above(area[3], area)

    def _tables_above(self, bottom: float, area: Area) -> list[Table]:
        """The ruled tables in the area that begin above `bottom`, taken out of those still to come."""
        left, top, right, _ = area
        ready = [
            (grid, table)
            for grid, table in self.tables
            if top - 6 <= grid.ys[0] < bottom and left <= grid.xs[0] and grid.xs[-1] <= right
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

    def _columns_end(self, rows: Sequence[Row], end: int, gaps: list[Gap]) -> tuple[int, list[Gap]]:
        """Where columns end that go on below white space, and the gaps that all their rows leave free.

        They go on to the last row with text right of the first gap, or to the end where nothing follows them. A row
        that runs over a gap, a line drawn through it or a ruled table ends them.
        """
        least = wide_gap(self.body_size)
        reached, free = end, gaps
        for at in range(end, len(rows)):
            above, row = rows[at - 1], rows[at]
            narrower = _left_free(gaps, row, least)
            drawn = any(flat_rules_across(self.rules, above.bottom, row.top, gap) for gap in gaps)
            tabled = any(above.bottom <= grid.ys[0] <= row.bottom for grid, _ in self.tables)
            if narrower is None or drawn or tabled:
                return reached, free
            gaps = narrower
            if row.segments[-1].x0 >= gaps[0][1]:
                reached, free = at + 1, gaps
        return len(rows), gaps

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
        larger = row.size > max(1.12 * self.body_size, *(1.05 * other.size for other in before))
        stands_out = larger or (
            all(word.bold for word in row.words) and not all(word.bold for word in before[-1].words)
        )
        return stands_out and gap > 1.3 * median(_steps(before) or [0.0])

    def _is_columns(self, rows: Sequence[Row], gaps: Sequence[Gap]) -> bool:
        """Whether the rows are running text in columns, and not a table."""
        if any(flat_rules_across(self.rules, rows[0].top, rows[-1].bottom, gap) > 1 for gap in gaps):
            return False
        if all(any(_overlap(gap, gutter) > 0.5 * (gutter[1] - gutter[0]) for gutter in self.gutters) for gap in gaps):
            return True
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


def _left_free(gaps: Sequence[Gap], row: Row, least: float) -> list[Gap] | None:
    """What a row leaves free of each gap, or None where that is less than `least`."""
    free: list[Gap] = []
    for gap in gaps:
        start = max([gap[0], *(segment.x1 for segment in row.segments if segment.x0 <= gap[0])])
        stop = min([gap[1], *(segment.x0 for segment in row.segments if segment.x0 > gap[0])])
        if stop - start < least:
            return None
        free.append((start, stop))
    return free


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


def _overlap(one: Gap, other: Gap) -> float:
    return min(one[1], other[1]) - max(one[0], other[0])


def _between(intervals: Sequence[Gap]) -> list[Gap]:
    return [(one[1], other[0]) for one, other in itertools.pairwise(intervals)]


def _side_by_side(row: Row, other: Row, least: float) -> bool:
    """Whether two rows stand beside each other, their baselines a little apart, with free space between them."""
    places = [(segment.x0, segment.x1) for segment in (*row.segments, *other.segments)]
    apart = len(_union(places, least)) == len(places)
    return apart and other.top < row.bottom - 0.2 * min(row.size, other.size)


def _begins_column(row: Row, below: Row, gaps: Sequence[Gap]) -> bool:
    """Whether the row lies right of the first gap and close above the columns."""
    return row.segments[0].x0 >= gaps[0][0] and below.top - row.bottom < 2.2 * row.size


def _is_item(row: Row) -> bool:
    first: Segment = row.segments[0]
    return first.words[0].text in BULLETS or (len(first.words) > 1 and is_marker(first.words[0].text))


def _union(intervals: Sequence[Gap], least: float) -> list[Gap]:
    """The intervals with all that overlap, or lie nearer than `least`, put together."""
    joined: list[Gap] = []
    for start, end in sorted(intervals):
        if joined and start - joined[-1][1] < least:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined

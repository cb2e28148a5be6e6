"""Tables: found by their ruling lines or by words that keep the same columns over several rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from qa.readers.pdf_lines import Line, Row, make_line, rows_of
from qa.readers.pdf_words import Rule, Word

_TOUCH = 3.0  # points within which ruling lines meet


@dataclass(frozen=True, slots=True)
class TableRow:
    """The cells of one row from left to right; an empty cell has no lines."""

    cells: tuple[tuple[Line, ...], ...]

    @property
    def bold(self) -> bool:
        """Whether all of it is bold."""
        return all(line.all_bold for cell in self.cells for line in cell)

    @property
    def styles(self) -> set[tuple[str, float]]:
        """The fonts and sizes in it."""
        return {(line.font, line.size) for cell in self.cells for line in cell}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows without empty ones; `edges` are the left edges of the columns in points."""

    rows: tuple[TableRow, ...]
    edges: tuple[float, ...]
    page: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A table drawn with lines: where its columns and rows are parted, and the upright lines themselves."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    upright: tuple[Rule, ...]

    def holds(self, word: Word) -> bool:
        """Whether the word stands in it."""
        x, y = (word.x0 + word.x1) / 2, word.y - 0.3 * word.size
        return self.xs[0] <= x <= self.xs[-1] and self.ys[0] <= y <= self.ys[-1]


def grids_of(rules: Sequence[Rule]) -> list[Grid]:
    """The tables of at least two rows and two columns that the lines, already `merged`, draw."""
    homes: list[list[Rule]] = []
    for line in rules:
        meets = [home for home in homes if any(_touches(line, other) for other in home)]
        homes = [home for home in homes if home not in meets]
        homes.append([line, *(other for home in meets for other in home)])
    grids = []
    for home in homes:
        upright = tuple(line for line in home if line.x0 == line.x1)
        flat = [line for line in home if line.y0 == line.y1]
        xs = _places([line.x0 for line in home] + [line.x1 for line in flat])
        ys = _places([line.y0 for line in home] + [line.y1 for line in upright])
        parts = [x for x in xs[1:-1] if any(abs(line.x0 - x) <= _TOUCH for line in upright)]
        if parts and len(ys) >= 3:
            grids.append(Grid((xs[0], *parts, xs[-1]), ys, upright))
    return grids


def grid_table(grid: Grid, words: Iterable[Word], page: int) -> Table | None:
    """The table that `words` make in the grid; None if they fill fewer than two columns or rows (a frame)."""
    cells: dict[tuple[int, int], list[Word]] = {}
    for word in words:
        row = min(max(bisect_right(grid.ys, word.y - 0.3 * word.size) - 1, 0), len(grid.ys) - 2)
        column = min(max(bisect_right(grid.xs, (word.x0 + word.x1) / 2) - 1, 0), len(grid.xs) - 2)
        middle = (grid.ys[row] + grid.ys[row + 1]) / 2
        # A cell over several columns has no line inside: all of it belongs to its first column.
        while column > 0 and not any(
            abs(line.x0 - grid.xs[column]) <= _TOUCH and line.y0 - 1 <= middle <= line.y1 + 1 for line in grid.upright
        ):
            column -= 1
        cells.setdefault((row, column), []).append(word)
    if len({column for _, column in cells}) < 2 or len({row for row, _ in cells}) < 2:
        return None
    bands = [
        [cells.get((row, column), []) for column in range(len(grid.xs) - 1)]
        for row in range(len(grid.ys) - 1)
        if any(home == row for home, _ in cells)
    ]
    return _table(bands, grid.xs[:-1], page)


def aligned_table(rows: Sequence[Row], gaps: Sequence[tuple[float, float]], rules: Sequence[Rule], page: int) -> Table:
    """The table of `rows` whose columns are parted by `gaps`; a row of the table may take several rows of the page."""
    parts = [(start + end) / 2 for start, end in gaps]
    bands: list[list[list[Word]]] = []
    starts = _row_starts(rows, rules, parts[0])
    for index, row in enumerate(rows):
        cells: list[list[Word]] = [[] for _ in range(len(parts) + 1)]
        for word in row.words:
            cells[bisect_right(parts, (word.x0 + word.x1) / 2)].append(word)
        if index in starts:
            bands.append(cells)
        else:
            bands[-1] = [before + more for before, more in zip(bands[-1], cells, strict=True)]
    first = min(segment.x0 for row in rows for segment in row.segments)
    return _table(bands, (first, *(end for _, end in gaps)), page)


def _row_starts(rows: Sequence[Row], rules: Sequence[Rule], first_part: float) -> set[int]:
    """Which rows of the page begin a row of the table.

    Those below a drawn line if lines part the rows; else those below white space if that does; else all that have
    something in the first column, which ends at `first_part`.
    """
    ruled: set[int] = set()
    spaced: set[int] = set()
    filled: set[int] = set()
    bottom = rows[0].bottom
    for index, (above, row) in enumerate(pairwise(rows), 1):
        bottom = max(bottom, above.bottom)
        size = min(above.size, row.size)
        gap = row.top - bottom
        reach = max(gap, 0) / 2 + 0.25 * size
        middle = (bottom + row.top) / 2
        if any(rule.y0 == rule.y1 and abs(rule.y0 - middle) <= reach and _under(rule, above) for rule in rules):
            ruled.add(index)
        if gap > 0.4 * size:
            spaced.add(index)
        if gap > -0.2 * size and row.segments[0].x0 < first_part:
            filled.add(index)
    steps = len(rows) - 1
    if len(ruled) >= 3 or (len(ruled) >= max(len(spaced), 1) and len(ruled) * 3 >= steps):
        return {0} | ruled
    if spaced and len(spaced) * 4 >= steps:
        return {0} | ruled | spaced
    return {0} | ruled | spaced | filled


def flat_rules_across(rules: Sequence[Rule], top: float, bottom: float, gap: tuple[float, float]) -> int:
    """How many heights between `top` and `bottom` have a flat line that crosses the gap."""
    return len(
        _places(
            rule.y0
            for rule in rules
            if rule.y0 == rule.y1 and top <= rule.y0 <= bottom and rule.x0 < gap[0] - 1 and rule.x1 > gap[1] + 1
        )
    )


def _under(rule: Rule, row: Row) -> bool:
    width = row.segments[-1].x1 - row.segments[0].x0
    return min(rule.x1, row.segments[-1].x1) - max(rule.x0, row.segments[0].x0) > 0.6 * width


def _table(bands: list[list[list[Word]]], edges: Sequence[float], page: int) -> Table:
    rows = []
    for band in bands:
        cells = []
        for words in band:
            left = min((word.x0 for word in words), default=0.0)
            right = max((word.x1 for word in words), default=0.0)
            cells.append(tuple(make_line(row.words, page, left, right) for row in rows_of(words)))
        rows.append(TableRow(tuple(cells)))
    return Table(tuple(rows), tuple(edges), page)


def merged(rules: Sequence[Rule]) -> list[Rule]:
    """The lines with their pieces put together: many programs draw a line cell by cell."""
    flat: list[Rule] = []
    for rule in sorted((rule for rule in rules if rule.y0 == rule.y1), key=lambda rule: (round(rule.y0), rule.x0)):
        last = flat[-1] if flat else None
        if last is not None and abs(last.y0 - rule.y0) < 1.5 and rule.x0 <= last.x1 + _TOUCH:
            flat[-1] = Rule(last.x0, last.y0, max(last.x1, rule.x1), last.y0)
        else:
            flat.append(rule)
    uprights: list[Rule] = []
    for rule in sorted((rule for rule in rules if rule.x0 == rule.x1), key=lambda rule: (round(rule.x0), rule.y0)):
        last = uprights[-1] if uprights else None
        if last is not None and abs(last.x0 - rule.x0) < 1.5 and rule.y0 <= last.y1 + _TOUCH:
            uprights[-1] = Rule(last.x0, last.y0, last.x0, max(last.y1, rule.y1))
        else:
            uprights.append(rule)
    return flat + uprights


def _touches(one: Rule, other: Rule) -> bool:
    return (
        one.x0 <= other.x1 + _TOUCH
        and other.x0 <= one.x1 + _TOUCH
        and one.y0 <= other.y1 + _TOUCH
        and other.y0 <= one.y1 + _TOUCH
    )


def _places(values: Iterable[float]) -> tuple[float, ...]:
    """The values with neighbours nearer than `_TOUCH` taken as one."""
    groups: list[list[float]] = []
    for value in sorted(values):
        if groups and value - groups[-1][-1] <= _TOUCH:
            groups[-1].append(value)
        else:
            groups.append([value])
    return tuple(fmean(group) for group in groups)

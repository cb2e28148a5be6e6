"""Lines and tables in reading order to blocks: headings, paragraphs, list items and table rows."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.models import BlockKind, Cell
from qa.readers.normalise import is_cut_short
from qa.readers.pdf_lines import Line, is_marker, make_line
from qa.readers.pdf_rows import column_names, goes_on, header_of, row_of
from qa.readers.pdf_tables import Table
from qa.readers.pdf_text import Piece, join, joined, vocabulary
from qa.readers.pdf_words import BULLETS, GLUED_BULLETS

_TERMINAL = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_HEADING_LARGER = 1.12  # times the body's size
_HEADING_LENGTH = 200
_BOLD_HEADING_LENGTH = 100


@dataclass(frozen=True, slots=True)
class PdfBlock:
    """A block before it has its place in the text. Neighbours of one `group` (0 is none) stand on lines of one list.

    The places of `cells` are in the block's own text.
    """

    kind: BlockKind
    level: int
    pieces: tuple[Piece, ...]
    group: int = 0
    cells: tuple[Cell, ...] = ()

    @property
    def text(self) -> str:
        """The whole of it."""
        return "".join(piece.glue + piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Body:
    """What most of the file's text looks like: its size in points, whether it is bold, baselines apart in ems."""

    size: float
    bold: bool
    pitch: float


def body_of(lines: Sequence[Line]) -> Body:
    """The body of these lines, which stand in reading order."""
    sizes: Counter[tuple[float, bool]] = Counter()
    pitches: Counter[float] = Counter()
    for line in lines:
        sizes[line.size, line.all_bold] += len(line.text)
    (size, bold), _ = sizes.most_common(1)[0]
    for one, other in itertools.pairwise(lines):
        if _same_column(one, other) and one.size == other.size == size:
            pitches[round((other.y - one.y) / size, 2)] += 1
    near = {pitch: count for pitch, count in pitches.items() if 0.9 < pitch < 1.7}
    return Body(size, bold, max(near, key=lambda pitch: (near[pitch], -pitch)) if near else 1.2)


def blocks_of(parts: Sequence[Line | Table]) -> list[PdfBlock]:
    """The blocks of the whole file, of lines and tables in reading order."""
    lines = [part for part in parts if isinstance(part, Line)]
    tables = [part for part in parts if isinstance(part, Table)]
    cells = [line for table in tables for row in table.rows for cell in row.cells for line in cell]
    if not lines and not cells:
        return []
    maker = _Maker(body_of(lines or cells), vocabulary(line.text for line in [*lines, *cells]))
    for part in parts:
        if isinstance(part, Line):
            maker.add_line(part)
        else:
            maker.add_table(part)
    return maker.finish()


class _Maker:
    def __init__(self, body: Body, known: frozenset[str]) -> None:
        self.body = body
        self.known = known
        self.blocks: list[PdfBlock] = []
        self.styles: list[tuple[float, bool] | None] = []  # of headings, beside `blocks`
        self._lines: list[Line] = []
        self._indents: list[float] = []  # of the open list's markers
        self._group = 0
        self._table: tuple[Table, list[str]] | None = None  # the last one with its header, while nothing followed it

    def finish(self) -> list[PdfBlock]:
        """The blocks, headings with their levels: the larger, the higher."""
        self._close()
        ranks: list[tuple[float, bool]] = []
        for used in sorted({style for style in self.styles if style is not None}, reverse=True):
            if not ranks or ranks[-1][1] != used[1] or ranks[-1][0] - used[0] > 0.6:
                ranks.append(used)
        levels = [
            1 if style is None else 1 + sum(1 for rank in ranks if rank > (style[0] + 0.6, style[1]))
            for style in self.styles
        ]
        return [
            PdfBlock(block.kind, level, block.pieces) if block.kind is BlockKind.HEADING else block
            for block, level in zip(self.blocks, levels, strict=True)
        ]

    def add_line(self, line: Line) -> None:
        """The next line: of the open block, or of a new one."""
        if self._lines and not self._continues(line):
            self._close()
        self._table = None
        self._lines.append(line)

    def add_table(self, table: Table) -> None:
        """The next table, which may go on with the one before a page's end."""
        self._close()
        rows = [[self._cell(lines, table.page) for lines in row.cells] for row in table.rows]
        header = header_of(table, [[cell.text for cell in row] for row in rows])
        is_repeated = self._table is not None and [cell.text for cell in rows[0]] == self._table[1]
        if self._table is not None and goes_on(self._table[0], table) and (is_repeated or not header):
            rows = rows[1:] if is_repeated else rows
            header = self._table[1]
        else:
            self._group += 1
            if header and is_cut_short(header):
                self._add_row(rows[0], [])
            rows = rows[1:] if header else rows
        names = column_names(header)
        for row in rows:
            # A row of one cell in a table of three columns or more is a title within it, and names no column.
            is_title = len(row) > 2 and not any(cell.text for cell in row[1:])
            self._add_row(row, [] if is_title else names)
        self._indents = []
        self._table = (table, header)

    def _cell(self, lines: Sequence[Line], page: int) -> Piece:
        return next(iter(join(lines, self.known)), Piece(page, ""))

    def _add_row(self, row: Sequence[Piece], names: Sequence[str]) -> None:
        piece, cells = row_of(row, names)
        if cells:
            self._append(PdfBlock(BlockKind.TABLE_ROW, 0, (piece,), self._group, cells))

    def _append(self, block: PdfBlock, style: tuple[float, bool] | None = None) -> None:
        self.blocks.append(block)
        self.styles.append(style)

    def _continues(self, line: Line) -> bool:
        """Whether the line goes on with the open block."""
        first, last = self._lines[0], self._lines[-1]
        marked = _marker_length(first) > 0
        if abs(line.size - last.size) > 0.06 * last.size:
            return False
        if not _same_column(last, line):
            return (
                line.text[0].islower()
                and not _TERMINAL.search(last.text)
                and line.all_bold == last.all_bold
                and not self._is_heading(self._lines)
            )
        if line.y - last.y > 1.18 * max(self.body.pitch, 1.1) * line.size:
            return False
        if self._starts_item(line, last):
            return False
        ended = _fits(last, line)
        if line.all_bold != last.all_bold and (ended or not line.text[0].islower()):
            return False
        if self._is_large(line):
            return True
        if marked:
            return line.x0 > first.x0 + 3 or not ended
        indented = line.x0 > last.x0 + 0.8 * line.size
        outdented = line.x0 < last.x0 - 0.8 * line.size
        if indented or (outdented and len(self._lines) > 1):
            return _is_centred(line, last)
        slack = (last.right - last.x1) / max(last.right - last.left, 1.0)
        return not (ended and (_TERMINAL.search(last.text) or (slack > 0.25 and line.text[0].isupper())))

    def _starts_item(self, line: Line, last: Line) -> bool:
        """Whether the line begins with a list's marker, and not with a number that happens to stand there."""
        if not _marker_length(line):
            return False
        word = line.words[0].text
        if word[0] in BULLETS or word in "-–—o":
            return True
        in_list = bool(self._indents) or _marker_length(self._lines[0]) > 0
        if word.strip("().").isalpha() and word.strip("().").lower() not in "ai" and not in_list:
            return False
        return in_list or bool(_TERMINAL.search(last.text)) or _fits(last, line)

    def _close(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            return
        if self._is_heading(lines):
            pieces = join(lines, self.known)
            self._append(PdfBlock(BlockKind.HEADING, 1, tuple(pieces)), (lines[0].size, lines[0].all_bold))
            self._indents = []
            return
        dropped = _marker_length(lines[0])
        if not dropped:
            self._append(PdfBlock(BlockKind.PARAGRAPH, 0, tuple(join(lines, self.known))))
            self._indents = []
            return
        first = lines[0]
        if not self._indents:
            self._group += 1
        while self._indents and first.x0 < self._indents[-1] - 4:
            self._indents.pop()
        if not self._indents or first.x0 > self._indents[-1] + 4:
            self._indents.append(first.x0)
        text = _without_bullet(first)
        if text is not None:
            pieces = join([text, *lines[1:]], self.known)
            self._append(PdfBlock(BlockKind.LIST_ITEM, len(self._indents), tuple(pieces), self._group))

    def _is_large(self, line: Line) -> bool:
        return line.size >= max(_HEADING_LARGER * self.body.size, self.body.size + 0.8)

    def _is_heading(self, lines: Sequence[Line]) -> bool:
        text = joined(lines, self.known)
        if not any(character.isalpha() for character in text) or len(lines) > 4:
            return False
        if self._is_large(lines[0]):
            return len(text) <= _HEADING_LENGTH and not (text.endswith(".") and len(text) > 90)
        if self.body.bold or not all(line.all_bold for line in lines) or lines[0].size < 0.95 * self.body.size:
            return False
        if lines[0].words[0].text[0] in BULLETS:
            return False
        return len(text) <= _BOLD_HEADING_LENGTH and len(lines) <= 2 and text[-1] not in ".,;:!"


def _same_column(one: Line, other: Line) -> bool:
    return one.page == other.page and one.y < other.y and (one.left, one.right) == (other.left, other.right)


def _fits(line: Line, after: Line) -> bool:
    """Whether the next line's first word had fitted on this one: its end was meant."""
    word = after.words[0]
    return line.x1 + 0.3 * line.size + (word.x1 - word.x0) < line.right


def _is_centred(line: Line, last: Line) -> bool:
    """Whether both lines are set about one middle that is not merely the column's left edge."""
    return abs((line.x0 + line.x1) - (last.x0 + last.x1)) < 4 and min(line.x0, last.x0) > line.left + 0.8 * line.size


def _marker_length(line: Line) -> int:
    """How many characters of the line's first word mark a list's item; 0 if none."""
    word = line.words[0].text
    if len(line.words) > 1 and is_marker(word):
        return len(word)
    return 1 if len(word) > 1 and word[0] in GLUED_BULLETS else 0


def _without_bullet(line: Line) -> Line | None:
    """The line less its bullet; numbers stay. None if nothing else is on it."""
    word = line.words[0].text
    if word[0] not in BULLETS and word not in "-–—o":
        return line
    if len(word) == 1:
        return make_line(line.words[1:], line.page, line.left, line.right) if len(line.words) > 1 else None
    kept = replace(line.words[0], text=word[1:])
    return make_line((kept, *line.words[1:]), line.page, line.left, line.right)

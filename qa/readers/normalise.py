"""Raw text to normalised text, with a note of where each character came from.

Inside a block every run of white space becomes one space, odd spaces become plain ones, characters without a picture
(zero-width, soft hyphen, byte order mark, direction marks, control characters) go, and Latin ligatures become letters.
Between blocks stand two newlines; between the items of one list, or the rows of one table, one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from qa.errors import EmptyDocument
from qa.models import Block, BlockKind, Cell, Document
from qa.offsets import OffsetMap

LIGATURES: Final[Mapping[str, str]] = {
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
}

# What is said again in each row or passage must be short, or a small file would grow into a huge index.
LONGEST_COLUMN_NAME: Final = 120  # characters
MOST_NAMED_COLUMNS: Final = 50  # filled cells of one row; those after them stand without their column's name
LONGEST_HEADING_KEPT: Final = 300  # characters of a heading above a block; its own block holds all of it

# Every character for which `str.isspace` is true, as a class of a regular expression.
_SPACE = r"\s"
_DROPPED = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
)
_BLANK_HEAD = re.compile(f"[{_SPACE}{_DROPPED}]+")
_ODD_SPACE = re.compile(r"[^\S ]")
_WHITE = re.compile(_SPACE)
# What is left to mend once every white character is a plain space.
_UNUSUAL = re.compile(f"[ {_DROPPED}]{{2,}}|[{_DROPPED}]|[\ufb00-\ufb06]")
BLANKS: Final = "".join(
    chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000 and re.match(f"[{_SPACE}{_DROPPED}]", chr(code))
)


def normalise(text: str) -> str:
    """`text` as one block would hold it."""
    folded = _ODD_SPACE.sub(" ", text.strip(BLANKS))
    return _UNUSUAL.sub(_mend, folded)


def shortened(text: str, longest: int) -> str:
    """`text`, or as many of its words as fit with an "…" into `longest` characters."""
    if len(text) <= longest:
        return text
    space = text.rfind(" ", longest // 2, longest)
    return text[: space if space > 0 else longest - 1].rstrip() + "…"


def is_cut_short(names: Collection[str]) -> bool:
    """Whether rows under columns with these names cannot say all of them in full."""
    return len(names) > MOST_NAMED_COLUMNS or any(len(name) > LONGEST_COLUMN_NAME for name in names)


def _mend(match: re.Match[str]) -> str:
    found = match.group()
    return LIGATURES.get(found, " " if " " in found else "")


class TextBuilder:
    """Collects blocks of text and makes a `Document` of them.

    `begin` opens a block, `copy`, `stand_in` and `insert` fill it, `end` closes it. A block that stays empty leaves no
    trace. For formats without raw text use `insert` alone; the offset map is then empty.
    """

    def __init__(self, raw: str = "") -> None:
        self._raw = raw
        self._parts: list[str] = []
        self._size = 0
        self._normalised: list[int] = []
        self._raw_starts: list[int] = []
        self._lengths: list[int] = []
        self._raw_lengths: list[int] = []
        self._blocks: list[Block] = []
        self._headings: list[tuple[int, str]] = []
        self._kind = BlockKind.PARAGRAPH
        self._level = 0
        self._marker = ""
        self._filled = 0  # cells of the open row
        self._cells: list[Cell] = []
        self._open_cell: tuple[int, int, int] | None = None  # its column, its name's place, its value's
        self._group: object = None
        self._last_group: object = None
        self._start: int | None = None
        self._first_part = 0
        # A space that is written only if more text follows: (is waiting, its place in the raw text or None).
        self._space: tuple[bool, int | None] = (False, None)

    def begin(self, kind: BlockKind, level: int = 0, group: object = None, marker: str = "") -> None:
        """Open a block. Neighbours of one `group` (a list, a table; None is no group) are joined by one newline.

        `marker` is a list item's number or letter; it is no part of the text.
        """
        self.end()
        self._kind, self._level, self._group, self._marker = kind, level, group, marker
        self._start = None
        self._filled = 0
        self._space = (False, None)

    def leave(self, level: int) -> None:
        """End the sections under headings of this level and deeper: what follows has no heading of its own."""
        self.end()
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()

    @property
    def is_filled(self) -> bool:
        """Whether the open block holds text."""
        return self._start is not None

    def copy(self, start: int, end: int) -> None:
        """Copy `raw[start:end]` into the open block."""
        stretch = self._raw[start:end]
        head = _BLANK_HEAD.match(stretch)
        if head is not None:
            white = _WHITE.search(stretch, 0, head.end())
            if white is not None:
                self._wait(start + white.start())
            start += head.end()
            stretch = stretch[head.end() :]
        body = stretch.rstrip(BLANKS)
        if not body:
            return
        folded = _ODD_SPACE.sub(" ", body)
        done = 0
        for match in _UNUSUAL.finditer(folded):
            self._put(folded[done : match.start()], start + done)
            self._put_unusual(match, start)
            done = match.end()
        self._put(folded[done:], start + done)
        tail = _WHITE.search(stretch, len(body))
        if tail is not None:
            self._wait(start + tail.start())

    def stand_in(self, text: str, start: int, end: int) -> None:
        """Write `text` (a character reference's character, say) for `raw[start:end]`."""
        for character in text:
            if character.isspace():
                self._wait(start)
            else:
                self._put(normalise(character), start, end - start)

    def insert(self, text: str) -> None:
        """Write text that has no place in the raw text; white space at its ends counts as one space."""
        core = normalise(text)
        if text[:1].isspace():
            self._wait(None)
        self._put(core, None)
        if text[-1:].isspace():
            self._wait(None)

    def cell(self, column: str, place: int | None = None) -> None:
        """Begin a filled cell of a table's row, written as "Column: value; Column: value".

        `place` is the column's number from 0; where it is left out, the cell stands beside the one before. A long name
        is shortened, and after `MOST_NAMED_COLUMNS` cells names are left out.
        """
        self.end_cell()
        self._filled += 1
        if self.is_filled:
            self._space = (False, None)
            self.insert("; ")
        name = self._next
        if column and self._filled <= MOST_NAMED_COLUMNS:
            self.insert(shortened(column, LONGEST_COLUMN_NAME))
            self.colon()
        self.open_cell(place, name)

    def open_cell(self, place: int | None = None, name: int | None = None) -> None:
        """Let what follows be a cell, with nothing written before it; `name` is where its column's name was written."""
        self.end_cell()
        if place is None:
            place = self._cells[-1].column + 1 if self._cells else 0
        self._open_cell = (place, self._next if name is None else name, self._next)

    def end_cell(self) -> None:
        """Let what follows be no part of the open cell."""
        if self._open_cell is not None and self._size > self._open_cell[2]:
            self._cells.append(Cell(*self._open_cell, self._size))
        self._open_cell = None

    def colon(self) -> None:
        """Write ": " after a column's name or a term, unless it brings its own colon or question mark."""
        self._space = (False, None)
        self.insert(" " if self._parts[-1].endswith((":", "?")) else ": ")

    def end(self) -> str | None:
        """Close the open block; its text, or None if nothing was written."""
        self.end_cell()
        cells, self._cells = tuple(self._cells), []
        if self._start is None:
            return None
        text = "".join(self._parts[self._first_part :])
        if self._kind is BlockKind.HEADING:
            while self._headings and self._headings[-1][0] >= self._level:
                self._headings.pop()
        path = tuple(heading for _, heading in self._headings)
        place = (self._start, self._size)
        self._blocks.append(Block(self._kind, *place, path, level=self._level, cells=cells, marker=self._marker))
        if self._kind is BlockKind.HEADING:
            self._headings.append((self._level, shortened(text, LONGEST_HEADING_KEPT)))
        self._last_group = self._group
        self._start = None
        self._space = (False, None)
        return text

    def document(
        self,
        path: Path,
        title: str | None = None,
        front_matter: Mapping[str, object] | None = None,
        warnings: tuple[str, ...] = (),
    ) -> Document:
        """What was collected. Raises `EmptyDocument` if that is nothing."""
        self.end()
        if not self._blocks:
            raise EmptyDocument(
                "the file holds no text that a reader would see",
                path=path,
                found="no headings, paragraphs, lists or tables",
                expected="some text",
                remedy="Fill it or remove it.",
            )
        return Document(
            text="".join(self._parts),
            blocks=tuple(self._blocks),
            title=title,
            offsets=OffsetMap(
                tuple(self._normalised), tuple(self._raw_starts), tuple(self._lengths), tuple(self._raw_lengths)
            ),
            front_matter=dict(front_matter or {}),
            warnings=warnings,
        )

    def _put_unusual(self, match: re.Match[str], start: int) -> None:
        found = match.group()
        place = start + match.start()
        if found in LIGATURES:
            self._put(LIGATURES[found], place, len(found))
        elif " " in found:
            self._put(" ", place + found.index(" "))

    def _wait(self, place: int | None) -> None:
        if self._start is not None and not self._space[0]:
            self._space = (True, place)

    def _put(self, text: str, place: int | None, width: int | None = None) -> None:
        if not text:
            return
        if self._start is None:
            self._append(self._separator, None)
            self._start = self._size
            self._first_part = len(self._parts)
        elif self._space[0]:
            self._append(" ", self._space[1])
        self._space = (False, None)
        self._append(text, place, width)

    @property
    def _next(self) -> int:
        """Where the next text will stand."""
        if self._start is None:
            return self._size + len(self._separator)
        return self._size + self._space[0]

    @property
    def _separator(self) -> str:
        """What parts the block that is about to begin from the one before."""
        near = self._group is not None and self._group == self._last_group
        return ("\n" if near else "\n\n") if self._blocks else ""

    def _append(self, text: str, place: int | None, width: int | None = None) -> None:
        """Write `text` for the `width` raw characters at `place`; without a width it has as many as the text."""
        self._parts.append(text)
        if place is not None:
            width = len(text) if width is None else width
            if self._continues(place) and width == len(text):
                self._lengths[-1] += len(text)
                self._raw_lengths[-1] += width
            else:
                self._normalised.append(self._size)
                self._raw_starts.append(place)
                self._lengths.append(len(text))
                self._raw_lengths.append(width)
        self._size += len(text)

    def _continues(self, place: int) -> bool:
        """Whether what is written next for the raw text at `place` continues the last piece, character by character."""
        return (
            bool(self._normalised)
            and self._lengths[-1] == self._raw_lengths[-1]
            and self._normalised[-1] + self._lengths[-1] == self._size
            and self._raw_starts[-1] + self._lengths[-1] == place
        )

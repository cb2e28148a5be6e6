"""Words to lines: rows of a page, the stretches of a row that wide gaps set apart, and lines of running text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from qa.readers.pdf_frame import Place
from qa.readers.pdf_scripts import script_of, written
from qa.readers.pdf_words import BULLETS, Word

# A line's height above and below its baseline, in ems.
ASCENT, DESCENT = 0.8, 0.25
SOFT_HYPHEN = "\xad"
# The start and the end of characters in a text, and where they stand on its page. Plain tuples: there is one for every
# word, and the garbage collector would look at objects again and again.
Placed = tuple[int, int, Place]
_MARKER = re.compile(
    rf"[{re.escape(BULLETS)}]|[-–—o]|\(?(?:\d{{1,3}}|[A-Za-z]|[ivx]{{2,5}})[.)]|\d{{1,2}}\.\d{{1,2}}\.?"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one column. `left` and `right` are the edges of that column, `page` counts from 1.

    `placed` are the words of `text` in their order, less those without a place. `size`, `font` and `bold` are those of
    most of its characters; `all_bold` says that it has no others.
    """

    words: tuple[Word, ...]
    page: int
    left: float
    right: float
    text: str
    size: float
    font: str
    bold: bool
    all_bold: bool
    placed: tuple[Placed, ...]

    @property
    def x0(self) -> float:
        """Where it begins."""
        return self.words[0].x0

    @property
    def x1(self) -> float:
        """Where it ends."""
        return max(word.x1 for word in self.words)

    @property
    def y(self) -> float:
        """The baseline of its largest words."""
        return max(self.words, key=lambda word: word.size).y


@dataclass(frozen=True, slots=True)
class Segment:
    """Words of one row without a wide gap between them, from left to right."""

    words: tuple[Word, ...]
    x0: float
    x1: float


@dataclass(frozen=True, slots=True)
class Row:
    """Everything on one height of the page."""

    segments: tuple[Segment, ...]
    top: float
    bottom: float

    @property
    def words(self) -> tuple[Word, ...]:
        """Its words from left to right."""
        return tuple(word for segment in self.segments for word in segment.words)

    @property
    def size(self) -> float:
        """The size of its largest word."""
        return max(word.size for word in self.words)


def make_line(words: Sequence[Word], page: int, left: float, right: float) -> Line:
    """A line of `words`, which are sorted from left to right and not empty."""
    sizes: Counter[float] = Counter()
    fonts: Counter[str] = Counter()
    bold = 0
    for word in words:
        sizes[round(word.size, 1)] += len(word.text)
        fonts[word.font] += len(word.text)
        bold += len(word.text) if word.bold or word.text in BULLETS else 0
    total = sum(sizes.values())
    text, placed = _set_out(words)
    return Line(
        words=tuple(words),
        page=page,
        left=left,
        right=right,
        text=text,
        size=sizes.most_common(1)[0][0],
        font=fonts.most_common(1)[0][0],
        bold=bold * 2 > total,
        all_bold=bold == total,
        placed=placed,
    )


def text_of(words: Sequence[Word]) -> str:
    """The words with the spaces that stand, or show, between them. A soft hyphen is left only at the very end."""
    return _set_out(words)[0]


def _set_out(words: Sequence[Word]) -> tuple[str, tuple[Placed, ...]]:
    """The text of `words`, and where in it they stand."""
    parts: list[str] = []
    placed: list[Placed] = []
    at = 0
    last: Word | None = None
    base = words[0]  # the last one that is neither raised nor lowered
    for word in words:
        text = word.text
        if SOFT_HYPHEN in text:
            text = text[:-1].replace(SOFT_HYPHEN, "") + (text[-1] if word is words[-1] else text[-1].strip(SOFT_HYPHEN))
        if last is not None:
            script = script_of(word, last, base) if word.size < base.size else 0
            figure = written(text, script, "".join(parts[-2:])) if script else None
            if figure is not None:
                text = figure
            elif word.spaced or word.x0 - last.x1 > 0.15 * max(last.size, word.size):
                parts.append(" ")
                at += 1
            base = base if script else word
        if word.place is not None and (shown := text.rstrip(SOFT_HYPHEN)):
            placed.append((at, at + len(shown), word.place))
        parts.append(text)
        at += len(text)
        last = word
    return "".join(parts), tuple(placed)


def is_marker(text: str) -> bool:
    """Whether the text is what stands before a list's item, and nothing else."""
    return _MARKER.fullmatch(text) is not None


def wide_gap(size: float, *, spaced: bool = False) -> float:
    """The narrowest gap, in points, that may part columns of text of this size.

    One with a space character in it (`spaced`) is wider: spaces grow in justified text.
    """
    return max(7.0, 0.75 * size) if spaced else max(5.0, 0.5 * size)


def rows_of(words: Iterable[Word]) -> list[Row]:
    """The words as rows from top to bottom. Raised and lowered words (superscripts) stay in the row they touch."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.y, word.x0)):
        home = next((row for row in reversed(rows[-4:]) if _belongs(word, row)), None)
        if home is None:
            rows.append([word])
        else:
            home.append(word)
    for index, row in enumerate(rows):
        for other in (*rows[max(index - 2, 0) : index], *rows[index + 1 : index + 3]):
            near = row and other and abs(row[0].y - other[0].y) < 0.75 * other[0].size
            if near and all(_is_script(word, other) for word in row):
                other += row
                row.clear()
    made = [_row(sorted(row, key=lambda word: word.x0)) for row in rows if row]
    return sorted(made, key=lambda row: (row.bottom, row.top))


def _belongs(word: Word, row: list[Word]) -> bool:
    if abs(word.y - row[-1].y) > 0.5 * word.size:
        return False
    overlap, beside = -inf, row[-1]
    for other in row:
        shared = (word.x1 if word.x1 < other.x1 else other.x1) - (word.x0 if word.x0 > other.x0 else other.x0)
        if shared > overlap:
            overlap, beside = shared, other
    small = min(word.size, beside.size)
    if overlap > 0.3 * small and abs(word.y - beside.y) > 0.1 * small:
        return False  # they would lie on top of each other
    return abs(word.y - beside.y) <= 0.25 * small


def _is_script(word: Word, row: list[Word]) -> bool:
    """Whether the word is small and raised or lowered beside a word of the row."""
    return any(
        word.size < 0.93 * other.size
        and abs(word.y - other.y) <= 0.5 * other.size
        and -0.2 * word.size < max(other.x0 - word.x1, word.x0 - other.x1) < 0.3 * other.size
        for other in row
    )


def _row(words: list[Word]) -> Row:
    groups: list[list[Word]] = [[words[0]]]
    reached = words[0].x1
    for word in words[1:]:
        group = groups[-1]
        gap = word.x0 - reached
        wide = gap > wide_gap(max(group[-1].size, word.size), spaced=word.spaced)
        if wide and not (gap < 40 and is_marker(text_of(group))):
            groups.append([word])
            reached = word.x1
        else:
            group.append(word)
            reached = max(reached, word.x1)
    return Row(
        tuple(Segment(tuple(group), group[0].x0, max(word.x1 for word in group)) for group in groups),
        min(word.y - ASCENT * word.size for word in words),
        max(word.y + DESCENT * word.size for word in words),
    )

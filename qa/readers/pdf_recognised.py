"""Words that were recognised in the pictures of pages, as if the pages had them, for the layout of all text.

A picture does not say how large its text is: that follows from how wide each line is, a little more or less. Lines of
nearly one size are taken to be of one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Final

from qa.geometry import UNITS, Box
from qa.readers.pdf_frame import Frame, Place, place_on_page
from qa.readers.pdf_words import PageContent, Word, cleaned
from qa.readers.recognised import RecognisedWord, font_size

FONT: Final = "recognised"
_ALIKE = 1.18  # times the smallest line of a size
_SHORT = 4  # characters: the width of fewer says little
_EM = 0.85  # of a line's height, from above its capitals to below its descenders, as the library marks it
_MIDDLE = 0.3  # ems from its baseline up to the middle of its height


@dataclass(frozen=True, slots=True)
class _Line:
    page: int
    words: tuple[RecognisedWord, ...]
    size: float  # in points

    @property
    def middle(self) -> float:
        """In parts of the page. Words of a tilted line stand at different heights."""
        return median((word.box.y0 + word.box.y1) / 2 for word in self.words)

    @property
    def weight(self) -> int:
        return sum(len(word.text) for word in self.words)


def recognised_contents(
    pages: Mapping[int, Sequence[RecognisedWord]], frames: Mapping[int, Frame], body: float | None
) -> dict[int, PageContent]:
    """The contents of the pages with these words, upright as they are shown; `body` is the size of the file's own text.

    They are scaled until most of their text has that size, so that it is no heading for being copied larger. A page of
    whose words nothing is left is not among them.
    """
    lines = [_line(page, own, frames[page]) for page, words in pages.items() for own in _lines(words)]
    sizes = _sizes(lines)
    usual = max(
        sizes.values(), key=lambda size: sum(line.weight for line in lines if sizes[line.size] == size), default=1.0
    )
    scale = body / usual if body else 1.0
    words_of: dict[int, list[Word]] = {}
    for line in lines:
        size = round(scale * sizes[line.size], 1)
        width, height = (scale * side for side in frames[line.page].size)
        baseline = line.middle * height + _MIDDLE * size
        for word in line.words:
            if text := cleaned(word.text):
                x0, x1 = word.box.x0 * width, word.box.x1 * width
                place = _place(word.box)
                words_of.setdefault(line.page, []).append(
                    Word(text, x0, x1, baseline, size, FONT, bold=False, spaced=True, place=place)
                )
    return {
        page: PageContent(tuple(words), (), *(scale * side for side in frames[page].size))
        for page, words in words_of.items()
    }


def _line(page: int, words: Sequence[RecognisedWord], frame: Frame) -> _Line:
    width, height = frame.size
    text = " ".join(word.text for word in words)
    if len(text) < _SHORT:
        size = _EM * median(word.box.y1 - word.box.y0 for word in words) * height
    else:
        size = font_size(text, (words[-1].box.x1 - words[0].box.x0) * width)
    return _Line(page, tuple(words), size)


def _lines(words: Sequence[RecognisedWord]) -> list[list[RecognisedWord]]:
    placed = [word for word in words if _place(word.box) is not None]
    ordered = sorted(placed, key=lambda word: (word.line, word.box.x0))
    return [list(own) for _, own in groupby(ordered, key=lambda word: word.line)]


def _place(box: Box) -> Place | None:
    return place_on_page(box.x0 * UNITS, box.y0 * UNITS, box.x1 * UNITS, box.y1 * UNITS)


def _sizes(lines: Sequence[_Line]) -> dict[float, float]:
    """What is taken for the size of the lines of each size, in points."""
    weights: Counter[float] = Counter()
    for line in lines:
        weights[line.size] += line.weight
    groups: list[list[float]] = []
    for size in sorted(weights):
        if groups and size <= _ALIKE * groups[-1][0]:
            groups[-1].append(size)
        else:
            groups.append([size])
    return {size: _middle(group, weights) for group in groups for size in group}


def _middle(sizes: Sequence[float], weights: Counter[float]) -> float:
    """The size that half of the characters reach."""
    rest = sum(weights[size] for size in sizes) / 2
    for size in sizes:
        rest -= weights[size]
        if rest <= 0:
            return size
    return sizes[-1]

"""The part of a PDF page that is shown, and how it is turned: from the page's own space to parts of the page as shown.

Places of the page's own space are in points, y upward. `/UserUnit` plays no part: it scales a page as a whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from pypdf import PageObject
from pypdf.errors import PyPdfError

from qa.geometry import UNITS
from qa.readers.pdf_drawing import IDENTITY, Matrix, product

Point = tuple[float, float]
Sides = tuple[float, float, float, float]  # left, bottom, right, top
Place = tuple[int, int, int, int]  # left, top, right, bottom on the page as shown, in `UNITS` of its sides


@dataclass(frozen=True, slots=True)
class Frame:
    """What is shown of a page, turned clockwise by `turns` quarters of a circle."""

    left: float
    bottom: float
    right: float
    top: float
    turns: int

    @property
    def corners(self) -> list[Point]:
        """The four corners, in the page's own space."""
        return [(x, y) for x in (self.left, self.right) for y in (self.bottom, self.top)]

    @property
    def size(self) -> Point:
        """Width and height in points, as shown."""
        width, height = self.right - self.left, self.top - self.bottom
        return (height, width) if self.turns % 2 else (width, height)

    @property
    def matrix(self) -> Matrix:
        """From the page's own space to the page as shown, from its left and top edges, in `UNITS` of its sides."""
        across, down = UNITS / (self.right - self.left), UNITS / (self.top - self.bottom)
        upright: Matrix = (across, 0.0, 0.0, -down, -across * self.left, down * self.top)
        turned: tuple[Matrix, ...] = (
            IDENTITY,
            (0.0, 1.0, -1.0, 0.0, UNITS, 0.0),
            (-1.0, 0.0, 0.0, -1.0, UNITS, UNITS),
            (0.0, -1.0, 1.0, 0.0, 0.0, UNITS),
        )
        return product(upright, turned[self.turns])


def place_on_page(left: float, top: float, right: float, bottom: float) -> Place | None:
    """A place in `UNITS`, rounded and cut off at the page's edges; None if nothing of it is left."""
    if not (left < right and top < bottom and left < UNITS and top < UNITS and right > 0 and bottom > 0):
        return None
    x0, y0 = int(left + 0.5) if left > 0 else 0, int(top + 0.5) if top > 0 else 0
    x1, y1 = int(right + 0.5) if right < UNITS else UNITS, int(bottom + 0.5) if bottom < UNITS else UNITS
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


LETTER: Final = Frame(0.0, 0.0, 612.0, 792.0, 0)  # what viewers show of a page that does not say how large it is


def frame_of(page: PageObject) -> Frame:
    """What viewers show: the crop box as far as it lies in the media box, or all of that."""
    media = _sides(page, "/MediaBox") or (LETTER.left, LETTER.bottom, LETTER.right, LETTER.top)
    crop = _sides(page, "/CropBox")
    shown = _shared(crop, media) if crop else None
    return Frame(*(shown or media), _turns(page))


def _sides(page: PageObject, name: str) -> Sides | None:
    try:
        box = page.mediabox if name == "/MediaBox" else page.cropbox
        xs, ys = (float(box[0]), float(box[2])), (float(box[1]), float(box[3]))
    except (PyPdfError, TypeError, ValueError, LookupError):
        return None
    sides = (min(xs), min(ys), max(xs), max(ys))
    return sides if all(map(math.isfinite, sides)) and sides[0] < sides[2] and sides[1] < sides[3] else None


def _shared(one: Sides, other: Sides) -> Sides | None:
    left, bottom = max(one[0], other[0]), max(one[1], other[1])
    right, top = min(one[2], other[2]), min(one[3], other[3])
    return (left, bottom, right, top) if left < right and bottom < top else None


def _turns(page: PageObject) -> int:
    try:
        return int(page.rotation / 90) % 4
    except (PyPdfError, TypeError, ValueError, AttributeError, OverflowError):
        return 0

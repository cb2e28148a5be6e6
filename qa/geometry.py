"""Where the words of a document stand on its pages.

Places are parts of a page as it is shown, cropped and turned: x from its left edge, y from its top edge, 0 to 1.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from qa.offsets import Span

UNITS = 10_000  # of a `Geometry` along each side of a page


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page: `x0 <= x1`, `y0 <= y1`, in parts of the page."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters of a document that stand in one box of one page, which counts from 1."""

    span: Span
    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class Geometry:
    """The stretches of a document, in columns of whole numbers.

    The characters from `start[i]` up to `end[i]` of the normalised text, without white space, stand on page `page[i]`
    (from 1) in the box from `x0[i]`, `y0[i]` to `x1[i]`, `y1[i]`, in 1/`UNITS` of the page's width and height. Sorted
    by `start`, and not overlapping. A word that is divided over a line's end is two stretches. What is not in here has
    no place that is sure.
    """

    start: tuple[int, ...] = ()
    end: tuple[int, ...] = ()
    page: tuple[int, ...] = ()
    x0: tuple[int, ...] = ()
    y0: tuple[int, ...] = ()
    x1: tuple[int, ...] = ()
    y1: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        sizes = {len(column) for column in self.columns}
        if len(sizes) != 1:
            raise ValueError(f"a geometry needs seven lists of one length, got lengths {sorted(sizes)}")

    @property
    def columns(self) -> tuple[tuple[int, ...], ...]:
        """The seven lists, in the order in which the constructor takes them."""
        return (self.start, self.end, self.page, self.x0, self.y0, self.x1, self.y1)

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def of(cls, stretches: list[Stretch]) -> Geometry:
        """The geometry of these stretches; boxes are kept to the page, and rounded."""
        rows = [
            (*stretch.span, stretch.page, *(round(min(max(place, 0.0), 1.0) * UNITS) for place in _sides(stretch.box)))
            for stretch in sorted(stretches, key=lambda stretch: stretch.span)
        ]
        return cls(*zip(*rows, strict=True)) if rows else cls()

    def stretches(self, span: Span) -> Iterator[Stretch]:
        """The stretches that share characters with `span`, in their order."""
        start, end = span
        if start < end:
            for place in range(bisect_right(self.end, start), bisect_left(self.start, end)):
                yield self._stretch(place)

    def of_page(self, page: int) -> Geometry:
        """What of it stands on this page."""
        rows = [row for row in zip(*self.columns, strict=True) if row[2] == page]
        return Geometry(*zip(*rows, strict=True)) if rows else Geometry()

    def _stretch(self, place: int) -> Stretch:
        sides = (self.x0, self.y0, self.x1, self.y1)
        return Stretch(
            (self.start[place], self.end[place]), self.page[place], Box(*(side[place] / UNITS for side in sides))
        )


def _sides(box: Box) -> tuple[float, float, float, float]:
    return (box.x0, box.y0, box.x1, box.y1)

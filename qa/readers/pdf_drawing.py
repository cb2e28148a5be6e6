"""What a PDF page draws besides text, as far as reading needs it: straight lines, and dots that stand for bullets."""

from __future__ import annotations

import itertools
from typing import Any, Final

Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Final[Matrix] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_COUNT = 20_000  # lines, and dots, of one page
_DOT = (1.5, 7.0)  # points across
_Line = tuple[float, float, float, float]


def matrix_of(operands: list[Any]) -> Matrix:
    """The last six operands of an operator."""
    a, b, c, d, e, f = (float(operand) for operand in operands[-6:])
    return (a, b, c, d, e, f)


def product(first: Matrix, then: Matrix) -> Matrix:
    """The transformation `first`, and then `then`."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


class Pen:
    """Follows the operators that draw paths. `lines` and `dots` (boxes about them) are (x0, y0, x1, y1) on the page."""

    def __init__(self) -> None:
        self.lines: list[_Line] = []
        self.dots: list[_Line] = []
        self._path: list[_Line] = []
        self._points: list[tuple[float, float]] = []
        self._point = self._first = (0.0, 0.0)
        self._is_curved = False

    def draw(self, operator: bytes, operands: list[Any], ctm: Matrix) -> None:
        """One operator; others than those of paths are passed over."""
        match operator:
            case b"re":
                x, y, width, height = (float(operand) for operand in operands)
                corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
                for one, other in itertools.pairwise(_place(*corner, ctm) for corner in corners):
                    self._line(one, other)
            case b"m":
                self._point = self._first = _place(float(operands[0]), float(operands[1]), ctm)
            case b"l":
                self._line(self._point, _place(float(operands[0]), float(operands[1]), ctm))
            case b"c" | b"v" | b"y":
                point = _place(float(operands[-2]), float(operands[-1]), ctm)
                if len(self._points) < _COUNT:
                    self._points += (self._point, point)
                self._point = point
                self._is_curved = True
            case b"h":
                self._line(self._point, self._first)
            case b"s" | b"b" | b"b*":
                self._line(self._point, self._first)
                self._paint(is_filled=operator != b"s")
            case b"S" | b"f" | b"F" | b"f*" | b"B" | b"B*":
                self._paint(is_filled=operator != b"S")
            case b"n":  # a path that only clips
                self._clear()

    def _line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self._point = end
        if len(self._path) < _COUNT and start != end:
            self._path.append((*start, *end))
            self._points += (start, end)

    def _paint(self, *, is_filled: bool) -> None:
        if self._points and len(self.dots) < _COUNT and (is_filled or self._is_curved):
            xs, ys = [x for x, _ in self._points], [y for _, y in self._points]
            box = (min(xs), min(ys), max(xs), max(ys))
            width, height = box[2] - box[0], box[3] - box[1]
            if _DOT[0] < width < _DOT[1] and 0.8 * width < height < 1.25 * width:
                self.dots.append(box)
        if len(self.lines) < _COUNT:
            self.lines.extend(self._path)
        self._clear()

    def _clear(self) -> None:
        self._path.clear()
        self._points.clear()
        self._is_curved = False


def _place(x: float, y: float, matrix: Matrix) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return (x * a + y * c + e, x * b + y * d + f)

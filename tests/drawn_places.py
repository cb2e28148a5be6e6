"""What the sample corpus's drawing script draws, and where: recorded while it draws, and read from no PDF file.

reportlab's text objects are followed from one piece of text to the next, as its users call them. Places are worked out
from what the script itself gives: the origin of a line, the font's widths, ascent and descent, the transformation of
the page and its turn.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, product
from pathlib import Path
from typing import Any
from unittest.mock import patch

from reportlab.pdfbase.pdfmetrics import getAscentDescent, stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from qa.geometry import Box

SCRIPTS = Path(__file__).parents[1] / "scripts"
LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl"}
# Not looked at when a quote is sought: white space, and every hyphen, which may be the word's own or the line end's.
IGNORED = frozenset(" \t\n\xa0\xad-\u2010")
Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One piece of text, in the order of drawing: `edges` are the places before, between and after its characters.

    `edges` count along the line from its origin, `low` and `high` across it, all in points; `matrix` goes from there to
    the page's own space.
    """

    page: int
    text: str
    x: float
    baseline: float
    edges: tuple[float, ...]
    low: float
    high: float
    matrix: Matrix

    def corners(self, start: int, end: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Opposite corners of the box of the characters from `start` to `end`, in the page's own space."""
        return (
            _applied(self.matrix, self.x + self.edges[start], self.baseline + self.low),
            _applied(self.matrix, self.x + self.edges[end], self.baseline + self.high),
        )


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is shown of a page: a part of its own space, in points, turned clockwise by `turn` degrees."""

    left: float
    bottom: float
    width: float
    height: float
    turn: int = 0


@dataclass
class Drawing:
    """The texts of one file, and its pages as they are shown."""

    texts: list[Drawn] = field(default_factory=list)
    pages: list[Sheet] = field(default_factory=list)

    def box(self, drawn: Drawn, start: int, end: int) -> Box:
        """Some characters of a drawn text in parts of their page as it is shown."""
        sheet = self.pages[drawn.page - 1]
        places = [
            _shown((x - sheet.left) / sheet.width, (y - sheet.bottom) / sheet.height, sheet.turn)
            for x, y in drawn.corners(start, end)
        ]
        (x0, x1), (y0, y1) = (sorted(side) for side in zip(*places, strict=True))
        return Box(x0, y0, x1, y1)

    def find(self, parts: Sequence[str]) -> list[tuple[int, Box]]:
        """Where this was drawn: a page, from 1, and a box for each line of each part.

        Parts are the cells of a row, or what stands before and after a page break; each was drawn right after the one
        before it, or on the next page. AssertionError unless they were drawn exactly once.
        """
        wanted = [_bare(part) for part in parts]
        first = [match.start() for match in re.finditer(f"(?={re.escape(wanted[0])})", self._stream)]
        found = [spans for place in first if (spans := self._follow(wanted, place))]
        assert len(found) == 1, f"{parts} was drawn {len(found)} times"
        return [line for start, end in found[0] for line in self._lines(self._signs[start:end])]

    def _follow(self, wanted: Sequence[str], at: int) -> list[tuple[int, int]]:
        """Where each part stands in the stream, if the first stands at this place; empty where one does not follow."""
        spans: list[tuple[int, int]] = []
        for part in wanted:
            place = at
            if not self._stream.startswith(part, at):
                page = self._page(at - 1) + 1
                place = self._stream.find(part, at)
                if not spans or place < 0 or (self._page(at), self._page(place)) != (page, page):
                    return []
            at = place + len(part)
            spans.append((place, at))
        return spans

    def _page(self, sign: int) -> int:
        return self._signs[sign][0].page if 0 <= sign < len(self._signs) else 0

    @cached_property
    def _signs(self) -> list[tuple[Drawn, int]]:
        """Every character that counts, in the order of drawing: its text, and its place there."""
        return [(text, place) for text in self.texts for place, sign in enumerate(text.text) for _ in _bare(sign)]

    @cached_property
    def _stream(self) -> str:
        return "".join(_bare(text.text) for text in self.texts)

    def _lines(self, signs: Sequence[tuple[Drawn, int]]) -> list[tuple[int, Box]]:
        """One box for the signs of each line; bold and plain text side by side are one line."""
        lines: list[tuple[Drawn, Box]] = []
        for text in dict.fromkeys(text for text, _ in signs):
            places = [place for other, place in signs if other is text]
            box = self.box(text, min(places), max(places) + 1)
            if lines and (lines[-1][0].page, lines[-1][0].baseline) == (text.page, text.baseline):
                box = around([lines.pop()[1], box])
            lines.append((text, box))
        return [(text.page, box) for text, box in lines]


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all of these."""
    return Box(
        min(box.x0 for box in boxes),
        min(box.y0 for box in boxes),
        max(box.x1 for box in boxes),
        max(box.y1 for box in boxes),
    )


def overlap(ours: Sequence[tuple[int, Box]], theirs: Sequence[tuple[int, Box]]) -> float:
    """Intersection over union of what two lots of boxes cover, over all their pages together."""
    shared = either = 0.0
    for page in {number for number, _ in (*ours, *theirs)}:
        one, other = ([box for number, box in boxes if number == page] for boxes in (ours, theirs))
        across = sorted({x for box in one + other for x in (box.x0, box.x1)})
        down = sorted({y for box in one + other for y in (box.y0, box.y1)})
        for (x0, x1), (y0, y1) in product(pairwise(across), pairwise(down)):
            in_one, in_other = (
                any(box.x0 <= x0 and x1 <= box.x1 and box.y0 <= y0 and y1 <= box.y1 for box in boxes)
                for boxes in (one, other)
            )
            shared += (x1 - x0) * (y1 - y0) * (in_one and in_other)
            either += (x1 - x0) * (y1 - y0) * (in_one or in_other)
    return shared / either if either else 0.0


def drawings(folder: Path) -> dict[str, Drawing]:
    """Draws the sample corpus into `folder`; what was drawn in each PDF file, by its path below it."""
    with patch.object(sys, "path", [str(SCRIPTS), *sys.path]):
        import make_sample_documents

        with recorded() as files:
            make_sample_documents.make(folder)
    return {Path(name).relative_to(folder).as_posix(): drawing for name, drawing in files.items()}


@contextmanager
def recorded() -> Iterator[dict[str, Drawing]]:
    """Records what every canvas draws meanwhile, by the file that it writes."""
    files: dict[str, Drawing] = {}
    pens: dict[int, _Pen] = {}
    originals = {name: getattr(PDFTextObject, name) for name in ("__init__", *_FOLLOWED)}
    show_page = Canvas.showPage

    def made(self: Any, canvas: Any, *rest: Any, **options: Any) -> None:
        drawing = files.setdefault(str(canvas._filename), Drawing())
        pens[id(self)] = _Pen(self, drawing)
        originals["__init__"](self, canvas, *rest, **options)

    def followed(name: str) -> Any:
        def call(self: Any, *arguments: Any, **options: Any) -> Any:
            getattr(pens[id(self)], name.strip("_"))(*arguments, **options)
            return originals[name](self, *arguments, **options)

        return call

    def shown(self: Any) -> None:
        width, height = self._pagesize
        turned = self._pageRotation in (90, 270)  # reportlab then swaps the sides that it was given
        sides = (height, width) if turned else (width, height)
        files.setdefault(str(self._filename), Drawing()).pages.append(Sheet(0, 0, *sides, self._pageRotation))
        show_page(self)

    changes = {"__init__": made} | {name: followed(name) for name in _FOLLOWED}
    with patch.multiple(PDFTextObject, **changes), patch.object(Canvas, "showPage", shown):
        yield files


_FOLLOWED = ("setTextOrigin", "moveCursor", "_textOut", "textOut", "textLine")


class _Pen:
    """Where a text object writes next: the start of its line, and how far along that it has come."""

    def __init__(self, text: Any, drawing: Drawing) -> None:
        self.text = text  # kept alive, so that its id stays its own
        self.drawing = drawing
        self.x = self.y = self.along = 0.0

    def setTextOrigin(self, x: float, y: float) -> None:  # noqa: N802 - reportlab's name
        self.x, self.y, self.along = x, y, 0.0

    def moveCursor(self, right: float, down: float) -> None:  # noqa: N802 - reportlab's name
        self.x, self.y, self.along = self.x + right, self.y - down, 0.0

    def textOut(self, text: str, line_end: bool = False) -> None:  # noqa: N802 - reportlab's name
        state = self.text
        spacing, between = getattr(state, "_wordSpace", 0.0), getattr(state, "_charSpace", 0.0)
        edges = [self.along]
        for sign in text:
            width = stringWidth(sign, state._fontname, state._fontsize) + between + (spacing if sign == " " else 0.0)
            edges.append(edges[-1] + width)
        if text.strip():
            high, low = getAscentDescent(state._fontname, state._fontsize)
            canvas = state._canvas
            self.drawing.texts.append(
                Drawn(
                    page=canvas.getPageNumber(),
                    text=text,
                    x=self.x,
                    baseline=self.y + state._rise,
                    edges=tuple(edges),
                    low=low,
                    high=high,
                    matrix=tuple(canvas._currentMatrix),
                )
            )
        self.along = edges[-1]
        if line_end:
            self.y, self.along = self.y - state._leading, 0.0

    def textLine(self, text: str = "") -> None:  # noqa: N802 - reportlab's name
        self.textOut(text, line_end=True)


def _bare(text: str) -> str:
    """The characters that are compared."""
    return "".join(LIGATURES.get(sign, sign) for sign in text if sign not in IGNORED)


def _applied(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return (a * x + c * y + e, b * x + d * y + f)


def _shown(x: float, y: float, turn: int) -> tuple[float, float]:
    """A place in parts of the page, y upward, on the page turned clockwise, y downward."""
    match turn:
        case 90:
            return (y, x)
        case 180:
            return (1 - x, y)
        case 270:
            return (1 - y, 1 - x)
        case _:
            return (x, 1 - y)

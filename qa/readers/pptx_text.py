"""Parts of slides that python-pptx leaves to its users: bullets, diagrams, and the order in which people read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn

from qa.readers.numerals import letters, roman

if TYPE_CHECKING:
    from pptx.oxml.xmlchemy import BaseOxmlElement as Element
    from pptx.slide import SlideLayout

_DIAGRAM: Final = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_BULLETS: Final = frozenset(qn(f"a:{name}") for name in ("buChar", "buAutoNum", "buBlip"))
_NUMBERED: Final[dict[str, Callable[[int], str]]] = {
    "arabic": str,
    "alphaLc": letters,
    "alphaUc": lambda number: letters(number).upper(),
    "romanLc": roman,
    "romanUc": lambda number: roman(number).upper(),
}
_AROUND: Final = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})", "Plain": "{}"}
_AUTO_NUMBER = re.compile(f"({'|'.join(_NUMBERED)})({'|'.join(_AROUND)})")
_MOST_CUT: Final = 200  # shapes of a slide; more are read from top to bottom as they come
# The placeholders of a master are few; those of its layouts take after one of them.
_LIKE_BODY: Final = frozenset({PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.SUBTITLE, PP_PLACEHOLDER.VERTICAL_BODY})
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Box:
    """Where a shape stands, in EMU from the slide's left and top edges."""

    left: int
    top: int
    right: int
    bottom: int


def in_reading_order(placed: Sequence[tuple[Box, _T]]) -> list[_T]:
    """What stands in the boxes, from top to bottom and from left to right.

    Boxes are parted again and again along the widest gap that goes through between them, so that columns are read one
    after the other where they stand further apart than the lines in them.
    """
    if len(placed) > 1:
        rows, down = _parted([(box.top, box.bottom, (box, item)) for box, item in placed])
        columns, across = _parted([(box.left, box.right, (box, item)) for box, item in placed])
        groups = columns if across > down else rows
        if len(groups) > 1 and len(placed) <= _MOST_CUT:
            return [item for group in groups for item in in_reading_order(group)]
    return [item for _, item in sorted(placed, key=lambda entry: (entry[0].top, entry[0].left))]


def _parted(spans: list[tuple[int, int, tuple[Box, _T]]]) -> tuple[list[list[tuple[Box, _T]]], int]:
    """Two groups on both sides of the widest gap between the spans, and its width; one group where there is none.

    Spans that only touch have a gap of no width.
    """
    ordered = sorted(spans, key=lambda span: span[:2])
    best, cut = -1, 0
    reached = ordered[0][1]
    for index, (start, end, _) in enumerate(ordered[1:], 1):
        if start - reached > best:
            best, cut = start - reached, index
        reached = max(reached, end)
    if best < 0:
        return [[entry for *_, entry in ordered]], -1
    return [[entry for *_, entry in ordered[:cut]], [entry for *_, entry in ordered[cut:]]], best


class Bullets:
    """Finds the bullets and numbers of paragraphs, by all the styles that may give them one."""

    def __init__(self, layout: SlideLayout) -> None:
        placed = [shape for shape in layout.shapes if shape.is_placeholder]
        masters = [shape for shape in layout.slide_master.shapes if shape.is_placeholder]
        self._layout = {shape.placeholder_format.idx: shape.element for shape in placed}
        self._types = {shape.placeholder_format.idx: shape.placeholder_format.type for shape in placed}
        self._master = {shape.placeholder_format.type: shape.element for shape in masters}
        self._body = layout.slide_master.element.find(f"{qn('p:txStyles')}/{qn('p:bodyStyle')}")

    def bullet(self, paragraph: Element, level: int, shape: Element, placeholder: int | None) -> Element | None:
        """That of a paragraph of `level` (from 0), if any. `placeholder` is its shape's index, None without one."""
        name = qn(f"a:lvl{level + 1}pPr")
        styles: list[Element | None] = [paragraph.find(qn("a:pPr")), *_own(shape, name)]
        if placeholder is not None:
            styles += _own(self._layout.get(placeholder), name)
            kind = self._types.get(placeholder)
            if kind is not None:
                styles += _own(self._master.get(PP_PLACEHOLDER.BODY if kind in _LIKE_BODY else kind), name)
            styles.append(self._body.find(name) if self._body is not None else None)
        found: Element
        for style in styles:
            for found in style if style is not None else ():
                if found.tag in _BULLETS:
                    return found
                if found.tag == qn("a:buNone"):
                    return None
        return None


class Count:
    """Counts the numbered paragraphs of one box, as presentation programs do."""

    def __init__(self) -> None:
        self._reached: dict[int, tuple[tuple[str, int], int]] = {}  # by level: the kind of number, and the last

    def marker(self, bullet: Element | None, level: int) -> str:
        """The number or letter of the next paragraph with text; "" for bullets and numbers of other kinds."""
        self._reached = {upper: reached for upper, reached in self._reached.items() if upper <= level}
        if bullet is None or bullet.tag != qn("a:buAutoNum"):
            self._reached.pop(level, None)
            return ""
        start = bullet.get("startAt", "1")
        first = int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1
        kind = (bullet.get("type", ""), first)
        last_kind, last = self._reached.get(level, (kind, first - 1))
        number = last + 1 if last_kind == kind else first
        self._reached[level] = (kind, number)
        match = _AUTO_NUMBER.fullmatch(kind[0])
        written = _NUMBERED[match[1]](number) if match else ""
        return _AROUND[match[2]].format(written) if match and written else ""


def _own(shape: Element | None, name: str) -> list[Element | None]:
    return [] if shape is None else [shape.find(f"{qn('p:txBody')}/{qn('a:lstStyle')}/{name}")]


def diagram_texts(blob: bytes) -> Iterator[tuple[int, str]]:
    """The texts of a diagram's data part (SmartArt) with their depth from 1, in the order of its outline."""
    root = parse_xml(blob)
    points = {point.get("modelId"): point for point in root.iter(f"{_DIAGRAM}pt")}
    below: dict[str | None, list[tuple[int, str]]] = {}
    for link in root.iter(f"{_DIAGRAM}cxn"):
        order = link.get("srcOrd", "")
        if link.get("type", "parOf") == "parOf" and order.isascii() and order.isdigit() and len(order) < 10:
            below.setdefault(link.get("srcId"), []).append((int(order), link.get("destId", "")))
    waiting = [(0, key) for key, point in points.items() if point.get("type") == "doc"]
    while waiting:
        depth, key = waiting.pop()
        point = points.pop(key, None)  # once each, whatever the links say
        if point is None:
            continue
        if point.get("type", "node") in ("node", "asst"):
            yield depth, " ".join(text.text or "" for text in point.iter(qn("a:t")))
        waiting += [(depth + 1, lower) for _, lower in sorted(below.get(key, []), reverse=True)]

"""A PDF page to its words and to the ruling lines of its tables.

Places are in points, x from the left and y from the top, on the page turned so that the text runs from left to right.
A page's /Rotate plays no part: text is read along its own direction.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from pypdf import PageObject
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

from qa.readers.normalise import normalise
from qa.readers.pdf_content import Interpreter
from qa.readers.pdf_fonts import FontCache


@dataclass(frozen=True, slots=True)
class Word:
    """Text without white space; `y` is its baseline, `size` its font's height, both in points.

    `spaced` says that a space character stands before it.
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    font: str
    bold: bool
    spaced: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line, or the edge of a filled box, that lies flat (y0 == y1) or stands upright (x0 == x1)."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class PageContent:
    """One direction of a page's text: the first of a page is the prevailing one and has the rules."""

    words: tuple[Word, ...]
    rules: tuple[Rule, ...]
    width: float
    height: float


def page_contents(page: PageObject, fonts: FontCache) -> list[PageContent]:
    """The page's words by direction of text, the prevailing direction first; empty for a page without words."""
    resources = page.get_inherited("/Resources", DictionaryObject()).get_object()
    content = page.get("/Contents")
    content = content.get_object() if content is not None else None
    if not isinstance(resources, DictionaryObject) or not isinstance(content, (ArrayObject, StreamObject)):
        return []
    interpreter = Interpreter(page.pdf, fonts)
    interpreter.play(content, resources)
    box = page.cropbox
    corners = [(float(x), float(y)) for x in (box.left, box.right) for y in (box.bottom, box.top)]
    weights: Counter[int] = Counter()
    for run in interpreter.runs:
        weights[run.angle] += len(run.text)
    found = [
        _turned(interpreter, angle, corners, with_rules=rank == 0)
        for rank, (angle, _) in enumerate(weights.most_common())
    ]
    return [contents for contents in found if contents.words]


def _turned(
    interpreter: Interpreter, angle: int, corners: list[tuple[float, float]], *, with_rules: bool
) -> PageContent:
    turn = math.radians(angle)
    across, up = math.cos(turn), math.sin(turn)
    turned = [(x * across + y * up, -x * up + y * across) for x, y in corners]
    left, right = min(x for x, _ in turned), max(x for x, _ in turned)
    bottom, top = min(y for _, y in turned), max(y for _, y in turned)
    words: list[Word] = []
    latest: dict[str, Word] = {}
    for run in interpreter.runs:
        inside = left - 2 <= run.u0 <= right + 2 and bottom - 2 <= run.v <= top + 2
        if run.angle == angle and inside and run.size > 0 and (text := _clean(run.text)):
            face = run.face
            x0, x1 = run.u0 - left, max(run.u1, run.u0) - left
            word = Word(text, x0, x1, top - run.v, run.size, face.name, face.bold, run.spaced)
            if not _is_shadow(word, latest.get(text)):
                words.append(word)
            latest[text] = word
    rules = []
    for x0, y0, x1, y1 in interpreter.lines if with_rules else ():
        u0, v0 = x0 * across + y0 * up - left, top + x0 * up - y0 * across
        u1, v1 = x1 * across + y1 * up - left, top + x1 * up - y1 * across
        if abs(v0 - v1) < 0.5 and abs(u0 - u1) > 3:
            rules.append(Rule(min(u0, u1), (v0 + v1) / 2, max(u0, u1), (v0 + v1) / 2))
        elif abs(u0 - u1) < 0.5 and abs(v0 - v1) > 3:
            rules.append(Rule((u0 + u1) / 2, min(v0, v1), (u0 + u1) / 2, max(v0, v1)))
    return PageContent(tuple(words), tuple(rules), right - left, top - bottom)


def _is_shadow(word: Word, last: Word | None) -> bool:
    """Whether the word is drawn on top of the last one like it: twice for boldness, or with a shadow."""
    if last is None:
        return False
    near = 0.15 * last.size
    return abs(word.x0 - last.x0) < near and abs(word.y - last.y) < near


def _clean(text: str) -> str:
    """Normalised, without lone surrogates; a soft hyphen at the end stays until the line that it ends is joined."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return normalise(whole) + ("\xad" if whole.endswith("\xad") else "")

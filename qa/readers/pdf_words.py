"""A PDF page to its words and to the ruling lines of its tables.

Places are in points, x from the left and y from the top, on the page turned so that the text runs from left to right.
A page's /Rotate plays no part in them: text is read along its own direction. A word's `place` is on the page as shown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pypdf import PageObject
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

from qa.readers.normalise import normalise
from qa.readers.pdf_content import Interpreter
from qa.readers.pdf_fonts import FontCache
from qa.readers.pdf_frame import Frame, Place, Point, place_on_page

BULLETS: Final = "•◦▪▫‣⁃●○■□◆◇◊➢➤►▶✓✔✗✘☐☑·∙*\uf0b7\uf0a7\uf0d8\uf0fc\uf06f\uf076"
GLUED_BULLETS: Final = frozenset(BULLETS) - set("*·")  # that are bullets even where no space follows
_BULLET_COUNT = 500  # dots of one page that are looked at


@dataclass(frozen=True, slots=True)
class Word:
    """Text without white space; `y` is its baseline, `size` its font's height, both in points.

    `spaced` says that a space character stands before it. `place` is its own on the page as shown, without a bullet
    that it begins with; None where that is not known.
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    font: str
    bold: bool
    spaced: bool
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """A drawn line, or the edge of a filled box, that lies flat (y0 == y1) or stands upright (x0 == x1)."""

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


def page_contents(page: PageObject, frame: Frame, fonts: FontCache) -> list[PageContent]:
    """The page's words by direction of text, the prevailing direction first; empty for a page without words."""
    resources = page.get_inherited("/Resources", DictionaryObject()).get_object()
    content = page.get("/Contents")
    content = content.get_object() if content is not None else None
    if not isinstance(resources, DictionaryObject) or not isinstance(content, (ArrayObject, StreamObject)):
        return []
    interpreter = Interpreter(page.pdf, fonts)
    interpreter.play(content, resources)
    weights: Counter[int] = Counter()
    for run in interpreter.runs:
        weights[run.angle] += len(run.text)
    found = [
        _turned(interpreter, _Turn(angle, frame), is_main=rank == 0)
        for rank, (angle, _) in enumerate(weights.most_common())
    ]
    return [contents for contents in found if contents.words]


class _Turn:
    """From the page's own space, y upward, to the one of its text in one direction, y downward from the page's top."""

    def __init__(self, angle: int, frame: Frame) -> None:
        self.angle = angle
        self.frame = frame
        self._across, self._up = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        turned = [self.along(*corner) for corner in frame.corners]
        self.left, self.right = min(u for u, _ in turned), max(u for u, _ in turned)
        self.bottom, self.top = min(v for _, v in turned), max(v for _, v in turned)

    def along(self, x: float, y: float) -> Point:
        return (x * self._across + y * self._up, y * self._across - x * self._up)

    def place(self, x: float, y: float) -> Point:
        u, v = self.along(x, y)
        return (u - self.left, self.top - v)

    def box(self, line: tuple[float, float, float, float]) -> Rule:
        (u0, v0), (u1, v1) = self.place(line[0], line[1]), self.place(line[2], line[3])
        return Rule(min(u0, u1), min(v0, v1), max(u0, u1), max(v0, v1))


def _turned(interpreter: Interpreter, turn: _Turn, *, is_main: bool) -> PageContent:
    words: list[Word] = []
    latest: dict[str, Word] = {}
    matrix = turn.frame.matrix
    for run in interpreter.runs:
        inside = turn.left - 2 <= run.u0 <= turn.right + 2 and turn.bottom - 2 <= run.v <= turn.top + 2
        if run.angle == turn.angle and inside and run.size > 0 and (text := cleaned(run.text)):
            x0, x1 = run.u0 - turn.left, max(run.u1, run.u0) - turn.left
            face = run.face
            place = place_on_page(*run.bounds(matrix, with_head=len(text) == 1 or text[0] not in GLUED_BULLETS))
            word = Word(text, x0, x1, turn.top - run.v, run.size, face.name, face.bold, run.spaced, place)
            if not _is_shadow(word, latest.get(text)):
                words.append(word)
            latest[text] = word
    rules = []
    if is_main:
        words += _bullets([turn.box(dot) for dot in interpreter.pen.dots], words)
        for box in map(turn.box, interpreter.pen.lines):
            if box.y1 - box.y0 < 0.5 and box.x1 - box.x0 > 3:
                rules.append(Rule(box.x0, (box.y0 + box.y1) / 2, box.x1, (box.y0 + box.y1) / 2))
            elif box.x1 - box.x0 < 0.5 and box.y1 - box.y0 > 3:
                rules.append(Rule((box.x0 + box.x1) / 2, box.y0, (box.x0 + box.x1) / 2, box.y1))
    return PageContent(tuple(words), tuple(rules), turn.right - turn.left, turn.top - turn.bottom)


def _bullets(dots: Sequence[Rule], words: Sequence[Word]) -> list[Word]:
    """Dots drawn before the first word of a line, as browsers draw those of lists, as the characters they stand for."""
    bullets = []
    for dot in dots[:_BULLET_COUNT]:
        middle = (dot.y0 + dot.y1) / 2
        beside = [word for word in words if word.y - 0.75 * word.size < middle < word.y]
        after = min((word for word in beside if word.x0 >= dot.x1), key=lambda word: word.x0, default=None)
        if after is None or after.x0 - dot.x1 > 2 * after.size:
            continue
        if not any(dot.x0 - 3 * after.size < word.x1 <= dot.x1 for word in beside):
            bullets.append(Word("•", dot.x0, dot.x1, after.y, after.size, after.font, after.bold, spaced=False))
    return bullets


def _is_shadow(word: Word, last: Word | None) -> bool:
    """Whether the word is drawn on top of the last one like it: twice for boldness, or with a shadow."""
    if last is None:
        return False
    near = 0.15 * last.size
    return abs(word.x0 - last.x0) < near and abs(word.y - last.y) < near


def cleaned(text: str) -> str:
    """Normalised, without lone surrogates; a soft hyphen at the end stays until the line that it ends is joined."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return normalise(whole) + ("\xad" if whole.endswith("\xad") else "")

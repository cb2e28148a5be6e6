"""A PDF page's content stream to runs of glyphs with their places.

pypdf parses the content stream and the fonts; its own text extraction does not say where a piece of text ends, which
columns and tables need, so the text operators are followed here (PDF 32000-1, 9.4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pypdf.generic import ArrayObject, ContentStream, DictionaryObject, StreamObject

from qa.readers.pdf_drawing import IDENTITY, Matrix, Pen, matrix_of, product
from qa.readers.pdf_fonts import Face, FontCache

_FORM_DEPTH = 12
_FORM_COUNT = 5_000  # forms a page, as in pypdf
_ANGLE_STEP = 5  # degrees: a scan that lies a little askew still reads as one direction


@dataclass(slots=True)
class _State:
    """The graphics state as far as text goes."""

    ctm: Matrix = IDENTITY
    face: Face | None = None
    size: float = 0.0
    character_space: float = 0.0
    word_space: float = 0.0
    stretch: float = 1.0
    leading: float = 0.0
    rise: float = 0.0

    def copy(self) -> _State:
        return _State(
            *(self.ctm, self.face, self.size, self.character_space),
            *(self.word_space, self.stretch, self.leading, self.rise),
        )


@dataclass(slots=True)
class Run:
    """Glyphs that touch, on their way to a word; `u0` and `u1` lie along the text's direction, `v` across it.

    `head` is where its first glyph ends. In the page's own space it begins at `origin`; `along` and `up` are steps of
    one point there, in the text's exact direction and to the top of its letters.
    """

    text: str
    u0: float
    u1: float
    v: float
    size: float
    face: Face
    angle: int
    spaced: bool
    head: float
    origin: tuple[float, float]
    along: tuple[float, float]
    up: tuple[float, float]

    def bounds(self, matrix: Matrix, *, with_head: bool) -> tuple[float, float, float, float]:
        """The space that it takes, as `matrix` maps the page's own space: least x and y, greatest x and y."""
        a, b, c, d, e, f = matrix
        (x, y), (along_x, along_y), (up_x, up_y) = self.origin, self.along, self.up
        start, end = (0.0 if with_head else self.head - self.u0), self.u1 - self.u0
        low, high = self.face.descent * self.size, self.face.ascent * self.size
        right, left = _interval(along_x * a + along_y * c, start, end, up_x * a + up_y * c, low, high)
        bottom, top = _interval(along_x * b + along_y * d, start, end, up_x * b + up_y * d, low, high)
        x, y = x * a + y * c + e, x * b + y * d + f
        return (x + left, y + top, x + right, y + bottom)


def _interval(step: float, start: float, end: float, rise: float, low: float, high: float) -> tuple[float, float]:
    """The greatest and the least sum of a multiple of `step` and one of `rise`, between these."""
    one, other = (step * end, step * start) if step * end > step * start else (step * start, step * end)
    third, fourth = (rise * high, rise * low) if rise > 0 else (rise * low, rise * high)
    return one + third, other + fourth


class Interpreter:
    """Follows the operators of a page and of the forms on it; collects `runs` of glyphs, and what its `pen` drew."""

    def __init__(self, pdf: Any, fonts: FontCache) -> None:  # noqa: ANN401 - pypdf's reader protocol is private
        self.pdf = pdf
        self.fonts = fonts
        self.runs: list[Run] = []
        self.pen = Pen()
        self.state = _State()
        self._text = self._line = IDENTITY
        self._open: Run | None = None
        self._space = False
        self._forms = 0
        self._active: set[int] = set()

    def play(self, stream: Any, resources: DictionaryObject) -> None:  # noqa: ANN401 - pypdf's objects
        """Follow one content stream: a page's or a form's."""
        stack: list[_State] = []
        for operands, operator in ContentStream(stream, self.pdf, "bytes").operations:
            if operator == b"q":
                stack.append(self.state.copy())
            elif operator == b"Q":
                self.state = stack.pop() if stack else self.state
            elif operator == b"Do":
                self._form(operands, resources)
            else:
                try:
                    self._operate(operator, operands, resources)
                except (TypeError, ValueError, LookupError, AttributeError):
                    continue  # one malformed operator, as viewers do: skip it
        self._close()

    def _form(self, operands: list[Any], resources: DictionaryObject) -> None:
        self._close()
        objects = resources.get("/XObject")
        objects = objects.get_object() if objects is not None else None
        form = objects.get(operands[0]) if isinstance(objects, DictionaryObject) and operands else None
        form = form.get_object() if form is not None else None
        if not isinstance(form, StreamObject) or form.get("/Subtype") != "/Form" or id(form) in self._active:
            return
        self._forms += 1
        if len(self._active) >= _FORM_DEPTH or self._forms > _FORM_COUNT:
            return
        outer = self.state.copy(), self._text, self._line
        own = form.get("/Resources")
        own = own.get_object() if own is not None else None
        matrix = form.get("/Matrix")
        if isinstance(matrix, ArrayObject) and len(matrix) == 6:
            self.state.ctm = product(matrix_of(list(matrix)), self.state.ctm)
        self._active.add(id(form))
        self.play(form, own if isinstance(own, DictionaryObject) else resources)
        self._active.discard(id(form))
        self.state, self._text, self._line = outer

    def _operate(self, operator: bytes, operands: list[Any], resources: DictionaryObject) -> None:
        state = self.state
        match operator:
            case b"Tj":
                self._show(operands[0])
            case b"TJ":
                for item in operands[0]:
                    if isinstance(item, (int, float)):
                        self._move(-float(item) / 1000 * state.size * state.stretch)
                    else:
                        self._show(item)
            case b"'":
                self._next_line(0, -state.leading)
                self._show(operands[0])
            case b'"':
                state.word_space, state.character_space = float(operands[0]), float(operands[1])
                self._next_line(0, -state.leading)
                self._show(operands[2])
            case b"Td":
                self._next_line(float(operands[0]), float(operands[1]))
            case b"TD":
                state.leading = -float(operands[1])
                self._next_line(float(operands[0]), float(operands[1]))
            case b"T*":
                self._next_line(0, -state.leading)
            case b"Tm":
                self._place_line(matrix_of(operands))
            case b"BT":
                self._place_line(IDENTITY)
            case b"Tf":
                state.size = float(operands[1])
                state.face = self._face(operands[0], resources)
            case b"Tc":
                state.character_space = float(operands[0])
            case b"Tw":
                state.word_space = float(operands[0])
            case b"Tz":
                state.stretch = float(operands[0]) / 100
            case b"TL":
                state.leading = float(operands[0])
            case b"Ts":
                state.rise = float(operands[0])
            case b"cm":
                state.ctm = product(matrix_of(operands), state.ctm)
            case _:
                self.pen.draw(operator, operands, state.ctm)

    def _face(self, name: object, resources: DictionaryObject) -> Face | None:
        fonts = resources.get("/Font")
        fonts = fonts.get_object() if fonts is not None else None
        font = fonts.get(name) if isinstance(fonts, DictionaryObject) else None
        font = font.get_object() if font is not None else None
        return self.fonts.face(font) if isinstance(font, DictionaryObject) else None

    def _next_line(self, x: float, y: float) -> None:
        self._place_line(product((1, 0, 0, 1, x, y), self._line))

    def _place_line(self, matrix: Matrix) -> None:
        self._text = self._line = matrix
        self._space = False  # where the next word stands says more than a space at the end of the last text

    def _move(self, along: float) -> None:
        a, b, c, d, e, f = self._text
        self._text = (a, b, c, d, e + along * a, f + along * b)

    def _show(self, data: object) -> None:
        state = self.state
        face = state.face
        if face is None or not isinstance(data, bytes):
            return
        if not face.readable:
            self.fonts.unreadable.add(face.name)
            return
        a, b, c, d, e, f = product(self._text, state.ctm)
        scale = math.hypot(a, b) * abs(state.stretch)
        size = abs(state.size) * math.hypot(c, d)
        angle = round(math.degrees(math.atan2(b, a)) / _ANGLE_STEP) * _ANGLE_STEP % 360
        x, y = e + state.rise * c, f + state.rise * d
        turn = math.radians(angle)
        u = x * math.cos(turn) + y * math.sin(turn)
        v = -x * math.sin(turn) + y * math.cos(turn)
        length = math.hypot(a, b) or 1.0
        along = (a / length, b / length)
        up = (-along[1], along[0]) if a * d >= b * c else (along[1], -along[0])
        moved = 0.0
        for text, width, is_space in face.glyphs(data):
            # In text space, without the stretch, which `scale` holds.
            step = width * state.size + state.character_space + (state.word_space if is_space else 0.0)
            here = u + moved * scale
            moved += step
            if not text.strip():
                self._close()
                self._space = True
                continue
            last = self._open
            if (
                last is None
                or last.angle != angle
                or last.face is not face
                or abs(last.size - size) > 0.1
                or abs(last.v - v) > 0.1 * size
                or not -0.3 * size < here - last.u1 < max(0.1, min(face.font.space_width * face.unit / 2, 0.25)) * size
            ):
                self._close()
                origin = (x + (here - u) * along[0], y + (here - u) * along[1])
                head = u + moved * scale
                last = self._open = Run("", here, here, v, size, face, angle, self._space, head, origin, along, up)
                self._space = False
            last.text += text
            last.u1 = u + moved * scale
        self._move(moved * state.stretch)

    def _close(self) -> None:
        if self._open is not None:
            self.runs.append(self._open)
        self._open = None

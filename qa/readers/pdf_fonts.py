"""The fonts of a PDF: what each code shows, how wide it is, and whether it is bold."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pypdf.generic import ArrayObject, DictionaryObject
from pypdf.generic._font import Font  # the fonts as pypdf's own extraction reads them; pypdf is pinned

_BOLD = re.compile(r"bold|black|heavy|semib|demi", re.IGNORECASE)
_ASCENT, _DESCENT = 0.75, -0.25
_MOST_ASCENT, _MOST_DESCENT = 1.3, -0.6
_FORCE_BOLD = 1 << 18  # PDF 32000-1, table 123
# Codes that WinAnsiEncoding leaves free show a bullet (PDF 32000-1, annex D.2, note 3); some programs count on it.
_FREE_CODES = frozenset("\x7f\x81\x8d\x8f\x90\x9d")
_BULLET_CODE = "\x95"


@dataclass(slots=True)
class Face:
    """A font, with what each code shows and how far it moves, filled as codes turn up.

    `name` has no subset prefix; `unit` is the width of one glyph unit in ems. `ascent` and `descent` are how far its
    letters reach above the baseline and, less than 0, below it, in ems.
    """

    font: Font
    name: str
    bold: bool
    readable: bool
    unit: float
    ascent: float
    descent: float
    shown: dict[str | int, tuple[str, float, bool]] = field(default_factory=dict)

    def glyphs(self, data: bytes) -> list[tuple[str, float, bool]]:
        """For each code (text, width in ems, is a space)."""
        encoding = self.font.encoding
        codes: list[str] | list[int] = (
            list(data.decode(encoding, "surrogatepass" if len(data) % 2 == 0 else "replace"))
            if isinstance(encoding, str)
            else list(data)
        )
        return [self.shown.get(code) or self._learn(code) for code in codes]

    def _learn(self, code: str | int) -> tuple[str, float, bool]:
        font = self.font
        raw = code if isinstance(code, str) else chr(code)
        decoded = font.encoding.get(code, raw) if isinstance(code, int) and isinstance(font.encoding, dict) else raw
        text = "".join(str(font.character_map.get(character, character)) for character in decoded)
        if isinstance(code, int) and text in _FREE_CODES:
            text = "•"
            raw = raw if raw in font.character_widths else _BULLET_CODE
        is_space = raw == font.space_char
        width = font.space_width if is_space else font.get_text_width(raw)
        self.shown[code] = (text, float(width) * self.unit, is_space)
        return self.shown[code]


def _reach(font: Font) -> tuple[float, float]:
    """The font's ascent and descent in ems, or what is usual where it says nothing, or nothing sensible, of them."""
    given: list[object] = [font.font_descriptor.ascent, font.font_descriptor.descent]
    ascent, descent = (value / 1000 if isinstance(value, (int, float)) else 0.0 for value in given)
    if font.sub_type == "Type3" or not 0.3 <= ascent <= _MOST_ASCENT:
        ascent = _ASCENT
    descent = -abs(descent)  # some programs write it without its sign
    if font.sub_type == "Type3" or not _MOST_DESCENT <= descent <= -0.05:
        descent = _DESCENT
    return ascent, descent


class FontCache:
    """The fonts of one file: each is read once. `unreadable` are names of fonts whose codes stand for no characters."""

    def __init__(self) -> None:
        self._faces: dict[int, tuple[DictionaryObject, Face]] = {}
        self.unreadable: set[str] = set()

    def face(self, resource: DictionaryObject) -> Face:
        """The font of a font dictionary."""
        known = self._faces.get(id(resource))
        if known is not None:
            return known[1]
        font = Font.from_font_resource(resource)
        name = font.name.split("+")[-1]
        flags = font.font_descriptor.flags
        weight: object = font.font_descriptor.weight  # a number, whatever pypdf's annotation says
        bold = (
            bool(_BOLD.search(name))
            or (isinstance(flags, int) and bool(flags & _FORCE_BOLD))
            or (isinstance(weight, (int, float)) and weight >= 600)
        )
        unit = 0.001
        if font.sub_type == "Type3" and isinstance(matrix := resource.get("/FontMatrix"), ArrayObject):
            unit = abs(float(matrix[0]))
        # Without a map from glyph numbers to characters the codes of a composite font mean nothing outside of it.
        numbers_only = font.sub_type == "Type0" and not font.character_map and "/ToUnicode" not in resource
        face = Face(font, name, bold, font.interpretable and not numbers_only, unit, *_reach(font))
        self._faces[id(resource)] = (resource, face)  # keeps the dictionary alive, so that its id stays its own
        return face

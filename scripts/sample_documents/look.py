"""Colors, fonts and paragraph styles of the clinic's printed papers. Lengths are in points."""

from __future__ import annotations

from dataclasses import dataclass

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_JUSTIFY, TA_LEFT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
from reportlab.pdfbase.ttfonts import TTFont

TEAL = HexColor("#1f5560")
INK = HexColor("#22313a")
GRAY = HexColor("#66757c")
RULE = HexColor("#9fb4b8")
TINT = HexColor("#e8f0f0")
SAND = HexColor("#f7f1e3")
AMBER = HexColor("#c98a2b")


@dataclass(frozen=True, slots=True)
class Look:
    """How one paper looks: fonts, the size of the body text and the space between its lines."""

    body: str = "Helvetica"
    bold: str = "Helvetica-Bold"
    size: float = 10
    leading: float = 14
    title: float = 22
    justified: bool = False

    def text(self) -> ParagraphStyle:
        """Body text."""
        return ParagraphStyle(
            "text",
            fontName=self.body,
            fontSize=self.size,
            leading=self.leading,
            textColor=INK,
            alignment=TA_JUSTIFY if self.justified else TA_LEFT,
            spaceAfter=self.leading * 0.5,
        )

    def cell(self) -> ParagraphStyle:
        """Text in a table."""
        return ParagraphStyle(
            "cell", self.text(), fontSize=self.size - 0.5, leading=self.leading - 1.5, spaceAfter=0, alignment=TA_LEFT
        )

    def column_head(self) -> ParagraphStyle:
        """Text in the head of a table."""
        return ParagraphStyle("column head", self.cell(), fontName=self.bold, textColor=HexColor("#ffffff"))

    def item(self) -> ParagraphStyle:
        """Text of a list item."""
        return ParagraphStyle("item", self.text(), spaceAfter=self.leading * 0.16, alignment=TA_LEFT)

    def lead(self) -> ParagraphStyle:
        """The line under the title."""
        return ParagraphStyle(
            "lead",
            self.text(),
            fontSize=self.size + 1,
            leading=self.leading + 1.5,
            textColor=GRAY,
            alignment=TA_LEFT,
            spaceAfter=self.leading,
        )

    def heading(self, level: int) -> ParagraphStyle:
        """A heading; level 1 is the title."""
        size = {1: self.title, 2: self.size + 3.5}.get(level, self.size + 1)
        return ParagraphStyle(
            f"heading {level}",
            fontName=self.bold,
            fontSize=size,
            leading=size * 1.2,
            textColor=TEAL,
            spaceBefore=0 if level == 1 else self.leading * (0.75 if level == 2 else 0.35),
            spaceAfter=self.leading * (0.55 if level == 1 else 0.28),
            keepWithNext=1,
        )


def register_vera() -> None:
    """Makes Bitstream Vera known, which comes with reportlab and has glyphs for the fi and fl ligatures."""
    for name in ("Vera", "VeraBd"):
        registerFont(TTFont(name, f"{name}.ttf"))
    registerFontFamily("Vera", normal="Vera", bold="VeraBd", italic="Vera", boldItalic="VeraBd")

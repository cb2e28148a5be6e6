"""Pages: their frames, letterhead, running header and footer, and the writing of a PDF file.

Every file is written without compression, dates or random parts, so that its bytes depend on the texts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from sample_documents.look import AMBER, GRAY, RULE, TEAL

WIDTH, HEIGHT = letter
MARGIN = 60.0
TEXT_WIDTH = WIDTH - 2 * MARGIN
ADDRESS = "12 Quillmere Lane, Eastholm · Front desk 555-0142 · Nurse line 555-0143"

Draw = Callable[[Canvas, BaseDocTemplate], None]


@dataclass(frozen=True, slots=True)
class Furniture:
    """What stands on every page: `title` in the running header, `code` and the page number in the footer."""

    title: str
    code: str
    font: str = "Helvetica"
    bold: str = "Helvetica-Bold"

    def first(self, canvas: Canvas, _: BaseDocTemplate) -> None:
        """A letterhead, and the footer."""
        logo(canvas, MARGIN, HEIGHT - 62)
        canvas.setFillColor(TEAL)
        canvas.setFont(self.bold, 13)
        canvas.drawString(MARGIN + 38, HEIGHT - 48, "Quillmere Infusion Clinic")
        canvas.setFillColor(GRAY)
        canvas.setFont(self.font, 8.5)
        canvas.drawString(MARGIN + 38, HEIGHT - 60, ADDRESS)
        rule(canvas, HEIGHT - 74, TEAL, 1.2)
        self.footer(canvas)

    def later(self, canvas: Canvas, _: BaseDocTemplate) -> None:
        """A running header, and the footer."""
        canvas.setFillColor(GRAY)
        canvas.setFont(self.font, 8.5)
        canvas.drawString(MARGIN, HEIGHT - 44, "Quillmere Infusion Clinic")
        canvas.drawRightString(WIDTH - MARGIN, HEIGHT - 44, self.title)
        rule(canvas, HEIGHT - 50, RULE, 0.6)
        self.footer(canvas)

    def footer(self, canvas: Canvas) -> None:
        """The number of the paper and of the page."""
        rule(canvas, 46, RULE, 0.6)
        canvas.setFillColor(GRAY)
        canvas.setFont(self.font, 8.5)
        canvas.drawString(MARGIN, 34, self.code)
        canvas.drawRightString(WIDTH - MARGIN, 34, f"Page {canvas.getPageNumber()}")

    def templates(self) -> list[PageTemplate]:
        """A first page with the letterhead, then pages with the running header."""
        return [
            PageTemplate("first", [portrait_frame(HEIGHT - 84)], onPage=self.first, autoNextPageTemplate="later"),
            PageTemplate("later", [portrait_frame(HEIGHT - 60)], onPage=self.later),
        ]


def portrait_frame(top: float) -> Frame:
    """One column between the side margins, from the footer to `top`."""
    return bare_frame(MARGIN, 56, TEXT_WIDTH, top - 56)


def bare_frame(x: float, y: float, width: float, height: float) -> Frame:
    """A frame without padding; `x` and `y` are its lower left corner."""
    return Frame(x, y, width, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)


def rule(canvas: Canvas, y: float, color: object, thickness: float) -> None:
    """A line between the side margins."""
    canvas.setStrokeColor(color)
    canvas.setLineWidth(thickness)
    canvas.line(MARGIN, y, WIDTH - MARGIN, y)


def logo(canvas: Canvas, x: float, y: float) -> None:
    """A disk with a still lake and a drop above it, 28 points across."""
    canvas.saveState()
    canvas.setFillColor(TEAL)
    canvas.circle(x + 14, y + 14, 14, stroke=0, fill=1)
    canvas.setFillColor(AMBER)
    drop = canvas.beginPath()
    drop.moveTo(x + 14, y + 24)
    drop.curveTo(x + 17, y + 19, x + 19, y + 17, x + 19, y + 15)
    drop.curveTo(x + 19, y + 8.5, x + 9, y + 8.5, x + 9, y + 15)
    drop.curveTo(x + 9, y + 17, x + 11, y + 19, x + 14, y + 24)
    canvas.drawPath(drop, stroke=0, fill=1)
    canvas.setStrokeColorRGB(1, 1, 1)
    canvas.setLineWidth(1.4)
    wave = canvas.beginPath()
    wave.moveTo(x + 5, y + 7.5)
    wave.curveTo(x + 9, y + 10, x + 10, y + 5, x + 14, y + 7.5)
    wave.curveTo(x + 18, y + 10, x + 19, y + 5, x + 23, y + 7.5)
    canvas.drawPath(wave, stroke=1, fill=0)
    canvas.restoreState()


def write_pdf(
    path: Path,
    title: str,
    templates: Sequence[PageTemplate],
    story: list[Flowable],
    size: tuple[float, float] = letter,
) -> int:
    """Writes the file and returns its number of pages."""
    document = BaseDocTemplate(
        str(path),
        pagesize=size,
        pageTemplates=list(templates),
        title=title,
        author="Quillmere Infusion Clinic",
        subject="Sample document of a fictional clinic",
        creator="Quillmere Infusion Clinic",
        lang="en-US",
        invariant=1,
        pageCompression=0,
    )
    document.build(story)
    return int(document.page)

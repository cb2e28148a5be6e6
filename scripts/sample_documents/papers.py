"""The PDF files of the sample corpus, one function each. The handbook has a module of its own."""

from __future__ import annotations

from pathlib import Path

from reportlab.lib.pagesizes import landscape, letter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, NextPageTemplate, PageBreak, PageTemplate, Spacer

from sample_documents.flow import flowables
from sample_documents.look import GRAY, RULE, TEAL, Look
from sample_documents.paper import (
    HEIGHT,
    MARGIN,
    TEXT_WIDTH,
    WIDTH,
    Furniture,
    bare_frame,
    logo,
    portrait_frame,
    rule,
    write_pdf,
)
from sample_documents.pieces import Break, read_pieces
from sample_documents.scan import parking_notice

CONSENT_PAGES = 6
GUTTER = 26.0


def write_leaflet(path: Path) -> None:
    """Two columns under a band of color with the title."""
    title, code = "Ketamine and anxiety", "Leaflet P-01 · Version 2.1"
    column = (TEXT_WIDTH - GUTTER) / 2
    right = MARGIN + column + GUTTER
    furniture = Furniture(title, code)

    def band(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.setFillColor(TEAL)
        canvas.rect(0, HEIGHT - 50, WIDTH, 50, stroke=0, fill=1)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.circle(MARGIN + 16, HEIGHT - 25, 16, stroke=0, fill=1)
        logo(canvas, MARGIN + 2, HEIGHT - 39)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.setFont("Helvetica-Bold", 12)
        canvas.drawString(MARGIN + 40, HEIGHT - 29, "Quillmere Infusion Clinic")
        between(canvas, HEIGHT - 140)
        furniture.footer(canvas)

    def between(canvas: Canvas, top: float) -> None:
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.5)
        canvas.line(WIDTH / 2, 64, WIDTH / 2, top)

    def columns(canvas: Canvas, document: BaseDocTemplate) -> None:
        furniture.later(canvas, document)
        between(canvas, HEIGHT - 64)

    templates = [
        PageTemplate(
            "first",
            [
                bare_frame(MARGIN, HEIGHT - 130, TEXT_WIDTH, 66),
                bare_frame(MARGIN, 60, column, HEIGHT - 200),
                bare_frame(right, 60, column, HEIGHT - 200),
            ],
            onPage=band,
            autoNextPageTemplate="later",
        ),
        PageTemplate(
            "later",
            [bare_frame(MARGIN, 60, column, HEIGHT - 124), bare_frame(right, 60, column, HEIGHT - 124)],
            onPage=columns,
        ),
    ]
    look = Look(size=10.5, leading=15, title=28)
    write_pdf(path, title, templates, flowables(read_pieces("ketamine-and-anxiety"), look, column))


def write_consent_form(path: Path) -> None:
    """Six pages, each with a running header, a footer for initials and its number "of 6"; ValueError if not six."""
    title = "Consent to ketamine infusions"

    def page(canvas: Canvas, _: BaseDocTemplate) -> None:
        logo(canvas, MARGIN, HEIGHT - 58)
        canvas.setFillColor(TEAL)
        canvas.setFont("Helvetica-Bold", 10)
        canvas.drawString(MARGIN + 36, HEIGHT - 47, "Quillmere Infusion Clinic")
        canvas.setFillColor(GRAY)
        canvas.setFont("Helvetica", 8.5)
        canvas.drawRightString(WIDTH - MARGIN, HEIGHT - 47, f"{title} · Form C-1, version 3.1")
        rule(canvas, HEIGHT - 64, TEAL, 1)
        rule(canvas, 50, RULE, 0.6)
        canvas.setFillColor(GRAY)
        canvas.setFont("Helvetica", 8.5)
        canvas.drawString(MARGIN, 37, "Questions before you sign? Nurse line 555-0143")
        canvas.drawRightString(WIDTH - MARGIN, 37, f"Page {canvas.getPageNumber()} of {CONSENT_PAGES}")

    look = Look(body="Times-Roman", size=12, leading=17, title=22)
    template = PageTemplate("page", [bare_frame(MARGIN, 62, TEXT_WIDTH, HEIGHT - 140)], onPage=page)
    count = write_pdf(path, title, [template], flowables(read_pieces("consent-form"), look, TEXT_WIDTH))
    if count != CONSENT_PAGES:
        raise ValueError(f"the consent form has {count} pages, expected {CONSENT_PAGES}; shorten or lengthen its text")


def write_aftercare_guide(path: Path) -> None:
    """Three pages; driving is answered at the top of the second."""
    furniture = Furniture("Aftercare guide", "Guide P-10 · Version 3.2")
    story = flowables(read_pieces("aftercare-guide"), Look(size=10.5, leading=14.6), TEXT_WIDTH)
    write_pdf(path, "Aftercare guide", furniture.templates(), story)


def write_price_sheet(path: Path) -> None:
    """Prices in ruled tables with the same columns throughout."""
    furniture = Furniture("Price sheet", "Price sheet P-17 · Version 5.0")
    story = flowables(read_pieces("price-sheet"), Look(size=10.5, leading=14.8), TEXT_WIDTH, columns=(260, 130, 102))
    write_pdf(path, "Price sheet", furniture.templates(), story)


def write_getting_here(path: Path) -> None:
    """A page of text, then a scanned notice: a page without any text."""
    furniture = Furniture("Getting here and parking", "Leaflet P-20 · Version 1.2")
    notice = ImageReader(parking_notice())

    def scanned(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.drawImage(notice, 0, 0, WIDTH, HEIGHT)

    templates = [*furniture.templates(), PageTemplate("scan", [portrait_frame(HEIGHT)], onPage=scanned)]
    story: list[Flowable] = [
        *flowables(read_pieces("getting-here"), Look(size=9.8, leading=13.3), TEXT_WIDTH),
        NextPageTemplate("scan"),
        PageBreak(),
        Spacer(1, 1),
    ]
    write_pdf(path, "Getting here and parking", templates, story)


def write_esketamine(path: Path) -> None:
    """The second page holds a wide table: it is a portrait page with /Rotate 90, read as landscape."""
    furniture = Furniture("Ketamine and esketamine compared", "Sheet P-23 · Version 1.7")

    def turn(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.translate(WIDTH, 0)
        canvas.rotate(90)
        canvas.setFillColor(GRAY)
        canvas.setFont("Helvetica", 8.5)
        canvas.drawString(MARGIN, WIDTH - 40, "Quillmere Infusion Clinic")
        canvas.drawRightString(HEIGHT - MARGIN, WIDTH - 40, furniture.title)
        canvas.drawString(MARGIN, 30, furniture.code)
        canvas.drawRightString(HEIGHT - MARGIN, 30, f"Page {canvas.getPageNumber()}")

    sideways = PageTemplate(
        "landscape", [bare_frame(MARGIN, 48, HEIGHT - 2 * MARGIN, WIDTH - 104)], onPage=turn, pagesize=landscape(letter)
    )
    sideways.rotation = 90  # reportlab then swaps the sides of the page again
    look = Look(size=11, leading=15.4, title=20)
    wide = Look(size=12, leading=17)
    templates = [
        *furniture.templates(),
        sideways,
        PageTemplate("portrait", [portrait_frame(HEIGHT - 60)], onPage=furniture.later, pagesize=letter),
    ]
    pieces = read_pieces("esketamine")
    breaks = [number for number, piece in enumerate(pieces) if isinstance(piece, Break)]
    before, table, after = pieces[: breaks[0]], pieces[breaks[0] : breaks[1]], pieces[breaks[1] :]
    story = [
        *flowables(before, look, TEXT_WIDTH),
        *flowables(table, wide, HEIGHT - 2 * MARGIN, columns=(132, 270, 270)),
        *flowables(after, look, TEXT_WIDTH),
    ]
    write_pdf(path, furniture.title, templates, story)


def write_talking_points(path: Path) -> None:
    """One column, for staff."""
    furniture = Furniture("Phone talking points", "Procedure S-01 · Version 2.6 · Staff only")
    story = flowables(read_pieces("phone-talking-points"), Look(size=10, leading=13.8), TEXT_WIDTH)
    write_pdf(path, furniture.title, furniture.templates(), story)


def write_checklist(path: Path) -> None:
    """A ruled table over several pages, with its head on each."""
    furniture = Furniture("Infusion-room checklist", "Procedure S-04 · Version 2.0 · Staff only")
    look = Look(size=9.5, leading=12.5)
    parts = read_pieces("infusion-room-checklist")
    story = flowables(parts, look, TEXT_WIDTH, columns=(34, 180, TEXT_WIDTH - 34 - 180 - 54, 54))
    write_pdf(path, furniture.title, furniture.templates(), story)

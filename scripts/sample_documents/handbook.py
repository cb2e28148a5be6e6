"""The handbook "How ketamine works": page labels, ligatures, and words broken at the ends of lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pypdf import PdfWriter
from pypdf.constants import PageLabelStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, PageTemplate, Spacer

from sample_documents import pieces
from sample_documents.flow import flowables
from sample_documents.look import GRAY, RULE, TEAL, Look, register_vera
from sample_documents.paper import bare_frame, logo, write_pdf
from sample_documents.pieces import Piece

TITLE = "How ketamine works"
FRONT_MATTER = 2  # pages, numbered i and ii
WIDTH, HEIGHT = 396.0, 612.0  # points: half a Letter page
SIDE = 44.0
COLUMN = WIDTH - 2 * SIDE

# Where the longer words may be broken.
BREAKS = (
    "ac-tive anes-thet-ic an-i-mals anti-de-pres-sants anx-i-ety ap-proved ben-e-fit branch-es "
    "chem-i-cal con-nec-tions de-pres-sion de-tached dis-so-ci-ate dis-so-ci-a-tion fright-ens glu-ta-mate hap-pens "
    "in-flam-ma-tion in-for-ma-tion in-fu-sion in-fu-sions ke-ta-mine lan-guage mes-sen-ger mes-sen-gers nerv-ous "
    "neuro-plas-tic-i-ty nor-mal-ly nor-adren-a-line pa-tients pe-ri-od psy-chi-at-ric re-cep-tor re-cep-tors re-gions "
    "re-peat-ed re-search re-spond sci-ence sci-en-tists sero-to-nin sig-nals some-thing stud-ies sur-round-ings "
    "ther-a-py to-geth-er treat-ment un-learn usu-al-ly"
)
_BREAKS = {word.replace("-", ""): word.replace("-", "\xad") for word in BREAKS.split()}


@dataclass(frozen=True, slots=True)
class Booklet:
    """Draws the cover and the small header and footer of the other pages."""

    def cover(self, canvas: Canvas, _: BaseDocTemplate) -> None:
        """A band of color with the logo; the page number stands below."""
        canvas.setFillColor(TEAL)
        canvas.rect(0, HEIGHT - 180, WIDTH, 180, stroke=0, fill=1)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.circle(SIDE + 21, HEIGHT - 129, 25, stroke=0, fill=1)
        canvas.saveState()
        canvas.translate(SIDE, HEIGHT - 150)
        canvas.scale(1.5, 1.5)
        logo(canvas, 0, 0)
        canvas.restoreState()
        self.number(canvas)

    def inner(self, canvas: Canvas, _: BaseDocTemplate) -> None:
        """The booklet's name above, the page number below."""
        canvas.setFillColor(GRAY)
        canvas.setFont("Vera", 7)
        canvas.drawCentredString(WIDTH / 2, HEIGHT - 34, f"Quillmere Infusion Clinic · {TITLE}")
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.6)
        canvas.line(SIDE, HEIGHT - 40, WIDTH - SIDE, HEIGHT - 40)
        self.number(canvas)

    def number(self, canvas: Canvas) -> None:
        """The page's label, as in a reader's page list."""
        page = canvas.getPageNumber()
        canvas.setFillColor(GRAY)
        canvas.setFont("Vera", 8.5)
        canvas.drawCentredString(WIDTH / 2, 26, "i" * page if page <= FRONT_MATTER else str(page - FRONT_MATTER))


def write_handbook(path: Path) -> None:
    """Writes the handbook, then puts the page labels in."""
    register_vera()
    look = Look(body="Vera", bold="VeraBd", size=9.2, leading=14, title=22, justified=True)
    parts = [_set(part) for part in pieces.read_pieces("how-ketamine-works")]
    story: list[Flowable] = [*flowables(parts, look, COLUMN), Spacer(1, 24)]
    booklet = Booklet()
    templates = [
        PageTemplate(
            "cover", [bare_frame(SIDE, 50, COLUMN, HEIGHT - 290)], onPage=booklet.cover, autoNextPageTemplate="inner"
        ),
        PageTemplate("inner", [bare_frame(SIDE, 44, COLUMN, HEIGHT - 98)], onPage=booklet.inner),
    ]
    count = write_pdf(path, TITLE, templates, story, (WIDTH, HEIGHT))
    writer = PdfWriter(clone_from=path)
    writer.set_page_label(0, FRONT_MATTER - 1, style=PageLabelStyle.LOWERCASE_ROMAN)
    writer.set_page_label(FRONT_MATTER, count - 1, style=PageLabelStyle.DECIMAL, start=1)
    writer.write(path)


def _set(part: Piece) -> Piece:
    """The piece with ligatures, and its paragraphs with places to break words."""
    match part:
        case pieces.Heading(level, text):
            return pieces.Heading(level, _ligatures(text))
        case pieces.Paragraph(text, lead, boxed):
            return pieces.Paragraph(_ligatures(text if lead or boxed else _breakable(text)), lead, boxed)
        case pieces.Listing(items, ordered):
            return pieces.Listing(tuple(_ligatures(item) for item in items), ordered)
        case pieces.Table(header, rows):
            return pieces.Table(
                tuple(_ligatures(cell) for cell in header),
                tuple(tuple(_ligatures(cell) for cell in row) for row in rows),
            )
        case pieces.Break():
            return part


def _ligatures(text: str) -> str:
    return text.replace("fi", "ﬁ").replace("fl", "ﬂ")


def _breakable(text: str) -> str:
    """The text with soft hyphens in the words of `BREAKS`; a capital at the start is kept."""

    def broken(match: re.Match[str]) -> str:
        word = match.group()
        found = _BREAKS.get(word.lower())
        return word[0] + found[1:] if found else word

    return re.sub(r"[A-Za-z]+", broken, text)

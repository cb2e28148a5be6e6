"""The DOCX files of the sample corpus."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import docx
from docx.document import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches, Pt, RGBColor
from docx.table import _Cell as Cell
from docx.text.paragraph import Paragraph

from sample_documents import pieces

TEAL = RGBColor(0x1F, 0x55, 0x60)
MADE = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP file can hold


def write_word(path: Path, text: str, footer: str) -> None:
    """Writes `text/TEXT.md` as a DOCX file with real headings, lists and tables."""
    document = docx.Document()
    _style(document)
    for part in pieces.read_pieces(text):
        match part:
            case pieces.Heading(level, words):
                document.add_heading(words, level)
            case pieces.Paragraph(words):
                _write(document.add_paragraph(), words)
            case pieces.Listing(items, ordered):
                for number, item in enumerate(items):
                    paragraph = document.add_paragraph(style="List Number" if ordered else "List Bullet")
                    _write(paragraph, item)
                    if ordered:
                        _number_from_one(document, paragraph, restart=number == 0)
            case pieces.Table():
                _table(document, part)
            case pieces.Break():
                document.add_page_break()
    section = document.sections[0]
    section.header.paragraphs[0].text = "Quillmere Infusion Clinic"
    section.footer.paragraphs[0].text = footer
    properties = document.core_properties
    properties.title = next(part.text for part in pieces.read_pieces(text) if isinstance(part, pieces.Heading))
    properties.author = properties.last_modified_by = "Quillmere Infusion Clinic"
    properties.comments = ""
    properties.created = properties.modified = MADE
    properties.revision = 1
    _save(document, path)


def _style(document: Document) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Inches(8.5), Inches(11)
    section.left_margin = section.right_margin = Inches(1)
    section.top_margin = section.bottom_margin = Inches(0.9)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(11)
    normal.paragraph_format.space_after = Pt(6)
    for level, size in ((1, 22), (2, 14), (3, 12)):
        font = document.styles[f"Heading {level}"].font
        font.size, font.color.rgb, font.bold = Pt(size), TEAL, True


def _write(paragraph: Paragraph, text: str) -> None:
    """Adds the text to the paragraph; what stands between ** and ** is bold."""
    for number, run in enumerate(re.split(r"\*\*", text)):
        if run:
            paragraph.add_run(run).bold = True if number % 2 else None


def _table(document: Document, part: pieces.Table) -> None:
    table = document.add_table(rows=0, cols=len(part.header), style="Table Grid")
    for number, row in enumerate((part.header, *part.rows)):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.paragraphs[0].paragraph_format.space_after = Pt(2)
            _write(cell.paragraphs[0], f"**{text}**" if number == 0 else text)
            if number == 0:
                _shade(cell)
    repeat = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeat)
    document.add_paragraph().paragraph_format.space_after = Pt(2)


def _shade(cell: Cell) -> None:
    shading = OxmlElement("w:shd")
    shading.set(qn("w:val"), "clear")
    shading.set(qn("w:fill"), "E8F0F0")
    cell._tc.get_or_add_tcPr().append(shading)


def _number_from_one(document: Document, paragraph: Paragraph, *, restart: bool) -> None:
    """Joins the paragraph to the newest numbering; `restart` first makes one that starts again from 1."""
    numbering = document.part.numbering_part.element
    if restart:
        base = document.styles["List Number"].element.pPr.numPr.numId.val
        abstract = numbering.num_having_numId(base).abstractNumId.val
        numbering.add_num(abstract).add_lvlOverride(0).add_startOverride(1)
    newest = max(number.numId for number in numbering.num_lst)
    properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
    properties.get_or_add_ilvl().val = 0
    properties.get_or_add_numId().val = newest


def _save(document: Document, path: Path) -> None:
    """Saves the file with one fixed time for every part, where python-docx would write the present one."""
    packed = BytesIO()
    document.save(packed)
    with ZipFile(packed) as source, ZipFile(path, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(ZipInfo(name, ZIP_TIME), source.read(name), ZIP_DEFLATED)

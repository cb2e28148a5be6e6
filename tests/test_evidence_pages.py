"""Quotes on pages of every kind: turned, cropped, in columns and tables, over line ends and page breaks."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from drawn_places import Drawing, Sheet, overlap, recorded
from pypdf import PdfWriter
from pypdf.generic import RectangleObject
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Spacer
from reportlab.platypus import Table as Grid

from qa.confirm import confirmed
from qa.evidence.locate import locate
from qa.geometry import Box
from qa.models import BlockKind, Document
from qa.parse import read

WIDTH, HEIGHT = 500.0, 640.0
LEAST_OVERLAP = 0.9
SENTENCES = 42
STYLE = ParagraphStyle("text", fontName="Helvetica", fontSize=10, leading=13, spaceAfter=7)
HEAD = ParagraphStyle("head", STYLE, fontName="Helvetica-Bold", fontSize=14, leading=18)
WORDS = (
    "water meal nurse infusion companion morning sleep heart pressure monitor garden window river candle letter "
    "silver copper engine harbor island jacket kettle ladder marble needle orange pillow rabbit saddle timber"
).split()
ROWS = [["Item", "Length", "Price"], ["First visit with a doctor", "one hour", "$150"], ["Booster", "40 min", "$410"]]


def sentence(number: int) -> str:
    """A sentence that no other number gives, with a word that is divided where a line ends."""
    chosen = [WORDS[(number * step + 7) % len(WORDS)] for step in (1, 3, 7, 11, 13)]
    return f"Number {number} says that {' '.join(chosen)} is anti\xadde\xadpres\xadsant for the {chosen[number % 5]}."


def story() -> list[Flowable]:
    texts = [" ".join(map(sentence, range(first, first + 6))) for first in range(0, SENTENCES, 6)]
    paragraphs = [Paragraph("Of rivers and candles", HEAD), *(Paragraph(text, STYLE) for text in texts)]
    ruled = [("GRID", (0, 0), (-1, -1), 0.5, "black")]
    grid = Grid([[Paragraph(cell, STYLE) for cell in row] for row in ROWS], colWidths=[90, 50, 50], style=ruled)
    return [*paragraphs, Spacer(1, 10), grid]


def drawn(path: Path) -> Drawing:
    """A document of two columns and at least two pages at `path`."""
    columns = [Frame(x, 60, 195, HEIGHT - 120, leftPadding=0, rightPadding=0) for x in (50, 265)]
    document = BaseDocTemplate(str(path), pagesize=(WIDTH, HEIGHT), pageTemplates=[PageTemplate("page", columns)])
    with recorded() as files:
        document.build(story())
    return files[str(path)]


CROPPED = Sheet(35, 45, WIDTH - 60, HEIGHT - 80)
SHEETS = {
    "plain": Sheet(0, 0, WIDTH, HEIGHT),
    "turned by 90": Sheet(0, 0, WIDTH, HEIGHT, 90),
    "turned by 180": Sheet(0, 0, WIDTH, HEIGHT, 180),
    "turned by 270": Sheet(0, 0, WIDTH, HEIGHT, 270),
    "cropped": CROPPED,
    "cropped and turned by 90": replace(CROPPED, turn=90),
    "cropped and turned by 180": replace(CROPPED, turn=180),
    "cropped and turned by 270": replace(CROPPED, turn=270),
    "larger than what was drawn": Sheet(-40, -25, WIDTH + 70, HEIGHT + 30),
}


@pytest.fixture(params=SHEETS, scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Drawing, Document]:
    """What was drawn on pages of one kind, and the document that was read of them."""
    sheet, path = SHEETS[request.param], tmp_path_factory.mktemp("pages") / "drawn.pdf"
    drawing = drawn(path)
    drawing.pages = [sheet for _ in drawing.pages]
    writer = PdfWriter(clone_from=path)
    box = RectangleObject((sheet.left, sheet.bottom, sheet.left + sheet.width, sheet.bottom + sheet.height))
    for page in writer.pages:
        if request.param.startswith("larger"):
            page.mediabox = box
        elif request.param.startswith("cropped"):
            page.cropbox = box
        page.rotate(sheet.turn)
    writer.write(path)
    return drawing, confirmed(path, read("pdf", path), seconds=60, memory_bytes=1_000_000_000)


def marked(document: Document, quote: str) -> list[tuple[int, Box]]:
    assert document.text.count(quote) == 1
    start = document.text.index(quote)
    marks = locate((start, start + len(quote)), document.text, document.blocks, document.geometry)
    return [(mark.page, mark.box) for mark in marks or ()]


def halves(words: str) -> list[list[str]]:
    """All ways to divide the words by a page break."""
    return [[words], *([words[: space.start()], words[space.end() :]] for space in re.finditer(" ", words))]


def found(drawing: Drawing, words: str) -> list[tuple[int, Box]]:
    """Where words were drawn once, perhaps over a page break."""
    for parts in halves(words):
        try:
            return drawing.find(parts)
        except AssertionError:
            continue
    raise AssertionError(words)


def test_sentences_are_marked_where_they_were_drawn(pair: tuple[Drawing, Document]) -> None:
    """Every sentence, over line ends, divided words, columns and a page break, has its own places and no others."""
    drawing, document = pair
    assert sum(text.text.endswith("-") for text in drawing.texts) >= 5
    over_a_break = 0
    for number in range(SENTENCES):
        quote = sentence(number).replace("\xad", "")
        expected = found(drawing, quote)
        over_a_break += len({page for page, _ in expected}) > 1
        marks = marked(document, quote)
        assert {page for page, _ in marks} == {page for page, _ in expected}
        assert overlap(marks, expected) >= LEAST_OVERLAP, quote
    assert over_a_break


def test_rows_are_marked_cell_by_cell(pair: tuple[Drawing, Document]) -> None:
    """A row of a ruled table is marked in each of its cells, and not between them."""
    drawing, document = pair
    rows = [block for block in document.blocks if block.kind is BlockKind.TABLE_ROW]
    assert len(rows) == len(ROWS) - 1
    for row, cells in zip(rows, ROWS[1:], strict=True):
        marks = marked(document, document.text[row.start : row.end])
        assert len(marks) >= len(cells)
        assert overlap(marks, drawing.find(cells)) >= LEAST_OVERLAP


def test_what_is_not_there_is_not_marked(pair: tuple[Drawing, Document]) -> None:
    """A document whose places are gone has no marks, and neither has a quote with a word that nobody could place."""
    _, document = pair
    quote = sentence(5).replace("\xad", "")
    start = document.text.index(quote)
    geometry = document.geometry
    lost = next(number for number, at in enumerate(geometry.start) if at > start + 20)
    fewer = type(geometry)(*(column[:lost] + column[lost + 1 :] for column in geometry.columns))
    span = (start, start + len(quote))
    assert locate(span, document.text, document.blocks, geometry) is not None
    assert locate(span, document.text, document.blocks, fewer) is None

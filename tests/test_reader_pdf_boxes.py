"""Where the words of a PDF stand: what the reader says, what was drawn, and what PDFium paints."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import reportlab
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, NameObject, NumberObject, RectangleObject
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table

from qa.document_json import from_json, to_json
from qa.errors import EmptyDocument
from qa.geometry import UNITS, Box, Stretch
from qa.models import BlockKind, Document
from qa.readers.pdf import read
from qa.readers.recognised import RecognisedWord

ROOT = Path(__file__).parents[1]
SAMPLES = sorted((ROOT / "corpus").rglob("*.pdf"))
WIDTH, HEIGHT = A4
CLOSE = 1.5 / UNITS
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=10, leading=12, spaceAfter=6)

Drawn = Callable[[Canvas], None]
Sides = tuple[float, float, float, float]  # left, bottom, right, top, in points from the page's own origin


@pytest.fixture
def draw(tmp_path: Path) -> Callable[..., Path]:
    """Draw a file, one function a page, and give its pages a crop box, a media box and a turn."""

    def make(*pages: Drawn, turn: int = 0, crop: Sides | None = None, media: Sides | None = None) -> Path:
        path = tmp_path / "drawn.pdf"
        canvas = Canvas(str(path), pagesize=A4)
        for page in pages:
            canvas.setFont("Helvetica", 10)
            page(canvas)
            canvas.showPage()
        canvas.save()
        writer = PdfWriter(clone_from=path)
        for page in writer.pages:
            page.mediabox = RectangleObject(media or (0, 0, WIDTH, HEIGHT))
            if crop:
                page.cropbox = RectangleObject(crop)
            page.rotate(turn)
        writer.write(path)
        return path

    return make


def lines(canvas: Canvas, x: float, y: float, *texts: str, leading: float = 12) -> None:
    """Draw one line below the other."""
    for number, text in enumerate(texts):
        canvas.drawString(x, y - number * leading, text)


def stretches(document: Document) -> list[Stretch]:
    """All of the document's geometry."""
    return list(document.geometry.stretches((0, len(document.text))))


def placed(document: Document) -> list[tuple[str, int]]:
    """The text and the page of each stretch."""
    return [(document.text[slice(*one.span)], one.page) for one in stretches(document)]


def box_of(document: Document, text: str) -> Box:
    """The one box that has this text."""
    (found,) = [one.box for one in stretches(document) if document.text[slice(*one.span)] == text]
    return found


def drawn_box(
    *, x: float, y: float, text: str, font: str = "Helvetica", size: float = 10, shown: Sides = (0, 0, WIDTH, HEIGHT)
) -> Box:
    """Where a word stands that was drawn at (x, y), on an upright page that shows the given part of itself."""
    left, bottom, right, top = shown
    ascent, descent = pdfmetrics.getAscentDescent(font, size)
    width, height = right - left, top - bottom
    end = x + pdfmetrics.stringWidth(text, font, size)
    return Box((x - left) / width, (top - y - ascent) / height, (end - left) / width, (top - y - descent) / height)


def turned(box: Box, turn: int) -> Box:
    """The box after its page was turned clockwise."""
    for _ in range(turn // 90):
        box = Box(1 - box.y1, box.x0, 1 - box.y0, box.x1)
    return box


def assert_close(found: Box, expected: Box) -> None:
    """All four sides agree to the last unit but one."""
    for name in ("x0", "y0", "x1", "y1"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=CLOSE), (name, found, expected)


def check(document: Document) -> None:
    """What holds for the geometry of every PDF: every character but inserted ones stands in one box, on its page."""
    end = 0
    for one in stretches(document):
        assert end <= one.span[0] < one.span[1]
        end = one.span[1]
        assert not any(sign.isspace() for sign in document.text[slice(*one.span)])
        page = document.pages[one.page - 1]
        assert page.start <= one.span[0] < one.span[1] <= page.end
        assert 0 <= one.box.x0 < one.box.x1 <= 1
        assert 0 <= one.box.y0 < one.box.y1 <= 1
    covered = {at for one in stretches(document) for at in range(*one.span)}
    for block in document.blocks:
        values = [(cell.start, cell.end) for cell in block.cells] or [(block.start, block.end)]
        own = {at for start, stop in values for at in range(start, stop) if not document.text[at].isspace()}
        assert own == covered & set(range(block.start, block.end))
        for before, cell in zip([None, *block.cells], block.cells, strict=False):
            assert document.text[before.end if before else block.start : cell.name] == ("; " if before else "")
            assert document.text[cell.name : cell.start].endswith(": ") or cell.name == cell.start
    assert from_json(to_json(document)) == document


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_word_of_the_samples_has_its_place(path: Path) -> None:
    """In the sample documents each character of a block stands in a box, but for the names of columns."""
    document = read(path)
    check(document)
    rows = [block for block in document.blocks if block.kind is BlockKind.TABLE_ROW]
    assert all(row.cells for row in rows)


WHOLE: Sides = (0, 0, WIDTH, HEIGHT)
PAGES: list[tuple[Sides | None, Sides | None, Sides]] = [
    (None, None, WHOLE),
    ((40, 300, 500, 800), None, (40, 300, 500, 800)),
    (None, (-30, 20, 570, 830), (-30, 20, 570, 830)),
    ((20, 100, 900, 800), (10, 50, 560, 835), (20, 100, 560, 800)),
]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize(("crop", "media", "shown"), PAGES)
def test_boxes_are_those_of_the_page_as_shown(
    draw: Callable[..., Path], turn: int, crop: Sides | None, media: Sides | None, shown: Sides
) -> None:
    """Cropped, with an origin elsewhere, turned, or all of it: a word's box is where it was drawn."""

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, "Rest quietly afterwards.")
        canvas.setFont("Times-Bold", 14)
        lines(canvas, 200, 500, "Eat")

    document = read(draw(page, turn=turn, crop=crop, media=media))
    check(document)
    assert [text for text, _ in placed(document)] == ["Rest", "quietly", "afterwards.", "Eat"]
    x = 72.0
    for text in ("Rest", "quietly", "afterwards."):
        assert_close(box_of(document, text), turned(drawn_box(x=x, y=700, text=text, shown=shown), turn))
        x += pdfmetrics.stringWidth(f"{text} ", "Helvetica", 10)
    expected = drawn_box(x=200, y=500, text="Eat", font="Times-Bold", size=14, shown=shown)
    found, expected = box_of(document, "Eat"), turned(expected, turn)
    # The library's and the drawing program's idea of this font's ascent differ by 0.007 ems.
    assert max(abs(getattr(found, side) - getattr(expected, side)) for side in ("x0", "y0", "x1", "y1")) < 0.0005


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("angle", [0, 90, 180, 270, 33])
def test_pdfium_paints_the_word_in_its_box(draw: Callable[..., Path], turn: int, angle: int) -> None:
    """Text in any direction on a page cropped and turned: what PDFium paints lies in the box, and fills it."""

    def page(canvas: Canvas) -> None:
        canvas.translate(300, 500)
        canvas.rotate(angle)
        canvas.setFont("Helvetica", 30)
        canvas.drawString(10, 20, "Abgh")

    path = draw(page, turn=turn, crop=(100, 250, 560, 760))
    box = box_of(read(path), "Abgh")
    with pypdfium2.PdfDocument(path) as file:
        image = file[0].render(scale=4).to_numpy()
    dark = np.argwhere(image.min(axis=2) < 128)
    (top, left), (bottom, right) = dark.min(axis=0), dark.max(axis=0) + 1
    height, width = image.shape[:2]
    # Letters reach 0.02 ems out of what their font says, and leave some of it free; more where they run askew.
    slack, free = 0.03 * 120, (0.2 * 120 if angle % 90 == 0 else 0.8 * 120)
    for near, edge in ((left, box.x0 * width), (top, box.y0 * height)):
        assert edge - slack <= near <= edge + free
    for near, edge in ((right, box.x1 * width), (bottom, box.y1 * height)):
        assert edge - free <= near <= edge + slack


def test_text_is_placed_in_its_exact_direction(draw: Callable[..., Path]) -> None:
    """A line that is read as one of 10 degrees, and runs at 12, is placed at 12."""

    def page(canvas: Canvas) -> None:
        canvas.translate(100, 400)
        canvas.rotate(12)
        canvas.drawString(0, 0, "ImportantNumbers")

    box = box_of(read(draw(page)), "ImportantNumbers")
    width = pdfmetrics.stringWidth("ImportantNumbers", "Helvetica", 10)
    ascent, descent = pdfmetrics.getAscentDescent("Helvetica", 10)
    across, up = math.cos(math.radians(12)), math.sin(math.radians(12))
    assert_close(
        box,
        Box(
            (100 - ascent * up) / WIDTH,
            (HEIGHT - 400 - width * up - ascent * across) / HEIGHT,
            (100 + width * across - descent * up) / WIDTH,
            (HEIGHT - 400 - descent * across) / HEIGHT,
        ),
    )


def test_embedded_fonts_bring_their_own_heights(draw: Callable[..., Path]) -> None:
    """An embedded font's ascent and descent make the box's height; one without gets what is usual."""
    pdfmetrics.registerFont(TTFont("Vera", str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf")))

    def page(canvas: Canvas) -> None:
        canvas.setFont("Vera", 12)
        lines(canvas, 72, 700, "Visit")
        canvas.setFont("ZapfDingbats", 10)
        lines(canvas, 72, 600, "a")

    document = read(draw(page))
    assert_close(box_of(document, "Visit"), drawn_box(x=72, y=700, text="Visit", font="Vera", size=12))
    flower = stretches(document)[-1].box
    assert flower.y0 == pytest.approx((HEIGHT - 607.5) / HEIGHT, abs=CLOSE)
    assert flower.y1 == pytest.approx((HEIGHT - 597.5) / HEIGHT, abs=CLOSE)


def test_a_word_divided_over_a_line_end_is_two_stretches(draw: Callable[..., Path]) -> None:
    """Each part of a divided word has its own box; a hyphen that goes is in no span, and one that stays is."""

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, "You take a medi-", "cine for COVID-", "19 and a soft\xad", "ened mid\xaddle.")

    document = read(draw(page))
    check(document)
    assert document.text == "You take a medicine for COVID-19 and a softened middle."
    words = ["You", "take", "a", "medi", "cine", "for", "COVID-", "19", "and", "a", "soft", "ened", "middle."]
    assert [text for text, _ in placed(document)] == words
    assert_close(box_of(document, "cine"), drawn_box(x=72, y=688, text="cine"))
    x = 72 + pdfmetrics.stringWidth("You take a ", "Helvetica", 10)
    assert_close(box_of(document, "medi"), drawn_box(x=x, y=700, text="medi-"))


def test_a_paragraph_over_a_page_break_has_boxes_on_both_pages(draw: Callable[..., Path]) -> None:
    """The divided word's first part is on the first page, and its second on the next."""
    start = "The first thing to know is that you may feel dizzy for some time after the infu-"
    document = read(
        draw(lambda canvas: lines(canvas, 72, 120, start), lambda canvas: lines(canvas, 72, 740, "sion ends."))
    )
    check(document)
    assert placed(document)[-3:] == [("infu", 1), ("sion", 2), ("ends.", 2)]
    assert_close(box_of(document, "sion"), drawn_box(x=72, y=740, text="sion"))
    assert len(document.geometry.of_page(2)) == 2


def test_columns_are_placed_where_they_stand(draw: Callable[..., Path]) -> None:
    """Words of the right column, which are read last, have their places on the right."""
    left = ["It begins gently and you may", "feel light for a short while,", "which passes within the hour."]
    right = ["On the right another story is", "told, about the nurse who sits", "beside you all of the time."]

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, *left)
        lines(canvas, 320, 700, *right)

    document = read(draw(page))
    check(document)
    assert [text for text, _ in placed(document)] == " ".join(left + right).split()
    assert_close(box_of(document, "beside"), drawn_box(x=320, y=676, text="beside"))
    assert_close(box_of(document, "which"), drawn_box(x=72, y=676, text="which"))


def test_cells_are_placed_and_the_names_before_them_are_not(tmp_path: Path) -> None:
    """A ruled table's values stand in their cells; an empty cell leaves the columns after it their numbers."""
    rows = [["Item", "Length", "Price"], ["Visit", "", "$50"], ["Infusion", "40 minutes", "$480"]]
    style = [("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold")]
    path = tmp_path / "table.pdf"
    SimpleDocTemplate(str(path), pagesize=A4).build([Table(rows, style=style)])
    document = read(path)
    check(document)
    assert document.text == "Item: Visit; Price: $50\nItem: Infusion; Length: 40 minutes; Price: $480"
    assert [text for text, _ in placed(document)] == ["Visit", "$50", "Infusion", "40", "minutes", "$480"]
    cells = [
        [(cell.column, document.text[cell.name : cell.start], document.text[cell.start : cell.end]) for cell in b.cells]
        for b in document.blocks
    ]
    assert cells == [
        [(0, "Item: ", "Visit"), (2, "Price: ", "$50")],
        [(0, "Item: ", "Infusion"), (1, "Length: ", "40 minutes"), (2, "Price: ", "$480")],
    ]
    visit, price = box_of(document, "Visit"), box_of(document, "$50")
    assert (visit.y0, visit.y1) == (price.y0, price.y1)
    assert visit.x1 < price.x0
    assert box_of(document, "Infusion").x0 == visit.x0


def test_a_header_too_long_to_repeat_is_a_row_with_places(tmp_path: Path) -> None:
    """Where rows carry a shortened name, the header itself is a row of cells without names."""
    long = " ".join(["Word"] * 60)
    rows = [[Paragraph(f"<b>{long}</b>", BODY), Paragraph("<b>Price</b>", BODY)]]
    rows += [[Paragraph(f"Visit {number}", BODY), Paragraph("some", BODY)] for number in range(3)]
    path = tmp_path / "table.pdf"
    table: list[Flowable] = [Table(rows, colWidths=[200, 230], style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black)])]
    SimpleDocTemplate(str(path), pagesize=A4).build(table)
    document = read(path)
    check(document)
    header = document.blocks[0]
    assert [(cell.column, cell.name == cell.start) for cell in header.cells] == [(0, True), (1, True)]
    assert [text for text, _ in placed(document)][:61] == ["Word"] * 60 + ["Price"]


def test_bullets_have_no_place_and_leave_the_words_theirs(draw: Callable[..., Path]) -> None:
    """A dropped bullet is in no box, whether it stands apart or touches its word."""

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, "•", "•Coats", "1. Bags", leading=14)
        canvas.drawString(86, 700, "Shoes")

    document = read(draw(page))
    assert [text for text, _ in placed(document)] == ["Shoes", "Coats", "1.", "Bags"]
    x = 72 + pdfmetrics.stringWidth("•", "Helvetica", 10)
    assert_close(box_of(document, "Coats"), drawn_box(x=x, y=686, text="Coats"))


def script(canvas: Canvas, x: float, y: float, *parts: tuple[str, float]) -> None:
    """Draw one word of parts, each (text, rise in points); raised and lowered ones are small."""
    for text, rise in parts:
        size = 6.5 if rise else 10
        canvas.setFont("Helvetica", size)
        canvas.drawString(x, y + rise, text)
        x += canvas.stringWidth(text, "Helvetica", size)
    canvas.setFont("Helvetica", 10)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([("10", 0), ("3", 4), (" units", 0)], "10³ units"),
        ([("10", 0), ("-6", 4)], "10⁻⁶"),
        ([("32 kg/m", 0), ("2", 3.5)], "32 kg/m²"),
        ([("30 min", 0), ("–1", 4)], "30 min⁻¹"),
        ([("Take 5", 0), ("2", 4), (" drops", 0)], "Take 5² drops"),
        ([("relief", 0), ("1,2", 4), (" and", 0)], "relief¹,² and"),
        ([("at home.", 0), ("12", 4), (" Then", 0)], "at home.¹² Then"),
        ([("Ca", 0), ("2+", 4), (" drops", 0)], "Ca²⁺ drops"),
        ([("$4", 0), ("99", 4)], "$4⁹⁹"),
        ([("5", 0), ("1", 4), ("/", 0), ("2", -2), (" tablets", 0)], "5¹/₂ tablets"),
        ([("the 1", 0), ("st", 4), (" and", 0)], "the 1st and"),
        ([("H", 0), ("2", -2), ("O", 0)], "H2O"),
        ([("SpO", 0), ("2", -2), (" of 94", 0)], "SpO2 of 94"),
        ([("log 4", 0), ("10", -2)], "log 4₁₀"),
    ],
)
def test_raised_and_lowered_figures_do_not_change_numbers(
    draw: Callable[..., Path], parts: Sequence[tuple[str, float]], expected: str
) -> None:
    """A raised figure never reads as the last digit of the number before it; lowered ones stay as people write them."""

    def page(canvas: Canvas) -> None:
        script(canvas, 72, 700, *parts)
        lines(canvas, 72, 660, "A line of the usual size below it.")

    document = read(draw(page))
    check(document)
    assert document.text.split("\n\n")[0] == expected


def test_a_raised_figure_has_a_box_of_its_own(draw: Callable[..., Path]) -> None:
    """The exponent's box is the small one, above the line."""
    document = read(draw(lambda canvas: script(canvas, 72, 700, ("10", 0), ("3", 4))))
    assert [text for text, _ in placed(document)] == ["10", "³"]
    x = 72 + pdfmetrics.stringWidth("10", "Helvetica", 10)
    assert_close(box_of(document, "³"), drawn_box(x=x, y=704, text="3", size=6.5))


def test_a_sign_that_stands_for_two_words_is_two_stretches(draw: Callable[..., Path], tmp_path: Path) -> None:
    """Where the font says that one sign is "a b", both words have its box, and the space has none."""
    path = draw(lambda canvas: lines(canvas, 72, 700, "Qx"))
    writer = PdfWriter(clone_from=path)
    (font,) = writer.pages[0]["/Resources"]["/Font"].values()
    codes = writer._add_object(
        stream_of(b"1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <51> <006100200062> endbfchar")
    )
    font.get_object()[NameObject("/ToUnicode")] = codes
    changed = tmp_path / "changed.pdf"
    writer.write(changed)
    document = read(changed)
    assert document.text == "a bx"
    first, second = stretches(document)
    assert (first.span, second.span) == ((0, 1), (2, 4))
    assert first.box == second.box


def stream_of(data: bytes) -> DecodedStreamObject:
    """A stream object with this content."""
    stream = DecodedStreamObject()
    stream.set_data(data)
    return stream


@pytest.mark.parametrize("box", [[0, 0, 0, 0], [0, 0, 100], [900, 900, 1000, 1000]])
def test_a_senseless_crop_box_counts_for_nothing(draw: Callable[..., Path], box: list[int]) -> None:
    """A crop box that is empty, malformed or beside the page leaves the page whole, as viewers do."""
    path = draw(lambda canvas: lines(canvas, 72, 700, "Rest."))
    writer = PdfWriter(clone_from=path)
    writer.pages[0][NameObject("/CropBox")] = ArrayObject([NumberObject(side) for side in box])
    writer.write(path)
    assert_close(box_of(read(path), "Rest."), drawn_box(x=72, y=700, text="Rest."))


def recognised(*rows: tuple[float, float, float, str]) -> list[RecognisedWord]:
    """Words of lines in Helvetica on a page of A4, each line (top edge in points, size, height in ems, text)."""
    words = []
    for number, (y, size, height, text) in enumerate(rows):
        x = 72.0
        for word in text.split():
            end = x + pdfmetrics.stringWidth(word, "Helvetica", size)
            box = Box(x / WIDTH, y / HEIGHT, end / WIDTH, (y + height * size) / HEIGHT)
            words.append(RecognisedWord(word, box, 0.97, number))
            x = end + pdfmetrics.stringWidth(" ", "Helvetica", size)
    return words


NOTICE = recognised(
    (50, 22, 1.16, "Parking for patients"),
    (100, 12.0, 1.16, "The gate is locked at 6:00 p.m. every single day of the week, and cars that"),
    (114, 12.6, 1.2, "are then still there stay over night, without any exception to that. Call the"),
    (129, 11.6, 1.1, "line 555-0146 then."),
    (170, 12.0, 1.16, "• No trailers"),
)


def test_recognised_words_are_laid_out_like_text(draw: Callable[..., Path]) -> None:
    """Headings, paragraphs and lists come of recognised words, and their boxes are those that were given."""
    path = draw(
        lambda canvas: lines(canvas, 72, 700, "Come at nine. The nurse calls you in."),
        lambda canvas: canvas.rect(100, 100, 50, 50, fill=1),
    )
    assert read(path).warnings == ("Page 2 has no text (scanned?)",)
    document = read(path, recognised={1: NOTICE, 2: NOTICE, 7: NOTICE})
    check(document)
    assert document.warnings == ()
    assert [page.recognised for page in document.pages] == [False, True]
    own = [(block.kind, document.text[block.start : block.end]) for block in document.blocks if block.page == 2]
    assert own == [
        (BlockKind.HEADING, "Parking for patients"),
        (
            BlockKind.PARAGRAPH,
            "The gate is locked at 6:00 p.m. every single day of the week, and cars that are then still there stay over"
            " night, without any exception to that. Call the line 555-0146 then.",
        ),
        (BlockKind.LIST_ITEM, "No trailers"),
    ]
    found = [one for one in stretches(document) if one.page == 2]
    expected = [word for word in NOTICE if word.text != "•"]
    assert [document.text[slice(*one.span)] for one in found] == [word.text for word in expected]
    for one, word in zip(found, expected, strict=True):
        assert_close(one.box, word.box)


@pytest.mark.parametrize("turn", [0, 90])
def test_a_file_of_pictures_alone_is_read_from_recognised_words(draw: Callable[..., Path], turn: int) -> None:
    """Words of a turned page are upright as it is shown; without any, the file is empty as before."""
    path = draw(lambda canvas: canvas.circle(200, 200, 50, fill=1), turn=turn)
    document = read(path, recognised={1: NOTICE})
    check(document)
    assert document.text.startswith("Parking for patients\n\nThe gate")
    assert document.title == "Parking for patients"
    with pytest.raises(EmptyDocument):
        read(path, recognised={1: []})


def test_recognised_words_are_taken_as_untrusted(draw: Callable[..., Path]) -> None:
    """Words of nothing, of odd characters, without room or beside the page do no harm."""
    path = draw(lambda canvas: canvas.circle(200, 200, 50, fill=1))
    odd = [
        RecognisedWord("\u200b\ufeff", Box(0.1, 0.1, 0.2, 0.12), 1.0),
        RecognisedWord("\ufb01ne\x07", Box(0.3, 0.1, 0.4, 0.12), 1.0),
        RecognisedWord("flat", Box(0.5, 0.1, 0.5, 0.12), 1.0),
        RecognisedWord("beside", Box(1.5, 0.1, 1.6, 0.12), 1.0, 1),
    ]
    document = read(path, recognised={1: odd})
    check(document)
    assert document.text == "fine"

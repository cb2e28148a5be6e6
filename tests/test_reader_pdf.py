"""Reading PDF files: every file here is drawn by the test that reads it."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import reportlab
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Table

from qa.document_json import to_json
from qa.errors import BrokenDocument, EmptyDocument, EncryptedDocument, TooLarge, WorkerTimeout
from qa.models import Block, BlockKind, Document
from qa.readers.pdf import read
from qa.worker import run_limited

WIDTH, HEIGHT = A4
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=10, leading=12, spaceAfter=6)
H1 = ParagraphStyle("h1", fontName="Helvetica-Bold", fontSize=20, leading=24, spaceAfter=10)
H2 = ParagraphStyle("h2", fontName="Helvetica-Bold", fontSize=13, leading=16, spaceBefore=10, spaceAfter=4)
LOREM = (
    "The nurse measures your blood pressure before the infusion and again every quarter of an hour. Most people feel"
    " a little light at first. You can ask the nurse to stop at any time, and nobody will ask you for a reason."
)


@pytest.fixture
def draw(tmp_path: Path) -> Callable[..., Path]:
    """Draw a file: each function draws one page on a canvas."""

    def make(*pages: Callable[[Canvas], None], title: str | None = None) -> Path:
        path = tmp_path / "drawn.pdf"
        canvas = Canvas(str(path), pagesize=A4)
        if title is not None:
            canvas.setTitle(title)
        for page in pages:
            canvas.setFont("Helvetica", 10)
            page(canvas)
            canvas.showPage()
        canvas.save()
        return path

    return make


@pytest.fixture
def flow(tmp_path: Path) -> Callable[..., Path]:
    """Set a file from flowables, in one frame or two beside each other."""

    def make(
        story: list[Flowable], *, columns: int = 1, on_page: Callable[[Canvas, BaseDocTemplate], None] | None = None
    ) -> Path:
        path = tmp_path / "set.pdf"
        gutter = 24.0
        width = (WIDTH - 144 - gutter * (columns - 1)) / columns
        frames = [
            Frame(72 + number * (width + gutter), 72, width, HEIGHT - 172, 0, 0, 0, 0) for number in range(columns)
        ]
        document = BaseDocTemplate(str(path), pagesize=A4)
        document.addPageTemplates([PageTemplate("page", frames, onPage=on_page or (lambda *_: None))])
        document.build(story)
        return path

    return make


def lines(canvas: Canvas, x: float, y: float, *texts: str, leading: float = 12) -> None:
    """Draw one line below the other."""
    for number, text in enumerate(texts):
        canvas.drawString(x, y - number * leading, text)


def texts(document: Document, kind: BlockKind | None = None) -> list[str]:
    """The blocks' texts."""
    return [text_of(document, block) for block in document.blocks if kind in (None, block.kind)]


def text_of(document: Document, block: Block) -> str:
    """One block's text."""
    return document.text[block.start : block.end]


def check(document: Document) -> None:
    """What holds for every document: spans are in order, and what no block holds is white space."""
    end = 0
    for block in document.blocks:
        assert end <= block.start < block.end
        assert not document.text[end : block.start].strip()
        assert text_of(document, block) == text_of(document, block).strip()
        end = block.end
    assert not document.text[end:]
    for one, other in zip(document.pages, document.pages[1:], strict=False):
        assert one.start <= one.end <= other.start
    for block in document.blocks:
        page = document.pages[block.page - 1]
        assert page.start <= block.start < page.end


def test_headings_carry_their_path(flow: Callable[..., Path]) -> None:
    """Sizes make levels, a heading over two lines is one, and each block knows the headings above it."""
    long_heading = "What to bring with you on the day of the infusion and what you had better leave at home"
    story = [
        *(Paragraph("After your visit", H1), Paragraph(LOREM, BODY)),
        *(Paragraph(long_heading, H2), Paragraph(LOREM, BODY)),
        *(Paragraph("<b>Food</b>", BODY), Paragraph("Nothing.", BODY)),
        *(Paragraph("Later", H2), Paragraph("Sleep.", BODY)),
    ]
    document = read(flow(story))
    check(document)
    found = [(block.level, text_of(document, block), block.headings) for block in document.blocks if block.level]
    top = "After your visit"
    assert found == [
        (1, top, ()),
        (2, long_heading, (top,)),
        (3, "Food", (top, long_heading)),
        (2, "Later", (top,)),
    ]
    assert document.blocks[-1].headings == (top, "Later")
    assert document.title == top


def test_two_columns_are_read_one_after_the_other(flow: Callable[..., Path]) -> None:
    """The left column comes first, headings stay with their text, and a paragraph goes on in the next column."""
    story: list[Flowable] = []
    for number in range(12):
        story += [Paragraph(f"Part {number}", H2), Paragraph(f"Start {number}. {LOREM} {LOREM} End {number}.", BODY)]
    document = read(flow(story, columns=2))
    check(document)
    expected = [text for n in range(12) for text in (f"Part {n}", f"Start {n}. {LOREM} {LOREM} End {n}.")]
    assert texts(document) == expected


def test_sections_side_by_side_are_read_column_by_column(draw: Callable[..., Path]) -> None:
    """White space that runs through both columns does not part them: the left one is read to its end first."""

    def page(canvas: Canvas) -> None:
        for column, x, sizes in (("left", 60.0, (8, 6, 4)), ("right", 320.0, (5, 8, 6))):
            for section, size in enumerate(sizes, start=1):
                top = 920 - 160 * section
                canvas.setFont("Helvetica-Bold", 13)
                canvas.drawString(x, top, f"Heading {section} {column}")
                canvas.setFont("Helvetica", 10)
                sentences = [f"Line {line} of part {section} in the {column} column of it." for line in range(size)]
                lines(canvas, x, top - 16, *sentences)

    assert texts(read(draw(page)), BlockKind.HEADING) == [
        f"Heading {section} {column}" for column in ("left", "right") for section in (1, 2, 3)
    ]


def test_a_full_width_heading_stands_between_columns(draw: Callable[..., Path]) -> None:
    """Lines across both columns part what is above them from what is below."""
    left = ["It begins gently and you may", "feel light for a short while,", "which passes within the hour."]
    right = ["On the right another story is", "told, about the nurse who sits", "beside you all of the time."]

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, *left)
        lines(canvas, 320, 697, *right)
        canvas.setFont("Helvetica-Bold", 14)
        canvas.drawString(72, 640, "A heading that runs across the whole of the page, both columns")
        canvas.setFont("Helvetica", 10)
        lines(canvas, 72, 615, *(line.replace("e", "a") for line in left))
        lines(canvas, 320, 615, *(line.replace("e", "a") for line in right))

    assert texts(read(draw(page))) == [
        *(" ".join(left), " ".join(right)),
        "A heading that runs across the whole of the page, both columns",
        *(" ".join(left).replace("e", "a"), " ".join(right).replace("e", "a")),
    ]


def test_running_lines_are_left_out(flow: Callable[..., Path]) -> None:
    """Headers and footers go, whatever their page number; a sentence of the text that comes back stays."""

    def furniture(canvas: Canvas, document: BaseDocTemplate) -> None:
        canvas.setFont("Helvetica", 10)
        canvas.drawString(72, HEIGHT - 40, "Quiet Harbor Clinic")
        canvas.drawRightString(WIDTH - 72, HEIGHT - 40, "After your visit")
        canvas.drawString(72, 40, "Not a substitute for medical advice.")
        canvas.drawRightString(WIDTH - 72, 40, f"Page {document.page} of 4")

    repeated = "Call the front desk if anything is unclear to you."
    story = [Paragraph(text, BODY) for number in range(38) for text in (repeated, f"Number {number}. {LOREM}")]
    document = read(flow(story, on_page=furniture))
    check(document)
    assert len(document.pages) >= 3
    assert texts(document).count(repeated) == 38
    assert not any(word in document.text for word in ("Quiet Harbor", "After your visit", "substitute", "Page "))


def test_a_sentence_at_the_top_of_every_page_stays(draw: Callable[..., Path]) -> None:
    """The first line of the text is not a header, even if every page begins with it."""

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, HEIGHT - 72, "You may not drive until the next day.", "Then you may.", leading=18)

    document = read(draw(page, page, page))
    assert texts(document) == ["You may not drive until the next day.", "Then you may."] * 3


def test_numbered_headings_at_the_top_of_pages_stay(draw: Callable[..., Path]) -> None:
    """Figures that do not count the pages make no running line, and headings that do are too large for one."""

    def page(heading: str, size: int) -> Callable[[Canvas], None]:
        def drawn(canvas: Canvas) -> None:
            canvas.setFont("Helvetica-Bold", size)
            canvas.drawString(72, HEIGHT - 60, heading)
            canvas.setFont("Helvetica", 10)
            lines(canvas, 72, HEIGHT - 100, LOREM[:95], LOREM[96:], leading=12)

        return drawn

    rooms = read(draw(*(page(f"Room {number}", 10) for number in (2, 5, 3, 9))))
    assert texts(rooms, BlockKind.HEADING) == ["Room 2", "Room 5", "Room 3", "Room 9"]
    steps = read(draw(*(page(f"Step {number}", 14) for number in (1, 2, 3, 4))))
    assert texts(steps, BlockKind.HEADING) == ["Step 1", "Step 2", "Step 3", "Step 4"]


def test_a_header_shown_once_is_known_by_what_it_says(draw: Callable[..., Path]) -> None:
    """On a file of two pages the small line that repeats clinic and title is no part of the second page."""

    def first(canvas: Canvas) -> None:
        lines(canvas, 72, 780, "Quiet Harbor Clinic")
        lines(canvas, 72, 700, "After your visit", "", LOREM[:80])

    def second(canvas: Canvas) -> None:
        lines(canvas, 72, 700, "You may rest here.", "", LOREM[:80])
        canvas.setFont("Helvetica", 8)
        lines(canvas, 72, 800, "Quiet Harbor Clinic")
        canvas.drawRightString(WIDTH - 72, 800, "After your visit")

    document = read(draw(first, second))
    page = document.pages[1]
    assert document.text[page.start :].startswith("You may rest here.")


@pytest.mark.parametrize("number", ["1", "– 1 –", "Page 1 of 1", "page 1", "1/1"])
def test_a_lone_page_number_is_left_out(draw: Callable[..., Path], number: str) -> None:
    """The number of the page is not part of the text, on a file of one page either."""

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, "Take one tablet.", "Wait for 2 hours.", "3")
        canvas.drawCentredString(WIDTH / 2, 30, number)

    assert read(draw(page)).text == "Take one tablet. Wait for 2 hours. 3"


def test_words_divided_over_lines_are_joined(draw: Callable[..., Path]) -> None:
    """A hyphen at a line's end goes, unless the word has one of its own: by rule, by list, or elsewhere in the file."""

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, "You take a medi-", "cine and then a follow-", "up for COVID-", "19 and an anti-")
        lines(
            canvas,
            72,
            652,
            "nausea tablet, as the anti-nausea list says. A soft\xad",
            "ened mid\xaddle stays one word.",
        )

    assert read(draw(page)).text == (
        "You take a medicine and then a follow-up for COVID-19 and an anti-nausea tablet,"
        " as the anti-nausea list says. A softened middle stays one word."
    )


def test_ligatures_and_odd_spaces_are_normalised(draw: Callable[..., Path]) -> None:
    """Ligatures become letters and every space a plain one; other characters stay as they are."""
    pdfmetrics.registerFont(TTFont("Vera", str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf")))

    def page(canvas: Canvas) -> None:
        canvas.setFont("Vera", 10)
        lines(canvas, 72, 700, "The \ufb01rst \ufb02ow,\u00a0½ of “it” costs €5…")

    assert read(draw(page)).text == "The first flow, ½ of “it” costs €5…"


def test_a_table_over_a_page_break_names_its_columns(flow: Callable[..., Path]) -> None:
    """Every row names its columns, on the second page too, where the header is not read again."""
    rows = [["Item", "Length", "Price"], *([f"Visit {n}", f"{n} minutes", f"${n}0"] for n in range(1, 61))]
    table = Table(rows, repeatRows=1, style=[("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold")])
    document = read(flow([Paragraph("Prices", H1), table, Paragraph("Ask us.", BODY)]))
    check(document)
    assert texts(document) == [
        "Prices",
        *(f"Item: Visit {n}; Length: {n} minutes; Price: ${n}0" for n in range(1, 61)),
        "Ask us.",
    ]
    assert [block.page for block in document.blocks][:2] == [1, 1]
    assert document.blocks[-2].page == 2
    assert "$10\nItem: Visit 2" in document.text


def test_wrapped_cells_are_one(flow: Callable[..., Path]) -> None:
    """A cell over several lines is one value, in ruled tables and in tables held by their columns alone."""
    cells = [
        ["Problem", "What to do"],
        [f"Pain. {LOREM}", "Call 911."],
        ["Nausea", f"Wait. {LOREM}"],
        ["Fever", "Call the nurse line."],
    ]
    for style in ([("GRID", (0, 0), (-1, -1), 0.5, colors.black)], [("TOPPADDING", (0, 0), (-1, -1), 8)]):
        head, *rest = cells
        data = [[Paragraph(f"<b>{cell}</b>", BODY) for cell in head]]
        data += [[Paragraph(cell, BODY) for cell in row] for row in rest]
        document = read(flow([Table(data, colWidths=[200, 230], style=style)]))
        assert texts(document) == [f"Problem: {one}; What to do: {other}" for one, other in rest]
        assert {block.kind for block in document.blocks} == {BlockKind.TABLE_ROW}


def test_a_table_without_a_header_keeps_its_rows(draw: Callable[..., Path]) -> None:
    """Without names for the columns the cells of a row stand beside each other."""

    def page(canvas: Canvas) -> None:
        for number, (day, hours) in enumerate([("Monday", "8 to 5"), ("Tuesday", "8 to 5"), ("Friday", "8 to 3")]):
            lines(canvas, 72, 700 - 14 * number, day)
            lines(canvas, 200, 700 - 14 * number, hours)

    assert read(draw(page)).text == "Monday; 8 to 5\nTuesday; 8 to 5\nFriday; 8 to 3"


def test_lists_keep_their_nesting(draw: Callable[..., Path]) -> None:
    """Bullets go, numbers stay, an item's further lines are joined to it, and indents make levels."""

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, "Bring with you:")
        for number, (x, marker, text) in enumerate(
            [
                (82, "•", "your list of medicines, with the amounts that you take and the"),
                (82, "", "times of the day at which you take them"),
                (100, "–", "also drops and creams"),
                (82, "•", "a companion"),
            ]
        ):
            lines(canvas, x, 686 - 13 * number, marker)
            lines(canvas, x + 14, 686 - 13 * number, text)
        lines(canvas, 72, 600, "Then:")
        lines(canvas, 82, 586, "1. Ring the bell.", "2. Wait inside.", "a) not in the car", leading=13)

    document = read(draw(page))
    check(document)
    items = [(b.level, text_of(document, b)) for b in document.blocks if b.kind is BlockKind.LIST_ITEM]
    assert items == [
        (1, "your list of medicines, with the amounts that you take and the times of the day at which you take them"),
        (2, "also drops and creams"),
        (1, "a companion"),
        (1, "1. Ring the bell."),
        (1, "2. Wait inside."),
        (1, "a) not in the car"),
    ]


def test_bullets_that_are_drawn_are_bullets(draw: Callable[..., Path]) -> None:
    """Dots drawn as pictures make list items, as those of browsers do; dots elsewhere make nothing."""

    def page(canvas: Canvas) -> None:
        for y, text in ((700, "a coat"), (685, "a book")):
            canvas.circle(80, y + 3, 1.6, fill=1)
            canvas.drawString(90, y, text)
        canvas.circle(300, 500, 1.6, fill=1)
        canvas.drawString(72, 650, "The end.")

    document = read(draw(page))
    assert [(block.kind, text_of(document, block)) for block in document.blocks] == [
        (BlockKind.LIST_ITEM, "a coat"),
        (BlockKind.LIST_ITEM, "a book"),
        (BlockKind.PARAGRAPH, "The end."),
    ]


def test_raised_and_lowered_figures_stay_in_their_line(draw: Callable[..., Path]) -> None:
    """Small figures above or below the line are read where they stand in it."""

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, "Breathe CO", "and nothing more.", leading=12)
        canvas.drawString(140, 700, "slowly.")
        canvas.setFont("Helvetica", 7)
        canvas.drawString(72 + canvas.stringWidth("Breathe CO", "Helvetica", 10), 697, "2")

    assert read(draw(page)).text == "Breathe CO2 slowly. and nothing more."


def test_a_title_within_a_table_names_no_column(flow: Callable[..., Path]) -> None:
    """A row over all columns stands for itself."""
    rows = [
        ["No.", "Check", "Standard"],
        ["Before the visit", "", ""],
        ["1", "Oxygen", "10 liters"],
        ["2", "Cuff", "clean"],
    ]
    style = [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.black),
        ("SPAN", (0, 1), (-1, 1)),
        ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
    ]
    assert texts(read(flow([Table(rows, style=style)]))) == [
        "Before the visit",
        "No.: 1; Check: Oxygen; Standard: 10 liters",
        "No.: 2; Check: Cuff; Standard: clean",
    ]


def test_text_turned_on_the_page_is_kept_apart(draw: Callable[..., Path]) -> None:
    """A line that runs up the margin does not mix with the text."""

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 700, "The first line of the text.", "The second line of the text.")
        canvas.translate(60, 600)
        canvas.rotate(90)
        canvas.drawString(0, 0, "Form C-1")

    assert texts(read(draw(page))) == ["The first line of the text. The second line of the text.", "Form C-1"]


def test_a_paragraph_over_a_page_break_is_one(draw: Callable[..., Path]) -> None:
    """The block has the page that it starts on, and both pages know which part of it is theirs."""

    def first(canvas: Canvas) -> None:
        lines(canvas, 72, 120, "The first thing to know is that you may feel dizzy for some time after the infu-")

    def second(canvas: Canvas) -> None:
        lines(canvas, 72, 740, "sion has come to its end.")

    document = read(draw(first, second))
    check(document)
    assert texts(document) == [
        "The first thing to know is that you may feel dizzy for some time after the infusion has come to its end."
    ]
    one, two = document.pages
    assert document.text[one.start : one.end].endswith("the infu")
    assert document.text[two.start : two.end] == "sion has come to its end."


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_rotated_pages_are_read_upright(draw: Callable[..., Path], tmp_path: Path, angle: int) -> None:
    """A page that is shown turned, with its text upright as shown, reads like any other."""

    def page(canvas: Canvas) -> None:
        canvas.translate(WIDTH / 2, HEIGHT / 2)
        canvas.rotate(angle)
        lines(canvas, -200, 100, "First line of the page.", "Second line of the page.", "Third line of the page.")

    writer = PdfWriter(clone_from=draw(page))
    writer.pages[0].rotate(angle)
    path = tmp_path / "turned.pdf"
    writer.write(path)
    assert read(path).text == "First line of the page. Second line of the page. Third line of the page."


def test_page_labels_are_kept(draw: Callable[..., Path], tmp_path: Path) -> None:
    """Pages are called what is printed on them, and a page without text has its place."""
    writer = PdfWriter(
        clone_from=draw(
            lambda canvas: lines(canvas, 72, 700, "Foreword."),
            lambda canvas: canvas.rect(100, 100, 50, 50, fill=1),
            lambda canvas: lines(canvas, 72, 700, "Chapter."),
        )
    )
    writer.set_page_label(0, 1, style="/r")
    writer.set_page_label(2, 2, style="/D", prefix="A-", start=7)
    path = tmp_path / "labels.pdf"
    writer.write(path)
    document = read(path)
    assert [(page.label, document.text[page.start : page.end]) for page in document.pages] == [
        ("i", "Foreword."),
        ("ii", ""),
        ("A-7", "Chapter."),
    ]
    assert document.warnings == ("Page 2 has no text (scanned?)",)


def test_text_in_forms_is_read(draw: Callable[..., Path]) -> None:
    """Text that a page shows through a form object stands where the form is placed."""

    def page(canvas: Canvas) -> None:
        canvas.beginForm("stamp")
        canvas.setFont("Helvetica", 10)
        canvas.drawString(0, 0, "Second line.")
        canvas.endForm()
        canvas.translate(72, 688)
        canvas.doForm("stamp")
        canvas.drawString(0, 12, "First line.")

    assert read(draw(page)).text == "First line. Second line."


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("A guide to recovery", "A guide to recovery"),
        ("untitled", "Big words"),
        ("Microsoft Word - x.docx", "Big words"),
        ("scan0001.pdf", "Big words"),
        ("", "Big words"),
    ],
)
def test_title(draw: Callable[..., Path], given: str, expected: str) -> None:
    """The file's own title counts if a person wrote it, else the largest heading of the first page."""

    def page(canvas: Canvas) -> None:
        lines(canvas, 72, 600, LOREM[:90])
        canvas.setFont("Helvetica", 22)
        lines(canvas, 72, 700, "Big words")

    assert read(draw(page, title=given)).title == expected


def encrypted(path: Path, user_password: str) -> Path:
    """Encrypt the file in place."""
    writer = PdfWriter(clone_from=path)
    writer.encrypt(user_password, "owner", algorithm="AES-256")
    writer.write(path)
    return path


def one_page(canvas: Canvas) -> None:
    """A page with a sentence."""
    lines(canvas, 72, 700, "A sentence.")


def test_a_password_is_reported(draw: Callable[..., Path]) -> None:
    """A file that wants a password is not read."""
    with pytest.raises(EncryptedDocument, match="wants a password"):
        read(encrypted(draw(one_page), "secret"))


def test_an_owner_password_alone_does_not_matter(draw: Callable[..., Path]) -> None:
    """A file that anybody can open is read, whatever it forbids."""
    assert read(encrypted(draw(one_page), "")).text == "A sentence."


def test_no_bytes(tmp_path: Path) -> None:
    """An empty file is reported as one."""
    path = tmp_path / "empty.pdf"
    path.touch()
    with pytest.raises(EmptyDocument, match="the file is empty"):
        read(path)


@pytest.mark.parametrize("content", [b"<html>not a PDF</html>", b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(range(256)) * 20])
def test_not_a_pdf(tmp_path: Path, content: bytes) -> None:
    """What only claims to be a PDF is broken."""
    path = tmp_path / "broken.pdf"
    path.write_bytes(content)
    with pytest.raises(BrokenDocument, match="cannot be read as a PDF"):
        read(path)


def test_pictures_alone(draw: Callable[..., Path]) -> None:
    """A file of nothing but pictures is empty, and the error says what to do."""
    with pytest.raises(EmptyDocument, match=r"no page has any text .*OCR"):
        read(draw(lambda canvas: canvas.circle(200, 200, 50, fill=1)))


def test_a_cut_off_file_is_read_as_far_as_it_goes(draw: Callable[..., Path], capfd: pytest.CaptureFixture[str]) -> None:
    """Pages that can be recovered are read with a warning, the rest is broken, and nothing is printed."""
    path = draw(*[lambda canvas: lines(canvas, 72, 700, LOREM[:80])] * 5)
    whole = path.read_bytes()
    outcomes = set()
    for size in range(200, len(whole), len(whole) // 24):
        path.write_bytes(whole[:size])
        try:
            document = read(path)
        except (BrokenDocument, EmptyDocument) as error:
            outcomes.add(type(error))
        else:
            check(document)
            assert any(warning.startswith("The file is damaged: ") for warning in document.warnings)
            assert len(document.warnings) <= 10
    assert BrokenDocument in outcomes
    assert capfd.readouterr() == ("", "")


def test_one_bad_page_does_not_cost_the_others(draw: Callable[..., Path], tmp_path: Path) -> None:
    """A page whose content cannot be decoded is named in a warning."""
    writer = PdfWriter(clone_from=draw(one_page, one_page))
    writer.pages[0]["/Contents"].get_object()[NameObject("/Filter")] = NameObject("/NoSuchFilter")
    broken = tmp_path / "one_bad.pdf"
    writer.write(broken)
    document = read(broken)
    assert document.text == "A sentence."
    assert document.blocks[0].page == 2
    assert document.warnings[0].startswith("Page 1 ")


def test_too_many_pages(draw: Callable[..., Path]) -> None:
    """The limit on pages holds before any of them is read."""
    with pytest.raises(TooLarge) as caught:
        read(draw(one_page, one_page, one_page), page_limit=2)
    assert (caught.value.found, caught.value.expected) == ("3 pages", "at most 2")


def test_warnings_of_the_library_reach_no_log(draw: Callable[..., Path]) -> None:
    """What pypdf says about a file is in the document's warnings and nowhere else, each sentence once."""
    path = draw(one_page)
    path.write_bytes(re.sub(rb"startxref\s+\d+", b"startxref\n7", path.read_bytes()))
    printed = io.StringIO()
    handler = logging.StreamHandler(printed)
    logging.getLogger().addHandler(handler)
    try:
        document = read(path)
    finally:
        logging.getLogger().removeHandler(handler)
    assert document.text == "A sentence."
    assert document.warnings
    assert len(set(document.warnings)) == len(document.warnings)
    assert not printed.getvalue()


def test_reads_the_same_in_the_limited_process(draw: Callable[..., Path]) -> None:
    """The worker gives what reading here gives."""
    path = draw(one_page)
    limits = {"seconds": 30, "memory_bytes": 2**29, "output_bytes": 2**20}
    assert run_limited("qa.parse:parse_in_worker", {"reader": "pdf", "path": str(path)}, **limits) == to_json(
        read(path)
    )


def test_a_file_that_takes_too_long_is_given_up(draw: Callable[..., Path]) -> None:
    """A page with far too much on it ends with the time limit, and not with the program's patience."""

    def page(canvas: Canvas) -> None:
        for number in range(60_000):
            canvas.drawString(72 + number % 400, 50 + number / 100, "word")

    path = draw(page)
    with pytest.raises(WorkerTimeout):
        run_limited(
            "qa.parse:parse_in_worker",
            {"reader": "pdf", "path": str(path)},
            seconds=1.5,
            memory_bytes=2**30,
            output_bytes=2**24,
        )


def test_own_files_have_the_pages_that_pypdf_counts(flow: Callable[..., Path]) -> None:
    """Every page of the file is a page of the document."""
    path = flow([Paragraph(LOREM, BODY) for _ in range(60)])
    assert len(read(path).pages) == len(PdfReader(path).pages)


def test_a_long_column_name_is_not_repeated_whole(flow: Callable[..., Path]) -> None:
    """Rows carry at most 120 characters of a column's name; the header stands once, whole, so that nothing is lost."""
    name = " ".join(["Word"] * 60)
    rows = [[Paragraph(f"<b>{name}</b>", BODY), Paragraph("<b>Price</b>", BODY)]]
    rows += [[Paragraph(f"Visit {number}", BODY), Paragraph("some", BODY)] for number in range(4)]
    table = Table(rows, colWidths=[200, 230], style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black)])
    header, *others = texts(read(flow([table])))
    assert header == f"{name}; Price"
    assert [other.split(": ")[1:] for other in others] == [[f"Visit {n}; Price", "some"] for n in range(4)]
    assert all(other.split(": ")[0].endswith("Word…") and other.index(":") <= 120 for other in others)


def test_a_font_name_cannot_steer_the_terminal(draw: Callable[..., Path], tmp_path: Path) -> None:
    """What a warning quotes of the file has no control characters, and is not long."""
    writer = PdfWriter(clone_from=draw(one_page))
    fonts = writer.pages[0]["/Resources"]["/Font"]
    evil = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type0"),
            NameObject("/BaseFont"): NameObject("/Evil\x1b]0;x\x07\u202e" + "x" * 1_000),
            NameObject("/Encoding"): NameObject("/Identity-H"),
            NameObject("/DescendantFonts"): ArrayObject(
                [
                    DictionaryObject(
                        {
                            NameObject("/Type"): NameObject("/Font"),
                            NameObject("/Subtype"): NameObject("/CIDFontType2"),
                            NameObject("/BaseFont"): NameObject("/Evil"),
                        }
                    )
                ]
            ),
        }
    )
    fonts[NameObject("/Evil")] = evil
    content = DecodedStreamObject()
    content.set_data(writer.pages[0].get_contents().get_data() + b" BT /Evil 12 Tf 72 500 Td (aabb) Tj ET")
    writer.pages[0][NameObject("/Contents")] = writer._add_object(content)
    path = tmp_path / "evil.pdf"
    writer.write(path)
    (warning,) = [warning for warning in read(path).warnings if "Evil" in warning]
    assert warning.isprintable()
    assert "\\x1b]0;x\\x07\\u202e" in warning
    assert len(warning) < 400

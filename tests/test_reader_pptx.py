"""Reading PPTX: every file here is made by the test that reads it."""

from __future__ import annotations

import random
import re
from copy import deepcopy
from pathlib import Path

import pptx
import pytest
from builders import items, texts
from packages import parts_of, read_limited, rewrite
from PIL import Image
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.presentation import Presentation
from pptx.slide import Slide
from pptx.table import Table
from pptx.util import Inches

from qa.errors import BrokenDocument, EmptyDocument, EncryptedDocument, ReadError, TooLarge
from qa.models import BlockKind, Document, Page, PageKind
from qa.offsets import OffsetMap
from qa.readers.pptx import read
from qa.readers.pptx_text import Box, in_reading_order

H, P, L, R = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SLIDE = "ppt/slides/slide1.xml"
# Layouts of the library's own template.
TITLE_SLIDE, TITLE_AND_CONTENT, COMPARISON, TITLE_ONLY, BLANK = 0, 1, 4, 5, 6
COMPATIBILITY = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
DIAGRAM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"


@pytest.fixture
def deck() -> Presentation:
    """A presentation without slides, 10 by 7.5 inches."""
    return pptx.Presentation()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file goes."""
    return tmp_path / "talk.pptx"


def saved(deck: Presentation, path: Path) -> Document:
    deck.save(str(path))
    return read(path)


def add_slide(deck: Presentation, layout: int, *placeholders: str) -> Slide:
    """A slide with these texts in the placeholders of its layout; lines are paragraphs, a tab before one a level."""
    slide = deck.slides.add_slide(deck.slide_layouts[layout])
    for shape, text in zip(slide.placeholders, placeholders, strict=False):
        frame = shape.text_frame
        for number, line in enumerate(text.split("\n")):
            paragraph = frame.add_paragraph() if number else frame.paragraphs[0]
            paragraph.text = line.lstrip("\t")
            paragraph.level = len(line) - len(line.lstrip("\t"))
    return slide


def add_box(slide: Slide, text: str, left: float = 1, top: float = 2, width: float = 2, height: float = 0.5) -> object:
    box = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))
    box.text_frame.text = text
    return box


def add_table(slide: Slide, *rows: tuple[str, ...]) -> Table:
    area = (Inches(1), Inches(2), Inches(6), Inches(2))
    table = slide.shapes.add_table(len(rows), len(rows[0]), *area).table
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    return table


def test_slides_with_titles_lists_and_tables(deck: Presentation, path: Path) -> None:
    """A title heads its slide, bullets are items with levels, rows name their columns; a title slide heads all."""
    add_slide(deck, TITLE_SLIDE, "Welcome to the clinic", "For new patients")
    add_slide(deck, TITLE_AND_CONTENT, "Before you come", "Eat nothing\n\tfor six hours\n\nDrink water")
    add_table(
        add_slide(deck, TITLE_ONLY, "Prices"),
        ("Service", "Price", "Time"),
        ("MRI", "$500", "45 min"),
        ("CT", "$300", ""),
    )
    document = saved(deck, path)
    assert [(b.kind, b.level, document.text[b.start : b.end], b.page) for b in document.blocks] == [
        (H, 1, "Welcome to the clinic", 1),
        (P, 0, "For new patients", 1),
        (H, 2, "Before you come", 2),
        (L, 1, "Eat nothing", 2),
        (L, 2, "for six hours", 2),
        (L, 1, "Drink water", 2),
        (H, 2, "Prices", 3),
        (R, 0, "Service: MRI; Price: $500; Time: 45 min", 3),
        (R, 0, "Service: CT; Price: $300", 3),
    ]
    assert document.text == (
        "Welcome to the clinic\n\nFor new patients\n\nBefore you come\n\nEat nothing\nfor six hours\nDrink water\n\n"
        "Prices\n\nService: MRI; Price: $500; Time: 45 min\nService: CT; Price: $300"
    )
    assert document.blocks[-1].headings == ("Welcome to the clinic", "Prices")
    assert document.page_kind is PageKind.SLIDE
    assert document.pages == (Page("1", 0, 39), Page("2", 41, 95), Page("3", 97, len(document.text)))
    assert [document.text[page.start : page.end][-6:] for page in document.pages] == ["tients", " water", ": $300"]
    assert (document.title, document.warnings, document.offsets) == ("Welcome to the clinic", (), OffsetMap())


def test_a_slide_without_a_title_is_not_under_the_one_before(deck: Presentation, path: Path) -> None:
    """The heading of a slide ends with it."""
    add_slide(deck, TITLE_AND_CONTENT, "Prices", "MRI $500")
    add_box(add_slide(deck, BLANK), "We are closed on Sundays.")
    assert [block.headings for block in saved(deck, path).blocks] == [(), ("Prices",), ()]


def test_what_the_audience_does_not_see_is_left_out(deck: Presentation, path: Path) -> None:
    """Hidden slides and shapes, notes and text beside the slide are not read, and a warning names their slides."""
    shown = add_slide(deck, TITLE_AND_CONTENT, "Fasting", "Six hours")
    add_box(shown, "hidden box").element.nvSpPr.cNvPr.set("hidden", "1")
    add_box(shown, "beside", left=11)
    add_slide(deck, TITLE_AND_CONTENT, "Draft", "Eight hours").element.set("show", "0")
    noted = add_slide(deck, TITLE_AND_CONTENT, "Costs", "Ask us")
    noted.notes_slide.notes_text_frame.text = "secret"
    shown.notes_slide.notes_text_frame.text = " "
    document = saved(deck, path)
    assert texts(document) == ["Fasting", "Six hours", "Costs", "Ask us"]
    assert [page.label for page in document.pages] == ["1", "3"]
    assert document.warnings == (
        "Slide 2: left out, because hidden",
        "Slide 3: speaker notes left out, as the audience does not see them",
        "Slide 1: hidden text left out",
        "Slide 1: text beside the slide left out, as the audience does not see it",
    )


def test_slides_of_pictures_have_a_warning(deck: Presentation, path: Path, tmp_path: Path) -> None:
    """A slide with nothing but a picture or a chart stays a page, and the report says that it has no text."""
    add_slide(deck, TITLE_AND_CONTENT, "Fasting", "Six hours")
    Image.new("RGB", (8, 8)).save(tmp_path / "scan.png")
    add_slide(deck, BLANK).shapes.add_picture(str(tmp_path / "scan.png"), 0, 0)
    data = CategoryChartData()
    data.categories = ["a"]
    data.add_series("visits", (1,))
    area = (Inches(1), Inches(1), Inches(4), Inches(4))
    add_slide(deck, BLANK).shapes.add_chart(XL_CHART_TYPE.PIE, *area, data)
    document = saved(deck, path)
    assert document.pages == (Page("1", 0, 18), Page("2", 18, 18), Page("3", 18, 18))
    assert document.warnings == ("Slides 2, 3: no text (a picture or a chart?)",)


def test_numbers_of_slides_are_those_shown(deck: Presentation, path: Path) -> None:
    """A presentation may begin to count at another number, and what stands on every slide is not read."""
    slide = add_slide(deck, TITLE_AND_CONTENT, "Fasting", "Six hours")
    footer = add_box(slide, "Clinic 2026").element.nvSpPr.nvPr
    footer.append(parse_xml(f'<p:ph {nsdecls("p")} type="ftr" idx="11"/>'))
    deck.element.set("firstSlideNum", "7")
    document = saved(deck, path)
    assert document.pages == (Page("7", 0, 18),)
    assert texts(document) == ["Fasting", "Six hours"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [("Fasting rules", "Fasting rules"), ("PowerPoint Presentation", "Fasting"), ("talk.ppt", "Fasting")],
)
def test_the_files_own_title(deck: Presentation, path: Path, given: str, expected: str) -> None:
    """The title in the file's properties counts unless a program put it there."""
    add_slide(deck, TITLE_AND_CONTENT, "Fasting", "Six hours")
    deck.core_properties.title = given
    assert saved(deck, path).title == expected


def test_columns_are_read_one_after_the_other(deck: Presentation, path: Path) -> None:
    """Headings over two columns keep their texts, in whatever order the boxes were drawn."""
    add_slide(deck, COMPARISON, "Compare", "By mouth", "Takes an hour", "By drip", "Takes minutes")
    cards = add_slide(deck, BLANK)
    for text, left, top in (("three", 1, 4), ("B", 6, 2.5), ("A", 1, 2.5), ("two", 6, 2), ("one", 1, 2)):
        add_box(cards, text, left, top)
    document = saved(deck, path)
    assert texts(document) == [
        *("Compare", "By mouth", "Takes an hour", "By drip", "Takes minutes"),
        *("one", "A", "three", "two", "B"),
    ]


def test_reading_order() -> None:
    """Boxes go by columns or by rows, whichever stand further apart; boxes that overlap go by their tops."""
    rows = [(Box(x, y, x + 40, y + 10), f"{y},{x}") for x in (50, 0) for y in (60, 0, 30)]
    assert in_reading_order(rows) == ["0,0", "0,50", "30,0", "30,50", "60,0", "60,50"]
    columns = [(Box(x, y, x + 10, y + 28), f"{x},{y}") for y in (60, 0, 30) for x in (50, 0)]
    assert in_reading_order(columns) == ["0,0", "0,30", "0,60", "50,0", "50,30", "50,60"]
    piled = [(Box(5, 5, 50, 50), "b"), (Box(0, 0, 50, 50), "a"), (Box(20, 5, 70, 90), "c")]
    assert in_reading_order(piled) == ["a", "b", "c"]
    assert in_reading_order([]) == []


def test_groups_and_alternatives(deck: Presentation, path: Path) -> None:
    """Text in groups within groups is read in its place, and of alternatives the one that new programs show."""
    slide = add_slide(deck, BLANK)
    add_box(slide, "last", top=6)
    outer = slide.shapes.add_group_shape()
    inner = outer.shapes.add_group_shape()
    for shapes, text, top in ((inner.shapes, "second", 3), (inner.shapes, "first", 2), (outer.shapes, "third", 4)):
        shapes.add_textbox(Inches(1), Inches(top), Inches(2), Inches(0.5)).text_frame.text = text
    choice = parse_xml(
        f"<mc:AlternateContent {COMPATIBILITY} {nsdecls('p', 'a')}><mc:Choice Requires='a14'/><mc:Fallback/>"
        "</mc:AlternateContent>"
    )
    box, plain = (add_box(slide, text, top=5).element for text in ("new", "old"))
    slide.shapes.element.append(choice)
    choice[0].append(box)
    choice[1].append(plain)
    assert texts(saved(deck, path)) == ["first", "second", "third", "new", "last"]


def test_bullets_come_from_many_styles(deck: Presentation, path: Path) -> None:
    """A paragraph's own mark counts, then its box's, then those of layout and master; a box has none by itself."""
    slide = add_slide(deck, TITLE_AND_CONTENT, "Lists", "from the master\nwithout")
    body = slide.placeholders[1].text_frame
    body.paragraphs[1]._p.get_or_add_pPr().append(parse_xml(f"<a:buNone {nsdecls('a')}/>"))
    box = add_box(slide, "plain", top=6)
    numbered = box.text_frame.add_paragraph()
    numbered.text = "numbered"
    numbered._p.get_or_add_pPr().append(parse_xml(f'<a:buAutoNum {nsdecls("a")} type="arabicPeriod"/>'))
    styled = add_box(slide, "styled", top=7)
    styles = styled.element.txBody.find(qn("a:lstStyle"))
    styles.append(parse_xml(f'<a:lvl1pPr {nsdecls("a")}><a:buChar char="-"/></a:lvl1pPr>'))
    document = saved(deck, path)
    assert [(b.kind, document.text[b.start : b.end]) for b in document.blocks[1:]] == [
        (L, "from the master"),
        (P, "without"),
        (P, "plain"),
        (L, "numbered"),
        (L, "styled"),
    ]


def test_numbered_paragraphs_have_numbers(deck: Presentation, path: Path) -> None:
    """They are counted by level and kind in each box; what has no text does not count, and other kinds have none."""
    slide = add_slide(deck, TITLE_AND_CONTENT, "Steps")
    for top, rows in (
        (
            3,
            "arabicPeriod 0 a,arabicPeriod 0 b,,alphaLcParenBoth 1 c,alphaLcParenBoth 1 d,arabicPeriod 0 e,"
            "alphaLcParenBoth 1 f,arabicPeriod:7 0 g,arabicPeriod:7 0 h,- 0 i,arabicPeriod 0 j",
        ),
        (6, "romanUcParenR:4 0 k,alphaUcPlain:28 0 l,romanLcPeriod:9 0 m,circleNumDbPlain 0 n,arabicPeriod:x 0 o"),
    ):
        frame = add_box(slide, "", top=top).text_frame
        for row in rows.split(","):
            paragraph = frame.add_paragraph()
            kind, level, paragraph.text = row.split() if row else ("arabicPeriod", "0", " ")
            paragraph.level = int(level)
            name, _, start = kind.partition(":")
            mark = f'type="{name}" startAt="{start}"' if start else f'type="{name}"'
            if kind != "-":
                paragraph._p.get_or_add_pPr().append(parse_xml(f"<a:buAutoNum {nsdecls('a')} {mark}/>"))
    assert items(saved(deck, path)) == [
        *("[1.] a", "[2.] b", "[(a)] c", "[(b)] d", "[3.] e", "[(a)] f", "[7.] g", "[8.] h", "[1.] j"),
        *("[IV)] k", "[AB] l", "[ix.] m", "[] n", "[1.] o"),
    ]


def test_merged_cells_and_tables_without_a_header(deck: Presentation, path: Path) -> None:
    """A cell merged downwards is said in each row, one merged across heads those below; a header is set apart."""
    table = add_table(
        add_slide(deck, TITLE_ONLY, "Prices"),
        ("Group", "Service", "Price"),
        ("Imaging", "MRI", "$500"),
        ("", "CT", "$300"),
        ("Laboratory", "", ""),
        ("Blood", "Count", "$30"),
    )
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(3, 0).merge(table.cell(3, 2))
    plain = add_table(add_slide(deck, TITLE_ONLY, "Team"), ("Ann", "Desk"), ("Bob", "Nurse"))
    plain.first_row = False
    frame = add_table(add_slide(deck, TITLE_ONLY, "Framed"), ("A frame",), ("around text",))
    assert frame.first_row
    document = saved(deck, path)
    assert [(b.kind, document.text[b.start : b.end], b.headings) for b in document.blocks if b.kind is not H] == [
        (R, "Group: Imaging; Service: MRI; Price: $500", ("Prices",)),
        (R, "Group: Imaging; Service: CT; Price: $300", ("Prices",)),
        (R, "Group: Blood; Service: Count; Price: $30", ("Prices", "Laboratory")),
        (R, "Ann; Desk", ("Team",)),
        (R, "Bob; Nurse", ("Team",)),
        (P, "A frame", ("Framed",)),
        (P, "around text", ("Framed",)),
    ]


def test_diagrams_are_outlines(deck: Presentation, path: Path) -> None:
    """The texts of a diagram are items, in the order and depth of its outline, each once."""
    slide = add_slide(deck, TITLE_ONLY, "Steps")
    point = "<d:pt modelId='{}' type='{}'><d:t><a:p><a:r><a:t>{}</a:t></a:r></a:p></d:t></d:pt>"
    points = ((0, "doc", ""), (1, "node", "Rest"), (2, "node", "Arrive"), (3, "node", "early"), (9, "pres", "no"))
    links = ((0, 1, 1), (0, 2, 0), (2, 3, 0), (3, 0, 0))
    xml = (
        f"<d:dataModel xmlns:d='{DIAGRAM}' {nsdecls('a')}><d:ptLst>"
        + "".join(point.format(*one) for one in points)
        + "</d:ptLst><d:cxnLst>"
        + "".join(f"<d:cxn srcId='{source}' destId='{target}' srcOrd='{order}'/>" for source, target, order in links)
        + "</d:cxnLst></d:dataModel>"
    )
    content = "application/vnd.openxmlformats-officedocument.drawingml.diagramData+xml"
    part = Part(PackURI("/ppt/diagrams/data1.xml"), content, slide.part.package, xml.encode())
    name = slide.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/diagramData")
    slide.shapes.element.append(
        parse_xml(
            f"<p:graphicFrame {nsdecls('p', 'a', 'r')}><p:nvGraphicFramePr><p:cNvPr id='9' name='d'/>"
            "<p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm><a:off x='0' y='1828800'/>"
            f"<a:ext cx='914400' cy='914400'/></p:xfrm><a:graphic><a:graphicData uri='{DIAGRAM}'>"
            f"<d:relIds xmlns:d='{DIAGRAM}' r:dm='{name}'/></a:graphicData></a:graphic></p:graphicFrame>"
        )
    )
    document = saved(deck, path)
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        (H, 1, "Steps"),
        (L, 1, "Arrive"),
        (L, 2, "early"),
        (L, 1, "Rest"),
    ]


def test_entities_are_not_expanded(deck: Presentation, path: Path, tmp_path: Path) -> None:
    """Entities that a slide defines, of its own text or of another file's, do not become text."""
    secret = tmp_path / "secret.txt"
    secret.write_text("boom", encoding="utf-8")
    add_slide(deck, TITLE_AND_CONTENT, "Fasting", "before MARK after")
    deck.save(str(path))
    parts = parts_of(path)
    for definition in ('"boom"', f'SYSTEM "{secret.as_uri()}"'):
        doctype = f"<!DOCTYPE p [<!ENTITY e {definition}>]><p:sld ".encode()
        slide = parts[SLIDE].replace(b"<p:sld ", doctype, 1).replace(b"MARK", b"&e;")
        rewrite(path, parts | {SLIDE: slide})
        assert "boom" not in read(path).text


def test_entities_that_grow_are_refused(deck: Presentation, path: Path) -> None:
    """A few lines of entities that stand for gigabytes cost nothing: none of them is expanded."""
    add_slide(deck, TITLE_AND_CONTENT, "Fasting", "before MARK after")
    deck.save(str(path))
    parts = parts_of(path)
    bomb = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
    slide = parts[SLIDE].replace(b"<p:sld ", b'<!DOCTYPE p [<!ENTITY e0 "boom">' + bomb + b"]><p:sld ", 1)
    rewrite(path, parts | {SLIDE: slide.replace(b"MARK", b"&e9;")})
    with pytest.raises(BrokenDocument):
        read_limited("pptx", path)


def test_passwords_are_recognised(path: Path) -> None:
    """An encrypted container is told from a presentation of old, which has to be saved anew."""
    path.write_bytes(OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(EncryptedDocument):
        read(path)
    path.write_bytes(OLE + b"\0" * 600 + "PowerPoint Document".encode("utf-16-le"))
    with pytest.raises(BrokenDocument, match="PowerPoint 97-2003") as caught:
        read(path)
    assert "save it again as PPTX" in str(caught.value)


def test_other_files_are_broken(deck: Presentation, path: Path) -> None:
    """Text, cut-off files, other archives, bad XML, missing parts and wrong types of content are refused."""
    add_slide(deck, TITLE_AND_CONTENT, "Fasting", "Six hours")
    deck.save(str(path))
    whole = path.read_bytes()
    parts = parts_of(path)
    broken = [b"just text", whole[: len(whole) // 2], whole[:-30]]
    for name, old, new in (
        (SLIDE, b"<p:cSld>", b"<p:cSld><p:cSld>"),
        ("[Content_Types].xml", b"presentationml.presentation.main+xml", b"wordprocessingml.document.main+xml"),
        ("ppt/_rels/presentation.xml.rels", b"slides/slide1.xml", b"slides/slide9.xml"),
    ):
        assert old in parts[name]
        rewrite(path, parts | {name: parts[name].replace(old, new)})
        broken.append(path.read_bytes())
    rewrite(path, {"a.txt": b"x"})
    broken.append(path.read_bytes())
    for data in broken:
        path.write_bytes(data)
        with pytest.raises(BrokenDocument) as caught:
            read(path)
        assert caught.value.found


def test_nothing_to_show_is_empty(deck: Presentation, path: Path) -> None:
    """Presentations without slides or without text are empty, and so is a file without bytes."""
    with pytest.raises(EmptyDocument):
        saved(deck, path)
    add_slide(deck, BLANK)
    with pytest.raises(EmptyDocument):
        saved(deck, path)
    path.write_bytes(b"")
    with pytest.raises(EmptyDocument):
        read(path)


def test_too_much_is_refused(deck: Presentation, path: Path) -> None:
    """Neither more than 2,000 slides nor what unpacks to more than 50 MB is read."""
    add_slide(deck, TITLE_AND_CONTENT, "Fasting", "Six hours")
    slides = deck.slides._sldIdLst
    for number in range(2_000):
        slides.append(parse_xml(f'<p:sldId {nsdecls("p", "r")} id="{300 + number}" r:id="{slides[0].rId}"/>'))
    deck.save(str(path))
    with pytest.raises(TooLarge, match="2,001"):
        read(path)
    rewrite(path, {f"ppt/{index}.xml": b"\0" * 17_000_000 for index in range(3)})
    with pytest.raises(TooLarge, match="51,000,000 bytes"):
        read(path)


def test_very_many_shapes_are_read_in_time(deck: Presentation, path: Path) -> None:
    """Thousands of boxes on one slide take no deep recursion."""
    slide = add_slide(deck, BLANK)
    shape = add_box(slide, "x").element
    for _ in range(3_000):
        slide.shapes.element.append(deepcopy(shape))
    deck.save(str(path))
    assert len(read_limited("pptx", path).blocks) == 3_001


def test_damage_of_any_kind_is_no_crash(deck: Presentation, path: Path) -> None:
    """With attributes, texts and tags changed at random a presentation is read or refused, and nothing else."""
    add_slide(deck, TITLE_AND_CONTENT, "Fasting", "Six hours\n\tor more").notes_slide.notes_text_frame.text = "note"
    add_table(add_slide(deck, TITLE_ONLY, "Prices"), ("Service", "Price"), ("MRI", "$500"))
    deck.save(str(path))
    parts = parts_of(path)
    chance = random.Random(5)  # noqa: S311 - no secret
    values = (b"0", b"-1", b"99999999999", b"NaN", b"1e400", b"", b"<", b"true", b"\xff", b"rId1")
    names = sorted(name for name in parts if not re.search(r"slideLayout([03-9]|1\d)|\.(?:jpeg|bin)|theme", name))
    for _ in range(80):
        name = chance.choice(names)
        found = chance.choice([*re.finditer(rb'(?<=")[^"<>]*(?=")|(?<=>)[^<>]+(?=<)|<[^>]*>', parts[name])])
        damaged = parts[name][: found.start()] + chance.choice(values) + parts[name][found.end() :]
        rewrite(path, parts | {name: damaged})
        try:
            read(path)
        except ReadError as error:
            assert error.found or error.expected  # noqa: PT017 - either outcome is right

"""Reading DOCX: every file here is made by the test that reads it."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import docx
import pytest
from builders import cells, items, texts
from docx.document import Document as WordDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.text.paragraph import Paragraph

from qa.errors import BrokenDocument, EmptyDocument, EncryptedDocument, TooLarge
from qa.models import BlockKind, Document
from qa.offsets import OffsetMap
from qa.readers.docx import read

H, P, L, R = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
COMPATIBILITY = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


@pytest.fixture
def word() -> WordDocument:
    """An empty DOCX document."""
    return docx.Document()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file goes."""
    return tmp_path / "leaflet.docx"


def saved(word: WordDocument, path: Path) -> Document:
    word.save(str(path))
    return read(path)


def add_table(word: WordDocument, *rows: tuple[str, ...]) -> docx.table.Table:
    table = word.add_table(len(rows), len(rows[0]))
    for index, row in enumerate(rows):
        for cell, text in zip(table.rows[index].cells, row, strict=True):
            cell.text = text
    return table


def rewrite(path: Path, part: str, old: bytes, new: bytes) -> None:
    """Replace bytes in one part of the package."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new, 1)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def test_headings_lists_and_tables_in_order(word: WordDocument, path: Path) -> None:
    """Styles make headings and items with levels, and a table stands where it stood, its rows naming their columns."""
    word.add_heading("Visit", 1)
    word.add_paragraph("Welcome ").add_run("to us").bold = True
    add_table(word, ("Drug", "Dose"), ("A", "5 mg"), ("B", ""))
    word.add_heading("Before", 2)
    word.add_paragraph("one", style="List Bullet")
    word.add_paragraph("two", style="List Bullet 2")
    word.add_paragraph("three", style="List Number")
    document = saved(word, path)
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        (H, 1, "Visit"),
        (P, 0, "Welcome to us"),
        (R, 0, "Drug: A; Dose: 5 mg"),
        (R, 0, "Drug: B"),
        (H, 2, "Before"),
        (L, 1, "one"),
        (L, 2, "two"),
        (L, 1, "three"),
    ]
    assert document.blocks[-1].headings == ("Visit", "Before")
    assert "Drug: A; Dose: 5 mg\nDrug: B\n\nBefore\n\none\ntwo\nthree" in document.text
    assert document.offsets == OffsetMap()
    assert document.title == "Visit"


def test_outline_levels_and_numbering_of_a_paragraph(word: WordDocument, path: Path) -> None:
    """Levels set on the paragraph itself count as those of a style do, and may take the style's away."""
    heading = word.add_paragraph("Set by hand")
    heading.paragraph_format.element.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="1"/>'))
    plain = word.add_paragraph("No heading", style="Heading 1")
    plain.paragraph_format.element.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="9"/>'))
    for text, number, level in (("item", 5, 2), ("no item", 0, 0)):
        paragraph = word.add_paragraph(text, style="List Paragraph")
        properties = paragraph.paragraph_format.element.get_or_add_pPr()
        properties.append(
            parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')
        )
    document = saved(word, path)
    assert [(b.kind, b.level) for b in document.blocks] == [(H, 2), (P, 0), (L, 3), (P, 0)]


def number(word: WordDocument, *levels: str, override: str = "", same_as: int | None = None) -> int:
    """Define a numbering with these levels, each "format text start", or refer to the one defined before."""
    root = word.part.numbering_part.element
    shared = same_as
    if shared is None:
        shared = 900 + len(root)
        made = "".join(
            f'<w:lvl w:ilvl="{level}"><w:start w:val="{start}"/><w:numFmt w:val="{kind}"/>{extra}'
            f'<w:lvlText w:val="{text}"/></w:lvl>'
            for level, (kind, text, start, extra) in enumerate([*each.split("|"), "1", ""][:4] for each in levels)
        )
        root.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{shared}">{made}</w:abstractNum>'))
    key = 900 + len(root)
    root.append(
        parse_xml(f'<w:num {nsdecls("w")} w:numId="{key}"><w:abstractNumId w:val="{shared}"/>{override}</w:num>')
    )
    return key


def add_item(word: WordDocument, text: str, key: int, level: int = 0, style: str | None = None) -> Paragraph:
    """Add a numbered paragraph."""
    paragraph = word.add_paragraph(text, style=style)
    paragraph.paragraph_format.element.get_or_add_pPr().append(
        parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{key}"/></w:numPr>')
    )
    return paragraph


def test_items_have_the_numbers_of_their_list(word: WordDocument, path: Path) -> None:
    """Styles and paragraphs number items; deeper levels begin again, and text between items does not matter."""
    for text, style in (("one", "List Number"), ("dot", "List Bullet"), ("two", "List Number")):
        word.add_paragraph(text, style=style)
    outline = number(word, "decimal|%1.", "lowerLetter|%2)|25", "upperRoman|(%3)", "decimal|%1.%4")
    for text, level in (("a", 0), ("b", 1), ("c", 1), ("d", 1), ("e", 2), ("f", 3), ("g", 0), ("h", 1), ("i", 2)):
        add_item(word, text, outline, level)
        word.add_paragraph("between")
    assert items(saved(word, path)) == [
        *("[1.] one", "[] dot", "[2.] two"),
        *("[1.] a", "[y)] b", "[z)] c", "[aa)] d", "[(I)] e", "[1.1] f", "[2.] g", "[y)] h", "[(I)] i"),
    ]


def test_lists_of_one_definition_count_on_or_begin_again(word: WordDocument, path: Path) -> None:
    """Two lists of one definition are counted together, unless one says where it starts; that counts once."""
    first = number(word, "decimal|Step %1:", "decimal|%2.")
    shared = 900 + len(word.part.numbering_part.element) - 2
    on = number(word, same_as=shared)
    again = number(
        word, same_as=shared, override='<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride>'
    )
    for text, key in (("a", first), ("b", on), ("c", again), ("d", again), ("e", first)):
        add_item(word, text, key)
    assert items(saved(word, path)) == [
        "[Step 1:] a", "[Step 2:] b", "[Step 5:] c", "[Step 6:] d", "[Step 7:] e"
    ]  # fmt: skip


def test_headings_cells_and_empty_paragraphs_count(word: WordDocument, path: Path) -> None:
    """All that a word processor numbers moves the numbers on, but not what is hidden or was deleted."""
    key = number(word, "upperLetter|%1", "decimal|%1.%2", "decimal|%2.%3|1|<w:lvlRestart w:val='0'/>")
    add_item(word, "Heading", key, style="Heading 1")
    add_item(word, "first", key, 1)
    add_item(word, "deep", key, 2)
    add_item(word, "", key, 1)
    for mark in ("vanish", "del"):
        hidden = add_item(word, "", key, 1)
        hidden.paragraph_format.element.get_or_add_pPr().append(parse_xml(f"<w:rPr {nsdecls('w')}><w:{mark}/></w:rPr>"))
    table = add_table(word, ("Name", "Dose"), ("x", "y"))
    moved = add_item(word, "in a cell", key, 1)
    table.cell(1, 1)._tc.append(moved._p)
    add_item(word, "last", key, 1)
    add_item(word, "deeper", key, 2)
    document = saved(word, path)
    assert items(document) == ["[A.1] first", "[1.1] deep", "[A.4] last", "[4.2] deeper"]
    assert document.text.startswith("Heading\n\nfirst\ndeep")


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("bullet|•", ""),
        ("none|%1", ""),
        ("ordinal|%1", ""),
        ("decimal|", ""),
        ("decimal|Note", ""),
        ("decimal|%2.", ""),
        (f"decimal|{'long ' * 8}%1", ""),
        ("lowerLetter|%1.|131", ""),
        ("lowerLetter|%1.|130", "zzzzz."),
        ("upperRoman|%1.|0", ""),
        ("lowerRoman|%1.|1994", "mcmxciv."),
        ("upperLetter|%1.|3|<w:isLgl/>", "3."),
        ("decimal|&lt;%1&gt;", "<1>"),
    ],
)
def test_only_plain_numbers_are_written(word: WordDocument, path: Path, level: str, expected: str) -> None:
    """Bullets, other kinds of numbers, and levels that make no sense, leave an item without a number."""
    add_item(word, "item", number(word, level))
    assert items(saved(word, path)) == [f"[{expected}] item"]


def test_numbers_of_a_list_that_is_not_defined_are_none(word: WordDocument, path: Path) -> None:
    """An item of a list that the file does not define is an item all the same."""
    add_item(word, "item", 12345)
    add_item(word, "deep", number(word, "decimal|%1."), 8)
    assert items(saved(word, path)) == ["[] item", "[] deep"]


def test_a_title_stands_above_the_headings(word: WordDocument, path: Path) -> None:
    """A paragraph of the style Title is level 1 and the document's title; headings go one deeper."""
    word.add_paragraph("The leaflet", style="Title")
    word.add_heading("First", 1)
    word.add_paragraph("text")
    document = saved(word, path)
    assert document.title == "The leaflet"
    assert document.blocks[-1].headings == ("The leaflet", "First")


@pytest.mark.parametrize(
    ("given", "expected"),
    [("Care after surgery", "Care after surgery"), ("Word Document", "Visit"), ("a.docx", "Visit")],
)
def test_the_files_own_title(word: WordDocument, path: Path, given: str, expected: str) -> None:
    """The title in the file's properties counts unless a program put it there."""
    word.core_properties.title = given
    word.add_heading("Visit", 1)
    assert saved(word, path).title == expected


def test_links_insertions_controls_and_boxes_are_kept(word: WordDocument, path: Path) -> None:
    """Text in links, insertions, content controls and text boxes is read once; deleted and hidden text is not."""
    paragraph = word.add_paragraph("a ")
    run = "<w:r><w:t>{}</w:t></w:r>"
    for xml in (
        f"<w:hyperlink {nsdecls('w')}>{run.format('link&#160;')}</w:hyperlink>",
        f'<w:ins {nsdecls("w")} w:id="1" w:author="x">{run.format("inserted")}</w:ins>',
        f'<w:del {nsdecls("w")} w:id="2" w:author="x"><w:r><w:delText>deleted</w:delText></w:r></w:del>',
        f"<w:r {nsdecls('w')}><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>",
        f"<w:r {nsdecls('w')}><w:tab/><w:t>tab</w:t><w:br w:type='page'/><w:t>next</w:t><w:noBreakHyphen/></w:r>",
        f"<w:r {nsdecls('w')} {COMPATIBILITY}><mc:AlternateContent>"
        f"<mc:Choice Requires='wps'><w:txbxContent><w:p>{run.format('box')}</w:p></w:txbxContent></mc:Choice>"
        f"<mc:Fallback><w:txbxContent><w:p>{run.format('box')}</w:p></w:txbxContent></mc:Fallback>"
        "</mc:AlternateContent></w:r>",
    ):
        paragraph.paragraph_format.element.append(parse_xml(xml))
    word.element.body.insert(
        1, parse_xml(f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p>{run.format('control')}</w:p></w:sdtContent></w:sdt>")
    )
    assert texts(saved(word, path)) == ["a link inserted tab next-", "box", "control"]


def test_merged_and_nested_cells(word: WordDocument, path: Path) -> None:
    """Merged cells are read once, and a table within a cell is part of the cell's text."""
    table = add_table(word, ("Drug", "Dose", "When"), ("A", "5 mg", "now"), ("", "6 mg", "later"))
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(2, 1).merge(table.cell(2, 2))
    inner = table.cell(1, 2).add_table(1, 2)
    inner.cell(0, 0).text = "x"
    inner.cell(0, 1).text = "y"
    document = saved(word, path)
    assert texts(document) == ["Drug: A; Dose: 5 mg; When: now x y", "Dose: 6 mg later"]
    assert cells(document)[1] == [(1, "Dose: ", "6 mg later")]


def test_tables_without_a_header(word: WordDocument, path: Path) -> None:
    """A first row with figures or colons is no header, and a table of one cell is only a frame."""
    add_table(word, ("Phone:", "555 0100"), ("Fax:", "555 0101"))
    word.add_paragraph("between")
    add_table(word, ("Note well",))
    document = saved(word, path)
    assert texts(document, R) == ["Phone:; 555 0100", "Fax:; 555 0101"]
    assert texts(document, P) == ["between", "Note well"]


def test_a_row_marked_as_header_is_one(word: WordDocument, path: Path) -> None:
    """A row that the author marked as header names the columns, also with figures in it."""
    table = add_table(word, ("Week 1", "Week 2"), ("rest", "walk"))
    table.rows[0]._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {nsdecls('w')}/>"))
    assert texts(saved(word, path)) == ["Week 1: rest; Week 2: walk"]


def test_entities_are_not_expanded(word: WordDocument, path: Path, tmp_path: Path) -> None:
    """Entities that the XML defines, of its own text or of another file's, do not become text."""
    secret = tmp_path / "secret.txt"
    secret.write_text("boom", encoding="utf-8")
    for definition in ('"boom"', f'SYSTEM "{secret.as_uri()}"'):
        word.add_paragraph("before MARK after")
        word.save(str(path))
        doctype = f"<!DOCTYPE w [<!ENTITY e {definition}>]><w:document "
        rewrite(path, "word/document.xml", b"<w:document ", doctype.encode())
        rewrite(path, "word/document.xml", b"MARK", b"&e;")
        assert "boom" not in read(path).text


def test_entities_that_grow_are_refused(word: WordDocument, path: Path) -> None:
    """A few lines of entities that stand for gigabytes are a broken document."""
    word.add_paragraph("before MARK after")
    word.save(str(path))
    bomb = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
    rewrite(path, "word/document.xml", b"<w:document ", b'<!DOCTYPE w [<!ENTITY e0 "boom">' + bomb + b"]><w:document ")
    rewrite(path, "word/document.xml", b"MARK", b"&e9;")
    with pytest.raises(BrokenDocument):
        read(path)


def test_an_archive_that_unpacks_to_too_much_is_refused(path: Path) -> None:
    """The sizes that an archive declares are added up before anything is unpacked."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(3):
            archive.writestr(f"word/{index}.xml", b"\0" * 70_000_000, compresslevel=1)
    with pytest.raises(TooLarge, match="210,000,000 bytes"):
        read(path)


def test_passwords_are_recognised(path: Path) -> None:
    """An encrypted Office container and an archive with a password are told from broken files."""
    path.write_bytes(OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(EncryptedDocument):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "x")
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, entry + 8, 1)
    path.write_bytes(data)
    with pytest.raises(EncryptedDocument):
        read(path)


def test_other_files_are_broken(word: WordDocument, path: Path) -> None:
    """Old Word files, text, cut-off packages, archives of other things and bad XML are refused with what was found."""
    word.add_paragraph("text")
    word.save(str(path))
    whole = path.read_bytes()
    rewrite(path, "word/document.xml", b"<w:body>", b"<w:body><w:p>")
    bad_xml = path.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")
    other = path.read_bytes()
    old = OLE + b"\0" * 600 + "WordDocument".encode("utf-16-le")
    for data in (old, b"just text", whole[: len(whole) // 2], other, bad_xml):
        path.write_bytes(data)
        with pytest.raises(BrokenDocument) as caught:
            read(path)
        assert caught.value.found


def test_nothing_to_show_is_empty(word: WordDocument, path: Path) -> None:
    """A document without text is empty, and so is a file without bytes."""
    with pytest.raises(EmptyDocument):
        saved(word, path)
    path.write_bytes(b"")
    with pytest.raises(EmptyDocument):
        read(path)


def test_footnotes_come_last(word: WordDocument, path: Path) -> None:
    """Footnotes are read after the body, without the separators that word processors keep among them."""
    word.add_paragraph("body")
    content = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    xml = (
        f"<w:footnotes {nsdecls('w')}><w:footnote w:type='separator'><w:p><w:r><w:t>no</w:t></w:r></w:p></w:footnote>"
        "<w:footnote w:id='1'><w:p><w:r><w:t>note</w:t></w:r></w:p></w:footnote></w:footnotes>"
    )
    part = docx.opc.part.Part(docx.opc.packuri.PackURI("/word/footnotes.xml"), content, xml.encode(), word.part.package)
    word.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes")
    assert texts(saved(word, path)) == ["body", "note"]


@pytest.mark.parametrize(("parts", "size"), [(1, 20_000_001), (3, 17_000_000)])
def test_what_unpacks_to_too_much_is_refused(path: Path, parts: int, size: int) -> None:
    """Neither one part over 20 MB nor more than 50 MB in all is unpacked; the sizes that the archive gives decide."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(parts):
            archive.writestr(f"word/part{number}.bin", bytes(size))
    with pytest.raises(TooLarge, match=f"{parts * size:,} bytes, {size:,} of them in one part"):
        read(path)


def test_a_table_of_very_many_columns_is_not_all_named(word: WordDocument, path: Path) -> None:
    """Beyond 50 columns values stand without names, and the header stands once, whole."""
    names = tuple(f"name{'x' * number}" for number in range(55))
    add_table(word, names, tuple("v" * 55))
    header, row = texts(saved(word, path), R)
    assert header == "; ".join(names)
    assert row.count(": v") == 50

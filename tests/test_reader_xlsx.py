"""Reading XLSX: every file here is made by the test that reads it."""

from __future__ import annotations

import random
import re
from datetime import date, time
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from builders import texts
from openpyxl.styles import Font
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from packages import parts_of, read_limited, rewrite

from qa.errors import BrokenDocument, EmptyDocument, EncryptedDocument, ReadError, TooLarge
from qa.models import BlockKind, Document, Page, PageKind
from qa.offsets import OffsetMap
from qa.readers.xlsx import read

H, P, R = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.TABLE_ROW
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SHEET = "xl/worksheets/sheet1.xml"
MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
CELL = b'<c r="%s" t="inlineStr"><is><t>x</t></is></c>'


@pytest.fixture
def book() -> Workbook:
    """A workbook with one empty sheet, "Sheet"."""
    return openpyxl.Workbook()


@pytest.fixture
def sheet(book: Workbook) -> Worksheet:
    """The sheet of that workbook."""
    assert isinstance(book.active, Worksheet)
    return book.active


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file goes."""
    return tmp_path / "prices.xlsx"


def saved(book: Workbook, path: Path) -> Document:
    book.save(path)
    return read(path)


def fill(sheet: Worksheet, *rows: tuple[object, ...]) -> None:
    for row in rows:
        sheet.append(row)


def with_sheet(path: Path, xml: bytes, before: bytes = b"", namespace: bytes = MAIN) -> None:
    """A workbook whose only sheet that is shown has this XML inside."""
    made = openpyxl.Workbook()
    made.create_sheet("Words")["A1"] = "so that there are shared strings"
    made["Words"].sheet_state = "hidden"
    made.save(path)
    whole = before + b'<worksheet xmlns="' + namespace + b'">' + xml + b"</worksheet>"
    rewrite(path, parts_of(path) | {SHEET: whole})


def test_a_price_list(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """Titles head their tables, rows name their columns, and values look as they do in the sheet."""
    sheet.title = "Prices"
    fill(
        sheet,
        ("Price list 2026",),
        ("All prices in US dollars.",),
        (),
        ("Service", "Price", "Discount", "From", "At"),
        ("Imaging",),
        ("MRI", 1250, 0.15, date(2026, 5, 24), time(15, 30)),
        ("CT", 800.5, None, date(2026, 6, 1), time(9, 0)),
        (),
        (),
        ("Desk", "Phone"),
        ("Main", 5035550100),
    )
    sheet["A5"].font = Font(bold=True)
    for row in (6, 7):
        for column, number_format in enumerate(('"$"#,##0.00', "0%", "d mmmm yyyy", "h:mm AM/PM"), 2):
            sheet.cell(row, column).number_format = number_format
    sheet["B11"].number_format = "(###) ###-####"
    document = saved(book, path)
    assert [(b.kind, b.level, document.text[b.start : b.end], b.headings) for b in document.blocks] == [
        (H, 1, "Prices", ()),
        (H, 2, "Price list 2026", ("Prices",)),
        (P, 0, "All prices in US dollars.", ("Prices", "Price list 2026")),
        (H, 3, "Imaging", ("Prices", "Price list 2026")),
        (
            R,
            0,
            "Service: MRI; Price: $1,250.00; Discount: 15%; From: 24 May 2026; At: 3:30 PM",
            ("Prices", "Price list 2026", "Imaging"),
        ),
        (
            R,
            0,
            "Service: CT; Price: $800.50; From: 1 June 2026; At: 9:00 AM",
            ("Prices", "Price list 2026", "Imaging"),
        ),
        (R, 0, "Desk: Main; Phone: (503) 555-0100", ("Prices", "Price list 2026")),
    ]
    assert document.title == "Price list 2026"
    assert document.warnings == ()
    assert document.offsets == OffsetMap()


def test_each_sheet_is_a_page(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """Pages have the sheets' names and hold their blocks, and a sheet's headings end with it."""
    sheet.title = "Adults"
    fill(sheet, ("Service", "Price"), ("MRI", 500))
    empty = book.create_sheet("Sheet2")
    fill(book.create_sheet("Children"), ("Service", "Price"), ("MRI", 300))
    fill(book.create_sheet("Sheet4"), ("Desk", "Room"), ("Main", 3))
    document = saved(book, path)
    assert document.text == (
        "Adults\n\nService: MRI; Price: 500\n\nChildren\n\nService: MRI; Price: 300\n\nDesk: Main; Room: 3"
    )
    assert document.page_kind is PageKind.SHEET
    assert document.pages == (
        Page("Adults", 0, 32),
        Page(empty.title, 32, 32),
        Page("Children", 34, 68),
        Page("Sheet4", 70, 89),
    )
    assert [(block.page, block.headings) for block in document.blocks] == [
        (1, ()),
        (1, ("Adults",)),
        (3, ()),
        (3, ("Children",)),
        (4, ()),
    ]


def test_the_files_own_title(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """The title in the file's properties counts unless a program put it there."""
    fill(sheet, ("Fees",), ("Service", "Price"), ("MRI", 500))
    for given, expected in (("Fees from May", "Fees from May"), ("Book1", "Fees"), ("old.xls", "Fees")):
        book.properties.title = given
        assert saved(book, path).title == expected


def test_what_is_hidden_is_left_out(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """Hidden sheets, rows and columns are not read, values that their format hides neither; a warning names each."""
    fill(sheet, ("Service", "Price", "Cost", "Margin"), ("MRI", 500, 111, 222), ("CT", 300, 333, 444), ("US", 100))
    sheet["B4"].number_format = ";;;"
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions.group("C", "D", hidden=True)
    for name, state in (("Staff", "hidden"), ("Owner", "veryHidden")):
        other = book.create_sheet(name)
        fill(other, ("secret",))
        other.sheet_state = state
    document = saved(book, path)
    assert texts(document) == ["Service: MRI; Price: 500", "Service: US"]
    assert [page.label for page in document.pages] == ["Sheet"]
    assert document.warnings == (
        '2 hidden sheets left out ("Staff", "Owner"). Show what people may read',
        'Sheet "Sheet": 1 hidden row left out. Show what people may read',
        'Sheet "Sheet": 2 hidden columns left out. Show what people may read',
    )


def test_what_has_no_size_is_hidden(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """A row of no height and a column of no width are hidden as well, whatever else they say; narrow ones are not."""
    fill(sheet, ("Service", "Price", "Cost"), ("MRI", 500, 111), ("CT", 300, 333))
    sheet.row_dimensions[2].height = sheet.column_dimensions["B"].width = 0.5
    book.save(path)
    parts = parts_of(path)
    column = b'<col width="0" customWidth="1" min="3" max="3" /></cols>'
    narrow = parts[SHEET].replace(b"</cols>", column).replace(b'<row r="3"', b'<row r="3" ht="0.0" customHeight="1"')
    rewrite(path, parts | {SHEET: narrow})
    assert texts(read(path)) == ["Service: MRI; Price: 500"]


def test_hidden_rows_part_no_table(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """Rows that a filter hides leave the rows around them in one table; an empty row that is shown parts them."""
    fill(sheet, ("Service", "Price"), ("MRI", 500), ("CT", 300), (), ("US", 100), (), ("EEG", 90))
    for row in (3, 4):
        sheet.row_dimensions[row].hidden = True
    assert texts(saved(book, path)) == ["Service: MRI; Price: 500", "Service: US; Price: 100", "EEG; 90"]


def test_hidden_columns_part_no_table(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """Columns on both sides of hidden ones are neighbours, for names that span them as well."""
    fill(sheet, ("Service", "Fees"), ("", "Adults", "Cost", "Children"), ("MRI", 500, 111, 300), ("CT", 300, 99, 200))
    sheet.merge_cells("B1:D1")
    sheet.column_dimensions["C"].hidden = True
    assert texts(saved(book, path)) == [
        "Service: MRI; Fees Adults: 500; Fees Children: 300",
        "Service: CT; Fees Adults: 300; Fees Children: 200",
    ]


def test_merged_cells(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """A cell merged downwards is said in each row, one merged across names each column or heads the rows below."""
    fill(
        sheet,
        ("Group", "Service", "Adults", None, "Children", None),
        (None, None, "Price", "Time", "Price", "Time"),
        ("Imaging", "MRI", 500, 45, 300, 40),
        (None, "CT", 300, 20, 200, 15),
        ("Laboratory",),
        ("Blood", "Count", 30, 5, 20, 5),
        ("Prices may change at any time",),
    )
    for area in ("A1:A2", "B1:B2", "C1:D1", "E1:F1", "A3:A4", "A5:F5", "A7:F7"):
        sheet.merge_cells(area)
    document = saved(book, path)
    assert [(b.kind, document.text[b.start : b.end], b.headings) for b in document.blocks] == [
        (
            R,
            "Group: Imaging; Service: MRI; Adults Price: 500; Adults Time: 45; Children Price: 300; Children Time: 40",
            (),
        ),
        (
            R,
            "Group: Imaging; Service: CT; Adults Price: 300; Adults Time: 20; Children Price: 200; Children Time: 15",
            (),
        ),
        (H, "Laboratory", ()),
        (
            R,
            "Group: Blood; Service: Count; Adults Price: 30; Adults Time: 5; Children Price: 20; Children Time: 5",
            ("Laboratory",),
        ),
        (P, "Prices may change at any time", ()),
    ]


def test_formulas_and_errors(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """Of a formula its stored result counts; without one, or with an error, a warning says where."""
    fill(sheet, ("Service", "Price"), ("MRI", 500), ("CT", "=B2*2"), ("US", "=B2/0"), ("EEG", "=B9"))
    book.save(path)
    parts = parts_of(path)
    xml = re.sub(rb"<f>B2\*2</f><v ?/>|<f>B2\*2</f><v></v>", b"<f>B2*2</f><v>1000</v>", parts[SHEET])
    xml = re.sub(rb'<c r="B4"><f>B2/0</f><v ?/?>(</v>)?', b'<c r="B4" t="e"><f>B2/0</f><v>#DIV/0!</v>', xml)
    rewrite(path, parts | {SHEET: xml})
    document = read(path)
    assert texts(document) == ["Service: MRI; Price: 500", "Service: CT; Price: 1000", "Service: US", "Service: EEG"]
    assert document.warnings == (
        'Sheet "Sheet": 1 formula without a stored result left out (B5).'
        " Open the file in a spreadsheet program and save it",
        'Sheet "Sheet": 1 cell with an error left out (B4)',
    )


def test_a_workbook_of_another_program(path: Path) -> None:
    """Texts that cells share, rich ones, line breaks, results of formulas and charts are read or named."""
    with xlsxwriter.Workbook(path) as other:
        bold = other.add_format({"bold": True})
        sheet = other.add_worksheet("Fees")
        sheet.write_row(0, 0, ["Service", "Price", "Paid"])
        sheet.write_rich_string(1, 0, bold, "MRI", " of the\nhead")
        sheet.write_formula(1, 1, "=250*2", other.add_format({"num_format": "$#,##0"}), 500)
        sheet.write_boolean(1, 2, True)
        sheet.write_row(2, 0, ["Service", "Price", "Paid"])
        sheet.write_formula(3, 0, '=IF(TRUE,"","x")', None, "")
        sheet.write_url(3, 0, "https://clinic.example", string="CT")
        sheet.write_number(3, 1, 300)
        charts = [other.add_chart({"type": kind}) for kind in ("pie", "line")]
        for chart in charts:
            chart.add_series({"values": "=Fees!$B$2:$B$4"})
        drawn = other.add_worksheet("Drawn")
        drawn.insert_chart("A1", charts[0])
        other.add_chartsheet("Chart").set_chart(charts[1])
    document = read(path)
    assert texts(document) == ["Fees", "Service: MRI of the head; Price: $500; Paid: TRUE", "Service: CT; Price: 300"]
    assert document.warnings == (
        'Sheet "Drawn" has no text, only a picture or a chart',
        '1 sheet with only a chart left out ("Chart")',
    )


def test_words_alone(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """A sheet of one column is a title with paragraphs, and a header of words is known by its bold type."""
    fill(sheet, ("Insurers",), ("Aetna",), ("Cigna",), (), ("Who", "Does"), ("Ann", "Desk"), ("Bob", "Nurse"))
    plain = saved(book, path)
    assert [(b.kind, plain.text[b.start : b.end]) for b in plain.blocks] == [
        (H, "Insurers"),
        (P, "Aetna"),
        (P, "Cigna"),
        (R, "Who; Does"),
        (R, "Ann; Desk"),
        (R, "Bob; Nurse"),
    ]
    for place in ("A5", "B5"):
        sheet[place].font = Font(bold=True)
    assert texts(saved(book, path), R) == ["Who: Ann; Does: Desk", "Who: Bob; Does: Nurse"]


def test_a_name_that_is_a_value_is_no_name(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """A first row whose words stand in the rows below as well is one of them."""
    fill(sheet, ("MRI", "on request"), ("CT", "on request"), ("US", 100), ("EEG", 90), ("EMG", 95))
    assert texts(saved(book, path))[0] == "MRI; on request"


def test_very_many_columns_are_not_all_named(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """Beyond 50 columns values stand without names, and the header stands once, whole."""
    names = tuple(f"name{'x' * number}" for number in range(55))
    fill(sheet, names, tuple(range(55)))
    header, row = texts(saved(book, path), R)
    assert header == "; ".join(names)
    assert row.count(": ") == 50


def test_cells_know_their_columns(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """The places of a row's values and of their names are kept, with the columns counted that the table has."""
    fill(sheet, (None, "Service", None, "Price", "Time"), (None, "MRI", None, 500, 45), (None, "CT", None, None, 20))
    book.save(path)
    document = read_limited("xlsx", path)
    assert [
        [
            (cell.column, document.text[cell.name : cell.start], document.text[cell.start : cell.end])
            for cell in row.cells
        ]
        for row in document.blocks
    ] == [
        [(0, "Service: ", "MRI"), (1, "Price: ", "500"), (2, "Time: ", "45")],
        [(0, "Service: ", "CT"), (2, "Time: ", "20")],
    ]
    assert document.page_kind is PageKind.SHEET


def test_passwords_are_recognised(path: Path) -> None:
    """An encrypted container is told from a workbook of old, which has to be saved anew."""
    path.write_bytes(OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(EncryptedDocument):
        read(path)
    path.write_bytes(OLE + b"\0" * 600 + "Workbook".encode("utf-16-le"))
    with pytest.raises(BrokenDocument, match="Excel 97-2003") as caught:
        read(path)
    assert "save it again as XLSX" in str(caught.value)


def test_other_files_are_broken(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """Text, cut-off files, other archives, bad XML, wrong types of content and unknown variants are refused."""
    fill(sheet, ("text",))
    book.save(path)
    whole = path.read_bytes()
    parts = parts_of(path)
    broken = [b"just text", whole[: len(whole) // 2], whole[:-30]]
    for name, old, new in (
        (SHEET, b"<sheetData>", b"<sheetData><row>"),
        (SHEET, MAIN, b"http://purl.oclc.org/ooxml/spreadsheetml/main"),
        (SHEET, b'r="A1"', b'r="AAAA1"'),
        (SHEET, b'row r="1"', b'row r="99999999999"'),
        ("[Content_Types].xml", b"spreadsheetml.sheet.main+xml", b"wordprocessingml.document.main+xml"),
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


def test_nothing_to_show_is_empty(book: Workbook, path: Path) -> None:
    """A workbook without a filled cell is empty, and so is a file without bytes."""
    with pytest.raises(EmptyDocument):
        saved(book, path)
    path.write_bytes(b"")
    with pytest.raises(EmptyDocument):
        read(path)


def test_document_types_are_refused(path: Path) -> None:
    """A sheet that defines entities, of its own or of other files, is not made by a spreadsheet program."""
    bomb = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
    row = b'<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&e9;</t></is></c></row></sheetData>'
    for before in (
        b'<!DOCTYPE w [<!ENTITY e0 "boom">' + bomb + b"]>",
        b'<?xml version="1.0"?><!-- c --><!DOCTYPE w [<!ENTITY e9 SYSTEM "file:///etc/hostname">]>',
    ):
        with_sheet(path, row, before)
        with pytest.raises(BrokenDocument, match="document type"):
            read(path)


def test_a_sheet_may_claim_to_be_huge(path: Path) -> None:
    """What a sheet says of its size does not count, nor how far a merged cell or an empty row reaches."""
    with_sheet(
        path,
        b'<dimension ref="A1:XFD1048576"/><cols><col min="3" max="16384" hidden="1"/></cols><sheetData><row r="1">'
        + CELL % b"A1"
        + b'</row><row r="1048576">'
        + CELL % b"B1048576"
        + b'</row></sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
    )
    assert texts(read_limited("xlsx", path)) == ["x", "x; x"]


@pytest.mark.parametrize(
    "xml",
    [
        b'<row r="1">' + CELL % b"A1" + b'</row><row r="1048576">' + CELL % b"XFD1048576" + b"</row>",
        b"<row>"
        + b'<c t="b"><v>1</v></c>' * 10_000
        + b"</row>"
        + (b"<row>" + b'<c t="b"><v>1</v></c>' * 20 + b"</row>") * 9_501,
    ],
    ids=["far apart", "many"],
)
def test_too_many_cells_are_refused(path: Path, xml: bytes) -> None:
    """Neither more than 200,000 filled cells nor two at opposite ends of the largest sheet are read."""
    with_sheet(path, b"<sheetData>" + xml + b"</sheetData>")
    with pytest.raises(TooLarge):
        read_limited("xlsx", path)


def test_one_text_in_very_many_cells_is_refused(path: Path) -> None:
    """A long text that many cells share is a small file and a huge document."""
    with xlsxwriter.Workbook(path) as other:
        sheet = other.add_worksheet()
        for row in range(2_000):
            sheet.write_string(row, 0, "x" * 32_000)
    with pytest.raises(TooLarge, match="characters"):
        read_limited("xlsx", path)


def test_an_archive_that_unpacks_to_too_much_is_refused(path: Path) -> None:
    """The sizes that an archive declares are added up before anything is unpacked."""
    rewrite(path, {f"xl/{index}.xml": b"\0" * 17_000_000 for index in range(3)})
    with pytest.raises(TooLarge, match="51,000,000 bytes"):
        read(path)


def test_damage_of_any_kind_is_no_crash(book: Workbook, sheet: Worksheet, path: Path) -> None:
    """With attributes, texts and tags changed at random a workbook is read or refused, and nothing else."""
    fill(sheet, ("Service", "Price", "From"), ("MRI", 500, date(2026, 5, 24)), ("CT", "=B2", True))
    sheet.merge_cells("A3:A4")
    sheet.row_dimensions[2].hidden = True
    book.save(path)
    parts = parts_of(path)
    chance = random.Random(5)  # noqa: S311 - no secret
    values = (b"0", b"-1", b"99999999999", b"NaN", b"1e400", b"", b"<", b"true", b"\xff", b"A1:XFD1048576")
    for _ in range(150):
        name = chance.choice(sorted(parts))
        found = chance.choice([*re.finditer(rb'(?<=")[^"<>]*(?=")|(?<=>)[^<>]+(?=<)|<[^>]*>', parts[name])])
        damaged = parts[name][: found.start()] + chance.choice(values) + parts[name][found.end() :]
        rewrite(path, parts | {name: damaged})
        try:
            read(path)
        except ReadError as error:
            assert error.found or error.expected  # noqa: PT017 - either outcome is right

"""Reading CSV: rows, their separator, their header, and the lines around them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from builders import Reader, check_places, reading, texts
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import BrokenDocument, EmptyDocument, TooLarge
from qa.models import BlockKind
from qa.parse import WORKER_TARGET
from qa.readers.csv_table import read, rows_of, text_of
from qa.readers.grid_cells import is_figure
from qa.worker import run_limited

H, P, R = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.TABLE_ROW
PRICES = "Service,Price,Time\nMRI,$500.00,45 min\nCT,$300.00,\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file goes."""
    return tmp_path / "prices.csv"


@pytest.fixture
def table(path: Path) -> Reader:
    """Reads a text as a CSV file."""
    return reading(read, path)


def test_rows_name_their_columns(table: Reader) -> None:
    """Each row is a block that names the columns of its filled cells; the header is said by the rows alone."""
    document = table(PRICES)
    assert document.text == "Service: MRI; Price: $500.00; Time: 45 min\nService: CT; Price: $300.00"
    assert {block.kind for block in document.blocks} == {R}
    assert (document.pages, document.title, document.warnings) == ((), None, ())
    check_places(document, PRICES)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_separators_and_newlines(table: Reader, separator: str, newline: str) -> None:
    """The separator is told from the rows, whichever way the lines end."""
    raw = PRICES.replace(",", separator).replace("\n", newline)
    assert texts(table(raw))[0] == "Service: MRI; Price: $500.00; Time: 45 min"


def test_decimal_commas_are_no_separators(table: Reader) -> None:
    """A comma in every row's amount does not count where semicolons divide all rows alike."""
    assert texts(table("Leistung;Preis\nMRT;500,00\nCT;300,50\n")) == [
        "Leistung: MRT; Preis: 500,00",
        "Leistung: CT; Preis: 300,50",
    ]


def test_a_file_may_say_its_separator(table: Reader) -> None:
    """The line that a spreadsheet program begins with is obeyed and not read."""
    assert texts(table("sep=;\r\nService;Price\r\nMRI, CT, and more;5\r\n")) == ["Service: MRI, CT, and more; Price: 5"]


def test_quoted_cells(table: Reader) -> None:
    """Separators, newlines and doubled quotes inside quotes belong to the cell, and keep their places."""
    raw = 'Service,Note,Price\n"MRI, head","with ""contrast""\r\nor not",5\n'
    document = table(raw)
    assert document.text == 'Service: MRI, head; Note: with "contrast" or not; Price: 5'
    check_places(document, raw)
    at = document.text.index("contrast")
    assert raw[document.offsets.to_raw((at, at + 8))[0] :].startswith("contrast")


def test_a_quote_that_nothing_closes_is_a_sign(table: Reader) -> None:
    """An inch mark at the start of a cell does not swallow the rows below."""
    assert texts(table('Item,Price\nNeedle,5\n"6 inch,7\nTape,9\n')) == [
        "Item: Needle; Price: 5",
        'Item: "6 inch; Price: 7',
        "Item: Tape; Price: 9",
    ]


@given(
    st.lists(st.lists(st.text('ab",;\n\r\t| '), min_size=2, max_size=4), min_size=1, max_size=6),
    st.sampled_from(",;\t|"),
)
def test_rows_are_those_that_were_written(rows: list[list[str]], separator: str) -> None:
    """Whatever the standard library writes, quoted as needed, comes back cell by cell."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator).writerows(rows)
    raw = buffer.getvalue()
    assert [[text_of(raw, span) for span in row] for row in rows_of(raw, separator)] == rows


def test_titles_notes_and_several_tables(table: Reader) -> None:
    """A line of its own above a table heads it; empty rows part tables; a remark below is a paragraph."""
    document = table(
        "Price list 2026,,\nValid from 24 May 2026.,,\n,,\n"
        "Imaging,,\nService,Price,Time\nMRI,$500,45 min\n* Ask us about insurance,,\n,,\n"
        "Desk,Phone,\nMain,555-0100,\n"
    )
    assert [(b.kind, b.level, document.text[b.start : b.end], b.headings) for b in document.blocks] == [
        (H, 1, "Price list 2026", ()),
        (P, 0, "Valid from 24 May 2026.", ("Price list 2026",)),
        (H, 2, "Imaging", ("Price list 2026",)),
        (R, 0, "Service: MRI; Price: $500; Time: 45 min", ("Price list 2026", "Imaging")),
        (P, 0, "* Ask us about insurance", ("Price list 2026", "Imaging")),
        (R, 0, "Desk: Main; Phone: 555-0100", ("Price list 2026",)),
    ]
    assert document.title == "Price list 2026"


def test_rows_without_a_header(table: Reader) -> None:
    """Where the first row is like the others, no column has a name: a wrong one is worse than none."""
    assert texts(table("MRI,$500\nCT,$300\n")) == ["MRI; $500", "CT; $300"]
    assert texts(table("Ann,Reception\nBob,Nurse\n")) == ["Ann; Reception", "Bob; Nurse"]
    assert texts(table("MRI,two visits\nX-ray,two visits\nCT,$300\nUS,$100\nEEG,$90\n"))[0] == "MRI; two visits"
    assert texts(table("MRI,On request\nCT,$300\nUS,$100\n"))[0] == "MRI; On request"


def test_a_header_below_a_line_of_two_cells(table: Reader) -> None:
    """A title with a date beside it names no columns; the header below it does."""
    assert texts(table("Fees,,May 2026\nService,Price,Time\nMRI,$500,45 min\nCT,$300,20 min\n")) == [
        "Fees; May 2026",
        "Service: MRI; Price: $500; Time: 45 min",
        "Service: CT; Price: $300; Time: 20 min",
    ]


def test_a_header_may_leave_out_the_first_column_and_the_last(table: Reader) -> None:
    """The rows' own names and remarks at the end need no name, but a gap between names means that it is no header."""
    assert texts(table(",Adults,Children\nMRI,$500,$300,fasting\n")) == ["MRI; Adults: $500; Children: $300; fasting"]
    assert texts(table("A,,C,D\nMRI,$500,$300,$200\n")) == ["A; C; D", "MRI; $500; $300; $200"]


def test_tables_side_by_side(table: Reader) -> None:
    """Tables with headers of their own and an empty column between are read one after the other."""
    document = table("Fees,,,,\nAdults,Price,,Children,Price\nMRI,$500,,MRI,$300\nCT,$300,,,\n")
    assert texts(document) == [
        *("Fees", "Adults: MRI; Price: $500", "Adults: CT; Price: $300", "Children: MRI; Price: $300"),
    ]
    assert {block.headings for block in document.blocks[1:]} == {("Fees",)}
    assert texts(table("MRI,,$500\nCT,,$300\n")) == ["MRI; $500", "CT; $300"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, True) for text in ("$1,250.00", "15%", "3:30 PM", "24 May 2026", "-5", "(3.50)", "EUR 20", "1 hour")),
        *((text, False) for text in ("MRI 3", "2 weeks before", "Price", "", "Room 12", "Q1")),
    ],
)
def test_figures(text: str, expected: bool) -> None:
    """Numbers, amounts, dates and times are figures, and words with a number in them are not."""
    assert is_figure(text) is expected


def test_encodings(path: Path) -> None:
    """A byte order mark is no part of the first name, and Windows text is read with a warning."""
    path.write_bytes("Service,Price\nMRI,5\n".encode("utf-8-sig"))
    assert read(path).text == "Service: MRI; Price: 5"
    path.write_bytes("Service,Price\nCafé visit,5\n".encode("cp1252"))
    document = read(path)
    assert document.text == "Service: Café visit; Price: 5"
    assert len(document.warnings) == 1


def test_files_without_rows(path: Path) -> None:
    """No bytes, and separators alone, are empty; other formats under this name are broken."""
    for data in (b"", b" \n\n", b",,,\n,,,\n"):
        path.write_bytes(data)
        with pytest.raises(EmptyDocument):
            read(path)
    for data in (b"PK\x03\x04 and more", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more", b"\x00\x01\x02" * 100):
        path.write_bytes(data)
        with pytest.raises(BrokenDocument):
            read(path)


@pytest.mark.parametrize(
    "raw",
    ["," * 2_000_000, "a,b\n" * 100_001, 'a,"' + '""' * 60_000 + '"', '"a,' * 600_000],
    ids=["empty cells", "rows", "one cell", "quotes"],
)
def test_too_much_is_refused_in_time(path: Path, raw: str) -> None:
    """Millions of cells, or one that a forgotten quote made of the whole file, are refused by a limited process."""
    path.write_text(raw)
    with pytest.raises(TooLarge):
        run_limited(
            WORKER_TARGET,
            {"reader": "csv_table", "path": str(path)},
            seconds=30,
            memory_bytes=1_024_000_000,
            output_bytes=100_000_000,
        )

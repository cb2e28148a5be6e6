"""Reading HTML: the main content, its structure, and exact places in the raw text."""

from __future__ import annotations

import re
import time
from html import unescape
from pathlib import Path

import pytest
from builders import Reader, cells, check_places, items, reading, texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa.errors import BrokenDocument, EmptyDocument, QAError
from qa.models import BlockKind
from qa.readers.html import read

H, P, L, R = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW


@pytest.fixture
def parsed(tmp_path: Path) -> Reader:
    """A function that reads a text as an HTML file."""
    return reading(read, tmp_path / "page.html")


PAGE = """<!doctype html>
<html lang="en-GB"><head><title>Fees &amp; visits</title><style>p { color: red }</style>
<script>if (a < b) document.write("<p>no</p>")</script></head>
<body><header><h1>The Clinic</h1></header><nav><ul><li>Home</ul></nav>
<main><article><header><h1>Your visit</h1></header>
<p>Bring a <b>list</b>,<br>please.<p>Caf&eacute; &amp; te&shy;a&nbsp;room <!-- not this --> upstairs
<aside>Park behind the house.</aside>
<select><option>one<option>two</select><svg><path d="M0"/><title>icon</title></svg>
<p hidden>unseen</p><p style="display: none">unseen</p><span aria-hidden="true">un<span>se</span>en</span>
<details><summary>More</summary>Details here</details>
</article></main><aside>Advert</aside><footer>Imprint</footer></body></html>
"""


def test_only_the_main_content_is_read(parsed: Reader) -> None:
    """Navigation, the site's header and footer, scripts, controls and hidden text are left out; <main> is kept."""
    document = parsed(PAGE)
    assert document.title == "Fees & visits"
    assert document.front_matter == {"language": "en-GB"}
    assert texts(document) == [
        "Your visit",
        "Bring a list, please.",
        "Café & tea room upstairs",
        "Park behind the house.",
        "More",
        "Details here",
    ]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("<body><div role=main><p>a</div><p>b", ["a"]),
        ("<body><p>x</p><article><p>a long article</article>", ["a long article"]),
        ("<body><p>a long text before a teaser</p><article>b</article>", ["a long text before a teaser", "b"]),
        ("<body><main></main><p>b", ["b"]),
        ("<nav>n</nav><p>a<header>h</header><footer>f</footer>", ["a"]),
        ("<head><title>t</title><p>a", ["a"]),
        ("plain words", ["plain words"]),
        ("<main><nav>n</nav><p>a<footer>f</footer></main>", ["a", "f"]),
        ("<body><nav>n<div></nav><p>a", ["a"]),
        ("<div><nav>n</div><p>a", ["a"]),
    ],
)
def test_where_the_main_content_is(parsed: Reader, raw: str, expected: list[str]) -> None:
    """Main, else an article that is most of the page, else the body, also where tags are missing."""
    assert texts(parsed(raw)) == expected


def test_lists_and_their_levels(parsed: Reader) -> None:
    """Items have levels, with and without end tags; a term and its meaning are one item."""
    document = parsed(
        "<ul><li>a<ul><li>b</ul><li><p>c</p><p>d</p></ul><ol><li>e</ol>"
        "<dl><dt>Dose</dt> <dd>5 mg<dt>How long?<dd><p>An hour</p><dt>X</dl>"
    )
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        (L, 1, "a"),
        (L, 2, "b"),
        (L, 1, "c"),
        (P, 0, "d"),
        (L, 1, "e"),
        (L, 1, "Dose: 5 mg"),
        (L, 1, "How long? An hour"),
        (L, 1, "X"),
    ]
    assert "a\nb\nc\n\nd\n\ne\n\nDose: 5 mg\nHow long?" in document.text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("<ol><li>a<li>b<ul><li>x</ul><ol><li>y</ol><li>c</ol>", "[1.] a, [2.] b, [] x, [1.] y, [3.] c"),
        ("<ol start=3><li>a<li value=10>b<li>c</ol>", "[3.] a, [10.] b, [11.] c"),
        ("<ol start=-1><li>a<li>b<li value=x>c</ol>", "[-1.] a, [0.] b, [1.] c"),
        ("<ol reversed><li>a<ol><li>x</ol><li>b<li hidden>c<li>d</ol>", "[3.] a, [1.] x, [2.] b, [1.] d"),
        ("<ol reversed start=9><li>a<li>b</ol>", "[9.] a, [8.] b"),
        ("<ol type=a start=26><li>a<li>b<li type=A>c<li type=1>d</ol>", "[z.] a, [aa.] b, [AB.] c, [29.] d"),
        ("<ol type=i start=8><li>a<li>b</ol>", "[viii.] a, [ix.] b"),
        ("<ol type=I start=3999><li>a<li>b</ol>", "[MMMCMXCIX.] a, [4000.] b"),
        ("<ol type=a start=0><li>a<li>b</ol>", "[0.] a, [a.] b"),
        ("<ol style='list-style: upper-roman inside'><li>a</ol>", "[I.] a"),
        ("<ol style='list-style-type:none'><li>a</ol><ol style='list-style-type: hebrew'><li>b</ol>", "[] a, [] b"),
        ("<ol><li style='list-style-type: lower-alpha'>a<li style='display: none'>b<li>c</ol>", "[a.] a, [2.] c"),
        ("<ol><li><p>a</p><p>more</p><li><li>b</ol><li>c", "[1.] a, [3.] b, [] c"),
        ("<ol start=99999999999999999999><li>a</ol><ul type=1><li>b</ul><dl><dt>c</dl>", "[1.] a, [] b, [] c"),
    ],
)
def test_items_of_ordered_lists_have_numbers(parsed: Reader, raw: str, expected: str) -> None:
    """Items are counted and written as browsers do; those of other lists, and of unknown kinds, have no number."""
    assert items(parsed(raw)) == expected.split(", ")


def test_headings_make_paths(parsed: Reader) -> None:
    """h1 to h6 are headings, with the first as title where the page has none, and <p> within one changes nothing."""
    document = parsed("<h1>A</h1><h2><p>B</p></h2><p>x</p><h3>C<p>y")
    assert document.title == "A"
    assert [(b.kind, b.headings) for b in document.blocks] == [
        (H, ()),
        (H, ("A",)),
        (P, ("A", "B")),
        (H, ("A", "B")),
        (P, ("A", "B", "C")),
    ]


@pytest.mark.parametrize(
    ("raw", "rows"),
    [
        ("<table><thead><tr><th>Item<th>Price</thead><tr><td>Visit<td>&pound;5</table>", ["Item: Visit; Price: £5"]),
        ("<table><tr><th>A<th>B</tr><tr><td>1</td><td></td></tr></table>", ["A: 1"]),
        ("<table><tr><th>Phone</th><td>555</td></tr><tr><th>Fax<td>556</table>", ["Phone: 555", "Fax: 556"]),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", ["a; b", "c; d"]),
        ("<table><tr><th>A<th>B<tr><td rowspan=2>x<td>1<tr><td>2</table>", ["A: x; B: 1", "A: x; B: 2"]),
        ("<table><tr><th colspan=2>A<th>B<tr><td>1<td>2<td>3</table>", ["A: 1; A: 2; B: 3"]),
        ("<table><tr><th>A<th>B</table>", ["A; B"]),
        ("<table><tr><th>A<th>B<tr><td><ul><li>x<li>y</ul><td><p>z</p>w</table>", ["A: x y; B: z w"]),
    ],
)
def test_tables_name_their_columns(parsed: Reader, raw: str, rows: list[str]) -> None:
    """Rows say the header's names, with simple spans, and rows of one table are one line apart."""
    document = parsed(raw)
    assert texts(document, R) == rows
    assert document.text == "\n".join(rows)


def test_a_table_that_arranges_a_page_is_no_table(parsed: Reader) -> None:
    """Tables of one cell, with headings or with tables inside, are read as the blocks that they hold."""
    assert texts(parsed("<table><tr><td><p>a</p><p>b</p></table>"), P) == ["a", "b"]
    document = parsed("<table><tr><td><h2>a</h2><p>b<td><table><tr><td>c<td>d</table></table>")
    assert [b.kind for b in document.blocks] == [H, P, R]


def test_every_word_has_its_own_place(parsed: Reader) -> None:
    """A word's raw span holds that word, apart from the tags, comments and references within it."""
    for newline in ("\n", "\r\n", "\r"):
        raw = PAGE.replace("\n", newline)
        document = parsed(raw)
        for match in re.finditer(r"[\w,.]+", document.text):
            start, end = document.offsets.to_raw(match.span())
            found = unescape(re.sub(r"<[^>]*>", "", raw[start:end])).replace("\xad", "")
            # The last character's reference is cut where its first character ends.
            assert found == match.group() or (raw[end - 1] == "&" and found[:-1] == match.group()[:-1])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b & c", "a < b & c"),
        ("R&D &bogus; &#; &#x;", "R&D &bogus; &#; &#x;"),
        ("&#65;&#x42;&lt;b&gt;", "AB<b>"),
        ("x <3 y", "x <3 y"),
        ("a<!-->b<!--->c<!-- d --!>e", "abce"),
        ("a<![CDATA[b]]>c", "abc"),
        ("a<?php no ?>b</>c", "abc"),
        ('a<b title="x > y">b</b>', "ab"),
        ('a<b title="it\'s">b</b>', "ab"),
        ('a<b title="open>b</b>', "ab"),
        ("a<textarea><p>no</textarea>b", "ab"),
    ],
)
def test_odd_markup_loses_no_text(parsed: Reader, text: str, shown: str) -> None:
    """Bare signs, broken references, comments of all sorts and unbalanced quotes do not swallow their neighbours."""
    assert parsed(f"<p>{text}</p>").text == shown


@pytest.mark.parametrize("opening", ["<!--", "<script>", "<style>"])
def test_what_is_never_closed_is_told(parsed: Reader, opening: str) -> None:
    """The rest of a page after an open comment or script is missed with a warning that names its line."""
    document = parsed(f"<p>a</p>\n<p>b {opening} c</p>")
    assert document.text == "a\n\nb"
    assert document.warnings == (f"{opening} on line 2 is never closed; nothing after it was read",)


@pytest.mark.parametrize(
    ("head", "encoding", "warnings"),
    [
        ('<meta charset="iso-8859-2">', "iso-8859-2", 0),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1250">', "cp1250", 0),
        ('<?xml version="1.0" encoding="iso-8859-2"?>', "iso-8859-2", 0),
        ('<meta charset="iso-8859-2">', "utf-8", 1),
        ('<meta charset="base64">', "utf-8", 0),
        ('<meta charset="utf-16">', "utf-8", 0),
    ],
)
def test_the_declared_encoding_is_believed(tmp_path: Path, head: str, encoding: str, warnings: int) -> None:
    """A page's own declaration decides between encodings, but UTF-8 that is UTF-8 stays so, with a warning."""
    path = tmp_path / "page.htm"
    path.write_bytes(f"{head}<p>Zażółć gęślą</p>".encode(encoding))
    document = read(path)
    assert document.text == "Zażółć gęślą"
    assert len(document.warnings) == warnings


HALF_A_MEGABYTE = 500_000


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "<!--",
        "<a",
        '<a x="',
        "<a x='",
        "<div>",
        "<b>",
        "<p>",
        "<ul><li>",
        "<title>",
        "<script>",
        "&#",
        "&amp",
        "</p>",
        "<![CDATA[",
        "<!",
        "<table>",
        "<table><tr><td>",
        "<th colspan=999>x",
        "<td rowspan=999>x",
        "<dt>a<dd>b",
        "<nav><b>",
    ],
)
def test_hostile_pages_take_seconds_at_most(tmp_path: Path, unit: str) -> None:
    """Half a megabyte of anything is read, or refused, in time that does not grow with its square."""
    path = tmp_path / "page.html"
    path.write_text("<table>x " + unit * (HALF_A_MEGABYTE // len(unit)) + ">", encoding="utf-8")
    started = time.perf_counter()
    try:
        document = read(path)
    except QAError:
        pass
    else:
        assert len(document.text) < 20 * HALF_A_MEGABYTE
    assert time.perf_counter() - started < 10


def test_nesting_has_an_end(parsed: Reader) -> None:
    """A hundred thousand elements within each other are a broken document."""
    with pytest.raises(BrokenDocument, match="nested too deep"):
        parsed("<div>" * 100_000)


def test_a_page_of_scripts_is_empty(parsed: Reader) -> None:
    """A page that shows nothing without its scripts is empty."""
    with pytest.raises(EmptyDocument):
        parsed("<html><head><title>App</title></head><body><div id=root></div><script>go()</script></body></html>")


snippets = st.sampled_from(
    [
        "word",
        " ",
        "\r\n",
        "&amp;",
        "&nbsp;",
        "&#",
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<ul>",
        "<li>",
        "</ul>",
        "<br>",
        "<h2>",
        "</h2>",
        "<table>",
        "<tr>",
        "<td>",
        "<th>",
        "</table>",
        "<dl>",
        "<dt>",
        "<dd>",
        "<!-- c -->",
        "<nav>",
        "</nav>",
        "<main>",
        "é",
        "<",
        ">",
    ]
)


@given(st.lists(snippets, max_size=30).map("".join))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_copied_characters_map_to_themselves(parsed: Reader, raw: str) -> None:
    """Every copied character of any page stands at its place, and blocks have no white space at their ends."""
    try:
        document = parsed(raw)
    except EmptyDocument:
        return
    check_places(document, raw)


def test_cells_spanning_very_many_columns_are_not_repeated(parsed: Reader) -> None:
    """Of cells that span rows those in the first 200 columns are said again below; every cell is read once."""
    document = parsed("<table><tr>" + "<td rowspan=9>span" * 1_000 + "<tr><td>a<tr><td>b</table>")
    first, *others = texts(document, R)
    assert first.count("span") == 1_000
    assert [row.count("span") for row in others] == [200, 200]


def test_cells_know_their_columns(parsed: Reader) -> None:
    """Cells that span columns or rows, and empty ones, count; a row's name is a cell beside the others."""
    raw = "<table><tr><th>A<th>B<th>C<tr><td rowspan=2>x<td><td>1<tr><td colspan=2>2</table>"
    assert cells(parsed(raw)) == [[(0, "A: ", "x"), (2, "C: ", "1")], [(0, "A: ", "x"), (1, "B: ", "2")]]
    named = parsed("<table><tr><th>Open?<td> 9 <td>5<tr><th>Free<td>yes<td>no</table>")
    assert texts(named) == ["Open? 9; 5", "Free: yes; no"]
    assert cells(named) == [
        [(0, "", "Open?"), (1, "", "9"), (2, "", "5")],
        [(0, "", "Free"), (1, "", "yes"), (2, "", "no")],
    ]


def test_a_long_column_name_is_not_repeated_whole(parsed: Reader) -> None:
    """Names that several header rows make together are shortened in rows, and the header then stands whole."""
    heads = [f"<tr><th>{name * 10}<th>Price" for name in ("alphabet ", "number ", "letters ")]
    document = parsed(f"<table>{''.join(heads)}" + "<tr><td>a<td>1" * 9 + "</table>")
    rows = texts(document, R)
    assert [row.count("Price") for row in rows[:3]] == [1, 1, 1]
    assert rows[2].startswith("letters letters")
    assert len(rows) == 12
    assert all(row.split(": ")[0].endswith("…") and len(row.split(": ")[0]) <= 120 for row in rows[3:])

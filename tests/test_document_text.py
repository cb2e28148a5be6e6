"""Documents' text laid out as HTML."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.models import Block, BlockKind, Document
from qa.offsets import Span
from qa.readers import html as html_reader
from qa.readers import markdown, text
from qa.readers.normalise import TextBuilder
from qa.web.document_text import document_html

PATH = Path("leaflet")
H, P, L, R = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW
Read = Callable[..., Document]
READERS = {".md": markdown.read, ".txt": text.read, ".html": html_reader.read}


def laid_out(
    document: Document, *marked: str, span: Span | None = None, mark_id: str | None = "mark", top: int = 2
) -> str:
    """The whole document, or a span of it, with these words of it marked."""
    marks = [(place, place + len(words)) for words in marked for place in [document.text.index(words)]]
    return document_html(
        document.text, document.blocks, span or (0, len(document.text)), marks, mark_id=mark_id, top=top
    )


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """A function that reads a text as a file of this kind."""

    def read_one(raw: str, suffix: str = ".md") -> Document:
        path = tmp_path / f"leaflet{suffix}"
        path.write_bytes(raw.encode())
        return READERS[suffix](path)

    return read_one


def rows(*texts: str) -> Document:
    """A document of table rows of which the cells are not known."""
    builder = TextBuilder()
    for each in texts:
        builder.begin(R, group="table")
        builder.insert(each)
    return builder.document(PATH)


def items(*levels_and_texts: tuple[int, str]) -> Document:
    """A document of one list."""
    builder = TextBuilder()
    for level, each in levels_and_texts:
        builder.begin(L, level, group="list")
        builder.insert(each)
    return builder.document(PATH)


def table(*filled: dict[int, str], names: dict[int, str] | None = None) -> Document:
    """A document of one table; each row has its cells by column."""
    builder = TextBuilder()
    for row in filled:
        builder.begin(R, group="table")
        for place, value in row.items():
            builder.cell((names or {}).get(place, ""), place)
            builder.insert(value)
    return builder.document(PATH)


def test_headings_never_skip_a_level(read: Read) -> None:
    """A document's highest headings come right below the page's own, and each other one level below the one above."""
    document = read("## Before\n\n#### Food\n\nNone.\n\n#### Drink\n\nWater.\n\n## After\n\n# Home\n")
    assert laid_out(document) == (
        "<h2>Before</h2><h3>Food</h3><p>None.</p><h3>Drink</h3><p>Water.</p><h2>After</h2><h2>Home</h2>"
    )
    assert laid_out(document, top=3).startswith("<h3>Before</h3><h4>Food</h4>")


def test_headings_have_six_levels_at_most(read: Read) -> None:
    """What HTML has no level for gets the lowest."""
    document = read("".join(f"{'#' * level} h{level}\n\n" for level in range(1, 7)))
    assert laid_out(document).endswith("<h6>h5</h6><h6>h6</h6>")


def test_lists_nest() -> None:
    """Deeper items stand in a list within the item above them, however many levels they skip."""
    document = items((1, "one"), (3, "deep"), (2, "less"), (1, "two"))
    assert laid_out(document) == (
        '<ul class="cq-doc-list"><li>one<ul class="cq-doc-list"><li>deep</li></ul>'
        '<ul class="cq-doc-list"><li>less</li></ul></li><li>two</li></ul>'
    )


def test_a_list_may_begin_deep() -> None:
    """A first item that is deeper than the second, as at the top of a page, begins the same list."""
    assert laid_out(items((2, "deep"), (1, "one"), (2, "two"))) == (
        '<ul class="cq-doc-list"><li>deep</li><li>one<ul class="cq-doc-list"><li>two</li></ul></li></ul>'
    )


def test_lists_do_not_nest_without_end() -> None:
    """Beyond six levels items stand beside each other."""
    shown = laid_out(items(*((level, f"at {level}") for level in range(1, 100))))
    assert shown.count("<ul") == 6
    assert shown.count("<li>") == 99
    assert shown.endswith("</li></ul>" * 6)


def test_lists_that_a_blank_line_parts_are_two(read: Read) -> None:
    """Two lists on end stay two."""
    assert laid_out(read("- one\n\n* other\n")) == (
        '<ul class="cq-doc-list"><li>one</li></ul><ul class="cq-doc-list"><li>other</li></ul>'
    )


@pytest.mark.parametrize("mark", ["1.", "12)", "(3)", "a.", "(b)", "C)", "iv.", "2.1.", "☐"])
def test_items_with_marks_of_their_own_get_no_bullet(mark: str) -> None:
    """An item that brings its number, letter or box is known as such."""
    assert laid_out(items((1, f"{mark} Rest"))) == (
        f'<ul class="cq-doc-list"><li class="cq-doc-own">{mark} Rest</li></ul>'
    )


@pytest.mark.parametrize("words", ["2.5 mg twice", "A friend", "1,000 dollars", "Dr. Kim", "N. Okafor", "3"])
def test_items_that_begin_like_a_mark_keep_their_bullet(words: str) -> None:
    """Figures and articles at an item's beginning are no marks."""
    assert "<li>" in laid_out(items((1, words)))


def test_items_show_their_numbers(read: Read) -> None:
    """A number that is not in the text stands before it, to be copied with it, unmarked and without a bullet."""
    document = read("3. Sit\n4. Lie\n   - left\n   - right\n5. Rise\n")
    assert laid_out(document, "Lie") == (
        '<ul class="cq-doc-list"><li class="cq-doc-own"><span class="cq-doc-number">3.</span> Sit</li>'
        '<li class="cq-doc-own"><span class="cq-doc-number">4.</span> <mark id="mark">Lie</mark>'
        '<ul class="cq-doc-list"><li>left</li><li>right</li></ul></li>'
        '<li class="cq-doc-own"><span class="cq-doc-number">5.</span> Rise</li></ul>'
    )


def test_the_rest_of_an_item_has_no_number() -> None:
    """Where an item began on the page before, its number is there; whoever wrote the number, it is escaped."""
    builder = TextBuilder()
    builder.begin(L, 1, marker="<b>&")
    builder.insert("Sit down")
    document = builder.document(PATH)
    assert laid_out(document, span=(4, 8)) == '<ul class="cq-doc-list"><li class="cq-doc-rest">down</li></ul>'
    assert '<span class="cq-doc-number">&lt;b&gt;&amp;</span> Sit' in laid_out(document)


def test_a_table_has_its_names_on_top(read: Read) -> None:
    """Names of columns stand above them once, values below, and what is empty stays so; it scrolls in a named box."""
    document = read("# Fees\n\n| Visit | Price | Note |\n|---|---|---|\n| First | $50 | |\n| | | later |\n")
    assert laid_out(document) == (
        '<h2>Fees</h2><div class="cq-doc-table" role="region" aria-label="Fees" tabindex="0"><table>'
        '<thead><tr><th scope="col">Visit</th><th scope="col">Price</th><th scope="col">Note</th></tr></thead>'
        "<tbody><tr><td>First</td><td>$50</td><td></td></tr><tr><td></td><td></td><td>later</td></tr></tbody>"
        "</table></div>"
    )


def test_a_table_without_names_has_no_header() -> None:
    """Cells without names stand in their columns; one alone in the first column is a title across the table."""
    document = table({0: "Weekdays"}, {0: "9", 2: "5"}, {2: "closed"})
    assert laid_out(document) == (
        '<div class="cq-doc-table" role="region" aria-label="Weekdays" tabindex="0"><table>'
        '<tbody><tr><td class="cq-doc-across" colspan="2">Weekdays</td></tr><tr><td>9</td><td>5</td></tr>'
        "<tr><td></td><td>closed</td></tr></tbody></table></div>"
    )


def test_names_of_rows_are_headers_of_rows(read: Read) -> None:
    """What a table's first column holds is the rows' names where it has none itself, or where a colon follows."""
    unnamed = laid_out(read("| | Mood | Pain |\n|---|---|---|\n| Length | 40 | 90 |\n"))
    assert '<thead><tr><td></td><th scope="col">Mood</th><th scope="col">Pain</th></tr></thead>' in unnamed
    assert '<tr><th scope="row">Length</th><td>40</td><td>90</td></tr>' in unnamed
    marked = laid_out(read("<table><tr><th>Monday<td>9<td>5<tr><th>Open?<td>10<td>4</table>", ".html"))
    assert '<tr><th scope="row">Monday</th><td>9</td><td>5</td></tr>' in marked
    assert '<tr><th scope="row">Open?</th><td>10</td><td>4</td></tr>' in marked
    pairs = laid_out(read("Reach us\n\nPhone: 555 0100\nHours:  9:30 to 5\n", ".txt"))
    assert '<tr><th scope="row">Phone:</th><td>555 0100</td></tr>' in pairs
    assert '<tr><th scope="row">Hours:</th><td>9:30 to 5</td></tr>' in pairs


def test_a_header_that_is_a_row_itself_is_the_header(read: Read) -> None:
    """Where names are too long to be said in each row, the row that says them in full stands on top, and once."""
    long = "alphabet " * 20
    shown = laid_out(read(f"| {long} | Price |\n|---|---|\n| a | $5 |\n"), "alphabet alphabet")
    assert shown.count("Price") == 1
    assert f'<tr><th scope="col"><mark id="mark">alphabet alphabet</mark>{long[17:].rstrip()}</th>' in shown
    assert "<tbody><tr><td>a</td><td>$5</td></tr></tbody>" in shown


def test_columns_keep_their_places_when_cells_span(read: Read) -> None:
    """A cell that spans columns, or rows, leaves the others where they are."""
    raw = (
        "<table><tr><th>Day<th>From<th>To<tr><td rowspan=2>Mon<td>9<td>12<tr><td>13<td>17"
        "<tr><td>Tue<td colspan=2>closed</table>"
    )
    assert (
        "<tbody><tr><td>Mon</td><td>9</td><td>12</td></tr><tr><td>Mon</td><td>13</td><td>17</td></tr>"
        "<tr><td>Tue</td><td>closed</td><td></td></tr></tbody>"
    ) in laid_out(read(raw, ".html"))


def test_a_title_within_a_table_spans_it(read: Read) -> None:
    """A row of one cell, the first, stands across all columns; of two named columns it stays in its own."""
    shown = laid_out(read("| | A | B |\n|---|---|---|\n| Adults | | |\n| Dose | 1 | 2 |\n| | | 3 |\n"))
    assert '<tr><td class="cq-doc-across" colspan="3">Adults</td></tr>' in shown
    assert "<tr><td></td><td></td><td>3</td></tr>" in shown
    named = laid_out(read("| C | A | B |\n|---|---|---|\n| Adults | | |\n| Dose | 1 | 2 |\n"), "Adults")
    assert '<tr><td class="cq-doc-across" colspan="3"><mark id="mark">Adults</mark></td></tr>' in named
    assert "<tr><td>Adults</td><td></td></tr>" in laid_out(read("| C | A |\n|---|---|\n| Adults | |\n| Dose | 1 |\n"))


def test_columns_that_change_their_names_begin_another_table() -> None:
    """No value stands under another column's name."""
    builder = TextBuilder()
    for name in ("Price", "Hours"):
        for value in "12":
            builder.begin(R, group="table")
            builder.cell("Item", 0)
            builder.insert(f"item {value}")
            builder.cell(name, 1)
            builder.insert(value)
    shown = laid_out(builder.document(PATH))
    first, second = shown.split("</table></div>")[:2]
    assert "Price" in first
    assert "Price" not in second
    assert "<td>item 2</td><td>2</td>" in second


def test_rows_whose_cells_are_not_known_are_lines() -> None:
    """They stand as they were read, one below the other."""
    assert laid_out(rows("a; b", "c; d"), "c;") == (
        '<ul class="cq-doc-rows" role="list"><li>a; b</li><li><mark id="mark">c;</mark> d</li></ul>'
    )


def test_a_table_that_is_mostly_empty_stays_small() -> None:
    """A table with thousands of columns, or few filled cells, is no larger on the page than its text allows."""
    wide = table(*({column: f"v{column}"} for column in range(5_000)))
    sparse = table(*({0: "a", 1 + number % 90: "b"} for number in range(900)))
    for document in (wide, sparse):
        shown = laid_out(document)
        assert len(shown) < 20 * len(document.text)
        assert "cq-doc-rows" in shown


def test_cells_that_contradict_their_row_are_not_trusted() -> None:
    """Text that no cell covers is never lost: the row is then shown as it was read."""
    document = table({0: "a", 1: "b", 2: "c"}, {0: "d", 1: "e", 2: "f"})
    first, second = document.blocks
    for cells in (first.cells[:2], first.cells[1:], first.cells[::2], first.cells[::-1], first.cells + first.cells):
        changed = Block(first.kind, first.start, first.end, cells=cells)
        shown = document_html(document.text, [changed, second], (0, len(document.text)), [], mark_id=None)
        assert '<tr><td class="cq-doc-across" colspan="3">a; b; c</td></tr>' in shown


def test_marks_run_over_blocks(read: Read) -> None:
    """A mark over several blocks is one in each, in cells only around values, and the first can be led to."""
    document = read("One two.\n\n- three\n- four\n\n| A | B |\n|---|---|\n| five | six |\n")
    marked = document.text[4 : document.text.index("six") + 2]
    assert laid_out(document, marked) == (
        '<p>One <mark id="mark">two.</mark></p><ul class="cq-doc-list"><li><mark>three</mark></li>'
        '<li><mark>four</mark></li></ul><div class="cq-doc-table" role="region" aria-label="A, B" tabindex="0"><table>'
        '<thead><tr><th scope="col">A</th><th scope="col">B</th></tr></thead>'
        "<tbody><tr><td><mark>five</mark></td><td><mark>si</mark>x</td></tr></tbody></table></div>"
    )
    assert 'id="' not in laid_out(document, marked, mark_id=None)


def test_a_mark_around_what_the_reader_wrote_marks_nothing(read: Read) -> None:
    """The name of a column that is written before a value is shown on top only, and never marked."""
    assert "<mark" not in laid_out(read("| A | B |\n|---|---|\n| five | six |\n"), "; B: ")


def test_a_page_shows_its_own_text_only(read: Read) -> None:
    """Blocks that run over a page's ends are cut there, an item's rest has no bullet, and names of columns stay."""
    document = read("# Care\n\n- first item\n- second item\n\n| A | B |\n|---|---|\n| five | six |\n| 7 | 8 |\n")
    start, end = document.text.index("item"), document.text.index("x\nA")
    assert laid_out(document, "t item", span=(start, end)) == (
        '<ul class="cq-doc-list"><li class="cq-doc-rest"><mark id="mark">item</mark></li><li>second item</li></ul>'
        '<div class="cq-doc-table" role="region" aria-label="Care" tabindex="0"><table>'
        '<thead><tr><th scope="col">A</th><th scope="col">B</th></tr></thead>'
        "<tbody><tr><td>five</td><td>si</td></tr></tbody></table></div>"
    )
    assert laid_out(document, span=(start + 4, start + 5)) == ""
    assert laid_out(document, span=(start, start)) == ""


def test_what_a_document_says_is_never_markup() -> None:
    """Tags, entities and quotes in any kind of block are shown as they were written."""
    evil = "</td><script>alert(1)</script>&amp;\"'<mark>"
    safe = "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&quot;&#x27;&lt;mark&gt;"
    builder = TextBuilder()
    for kind, level in ((H, 1), (P, 0), (L, 1)):
        builder.begin(kind, level)
        builder.insert(evil)
    for group in "ab":
        builder.begin(R, group=group)
        builder.cell(f"{group}{evil}", 0)
        builder.insert(evil)
    document = builder.document(PATH)
    shown = laid_out(document, evil)
    assert shown.count(safe) == shown.count("script") // 2 == 9
    assert shown.count("<mark") == shown.count('<mark id="mark">') == 1
    assert f'aria-label="{safe[:20]}' in shown


def test_what_turns_the_direction_of_text_ends_with_its_block() -> None:
    """Readers take such characters and controls out; one that comes all the same stands in an element of its own."""
    words = "pay \u202e05$\x07 now"
    blocks = [Block(P, 0, len(words)), Block(P, len(words) + 2, 2 * len(words) + 2)]
    shown = document_html(f"{words}\n\n{words}", blocks, (0, 2 * len(words) + 2), [], mark_id=None)
    assert shown == f"<p>{words}</p><p>{words}</p>"


# What is seen is told from names of columns by its letters.
values = st.text(st.sampled_from("abc <>&\"'\u202e\x00é;:.1"), min_size=1, max_size=12)
cells = st.dictionaries(st.integers(0, 3), values, min_size=1, max_size=4).map(lambda row: dict(sorted(row.items())))
tables = st.tuples(
    st.dictionaries(st.integers(0, 3), st.sampled_from(["N", "MM", "K?", "L:"])), st.lists(cells, max_size=4)
)
written = st.one_of(
    st.tuples(st.sampled_from([H, P, L]), st.integers(1, 9), values),
    st.tuples(st.just(R), st.just(0), tables),
)


def build(parts: list[tuple[BlockKind, int, object]]) -> TextBuilder:
    builder = TextBuilder()
    for number, (kind, level, content) in enumerate(parts):
        if isinstance(content, str):
            marker = f"{number}." if kind is L and level % 2 else ""
            builder.begin(kind, level, group="list" if kind is L else None, marker=marker)
            builder.insert(content)
            continue
        assert isinstance(content, tuple)
        names, body = content
        for row in body:
            builder.begin(R, group=("table", number))
            for place, value in row.items():
                if value.strip("\u202e\x00 "):
                    builder.cell(names.get(place, ""), place)
                    builder.insert(value)
    return builder


class Seen(HTMLParser):
    """What a page shows besides names of columns and numbers of items: each character, and whether it is marked."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.characters: list[tuple[str, bool]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser's
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"thead", "span"} & set(self._open):
            self.characters += [(character, "mark" in self._open) for character in data if not character.isspace()]


@given(st.lists(written, min_size=1, max_size=8), st.data())
def test_every_character_is_shown_once_and_marks_cover_what_was_asked(
    parts: list[tuple[BlockKind, int, object]], data: st.DataObject
) -> None:
    """All that a document itself says is there in its order, whatever the span, and just what is to be marked is."""
    builder = build([*parts, (P, 0, "end")])
    document = builder.document(PATH)
    places = st.integers(0, len(document.text))
    spans = st.tuples(places, places).map(lambda pair: (min(pair), max(pair)))
    span = data.draw(spans, "span")
    marks = data.draw(st.lists(spans, max_size=4), "marks")
    own = [
        place
        for block in document.blocks
        for start, end in ([(cell.start, cell.end) for cell in block.cells] or [(block.start, block.end)])
        for place in range(max(start, span[0]), min(end, span[1]))
        if not document.text[place].isspace()
    ]
    shown = document_html(document.text, document.blocks, span, marks, mark_id="mark")
    assert Seen(shown).characters == [
        (document.text[place], any(start <= place < end for start, end in marks)) for place in own
    ]
    assert shown.count('id="mark"') == ("<mark" in shown)

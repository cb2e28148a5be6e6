"""Reading Markdown: structure, front matter, and exact places in the raw text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import Reader, cells, check_places, items, reading, texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa.errors import BrokenDocument, EmptyDocument, MetadataError
from qa.models import BlockKind, Document
from qa.readers.markdown import read

H, P, L, R = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW


@pytest.fixture
def parsed(tmp_path: Path) -> Reader:
    """A function that reads a text as a Markdown file."""
    return reading(read, tmp_path / "leaflet.md")


def words(raw: str, document: Document) -> list[tuple[str, str]]:
    """Each word with what stands at its place in the raw text."""
    return [
        (match.group(), raw[slice(*document.offsets.to_raw(match.span()))])
        for match in re.finditer(r"\S+", document.text)
    ]


def test_structure_and_paths(parsed: Reader) -> None:
    """Headings have levels and paths, items have levels, and quotes and code are paragraphs."""
    raw = (
        "# Visit\n\nHello.\n\nBefore\n------\n\n- one\n  1. two\n\n     more\n- [x] three\n\n* other\n\n"
        "> quoted\n> words\n\n```sh\nrun this\n  now\n```\n"
    )
    document = parsed(raw)
    assert document.title == "Visit"
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        (H, 1, "Visit"),
        (P, 0, "Hello."),
        (H, 2, "Before"),
        (L, 1, "one"),
        (L, 2, "two"),
        (P, 0, "more"),
        (L, 1, "three"),
        (L, 1, "other"),
        (P, 0, "quoted words"),
        (P, 0, "run this now"),
    ]
    assert document.blocks[-1].headings == ("Visit", "Before")
    assert "three\n\nother" in document.text
    assert "one\ntwo\n\nmore" in document.text


def test_items_of_ordered_lists_have_numbers(parsed: Reader) -> None:
    """Items count from the list's first number as Markdown does, each list for itself; bullets have none."""
    document = parsed(
        "3. Sit\n3. Lie\n\n   Quietly.\n   1) Left\n   2) Right\n   - Both\n7. Rise\n\n***\n\n"
        "0. Zero\n1. One\n\n- bullet\n"
    )
    assert items(document) == [
        *("[3.] Sit", "[4.] Lie", "[1)] Left", "[2)] Right", "[] Both", "[5.] Rise"),
        *("[0.] Zero", "[1.] One", "[] bullet"),
    ]
    assert document.text.startswith("Sit\nLie\n\nQuietly.\n\nLeft\nRight\nBoth\nRise\n\nZero")


def test_ordered_lists_in_raw_html_have_numbers(parsed: Reader) -> None:
    """What HTML within Markdown counts is counted as HTML does."""
    assert items(parsed('1. one\n\n<ol start="4" type="a">\n<li>Sit</li>\n<li>Lie</li>\n</ol>\n')) == [
        *("[1.] one", "[d.] Sit", "[e.] Lie"),
    ]


def test_marks_vanish_and_words_stay(parsed: Reader) -> None:
    """Emphasis, code marks and addresses go; the texts of links, pictures, escapes and references stay."""
    raw = (
        '**Bold** [link](http://a.b/link "link") link ![the alt](alt.png) alt `co de`\n[named][n] \\* &amp; <b>tag</b>'
        " <http://c.d>\n\n[n]: http://x\n"
    )
    assert parsed(raw).text == "Bold link link the alt alt co de named * & tag http://c.d"


def test_every_word_has_its_own_place(parsed: Reader) -> None:
    """A word is found where it stands, not in an address or mark before it, for every kind of newline."""
    lines = [
        "Intro *text* and [alt](alt.html) alt",
        "> quote *over*",
        "> lines `code",
        "> span`",
        "",
        "| Name | Dose |",
        "|--|--|",
        "| Dose | a \\| b |",
    ]
    for newline in ("\n", "\r\n", "\r"):
        raw = newline.join(lines)
        document = parsed(raw)
        for word, found in words(raw, document):
            assert found.strip("*`") == word.rstrip(";") or word in ("Name:", "Dose:")
        second = document.text.index("alt alt") + 4
        assert document.offsets.to_raw((second, second + 3))[0] == raw.rindex("alt")


def test_tables_name_their_columns(parsed: Reader) -> None:
    """A row is "Column: value" pairs without its empty cells; a header alone is a row itself."""
    document = parsed("| Drug | Dose |\n|---|---|\n| **A** | 5 mg |\n| | 6 mg |\n")
    assert document.text == "Drug: A; Dose: 5 mg\nDose: 6 mg"
    assert {block.kind for block in document.blocks} == {R}
    assert cells(document) == [[(0, "Drug: ", "A"), (1, "Dose: ", "5 mg")], [(1, "Dose: ", "6 mg")]]
    assert parsed("| Drug | Dose |\n|---|---|\n").text == "Drug; Dose"


def test_raw_html_is_reduced_to_its_text(parsed: Reader) -> None:
    """Tags, comments, scripts and styles within Markdown vanish; their neighbours stay."""
    raw = (
        "<div><p>One</p><style>x</style>\n<ul><li>Two</li></ul></div>\n\na <script>bad</script> b<br>c\n\n<!-- no -->\n"
    )
    document = parsed(raw)
    assert texts(document) == ["One", "Two", "a b c"]
    assert "script" not in document.text


def test_an_unclosed_comment_is_told(parsed: Reader) -> None:
    """What hides behind a comment without an end is missed with a warning that names its line."""
    document = parsed("# A\n\n<!-- open\n\nlost\n")
    assert document.warnings == ("<!-- on line 3 is never closed; nothing after it was read",)


def test_nesting_beyond_the_limit_is_told(parsed: Reader) -> None:
    """Lists and quotes nested beyond the parser's limit are missed with a warning."""
    assert parsed("# A\n\n" + ">" * 200 + " deep\n").warnings == (
        "lists and quotes are nested too deep; the innermost were not read",
    )


def test_front_matter_is_not_text(parsed: Reader) -> None:
    """Front matter is parsed, gives the title, and shifts the places of the text but is no part of it."""
    raw = "---\r\ntitle: 'My  leaflet'\r\napproved_on: 2026-01-02\r\n---\r\n# First\r\n\r\nHello you\r\n"
    document = parsed(raw)
    assert document.front_matter == {"title": "My  leaflet", "approved_on": "2026-01-02"}
    assert document.title == "My leaflet"
    assert document.text == "First\n\nHello you"
    assert raw[slice(*document.offsets.to_raw((7, 16)))] == "Hello you"


@pytest.mark.parametrize(
    "raw", ["---\n\ntext\n", "text\n\n---\na: b\n---\n", "--- x\na: b\n---\ntext\n", " ---\na: b\n---\n"]
)
def test_a_rule_is_no_front_matter(parsed: Reader, raw: str) -> None:
    """Dashes that do not open front matter on the first line leave it empty."""
    assert parsed(raw).front_matter == {}


@pytest.mark.parametrize(
    ("front", "found"),
    [
        ("a: [1\nb: 2", "line 3"),
        ("a: &x 1\nb: *x", "line 2"),
        ("a: 1\na: 2", "line 3"),
        ("- a", "a list"),
        ("just words", "text"),
        ("a: " + "[" * 5000, "more than 8 levels"),
        ("a: '" + "x" * 70_000 + "'", "70,"),
    ],
)
def test_bad_front_matter_is_refused(parsed: Reader, front: str, found: str) -> None:
    """Broken, hostile or shapeless YAML is an error that says what was found, with its line where it has one."""
    with pytest.raises(MetadataError) as caught:
        parsed(f"---\n{front}\n---\ntext\n")
    assert found in str(caught.value)


def test_front_matter_is_text_as_it_stands(parsed: Reader) -> None:
    """A version keeps its zero, and no tag makes anything of a value."""
    raw = "---\nversion: 1.10\nlanguage: no\nodd: !!python/object/apply:os.getcwd []\n---\ntext\n"
    assert parsed(raw).front_matter == {"version": "1.10", "language": "no", "odd": []}


def test_front_matter_without_an_end_is_refused(parsed: Reader) -> None:
    """A key after the opening dashes is front matter, also when its end was forgotten."""
    with pytest.raises(MetadataError, match="no line '---'"):
        parsed("---\naudience: staff\n\ntext\n")


def test_nothing_to_show_is_empty(parsed: Reader) -> None:
    """Front matter alone is an empty document, and a picture under the wrong name a broken one."""
    with pytest.raises(EmptyDocument):
        parsed("---\na: b\n---\n")
    with pytest.raises(BrokenDocument):
        parsed("GIF8\x00\x01")


snippets = st.sampled_from(
    [
        "word",
        "*em*",
        "**b**",
        "`c`",
        "[l](u)",
        "![a](b)",
        "&amp;",
        "\\*",
        "\n",
        "\n\n",
        "> ",
        "- ",
        "1. ",
        "# ",
        "|",
        " ",
        "<b>",
        "é",
    ]
)


@given(st.lists(snippets, max_size=25).map("".join))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_copied_characters_map_to_themselves(parsed: Reader, raw: str) -> None:
    """Every copied character of any Markdown stands at its place, and blocks have no white space at their ends."""
    try:
        document = parsed(raw)
    except EmptyDocument:
        return
    check_places(document, raw)


def test_a_long_column_name_is_not_repeated_whole(parsed: Reader) -> None:
    """Rows carry at most 120 characters of a column's name; the header stands once, whole, so that nothing is lost."""
    name = " ".join(f"word{number}" for number in range(1_000))
    document = parsed(f"|{name}|Price|\n|-|-|\n" + "|a|1|\n" * 50)
    header, *rows = texts(document, R)
    assert header == f"{name}; Price"
    assert len(rows) == 50
    assert all(len(row) < 150 and row.startswith("word0 word1") and row.endswith("…: a; Price: 1") for row in rows)


def test_very_many_columns_are_not_all_named(parsed: Reader) -> None:
    """Beyond 50 columns a row's values stand without names, and the header stands once, whole."""
    names = [f"name{'x' * number}" for number in range(60)]
    bar = "|".join
    document = parsed(f"|{bar(names)}|\n|{bar('-' * 60)}|\n|{bar('v' * 60)}|\n")
    header, row = texts(document, R)
    assert header == "; ".join(names)
    assert row.count(": v") == 50
    assert row.endswith("; v" * 10)


def test_a_long_heading_is_not_repeated_whole(parsed: Reader) -> None:
    """Blocks know at most 300 characters of each heading above them; the heading's own block has all of it."""
    document = parsed("# " + "word " * 1_000 + "\n\nText.\n\n## Deep\n\nMore.\n")
    assert len(texts(document, H)[0]) == 4_999
    assert max(len(heading) for block in document.blocks for heading in block.headings) <= 300

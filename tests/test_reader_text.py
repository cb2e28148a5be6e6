"""Reading plain text: encodings, and structure told from the look of the lines."""

from __future__ import annotations

import codecs
import random
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from builders import Reader, cells, reading, texts
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import qa.parse
from qa.errors import BrokenDocument, EmptyDocument, TooLarge
from qa.models import BlockKind, Document
from qa.offsets import Span
from qa.readers import text_tables
from qa.readers.decode import decode
from qa.readers.lines import Line, split_lines
from qa.readers.normalise import normalise
from qa.readers.text import read

H, P, L, R = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW
LONG = (
    "Water fasting before the visit is short, and most people manage it without trouble, because the nurse offers "
    "juice and crackers soon after the drip is taken out."
)
ARTICLE = f"""Light Therapy and Low Mood

{LONG}

What Is a Light Box

{LONG} It is brighter than a lamp.
{LONG}

Signs to Look For

People notice some of these in the autumn.

  • Sleeping longer
  • Craving sweets
  • Less joy

How It Helps

{LONG}


{LONG}

hugs from Ada and Ben
"""


@pytest.fixture
def parsed(tmp_path: Path) -> Reader:
    """A function that reads a text as a file."""
    return reading(read, tmp_path / "leaflet.txt")


def shape(document: Document) -> list[tuple[BlockKind, int, str]]:
    return [(block.kind, block.level, document.text[block.start : block.end]) for block in document.blocks]


def test_an_article_without_marks_has_title_headings_lists_and_paragraphs(parsed: Reader) -> None:
    """Short lines that stand alone are headings, glyphs make items, long lines are paragraphs, a sign-off is text."""
    document = parsed(ARTICLE)
    assert document.title == "Light Therapy and Low Mood"
    assert texts(document, H) == [
        "Light Therapy and Low Mood",
        "What Is a Light Box",
        "Signs to Look For",
        "How It Helps",
    ]
    assert texts(document, L) == ["Sleeping longer", "Craving sweets", "Less joy"]
    assert "Sleeping longer\nCraving sweets\nLess joy\n\nHow It Helps" in document.text
    assert texts(document, P).count(LONG) == 4
    assert document.blocks[-1].kind is P
    assert document.blocks[-1].headings == ("Light Therapy and Low Mood", "How It Helps")


def test_lines_of_a_fixed_width_are_one_paragraph(parsed: Reader) -> None:
    """Where lines break mid-sentence at one width they are joined, across a paragraph's items as well."""
    raw = (
        "Before you come\n\nPlease do not eat anything for four hours before your visit, and\n"
        "drink only clear water for the last two of these hours before it\nbegins.\n\n"
        "- Bring a friend or somebody of your family who can take you home\n  afterwards by car.\n- Bring a list.\n"
    )
    document = parsed(raw)
    assert texts(document, P) == [normalise(raw.split("\n\n")[1])]
    assert texts(document, L) == [
        "Bring a friend or somebody of your family who can take you home afterwards by car.",
        "Bring a list.",
    ]


def test_an_export_without_blank_lines_keeps_its_headings(parsed: Reader) -> None:
    """With one line for each paragraph and no blank lines, a short line above a long one is a heading."""
    document = parsed(f"Your visit\n{LONG}\nAfter your visit\n{LONG}\n{LONG}\n")
    assert [kind for kind, _, _ in shape(document)] == [H, P, H, P, P]


def test_marked_headings_and_their_levels(parsed: Reader) -> None:
    """Underlines, capitals and numbers make headings, the stronger mark the higher level."""
    raw = (
        f"Care Guide\n==========\n\n{LONG}\n\nCOSTS\n{LONG}\n\nDeposits\n--------\n\n{LONG}\n\n"
        f"1. Refunds\n\n{LONG}\n\n1.1 Late refunds\n\n{LONG}\n"
    )
    document = parsed(raw)
    assert [(level, text) for kind, level, text in shape(document) if kind is H] == [
        (1, "Care Guide"),
        (2, "COSTS"),
        (3, "Deposits"),
        (4, "1. Refunds"),
        (5, "1.1 Late refunds"),
    ]
    assert "=" not in document.text


def test_numbers_that_follow_each_other_are_a_list(parsed: Reader) -> None:
    """Numbered lines on end are items, together or apart, and keep their numbers."""
    for gap in ("\n", "\n\n"):
        document = parsed(f"Steps\n\n{LONG}\n\n1. Park the car{gap}2. Ring the bell{gap}3. Sit down\n\n{LONG}\n")
        assert texts(document, L) == ["1. Park the car", "2. Ring the bell", "3. Sit down"]


def test_a_number_within_a_sentence_is_no_item(parsed: Reader) -> None:
    """A wrapped line that happens to begin with a number stays in its paragraph."""
    raw = (
        "The programme is open to everybody who is older than eighteen and under\n65. Others can ask us by telephone.\n"
    )
    assert texts(parsed(raw)) == [normalise(raw)]


@pytest.mark.parametrize(
    "raw",
    [
        "Q: How long does it take?\nA: About an hour.\n\nQ: Does it hurt?\nA: No, it does not.\n",
        "How long does it take?\nAbout an hour, in most cases.\n\nDoes it hurt?\nNo, it does not.\n",
        "Fees and Visits\n\nHow long does it take?\n\nAbout an hour.\n\nDoes it hurt?\n\nNo.\n",
    ],
)
def test_a_question_heads_its_answer(parsed: Reader, raw: str) -> None:
    """Each question of a list of frequent questions is the heading of what follows it."""
    document = parsed(raw)
    answers = [block.headings[-1] for block in document.blocks if block.kind is P]
    assert [answer.removeprefix("Q: ") for answer in answers] == ["How long does it take?", "Does it hurt?"]


def test_questions_among_questions_are_no_headings(parsed: Reader) -> None:
    """A list of questions to ask has no answers under it."""
    raw = f"Ask us\n\n{LONG}\n\nWhat does it cost?\nWho drives me home?\nCan I eat?\n\n{LONG}\n"
    assert texts(parsed(raw), H) == ["Ask us"]


def test_rows_name_their_columns(parsed: Reader) -> None:
    """Cells between bars or tabs become rows with the header's names; key and value lines become rows as they are."""
    bars = parsed("Fees\n\nVisit | Price\n----- | -----\nFirst | $50\nLater | $40\n")
    assert texts(bars, R) == ["Visit: First; Price: $50", "Visit: Later; Price: $40"]
    tabs = parsed("Visit\tPrice\nFirst\t$50\nLater\t$40\n")
    assert texts(tabs, R) == ["Visit: First; Price: $50", "Visit: Later; Price: $40"]
    assert cells(tabs)[1] == [(0, "Visit: ", "Later"), (1, "Price: ", "$40")]
    keys = parsed(f"Reach us\n\n{LONG}\n\nPhone: 555 0100\nHours: 9 to 5\n")
    assert texts(keys, R) == ["Phone: 555 0100", "Hours: 9 to 5"]
    assert keys.text.endswith("Phone: 555 0100\nHours: 9 to 5")
    assert cells(keys) == [[(0, "", "Phone:"), (1, "", "555 0100")], [(0, "", "Hours:"), (1, "", "9 to 5")]]


def test_nested_items_have_levels(parsed: Reader) -> None:
    """Deeper indents are deeper levels."""
    document = parsed("- one\n  - two\n    - three\n  - four\n- five\n")
    assert [(level, text) for _, level, text in shape(document)] == [
        (1, "one"),
        (2, "two"),
        (3, "three"),
        (2, "four"),
        (1, "five"),
    ]


@pytest.mark.parametrize("line", ["Dear Anna,", "Call us at 555-0100.", "www.example.org", "2026-01-02", "yes"])
def test_a_short_line_is_not_always_a_heading(parsed: Reader, line: str) -> None:
    """Greetings, sentences, addresses, dates and small letters are no headings, also where they stand alone."""
    assert texts(parsed(f"{LONG}\n\n{line}\n\n{LONG}\n"), H) == []


def test_many_short_lines_on_end_are_no_headings(parsed: Reader) -> None:
    """An address with blank lines between its lines stays text."""
    document = parsed(f"{LONG}\n\nClinic House\n\nLong Lane\n\nOld Town\n\n{LONG}\n")
    assert texts(document, H) == []


def test_a_label_above_text_is_a_heading_and_a_lead_in_is_not(parsed: Reader) -> None:
    """A section's label above a paragraph is a heading; a line that introduces a list is not."""
    document = parsed(f"Abstract:\n\n{LONG}\n\nPlease bring:\n- a list\n- a friend\n")
    assert texts(document, H) == ["Abstract:"]
    assert "Please bring:" in texts(document, P)


marks = st.sampled_from(["- ", "1. ", "2) ", "• ", "Q: ", "A: ", "  ", "* ", "1.2 ", ""])
words = st.text(st.sampled_from("abcXYZ09?.:,;()é\u00a0\u2003\u200b\ufb01 \t"), min_size=1, max_size=70)
rules = st.sampled_from(["----", "====", "", ""])
line_texts = st.one_of(st.builds(lambda mark, text: mark + text, marks, words), rules)


@given(st.lists(line_texts, max_size=12), st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(["a\tb", "c\td"], "\n")
def test_nothing_is_lost_and_every_span_is_exact(parsed: Reader, lines: list[str], newline: str) -> None:
    """Every character but white space, bullets and rules is in a block, and blocks map back to the same words."""
    raw = newline.join(lines)
    try:
        document = parsed(raw)
    except EmptyDocument:
        assert not re.search(r"\w", raw)
        return
    kept = Counter(normalise(raw).replace(" ", ""))
    shown = Counter(document.text.replace(" ", "").replace("\n", ""))
    assert set(kept - shown) <= set("-=•*")
    for block in document.blocks:
        if block.kind is not R:
            start, end = document.offsets.to_raw((block.start, block.end))
            assert normalise(raw[start:end]) == document.text[block.start : block.end]


def test_offsets_survive_every_kind_of_newline(parsed: Reader) -> None:
    """Each word of the text stands in the raw text where its offsets say, whatever the newlines are."""
    for newline in ("\n", "\r\n", "\r"):
        raw = ARTICLE.replace("\n", newline)
        document = parsed(raw)
        for match in re.finditer(r"\S+", document.text):
            assert raw[slice(*document.offsets.to_raw(match.span()))] == match.group()


def test_many_small_files_are_read_in_seconds(tmp_path: Path) -> None:
    """A file of two kilobytes takes well under three milliseconds, so that twenty thousand take under a minute."""
    chooser = random.Random(7)  # noqa: S311  # no secret
    path = tmp_path / "a.txt"
    path.write_text(" ".join(chooser.choice(LONG.split()) for _ in range(350)), encoding="utf-8")
    started = time.perf_counter()
    for _ in range(200):
        read(path)
    assert time.perf_counter() - started < 0.6


def test_other_encodings_are_read_with_a_warning(tmp_path: Path) -> None:
    """A byte order mark needs no guess; other text is read by its best guess, which the warning names."""
    text = "The café’s “naïve” fee is £50 – call us."
    path = tmp_path / "a.txt"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert decode(text.encode(encoding), path) == (text, ())
    assert decode(codecs.BOM_UTF16_BE + text.encode("utf-16-be"), path) == (text, ())
    warning = "not UTF-8; read as cp1252; check its accents"
    assert decode(text.encode("cp1252"), path) == (text, (warning,))
    polish = "Zażółć gęślą jaźń. Leczenie zaburzeń lękowych w naszej klinice. " * 3
    assert decode(polish.encode("cp1250"), path)[0] == polish
    path.write_bytes("Café hours\n\nWe open at nine.".encode("cp1252"))
    document = read(path)
    assert (document.title, document.warnings) == ("Café hours", (warning,))


def test_newlines_are_not_translated() -> None:
    """The raw text keeps its newlines and loses only its byte order mark."""
    assert decode(b"\xef\xbb\xbfa\r\nb\rc\n", Path("a.txt"))[0] == "a\r\nb\rc\n"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 100,
        bytes(range(256)) * 20,
        b"\x00" * 50,
        b"%PDF-1.7\n",
        b"PK\x03\x04rest",
        b"\xff\xfea",
        b"a\x01\x02" * 9,
    ],
)
def test_what_is_no_text_is_broken(data: bytes) -> None:
    """Pictures, archives and random bytes are refused with what was found and expected."""
    with pytest.raises(BrokenDocument) as caught:
        decode(data, Path("a.txt"))
    assert caught.value.found
    assert caught.value.expected


@pytest.mark.parametrize("data", [b"", b" \r\n\t", b"\xef\xbb\xbf", b"\xff\xfe", "\u00a0\u2003".encode()])
def test_what_holds_no_text_is_empty(data: bytes) -> None:
    """White space, a lone byte order mark and no bytes are an empty document."""
    with pytest.raises(EmptyDocument):
        decode(data, Path("a.txt"))


def test_lines_that_only_draw_are_empty(parsed: Reader) -> None:
    """A file of rules holds no text."""
    with pytest.raises(EmptyDocument):
        parsed("-----\n\n=====\n")


def test_a_long_column_name_is_not_repeated_whole(parsed: Reader) -> None:
    """Rows carry at most 120 characters of a column's name; the header stands once, whole, so that nothing is lost."""
    name = "word " * 500 + "end"
    document = parsed(f"|{name}|Price|\n|---|---|\n" + "|a|1|\n" * 50)
    header, *rows = texts(document, R)
    assert header == f"{name}; Price"
    assert len(rows) == 50
    assert all(len(row) < 150 and row.endswith("word…: a; Price: 1") for row in rows)


def test_many_rules_on_end_are_looked_at_a_few_times_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of table rules alone takes steps that grow with its lines and not with their square."""
    looked_at: list[Line] = []
    cells = text_tables._cells

    def watched(line: Line, separator: str) -> list[Span]:
        looked_at.append(line)
        return cells(line, separator)

    monkeypatch.setattr(text_tables, "_cells", watched)
    lines = split_lines("|--|--|\n" * 500)
    assert text_tables.find_tables(lines) == {}
    assert len(looked_at) <= 10 * len(lines)


def test_too_much_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document over the limit on characters is refused with its size and what to do; one at the limit is read."""
    path = tmp_path / "long.txt"
    path.write_text("a" * 1_001)
    monkeypatch.setattr(qa.parse, "MOST_CHARACTERS", 1_001)
    assert len(qa.parse.read("text", path).text) == 1_001
    monkeypatch.setattr(qa.parse, "MOST_CHARACTERS", 1_000)
    with pytest.raises(TooLarge) as caught:
        qa.parse.read("text", path)
    assert (caught.value.found, caught.value.expected) == ("1,001 characters", "at most 1,000")
    assert caught.value.remedy == "Split it into several files."

"""Raw text to normalised text, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import EmptyDocument
from qa.models import BlockKind, Document
from qa.offsets import OffsetMap
from qa.readers.normalise import BLANKS, LIGATURES, TextBuilder, normalise

PATH = Path("leaflet.txt")
ODD = "ab Z\u00e9\n\r\t\u00a0\u2003\u202f\u3000\u00ad\u200b\u200d\u2060\ufeff\x00\x1c\ufb01\ufb04\ufb06\U0001f600"
raw_texts = st.text(st.sampled_from(ODD) | st.characters(exclude_categories=["Cs"]), max_size=60)


def one_block(raw: str) -> Document:
    builder = TextBuilder(raw)
    builder.begin(BlockKind.PARAGRAPH)
    builder.copy(0, len(raw))
    return builder.document(PATH)


def mapped(document: Document) -> dict[int, int]:
    """Each copied character's place in the raw text; all letters of a ligature have the ligature's."""
    return {
        start + k: raw + (k if length == raw_length else 0)
        for start, raw, length, raw_length in zip(*document.offsets.columns, strict=True)
        for k in range(length)
    }


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  one \n two\t\tthree ", "one two three"),
        ("5\u00a0mg\u2009twice\u202fdaily", "5 mg twice daily"),
        ("in\u00adfu\u200bsion\ufeff", "infusion"),
        ("a \u200b b", "a b"),
        ("e\ufb00ect of \ufb02uid", "effect of fluid"),
        ("bell\x07s", "bells"),
    ],
)
def test_spaces_fold_and_invisible_characters_go(raw: str, expected: str) -> None:
    """White space becomes one space, invisible characters vanish and ligatures become letters."""
    assert normalise(raw) == expected
    assert one_block(raw).text == expected


@given(raw_texts)
def test_copied_text_is_the_normalised_text(raw: str) -> None:
    """Copying a whole text into a block gives what `normalise` gives."""
    if normalise(raw):
        assert one_block(raw).text == normalise(raw)
    else:
        with pytest.raises(EmptyDocument):
            one_block(raw)


@given(raw_texts)
def test_every_copied_character_maps_to_its_like(raw: str) -> None:
    """A copied character stands in the raw text as itself, as white space or as its ligature."""
    if not normalise(raw):
        return
    document = one_block(raw)
    places = mapped(document)
    assert sorted(places) == list(range(len(document.text)))
    assert list(places.values()) == sorted(places.values())
    for index, place in places.items():
        shown, found = document.text[index], raw[place]
        assert shown == found or (shown == " " and found.isspace()) or shown in LIGATURES.get(found, "")


@given(st.lists(st.tuples(raw_texts, st.booleans()), max_size=6))
def test_blocks_never_touch_white_space(parts: list[tuple[str, bool]]) -> None:
    """Blocks neither start nor end with white space, and what stands between them is white space only."""
    raw = "".join(text for text, _ in parts)
    builder = TextBuilder(raw)
    start = 0
    for text, grouped in parts:
        builder.begin(BlockKind.LIST_ITEM, level=1, group="list" if grouped else None)
        builder.copy(start, start + len(text))
        builder.insert(" ; ")
        builder.copy(start, start + len(text))
        start += len(text)
    if not parts:
        return
    document = builder.document(PATH)
    end = 0
    for block in document.blocks:
        text = document.text[block.start : block.end]
        assert text
        assert text == text.strip(BLANKS)
        assert document.text[end : block.start].strip() == ""
        end = block.end
    assert end == len(document.text)


def test_neighbours_of_a_list_are_one_line_apart() -> None:
    """One newline stands between items of one list, two between all other blocks."""
    builder = TextBuilder()
    for group, text in (("a", "1"), ("a", "2"), ("b", "3"), (None, "4"), (None, "5")):
        builder.begin(BlockKind.LIST_ITEM, level=1, group=group)
        builder.insert(text)
    assert builder.document(PATH).text == "1\n2\n\n3\n\n4\n\n5"


def test_headings_above_a_block_are_its_path() -> None:
    """A heading replaces those of its own level and deeper in the path of what follows."""
    builder = TextBuilder()
    for level, text in ((1, "A"), (3, "B"), (2, "C"), (0, "text")):
        builder.begin(BlockKind.HEADING if level else BlockKind.PARAGRAPH, level=level)
        builder.insert(text)
    assert [block.headings for block in builder.document(PATH).blocks] == [(), ("A",), ("A",), ("A", "C")]


def test_inserted_text_has_no_place() -> None:
    """Inserted text does not widen the raw span of the text around it, and text alone leaves the map empty."""
    builder = TextBuilder("dose|5 mg")
    builder.begin(BlockKind.TABLE_ROW)
    builder.cell("Dose")
    builder.copy(5, 9)
    document = builder.document(PATH)
    assert document.text == "Dose: 5 mg"
    assert document.offsets.to_raw((0, len(document.text))) == (5, 9)
    plain = TextBuilder()
    plain.begin(BlockKind.PARAGRAPH)
    plain.insert("text")
    assert plain.document(PATH).offsets == OffsetMap()


@given(st.lists(st.lists(st.tuples(raw_texts, raw_texts), max_size=4), max_size=4))
def test_cells_are_where_they_were_written(table: list[list[tuple[str, str]]]) -> None:
    """A cell's span holds its value, and before that its column's name; cells without text leave no trace."""
    raw = "".join(value for row in table for _, value in row)
    builder = TextBuilder(raw)
    start = 0
    for row in table:
        builder.begin(BlockKind.TABLE_ROW, group="table")
        for place, (name, value) in enumerate(row):
            if normalise(value):
                builder.cell(normalise(name), 2 * place)
                builder.copy(start, start + len(value))
            start += len(value)
    if not normalise(raw):
        return
    document = builder.document(PATH)
    filled = [
        [(2 * place, normalise(name), normalise(value)) for place, (name, value) in enumerate(row) if normalise(value)]
        for row in table
    ]
    assert [
        [(cell.column, _name(document.text[cell.name : cell.start]), document.text[cell.start : cell.end])]
        for block in document.blocks
        for cell in block.cells
    ] == [[(column, _name(f"{name}: " if name else ""), value)] for row in filled for column, name, value in row]


def _name(written: str) -> str:
    """A column's name without the colon or space after it."""
    return written.rstrip(" :?")


def test_cells_stand_beside_each_other_unless_told() -> None:
    """Without a place a cell is one column to the right of the one before, and text after its end is none of it."""
    builder = TextBuilder()
    builder.begin(BlockKind.TABLE_ROW)
    for place in (None, None, 5, None):
        builder.cell("", place)
        builder.insert("x")
    builder.end_cell()
    builder.insert(" rest")
    (block,) = builder.document(PATH).blocks
    assert [(cell.column, cell.start, cell.end) for cell in block.cells] == [
        (0, 0, 1),
        (1, 3, 4),
        (5, 6, 7),
        (6, 9, 10),
    ]


def test_nothing_at_all_is_an_error() -> None:
    """A document without a block is refused, with the file's name."""
    with pytest.raises(EmptyDocument, match=r"leaflet\.txt"):
        TextBuilder("").document(PATH)

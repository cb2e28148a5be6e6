"""Where a quote is marked: over every word of it, line by line, or nowhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evidence.locate import Mark, locate, together
from qa.geometry import Box, Geometry, Stretch
from qa.models import Block, BlockKind, Cell
from qa.offsets import Span

HEIGHT, WIDTH, SPACE, LEADING = 0.02, 0.01, 0.005, 0.025  # of a line; of a character, a space; between lines


def set_in(text: str, start: int, x: float, y: float, columns: int = 30, page: int = 1) -> list[Stretch]:
    """The words of `text`, which begins at `start`, in lines of at most so many characters from this corner."""
    stretches, across, down = [], x, y
    for word in re.finditer(r"\S+", text):
        wide = len(word.group()) * WIDTH
        if across + wide > x + columns * WIDTH:
            across, down = x, down + LEADING
        box = Box(across, down, across + wide, down + HEIGHT)
        stretches.append(Stretch((start + word.start(), start + word.end()), page, box))
        across += wide + SPACE
    return stretches


def paragraph(start: int, end: int, page: int = 1) -> Block:
    return Block(BlockKind.PARAGRAPH, start, end, page=page)


TEXT = "No food for eight hours before it. Water is fine."
WORDS = set_in(TEXT, 0, 0.1, 0.1)
BLOCKS = [paragraph(0, len(TEXT))]


def test_the_words_of_a_line_are_one_mark() -> None:
    """One rectangle for each line, over its words and the spaces between them."""
    marks = locate((0, 34), TEXT, BLOCKS, Geometry.of(WORDS))
    assert marks == (Mark(1, Box(0.1, 0.1, 0.375, 0.12)), Mark(1, Box(0.1, 0.125, 0.13, 0.145)))


def test_every_character_must_have_a_place() -> None:
    """A quote of which one word has no stretch is not marked at all; its neighbors are."""
    known = Geometry.of([word for word in WORDS if TEXT[slice(*word.span)] != "food"])
    assert locate((0, 34), TEXT, BLOCKS, known) is None
    assert locate((8, 34), TEXT, BLOCKS, known) is not None
    assert locate((0, 34), TEXT, BLOCKS, Geometry()) is None


def test_part_of_a_stretch_is_not_all_of_its_word() -> None:
    """Where a stretch holds less than the word, the rest of the word has no place."""
    known = Geometry.of([*WORDS[:1], Stretch((3, 5), 1, WORDS[1].box), *WORDS[2:]])
    assert locate((0, 11), TEXT, BLOCKS, known) is None
    assert locate((0, 5), TEXT, BLOCKS, known) is not None


@pytest.mark.parametrize("span", [(0, 0), (2, 3), (49, 60), (7, 7)])
def test_nothing_to_mark_is_not_marked(span: Span) -> None:
    """A span without a visible character has no marks."""
    assert locate(span, TEXT, BLOCKS, Geometry.of(WORDS)) is None


def test_a_word_taken_in_part_is_marked_whole() -> None:
    """A quote that begins or ends inside of a word marks the word, unless that were much more than was quoted."""
    whole = locate((0, 7), TEXT, BLOCKS, Geometry.of(WORDS))
    assert locate((1, 5), TEXT, BLOCKS, Geometry.of(WORDS)) == whole
    line = "x" * 60
    alone = Geometry.of([Stretch((0, 60), 1, Box(0.1, 0.1, 0.7, 0.12))])
    assert locate((10, 50), line, [paragraph(0, 60)], alone) == (Mark(1, Box(0.1, 0.1, 0.7, 0.12)),)
    assert locate((20, 50), line, [paragraph(0, 60)], alone) is None


def test_a_word_divided_over_a_line_end_has_both_its_parts() -> None:
    """Both parts are marked, each on its line."""
    text = "an infusion"
    parts = [
        Stretch((0, 2), 1, Box(0.7, 0.1, 0.72, 0.12)),
        Stretch((3, 5), 1, Box(0.73, 0.1, 0.76, 0.12)),
        Stretch((5, 11), 1, Box(0.1, 0.125, 0.16, 0.145)),
    ]
    marks = (Mark(1, Box(0.7, 0.1, 0.76, 0.12)), Mark(1, Box(0.1, 0.125, 0.16, 0.145)))
    assert locate((0, 11), text, [paragraph(0, 11)], Geometry.of(parts)) == marks
    assert locate((0, 11), text, [paragraph(0, 11)], Geometry.of(parts[:2])) is None


def test_columns_keep_their_own_marks() -> None:
    """A quote from the foot of one column to the head of the next has a mark in each, and none over the gutter."""
    text = "left column right column"
    words = [*set_in("left column", 0, 0.1, 0.9), *set_in("right column", 12, 0.55, 0.1)]
    marks = locate((0, 24), text, [paragraph(0, 24)], Geometry.of(words))
    assert marks == (Mark(1, Box(0.1, 0.9, 0.205, 0.92)), Mark(1, Box(0.55, 0.1, 0.665, 0.12)))
    level = [*set_in("left column", 0, 0.1, 0.1), *set_in("right column", 12, 0.55, 0.1)]
    assert len(locate((0, 24), text, [paragraph(0, 24)], Geometry.of(level)) or ()) == 2


def test_a_quote_over_a_page_break_needs_both_pages() -> None:
    """With both pages' geometries it has marks on both; with one page's it cannot be placed."""
    text = "before it after it"
    first, second = set_in("before it", 0, 0.1, 0.9, page=3), set_in("after it", 10, 0.1, 0.1, page=4)
    pages = [Geometry.of(second), Geometry.of(first)]
    marks = locate((0, 18), text, [paragraph(0, 18, page=3)], together(pages))
    assert [mark.page for mark in marks or ()] == [3, 4]
    assert locate((0, 18), text, [paragraph(0, 18, page=3)], pages[0]) is None
    assert together([]) == Geometry()


ROW = "Item: Booster; Price: $410"
CELLS = (Cell(0, 0, 6, 13), Cell(1, 15, 22, 26))
TABLE = Geometry.of([*set_in("Booster", 6, 0.1, 0.1), *set_in("$410", 22, 0.18, 0.1)])


def test_a_row_is_marked_cell_by_cell() -> None:
    """What the reader wrote between the cells stands nowhere and is not asked for; cells side by side stay apart."""
    row = [Block(BlockKind.TABLE_ROW, 0, 26, cells=CELLS)]
    marks = (Mark(1, Box(0.1, 0.1, 0.17, 0.12)), Mark(1, Box(0.18, 0.1, 0.22, 0.12)))
    assert locate((0, 26), ROW, row, TABLE) == marks
    assert locate((0, 13), ROW, row, TABLE) == marks[:1]
    assert locate((13, 22), ROW, row, TABLE) is None
    assert locate((0, 26), ROW, [Block(BlockKind.TABLE_ROW, 0, 26)], TABLE) is None


def test_blocks_keep_their_own_marks() -> None:
    """A heading that stands on one line with its paragraph is a mark of its own."""
    text = "Note. Ask us."
    words = [*set_in("Note.", 0, 0.1, 0.1), *set_in("Ask us.", 6, 0.155, 0.1)]
    blocks = [Block(BlockKind.HEADING, 0, 5, level=1), paragraph(6, 13)]
    assert len(locate((0, 13), text, blocks, Geometry.of(words)) or ()) == 2


def test_a_raised_number_is_on_its_line() -> None:
    """A small raised figure is in the mark of the word before it."""
    text = "dose 3"
    words = [Stretch((0, 4), 1, Box(0.1, 0.1, 0.14, 0.12)), Stretch((5, 6), 1, Box(0.141, 0.096, 0.146, 0.108))]
    assert locate((0, 6), text, [paragraph(0, 6)], Geometry.of(words)) == (Mark(1, Box(0.1, 0.096, 0.146, 0.12)),)


@pytest.mark.parametrize("upward", [True, False])
def test_lines_that_run_up_or_down_the_page_are_marked(upward: bool) -> None:
    """Words of text that stands on its side are one mark for a line, and lines beside each other are two."""
    text = "along the spine second line"
    words = [*set_in("along the spine", 0, 0.1, 0.1), *set_in("second line", 16, 0.1, 0.125)]

    def on_its_side(box: Box) -> Box:
        low, high = (1 - box.x1, 1 - box.x0) if upward else (box.x0, box.x1)
        return Box(box.y0, low, box.y1, high)

    turned = Geometry.of([Stretch(word.span, word.page, on_its_side(word.box)) for word in words])
    flat = locate((0, 27), text, [paragraph(0, 27)], Geometry.of(words))
    assert flat is not None
    expected = tuple(Mark(1, on_its_side(mark.box)) for mark in flat)
    marks = locate((0, 27), text, [paragraph(0, 27)], turned)
    assert marks is not None
    assert [(mark.page, pytest.approx(mark.box.y0), pytest.approx(mark.box.y1)) for mark in marks] == [
        (mark.page, mark.box.y0, mark.box.y1) for mark in expected
    ]


@given(st.integers(0, 49), st.integers(0, 49), st.sets(st.integers(0, len(WORDS) - 1)))
def test_marks_cover_exactly_the_words_of_the_quote(one: int, other: int, lost: set[int]) -> None:
    """Marks hold the middle of every word that the quote shares a letter with and of no other, or there are none."""
    start, end = sorted((one, other))
    kept = Geometry.of([word for number, word in enumerate(WORDS) if number not in lost])
    marks = locate((start, end), TEXT, BLOCKS, kept)
    touched = [number for number, word in enumerate(WORDS) if max(word.span[0], start) < min(word.span[1], end)]
    if marks is None:
        assert not touched or lost & set(touched)
        return
    assert not lost & set(touched)
    for number, word in enumerate(WORDS):
        x, y = (word.box.x0 + word.box.x1) / 2, (word.box.y0 + word.box.y1) / 2
        inside = [mark for mark in marks if mark.box.x0 < x < mark.box.x1 and mark.box.y0 < y < mark.box.y1]
        assert len(inside) == (number in touched)

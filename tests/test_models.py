from __future__ import annotations

import pytest

from qa.offsets import OffsetMap


def test_an_empty_map_changes_nothing() -> None:
    """Without pieces the raw text is the normalised text."""
    assert OffsetMap().to_raw((3, 9)) == (3, 9)


@pytest.mark.parametrize(
    ("span", "raw"),
    [
        ((0, 5), (2, 7)),  # the first piece
        ((1, 4), (3, 6)),  # inside it
        ((6, 9), (10, 13)),  # the second, after one character that was put in
        ((0, 9), (2, 13)),  # over both
    ],
)
def test_spans_go_back_to_the_raw_text(span: tuple[int, int], raw: tuple[int, int]) -> None:
    """A span is mapped piece by piece; what the reader put in takes no place of its own."""
    # raw "##Hello...abc", normalised "Hello abc": "Hello" from 2, "abc" from 10, the space between was put in
    offsets = OffsetMap(normalised=(0, 6), raw=(2, 10), length=(5, 3), raw_length=(5, 3))
    assert offsets.to_raw(span) == raw


@pytest.mark.parametrize(
    ("span", "raw"), [((0, 3), (0, 8)), ((0, 2), (0, 2)), ((2, 3), (2, 8)), ((3, 5), (8, 10)), ((2, 5), (2, 10))]
)
def test_what_stands_for_more_is_mapped_as_a_whole(span: tuple[int, int], raw: tuple[int, int]) -> None:
    """One character that stands for a reference such as `&amp;` has all of it as its place."""
    # raw "Q &#38; A" with its six-character reference, normalised "Q & A"
    offsets = OffsetMap(normalised=(0, 2, 3), raw=(0, 2, 8), length=(2, 1, 2), raw_length=(2, 6, 2))
    assert offsets.to_raw(span) == raw


def test_lists_of_different_length_are_refused() -> None:
    """A map that cannot be right is not made."""
    with pytest.raises(ValueError, match="one length"):
        OffsetMap(normalised=(0,), raw=(0, 1), length=(1,), raw_length=(1,))

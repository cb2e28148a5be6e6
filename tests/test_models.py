from __future__ import annotations

import pytest

from qa.models import OffsetMap


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
    offsets = OffsetMap(normalised=(0, 6), raw=(2, 10), length=(5, 3))
    assert offsets.to_raw(span) == raw


def test_lists_of_different_length_are_refused() -> None:
    """A map that cannot be right is not made."""
    with pytest.raises(ValueError, match="one length"):
        OffsetMap(normalised=(0,), raw=(0, 1), length=(1,))

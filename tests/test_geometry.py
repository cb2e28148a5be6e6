"""Where words stand: what a span of text has on its pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.geometry import UNITS, Box, Geometry, Stretch

ONE = Stretch((0, 4), 1, Box(0.1, 0.2, 0.3, 0.25))
TWO = Stretch((5, 9), 1, Box(0.3125, 0.2, 0.5, 0.25))
THREE = Stretch((10, 12), 2, Box(0.1, 0.5, 0.2, 0.55))
GEOMETRY = Geometry.of([THREE, ONE, TWO])


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((0, 12), [ONE, TWO, THREE]),
        ((0, 4), [ONE]),
        ((3, 6), [ONE, TWO]),
        ((4, 5), []),
        ((9, 10), []),
        ((11, 12), [THREE]),
        ((6, 6), []),
        ((12, 20), []),
    ],
)
def test_a_span_has_the_stretches_it_shares_characters_with(span: tuple[int, int], expected: list[Stretch]) -> None:
    """Stretches that only touch the span are not among them."""
    assert list(GEOMETRY.stretches(span)) == expected


def test_a_page_has_its_own_stretches_only() -> None:
    """What stands on another page is left out."""
    assert list(GEOMETRY.of_page(2).stretches((0, 99))) == [THREE]
    assert not GEOMETRY.of_page(3)


def test_boxes_are_kept_to_the_page() -> None:
    """A box that sticks out of the page ends at its edge."""
    (kept,) = Geometry.of([Stretch((0, 1), 1, Box(-0.5, 0.9, 0.5, 1.2))]).stretches((0, 1))
    assert kept.box == Box(0.0, 0.9, 0.5, 1.0)


def test_columns_have_one_length() -> None:
    """A geometry with a number missing is refused."""
    with pytest.raises(ValueError, match="one length"):
        Geometry((1,), (2,), (1,), (0,), (0,), (0,))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(0, 60), st.integers(0, 60))
def test_stretches_are_found_as_by_looking_at_each(lengths: list[int], start: int, end: int) -> None:
    """For any words and any span, the stretches are those that a plain comparison gives."""
    places, at = [], 0
    for number, length in enumerate(lengths):
        places.append(Stretch((at, at + length), 1, Box(number / UNITS, 0, 1, 1)))
        at += length + number % 2
    expected = [each for each in places if start < end and each.span[0] < end and start < each.span[1]]
    assert list(Geometry.of(places).stretches((start, end))) == expected

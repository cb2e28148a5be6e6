"""A document survives being stored: as it was, to the last character."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.document_json import from_json, to_json
from qa.models import Block, BlockKind, Document, OffsetMap, Page

whole = st.integers(min_value=0, max_value=2**40)
texts = st.text(max_size=40)
blocks = st.builds(
    Block,
    kind=st.sampled_from(BlockKind),
    start=whole,
    end=whole,
    headings=st.lists(texts, max_size=3).map(tuple),
    page=whole,
    level=whole,
)
pages = st.builds(Page, label=texts, start=whole, end=whole)
offsets = st.lists(st.tuples(whole, whole, whole), max_size=5).map(
    lambda rows: OffsetMap(*(tuple(column) for column in zip(*rows, strict=True))) if rows else OffsetMap()
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.dates()
    | st.datetimes(timezones=st.sampled_from([None, UTC]))
)
keys = st.text(max_size=10) | st.integers() | st.dates() | st.sampled_from(["$date", "$map", "$set", "$tuple"])
yaml_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(keys, inner, max_size=3)
        | st.sets(st.integers() | texts, max_size=3)
        | st.tuples(st.integers(), inner)
    ),
    max_leaves=8,
)
documents = st.builds(
    Document,
    text=texts,
    blocks=st.lists(blocks, max_size=5).map(tuple),
    pages=st.lists(pages, max_size=3).map(tuple),
    title=st.none() | texts,
    offsets=offsets,
    front_matter=st.dictionaries(st.text(max_size=10), yaml_values, max_size=4),
    warnings=st.lists(texts, max_size=3).map(tuple),
)


@given(documents)
def test_round_trip(document: Document) -> None:
    """What is read back from JSON text equals what was written."""
    assert from_json(json.loads(json.dumps(to_json(document)))) == document


def test_front_matter_keeps_its_types() -> None:
    """Dates, times, bytes, sets and odd keys come back as what they were, not as text."""
    front_matter: dict[str, object] = {
        "approved_on": date(2026, 1, 2),
        "seen": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "raw": b"\x00\xff",
        "tags": {"a", "b"},
        "by_day": {1: "open", date(2026, 1, 1): None},
        "$date": "just a word",
    }
    again = from_json(json.loads(json.dumps(to_json(Document("", (), front_matter=front_matter)))))
    assert again.front_matter == front_matter
    assert type(again.front_matter["approved_on"]) is date


def test_a_heading_path_is_written_once() -> None:
    """A hundred blocks under one heading store its path once."""
    data = to_json(Document("x" * 100, tuple(Block(BlockKind.PARAGRAPH, i, i + 1, ("Fees",)) for i in range(100))))
    assert data["headings"] == [["Fees"]]


@pytest.mark.parametrize("data", [{}, {"format": 0}])
def test_refuses_another_format(data: dict[str, Any]) -> None:
    """What another version stored is refused, not guessed at."""
    with pytest.raises(ValueError, match="not a stored document"):
        from_json(data)


def test_refuses_front_matter_it_could_not_give_back() -> None:
    """A value of a type that YAML does not give is refused at writing."""
    with pytest.raises(TypeError, match="complex cannot be stored"):
        to_json(Document("", (), front_matter={"x": 1j}))

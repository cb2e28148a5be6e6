"""A document survives being stored: as it was, to the last character."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.document_json import from_json, to_json
from qa.geometry import Geometry
from qa.models import Block, BlockKind, Cell, Document, Page, PageKind
from qa.offsets import OffsetMap

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
    cells=st.lists(st.builds(Cell, whole, whole, whole, whole), max_size=3).map(tuple),
    marker=texts,
)
pages = st.builds(Page, label=texts, start=whole, end=whole, recognised=st.booleans())
geometries = st.lists(st.tuples(*[whole] * 7), max_size=5).map(
    lambda rows: Geometry(*zip(*rows, strict=True)) if rows else Geometry()
)
offsets = st.lists(st.tuples(whole, whole, whole, whole), max_size=5).map(
    lambda rows: OffsetMap(*(tuple(column) for column in zip(*rows, strict=True))) if rows else OffsetMap()
)
values = st.recursive(
    st.none() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
documents = st.builds(
    Document,
    text=texts,
    blocks=st.lists(blocks, max_size=5).map(tuple),
    pages=st.lists(pages, max_size=3).map(tuple),
    title=st.none() | texts,
    offsets=offsets,
    front_matter=st.dictionaries(st.text(max_size=10), values, max_size=4),
    warnings=st.lists(texts, max_size=3).map(tuple),
    page_kind=st.sampled_from(PageKind),
    geometry=geometries,
)


@given(documents)
def test_round_trip(document: Document) -> None:
    """What is read back from JSON text equals what was written."""
    assert from_json(json.loads(json.dumps(to_json(document)))) == document


def test_a_heading_path_is_written_once() -> None:
    """A hundred blocks under one heading store its path once."""
    data = to_json(Document("x" * 100, tuple(Block(BlockKind.PARAGRAPH, i, i + 1, ("Fees",)) for i in range(100))))
    assert data["headings"] == [["Fees"]]


@pytest.mark.parametrize("data", [{}, {"format": 0}])
def test_refuses_another_format(data: dict[str, Any]) -> None:
    """What another version stored is refused, not guessed at."""
    with pytest.raises(ValueError, match="not a stored document"):
        from_json(data)

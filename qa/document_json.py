"""A `Document` as JSON and back, exactly: for the worker's answer and the parse cache."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from qa.geometry import Geometry
from qa.models import Block, BlockKind, Cell, Document, Page, PageKind
from qa.offsets import OffsetMap

FORMAT = 3


def to_json(document: Document) -> dict[str, Any]:
    """The document as JSON values. Blocks are rows of numbers, and each heading path is written once."""
    paths: dict[tuple[str, ...], int] = {}
    blocks = [
        [b.kind, b.start, b.end, paths.setdefault(b.headings, len(paths)), b.page, b.level, cells_json(b), b.marker]
        for b in document.blocks
    ]
    return {
        "format": FORMAT,
        "text": document.text,
        "headings": [list(path) for path in paths],
        "blocks": blocks,
        "pages": [list(astuple(page)) for page in document.pages],
        "page_kind": document.page_kind.value,
        "geometry": [list(column) for column in document.geometry.columns],
        "title": document.title,
        "offsets": [list(column) for column in document.offsets.columns],
        "front_matter": document.front_matter,
        "warnings": list(document.warnings),
    }


def from_json(data: dict[str, Any]) -> Document:
    """The document that `to_json` wrote; `ValueError` for another format."""
    if data.get("format") != FORMAT:
        raise ValueError(f"not a stored document (found format {data.get('format')!r}, expected {FORMAT})")
    paths = [tuple(path) for path in data["headings"]]
    return Document(
        text=data["text"],
        blocks=tuple(
            Block(BlockKind(kind), start, end, paths[path], page, level, cells_of(cells), marker)
            for kind, start, end, path, page, level, cells, marker in data["blocks"]
        ),
        pages=tuple(Page(*page) for page in data["pages"]),
        title=data["title"],
        offsets=OffsetMap(*(tuple(column) for column in data["offsets"])),
        front_matter=data["front_matter"],
        warnings=tuple(data["warnings"]),
        page_kind=PageKind(data["page_kind"]),
        geometry=Geometry(*(tuple(column) for column in data["geometry"])),
    )


def cells_json(block: Block) -> list[tuple[int, ...]]:
    """The cells of a table's row, as rows of numbers."""
    return [astuple(cell) for cell in block.cells]


def cells_of(rows: list[list[int]]) -> tuple[Cell, ...]:
    """The cells that `cells_json` wrote."""
    return tuple(Cell(*row) for row in rows)

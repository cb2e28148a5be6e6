"""A `Document` as JSON and back, exactly: for the worker's answer and the parse cache."""

from __future__ import annotations

from typing import Any

from qa.models import Block, BlockKind, Document, Page
from qa.offsets import OffsetMap

FORMAT = 2


def to_json(document: Document) -> dict[str, Any]:
    """The document as JSON values. Blocks are rows of numbers, and each heading path is written once."""
    paths: dict[tuple[str, ...], int] = {}
    blocks = [
        [b.kind.value, b.start, b.end, paths.setdefault(b.headings, len(paths)), b.page, b.level]
        for b in document.blocks
    ]
    return {
        "format": FORMAT,
        "text": document.text,
        "headings": [list(path) for path in paths],
        "blocks": blocks,
        "pages": [[page.label, page.start, page.end] for page in document.pages],
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
            Block(BlockKind(kind), start, end, paths[path], page, level)
            for kind, start, end, path, page, level in data["blocks"]
        ),
        pages=tuple(Page(label, start, end) for label, start, end in data["pages"]),
        title=data["title"],
        offsets=OffsetMap(*(tuple(column) for column in data["offsets"])),
        front_matter=data["front_matter"],
        warnings=tuple(data["warnings"]),
    )

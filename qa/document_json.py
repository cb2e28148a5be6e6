"""A `Document` as JSON and back, exactly: for the worker's answer and the parse cache."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import date, datetime
from typing import Any

from qa.models import Block, BlockKind, Document, OffsetMap, Page

FORMAT = 1


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
        "offsets": [list(document.offsets.normalised), list(document.offsets.raw), list(document.offsets.length)],
        "front_matter": _pack(document.front_matter),
        "warnings": list(document.warnings),
    }


def from_json(data: dict[str, Any]) -> Document:
    """The document that `to_json` wrote; `ValueError` for another format."""
    if data.get("format") != FORMAT:
        raise ValueError(f"not a stored document (found format {data.get('format')!r}, expected {FORMAT})")
    paths = [tuple(path) for path in data["headings"]]
    normalised, raw, length = data["offsets"]
    return Document(
        text=data["text"],
        blocks=tuple(
            Block(BlockKind(kind), start, end, paths[path], page, level)
            for kind, start, end, path, page, level in data["blocks"]
        ),
        pages=tuple(Page(label, start, end) for label, start, end in data["pages"]),
        title=data["title"],
        offsets=OffsetMap(tuple(normalised), tuple(raw), tuple(length)),
        front_matter=_unpack(data["front_matter"]),
        warnings=tuple(data["warnings"]),
    )


def _pack(value: object) -> Any:  # noqa: ANN401 - any JSON value
    """What YAML's safe loader gives, as JSON: values that JSON does not know become `{"$kind": …}`."""
    match value:
        case datetime():
            return {"$datetime": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
        case bytes():
            return {"$bytes": b64encode(value).decode("ascii")}
        case set():
            return {"$set": [_pack(item) for item in sorted(value, key=repr)]}
        case tuple():
            return {"$tuple": [_pack(item) for item in value]}
        case list():
            return [_pack(item) for item in value]
        case dict() if any(not isinstance(key, str) or key.startswith("$") for key in value):
            return {"$map": [[_pack(key), _pack(item)] for key, item in value.items()]}
        case dict():
            return {key: _pack(item) for key, item in value.items()}
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"front matter of type {type(value).__name__} cannot be stored")


def _unpack(value: Any) -> Any:  # noqa: ANN401 - any JSON value in, any YAML value out
    match value:
        case {"$datetime": text, **rest} if not rest:
            return datetime.fromisoformat(text)
        case {"$date": text, **rest} if not rest:
            return date.fromisoformat(text)
        case {"$bytes": text, **rest} if not rest:
            return b64decode(text)
        case {"$set": items, **rest} if not rest:
            return {_unpack(item) for item in items}
        case {"$tuple": items, **rest} if not rest:
            return tuple(_unpack(item) for item in items)
        case {"$map": pairs, **rest} if not rest:
            return {_unpack(key): _unpack(item) for key, item in pairs}
        case list():
            return [_unpack(item) for item in value]
        case dict():
            return {key: _unpack(item) for key, item in value.items()}
        case _:
            return value

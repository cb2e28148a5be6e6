"""The passages, documents and texts of one index, in one read-only SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from qa.audience import Audience
from qa.document_json import cells_json, cells_of
from qa.geometry import Geometry
from qa.index.contract import IndexedDocument, Source
from qa.models import (
    Block,
    BlockKind,
    CorpusDocument,
    Document,
    Metadata,
    Page,
    PageKind,
    Passage,
    SignOff,
    Status,
    passage_id,
)
from qa.offsets import OffsetMap

_SCHEMA = """
create table documents (
    number integer primary key,
    id text not null unique,
    digest text not null,
    metadata text not null,   -- JSON
    text blob not null,       -- zlib-compressed
    text_digest text not null, -- SHA-256, hexadecimal
    places blob not null,     -- zlib-compressed JSON: offsets, pages, what they are
    blocks blob not null,     -- zlib-compressed JSON
    first integer not null,   -- its passages are numbered from `first` up to, but not including, `after`
    after integer not null
);
create table passages (
    number integer primary key,
    document integer not null,
    start integer not null,
    end integer not null,
    headings text not null,   -- JSON
    pages text not null,      -- JSON
    tokens integer not null,
    lead_in text not null
);
create table geometry (
    document integer not null,
    page integer not null,
    words blob not null,      -- zlib-compressed differences of 32-bit numbers
    primary key (document, page)
) without rowid;
"""
Row = tuple[Any, ...]  # its columns are of several types

_COLUMNS = "number, document, start, end, headings, pages, tokens, lead_in"
_TEXTS = 64  # documents whose text stays unpacked


def write_store(path: Path, documents: Sequence[CorpusDocument], passages: Sequence[Sequence[Passage]]) -> None:
    """Write documents and, for each, its passages. Passages are numbered from 0 through all documents."""
    connection = sqlite3.connect(path)
    try:
        connection.executescript(f"pragma journal_mode = off; pragma synchronous = off; {_SCHEMA}")
        first = 0
        for number, (entry, cut) in enumerate(zip(documents, passages, strict=True)):
            text = entry.document.text.encode("utf-8", "surrogatepass")
            connection.execute(
                "insert into documents values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number,
                    entry.id,
                    entry.digest,
                    json.dumps(asdict(entry.metadata), default=date.isoformat),
                    zlib.compress(text, level=6),
                    sha256(text).hexdigest(),
                    _packed_places(entry.document),
                    _packed_blocks(entry.document),
                    first,
                    first + len(cut),
                ),
            )
            connection.executemany(
                "insert into passages values (?, ?, ?, ?, ?, ?, ?, ?)",
                [(first + place, number, *_passage_row(passage)) for place, passage in enumerate(cut)],
            )
            geometry = entry.document.geometry
            connection.executemany(
                "insert into geometry values (?, ?, ?)",
                [(number, page, _packed_geometry(geometry.of_page(page))) for page in sorted(set(geometry.page))],
            )
            first += len(cut)
        connection.commit()
    finally:
        connection.close()


class PassageStore:
    """An opened store; one connection, used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._one_at_a_time = threading.Lock()
        self._text = lru_cache(maxsize=_TEXTS)(self._unpacked_text)

    @classmethod
    def open(cls, path: Path) -> PassageStore:
        """Open a store that nobody writes to any more."""
        address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        return cls(sqlite3.connect(address, uri=True, check_same_thread=False))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def documents(self) -> list[IndexedDocument]:
        """All documents, in the order of their passages."""
        rows = self._rows("select id, digest, metadata, first, after from documents order by number", ())
        return [
            IndexedDocument(id_, digest, _metadata(metadata), range(first, after))
            for id_, digest, metadata, first, after in rows
        ]

    def passages(self, numbers: Iterable[int]) -> list[Passage]:
        """The passages with these numbers, in this order. Raises KeyError for a number that is not there."""
        wanted = [int(number) for number in numbers]
        marks = ", ".join("?" * len(wanted))
        # The marks are question marks and the columns a constant: nothing here comes from outside.
        rows = self._rows(f"select {_COLUMNS} from passages where number in ({marks})", wanted)  # noqa: S608
        found = {number: self._passage(document, rest) for number, document, *rest in rows}
        return [found[number] for number in wanted]

    def source(self, document_id: str) -> Source:
        """What `document_id` was cut from. Raises KeyError for a document that is not there."""
        number, packed = self._row_of(document_id, "number, places")
        places = json.loads(zlib.decompress(packed))
        return Source(
            text=self._text(number)[1],
            offsets=OffsetMap(*(tuple(column) for column in places["offsets"])),
            pages=tuple(Page(*page) for page in places["pages"]),
            page_kind=PageKind(places["page_kind"]),
        )

    def is_intact(self, document_id: str) -> bool:
        """Whether a document's text is the one that was written. Raises KeyError for a document that is not there."""
        number, digest = self._row_of(document_id, "number, text_digest")
        return sha256(self._text(number)[1].encode("utf-8", "surrogatepass")).hexdigest() == str(digest)

    def blocks(self, document_id: str) -> tuple[Block, ...]:
        """The blocks of a document, without their headings. Raises KeyError for a document that is not there."""
        rows = json.loads(zlib.decompress(self._row_of(document_id, "blocks")[0]))
        return tuple(
            Block(BlockKind(kind), start, end, page=page, level=level, cells=cells_of(cells), marker=marker)
            for kind, start, end, page, level, cells, marker in rows
        )

    def geometry(self, document_id: str, page: int) -> Geometry:
        """Where the words of a page stand. Raises KeyError for a document that is not there."""
        (number,) = self._row_of(document_id, "number")
        rows = self._rows("select words from geometry where document = ? and page = ?", (number, page))
        return _unpacked_geometry(rows[0][0], page) if rows else Geometry()

    def _passage(self, document: int, row: Sequence[Any]) -> Passage:
        start, end, headings, pages, tokens, lead_in = row
        document_id, text = self._text(document)
        return Passage(
            id=passage_id(document_id, (start, end)),
            document_id=document_id,
            text=text[start:end],
            start=start,
            end=end,
            headings=tuple(json.loads(headings)),
            pages=tuple(json.loads(pages)),
            tokens=tokens,
            lead_in=lead_in,
        )

    def _unpacked_text(self, document: int) -> tuple[str, str]:
        """A document's id and text."""
        id_, packed = self._rows("select id, text from documents where number = ?", [document])[0]
        return id_, zlib.decompress(packed).decode("utf-8", "surrogatepass")

    def headings(self, numbers: range) -> list[str]:
        """The innermost heading of each of these passages, in order, without repetitions."""
        rows = self._rows(
            "select headings from passages where number >= ? and number < ? order by number",
            (numbers.start, numbers.stop),
        )
        paths = [json.loads(row[0]) for row in rows]
        return list(dict.fromkeys(path[-1] for path in paths if path))

    def _row_of(self, document_id: str, columns: str) -> Row:
        """These columns, which are constants of this module, of one document."""
        rows = self._rows(f"select {columns} from documents where id = ?", [document_id])  # noqa: S608 - see above
        if not rows:
            raise KeyError(document_id)
        return rows[0]

    def _rows(self, query: str, values: Sequence[object]) -> list[Row]:
        with self._one_at_a_time:
            return self._connection.execute(query, values).fetchall()


def _packed_places(document: Document) -> bytes:
    places = {
        "offsets": document.offsets.columns,
        "pages": [astuple(page) for page in document.pages],
        "page_kind": document.page_kind,
    }
    return _packed(places)


def _packed_blocks(document: Document) -> bytes:
    return _packed([[b.kind, b.start, b.end, b.page, b.level, cells_json(b), b.marker] for b in document.blocks])


def _packed(values: object) -> bytes:
    return zlib.compress(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(), level=6)


def _packed_geometry(geometry: Geometry) -> bytes:
    """The columns but for the page, each as differences, which are small and compress well."""
    columns = np.array([column for column in geometry.columns if column is not geometry.page], dtype="<i4")
    return zlib.compress(np.diff(columns, axis=1, prepend=0).astype("<i4").tobytes(), level=6)


def _unpacked_geometry(packed: bytes, page: int) -> Geometry:
    differences = np.frombuffer(zlib.decompress(packed), dtype="<i4").reshape(6, -1)
    start, end, *sides = (tuple(column) for column in np.cumsum(differences, axis=1).tolist())
    return Geometry(start, end, (page,) * len(start), *sides)


def _passage_row(passage: Passage) -> Row:
    return (
        passage.start,
        passage.end,
        json.dumps(passage.headings, ensure_ascii=False),
        json.dumps(passage.pages),
        passage.tokens,
        passage.lead_in,
    )


def _metadata(packed: str) -> Metadata:
    values = json.loads(packed)
    for key in ("approved_on", "review_by"):
        values[key] = date.fromisoformat(values[key]) if values[key] else None
    # A generation that was built before there were sign-offs has none.
    values["signed_off"] = tuple(
        SignOff(**{**signed, "on": date.fromisoformat(signed["on"])}) for signed in values.get("signed_off", ())
    )
    return Metadata(**{**values, "audience": Audience(values["audience"]), "status": Status(values["status"])})

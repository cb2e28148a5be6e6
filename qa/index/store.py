"""The passages, documents and texts of one index, in one read-only SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from qa.audience import Audience
from qa.index.contract import IndexedDocument, Source
from qa.models import CorpusDocument, Metadata, Page, Passage, SignOff, Status, passage_id
from qa.offsets import OffsetMap

_SCHEMA = """
create table documents (
    number integer primary key,
    id text not null unique,
    digest text not null,
    metadata text not null,   -- JSON
    text blob not null,       -- zlib-compressed
    places blob not null,     -- zlib-compressed JSON: offsets, pages
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
            connection.execute(
                "insert into documents values (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number,
                    entry.id,
                    entry.digest,
                    json.dumps(asdict(entry.metadata), default=date.isoformat),
                    zlib.compress(entry.document.text.encode("utf-8", "surrogatepass"), level=6),
                    _packed_places(entry),
                    first,
                    first + len(cut),
                ),
            )
            connection.executemany(
                "insert into passages values (?, ?, ?, ?, ?, ?, ?, ?)",
                [(first + place, number, *_passage_row(passage)) for place, passage in enumerate(cut)],
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
        rows = self._rows("select number, places from documents where id = ?", [document_id])
        if not rows:
            raise KeyError(document_id)
        number, packed = rows[0]
        places = json.loads(zlib.decompress(packed))
        return Source(
            text=self._text(number)[1],
            offsets=OffsetMap(*(tuple(column) for column in places["offsets"])),
            pages=tuple(Page(*page) for page in places["pages"]),
        )

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

    def _rows(self, query: str, values: Sequence[object]) -> list[Row]:
        with self._one_at_a_time:
            return self._connection.execute(query, values).fetchall()


def _packed_places(entry: CorpusDocument) -> bytes:
    document = entry.document
    places = {
        "offsets": document.offsets.columns,
        "pages": [(page.label, page.start, page.end) for page in document.pages],
    }
    return zlib.compress(json.dumps(places, ensure_ascii=False).encode(), level=6)


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

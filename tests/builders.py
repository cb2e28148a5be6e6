"""Documents and passages for tests, written as they read."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np

from qa.answer import Library
from qa.audience import Audience
from qa.confidence import FEATURES, Confidence
from qa.conflicts import Conflict
from qa.eligibility import AsBuilt
from qa.embed import Embedder, Vectors
from qa.index.faiss_index import FaissIndex, write_index
from qa.judge import Judge
from qa.models import (
    Block,
    BlockKind,
    CorpusDocument,
    Document,
    EmbeddedText,
    Metadata,
    Page,
    Passage,
    Status,
    pages_of,
)
from qa.passage_vectors import PassageVectors, encode_passages, word_tokens
from qa.readers.normalise import normalise
from qa.settings import Passages
from qa.token_codec import TokenCodec

Reader = Callable[[str], Document]

# Looks at the similarity alone: below 0.5 it answers nothing, at 1 it is as sure as it gets: 1 / (1 + exp(-3)) or 0.95.
BY_SIMILARITY = Confidence(
    features=FEATURES,
    means=(0.5,) * len(FEATURES),
    scales=(0.1,) * len(FEATURES),
    coefficients=tuple(1.0 if name == "similarity" else 0.0 for name in FEATURES),
    intercept=0.0,
    threshold=0.5,
    sure=0.9,
)

H, P, L, T = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW


def document(*blocks: tuple[BlockKind, str] | tuple[BlockKind, str, int], pages: tuple[Page, ...] = ()) -> Document:
    """A document of these blocks, joined by blank lines; the third value of a heading is its level."""
    text = ""
    made: list[Block] = []
    path: list[tuple[int, str]] = []
    for kind, content, *rest in blocks:
        text += "\n\n" if text else ""
        level = (rest[0] if rest else 1) if kind is H else 0
        if kind is H:
            path = [entry for entry in path if entry[0] < level]
        made.append(Block(kind, len(text), len(text) + len(content), tuple(name for _, name in path), level=level))
        if kind is H:
            path.append((level, content))
        text += content
    return Document(text=text, blocks=tuple(made), pages=pages)


def cells(document: Document) -> list[list[tuple[int, str, str]]]:
    """The filled cells of each table row: column, what the reader wrote before the value, value."""
    text = document.text
    return [
        [(cell.column, text[cell.name : cell.start], text[cell.start : cell.end]) for cell in block.cells]
        for block in document.blocks
        if block.kind is T
    ]


def items(document: Document) -> list[str]:
    """The items of lists, each with its own number, in brackets, before its text."""
    return [
        f"[{block.marker}] {document.text[block.start : block.end]}" for block in document.blocks if block.kind is L
    ]


def entry(
    id_: str,
    content: Document | str,
    *,
    audience: Audience = Audience.PATIENT,
    title: str | None = None,
    status: Status = Status.APPROVED,
    review_by: date | None = None,
) -> CorpusDocument:
    """A document in its place; a string is a document of one paragraph."""
    read = document((P, content)) if isinstance(content, str) else content
    metadata = Metadata(
        title=title or id_,
        audience=audience,
        status=status,
        approved_by="Dr. Test",
        approved_on=date(2026, 3, 1),
        review_by=review_by,
        version="1.0",
    )
    return CorpusDocument(id=id_, digest=sha256(read.text.encode()).hexdigest(), document=read, metadata=metadata)


def passage(
    document_id: str, text: str, *, start: int = 0, headings: tuple[str, ...] = (), pages: tuple[int, ...] = ()
) -> Passage:
    """A passage whose tokens are its words."""
    return Passage(
        id=f"{document_id}#{start}-{start + len(text)}",
        document_id=document_id,
        text=text,
        start=start,
        end=start + len(text),
        headings=headings,
        pages=pages,
        tokens=len(text.split()),
    )


def paragraphs_as_passages(read: CorpusDocument) -> list[Passage]:
    """Each block of a document as a passage of its own."""
    return [
        passage(
            read.id,
            read.document.text[block.start : block.end],
            start=block.start,
            headings=block.headings,
            pages=pages_of((block.start, block.end), read.document.pages),
        )
        for block in read.document.blocks
        if block.kind is not H
    ]


def texts(read: Document, *kinds: BlockKind) -> list[str]:
    """The texts of a document's blocks, of all kinds or of these."""
    return [read.text[block.start : block.end] for block in read.blocks if block.kind in kinds or not kinds]


def reading(read: Callable[[Path], Document], path: Path) -> Reader:
    """A function that writes a text to `path` and reads it from there."""

    def read_text(raw: str) -> Document:
        path.write_bytes(raw.encode())
        return read(path)

    return read_text


def check_places(read: Document, raw: str) -> None:
    """Every copied character stands at its place in `raw`, and no block begins or ends with white space."""
    for start, place, length, width in zip(*read.offsets.columns, strict=True):
        shown, found = read.text[start : start + length], raw[place : place + width]
        if length == width:
            # A space may stand for a character reference, of which only the beginning is noted.
            pairs = zip(shown, re.sub(r"\s", " ", found), strict=True)
            assert all(one == other or (one, other) == (" ", "&") for one, other in pairs)
        else:
            assert shown == normalise(html.unescape(found))
    for text in texts(read):
        assert text
        assert text == text.strip()


def coded(embedder: Embedder, texts: Sequence[EmbeddedText]) -> tuple[list[PassageVectors], TokenCodec]:
    """What an index keeps of these texts, with a codec learned from their words: exact, as they are few."""
    if not texts:
        return [], TokenCodec.fit(embedder.encode(["nothing"]))
    vectors, tokens = embedder.encode_tokens([text.text for text in texts])
    words: list[Vectors] = [
        word_tokens(text.text, of_text)[1].vectors for text, of_text in zip(texts, tokens, strict=True)
    ]
    codec = TokenCodec.fit(np.concatenate([vectors[:1], *words]))  # the first row: for texts without any word
    return encode_passages(texts, vectors, tokens, codec), codec


def index_of(
    folder: Path,
    documents: Sequence[CorpusDocument],
    embedder: Embedder,
    audience: Audience = Audience.PATIENT,
    *,
    front: str = "",
    conflicts: Sequence[Conflict] = (),
) -> FaissIndex:
    """An index over these documents whose passages are their paragraphs; embedded is `front` and the text alone."""
    folder.mkdir(parents=True)
    passages = [paragraphs_as_passages(read) for read in documents]
    vectors, codec = coded(embedder, [EmbeddedText(front + each.text, len(front)) for cut in passages for each in cut])
    write_index(
        folder,
        generation="test",
        audience=audience,
        fingerprint=embedder.fingerprint,
        settings=Passages(),
        corpus_digest="0",
        documents=documents,
        passages=passages,
        vectors=vectors,
        codec=codec,
        conflicts=conflicts,
    )
    return FaissIndex.open(folder, embedder.fingerprint)


def as_built(index: FaissIndex, judge: Judge | None = None) -> Library:
    """The documents of an index that has no folder of documents behind it, judged strictly unless `judge` is given."""
    return Library(index, AsBuilt(index), judge or Judge())

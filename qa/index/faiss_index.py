"""The index on this machine's disk: FAISS for meaning, BM25 for words, SQLite for passages and texts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.audience import Audience
from qa.conflicts import Conflict, read_conflicts, write_conflicts
from qa.embed import ModelFingerprint, Vectors
from qa.errors import IndexCorrupt, IndexIncomplete
from qa.geometry import Geometry
from qa.index.contract import IndexedDocument, Mask, Numbers, Ranking, Source, WordMatches
from qa.index.dense import DenseIndex, write_dense
from qa.index.generations import generation_folder, live_generation
from qa.index.lexical import K1, B, LexicalIndex, write_lexical
from qa.index.manifest import FORMAT, REBUILD, SOURCES, Manifest, checksums, read_manifest
from qa.index.spelling import Spelling, write_words
from qa.index.store import PassageStore, write_store
from qa.index.tokens import TokenIndex, write_tokens
from qa.metadata import patient_may_read
from qa.models import Block, CorpusDocument, Passage
from qa.passage_vectors import PassageVectors
from qa.settings import Passages
from qa.terms import terms
from qa.token_codec import TokenCodec

_CONFLICTS = "conflicts.json"
_DENSE = "dense.faiss"
_LEXICAL = "lexical"
_STORE = "store.sqlite"
_TOKENS = "tokens"
_WORDS = "words.txt"


def write_index(
    folder: Path,
    *,
    generation: str,
    audience: Audience,
    fingerprint: ModelFingerprint,
    settings: Passages,
    corpus_digest: str,
    documents: Sequence[CorpusDocument],
    passages: Sequence[Sequence[Passage]],
    vectors: Sequence[PassageVectors],
    codec: TokenCodec,
    conflicts: Sequence[Conflict] = (),
) -> None:
    """Write one audience's index into the empty `folder`.

    `passages` has one sequence for each document; `vectors` stands in the same order and was encoded with `codec`.
    `conflicts` are between these documents.
    """
    flat = [passage for cut in passages for passage in cut]
    if len(flat) != len(vectors):
        raise ValueError(f"{len(flat)} passages but {len(vectors)} vectors")
    titles = {entry.id: entry.metadata.title for entry in documents}
    dimension = len(codec.mean)
    rows = np.stack([one.vector for one in vectors]) if flat else np.empty((0, dimension), dtype=np.float32)
    write_dense(folder / _DENSE, rows)
    write_tokens(folder / _TOKENS, vectors, codec)
    write_store(folder / _STORE, documents, passages)
    texts = [lexical_text(passage, titles[passage.document_id]) for passage in flat]
    write_lexical(folder / _LEXICAL, [terms(text) for text in texts])
    write_words(folder / _WORDS, texts)
    write_conflicts(folder / _CONFLICTS, conflicts)
    Manifest(
        format=FORMAT,
        generation=generation,
        audience=audience.value,
        model=fingerprint,
        dimension=dimension,
        settings={**settings.model_dump(), "k1": K1, "b": B},
        corpus_digest=corpus_digest,
        documents=len(documents),
        passages=len(flat),
        files=checksums(folder),
    ).write(folder)


def lexical_text(passage: Passage, title: str) -> str:
    """What BM25 reads of a passage: its title and headings count as its words."""
    return "\n".join([title, *passage.headings, passage.lead_in, passage.text])


def open_index(index_folder: Path, audience: Audience, fingerprint: ModelFingerprint) -> FaissIndex:
    """Open the live index of an audience for a model. Raises IndexProblem; the error says what to run."""
    return open_generation(index_folder, live_generation(index_folder), audience, fingerprint)


def open_generation(
    index_folder: Path, generation: str, audience: Audience, fingerprint: ModelFingerprint
) -> FaissIndex:
    """Open one generation's index of an audience. Raises IndexProblem, also where it is another's than it should be."""
    folder = generation_folder(index_folder, generation) / audience
    index = FaissIndex.open(folder, fingerprint)
    found = (index.manifest.audience, index.manifest.generation)
    if found != (audience.value, generation):
        index.close()
        raise IndexCorrupt(
            "the index is not the one that belongs here",
            path=folder,
            found=" of ".join(found),
            expected=f"{audience} of {generation}",
            remedy=REBUILD,
        )
    return index


class FaissIndex:
    """See `PassageIndex`. Everything but the list of documents stays on disk until it is asked for."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        dense: DenseIndex,
        lexical: LexicalIndex,
        tokens: TokenIndex,
        spelling: Spelling,
        store: PassageStore,
        conflicts: tuple[Conflict, ...],
    ) -> None:
        self.manifest = manifest
        self._folder = folder
        self._dense = dense
        self._lexical = lexical
        self._tokens = tokens
        self._spelling = spelling
        self._store = store
        self.conflicts = conflicts
        self._documents = tuple(store.documents())
        self._by_id = {document.id: document for document in self._documents}
        self._document_numbers = np.repeat(
            np.arange(len(self._documents)), [len(document.passages) for document in self._documents]
        )
        self._eligible: tuple[date | None, Mask | None] = (None, None)

    @classmethod
    def open(cls, folder: Path, fingerprint: ModelFingerprint) -> FaissIndex:
        """Open the index in `folder` after checking that it is whole and was made with this model."""
        manifest = read_manifest(folder, fingerprint)
        try:
            dense, tokens = DenseIndex.open(folder / _DENSE), TokenIndex.open(folder / _TOKENS)
            lexical, store = LexicalIndex.open(folder / _LEXICAL), PassageStore.open(folder / _STORE)
            spelling, conflicts = Spelling.open(folder / _WORDS), read_conflicts(folder / _CONFLICTS)
            index = cls(folder, manifest, dense, lexical, tokens, spelling, store, conflicts)
        except (RuntimeError, sqlite3.Error, ValueError, LookupError, TypeError) as error:
            # What faiss, SQLite and JSON raise on content that they cannot take: another writer's, or gone meanwhile.
            found = type(error).__name__
            raise IndexCorrupt("the index cannot be opened", path=folder, found=found, remedy=REBUILD) from error
        if not len(dense) == len(tokens) == len(index._document_numbers) == manifest.passages:
            raise IndexIncomplete(
                "the parts of the index do not belong together",
                path=folder,
                found=f"{len(dense)} vectors, words of {len(tokens)} and {len(index._document_numbers)} passages",
                expected=f"{manifest.passages} of each",
                remedy=REBUILD,
            )
        return index

    @property
    def generation(self) -> str:
        """Which build this is."""
        return self.manifest.generation

    def close(self) -> None:
        """Close the files that are held open."""
        self._store.close()

    def eligible(self, today: date) -> Mask | None:
        """Which passages may be shown today; None when all may. Staff may see everything, at any age."""
        if self.manifest.audience == Audience.STAFF:
            return None
        day, mask = self._eligible
        if day != today:
            readable = np.array(
                [patient_may_read(document.metadata, today) for document in self._documents], dtype=bool
            )
            mask = None if readable.all() else readable[self._document_numbers]
            self._eligible = (today, mask)  # one assignment: threads that come together work it out twice, no harm
        return mask

    def dense(self, vector: Vectors, n: int, mask: Mask | None) -> Ranking:
        """See `PassageIndex.dense`."""
        return self._dense.search(vector, n, mask)

    def lexical(self, terms: Sequence[str], n: int, mask: Mask | None) -> Ranking:
        """See `PassageIndex.lexical`."""
        return self._lexical.search(terms, n, mask)

    def cosines(self, vector: Vectors, numbers: Numbers) -> NDArray[np.float32]:
        """See `PassageIndex.cosines`."""
        return self._dense.cosines(vector, numbers)

    def word_scores(self, terms: Sequence[str], numbers: Numbers) -> NDArray[np.float32]:
        """See `PassageIndex.word_scores`."""
        return self._lexical.scores(terms, numbers)

    def information(self, terms: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """See `PassageIndex.information`."""
        return self._lexical.information(terms)

    def nearest_word(self, word: str) -> str | None:
        """See `PassageIndex.nearest_word`."""
        return self._spelling.nearest(word)

    def match(self, words: Vectors, numbers: Numbers) -> WordMatches:
        """See `PassageIndex.match`."""
        return self._tokens.match(words, numbers)

    def passages(self, numbers: Iterable[int]) -> list[Passage]:
        """See `PassageIndex.passages`."""
        return self._store.passages(numbers)

    def document(self, document_id: str) -> IndexedDocument:
        """See `PassageIndex.document`."""
        return self._by_id[document_id]

    def documents(self) -> tuple[IndexedDocument, ...]:
        """All documents, in the order of their passages."""
        return self._documents

    def source(self, document_id: str) -> Source:
        """See `PassageIndex.source`."""
        return self._store.source(document_id)

    def is_intact(self, document_id: str) -> bool:
        """See `PassageIndex.is_intact`."""
        return self._store.is_intact(document_id)

    def blocks(self, document_id: str) -> tuple[Block, ...]:
        """See `PassageIndex.blocks`."""
        return self._store.blocks(document_id)

    def geometry(self, document_id: str, page: int) -> Geometry:
        """See `PassageIndex.geometry`."""
        return self._store.geometry(document_id, page)

    def file(self, document_id: str) -> Path | None:
        """See `PassageIndex.file`."""
        kept = self._folder / SOURCES / self._by_id[document_id].digest
        return kept if kept.is_file() else None

    def headings(self, document: IndexedDocument) -> list[str]:
        """See `PassageIndex.headings`."""
        return self._store.headings(document.passages)

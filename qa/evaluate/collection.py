"""A test collection as an index, made by the same build as a clinic's own and kept for the next time.

    FOLDER/<digest>/
      documents/0000000.txt     each document as a text file, its title as the first line
      documents.json            the id of each file, in order, and how many characters stand before its text
      shaped-by                 a digest of the code that the passages depend on
      generations/, current     as in a clinic's index folder

Files have numbers for names, because an id may hold anything: slashes, a page of text, or nothing but capitals that
tell it from another.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from filelock import FileLock

import qa
from qa.audience import Audience
from qa.build import EmbedderLoader, build
from qa.clock import Clock
from qa.embed import ModelFiles, ModelFingerprint
from qa.encoding import Progress
from qa.errors import IndexProblem
from qa.evaluate.dataset import AnswerSpan, Entry, corpus_file, digest_of, read_corpus
from qa.index.faiss_index import FaissIndex, open_index
from qa.index.manifest import FORMAT
from qa.offsets import Span
from qa.parse import identity, reader_for
from qa.settings import Settings

CACHE = "evaluation"  # below the clinic's index folder
_DOCUMENTS = "documents"
_PLACES = "documents.json"
_SHAPED_BY = "shaped-by"
_SHAPING_CODE = (
    "chunk.py",
    "sentences.py",
    "terms.py",
    "token_codec.py",
    "passage_vectors.py",
    "index",
)  # below qa/; the readers have versions of their own


@dataclass(frozen=True)
class Collection:
    """An indexed collection.

    `ids` and `before` have one entry for each document: its id in the data set, and how many characters of its file
    stand before its text. `built` is False where an earlier index could be used again.
    """

    index: FaissIndex
    settings: Settings
    ids: tuple[str, ...]
    before: tuple[int, ...]
    digest: str
    built: bool

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The place in `ids` of each id."""
        return {id_: number for number, id_ in enumerate(self.ids)}

    @cached_property
    def _starts(self) -> list[int]:
        return [document.passages.start for document in self.index.documents() if document.passages]

    @cached_property
    def _holders(self) -> list[str]:
        return [self.id_of(document.id) for document in self.index.documents() if document.passages]

    def id_of(self, document_id: str) -> str:
        """The id in the data set of a document of the index."""
        return self.ids[int(PurePosixPath(document_id).stem)]

    def documents_of(self, passages: Sequence[int]) -> list[str]:
        """The ids in the data set of the documents that hold these passages, given by number."""
        return [self._holders[bisect_right(self._starts, number) - 1] for number in passages]

    def in_text(self, document_id: str, raw: Span) -> Span:
        """A span of a file as a span of the text that the data set gives for that document."""
        before = self.before[int(PurePosixPath(document_id).stem)]
        return (raw[0] - before, raw[1] - before)

    def says(self, answer: AnswerSpan) -> bool:
        """Whether the answer stands where it is said to in its document."""
        number = self.numbers.get(answer.document)
        if number is None:
            return True  # nobody can tell; that the document is not there is said elsewhere
        path = self.settings.corpus.folder / _file_name(number)
        text = path.read_bytes().decode("utf-8-sig")[self.before[number] :]
        return text[answer.start : answer.end] == answer.text

    @property
    def unread_ids(self) -> set[str]:
        """The documents that could not be read, for instance because they hold no text."""
        return set(self.ids) - {self.id_of(document.id) for document in self.index.documents()}


def open_collection(
    data: Path,
    *,
    settings: Settings,
    clock: Clock,
    cache: Path | None = None,
    progress: Progress = lambda _stage, _done, _all: None,
    load_embedder: EmbedderLoader | None = None,
) -> Collection:
    """The index of the collection in `data`, from the cache folder, or built now where it is not there or is stale.

    Raises EvaluationError for data that cannot be read, and what `build` raises.
    """
    corpus = corpus_file(data)
    fingerprint = ModelFiles.find(settings.model.name).fingerprint(settings.model)
    digest = digest_of(corpus)
    folder = (cache or settings.index.folder / CACHE) / _cache_key(digest, settings, fingerprint)
    own = _settings_for(folder, settings)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "evaluation.lock"):
        index = _usable(folder, own, fingerprint)
        built = index is None
        if index is None:
            _write_documents(corpus, folder)
            build(own, clock=clock, progress=progress, load_embedder=load_embedder, calibrated=False)
            (folder / _SHAPED_BY).write_text(_code_digest(), encoding="utf-8")
            index = open_index(folder, Audience.PATIENT, fingerprint)
    places = json.loads((folder / _PLACES).read_text(encoding="utf-8"))
    return Collection(index, own, tuple(places["ids"]), tuple(places["before"]), digest, built)


def file_text(entry: Entry) -> tuple[str, int]:
    """What is written for a document, and how many characters of it stand before its text."""
    if entry.text.startswith(entry.title):
        return entry.text, 0
    head = " ".join(entry.title.split()) + "\n\n"
    return head + entry.text, len(head)


def _file_name(number: int) -> str:
    return f"{number:07}.txt"


def _usable(folder: Path, own: Settings, fingerprint: ModelFingerprint) -> FaissIndex | None:
    """The index that is there, when it can be opened and the same code would make the same passages today."""
    stamp = folder / _SHAPED_BY
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != _code_digest() or not (folder / _PLACES).is_file():
        return None
    try:
        return open_index(own.index.folder, Audience.PATIENT, fingerprint)
    except IndexProblem:
        return None  # it is built anew


def _write_documents(corpus: Path, folder: Path) -> None:
    documents = folder / _DOCUMENTS
    if documents.exists():
        shutil.rmtree(documents)
    documents.mkdir()
    ids: list[str] = []
    befores: list[int] = []
    for number, entry in enumerate(read_corpus(corpus)):
        text, before = file_text(entry)
        # The byte order mark says that this is UTF-8, so that nothing is guessed; it is no character of the raw text.
        # Half characters, which JSON can hold and UTF-8 cannot, become question marks of the same length.
        (documents / _file_name(number)).write_text(text, encoding="utf-8-sig", errors="replace", newline="")
        ids.append(entry.id)
        befores.append(before)
    (folder / _PLACES).write_text(json.dumps({"ids": ids, "before": befores}), encoding="utf-8")


def _settings_for(folder: Path, settings: Settings) -> Settings:
    """The clinic's settings over the collection's documents, all of them for patients."""
    return settings.model_copy(
        update={
            "corpus": settings.corpus.model_copy(
                update={
                    "folder": (folder / _DOCUMENTS).absolute(),
                    "folder_audience": {".": Audience.PATIENT},
                    "require_approval": False,
                }
            ),
            "index": settings.index.model_copy(update={"folder": folder.absolute(), "keep_generations": 1}),
            # A data set is measured as it is; nobody signs its sentences off.
            "claims": settings.claims.model_copy(update={"mode": "warn"}),
        }
    )


def _cache_key(corpus_digest: str, settings: Settings, fingerprint: ModelFingerprint) -> str:
    """The name of a collection's folder: everything that another index would follow from, but for our own code."""
    reader = reader_for("a.txt")
    shaping = [
        corpus_digest,
        settings.passages.model_dump(),
        settings.corpus.max_file_mb,
        asdict(fingerprint),
        FORMAT,
        identity(reader) if reader else "",
    ]
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:32]


def _code_digest() -> str:
    """SHA-256 over the code that cuts and indexes passages: a change asks for a build, which costs what changed."""
    root = Path(qa.__file__).parent
    total = hashlib.sha256()
    for name in _SHAPING_CODE:
        for path in sorted([root / name] if name.endswith(".py") else (root / name).glob("*.py")):
            total.update(path.read_bytes())
    return total.hexdigest()

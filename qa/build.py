"""The offline composition: load, chunk, embed, index, check, publish.

A build works beside the live generation and moves the pointer last. It can die at any moment and change nothing but
caches, which the next build takes up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np

from qa.audience import Audience
from qa.cache import ParseCache
from qa.chunk import ModelTokens, embedding_text, split
from qa.clock import Clock
from qa.embed import Embedder, ModelFiles, ModelFingerprint, SentenceEmbedder, Vectors
from qa.errors import LeakFound, NothingToPublish
from qa.index import generations
from qa.index.faiss_index import FaissIndex, write_index
from qa.load import LoadReport, corpus_digest, load_documents
from qa.metadata import patient_may_read
from qa.models import CorpusDocument, Passage
from qa.settings import Model, Settings
from qa.vector_cache import open_vector_cache

Progress = Callable[[str, int, int], None]
EmbedderLoader = Callable[[Model, ModelFiles], Embedder]

_SLAB = 256  # texts between two reports of progress, and what a dying build can lose


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. `passages` counts by audience; `load` has a line for every file."""

    generation: str
    load: LoadReport
    documents: dict[str, int]
    passages: dict[str, int]
    embedded: int
    from_cache: int
    seconds: float
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """For `--json` and for the report beside the generation."""
        return {
            "generation": self.generation,
            "corpus_digest": self.load.digest,
            "documents": self.documents,
            "passages": self.passages,
            "embedded": self.embedded,
            "from_cache": self.from_cache,
            "seconds": round(self.seconds, 3),
            "notes": [*self.load.warnings, *self.notes],
            "files": [asdict(line) for line in self.load.lines],
        }


def build(
    settings: Settings,
    *,
    clock: Clock,
    progress: Progress = lambda _stage, _done, _all: None,
    load_embedder: EmbedderLoader | None = None,
) -> BuildReport:
    """Build and publish a generation. `progress` gets (stage, done, all).

    The embedding model is loaded only when there is a text that the cache does not know. Raises BuildRunning when
    another build holds the folder, NothingToPublish when no document could be read, and whatever keeps a document
    from being right (ModelError, LeakFound). Files that could not be read are lines in the report.
    """
    with generations.held(settings.index.folder):
        return _build(settings, clock, progress, load_embedder or SentenceEmbedder.load)


def _build(settings: Settings, clock: Clock, progress: Progress, load_embedder: EmbedderLoader) -> BuildReport:
    started = perf_counter()
    now = clock()
    folder = settings.index.folder
    model_files = ModelFiles.find(settings.model.name)
    fingerprint = model_files.fingerprint(settings.model)

    with ParseCache.open(generations.parse_cache(folder)) as cache:
        loaded = load_documents(
            settings,
            cache=cache,
            today=now.date(),
            progress=lambda done, everything: progress("read", done, everything),
        )
        cache.prune()
    if not loaded.documents:
        raise NothingToPublish(
            "no document could be read",
            path=settings.corpus.folder,
            found=f"{len(loaded.lines)} file(s), {len(loaded.failed)} of them unreadable",
            expected="at least one document",
            remedy="Put documents into this folder, or name another one with --corpus.",
        )

    tokens = ModelTokens(model_files.tokenizer())
    passages: list[list[Passage]] = []
    for done, entry in enumerate(loaded.documents, start=1):
        passages.append(split(entry, tokens, settings.passages, model_files.limit))
        progress("split", done, len(loaded.documents))
    texts = [
        embedding_text(passage, entry.metadata.title, tokens, model_files.limit)
        for entry, cut in zip(loaded.documents, passages, strict=True)
        for passage in cut
    ]
    vectors, embedded = _embed(texts, settings, model_files, fingerprint, progress, load_embedder)

    generation = _name(now)
    patient = [patient_may_read(entry.metadata, now.date()) for entry in loaded.documents]
    counts = _write(generation, loaded, passages, vectors, patient, fingerprint, settings, progress)
    report = BuildReport(
        generation=generation,
        load=loaded,
        documents={audience.value: documents for audience, (documents, _) in counts.items()},
        passages={audience.value: number for audience, (_, number) in counts.items()},
        embedded=embedded,
        from_cache=len(texts) - embedded,
        seconds=perf_counter() - started,
        notes=() if any(patient) else ("No document is for patients: label some with `clinic-qa label`.",),
    )
    unfinished = generations.generation_folder(folder, generation + generations.UNFINISHED)
    text = json.dumps(report.as_json(), ensure_ascii=False, indent=1)
    (unfinished / generations.REPORT).write_text(text, encoding="utf-8")
    generations.finish_generation(folder, generation)
    generations.publish(folder, generation)
    generations.prune(folder, settings.index.keep_generations)
    return report


def _embed(
    texts: Sequence[str],
    settings: Settings,
    model_files: ModelFiles,
    fingerprint: ModelFingerprint,
    progress: Progress,
    load_embedder: EmbedderLoader,
) -> tuple[Vectors, int]:
    """The vectors of all texts, of shape (len(texts), dimension), and how many had to be worked out."""
    with open_vector_cache(generations.vector_cache(settings.index.folder), fingerprint) as cache:
        known = cache.get(texts)
        # Longest first, so that a batch holds texts of about one length and little is padded.
        unknown = sorted(
            {text for place, text in enumerate(texts) if place not in known}, key=lambda text: (-len(text), text)
        )
        fresh: dict[str, Vectors] = {}
        if unknown:
            embedder = load_embedder(settings.model, model_files)
            for start in range(0, len(unknown), _SLAB):
                slab = unknown[start : start + _SLAB]
                encoded = embedder.encode(slab)
                cache.put(slab, encoded)
                fresh.update(zip(slab, encoded, strict=True))
                progress("embed", len(texts) - len(unknown) + start + len(slab), len(texts))
        else:
            progress("embed", len(texts), len(texts))
        cache.prune()
    rows = [known[place] if place in known else fresh[text] for place, text in enumerate(texts)]
    return np.stack(rows), len(unknown)


def _write(
    generation: str,
    loaded: LoadReport,
    passages: Sequence[Sequence[Passage]],
    vectors: Vectors,
    patient: Sequence[bool],
    fingerprint: ModelFingerprint,
    settings: Settings,
    progress: Progress,
) -> dict[Audience, tuple[int, int]]:
    """Write and check both indexes of a generation; (documents, passages) of each."""
    folder = generations.start_generation(settings.index.folder, generation)
    belongs = np.repeat(np.arange(len(passages)), [len(cut) for cut in passages])
    counts: dict[Audience, tuple[int, int]] = {}
    for done, (audience, included) in enumerate(
        ((Audience.PATIENT, np.array(patient, dtype=bool)), (Audience.STAFF, np.ones(len(passages), dtype=bool))),
        start=1,
    ):
        documents = [entry for entry, keep in zip(loaded.documents, included, strict=True) if keep]
        own = [cut for cut, keep in zip(passages, included, strict=True) if keep]
        (folder / audience).mkdir()
        write_index(
            folder / audience,
            generation=generation,
            audience=audience,
            fingerprint=fingerprint,
            settings=settings.passages,
            corpus_digest=corpus_digest(tuple(documents)),
            documents=documents,
            passages=own,
            vectors=vectors[included[belongs]],
        )
        counts[audience] = (len(documents), sum(len(cut) for cut in own))
        progress("index", done, len(Audience))
    _check(folder, loaded.documents, patient, fingerprint)
    return counts


def _check(
    folder: Path, documents: Sequence[CorpusDocument], patient: Sequence[bool], fingerprint: ModelFingerprint
) -> None:
    """Open both indexes as an app would, and see that the patients' one holds nothing but what is theirs."""
    allowed = {entry.id for entry, keep in zip(documents, patient, strict=True) if keep}
    for audience in Audience:
        index = FaissIndex.open(folder / audience, fingerprint)
        held = {document.id for document in index.documents()}
        index.close()
        if audience is Audience.PATIENT and not held <= allowed:
            raise LeakFound(
                "the patients' index holds documents that patients may not read",
                found=", ".join(sorted(held - allowed)),
                remedy="Nothing was published. This is a defect of the software: please report it.",
            )


def _name(now: datetime) -> str:
    """A generation's name: the moment it was made, in UTC, so that names sort by age."""
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")

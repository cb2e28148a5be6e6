"""The offline composition: load, chunk, embed, index, check, publish.

A build works beside the live generation and moves the pointer last. It can die at any moment and change nothing but
caches, which the next build takes up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import perf_counter

import numpy as np

from qa.audience import Audience
from qa.cache import ParseCache
from qa.calibrate.generation import calibrate_generation
from qa.chunk import ModelTokens, embedded_text, split
from qa.claims import Claim, waiting_in
from qa.clock import Clock
from qa.conflicts import Conflict, find_conflicts, knows_model
from qa.embed import Embedder, ModelFiles, ModelFingerprint, SentenceEmbedder
from qa.encoding import Progress, encode_all
from qa.errors import LeakFound, NothingToPublish
from qa.evidence.coverage import coverage
from qa.index import generations
from qa.index.faiss_index import FaissIndex, write_index
from qa.index.sources import already_kept, keep_sources, kept_sources
from qa.load import LoadReport, corpus_digest, load_documents
from qa.metadata import patient_may_read
from qa.models import CorpusDocument, EmbeddedText, Passage, Status
from qa.passage_vectors import PassageVectors
from qa.settings import Model, Settings
from qa.token_codec import TokenCodec

_NO_CONFLICTS = "Documents were not searched for contradictions: that was learned with another model."
_CONFLICTS = "Pairs of sentences in which documents contradict each other: {count}, see `clinic-qa conflicts`."
EmbedderLoader = Callable[[Model, ModelFiles], Embedder]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. `passages` counts by audience; `load` has a line for every file.

    `waiting` are the claims that nobody has signed off, by document, and `held_back` the documents that patients do
    not get for that reason alone. `located` counts the passages that can be marked on their drawn pages, `unlocated`
    those that cannot.
    """

    generation: str
    load: LoadReport
    documents: dict[str, int]
    passages: dict[str, int]
    embedded: int
    from_cache: int
    seconds: float
    notes: tuple[str, ...]
    waiting: dict[str, tuple[Claim, ...]] = field(default_factory=dict)
    held_back: tuple[str, ...] = ()
    located: int = 0
    unlocated: int = 0

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
            "waiting": {document: [asdict(claim) for claim in claims] for document, claims in self.waiting.items()},
            "held_back": list(self.held_back),
            "located": self.located,
            "unlocated": self.unlocated,
            "files": [asdict(line) for line in self.load.lines],
        }


def build(
    settings: Settings,
    *,
    clock: Clock,
    progress: Progress = lambda _stage, _done, _all: None,
    load_embedder: EmbedderLoader | None = None,
    calibrated: bool = True,
) -> BuildReport:
    """Build, calibrate (unless told not to) and publish a generation. `progress` gets (stage, done, all).

    The embedding model is loaded only when there is a text that the cache does not know. Raises BuildRunning when
    another build holds the folder, NothingToPublish when no document could be read, and whatever keeps a document
    from being right (ModelError, LeakFound). Files that could not be read are lines in the report.
    """
    with generations.held(settings.index.folder):
        return _build(settings, clock, progress, load_embedder or SentenceEmbedder.load, calibrated=calibrated)


def _build(
    settings: Settings, clock: Clock, progress: Progress, load_embedder: EmbedderLoader, *, calibrated: bool
) -> BuildReport:
    started = perf_counter()
    now = clock()
    folder = settings.index.folder
    model_files = ModelFiles.find(settings.model.name)
    fingerprint = model_files.fingerprint(settings.model)

    with ParseCache.open(generations.parse_cache(folder)) as parsed:
        loaded = load_documents(
            settings,
            cache=parsed,
            today=now.date(),
            progress=lambda done, everything: progress("read", done, everything),
        )
        parsed.prune()
    if not loaded.documents:
        raise NothingToPublish(
            "no document could be read",
            path=settings.corpus.folder,
            found=f"{len(loaded.lines)} file(s), {len(loaded.failed)} of them unreadable",
            expected="at least one document",
            remedy="Put documents into this folder, or name another one with --corpus.",
        )

    waiting = waiting_in(loaded.documents, settings.claims)
    held = waiting if settings.claims.mode == "block" else {}
    tokens = ModelTokens(model_files.tokenizer())
    passages: list[list[Passage]] = []
    for done, entry in enumerate(loaded.documents, start=1):
        passages.append(split(entry, tokens, settings.passages, model_files.limit))
        progress("split", done, len(loaded.documents))
    placed = coverage(loaded.documents, passages)
    texts = [
        embedded_text(passage, entry.metadata.title, tokens, model_files.limit)
        for entry, cut in zip(loaded.documents, passages, strict=True)
        for passage in cut
    ]
    load = cache(lambda: load_embedder(settings.model, model_files))
    patient = [patient_may_read(entry.metadata, now.date()) and entry.id not in held for entry in loaded.documents]
    theirs = [
        text for text, keep in zip(texts, np.repeat(patient, [len(cut) for cut in passages]), strict=True) if keep
    ]
    vectors, codec, embedded = encode_all(texts, theirs or texts, settings, fingerprint, progress, load)

    generation = _name(now)
    conflicts = _conflicts(loaded.documents, passages, texts, vectors, codec, tokens, fingerprint)
    counts, left_out = _write(
        generation, loaded, passages, vectors, codec, conflicts, patient, fingerprint, settings, progress
    )
    unfinished = generations.generation_folder(folder, generation + generations.UNFINISHED)
    uncalibrated: tuple[str, ...] = ()
    if calibrated:
        uncalibrated = calibrate_generation(unfinished, generation, settings, fingerprint, now.date(), progress, load)
    report = BuildReport(
        generation=generation,
        load=loaded.remarked(placed.remarks),
        documents={audience.value: documents for audience, (documents, _) in counts.items()},
        passages={audience.value: number for audience, (_, number) in counts.items()},
        embedded=embedded,
        from_cache=len(texts) - embedded,
        seconds=perf_counter() - started,
        notes=(
            *(() if any(patient) else ("No document is for patients: label some with `clinic-qa label`.",)),
            *uncalibrated,
            *(() if knows_model(fingerprint.digest) else (_NO_CONFLICTS,)),
            *((_CONFLICTS.format(count=len(conflicts)),) if conflicts else ()),
            *(
                f"{document}: changed since it was read: its pages have no pictures, build again"
                for document in left_out
            ),
        ),
        waiting=waiting,
        held_back=tuple(
            entry.id for entry in loaded.documents if entry.id in held and patient_may_read(entry.metadata, now.date())
        ),
        located=placed.located,
        unlocated=placed.unlocated,
    )
    text = json.dumps(report.as_json(), ensure_ascii=False, indent=1)
    (unfinished / generations.REPORT).write_text(text, encoding="utf-8")
    generations.finish_generation(folder, generation)
    generations.publish(folder, generation)
    generations.prune(folder, settings.index.keep_generations)
    return report


def _conflicts(
    documents: Sequence[CorpusDocument],
    passages: Sequence[Sequence[Passage]],
    texts: Sequence[EmbeddedText],
    vectors: Sequence[PassageVectors],
    codec: TokenCodec,
    tokens: ModelTokens,
    fingerprint: ModelFingerprint,
) -> tuple[Conflict, ...]:
    """Where approved documents contradict each other; nothing with a model that was not learned with."""
    if not knows_model(fingerprint.digest):
        return ()
    approved = {entry.id for entry in documents if entry.metadata.status is Status.APPROVED}
    flat = [passage for cut in passages for passage in cut]
    kept = [place for place, passage in enumerate(flat) if passage.document_id in approved]
    return find_conflicts(
        [flat[place] for place in kept],
        [texts[place] for place in kept],
        [vectors[place] for place in kept],
        codec,
        tokens.offsets,
    )


def _among(conflicts: Sequence[Conflict], documents: Sequence[CorpusDocument]) -> tuple[Conflict, ...]:
    """The conflicts between these documents."""
    ids = {entry.id for entry in documents}
    return tuple(each for each in conflicts if each.one.document_id in ids and each.other.document_id in ids)


def _write(
    generation: str,
    loaded: LoadReport,
    passages: Sequence[Sequence[Passage]],
    vectors: Sequence[PassageVectors],
    codec: TokenCodec,
    conflicts: Sequence[Conflict],
    patient: Sequence[bool],
    fingerprint: ModelFingerprint,
    settings: Settings,
    progress: Progress,
) -> tuple[dict[Audience, tuple[int, int]], tuple[str, ...]]:
    """Write and check both indexes of a generation.

    Gives (documents, passages) of each, and the documents whose file is no longer what was read.
    """
    folder = generations.start_generation(settings.index.folder, generation)
    kept = already_kept(settings.index.folder, folder)
    belongs = np.repeat(np.arange(len(passages)), [len(cut) for cut in passages])
    counts: dict[Audience, tuple[int, int]] = {}
    left_out: tuple[str, ...] = ()
    for done, (audience, included) in enumerate(
        ((Audience.PATIENT, np.array(patient, dtype=bool)), (Audience.STAFF, np.ones(len(passages), dtype=bool))),
        start=1,
    ):
        documents = [entry for entry, keep in zip(loaded.documents, included, strict=True) if keep]
        own = [cut for cut, keep in zip(passages, included, strict=True) if keep]
        (folder / audience).mkdir()
        left_out = keep_sources(folder / audience, documents, settings.corpus.folder, kept)
        write_index(
            folder / audience,
            generation=generation,
            audience=audience,
            fingerprint=fingerprint,
            settings=settings.passages,
            corpus_digest=corpus_digest(tuple(documents)),
            documents=documents,
            passages=own,
            vectors=[one for one, keep in zip(vectors, included[belongs], strict=True) if keep],
            codec=codec,
            conflicts=_among(conflicts, documents),
        )
        counts[audience] = (len(documents), sum(len(cut) for cut in own))
        progress("index", done, len(Audience))
    _check(folder, loaded.documents, patient, fingerprint)
    return counts, left_out  # the staff's, which are all


def _check(
    folder: Path, documents: Sequence[CorpusDocument], patient: Sequence[bool], fingerprint: ModelFingerprint
) -> None:
    """Open both indexes as an app would, and see that the patients' one holds nothing but what is theirs."""
    theirs = [entry for entry, keep in zip(documents, patient, strict=True) if keep]
    allowed = {entry.id for entry in theirs} | {entry.digest for entry in theirs}
    for audience in Audience:
        index = FaissIndex.open(folder / audience, fingerprint)
        held = {document.id for document in index.documents()} | kept_sources(folder / audience)
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

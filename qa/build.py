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
from qa.embed import Embedder, ModelFiles, ModelFingerprint, SentenceEmbedder
from qa.errors import LeakFound, NothingToPublish
from qa.index import generations
from qa.index.faiss_index import FaissIndex, write_index
from qa.load import LoadReport, corpus_digest, load_documents
from qa.metadata import patient_may_read
from qa.models import CorpusDocument, EmbeddedText, Passage
from qa.passage_vectors import PassageVectors, encode_passages, word_tokens
from qa.settings import Model, Settings
from qa.token_codec import TokenCodec
from qa.vector_cache import VectorCache, open_vector_cache

Progress = Callable[[str, int, int], None]
EmbedderLoader = Callable[[Model, ModelFiles], Embedder]

_SLAB = 256  # texts between two reports of progress, and what a dying build can lose
_LEARNED_FROM = 256  # texts whose words a codec is learned from: 25,000 words or so


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. `passages` counts by audience; `load` has a line for every file.

    `waiting` are the claims that nobody has signed off, by document, and `held_back` the documents that patients do
    not get for that reason alone.
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
    vectors, codec, embedded = _embed(texts, theirs or texts, settings, fingerprint, progress, load)

    generation = _name(now)
    counts = _write(generation, loaded, passages, vectors, codec, patient, fingerprint, settings, progress)
    unfinished = generations.generation_folder(folder, generation + generations.UNFINISHED)
    uncalibrated: tuple[str, ...] = ()
    if calibrated:
        uncalibrated = calibrate_generation(unfinished, generation, settings, fingerprint, now.date(), progress, load)
    report = BuildReport(
        generation=generation,
        load=loaded,
        documents={audience.value: documents for audience, (documents, _) in counts.items()},
        passages={audience.value: number for audience, (_, number) in counts.items()},
        embedded=embedded,
        from_cache=len(texts) - embedded,
        seconds=perf_counter() - started,
        notes=(
            *(() if any(patient) else ("No document is for patients: label some with `clinic-qa label`.",)),
            *uncalibrated,
        ),
        waiting=waiting,
        held_back=tuple(
            entry.id for entry in loaded.documents if entry.id in held and patient_may_read(entry.metadata, now.date())
        ),
    )
    text = json.dumps(report.as_json(), ensure_ascii=False, indent=1)
    (unfinished / generations.REPORT).write_text(text, encoding="utf-8")
    generations.finish_generation(folder, generation)
    generations.publish(folder, generation)
    generations.prune(folder, settings.index.keep_generations)
    return report


def _embed(
    texts: Sequence[EmbeddedText],
    learned_from: Sequence[EmbeddedText],
    settings: Settings,
    fingerprint: ModelFingerprint,
    progress: Progress,
    load: Callable[[], Embedder],
) -> tuple[list[PassageVectors], TokenCodec, int]:
    """The vectors of all texts, what their words are encoded with, and how many texts had to be worked out."""
    with open_vector_cache(generations.vector_cache(settings.index.folder), fingerprint) as known_vectors:
        codec = known_vectors.codec()
        if codec is None:
            codec = _learn_codec(learned_from, load(), known_vectors)
        known = known_vectors.get(texts, codec)
        # Longest first, so that a batch holds texts of about one length and little is padded.
        unknown = sorted(
            {text for place, text in enumerate(texts) if place not in known},
            key=lambda text: (-len(text.text), text.text, text.front),
        )
        fresh: dict[EmbeddedText, PassageVectors] = {}
        if unknown:
            embedder = load()
            for start in range(0, len(unknown), _SLAB):
                slab = unknown[start : start + _SLAB]
                vectors = encode_passages(slab, *embedder.encode_tokens([text.text for text in slab]), codec)
                known_vectors.put(slab, vectors, codec)
                fresh.update(zip(slab, vectors, strict=True))
                progress("embed", len(texts) - len(unknown) + start + len(slab), len(texts))
        else:
            progress("embed", len(texts), len(texts))
        known_vectors.prune()
    rows = [known[place] if place in known else fresh[text] for place, text in enumerate(texts)]
    return rows, codec, len(unknown)


def _learn_codec(texts: Sequence[EmbeddedText], embedder: Embedder, cache: VectorCache) -> TokenCodec:
    """Learn how to encode words from all parts of these texts, which patients may read: it goes into their index."""
    step = max(len(texts) // _LEARNED_FROM, 1)
    sample = [text.text for text in texts[::step]][:_LEARNED_FROM]
    _, tokens = embedder.encode_tokens(sample)
    words = [word_tokens(text, of_text)[1].vectors for text, of_text in zip(sample, tokens, strict=True)]
    found = np.concatenate(words)
    # A corpus of nothing but stop words has no words: any token will do.
    codec = TokenCodec.fit(found if len(found) else np.concatenate([each.vectors for each in tokens]))
    cache.put_codec(codec)
    return codec


def _write(
    generation: str,
    loaded: LoadReport,
    passages: Sequence[Sequence[Passage]],
    vectors: Sequence[PassageVectors],
    codec: TokenCodec,
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
            vectors=[one for one, keep in zip(vectors, included[belongs], strict=True) if keep],
            codec=codec,
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

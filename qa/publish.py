"""Making another generation live than the newest, without giving patients what has been taken from them since."""

from __future__ import annotations

from dataclasses import dataclass

from qa.audience import Audience
from qa.cache import ParseCache
from qa.clock import Clock
from qa.embed import ModelFiles
from qa.errors import BuildError
from qa.index import generations
from qa.index.faiss_index import FaissIndex
from qa.load import load_corpus
from qa.metadata import patient_may_read
from qa.settings import Settings


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Which generation was left and which is live; `gone` are patients' documents that are back without their file."""

    left: str
    live: str
    gone: tuple[str, ...]


def roll_back(settings: Settings, clock: Clock) -> RolledBack:
    """Make the generation before the live one live again.

    Raises BuildError where there is none, where a build is running, or where it holds a document for patients whose
    label now says that they may not read it; IndexProblem where it cannot be opened. The live generation then stays.
    """
    folder = settings.index.folder
    with generations.held(folder):
        left, earlier = generations.current_generation(folder) or "", generations.generation_before(folder)
        for_patients = _for_patients(settings, earlier)
        readable = _readable(settings, clock)
        taken = [document for document in for_patients if not readable.get(document, True)]
        if taken:
            raise BuildError(
                f"the generation {earlier} would give patients documents that have been taken from them since",
                found=", ".join(taken),
                remedy="Run `clinic-qa build` instead, or label them for patients again first.",
            )
        generations.publish(folder, earlier)
    return RolledBack(left, earlier, tuple(document for document in for_patients if document not in readable))


def _for_patients(settings: Settings, generation: str) -> list[str]:
    """The ids of the patients' documents in a generation."""
    fingerprint = ModelFiles.find(settings.model.name).fingerprint(settings.model)
    folder = generations.generation_folder(settings.index.folder, generation) / Audience.PATIENT
    index = FaissIndex.open(folder, fingerprint)
    try:
        return [document.id for document in index.documents()]
    finally:
        index.close()


def _readable(settings: Settings, clock: Clock) -> dict[str, bool]:
    """Whether patients may read each document that is there now; what cannot be read now, they may not."""
    today = clock().date()
    with ParseCache.open(generations.parse_cache(settings.index.folder)) as cache:
        loaded = load_corpus(
            settings.corpus.folder,
            settings.corpus,
            cache=cache,
            today=today,
            default_language=settings.clinic.languages[0],
        )
    failed = dict.fromkeys((line.path for line in loaded.failed), False)
    return failed | {entry.id: patient_may_read(entry.metadata, today) for entry in loaded.documents}

"""Making another generation live than the newest, without giving patients what has been taken from them since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from qa.audience import Audience
from qa.cache import ParseCache
from qa.claims import held_back
from qa.clock import Clock
from qa.embed import ModelFiles
from qa.errors import BuildError
from qa.index import generations
from qa.index.contract import IndexedDocument
from qa.index.faiss_index import open_generation
from qa.load import load_documents
from qa.metadata import due, patient_may_read
from qa.models import CorpusDocument, Metadata
from qa.settings import Settings


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Which generation was left and which is live. `earlier` are patients' documents whose file has changed since."""

    left: str
    live: str
    earlier: tuple[str, ...]


def roll_back(settings: Settings, clock: Clock) -> RolledBack:
    """Make the generation before the live one live again.

    Raises BuildError where there is none, where a build is running, or where patients would get back a document that
    has been taken from them since: relabelled, withdrawn, expired, moved, deleted, due earlier than it was, or with
    claims that nobody has signed off. Raises IndexProblem where it cannot be opened. The live generation then stays.
    """
    folder = settings.index.folder
    with generations.held(folder):
        left, earlier = generations.current_generation(folder) or "", generations.generation_before(folder)
        for_patients = _for_patients(settings, earlier)
        today = clock().date()
        present = _present(settings, today)
        theirs = {entry.id: entry for entry in present if patient_may_read(entry.metadata, today)}
        not_theirs = {entry.digest for entry in present if entry.id not in theirs}
        held = held_back(present, settings.claims)
        taken = [
            document.id
            for document in for_patients
            if document.id not in theirs
            or document.digest in not_theirs
            or document.id in held
            or _is_due_earlier(theirs[document.id].metadata, document.metadata)
        ]
        if taken:
            raise BuildError(
                f"the generation {earlier} would give patients documents that have been taken from them since",
                found=", ".join(taken),
                remedy="Run `clinic-qa build` instead, or put them back with their labels first.",
            )
        generations.publish(folder, earlier)
    changed = tuple(document.id for document in for_patients if theirs[document.id].digest != document.digest)
    return RolledBack(left, earlier, changed)


def _is_due_earlier(now: Metadata, then: Metadata) -> bool:
    """Whether the review date is stricter now than in the older generation, which would not know of it."""
    due_now, due_then = due(now), due(then)
    return due_now is not None and (due_then is None or due_now < due_then)


def _for_patients(settings: Settings, generation: str) -> tuple[IndexedDocument, ...]:
    """The patients' documents in a generation."""
    fingerprint = ModelFiles.find(settings.model.name).fingerprint(settings.model)
    index = open_generation(settings.index.folder, generation, Audience.PATIENT, fingerprint)
    try:
        return index.documents()
    finally:
        index.close()


def _present(settings: Settings, today: date) -> tuple[CorpusDocument, ...]:
    """The documents that can be read now."""
    with ParseCache.open(generations.parse_cache(settings.index.folder)) as cache:
        return load_documents(settings, cache=cache, today=today).documents

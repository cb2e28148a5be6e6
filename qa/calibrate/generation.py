"""Calibrating both indexes of a generation, and taking over calibrations that still hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path

from qa.audience import Audience
from qa.calibrate.kept import calibration_digest, calibration_file
from qa.calibrate.run import Progress, Uncalibrated, calibrate
from qa.confidence import Calibration, read_calibration
from qa.embed import Embedder, ModelFiles, ModelFingerprint, SentenceEmbedder
from qa.errors import QAError
from qa.index import generations
from qa.index.faiss_index import FaissIndex
from qa.questions import read_questions
from qa.settings import Settings

_FAILED = ".failed"  # beside where the calibration would be: why there is none


def calibrate_generation(
    folder: Path,
    generation: str,
    settings: Settings,
    fingerprint: ModelFingerprint,
    today: date,
    progress: Progress,
    load: Callable[[], Embedder],
) -> tuple[str, ...]:
    """Write the calibration of each audience's index in the generation that lies in `folder`.

    One that another generation has and that was made for the same documents and settings is taken over;
    then nothing is asked and no model is loaded. The sentences are for staff: which index has no calibration, and why.
    """
    return tuple(
        f"The {audience} index is not calibrated and answers on strong evidence only: {result.reason}"
        for audience, result in _each(folder, generation, settings, fingerprint, today, progress, load, again=False)
        if isinstance(result, Uncalibrated)
    )


def calibrate_live(settings: Settings, today: date, progress: Progress) -> dict[Audience, Calibration | Uncalibrated]:
    """Calibrate both indexes of the live generation anew. Raises IndexProblem, or BuildRunning during a build."""
    model_files = ModelFiles.find(settings.model.name)
    folder = settings.index.folder
    with generations.held(folder):
        live = generations.live_generation(folder)
        return dict(
            _each(
                generations.generation_folder(folder, live),
                live,
                settings,
                model_files.fingerprint(settings.model),
                today,
                progress,
                cache(lambda: SentenceEmbedder.load(settings.model, model_files, threads=1)),
                again=True,
            )
        )


def _each(
    folder: Path,
    generation: str,
    settings: Settings,
    fingerprint: ModelFingerprint,
    today: date,
    progress: Progress,
    load: Callable[[], Embedder],
    *,
    again: bool,
) -> Iterator[tuple[Audience, Calibration | Uncalibrated]]:
    for audience in Audience:
        index = FaissIndex.open(folder / audience, fingerprint)
        try:
            digest = calibration_digest(index, settings)
            made = None if again else _earlier(settings.index.folder, audience, digest)
            result = made or _calibrated(index, audience, settings, digest, today, progress, load)
        finally:
            index.close()
        target = folder / calibration_file(settings.index.folder, generation, audience).name
        target.with_suffix(_FAILED).unlink(missing_ok=True)
        if isinstance(result, Uncalibrated):
            target.unlink(missing_ok=True)
            failed = json.dumps({"made_for": digest, "reason": result.reason}, ensure_ascii=False)
            target.with_suffix(_FAILED).write_text(failed, encoding="utf-8")
        else:
            written = target.with_suffix(".tmp")
            result.write(written)
            written.replace(target)
        yield audience, result


def _calibrated(
    index: FaissIndex,
    audience: Audience,
    settings: Settings,
    digest: str,
    today: date,
    progress: Progress,
    load: Callable[[], Embedder],
) -> Calibration | Uncalibrated:
    if not index.manifest.passages:
        return Uncalibrated("It has no passages.")
    try:
        named = settings.answering.questions
        return calibrate(
            index,
            load(),
            settings.retrieval,
            settings.answering,
            audience=audience,
            today=today,
            made_for=digest,
            questions=read_questions(named) if named else (),
            progress=progress,
        )
    except QAError as error:
        return Uncalibrated(str(error))


def _earlier(index_folder: Path, audience: Audience, digest: str) -> Calibration | Uncalibrated | None:
    """What another generation has that was made for the same, also that it could not be calibrated."""
    for generation in reversed(generations.generations(index_folder)):
        kept = calibration_file(index_folder, generation, audience)
        try:
            found = read_calibration(kept)
            failed_file = kept.with_suffix(_FAILED)
            failed = json.loads(failed_file.read_bytes()) if failed_file.is_file() else {}
        except (QAError, ValueError):
            continue  # damaged: made anew
        if found is not None and found.made_for == digest:
            return found
        if isinstance(failed, dict) and failed.get("made_for") == digest:
            return Uncalibrated(str(failed.get("reason", "")))
    return None

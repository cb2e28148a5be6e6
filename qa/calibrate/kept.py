"""Where calibrations are kept and what each belongs to."""

from __future__ import annotations

from pathlib import Path

from qa.audience import Audience
from qa.calibrate.run import made_for
from qa.index.faiss_index import FaissIndex
from qa.index.generations import generation_folder
from qa.settings import Settings


def calibration_file(index_folder: Path, generation: str, audience: Audience) -> Path:
    """Where the calibration of an audience's index in a generation is kept: beside it, so that it can be made anew."""
    return generation_folder(index_folder, generation) / f"{audience}.calibration.json"


def calibration_digest(index: FaissIndex, settings: Settings) -> str:
    """What a calibration of this index must have been made for."""
    manifest = index.manifest
    return made_for(manifest.model, manifest.corpus_digest, manifest.settings, settings.retrieval, settings.answering)

"""Office files as the packages of parts that they are, and reading them as untrusted ones are read."""

from __future__ import annotations

import zipfile
from pathlib import Path

from qa.document_json import from_json
from qa.models import Document
from qa.parse import WORKER_TARGET
from qa.worker import run_limited


def parts_of(path: Path) -> dict[str, bytes]:
    """Every part of a package by its name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, parts: dict[str, bytes]) -> None:
    """Make a package of these parts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def read_limited(reader: str, path: Path) -> Document:
    """Read in a limited process, as every file of this kind is."""
    answer = run_limited(
        WORKER_TARGET,
        {"reader": reader, "path": str(path)},
        seconds=30,
        memory_bytes=1_024_000_000,
        output_bytes=100_000_000,
    )
    assert isinstance(answer, dict)
    return from_json(answer)

"""What an index says of itself, and the check that it is whole and fits the model in use."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from qa.embed import ModelFingerprint
from qa.errors import IndexCorrupt, IndexFormatMismatch, IndexIncomplete, IndexModelMismatch

FORMAT = 3
MANIFEST = "manifest.json"
SOURCES = "sources"  # a folder with the files that pages are drawn from, each named by its SHA-256
REBUILD = "Run `clinic-qa build` to make the index anew."


@dataclass(frozen=True, slots=True)
class Manifest:
    """One audience's index: who made it and what it holds. `files` gives the SHA-256 of each file, by its path."""

    format: int
    generation: str
    audience: str
    model: ModelFingerprint
    dimension: int
    settings: dict[str, object]
    corpus_digest: str
    documents: int
    passages: int
    files: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write the manifest into its folder."""
        text = json.dumps(asdict(self), indent=2, sort_keys=True)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def checksums(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below `folder`, by its path with forward slashes.

    But for the manifest, and for `SOURCES`, which may be large, and whose files are checked when one is used.
    """
    paths = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        place.as_posix(): _sha256(path) for place, path in paths.items() if place.parts[0] not in (MANIFEST, SOURCES)
    }


def read_manifest(folder: Path, fingerprint: ModelFingerprint) -> Manifest:
    """The manifest of `folder`, after everything was checked against it.

    Raises IndexIncomplete, IndexCorrupt, IndexFormatMismatch or IndexModelMismatch; each says what to run.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise IndexIncomplete("the index has no manifest", path=path, remedy=REBUILD) from error
    except ValueError as error:
        raise IndexCorrupt("the manifest cannot be read", path=path, found=str(error), remedy=REBUILD) from error
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise IndexFormatMismatch(
            "the index has another format",
            path=folder,
            found=f"format {found}",
            expected=f"format {FORMAT}",
            remedy=REBUILD,
        )
    try:
        manifest = Manifest(**{**content, "model": ModelFingerprint(**content["model"])})
    except (KeyError, TypeError) as error:
        raise IndexCorrupt("the manifest has gaps", path=path, found=str(error), remedy=REBUILD) from error
    if manifest.model != fingerprint:
        raise IndexModelMismatch(
            "the index was made with another model",
            path=folder,
            found=_describe(manifest.model),
            expected=_describe(fingerprint),
            remedy="Run `clinic-qa build` to make it anew with this model, or set the model back in clinic.toml.",
        )
    for name, digest in manifest.files.items():
        file = folder / name
        if not file.is_file():
            raise IndexIncomplete("a file of the index is missing", path=file, remedy=REBUILD)
        if _sha256(file) != digest:
            raise IndexCorrupt("a file of the index was changed or is damaged", path=file, remedy=REBUILD)
    return manifest


def _describe(model: ModelFingerprint) -> str:
    return f"{model.name} {model.digest[:12]} in {model.dtype}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

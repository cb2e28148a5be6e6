"""What label, front matter, text and folder say together about one file that was found."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date
from pathlib import Path, PurePosixPath

from qa.audience import Audience
from qa.errors import MetadataError, QAError
from qa.label_judgement import looks_like_label
from qa.metadata import fail_closed, readable_name, resolve
from qa.models import Document, Metadata
from qa.settings import Corpus
from qa.sidecars import label_of
from qa.walk import Found, safe

_UNRECOGNISED = (
    "the text begins with a line such as audience: or status:, which looks like front matter that was not recognised; "
    "say it in a label, or in front matter between lines of '---' from the very top, and take the line out. "
    "Until then the document is a draft, for staff only"
)
_NO_DEFAULT = "until it is renamed or taken out, folder_audience does not open the document"


def metadata_of(
    file: Found, document: Document, settings: Corpus, today: date, default_language: str
) -> tuple[Metadata, tuple[str, ...]]:
    """What is decided about `document`, which was made of `file`; and warnings as sentences without full stops."""
    closing: list[str] = []
    label = None
    try:
        label = label_of(file.path, file.labels)
    except MetadataError as error:
        closing.append(f"{sentence(error)} Until then the document is a draft, for staff only")
    if looks_like_label(document.text):
        closing.append(_UNRECOGNISED)
    by_folder = None if closing else _folder_audience(file.id, settings.folder_audience)
    remarks: list[str] = []
    if by_folder is Audience.PATIENT and file.orphans:
        by_folder = None
        remarks.append(f"{file.orphans[0]!r} beside it names no document and may be meant for this one; {_NO_DEFAULT}")
    metadata, warnings = resolve(
        document.front_matter,
        label,
        default_title=document.title or readable_name(file.path.name),
        folder_audience=by_folder,
        require_approval=settings.require_approval,
        today=today,
        default_language=default_language,
    )
    return (fail_closed(metadata) if closing else metadata), (*closing, *remarks, *warnings)


def _folder_audience(document_id: str, folders: Mapping[str, Audience]) -> Audience | None:
    """The audience of the deepest folder in `folders` that holds the document.

    A folder that is for staff is known in any spelling of its name (Staff, "staff "); one for patients in its own only.
    """
    by_path: dict[PurePosixPath, Audience] = {}
    for folder, audience in folders.items():
        # One folder may be named twice, as pub and ./pub; then the stricter counts.
        if by_path.get(_normal(folder)) is not Audience.STAFF:
            by_path[_normal(folder)] = audience
    for_staff = {_loosely(path) for path, audience in by_path.items() if audience is Audience.STAFF}
    for parent in _normal(document_id).parents:
        if _loosely(parent) in for_staff:
            return Audience.STAFF
        if parent in by_path:
            return by_path[parent]
    return None


def _loosely(path: PurePosixPath) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFKC", part).casefold().strip() for part in path.parts)


def _normal(path: str) -> PurePosixPath:
    return PurePosixPath(unicodedata.normalize("NFC", path))


def missing_folders(folder: Path, corpus: Corpus) -> list[str]:
    """A sentence for every folder that has a default audience and is not below `folder`."""
    return [
        f"clinic.toml gives {safe(name)!r} an audience under [corpus.folder_audience], but no such folder is there"
        for name in corpus.folder_audience
        if not (folder / name).is_dir()
    ]


def sentence(error: QAError) -> str:
    """What the error says, less the path: the line has it, and a full path tells about the machine."""
    parts = {key: getattr(error, key) for key in ("page", "found", "expected", "remedy")}
    return str(QAError(error.problem, **parts))

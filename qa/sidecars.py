"""Labels beside documents: `leaflet.pdf.yaml` says what the clinic has decided about `leaflet.pdf`."""

from __future__ import annotations

import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from qa.audience import Audience
from qa.errors import MetadataError, QAError
from qa.metadata import KEYS, checked, due, readable_name, resolve
from qa.models import Metadata, SignOff, Status
from qa.parse import reader_for, unread_reason
from qa.plain_yaml import parse_mapping
from qa.sign_offs import as_label
from qa.walk import SIDECAR_SUFFIXES, Fingerprint, safe, walk

LARGEST_BYTES = 64_000


def sidecar_of(document: Path) -> Path:
    """Where the label of a document stands."""
    return document.with_name(document.name + SIDECAR_SUFFIXES[0])


def read_sidecar(path: Path) -> dict[str, object]:
    """The label's keys and values; every scalar is text as it stands (`1.10` stays "1.10"), an empty one is None.

    Raises MetadataError for what is no regular file, over 64 kB, not UTF-8, not YAML, not one mapping, or uses anchors.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise MetadataError("the label is not a plain file", path=path, remedy="Put a copy of the file here.")
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise MetadataError("the label cannot be opened", path=path, found=error.strerror) from error
    if len(data) > LARGEST_BYTES:
        raise MetadataError("the label is too long", path=path, expected=f"at most {LARGEST_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MetadataError("the label is not UTF-8", path=path, remedy="Save it as UTF-8.") from error
    said = parse_mapping(text, path=path, name="label")
    if not said:
        raise MetadataError(
            "the label holds no keys and values", path=path, found="nothing", expected="lines such as audience: patient"
        )
    return said


def label_of(document: Path, labels: Sequence[Path]) -> dict[str, object] | None:
    """What `labels`, the files that claim to be this document's sidecar, say; None without any.

    Raises MetadataError where it cannot be read, has not quite the right name, or is not the only one.
    """
    if not labels:
        return None
    if len(labels) > 1:
        found = ", ".join(safe(label.name) for label in labels)
        raise MetadataError("the document has more than one label", found=found, remedy="Keep one of them.")
    (only,) = labels
    if only.name not in {document.name + suffix for suffix in SIDECAR_SUFFIXES}:
        expected = sidecar_of(document).name
        is_same = unicodedata.normalize("NFC", only.name) == unicodedata.normalize("NFC", expected)
        raise MetadataError(
            "the label's name does not fit",
            found=safe(only.name) + (" with its accents encoded in another way" if is_same else ""),
            expected=safe(expected),
            remedy="Rename it: copy the document's name, and add .yaml." if is_same else "Rename it.",
        )
    return read_sidecar(only)


def write_sidecar(document: Path, changes: Mapping[str, object]) -> Path:
    """Merge `changes` into the document's label, which is made when missing, and return its path.

    A value of None takes the key away. Keys that are not ours stay; comments do not. The file is replaced as a whole,
    so that nobody ever reads half of it. Raises MetadataError for unusable changes, and for a label that cannot be read
    or that somebody else changes meanwhile.
    """
    usual, other = (document.with_name(document.name + suffix) for suffix in SIDECAR_SUFFIXES)
    path = other if os.path.lexists(other) and not os.path.lexists(usual) else usual
    before = _fingerprint(path)
    values = (read_sidecar(path) if before else {}) | checked(changes)
    ordered = [key for key in KEYS if key in values] + [key for key in values if key not in KEYS]
    content = {key: _writable(values[key]) for key in ordered if values[key] is not None or key not in changes}
    text = yaml.dump(content, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=10_000)
    # A name that nobody can foresee, and "x", which refuses whatever is there: a link could lead to any other file.
    half = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with half.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if _fingerprint(path) != before:  # or else we might undo that somebody has just closed the document
            half.unlink()
            raise MetadataError("the label was changed meanwhile", path=path, remedy="Run the command again.")
        half.replace(path)
    except FileExistsError as error:
        raise MetadataError("the label cannot be written", path=path, found=error.strerror) from error
    except OSError as error:
        half.unlink(missing_ok=True)
        raise MetadataError("the label cannot be written", path=path, found=error.strerror) from error
    return path


def _fingerprint(path: Path) -> Fingerprint | None:
    try:
        return Fingerprint.of(path.lstat())
    except FileNotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What `label` did: the sidecars it wrote, and files with a sentence for those it skipped or has a remark on."""

    written: tuple[Path, ...]
    skipped: tuple[tuple[Path, str], ...]
    notes: tuple[tuple[Path, str], ...]


def label(paths: Sequence[Path], changes: Mapping[str, object], *, today: date) -> LabelReport:
    """Write `changes` into the labels of these files, and of every file that is read in these folders.

    An approver's name also sets `approved_on` (today, unless given) and the status approved; what is withdrawn stays
    so and is skipped, unless `changes` name the status. Raises MetadataError, before anything is written, for changes
    that no label can hold or one title for several files.
    """
    changes = checked(changes)
    if changes.get("approved_by") is not None:
        changes = {"approved_on": today, **changes}
    files, skipped = _gathered(paths)
    if changes.get("title") is not None and len(files) > 1:
        raise MetadataError(
            "one title cannot name several documents", found=f"{len(files)} files", remedy="Label each by itself."
        )
    written: list[Path] = []
    notes: list[tuple[Path, str]] = []
    for file, labels in files:
        try:
            present = label_of(file, labels) or {}
            before = _alone(file, present, today)[0].status
            if "status" not in changes and before is Status.WITHDRAWN:
                skipped.append((file, "withdrawn; name the status as well to bring it back"))
                continue
            approves = changes.get("approved_by") is not None and "status" not in changes
            written.append(write_sidecar(file, {**changes, "status": Status.APPROVED} if approves else changes))
            notes += [(file, note) for note in _notes(file, read_sidecar(written[-1]), today)]
        except QAError as error:
            skipped.append((file, str(error)))
    return LabelReport(tuple(written), tuple(skipped), tuple(notes))


def _gathered(paths: Sequence[Path]) -> tuple[list[tuple[Path, tuple[Path, ...]]], list[tuple[Path, str]]]:
    files: dict[Path, tuple[Path, ...]] = {}
    skipped: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_symlink():
            skipped.append((path, "a link; label the file itself"))
        elif path.is_dir():
            found, others = walk(path)
            files |= {item.path: item.labels for item in found}
            skipped += [(path / other.path, other.reason) for other in others]
        elif not path.exists():
            skipped.append((path, "there is no such file"))
        elif not path.is_file() or reader_for(path.name) is None:
            skipped.append((path, unread_reason(path.name)))
        else:
            beside = (path.with_name(path.name + suffix) for suffix in SIDECAR_SUFFIXES)
            files[path] = tuple(file for file in beside if os.path.lexists(file))
    return list(files.items()), skipped


def _alone(file: Path, sidecar: Mapping[str, object], today: date) -> tuple[Metadata, tuple[str, ...]]:
    """What the label says by itself, without front matter and without the folder's default."""
    return resolve(
        {},
        sidecar,
        default_title=readable_name(file.name),
        folder_audience=None,
        require_approval=False,
        today=today,
    )


def _notes(file: Path, sidecar: Mapping[str, object], today: date) -> Iterator[str]:
    metadata, warnings = _alone(file, sidecar, today)
    yield from warnings
    review = due(metadata)
    if metadata.audience is Audience.STAFF and review is not None and today > review:
        yield f"its review was due on {review}"
    if _has_front_matter(file):
        yield "the file has front matter of its own; where that is stricter than the label, it counts"


def _has_front_matter(file: Path) -> bool:
    reader = reader_for(file.name)
    if reader is None or reader.name != "markdown":
        return False
    with file.open("rb") as opened:
        return opened.read(16).removeprefix(b"\xef\xbb\xbf").startswith((b"---\n", b"---\r", b"--- "))


class _PlainDumper(yaml.SafeDumper):
    """Writes text without quotes wherever YAML allows: to our reader, dates and versions are text as well."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own attribute


_PlainDumper.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("~|[Nn]ull|NULL|"), ["~", "n", "N", ""])


def _writable(value: object) -> object:
    match value:
        case None:
            return None
        case dict():
            return {key: _writable(item) for key, item in value.items()}
        case SignOff():
            return as_label(value)
        case list() | tuple():
            return [_writable(item) for item in value]
        case date():
            return value.isoformat()
        case _:
            return str(value)

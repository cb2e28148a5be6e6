"""Every file below a folder: those that can be read, and the others with the reason. Opens no file."""

from __future__ import annotations

import os
import re
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

from qa.errors import ReadError, SettingsError
from qa.parse import Reader, reader_for, unread_reason

SIDECAR_SUFFIXES = (".yaml", ".yml")
# With what programs add to a name, or fingers: `leaflet.pdf.yaml.txt`, `leaflet.pdf .yaml`.
_MISNAMED_LABEL = re.compile(r"(.+?)\s*\.\s*ya?ml\s*(?:\.te?xt)?\s*", re.IGNORECASE | re.DOTALL)
_SHOWN_JOINERS = {"\u200c", "\u200d"}  # invisible, but Persian and several Indian scripts spell with them
# A file that was written this short a time before may be written again without a change in its times.
_SETTLED_NS = 2_000_000_000


class Fingerprint(NamedTuple):
    """What changes when somebody changes a file. Times in nanoseconds since 1970."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, info: os.stat_result) -> Self:
        """The fingerprint in what `os.stat` says."""
        return cls(info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)


def is_settled(info: os.stat_result) -> bool:
    """Whether a later change is sure to show in the fingerprint of what `os.stat` said this of, just now."""
    newest = max(info.st_mtime_ns, info.st_ctime_ns)
    return newest + _SETTLED_NS < _file_clock()


def _file_clock() -> int:
    """Now in the unit of file times. The clinic's clock does not matter here: files carry the machine's."""
    return time.time_ns()


@dataclass(frozen=True, slots=True)
class Found:
    """A file that a reader knows. `id` is its path below the folder, with forward slashes.

    `labels` are the files that claim to be its sidecar: one with the right name where all is well. `orphans` are
    labels in the same folder that name no file, safe to show: one of them may be meant for this document.
    """

    id: str
    path: Path
    reader: Reader
    fingerprint: Fingerprint
    labels: tuple[Path, ...] = ()
    orphans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file or folder that is not read. `path` is safe to show. `failed` is False for what is skipped on purpose."""

    path: str
    reason: str
    failed: bool


def walk(root: Path) -> tuple[list[Found], list[PassedOver]]:
    """Everything below `root`, sorted by name; links are not followed, so that no loop and no way out exists.

    Of two files whose ids differ only in capitals or in how an accent is encoded, the second is passed over.
    Raises SettingsError when `root` is not a folder and ReadError when it cannot be listed.
    """
    if not root.is_dir():
        found = "no such file or folder" if not root.exists() else "not a folder"
        remedy = "Make the folder, or correct folder under [corpus] in clinic.toml."
        raise SettingsError("the folder with the documents is not there", path=root, found=found, remedy=remedy)
    real_root = root.resolve()
    documents: list[Found] = []
    others: list[PassedOver] = []
    folders = [""]
    while folders:
        prefix = folders.pop()
        try:
            with os.scandir(root / prefix) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if not prefix:
                raise ReadError(
                    "the folder with the documents cannot be listed",
                    path=root,
                    found=error.strerror,
                    remedy="Give the account that runs this the right to read the folder.",
                ) from error
            others.append(PassedOver(safe(prefix), f"the folder cannot be listed ({error.strerror})", failed=True))
            continue
        for item in _sorted_out(entries, prefix, real_root):
            if isinstance(item, str):
                folders.append(item)
            elif isinstance(item, Found):
                documents.append(item)
            else:
                others.append(item)
    return _without_twins(documents, others)


def documents_in(root: Path, prefix: str) -> dict[str, Found]:
    """By id, the documents that `walk` finds in one folder, without those below it.

    `prefix` is the folder's path below `root` with a slash at its end, or empty. Raises OSError where it cannot be
    listed.
    """
    with os.scandir(root / prefix) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    found = [item for item in _sorted_out(entries, prefix, root.resolve()) if isinstance(item, Found)]
    return {document.id: document for document in _without_twins(found, [])[0]}


def safe(text: str) -> str:
    """`text` with escapes for characters that are invisible, that reorder their neighbours or that are none."""
    if text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if _is_odd(c) else c for c in text)


def _is_odd(character: str) -> bool:
    category = unicodedata.category(character)
    return category in {"Cc", "Cs", "Zl", "Zp"} or (category == "Cf" and character not in _SHOWN_JOINERS)


def _sorted_out(entries: list[os.DirEntry[str]], prefix: str, real_root: Path) -> Iterator[Found | PassedOver | str]:
    labels = {entry.name: stem for entry in entries if (stem := _label_stem(entry)) is not None}
    files = [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
    owners = _owners(labels, [name for name in files if name not in labels or not _is_label_name(name)])
    claimed = {label for mine in owners.values() for label in mine}
    orphans = tuple(sorted(safe(label) for label in labels if _is_label_name(label) and label not in claimed))
    for entry in entries:
        name = prefix + entry.name
        if entry.name.startswith("."):
            yield _skipped(name, "hidden")
        elif entry.name.startswith("~$"):
            yield _skipped(name, "a temporary file of an office program")
        elif entry.name in claimed:
            if not _is_label_name(entry.name):
                yield _skipped(name, "a label with another name; it stands beside the file, named as leaflet.pdf.yaml")
        elif entry.name in labels and _is_label_name(entry.name):
            reason = "a label without its document; it stands beside the file, named as leaflet.pdf.yaml"
            yield PassedOver(safe(name), f"{reason}. Rename it or take it out", failed=True)
        elif entry.is_symlink():
            yield _link(entry, name, real_root)
        elif entry.is_dir(follow_symlinks=False):
            yield name + "/"
        elif not entry.is_file(follow_symlinks=False):
            yield _skipped(name, "not a file but a device, pipe or socket")
        else:
            item = _file(entry, name)
            beside = tuple(Path(entry.path).with_name(label) for label in owners.get(entry.name, ()))
            yield replace(item, labels=beside, orphans=orphans) if isinstance(item, Found) else item


def _is_label_name(name: str) -> bool:
    return name.rstrip().lower().endswith(SIDECAR_SUFFIXES)


def _label_stem(entry: os.DirEntry[str]) -> str | None:
    """The name that the file is meant to label, if its own name looks like a label's."""
    if entry.name.startswith((".", "~$")) or entry.is_dir(follow_symlinks=False):
        return None
    match = _MISNAMED_LABEL.fullmatch(entry.name)
    return match[1] if match else None


def _owners(labels: dict[str, str], names: list[str]) -> dict[str, list[str]]:
    """For each file the labels that are meant for it, also those that forgot its suffix or changed its capitals.

    `labels` are names of labels, with the name that each is for.
    """
    by_stem: dict[str, list[str]] = {}
    for label in sorted(labels):
        by_stem.setdefault(_folded(labels[label]), []).append(label)
    whole = {_folded(name) for name in names}
    owners: dict[str, list[str]] = {}
    for name in names if labels else ():
        exact, short = _folded(name), _folded(Path(name).stem)
        # `leaflet.pdf.yaml` is meant for `leaflet.pdf`, also beside `leaflet.pdf.txt`.
        claimed = by_stem.get(exact, []) + (by_stem.get(short, []) if short not in whole else [])
        if claimed := [label for label in claimed if label != name]:
            owners[name] = claimed
    return owners


def _folded(name: str) -> str:
    """The same for all names that differ in capitals, in how an accent is encoded or in spaces at the end only."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).rstrip()


def _file(entry: os.DirEntry[str], name: str) -> Found | PassedOver:
    reader = reader_for(entry.name)
    if reader is None:
        return _skipped(name, unread_reason(entry.name))
    if not name.isprintable() and (odd := {c for c in name if _is_odd(c)}):
        what = ", ".join(sorted(f"U+{ord(c):04X}" for c in odd if unicodedata.category(c) != "Cs"))
        problem = f"the name holds characters that cannot be seen ({what})" if what else "the name is not valid UTF-8"
        return PassedOver(safe(name), f"{problem}; rename it", failed=True)
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError as error:
        return PassedOver(name, f"cannot be looked at ({error.strerror})", failed=True)
    return Found(name, Path(entry.path), reader, Fingerprint.of(info))


def _link(entry: os.DirEntry[str], name: str, real_root: Path) -> PassedOver:
    try:
        target = Path(entry.path).resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a loop of links
        return PassedOver(safe(name), "a link that leads nowhere", failed=True)
    if target.is_relative_to(real_root):
        return _skipped(name, f"a link to {safe(target.relative_to(real_root).as_posix())}, inside this folder")
    return PassedOver(safe(name), "a link that leaves this folder; put a copy of the file here instead", failed=True)


def _skipped(name: str, reason: str) -> PassedOver:
    return PassedOver(safe(name), reason, failed=False)


def _without_twins(documents: list[Found], others: list[PassedOver]) -> tuple[list[Found], list[PassedOver]]:
    first: dict[str, Found] = {}
    for found in sorted(documents, key=lambda found: found.id):
        key = _folded(found.id)
        if key in first:
            reason = f"the same name as {first[key].id}, but for capitals or accents; rename one of them"
            others.append(PassedOver(found.id, reason, failed=True))
        else:
            first[key] = found
    return list(first.values()), sorted(others, key=lambda other: other.path)

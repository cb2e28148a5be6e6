"""The files that pages are drawn from, kept with an index: by their SHA-256, and read-only.

The documents' own folder may change under a running app, and a generation must show what it was built from. What an
earlier generation keeps is linked, not copied, so that a build costs what changed. It is never linked to the documents'
folder, where people edit in place.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from qa.audience import Audience
from qa.index.generations import generation_folder, generations
from qa.index.manifest import SOURCES
from qa.models import CorpusDocument
from qa.parse import is_drawn

_MODE = 0o444  # less what the system's mask takes away, as for the other files of the index
_CHUNK = 1_048_576


def already_kept(index_folder: Path, generation: Path) -> tuple[Path, ...]:
    """The indexes whose files a new `generation` may share: the newest one's for staff, who have all, and its own."""
    newest = generations(index_folder)[-1:]
    before = [generation_folder(index_folder, name) / Audience.STAFF for name in newest]
    return (*before, generation / Audience.PATIENT)


def keep_sources(
    folder: Path, documents: Sequence[CorpusDocument], corpus: Path, earlier: Sequence[Path]
) -> tuple[str, ...]:
    """Keep the files of those documents whose pages can be drawn; `folder` is of one audience's index.

    `earlier` are folders of other indexes, which may keep some of them already. Gives the ids of those documents whose
    file is no longer what they were read from: they are left out. Raises OSError where nothing can be written.
    """
    drawn = [entry for entry in documents if is_drawn(entry.id)]
    if not drawn:
        return ()
    kept = folder / SOURCES
    kept.mkdir()
    left_out = []
    for entry in drawn:
        goal = kept / entry.digest
        known = [other / SOURCES / entry.digest for other in earlier]
        source = corpus / entry.id
        if not (goal.exists() or _link(known, entry.digest, source, goal) or _copy([*known, source], goal)):
            left_out.append(entry.id)
    return tuple(left_out)


def kept_sources(folder: Path) -> frozenset[str]:
    """The names of everything that an index keeps to draw pages from."""
    kept = folder / SOURCES
    return frozenset(entry.name for entry in kept.iterdir()) if kept.is_dir() else frozenset()


def _link(known: Sequence[Path], digest: str, source: Path, goal: Path) -> bool:
    """Whether one of the files that are kept already could be linked.

    A file that was cut short is not: it is compared with the size of the document's file, and read where they differ.
    """
    for path in known:
        try:
            size = path.stat().st_size
            if size == _size(source) or _digest(path) == digest:
                goal.hardlink_to(path)
                return True
        except OSError:  # it is not kept there, or this system has no links
            continue
    return False


def _size(source: Path) -> int | None:
    try:
        return source.stat().st_size
    except OSError:
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(sources: Sequence[Path], goal: Path) -> bool:
    """Whether one of these files had the bytes that `goal` is named after, and was copied."""
    return any(_copy_one(source, goal) for source in sources)


def _copy_one(source: Path, goal: Path) -> bool:
    total = hashlib.sha256()
    try:
        if not stat.S_ISREG(source.stat().st_mode):  # a pipe in a document's place would never end
            return False
        original = source.open("rb")
    except OSError:
        return False
    with original, os.fdopen(os.open(goal, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as copy:
        while chunk := original.read(_CHUNK):
            total.update(chunk)
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())  # links to it need no more than their folder on the disk
    if total.hexdigest() == goal.name:
        return True
    goal.unlink()
    return False

"""The folder of an index: generations side by side, and one small file that says which is live.

    index/
      current                    the live generation's name; replaced in one step
      generations/<name>/patient manifest.json, dense.faiss, store.sqlite, lexical/, sources/
      generations/<name>/staff   likewise
      generations/<name>/report.json
      cache/                     what a rebuild need not work out again
      build.lock

A build writes a new generation beside the others and moves the pointer last, so a reader sees a whole one, always.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from qa.errors import BuildError, BuildRunning, IndexCorrupt, IndexIncomplete, IndexMissing

_POINTER = "current"
_LOCK = "build.lock"
_GENERATIONS = "generations"
UNFINISHED = ".unfinished"
REPORT = "report.json"
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z")


def current_generation(index_folder: Path) -> str | None:
    """The live generation's name, or None before the first build. Raises IndexCorrupt where the pointer names none."""
    pointer = index_folder / _POINTER
    try:
        name = pointer.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    if not _NAME.fullmatch(name):
        raise IndexCorrupt(
            "this file does not name a generation",
            path=pointer,
            found=repr(name[:40]),
            expected="a name such as 20260331T091500.000000Z",
            remedy="Run `clinic-qa build`, which writes it anew.",
        )
    return name


def generations(index_folder: Path) -> list[str]:
    """All finished generations, oldest first."""
    folder = index_folder / _GENERATIONS
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.endswith(UNFINISHED))


def generation_folder(index_folder: Path, name: str) -> Path:
    """Where a generation lies."""
    return index_folder / _GENERATIONS / name


def live_generation(index_folder: Path) -> str:
    """The live generation's name. Raises IndexMissing, IndexIncomplete or IndexCorrupt."""
    name = current_generation(index_folder)
    if name is None:
        raise IndexMissing(
            "there is no index yet", path=index_folder, remedy="Run `clinic-qa build` to make it from the documents."
        )
    if not generation_folder(index_folder, name).is_dir():
        raise IndexIncomplete(
            "the live generation is not there",
            path=generation_folder(index_folder, name),
            remedy="Run `clinic-qa build`, or `clinic-qa rollback` to go back to the generation before.",
        )
    return name


def parse_cache(index_folder: Path) -> Path:
    """Where parsed documents are kept between builds."""
    return index_folder / "cache" / "parsed.sqlite"


def vector_cache(index_folder: Path) -> Path:
    """Where vectors are kept between builds."""
    return index_folder / "cache" / "vectors.sqlite"


@contextmanager
def held(index_folder: Path) -> Iterator[None]:
    """Hold the folder against other builds. Raises BuildRunning at once where another holds it; death lets go of it."""
    index_folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(index_folder / _LOCK, blocking=False):
            yield
    except Timeout as error:
        raise BuildRunning(
            "another build is running", path=index_folder, remedy="Wait until it has finished; nothing was changed."
        ) from error


def start_generation(index_folder: Path, name: str) -> Path:
    """An empty folder to write a generation into; nobody reads it before `finish_generation`."""
    folder = generation_folder(index_folder, name + UNFINISHED)
    folder.mkdir(parents=True)
    return folder


def finish_generation(index_folder: Path, name: str) -> None:
    """Make what was written durable and give it its name. It is not live yet: `publish` does that."""
    unfinished = generation_folder(index_folder, name + UNFINISHED)
    for path in [*unfinished.rglob("*"), unfinished]:
        if path.is_dir() or path.stat().st_nlink == 1:  # what is linked was made durable when it was first written
            _sync(path)
    unfinished.rename(generation_folder(index_folder, name))
    _sync(index_folder / _GENERATIONS)


def publish(index_folder: Path, name: str) -> None:
    """Make a finished generation the live one, in one step."""
    pointer = index_folder / _POINTER
    new = pointer.with_suffix(".new")
    new.write_text(name + "\n", encoding="utf-8")
    _sync(new)
    new.replace(pointer)
    _sync(index_folder)


def generation_before(index_folder: Path) -> str:
    """The newest generation before the live one. Raises BuildError where there is none."""
    live = current_generation(index_folder)
    earlier = [name for name in generations(index_folder) if live is not None and name < live]
    if not earlier:
        raise BuildError(
            "there is no generation to go back to",
            path=index_folder,
            found=f"{len(generations(index_folder))} generation(s), the live one is {live or 'none'}",
            remedy="Run `clinic-qa build` to make a new one; index.keep_generations says how many are kept.",
        )
    return earlier[-1]


def prune(index_folder: Path, keep: int) -> None:
    """Remove what a dead build left, and all but the live generation and the newest others, `keep` in all."""
    folder = index_folder / _GENERATIONS
    for entry in folder.iterdir():
        if entry.name.endswith(UNFINISHED):
            shutil.rmtree(entry)
    live = current_generation(index_folder)
    others = [name for name in generations(index_folder) if name != live]
    for name in others[: len(others) - keep + 1] if keep > 1 else others:
        shutil.rmtree(generation_folder(index_folder, name))


def read_report(index_folder: Path) -> dict[str, object] | None:
    """The report of the live generation's build, or None where there is no index."""
    name = current_generation(index_folder)
    path = generation_folder(index_folder, name or "") / REPORT
    if name is None or not path.is_file():
        return None
    report: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return report


def _sync(path: Path) -> None:
    """Have the system write a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

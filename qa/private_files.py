"""Files that nobody but the user who runs the app may read: accounts, the key of the cookies.

They lie in the state folder (mode 700), each with mode 600. A file with a wider mode is refused, not mended: whoever
could read it may have done so.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import qa
from qa.errors import AccountsError
from qa.settings import Settings, state_folder

_MOST_BYTES = 4 * 1024 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def private_folder(settings: Settings) -> Path:
    """The state folder, made where it is missing.

    Raises AccountsError where it lies in a place that is copied, served or indexed, belongs to another user, or where
    others can write to it.
    """
    folder = (settings.state.folder or state_folder()).resolve()
    for place, what in (
        (settings.corpus.folder.resolve(), "the documents' folder"),
        (settings.index.folder.resolve(), "the index folder"),
        (Path(qa.__file__).resolve().parents[1], "the program's folder"),
    ):
        _refuse_inside(folder, place, what)
    for parent in (folder, *folder.parents):
        if (parent / ".git").exists() and parent != Path.home():
            _refuse_inside(folder, parent, "a repository")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    _refuse_other_owner(found, folder)
    if found.st_mode & _OTHERS_WRITE:
        raise AccountsError(
            "other users can write to the state folder",
            path=folder,
            found=f"mode {stat.S_IMODE(found.st_mode):o}",
            expected="700",
            remedy=f"Look at what is in it, then run: chmod 700 {folder}",
        )
    return folder


def _refuse_inside(folder: Path, place: Path, what: str) -> None:
    if folder.is_relative_to(place):
        raise AccountsError(
            f"the state folder lies inside {what}",
            path=folder,
            found=str(place),
            expected="a folder outside it",
            remedy="Name another folder under [state] in clinic.toml.",
        )


def check_private(found: os.stat_result, path: Path) -> None:
    """Raise AccountsError unless this is a plain file of our own that nobody else can read or write."""
    if not stat.S_ISREG(found.st_mode):
        raise AccountsError("this is not a plain file", path=path, remedy="Move it away.")
    _refuse_other_owner(found, path)
    if found.st_mode & _OTHERS:
        raise AccountsError(
            "other users can read or write this file",
            path=path,
            found=f"mode {stat.S_IMODE(found.st_mode):o}",
            expected="600",
            remedy=f"If nobody else has used it, run: chmod 600 {path}",
        )


def _refuse_other_owner(found: os.stat_result, path: Path) -> None:
    if found.st_uid != os.geteuid():
        raise AccountsError(
            "this belongs to another user",
            path=path,
            found=f"user {found.st_uid}",
            expected=f"user {os.geteuid()}",
            remedy="Run this as the user who runs the app.",
        )


def read_private(path: Path) -> bytes:
    """The content of a private file. Raises FileNotFoundError, and AccountsError for one that is not private."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise AccountsError("the file cannot be opened", path=path, found=error.strerror) from error
    with os.fdopen(descriptor, "rb") as file:
        check_private(os.fstat(descriptor), path)
        return file.read(_MOST_BYTES)


def write_private(path: Path, content: bytes) -> None:
    """Put `content` into the place of the file at `path`, whole or not at all, with mode 600."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        beside.replace(path)
    except BaseException:  # whatever ends it, interruption included, half a file must not stay
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

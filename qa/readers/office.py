"""What DOCX, PPTX and XLSX have in common: archives of XML, which must not be opened unseen."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from qa.errors import BrokenDocument, EmptyDocument, EncryptedDocument, TooLarge

# Bytes. XML takes many times its size in memory, and which parts are XML is for the file to say: none may be large.
_MOST_UNPACKED: Final = 50_000_000
_LARGEST_PART: Final = 20_000_000
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class Format:
    """One of the formats: its name, what the same program wrote before 2007, and the name of its stream in those."""

    name: str
    older: str
    older_stream: str
    remedy: str


def check_package(path: Path, kind: Format) -> None:
    """Refuse what must not be opened: other formats, passwords, archives that unpack to too much.

    Raises `EmptyDocument`, `EncryptedDocument`, `TooLarge` or `BrokenDocument`.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise EmptyDocument(
            "the file is empty",
            path=path,
            found="no bytes",
            expected=f"a {kind.name} file",
            remedy="Fill it or remove it.",
        )
    if head == _OLE:
        _refuse_ole(path, kind)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BrokenDocument(
            f"the file is cut off or is no {kind.name} file",
            path=path,
            found=f"bytes that begin with {head.hex(' ')}",
            expected=f"a ZIP archive, as {kind.name} files are",
            remedy=kind.remedy,
        ) from error
    if any(member.flag_bits & 1 for member in members):
        raise _encrypted(path, "an archive with a password")
    unpacked = sum(member.file_size for member in members)
    largest = max((member.file_size for member in members), default=0)
    if unpacked > _MOST_UNPACKED or largest > _LARGEST_PART:
        raise TooLarge(
            "the file unpacks to too much",
            path=path,
            found=f"{unpacked:,} bytes, {largest:,} of them in one part",
            expected=f"at most {_MOST_UNPACKED:,}, and {_LARGEST_PART:,} in one part",
            remedy="Make its pictures smaller or split it.",
        )


def _refuse_ole(path: Path, kind: Format) -> None:
    data = path.read_bytes()
    if kind.older_stream.encode("utf-16-le") in data and _ENCRYPTED not in data:
        raise BrokenDocument(
            "the file is not what its name says",
            path=path,
            found=kind.older,
            expected=f"a {kind.name} file",
            remedy=kind.remedy,
        )
    raise _encrypted(path, "an encrypted container")


def _encrypted(path: Path, found: str) -> EncryptedDocument:
    return EncryptedDocument(
        "the file wants a password",
        path=path,
        found=found,
        expected="a file that opens without one",
        remedy="Save it again without the password.",
    )

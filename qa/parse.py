"""Which reader reads which file, and the entry point for the limited process. Imports no reader until it is needed."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Final

from qa.document_json import to_json
from qa.errors import TooLarge
from qa.models import Document
from qa.readers.normalise import LONGEST_HEADING_KEPT, shortened

MOST_CHARACTERS: Final = 5_000_000  # of normalised text in one document, some 2,000 printed pages
WORKER_TARGET = "qa.parse:parse_in_worker"


@dataclass(frozen=True, slots=True)
class Reader:
    """One kind of file. `version` is raised by hand whenever the reader makes another `Document` of the same bytes.

    `libraries` are the distributions that the text depends on. `isolated` readers always work in the limited process,
    because their libraries take apart formats in which a hostile or broken file can do harm.
    """

    name: str
    version: int
    suffixes: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    isolated: bool = False


READERS = (
    Reader("text", 2, (".txt", ".text"), ("charset-normalizer",)),
    Reader("markdown", 2, (".md", ".markdown"), ("charset-normalizer", "markdown-it-py", "PyYAML")),
    Reader("html", 2, (".html", ".htm"), ("charset-normalizer",), isolated=True),
    Reader("docx", 2, (".docx",), ("python-docx", "lxml"), isolated=True),
    Reader("pdf", 3, (".pdf",), ("pypdf",), isolated=True),
)
_BY_SUFFIX = {suffix: reader for reader in READERS for suffix in reader.suffixes}
SUPPORTED = ", ".join(sorted(_BY_SUFFIX))


def reader_for(name: str) -> Reader | None:
    """The reader for a file of this name; None for a kind that nobody reads. Capitals in the suffix do not matter."""
    return _BY_SUFFIX.get(Path(name).suffix.lower())


@cache
def identity(reader: Reader) -> str:
    """Everything besides a file's bytes that its `Document` depends on, as the parse cache's key.

    The limits of the settings are not part of it: they decide whether a file is read, never what is read from it.
    """
    libraries = [f"{library}={version(library)}" for library in reader.libraries]
    return " ".join([reader.name, str(reader.version), f"python={platform.python_version()}", *libraries])


def read(reader_name: str, path: Path) -> Document:
    """Read `path` in this process. Raises ReadError and whatever the reader's libraries raise.

    However large the file, its text is refused (TooLarge) beyond `MOST_CHARACTERS`, and a long title is shortened.
    """
    read_one: Callable[[Path], Document] = import_module(f"qa.readers.{reader_name}").read
    document = read_one(path)
    if len(document.text) > MOST_CHARACTERS:
        raise TooLarge(
            "the file holds too much text",
            path=path,
            found=f"{len(document.text):,} characters",
            expected=f"at most {MOST_CHARACTERS:,}",
            remedy="Split it into several files.",
        )
    if document.title is None:
        return document
    return replace(document, title=shortened(document.title, LONGEST_HEADING_KEPT))


def parse_in_worker(request: dict[str, str]) -> dict[str, object]:
    """`{"reader": name, "path": path}` to the document as JSON. Raises ReadError."""
    return to_json(read(request["reader"], Path(request["path"])))

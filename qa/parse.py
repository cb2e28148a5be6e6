"""Which reader reads which file, and the entry point for the limited process. Imports no reader until it is needed."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from qa.document_json import to_json
from qa.errors import TooLarge
from qa.models import Document
from qa.readers.normalise import LONGEST_HEADING_KEPT, shortened
from qa.readers.recognised import RecognisedWord, from_rows

MOST_CHARACTERS: Final = 5_000_000  # of normalised text in one document, some 2,000 printed pages
WORKER_TARGET = "qa.parse:parse_in_worker"


@dataclass(frozen=True, slots=True)
class Reader:
    """One kind of file. `version` is raised by hand whenever the reader makes another `Document` of the same bytes.

    `libraries` are the distributions that the text depends on. `isolated` readers always work in the limited process,
    because their libraries take apart formats in which a hostile or broken file can do harm. The pages of what they
    read can be drawn as pictures where `is_drawn`.
    """

    name: str
    version: int
    suffixes: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    isolated: bool = False
    is_drawn: bool = False


READERS = (
    Reader("text", 3, (".txt", ".text"), ("charset-normalizer",)),
    Reader("markdown", 4, (".md", ".markdown"), ("charset-normalizer", "markdown-it-py", "PyYAML")),
    Reader("html", 4, (".html", ".htm"), ("charset-normalizer",), isolated=True),
    Reader("docx", 4, (".docx",), ("python-docx", "lxml"), isolated=True),
    Reader("pdf", 5, (".pdf",), ("pypdf", "pypdfium2"), isolated=True, is_drawn=True),
    Reader("pptx", 2, (".pptx", ".pptm"), ("python-pptx", "lxml"), isolated=True),
    Reader("xlsx", 1, (".xlsx", ".xlsm"), ("openpyxl", "lxml"), isolated=True),
    Reader("csv_table", 1, (".csv", ".tsv"), ("charset-normalizer",), isolated=True),
)
_BY_SUFFIX = {suffix: reader for reader in READERS for suffix in reader.suffixes}
SUPPORTED = ", ".join(sorted(_BY_SUFFIX))
# Kinds whose own programs can save them as one that is read.
_SAVED_AS = {
    **dict.fromkeys((".doc", ".dot", ".docm", ".odt", ".rtf", ".pages"), ".docx"),
    **dict.fromkeys((".ppt", ".pps", ".ppsx", ".odp", ".key"), ".pptx"),
    **dict.fromkeys((".xls", ".xlsb", ".ods", ".numbers"), ".xlsx"),
}


def reader_for(name: str) -> Reader | None:
    """The reader for a file of this name; None for a kind that nobody reads. Capitals in the suffix do not matter."""
    return _BY_SUFFIX.get(Path(name).suffix.lower())


def is_drawn(name: str) -> bool:
    """Whether the pages of a file of this name can be drawn as pictures."""
    reader = reader_for(name)
    return reader is not None and reader.is_drawn


def unread_reason(name: str) -> str:
    """Why nobody reads a file of this name, and what can be done."""
    better = _SAVED_AS.get(Path(name).suffix.lower())
    return f"not a kind of file that is read; {f'save it as {better}' if better else f'supported: {SUPPORTED}'}"


@cache
def identity(reader: Reader) -> str:
    """Everything besides a file's bytes that its `Document` depends on, as the parse cache's key.

    The limits of the settings are not part of it: they decide whether a file is read, never what is read from it.
    """
    libraries = [f"{library}={version(library)}" for library in reader.libraries]
    return " ".join([reader.name, str(reader.version), f"python={platform.python_version()}", *libraries])


def read(reader_name: str, path: Path, recognised: Mapping[int, Sequence[RecognisedWord]] | None = None) -> Document:
    """Read `path` in this process. Raises ReadError and whatever the reader's libraries raise.

    `recognised` are the words in the pictures of some pages, from 1, for the PDF reader.

    However large the file, its text is refused (TooLarge) beyond `MOST_CHARACTERS`, and a long title is shortened.
    """
    read_one: Callable[..., Document] = import_module(f"qa.readers.{reader_name}").read
    document = read_one(path, recognised=recognised) if recognised else read_one(path)
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


def parse_in_worker(request: Mapping[str, Any]) -> dict[str, object]:
    """`{"reader": name, "path": path}` to the document as JSON. Raises ReadError.

    `"recognised"` may give rows of recognised words (`qa.readers.recognised`) by the number of their page, as text.
    """
    recognised = {int(page): from_rows(rows) for page, rows in request.get("recognised", {}).items()}
    return to_json(read(request["reader"], Path(request["path"]), recognised))

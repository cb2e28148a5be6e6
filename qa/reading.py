"""One file to its document: in this process or in the limited one, with the words in its pages that are pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from qa import recognise
from qa.cache import ParseCache
from qa.confirm import confirmed, unplaced
from qa.document_json import from_json
from qa.errors import (
    BrokenDocument,
    EmptyDocument,
    QAError,
    TooLarge,
    WorkerCrashed,
    WorkerError,
    WorkerOutputTooLarge,
    WorkerTimeout,
)
from qa.models import Document
from qa.parse import WORKER_TARGET, Reader, identity, read
from qa.readers.recognised import RecognisedWord, to_rows
from qa.recognise import MOST_PAGES, RecognisedPage
from qa.settings import Corpus
from qa.walk import Found
from qa.worker import run_limited

MEGABYTE: Final = 1_000_000
_IN_PROCESS_BYTES = 16_000  # longer text and Markdown files go to the limited process, too: some are slow to read
_OUTPUT_BYTES = 256 * MEGABYTE
# What our own readers and the libraries under them raise on a file that they cannot take apart. Anything else is
# no fault of a file's: it stops the build, as it should.
READER_FAULTS = (ValueError, LookupError, ArithmeticError, TypeError, AttributeError, AssertionError, RecursionError)

Recognised = Mapping[int, RecognisedPage | QAError]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made of a file. `is_final` is false where another try may make more of the same bytes."""

    document: Document
    is_final: bool = True


def is_isolated(file: Found) -> bool:
    """Whether the file is for the limited process."""
    return file.reader.isolated or file.fingerprint.size > _IN_PROCESS_BYTES


def read_here(file: Found) -> Reading:
    """Read the file in this process. Raises ReadError."""
    try:
        return Reading(read(file.reader.name, file.path))
    except OSError as error:
        raise unopened(error) from error
    except READER_FAULTS as error:
        raise BrokenDocument(
            f"the {file.reader.name} reader could not take the file apart",
            found=type(error).__name__,
            remedy="Save it again with another program, and report it if that does not help.",
        ) from error


def read_isolated(file: Found, limits: Corpus, stopped: threading.Event) -> Reading:
    """Read the file in the limited process, and those of its pages that are pictures as the settings say.

    Places on its pages are in the document where they are confirmed (`qa.confirm`). Once `stopped` is set, nobody waits
    for the answer, and it may lack pages. Raises ReadError or WorkerError.
    """
    reading = _read_all(file, limits, stopped)
    if not file.reader.is_drawn or stopped.is_set():
        return reading
    try:
        memory = limits.read_memory_mb * MEGABYTE
        document = confirmed(file.path, reading.document, seconds=limits.read_seconds, memory_bytes=memory)
    except WorkerError as error:
        return Reading(unplaced(reading.document, error), is_final=False)
    return replace(reading, document=document)


def _read_all(file: Found, limits: Corpus, stopped: threading.Event) -> Reading:
    try:
        document = _read_limited(file, limits, {})
    except EmptyDocument as error:
        if not file.reader.is_drawn:
            raise
        return _read_pictures_alone(file, limits, stopped, error)
    pages = _without_text(document)
    if not pages or not _recognises(file.reader, limits):
        return Reading(document)
    found = _recognise(file, pages, limits, stopped)
    words = _words(found)
    return _reading(_read_limited(file, limits, words) if words else document, pages, found)


def kept(cache: ParseCache, digest: str, reader: Reader, limits: Corpus) -> Document | None:
    """What the cache has of the bytes with this digest, unless reading them now would make more of them."""
    if not _recognises(reader, limits):
        return cache.get(digest, identity(reader))
    document = cache.get(digest, _identity_with_pictures(reader))
    if document is None:
        document = cache.get(digest, identity(reader))
        if document is not None and _without_text(document):
            return None
    return document


def keep(cache: ParseCache, digest: str, reader: Reader, limits: Corpus, reading: Reading) -> None:
    """Put into the cache what is final, where `kept` looks for it."""
    document = reading.document
    has_pictures = bool(_without_text(document)) or any(page.recognised for page in document.pages)
    with_pictures = has_pictures and _recognises(reader, limits)
    if reading.is_final:
        cache.put(digest, _identity_with_pictures(reader) if with_pictures else identity(reader), document)


def advice(document: Document, reader: Reader, limits: Corpus) -> tuple[str, ...]:
    """For the load report: how to have the pages recognised that have no text."""
    if not reader.is_drawn or not limits.recognise or recognise.is_available() or not _without_text(document):
        return ()
    return (f"To have pages without text recognised, {_how(limits)}",)


def unopened(error: OSError) -> QAError:
    """The system does not let us open the file."""
    return BrokenDocument(
        "the file cannot be opened",
        found=error.strerror,
        remedy="Give the account that runs this the right to read it.",
    )


def _read_limited(file: Found, limits: Corpus, words: Mapping[int, Sequence[RecognisedWord]]) -> Document:
    request: dict[str, Any] = {"reader": file.reader.name, "path": str(file.path.absolute())}
    if words:
        request["recognised"] = {str(page): to_rows(found) for page, found in words.items()}
    try:
        answer = run_limited(
            WORKER_TARGET,
            request,
            seconds=limits.read_seconds,
            memory_bytes=limits.read_memory_mb * MEGABYTE,
            output_bytes=_OUTPUT_BYTES,
        )
        return from_json(cast("dict[str, object]", answer))
    except WorkerTimeout as error:
        remedy = "Save it again from its program, or raise read_seconds under [corpus] in clinic.toml."
        raise WorkerTimeout("the file takes too long to read", expected=error.expected, remedy=remedy) from error
    except WorkerOutputTooLarge as error:
        raise TooLarge("the file holds too much text", expected=error.expected, remedy="Split it.") from error
    except WorkerCrashed as error:
        remedy = "Save it again from its program, or raise read_memory_mb under [corpus] in clinic.toml."
        raise WorkerCrashed("reading the file broke off", found=error.found, remedy=remedy) from error
    except READER_FAULTS as error:
        raise WorkerCrashed("the reader's answer is not a document", found=type(error).__name__) from error


def _read_pictures_alone(file: Found, limits: Corpus, stopped: threading.Event, empty: EmptyDocument) -> Reading:
    """Read a file of which no page has text, as `empty` says. Raises that where nothing is recognised, with advice."""
    try:
        pages = range(1, recognise.count_pages(file.path, seconds=limits.recognise_seconds) + 1)
    except QAError:
        raise empty from None  # it has no pages at all
    if not _recognises(file.reader, limits):
        remedy = f"If it was scanned: to have it recognised, {_how(limits)}."
        raise EmptyDocument(empty.problem, found=empty.found, remedy=remedy) from empty
    found = _recognise(file, pages, limits, stopped)
    words = _words(found)
    if words:
        return _reading(_read_limited(file, limits, words), pages, found)
    broken = next((page for page in found.values() if isinstance(page, QAError)), None)
    if broken is not None:
        raise _unrecognised(broken) from empty
    remedy = (
        "Nothing was recognised on them. If there is text, scan them again: upright, sharp, 200 dots per inch or more."
    )
    raise EmptyDocument(empty.problem, found=empty.found, remedy=remedy) from empty


def _recognises(reader: Reader, limits: Corpus) -> bool:
    return reader.is_drawn and limits.recognise and recognise.is_available()


def _how(limits: Corpus) -> str:
    if not limits.recognise:
        return "set recognise = true under [corpus] in clinic.toml, and build again"
    return f"have this installed, and build again: {recognise.EXTRA}"


def _without_text(document: Document) -> list[int]:
    """The numbers of its pages without text, from 1."""
    return [number for number, page in enumerate(document.pages, 1) if page.start == page.end]


def _identity_with_pictures(reader: Reader) -> str:
    return f"{identity(reader)} {recognise.identity()}"


def _recognise(file: Found, pages: Sequence[int], limits: Corpus, stopped: threading.Event) -> Recognised:
    return recognise.recognise(file.path, pages[:MOST_PAGES], seconds=limits.recognise_seconds, stopped=stopped)


def _words(found: Recognised) -> dict[int, tuple[RecognisedWord, ...]]:
    return {number: page.words for number, page in found.items() if isinstance(page, RecognisedPage) and page.words}


def _reading(document: Document, pages: Sequence[int], found: Recognised) -> Reading:
    remarks = [*_remarks(found), *_beyond(pages)]
    broke_off = any(isinstance(page, WorkerError) for page in found.values())
    return Reading(replace(document, warnings=(*document.warnings, *remarks)), is_final=not broke_off)


def _remarks(found: Recognised) -> Iterator[str]:
    """What a person should know of each page, but for those without any writing: the reader has its warning."""
    for number, page in found.items():
        if isinstance(page, QAError):
            yield f"Page {number} was not recognised: {_unrecognised(page).problem}"
        elif page.words and page.lines_left_out:
            lost = f"{page.lines_left_out} of its {page.lines} lines"
            yield f"Page {number} was recognised from its picture, all but {lost}: check it"
        elif page.words:
            yield f"Page {number} was recognised from its picture: check it"
        elif page.lines:
            yield f"Page {number} was not recognised: its writing is too faint, or not upright. Scan it again"


def _beyond(pages: Sequence[int]) -> Iterator[str]:
    if len(pages) > MOST_PAGES:
        yield f"Only the first {MOST_PAGES} pages without text were recognised: split the file"


def _unrecognised(error: QAError) -> QAError:
    """The error of a page's process, in words about the page."""
    if isinstance(error, WorkerTimeout):
        remedy = "Raise recognise_seconds under [corpus] in clinic.toml."
        return WorkerTimeout("recognising it takes too long", expected=error.expected, remedy=remedy)
    if isinstance(error, WorkerError):
        return WorkerCrashed("recognising it broke off", found=error.found)
    return error

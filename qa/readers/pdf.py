"""PDF files, with pypdf: reading order, headings, lists and tables from where the words stand on the page.

The file may be hostile: call `read` in the limited process (`qa.worker`), as `qa.load` does.
"""

from __future__ import annotations

import logging
import re
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pypdf import PdfReader
from pypdf.errors import DependencyError, EmptyFileError, FileNotDecryptedError, PyPdfError

from qa.errors import BrokenDocument, EmptyDocument, EncryptedDocument, TooLarge
from qa.models import Document
from qa.readers.normalise import normalise, shortened
from qa.readers.pdf_blocks import PdfBlock, blocks_of
from qa.readers.pdf_document import document_of
from qa.readers.pdf_fonts import FontCache
from qa.readers.pdf_frame import LETTER, Frame, frame_of
from qa.readers.pdf_layout import Layout
from qa.readers.pdf_lines import Line
from qa.readers.pdf_recognised import recognised_contents
from qa.readers.pdf_running import without_running_lines
from qa.readers.pdf_tables import Table
from qa.readers.pdf_words import PageContent, page_contents
from qa.readers.recognised import RecognisedWord

PAGE_LIMIT: Final = 2_000
_WARNING_LENGTH: Final = 200  # characters of the file's own words in one
_WARNING_LIMIT = 5  # of pypdf's own, which say the same of every object of a damaged file
# Every way in which pypdf, which trusts the file, answers a file that does not deserve it.
_PDF_ERRORS: Final = (
    *(PyPdfError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, AssertionError),
    *(RecursionError, NotImplementedError, struct.error, zlib.error),
)
_NO_TITLE = re.compile(r"\W*(?:untitled.*|unspecified|anonymous|microsoft \w+ - .*|.*\.\w{2,4})\W*", re.IGNORECASE)


def read(
    path: Path,
    *,
    page_limit: int = PAGE_LIMIT,
    recognised: Mapping[int, Sequence[RecognisedWord]] | None = None,
) -> Document:
    """The document in `path`. Pages without words of their own get those of `recognised`, by their numbers from 1.

    Raises `EmptyDocument` (no bytes, or no page with text), `EncryptedDocument`, `TooLarge` (more pages than
    `page_limit`) and `BrokenDocument`. A damaged file of which pages can be recovered is read, with warnings.
    """
    with _logged() as logged:
        reader = _open(path, page_limit)
        labels = _labels(reader)
        fonts = FontCache()
        frames = [_frame(reader, number) for number in range(len(reader.pages))]
        contents, failed = _contents(reader, frames, fonts)
        title = _metadata_title(reader)
    pictures = _pictures(contents, frames, recognised or {})
    for number, content in pictures.items():
        contents[number - 1] = [content]
        failed.pop(number - 1, None)
    if failed and len(failed) == len(contents):
        raise _broken(path, f"no page can be read ({next(iter(failed.values()))})")
    if not any(contents):
        raise _without_text(path, len(contents), fonts.unreadable)
    blocks = _blocks(contents, labels)
    warnings = [_page_warning(number, failed.get(number)) for number, found in enumerate(contents) if not found]
    warnings += [
        f"Text in the font {_printable(name)} was left out: its codes stand for no characters"
        for name in sorted(fonts.unreadable)
    ]
    warnings += [
        f"The file is damaged: {_printable(message)}" for message in list(dict.fromkeys(logged))[:_WARNING_LIMIT]
    ]
    if not blocks:
        raise _without_text(path, len(labels), set())
    return document_of(blocks, labels, title, tuple(warnings), recognised=pictures)


def _open(path: Path, page_limit: int) -> PdfReader:
    with path.open("rb") as file:
        start = file.read(1_024)
    if not start.strip():
        raise EmptyDocument("the file is empty", path=path, found="0 bytes", remedy="Save it again, or remove it.")
    if b"%PDF-" not in start:
        raise _broken(path, "its first bytes are not those of a PDF")
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise _encrypted(path)
        count = len(reader.pages)
    except (FileNotDecryptedError, DependencyError) as error:
        raise _encrypted(path) from error
    except EmptyFileError as error:
        raise EmptyDocument("the file is empty", path=path, remedy="Save it again, or remove it.") from error
    except _PDF_ERRORS as error:
        raise _broken(path, f"its structure cannot be followed ({type(error).__name__})") from error
    if count == 0:
        raise _broken(path, "no pages")
    if count > page_limit:
        raise TooLarge(
            "the file has too many pages",
            path=path,
            found=f"{count:,} pages",
            expected=f"at most {page_limit:,}",
            remedy="Split it into several files.",
        )
    return reader


def _frame(reader: PdfReader, number: int) -> Frame:
    try:
        return frame_of(reader.pages[number])
    except _PDF_ERRORS:
        return LETTER


def _contents(
    reader: PdfReader, frames: Sequence[Frame], fonts: FontCache
) -> tuple[list[list[PageContent]], dict[int, str]]:
    """What stands on each page, and for pages that could not be read (from 0) the kind of error."""
    contents: list[list[PageContent]] = []
    failed = {}
    for number, frame in enumerate(frames):
        try:
            contents.append(page_contents(reader.pages[number], frame, fonts))
        except _PDF_ERRORS as error:
            contents.append([])
            failed[number] = type(error).__name__
    return contents, failed


def _pictures(
    contents: Sequence[Sequence[PageContent]],
    frames: Sequence[Frame],
    recognised: Mapping[int, Sequence[RecognisedWord]],
) -> dict[int, PageContent]:
    """What was recognised on pages without words, by their numbers from 1."""
    bare = {number: frame for number, (found, frame) in enumerate(zip(contents, frames, strict=True), 1) if not found}
    words = {number: recognised[number] for number in bare if number in recognised}
    return recognised_contents(words, bare, _usual_size(contents)) if words else {}


def _labels(reader: PdfReader) -> list[str]:
    try:
        labels = [normalise(label) for label in reader.page_labels]
    except _PDF_ERRORS:
        labels = []
    count = len(reader.pages)
    if len(labels) != count:
        labels = [""] * count
    return [label or str(number) for number, label in enumerate(labels, 1)]


def _metadata_title(reader: PdfReader) -> str | None:
    """The title that the file gives itself, unless a program made it up."""
    try:
        title = normalise(reader.metadata.title or "") if reader.metadata else ""
    except _PDF_ERRORS:
        return None
    sensible = 3 <= len(title) <= 200 and any(character.isalpha() for character in title)
    return title if sensible and not _NO_TITLE.fullmatch(title) else None


def _blocks(contents: Sequence[Sequence[PageContent]], labels: Sequence[str]) -> list[PdfBlock]:
    size = _usual_size(contents) or 0.0
    upright = without_running_lines([page[0] if page else None for page in contents], labels, size)
    layout = Layout(size)
    parts: list[Line | Table] = []
    for number, (page, first) in enumerate(zip(contents, upright, strict=True), 1):
        for content in (first, *page[1:]):
            if content is not None:
                parts += layout.page(content, number)
    return blocks_of(parts)


def _usual_size(contents: Sequence[Sequence[PageContent]]) -> float | None:
    """The size that most characters have, in points; None where there are none."""
    sizes: Counter[float] = Counter()
    for word in (word for page in contents for content in page for word in content.words):
        sizes[round(word.size, 1)] += len(word.text)
    return sizes.most_common(1)[0][0] if sizes else None


def _page_warning(number: int, error: str | None) -> str:
    return f"Page {number + 1} could not be read ({error})" if error else f"Page {number + 1} has no text (scanned?)"


def _printable(words: str) -> str:
    """The file's own words, for a terminal: what is not to be shown there is spelled out as Python would."""
    shown = shortened(words, _WARNING_LENGTH)
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in shown)


def _without_text(path: Path, count: int, unreadable: set[str]) -> EmptyDocument:
    scanned = "only fonts whose codes stand for no characters" if unreadable else "only pictures or blank pages"
    return EmptyDocument(
        "no page has any text",
        path=path,
        found=f"{count:,} page{'s' if count > 1 else ''}, {scanned}",
        remedy="If it was scanned, run text recognition (OCR) on it; or export it again from the program that made it.",
    )


def _broken(path: Path, found: str) -> BrokenDocument:
    return BrokenDocument(
        "the file cannot be read as a PDF",
        path=path,
        found=found,
        expected="a whole PDF file",
        remedy="Open it in a PDF viewer; if that works, print or save it as a new PDF, else get it again.",
    )


def _encrypted(path: Path) -> EncryptedDocument:
    return EncryptedDocument(
        "the file wants a password", path=path, remedy="Save a copy without a password and add that instead."
    )


@contextmanager
def _logged() -> Iterator[list[str]]:
    """What pypdf logs in this thread meanwhile, instead of printing it."""
    messages: list[str] = []
    thread = threading.get_ident()

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                messages.append(normalise(record.getMessage()[:10_000])[:_WARNING_LENGTH])

    logger = logging.getLogger("pypdf")
    logger.propagate = False  # its warnings are ours to report, for good
    collector = Collector(logging.WARNING)
    logger.addHandler(collector)
    try:
        yield messages
    finally:
        logger.removeHandler(collector)

"""The clinic's folder as documents, with one line in the report for every file: read, skipped or failed, and why."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path

from qa.cache import ParseCache
from qa.errors import BrokenDocument, EmptyDocument, QAError, TooLarge
from qa.labelling import metadata_of, missing_folders, sentence
from qa.models import CorpusDocument, Document
from qa.reading import MEGABYTE, Reading, advice, is_isolated, keep, kept, read_here, read_isolated, unopened
from qa.settings import Corpus, Settings
from qa.walk import Fingerprint, Found, is_settled, walk


class Outcome(StrEnum):
    """What became of a file: `SKIPPED` is on purpose, `FAILED` is not."""

    READ = "read"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One file. `path` is below the corpus folder and safe to show. `reason` is empty for what was read."""

    path: str
    outcome: Outcome
    reason: str = ""
    characters: int = 0
    blocks: int = 0
    pages: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Everything that was found, sorted by path. `warnings` are about the folder or the cache as a whole."""

    documents: tuple[CorpusDocument, ...]
    lines: tuple[ReportLine, ...]
    warnings: tuple[str, ...] = ()

    @property
    def read_count(self) -> int:
        """How many files were read."""
        return len(self.documents)

    @property
    def failed(self) -> tuple[ReportLine, ...]:
        """The files that somebody should see to."""
        return tuple(line for line in self.lines if line.outcome is Outcome.FAILED)

    @property
    def skipped(self) -> tuple[ReportLine, ...]:
        """The files that are not for reading."""
        return tuple(line for line in self.lines if line.outcome is Outcome.SKIPPED)

    @property
    def warned(self) -> tuple[ReportLine, ...]:
        """The files that were read, with a remark."""
        return tuple(line for line in self.lines if line.warnings)

    def remarked(self, remarks: Mapping[str, str]) -> LoadReport:
        """The report with one more warning for each of the files that were read and have a remark, by path."""
        lines = [
            replace(line, warnings=(*line.warnings, remarks[line.path])) if line.path in remarks else line
            for line in self.lines
        ]
        return replace(self, lines=tuple(lines))

    @property
    def digest(self) -> str:
        """SHA-256 over the ids, bytes and metadata of all documents, in hexadecimal."""
        return corpus_digest(self.documents)


def corpus_digest(documents: tuple[CorpusDocument, ...]) -> str:
    """SHA-256 over ids, digests and metadata, in hexadecimal; the order of `documents` does not matter."""
    total = hashlib.sha256()
    for document in sorted(documents, key=lambda document: document.id):
        entry = [document.id, document.digest, asdict(document.metadata)]
        total.update(json.dumps(entry, default=date.isoformat).encode() + b"\n")
    return total.hexdigest()


def load_corpus(
    folder: Path,
    settings: Corpus,
    *,
    cache: ParseCache | None,
    today: date,
    default_language: str = "en",
    progress: Callable[[int, int], None] | None = None,
) -> LoadReport:
    """Read every document below `folder`. `progress` is told (done, total) after each; `today` is the clinic's day.

    `default_language` is of documents that name none.
    Files that did not change come from `cache`. A file that cannot be read is a line of the report and nothing more.
    Raises SettingsError or ReadError when the folder itself is missing or cannot be listed.
    """
    found, passed_over = walk(folder)
    lines = [
        ReportLine(other.path, Outcome.FAILED if other.failed else Outcome.SKIPPED, other.reason)
        for other in passed_over
    ]
    documents = []
    for done, (file, outcome) in enumerate(_parsed(found, settings, cache), start=1):
        try:
            if isinstance(outcome, QAError):
                raise outcome
            digest, document = outcome
            metadata, warnings = metadata_of(file, document, settings, today, default_language)
            # Only now: a new label must never count for what an old text, perhaps from the cache, says.
            _ensure_unchanged(file)
        except QAError as error:
            lines.append(ReportLine(file.id, Outcome.FAILED, sentence(error)))
        else:
            documents.append(CorpusDocument(file.id, digest, document, metadata))
            counts = len(document.text), len(document.blocks), len(document.pages)
            remarks = (*document.warnings, *advice(document, file.reader, settings), *warnings)
            lines.append(ReportLine(file.id, Outcome.READ, "", *counts, remarks))
        if progress is not None:
            progress(done, len(found))
    if cache is not None:
        cache.flush()
    return LoadReport(
        documents=tuple(sorted(documents, key=lambda document: document.id)),
        lines=tuple(sorted(lines, key=lambda line: line.path)),
        warnings=(*missing_folders(folder, settings), *(cache.warnings if cache else ())),
    )


def load_documents(
    settings: Settings,
    *,
    cache: ParseCache | None,
    today: date,
    progress: Callable[[int, int], None] | None = None,
) -> LoadReport:
    """`load_corpus` of the clinic's own folder and language."""
    language = settings.clinic.languages[0]
    folder, limits = settings.corpus.folder, settings.corpus
    return load_corpus(folder, limits, cache=cache, today=today, default_language=language, progress=progress)


def load_one(file: Found, settings: Settings, today: date) -> CorpusDocument:
    """The document of one file that was found. Raises QAError where it cannot be read."""
    ((_, outcome),) = _parsed([file], settings.corpus, None)
    if isinstance(outcome, QAError):
        raise outcome
    digest, document = outcome
    metadata, _ = metadata_of(file, document, settings.corpus, today, settings.clinic.languages[0])
    _ensure_unchanged(file)
    return CorpusDocument(file.id, digest, document, metadata)


_Parsed = tuple[str, Document] | QAError


def _parsed(found: list[Found], limits: Corpus, cache: ParseCache | None) -> Iterator[tuple[Found, _Parsed]]:
    """Each file with its digest and document, or why there is none; not in order.

    The cache is used in this thread only. The threads of the pool wait for limited processes.
    """
    pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="reader")
    waiting: dict[Future[Reading], tuple[Found, str]] = {}
    stopped = threading.Event()
    try:
        for file in found:
            try:
                digest = _digest(file, limits, cache)
                document = kept(cache, digest, file.reader, limits) if cache else None
                if document is None and is_isolated(file):
                    waiting[pool.submit(read_isolated, file, limits, stopped)] = (file, digest)
                    continue
                if document is None:
                    document = _checked(file, digest, read_here(file), limits, cache)
            except QAError as error:
                yield file, error
            else:
                yield file, (digest, document)
        for future in as_completed(waiting):
            file, digest = waiting.pop(future)
            try:
                document = _checked(file, digest, future.result(), limits, cache)
            except QAError as error:
                yield file, error
            else:
                yield file, (digest, document)
    finally:
        stopped.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _digest(file: Found, limits: Corpus, cache: ParseCache | None) -> str:
    """SHA-256 of the file's bytes, from the cache where nothing changed. Raises ReadError for what need not be read."""
    if file.fingerprint.size == 0:
        raise EmptyDocument("the file is empty", expected="text", remedy="Fill it or remove it.")
    if file.fingerprint.size > limits.max_file_mb * MEGABYTE:
        raise TooLarge(
            "the file is over the limit",
            found=f"{file.fingerprint.size / MEGABYTE:.1f} MB",
            expected=f"at most {limits.max_file_mb:g} MB",
            remedy="Split it, or raise max_file_mb under [corpus] in clinic.toml.",
        )
    path = os.path.abspath(file.path)  # noqa: PTH100 - Path.absolute keeps ".." and costs ten times as much
    if cache and (known := cache.digest(path, file.fingerprint)):
        return known
    try:
        with file.path.open("rb") as opened:
            now = os.fstat(opened.fileno())
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise unopened(error) from error
    if Fingerprint.of(now) != file.fingerprint:
        raise _changed()
    if cache and is_settled(now):
        cache.remember_digest(path, file.fingerprint, digest)
    return digest


def _checked(file: Found, digest: str, reading: Reading, limits: Corpus, cache: ParseCache | None) -> Document:
    """The document, kept in the cache, once it is sure that it was made of the bytes with this digest."""
    _ensure_unchanged(file)
    if cache:
        keep(cache, digest, file.reader, limits, reading)
    return reading.document


def _ensure_unchanged(file: Found) -> None:
    """Raises ReadError where the file is no longer what it was when it was found."""
    try:
        now = Fingerprint.of(file.path.lstat())
    except OSError as error:
        raise unopened(error) from error
    if now != file.fingerprint:
        raise _changed()


def _changed() -> QAError:
    return BrokenDocument("the file changed while it was being read", remedy="Build again when it is saved.")

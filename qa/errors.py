"""Everything that can go wrong, as one tree.

    QAError
    ├── SettingsError        clinic.toml or the environment says something we cannot use
    ├── MetadataError        front matter or a sidecar says something we cannot use
    ├── QuestionsError       the file of a clinic's own questions says something we cannot use
    ├── CalibrationError     a calibration, or what one is made from, cannot be used
    ├── EvaluationError      a data set or floors file cannot be used, or a floor would be lowered
    ├── ClaimsError          a sentence cannot be signed off, or its sign-off not taken back
    ├── ReadError            one document could not be read; the others still are
    │   ├── EmptyDocument
    │   ├── TooLarge
    │   ├── EncryptedDocument
    │   └── BrokenDocument
    ├── WorkerError          the limited process did not give an answer
    │   ├── WorkerTimeout
    │   ├── WorkerOutputTooLarge
    │   ├── WorkerCrashed    (a crash, or memory beyond its limit)
    │   └── WorkerBusy
    ├── PictureError         a page cannot be shown as a picture; its text still can
    │   ├── NoPicture        (no such page, or nothing that it could be drawn from)
    │   ├── PictureFailed
    │   └── PicturesBusy
    ├── JournalError         the journal of questions cannot be used; answers do not wait for it
    ├── AccountsError        an account, or the file of accounts, cannot be used
    ├── NotAllowed           somebody has not the role for what they asked
    ├── ModelError           the embedding model is missing or is not the one it should be
    ├── IndexProblem         an index cannot be opened
    │   ├── IndexMissing
    │   ├── IndexIncomplete
    │   ├── IndexFormatMismatch
    │   ├── IndexModelMismatch
    │   └── IndexCorrupt
    └── BuildError           nothing was published
        ├── BuildRunning
        ├── NothingToPublish
        └── LeakFound

An error says what was wrong, what was found, what was expected and what to do next. It carries that
evidence as attributes, so that a page or a report can use the parts without taking the sentence apart.
"""

from __future__ import annotations

from pathlib import Path


class QAError(Exception):
    """The root. `str(error)` is one sentence or two that a person can act on.

    `problem` is a sentence without its full stop. `found` and `expected` are short texts. `remedy` is a whole
    sentence that says what to do next. `path` and `page` (counted from 1) say where.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: Path | str | None = None,
        page: int | None = None,
        found: str | None = None,
        expected: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.problem = problem
        self.path = str(path) if path is not None else None
        self.page = page
        self.found = found
        self.expected = expected
        self.remedy = remedy
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        place = self.path or ""
        if self.page is not None:
            place = f"{place}, page {self.page}".lstrip(", ")
        evidence = [
            f"{label} {value}"
            for label, value in (("found", self.found), ("expected", self.expected))
            if value is not None
        ]
        sentence = f"{place}: {self.problem}" if place else self.problem
        if evidence:
            sentence += f" ({', '.join(evidence)})"
        return f"{sentence}. {self.remedy}" if self.remedy else f"{sentence}."


class SettingsError(QAError):
    """A setting is unknown, of the wrong type or out of range."""


class MetadataError(QAError):
    """Front matter or a sidecar is unreadable or holds a value that we cannot use."""


class QuestionsError(QAError):
    """The file of a clinic's own questions is unreadable or holds something that we cannot use."""


class EvaluationError(QAError):
    """An evaluation cannot be run: its data, its floors or its libraries are not as they should be."""


class CalibrationError(QAError):
    """A calibration, or a list of questions that one is made from, is unreadable or of another format."""


class ClaimsError(QAError):
    """What should be signed off is not there, or is signed off already."""


class ReadError(QAError):
    """A document could not be read."""


class EmptyDocument(ReadError):
    """The file holds no bytes, or no text at all."""


class TooLarge(ReadError):
    """The file is over a limit of the settings."""


class EncryptedDocument(ReadError):
    """The file wants a password."""


class BrokenDocument(ReadError):
    """The file is not what its name says, or is cut off."""


class WorkerError(QAError):
    """The limited process did not give an answer."""


class WorkerTimeout(WorkerError):
    """It took longer than its limit and was ended."""


class WorkerOutputTooLarge(WorkerError):
    """It answered with more than its limit and was ended."""


class WorkerCrashed(WorkerError):
    """It ended by itself without an answer: a crash, or more memory than its limit."""


class WorkerBusy(WorkerError):
    """As many processes as are allowed are at work, and none came free in time."""


class PictureError(QAError):
    """A page cannot be shown as a picture."""


class NoPicture(PictureError):
    """The document has no such page, or nothing that its pages could be drawn from."""


class PictureFailed(PictureError):
    """The page could not be drawn: the kept file is damaged, or drawing it crashed or took too much."""


class PicturesBusy(PictureError):
    """Too many pages are being drawn; in a moment it may be this one's turn."""


class JournalError(QAError):
    """The journal of questions cannot be written, read or purged."""


class AccountsError(QAError):
    """An account, the file that holds the accounts or the key of the cookies cannot be used."""


class NotAllowed(QAError):
    """Whoever asks is not signed in with the role that this takes."""


class ModelError(QAError):
    """The embedding model is missing, or its weights are not the ones they should be."""


class IndexProblem(QAError):
    """An index cannot be opened; the remedy names the command that mends it."""


class IndexMissing(IndexProblem):
    """Nothing was built yet."""


class IndexIncomplete(IndexProblem):
    """A file that the manifest names is not there."""


class IndexFormatMismatch(IndexProblem):
    """The index was written by another version of this software."""


class IndexModelMismatch(IndexProblem):
    """The index was made with another model, or other settings of it, than the one in use."""


class IndexCorrupt(IndexProblem):
    """A file does not have the checksum that the manifest gives."""


class BuildError(QAError):
    """Nothing was published; the generation that was live stays live."""


class BuildRunning(BuildError):
    """Another build holds the lock."""


class NothingToPublish(BuildError):
    """No document could be read."""


class LeakFound(BuildError):
    """The patient index holds text that patients may not read."""

"""The labels as they stand on the disk at this moment, over an index that was built earlier.

What label, front matter and folder say now counts where it is stricter than what they said at the build; nothing here
ever opens what the build held back. What cannot be looked at is closed: a document that is gone or has become a link,
one whose label cannot be read, and all of them while the folder with the documents cannot be listed.

A file that looks the same to `lstat` as before is not opened again, and a folder that looks the same is not listed
again: a name in it cannot come, go or change without that.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np

from qa.audience import Audience
from qa.clock import Clock
from qa.errors import BrokenDocument, QAError
from qa.index.contract import IndexedDocument, Mask
from qa.index.faiss_index import FaissIndex
from qa.labelling import metadata_of
from qa.metadata import fail_closed, patient_may_read, stricter
from qa.models import Document, Metadata, Status
from qa.readers.decode import decode
from qa.readers.front_matter import split_front_matter
from qa.reading import READER_FAULTS
from qa.settings import Settings
from qa.walk import Fingerprint, Found, documents_in, is_settled

_AT_ONCE: Final = 500  # documents that a refresh looks at before a question may come between
_PAUSE_SECONDS: Final = 0.001
_MEGABYTE: Final = 1_000_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Listing:
    """A folder as it was last listed. Unless `is_settled`, its next change may not show in `fingerprint`."""

    fingerprint: Fingerprint
    is_settled: bool
    files: Mapping[str, Found]


@dataclass(frozen=True, slots=True)
class _Known:
    """A document as it was last looked at.

    `file` is None where there is no such document any more. `fingerprints` are the document's and its labels'; unless
    `is_settled`, their next change may not show. `metadata` is the stricter of then and now.
    """

    file: Found | None
    fingerprints: tuple[Fingerprint, ...]
    is_settled: bool
    metadata: Metadata


class LiveLabels:
    """See `Eligibility`. Made with one look at every document of the index.

    `mask` and `metadata` go by the last look. Somebody has to call `refresh` now and then (the app about once a second,
    in a thread of its own), so that what was taken away is not found and what was given back is; `confirm` looks again
    at the few documents that are about to be shown. For staff, whom nothing is kept from, `mask` is None and `confirm`
    True; `metadata` is as live as for patients.
    """

    def __init__(self, index: FaissIndex, settings: Settings, clock: Clock) -> None:
        self._index = index
        self._root = settings.corpus.folder
        self._settings = settings
        self._clock = clock
        self._is_for_patients = index.manifest.audience == Audience.PATIENT
        documents = index.documents()
        self._document_numbers = np.repeat(np.arange(len(documents)), [len(each.passages) for each in documents])
        self._folders: dict[str, _Listing] = {}
        self._known: dict[str, _Known] = {}
        self._is_root_there = True
        self._changes = 0
        self._mask: tuple[date | None, int, Mask | None] = (None, 0, None)
        self._one_look_at_a_time = threading.Lock()
        self.refresh()

    def mask(self, today: date) -> Mask | None:
        """See `Eligibility.mask`. The same object as long as nothing changes."""
        if not self._is_for_patients:
            return None
        # Read before the documents are: what changes meanwhile asks for another mask.
        changes = self._changes
        day, made_at, mask = self._mask
        if (day, made_at) != (today, changes):
            known = [self._known[document.id].metadata for document in self._index.documents()]
            readable = np.array([patient_may_read(metadata, today) for metadata in known], dtype=bool)
            mask = readable[self._document_numbers]
            built = self._index.eligible(today)
            if built is not None:
                mask &= built
            if mask.all():
                mask = None
            self._mask = (today, changes, mask)
        return mask

    def metadata(self, document_id: str) -> Metadata:
        """See `Eligibility.metadata`: what was built, closed as far as it is closed now."""
        return self._known[document_id].metadata

    def confirm(self, document_ids: Iterable[str]) -> bool:
        """See `Eligibility.confirm`: whether all of these may be shown at this moment."""
        wanted = list(document_ids)
        with self._one_look_at_a_time:
            self._look(wanted, {})
            known = [self._known[document_id].metadata for document_id in wanted]
        today = self._clock().date()
        return not self._is_for_patients or all(patient_may_read(metadata, today) for metadata in known)

    def refresh(self) -> None:
        """Look at every document again: at what `lstat` says of it, and into it where that has changed.

        Questions may be asked meanwhile. Never raises because of what is on the disk.
        """
        ids = [document.id for document in self._index.documents()]
        listed: dict[str, Mapping[str, Found]] = {}
        for start in range(0, len(ids), _AT_ONCE):
            if start:
                time.sleep(_PAUSE_SECONDS)  # or else this thread takes the lock again before any other wakes up
            with self._one_look_at_a_time:
                self._look(ids[start : start + _AT_ONCE], listed)

    def _look(self, document_ids: Iterable[str], listed: dict[str, Mapping[str, Found]]) -> None:
        """Bring `_known` up to date for these documents. `listed` are the folders of this look."""
        for document_id in document_ids:
            folder = document_id[: document_id.rfind("/") + 1]
            for prefix in ("", folder):
                if prefix not in listed:
                    listed[prefix] = self._files(prefix)
            file = listed[folder].get(document_id) if self._is_root_there else None
            before = self._known.get(document_id)
            now = self._looked_at(self._index.document(document_id), file, before)
            self._known[document_id] = now
            if before is None or now.metadata != before.metadata:
                self._changes += 1

    def _files(self, prefix: str) -> Mapping[str, Found]:
        """The documents in one folder; none where it, or a folder above it, is gone or has become a link."""
        try:
            info = self._folder_info(prefix)
            known = self._folders.get(prefix)
            if known is None or not known.is_settled or known.fingerprint != Fingerprint.of(info):
                known = _Listing(Fingerprint.of(info), is_settled(info), documents_in(self._root, prefix))
                self._folders[prefix] = known
        except OSError as error:
            self._folders.pop(prefix, None)
            if not prefix:
                self._note_root(error)
            return {}
        if not prefix:
            self._note_root(None)
        return known.files

    def _folder_info(self, prefix: str) -> os.stat_result:
        """What is known of a folder. Raises OSError where it or one above it is no folder; the root may be a link."""
        info = os.stat(self._root)  # noqa: PTH116 - many times a second, and Path's costs twice as much
        path = str(self._root)
        for name in prefix.split("/")[:-1]:
            path = f"{path}/{name}"
            info = os.lstat(path)
            if not stat.S_ISDIR(info.st_mode):
                raise NotADirectoryError(path)
        return info

    def _note_root(self, error: OSError | None) -> None:
        """Say it in the log, once, when the folder with the documents is lost or back."""
        if error is not None and self._is_root_there:
            reason = error.strerror or type(error).__name__
            _log.error("%s cannot be listed (%s): every document is held back until it can", self._root, reason)
        elif error is None and not self._is_root_there:
            _log.info("%s can be listed again", self._root)
        self._is_root_there = error is None

    def _looked_at(self, document: IndexedDocument, file: Found | None, before: _Known | None) -> _Known:
        """What is known of a document now; `before` where its files are as they were."""
        if file is None:
            return _gone(document)
        try:
            infos = [os.lstat(path) for path in (file.path, *file.labels)]
        except OSError:
            return _gone(document)
        fingerprints = tuple(map(Fingerprint.of, infos))
        if (
            before is not None
            and before.is_settled
            and before.file is not None
            and (before.file.labels, before.file.orphans) == (file.labels, file.orphans)
            and before.fingerprints == fingerprints
        ):
            return before
        # The fingerprints are older than what is read now: a change in between is found by the next look.
        settled = all(map(is_settled, infos))
        return _Known(file, fingerprints, settled, stricter(document.metadata, self._said(document, file, infos[0])))

    def _said(self, document: IndexedDocument, file: Found, info: os.stat_result) -> Metadata:
        """What label, front matter and folder say now. A sign-off that was taken back closes, where one is needed."""
        language = self._settings.clinic.languages[0]
        try:
            content = self._content(document, file, info)
            said = metadata_of(file, content, self._settings.corpus, self._clock().date(), language)[0]
        except (QAError, OSError, *READER_FAULTS):
            # A build would report the file and leave it out; the other documents must still be looked at.
            return fail_closed(document.metadata)
        answered_for = {sign_off.digest for sign_off in said.signed_off}
        is_taken_back = any(sign_off.digest not in answered_for for sign_off in document.metadata.signed_off)
        return fail_closed(said) if is_taken_back and self._settings.claims.mode == "block" else said

    def _content(self, document: IndexedDocument, file: Found, info: os.stat_result) -> Document:
        """As much of the file as may say who reads it. Raises QAError or OSError where a build would not read it.

        Only Markdown has front matter. The beginning of a text that was built once holds nothing that looks like a
        label, or the build has closed it for that.
        """
        if not stat.S_ISREG(info.st_mode) or not 0 < info.st_size <= self._settings.corpus.max_file_mb * _MEGABYTE:
            raise BrokenDocument("the file would not be read", path=document.id)
        front_matter: dict[str, object] = {}
        text = ""
        if file.reader.name in ("markdown", "text"):
            data = file.path.read_bytes()
            is_changed = hashlib.sha256(data).hexdigest() != document.digest
            if is_changed or file.reader.name == "markdown":
                raw, _ = decode(data, file.path)
                start = 0
                if file.reader.name == "markdown":
                    front_matter, start = split_front_matter(raw, file.path)
                text = raw[start:] if is_changed else ""
        return Document(text=text, blocks=(), front_matter=front_matter)


def _gone(document: IndexedDocument) -> _Known:
    metadata = replace(document.metadata, audience=Audience.STAFF, status=Status.WITHDRAWN)
    return _Known(None, (), is_settled=True, metadata=metadata)

"""Names for documents and passages that may stand in an address: keyed hashes, which tell nothing to anybody.

A name opens nothing by itself. It is looked up among the documents of whoever asks, and is the same for everybody, so
that an address can be handed on.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from threading import Lock
from weakref import WeakKeyDictionary

from qa.index.contract import PassageIndex
from qa.models import Passage

LENGTH = 16  # characters
_BYTES = 12
_LABEL = b"clinic-qa public ids 1"


class PublicIds:
    """Makes and finds the names. `key` is a secret of this installation, so that names outlive builds and restarts."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, _LABEL, "sha256")
        self._documents: WeakKeyDictionary[PassageIndex, Mapping[str, str]] = WeakKeyDictionary()
        self._lock = Lock()

    def document(self, document_id: str) -> str:
        """The name of a document."""
        return self._name("document", document_id)

    def passage(self, document_id: str, text: str, start: int) -> str:
        """The name of the passage that begins at `start` of this document, whose whole text is `text`.

        Another text is another name, so that no address ever marks what it was not made for.
        """
        return self._passage(document_id, _digest(text), start)

    def find_document(self, name: str, index: PassageIndex) -> str | None:
        """The id of the document of `index` with this name. The names of an index are worked out once."""
        with self._lock:
            documents = self._documents.get(index)
            if documents is None:
                documents = {self.document(document.id): document.id for document in index.documents()}
                self._documents[index] = documents
        return documents.get(name)

    def find_passage(self, name: str, text: str, passages: Sequence[Passage]) -> int | None:
        """The place in `passages`, which are those of one document with this text, of the one with this name."""
        digest = _digest(text)
        names = (self._passage(passage.document_id, digest, passage.start) for passage in passages)
        return next((place for place, found in enumerate(names) if found == name), None)

    def _passage(self, document_id: str, text_digest: str, start: int) -> str:
        return self._name("passage", f"{text_digest} {start} {document_id}")

    def _name(self, kind: str, content: str) -> str:
        message = f"{kind}\0{content}".encode("utf-8", "surrogatepass")
        return urlsafe_b64encode(hmac.digest(self._key, message, "sha256")[:_BYTES]).decode()


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

"""What of an index may be shown at this moment: the labels as they are now, not as they were at the build.

Taking a document away (withdrawing it, relabelling it to staff, a review date that passes) acts at the next question.
Granting anything takes a build, because a patients' index has nothing else in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from qa.index.contract import Mask, PassageIndex
from qa.models import Metadata


class Eligibility(Protocol):
    """What may be shown of one index. Safe to use from several threads."""

    def mask(self, today: date) -> Mask | None:
        """Which passages may be shown today; None when all may."""
        ...

    def metadata(self, document_id: str) -> Metadata:
        """What is known about a document of the index now. Raises KeyError for one that the index has not."""
        ...

    def confirm(self, document_ids: Iterable[str]) -> bool:
        """Look these documents' labels up again, just before they are shown: whether they are as the mask has them."""
        ...


class AsBuilt:
    """What the index itself knows, for measuring: there is no folder of documents behind a data set."""

    def __init__(self, index: PassageIndex) -> None:
        self._index = index

    def mask(self, today: date) -> Mask | None:
        """See `Eligibility.mask`."""
        return self._index.eligible(today)

    def metadata(self, document_id: str) -> Metadata:
        """See `Eligibility.metadata`."""
        return self._index.document(document_id).metadata

    def confirm(self, document_ids: Iterable[str]) -> bool:  # noqa: ARG002 - the contract's signature
        """See `Eligibility.confirm`. Nothing changes here."""
        return True

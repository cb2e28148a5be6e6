"""Who may read what. Anything that is not plainly for patients is for staff only."""

from __future__ import annotations

from enum import StrEnum


class Audience(StrEnum):
    """Whom a document is written for, and as whom somebody asks."""

    PATIENT = "patient"
    STAFF = "staff"


def can_read(reader: Audience, document: Audience) -> bool:
    """Staff read everything; patients read only what is for patients."""
    return reader is Audience.STAFF or document is Audience.PATIENT

from __future__ import annotations

import pytest

from qa.audience import Audience, can_read


@pytest.mark.parametrize(
    ("reader", "document", "allowed"),
    [
        (Audience.PATIENT, Audience.PATIENT, True),
        (Audience.PATIENT, Audience.STAFF, False),
        (Audience.STAFF, Audience.PATIENT, True),
        (Audience.STAFF, Audience.STAFF, True),
    ],
)
def test_patients_read_only_what_is_for_patients(reader: Audience, document: Audience, *, allowed: bool) -> None:
    """Staff read everything, patients only patients' documents."""
    assert can_read(reader, document) is allowed

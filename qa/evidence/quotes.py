"""Whether what is quoted stands in its document, looked up again before anybody reads it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from qa.index.contract import PassageIndex, Source
from qa.models import Hit, Passage, pages_of

_CUT = "…"  # ends a lead-in that was shortened

_log = logging.getLogger(__name__)


def verified(hits: Sequence[Hit], index: PassageIndex) -> tuple[Hit, ...]:
    """The hits whose text stands in the document that they name, on the pages that they name.

    The others are dropped, and so are such places in `also_in`: each is a defect of the index or of this program, and
    is logged, without its text.
    """
    return tuple(
        replace(hit, also_in=tuple(other for other in hit.also_in if is_sound(other, index)))
        for hit in hits
        if is_sound(hit.passage, index)
    )


def is_sound(passage: Passage, index: PassageIndex) -> bool:
    """Whether the passage stands in its document as it says; if not, the log says why."""
    defect = _defect(passage, index)
    if defect is not None:
        _log.error("A quote was left out, %s: characters %s of the document", defect, passage.id.rpartition("#")[2])
    return defect is None


def _defect(passage: Passage, index: PassageIndex) -> str | None:
    try:
        source, is_intact = index.source(passage.document_id), index.is_intact(passage.document_id)
    except KeyError:
        return "whose document the index has not"
    if not is_intact:
        return "whose document does not read as it did at the build"
    if not passage.text or source.text[passage.start : passage.end] != passage.text:
        return "which does not stand in its document"
    if not _is_before(passage, source):
        return "whose introduction does not stand before it"
    if passage.pages != pages_of((passage.start, passage.end), source.pages):
        return "which does not stand on the pages that it names"
    return None


def _is_before(passage: Passage, source: Source) -> bool:
    lead_in = passage.lead_in.removesuffix(_CUT)
    return source.text.rfind(lead_in, 0, passage.start) >= 0 if lead_in else True

"""Which passages can be marked on the pictures of their pages: looked up for every one while an index is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from qa.evidence.locate import locate
from qa.models import CorpusDocument, Passage
from qa.parse import is_drawn


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many passages could be located, and how many could not; `remarks` say so by document, for the report."""

    located: int = 0
    unlocated: int = 0
    remarks: dict[str, str] = field(default_factory=dict)


def coverage(documents: Sequence[CorpusDocument], passages: Sequence[Sequence[Passage]]) -> Coverage:
    """What can be located of `passages`, those of each document; only documents whose pages are drawn are counted."""
    located = unlocated = 0
    remarks = {}
    for entry, cut in zip(documents, passages, strict=True):
        if not is_drawn(entry.id):
            continue
        lost = sum(not _is_located(passage, entry) for passage in cut)
        located, unlocated = located + len(cut) - lost, unlocated + lost
        if lost:
            remarks[entry.id] = f"{lost} of {len(cut)} passages cannot be marked on their pages"
    return Coverage(located, unlocated, remarks)


def _is_located(passage: Passage, entry: CorpusDocument) -> bool:
    document = entry.document
    marks = locate((passage.start, passage.end), document.text, document.blocks, document.geometry)
    return marks is not None and {mark.page for mark in marks} == set(passage.pages)

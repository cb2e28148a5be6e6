"""What `clinic-qa conflicts` prints: documents that contradict each other, for people and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from qa.conflicts import Conflict, ConflictKind, Statement
from qa.models import Block, CorpusDocument, Status
from qa.walk import safe

_WIDTH = 100
_ABOUT = {
    ConflictKind.NUMBER: "numbers",
    ConflictKind.TIME: "times",
    ConflictKind.AMOUNT: "amounts",
    ConflictKind.DATE: "days",
    ConflictKind.COUNT: "counts",
    ConflictKind.CONTACT: "numbers or addresses to reach",
    ConflictKind.YES_NO: "answers, yes and no",
}


@dataclass(frozen=True, slots=True)
class Side:
    """One statement of a conflict with its place. `page` is as printed, empty for formats without pages."""

    statement: Statement
    said: str
    title: str
    section: tuple[str, ...]
    page: str
    approved_on: date | None
    status: Status
    audience: str


def both_sides(conflict: Conflict, documents: Mapping[str, CorpusDocument]) -> tuple[Side, ...]:
    """The sides of a conflict of these documents, by id; that which was approved last first."""
    ordered = conflict.newest_first(lambda document_id: documents[document_id].metadata.approved_on)
    return tuple(_side(statement, said, documents[statement.document_id]) for statement, said in ordered)


def _side(statement: Statement, said: str, entry: CorpusDocument) -> Side:
    block = _block_at(entry, statement.start)
    pages = entry.document.pages
    return Side(
        statement=statement,
        said=said,
        title=entry.metadata.title,
        section=block.headings if block is not None else (),
        page=pages[block.page - 1].label if block is not None and pages else "",
        approved_on=entry.metadata.approved_on,
        status=entry.metadata.status,
        audience=entry.metadata.audience,
    )


def _block_at(entry: CorpusDocument, place: int) -> Block | None:
    return next((block for block in entry.document.blocks if block.start <= place < block.end), None)


def conflicts_text(conflicts: Sequence[Conflict], documents: Iterable[CorpusDocument]) -> str:
    """Every conflict with both sentences, where they stand and when they were approved, newest first."""
    by_id = {entry.id: entry for entry in documents}
    lines: list[str] = []
    for number, conflict in enumerate(conflicts, start=1):
        doubt = "" if conflict.is_strict else ", perhaps: read both"
        lines += [f"{number}. Different {_ABOUT[conflict.kind]}{doubt}", ""]
        for side in both_sides(conflict, by_id):
            lines += [*_side_lines(side), ""]
    if not conflicts:
        return "No contradictions found. Sentences that say it in very different words are not compared."
    count = len(conflicts)
    found = "1 contradiction" if count == 1 else f"{count} contradictions"
    return "\n".join(
        [
            *lines,
            f"{found} found. Decide which is right, correct the other document or withdraw it, then `clinic-qa build`.",
        ]
    )


def _side_lines(side: Side) -> list[str]:
    approved = f"approved {side.approved_on.isoformat()}" if side.approved_on else "never approved"
    state = "" if side.status is Status.APPROVED else f", {side.status}"
    where = " › ".join(dict.fromkeys((side.title, *side.section)))
    page = f", page {side.page}" if side.page else ""
    return [
        safe(f"   {side.said}  ({approved}{state}, {side.audience})"),
        _indented(f"“{' '.join(side.statement.text.split())}”"),
        _indented(f"{where}{page}, {side.statement.document_id}"),
    ]


def _indented(text: str) -> str:
    return textwrap.fill(safe(text), _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6, break_long_words=False)


def conflict_json(conflict: Conflict, documents: Mapping[str, CorpusDocument]) -> dict[str, object]:
    """One conflict for `clinic-qa conflicts --json`, its sides newest first; later versions only add keys."""
    return {
        "kind": conflict.kind,
        "strict": conflict.is_strict,
        "sides": [
            {
                "document": side.statement.document_id,
                "title": side.title,
                "section": list(side.section),
                "page": side.page,
                "span": [side.statement.start, side.statement.end],
                "sentence": " ".join(side.statement.text.split()),
                "said": side.said,
                "approved_on": side.approved_on.isoformat() if side.approved_on else None,
                "status": side.status,
                "audience": side.audience,
            }
            for side in both_sides(conflict, documents)
        ],
    }

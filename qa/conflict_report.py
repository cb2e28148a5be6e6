"""What `clinic-qa conflicts` prints: documents that contradict each other, for people and as JSON."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import date

from qa.conflicts import Conflict, ConflictKind, Statement
from qa.index.contract import PassageIndex
from qa.models import Status, pages_of
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


def both_sides(conflict: Conflict, index: PassageIndex) -> tuple[Side, ...]:
    """The sides of a conflict of this index's documents; that which was approved last first."""
    ordered = conflict.newest_first(lambda document_id: index.document(document_id).metadata.approved_on)
    return tuple(_side(statement, said, index) for statement, said in ordered)


def _side(statement: Statement, said: str, index: PassageIndex) -> Side:
    document = index.document(statement.document_id)
    metadata, pages = document.metadata, index.source(document.id).pages
    passages = index.passages(document.passages)
    passage = next(each for each in passages if each.start <= statement.start < each.end)
    on = pages_of((statement.start, statement.end), pages)
    return Side(
        statement=statement,
        said=said,
        title=metadata.title,
        section=passage.headings,
        page=pages[on[0] - 1].label if on else "",
        approved_on=metadata.approved_on,
        status=metadata.status,
        audience=metadata.audience,
    )


def conflicts_text(index: PassageIndex) -> str:
    """Every conflict of an index with both sentences, where they stand and when they were approved, newest first."""
    lines: list[str] = []
    for number, conflict in enumerate(index.conflicts, start=1):
        doubt = "" if conflict.is_strict else ", perhaps: read both"
        lines += [f"{number}. Different {_ABOUT[conflict.kind]}{doubt}", ""]
        for side in both_sides(conflict, index):
            lines += [*_side_lines(side), ""]
    count = len(index.conflicts)
    if not count:
        return "No contradictions were found at the last build. Those in very different words are not found."
    found = "1 contradiction" if count == 1 else f"{count} contradictions"
    return "\n".join(
        [
            *lines,
            f"{found} found at the last build. Decide which side is right, correct the other document or withdraw it, "
            "then `clinic-qa build`.",
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


def conflict_json(conflict: Conflict, index: PassageIndex) -> dict[str, object]:
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
            for side in both_sides(conflict, index)
        ],
    }

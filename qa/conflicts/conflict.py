"""What a contradiction is, and the file that a build keeps them in."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from qa.errors import IndexCorrupt


class ConflictKind(StrEnum):
    """What two sentences disagree about."""

    NUMBER = "number"
    TIME = "time"
    AMOUNT = "amount"
    DATE = "date"
    COUNT = "count"
    CONTACT = "contact"
    YES_NO = "yes_no"


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence, list item or table row, `text`, at `start` to `end` in the text of its document."""

    document_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two statements of different documents that cannot both be right; `said` is what each of them says of it.

    `is_strict` says that it is almost certainly the same thing in the same unit, or yes against no in plain words.
    """

    one: Statement
    other: Statement
    kind: ConflictKind
    said: tuple[str, str]
    is_strict: bool

    @property
    def sides(self) -> tuple[tuple[Statement, str], tuple[Statement, str]]:
        """Both statements, each with its value."""
        return (self.one, self.said[0]), (self.other, self.said[1])

    def newest_first(self, approved_on: Callable[[str], date | None]) -> tuple[tuple[Statement, str], ...]:
        """Both sides, that of the document (by its id) which was approved last first; those never approved last."""
        return tuple(sorted(self.sides, key=lambda side: approved_on(side[0].document_id) or date.min, reverse=True))


def write_conflicts(path: Path, conflicts: Sequence[Conflict]) -> None:
    """Write conflicts to a JSON file."""
    content = {"conflicts": [asdict(conflict) for conflict in conflicts]}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_conflicts(path: Path) -> tuple[Conflict, ...]:
    """The conflicts of a file that `write_conflicts` wrote. Raises IndexCorrupt for one that cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_from_json(each) for each in content["conflicts"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexCorrupt("the list of conflicts cannot be read", path=path, found=str(error)) from error


def _from_json(content: dict[str, Any]) -> Conflict:
    one, other = content["said"]
    return Conflict(
        one=Statement(**content["one"]),
        other=Statement(**content["other"]),
        kind=ConflictKind(content["kind"]),
        said=(one, other),
        is_strict=bool(content["is_strict"]),
    )

"""Abbreviations and lay words with what documents say instead: `qa/data/glossary.toml` and the clinic's own file.

Expansions are added to what is searched. Nobody ever sees them as the clinic's words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path

from qa.errors import SettingsError

_WORD = re.compile(r"\w+(?:['’\-]\w+)*")


@dataclass(frozen=True)
class Expansion:
    """Something in a question that the glossary explains, where it stands, and what documents say instead."""

    start: int
    end: int
    meanings: tuple[str, ...]


@dataclass(frozen=True)
class Glossary:
    """What each entry, in lower case, stands for."""

    meanings: Mapping[str, tuple[str, ...]]

    @cached_property
    def _longest(self) -> int:
        return max((len(_WORD.findall(entry)) for entry in self.meanings), default=0)

    def expansions(self, question: str) -> list[Expansion]:
        """The entries that stand in the question, longest first where they overlap, in their order."""
        words = list(_WORD.finditer(question))
        found = []
        place = 0
        while place < len(words):
            for count in range(min(self._longest, len(words) - place), 0, -1):
                start, end = words[place].start(), words[place + count - 1].end()
                entry = _plain(question[start:end])
                if entry in self.meanings:
                    found.append(Expansion(start, end, self.meanings[entry]))
                    place += count
                    break
            else:
                place += 1
        return found


@cache
def load_glossary(path: Path | None = None) -> Glossary:
    """The packaged glossary, and over it what a clinic has in `path`. Raises SettingsError where it cannot be used."""
    packaged = _entries(None)
    return Glossary(packaged if path is None else {**packaged, **_entries(path)})


def _entries(path: Path | None) -> dict[str, tuple[str, ...]]:
    source = files("qa").joinpath("data", "glossary.toml") if path is None else path
    try:
        content = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError("the glossary cannot be read", path=path, found=str(error), remedy=_REMEDY) from error
    entries = content.get("expansions")
    if not isinstance(entries, dict) or len(content) != 1:
        raise SettingsError("the glossary holds no table [expansions], or more than it", path=path, remedy=_REMEDY)
    for entry, meanings in entries.items():
        if not isinstance(meanings, list) or not meanings or not all(isinstance(each, str) for each in meanings):
            raise SettingsError(
                f"the glossary's entry {entry!r} cannot be used",
                path=path,
                found=repr(meanings),
                expected='a list of words, such as ["blood pressure"]',
                remedy=_REMEDY,
            )
    return {_plain(entry): tuple(meanings) for entry, meanings in entries.items()}


def _plain(entry: str) -> str:
    return re.sub(r"\s+", " ", entry.lower().replace("’", "'")).strip()


_REMEDY = 'Lines look like "bp" = ["blood pressure"], below [expansions]; see retrieval.glossary in clinic.toml.'

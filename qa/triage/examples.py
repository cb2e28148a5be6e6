"""The reviewed files of triage: what people in danger write, what sounds like it and is none, and how it is spelt.

A folder holds `en/crisis.txt`, `en/emergency.txt`, `en/advice.txt`, `en/none.txt`, the same for other languages, with
one example on a line; `always.toml`, phrases that always count; `spelling.toml`; and `learned.npz`, made from them.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from qa.errors import SettingsError
from qa.models import Urgency
from qa.triage.learned import FILE, RELEARN, Learned, read_learned
from qa.triage.words import Sentence, Spelling

DANGERS: Final = tuple(urgency for urgency in Urgency if urgency.is_danger)
_ALWAYS, _SPELLING = "always.toml", "spelling.toml"
_REMEDY = "Compare it with qa/data/triage; docs/triage.md explains the files."
_COMMON: Final = 3  # examples in which a word must stand to be one, and not a misspelling


@dataclass(frozen=True, slots=True)
class Example:
    """One line of a file."""

    text: str
    urgency: Urgency
    language: str


@dataclass(frozen=True)
class Reviewed:
    """A folder's files, ready for judging a text. `always` are phrases as plain words with the urgency they mean."""

    spelling: Spelling
    always: tuple[tuple[tuple[str, ...], Urgency], ...]
    learned: Learned

    def said_outright(self, sentence: Sentence) -> tuple[str, Urgency] | None:
        """The phrase of `always.toml` that stands in a sentence, crises first."""
        words = f" {' '.join(sentence.words)} "
        for phrase, urgency in self.always:
            if f" {' '.join(phrase)} " in words:
                return " ".join(phrase), urgency
        return None


@cache
def load_reviewed(folder: Path | None = None) -> Reviewed:
    """The packaged files, or those of a clinic's own folder.

    Raises SettingsError that says what is wrong where: also when the examples are not those that were learned from.
    """
    home = _home(folder)
    try:
        learned = read_learned(home.joinpath(FILE).read_bytes(), f"{_name(folder)}/{FILE}")
    except OSError as error:
        raise SettingsError(
            "nothing was learned from the examples of triage yet", path=f"{_name(folder)}/{FILE}", remedy=RELEARN
        ) from error
    if learned.examples != digest_of(folder):
        raise SettingsError(
            "the examples of triage have changed since they were learned from", path=_name(folder), remedy=RELEARN
        )
    spelling = replace(_spelling(folder), known=learned.known)
    return Reviewed(spelling, _always(folder, spelling), learned)


def read_examples(folder: Path | None = None) -> list[Example]:
    """All examples, sorted by language and urgency. Raises SettingsError for a file that is missing or empty."""
    found = []
    for language in _languages(folder):
        for urgency in Urgency:
            name = f"{language}/{urgency}.txt"
            lines = [line.strip() for line in _read(folder, name).splitlines()]
            texts = [line for line in lines if line and not line.startswith("#")]
            if not texts:
                raise _problem(folder, name, "there is no example in it", expected="one on each line")
            found += [Example(text, urgency, language) for text in texts]
    return found


def spelling_of(examples: list[Example], folder: Path | None = None) -> Spelling:
    """The spelling of a folder, which also knows the words that several of these examples have."""
    spelling = _spelling(folder)
    standing = Counter(word for example in examples for word in spelling.as_typed(example.text))
    return replace(spelling, known=spelling.known | {word for word, count in standing.items() if count >= _COMMON})


def digest_of(folder: Path | None = None) -> str:
    """SHA-256 of everything that is learned from, in hexadecimal."""
    names = [f"{language}/{urgency}.txt" for language in _languages(folder) for urgency in Urgency]
    total = hashlib.sha256()
    for name in (*names, _SPELLING):
        total.update(f"{name}\n{_read(folder, name)}\n".encode())
    return total.hexdigest()


def _languages(folder: Path | None) -> list[str]:
    try:
        found = sorted(
            entry.name for entry in _home(folder).iterdir() if entry.is_dir() and entry.name != "__pycache__"
        )
    except OSError as error:
        raise SettingsError("the folder of triage cannot be read", path=_name(folder), found=error.strerror) from error
    if not found:
        raise SettingsError("there are no examples for triage", path=_name(folder), remedy=_REMEDY)
    return found


def _always(folder: Path | None, spelling: Spelling) -> tuple[tuple[tuple[str, ...], Urgency], ...]:
    content = _toml(folder, _ALWAYS)
    if set(content) != {urgency.value for urgency in DANGERS}:
        raise _problem(folder, _ALWAYS, "a list is missing, or one too many", expected="crisis and emergency")
    found = []
    for urgency in DANGERS:
        for text in _texts(folder, _ALWAYS, urgency.value, content[urgency.value]):
            words = tuple(word for sentence in spelling.sentences(text) for word in sentence.words)
            if not words:
                raise _problem(folder, _ALWAYS, f"a phrase under {urgency} has no words", found=repr(text))
            found.append((words, urgency))
    return tuple(found)


def _spelling(folder: Path | None) -> Spelling:
    content = _toml(folder, _SPELLING)
    expected = {"keywords", "ordinary", "written_out", "symbols"}
    if set(content) != expected:
        raise _problem(folder, _SPELLING, "a part is missing, or one too many", expected=", ".join(sorted(expected)))
    keywords = _words(folder, "keywords", content["keywords"])
    ordinary = _words(folder, "ordinary", content["ordinary"])
    written_out = _table(folder, "written_out", content["written_out"])
    return Spelling(
        written_out=written_out,
        symbols=_table(folder, "symbols", content["symbols"]),
        keywords=keywords,
        known=keywords | ordinary | {word for text in written_out.values() for word in text.split()},
    )


def _words(folder: Path | None, part: str, content: object) -> frozenset[str]:
    return frozenset(word for line in _texts(folder, _SPELLING, part, content) for word in line.split())


def _table(folder: Path | None, part: str, content: object) -> dict[str, str]:
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise _problem(folder, _SPELLING, f"[{part}] cannot be used", expected='lines such as "gonna" = "going to"')
    return content


def _texts(folder: Path | None, name: str, part: str, content: object) -> tuple[str, ...]:
    if not isinstance(content, list) or not content:
        raise _problem(folder, name, f"{part} is no list, or empty", expected='["…", "…"]')
    if not all(isinstance(each, str) and each.strip() for each in content):
        raise _problem(folder, name, f"{part} holds something that is no text", expected='["…", "…"]')
    return tuple(content)


def _toml(folder: Path | None, name: str) -> dict[str, object]:
    try:
        return tomllib.loads(_read(folder, name))
    except tomllib.TOMLDecodeError as error:
        raise _problem(folder, name, "is not valid TOML", found=str(error)) from error


def _read(folder: Path | None, name: str) -> str:
    try:
        return _home(folder).joinpath(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _problem(folder, name, "the file cannot be read", found=type(error).__name__) from error


def _home(folder: Path | None) -> Traversable:
    return files("qa").joinpath("data", "triage") if folder is None else folder


def _name(folder: Path | None) -> str:
    return str(folder or "qa/data/triage")


def _problem(
    folder: Path | None, name: str, problem: str, *, found: str | None = None, expected: str | None = None
) -> SettingsError:
    return SettingsError(problem, path=f"{_name(folder)}/{name}", found=found, expected=expected, remedy=_REMEDY)

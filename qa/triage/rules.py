"""The reviewed rules and examples of triage: read from a folder, checked, and searched.

The folder holds `crisis.toml`, `emergency.toml` and `advice.toml` (rules), `harmless.toml` (contexts in which a rule
that allows it does not count), `words.toml` (lists), `spelling.toml` and `examples.toml` (for the model).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from qa.errors import SettingsError
from qa.models import Urgency
from qa.triage.phrases import Phrase, parse
from qa.triage.words import Sentence, Spelling

DANGERS: Final = (Urgency.CRISIS, Urgency.EMERGENCY)
ALARMS: Final = (*DANGERS, Urgency.ADVICE)
_REMEDY = "Compare it with qa/data/triage; docs/triage.md explains the files. `clinic-qa triage` tries them out."
_ORDER: Final = {urgency: place for place, urgency in enumerate(Urgency)}
_STRETCH = 120  # words of a long sentence that are searched at once; the next stretch overlaps by the longest phrase


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of saying something, with the sentences that show what it finds and what it does not.

    `unless` names contexts of harmless.toml in which it does not count. `first` puts an emergency before a crisis: for
    what has been done already, where an ambulance comes before a talk. `doubt` is for a context: what only
    the model finds there is doubted.
    """

    name: str
    urgency: Urgency
    why: str
    phrases: tuple[Phrase, ...]
    unless: frozenset[str]
    matches: tuple[str, ...]
    misses: tuple[str, ...]
    first: bool = False
    doubt: bool = False

    @property
    def rank(self) -> int:
        """Which of two rules counts: the one with the smaller rank."""
        return -1 if self.first else _ORDER[self.urgency]


@dataclass(frozen=True)
class Rules:
    """Everything in one folder. `examples` are sentences with the urgency that they have."""

    folder: Path | None
    spelling: Spelling
    rules: tuple[Rule, ...]
    contexts: tuple[Rule, ...]
    examples: tuple[tuple[str, Urgency], ...]

    def sentences(self, text: str) -> list[Sentence]:
        """The plain words of each sentence."""
        return self.spelling.sentences(text)

    def found(self, sentences: Iterable[Sentence]) -> Rule | None:
        """The first rule of the greatest urgency that counts in any of the sentences."""
        best: Rule | None = None
        for stretch in dict.fromkeys(each for sentence in sentences for each in self._stretches(sentence)):
            rule = self._found_in(stretch, best)
            best = rule or best
            if best is not None and best.rank < 0:
                break
        return best

    def doubtful(self, words: tuple[str, ...]) -> bool:
        """Whether a harmless context stands in these words that makes doubtful what only the model finds in them."""
        return any(context.doubt and _stands(context, words) for context in self.contexts)

    def fires(self, rule: Rule, text: str) -> bool:
        """Whether one rule or context finds something in a text, harmless contexts heeded; for checking the files."""
        for sentence in self.sentences(text):
            for stretch in self._stretches(sentence):
                around = {context.name for context in self.contexts if _stands(context, stretch)}
                if _stands(rule, stretch) and rule.unless.isdisjoint(around):
                    return True
        return False

    def _found_in(self, stretch: tuple[str, ...], above: Rule | None) -> Rule | None:
        """The most urgent rule in the stretch that is more urgent than `above`."""
        contexts: frozenset[str] | None = None
        for rule in self.rules:
            if above is not None and rule.rank >= above.rank:
                return None
            if not _stands(rule, stretch):
                continue
            if not rule.unless:
                return rule
            if contexts is None:
                contexts = frozenset(context.name for context in self.contexts if _stands(context, stretch))
            if rule.unless.isdisjoint(contexts):
                return rule
        return None

    def _stretches(self, sentence: Sentence) -> Iterator[tuple[str, ...]]:
        words = sentence.words
        step = _STRETCH - min(self.longest, _STRETCH // 2)
        for start in range(0, max(1, len(words) - (_STRETCH - step)), step):
            yield words[start : start + _STRETCH]

    @cached_property
    def longest(self) -> int:
        """The most words that a phrase can match."""
        return max(phrase.longest for rule in (*self.rules, *self.contexts) for phrase in rule.phrases)


def _stands(rule: Rule, stretch: tuple[str, ...]) -> bool:
    text, words = "".join(f"{word} " for word in stretch), frozenset(stretch)
    return any(phrase.stands_in(text, words) for phrase in rule.phrases)


@cache
def load_rules(folder: Path | None = None) -> Rules:
    """The packaged rules, or those of a clinic's own folder. Raises SettingsError that says what is wrong where."""
    words = _read(folder, "words")
    lists = {name: _texts(folder, "words", f"the list {name}", entries) for name, entries in words.items()}
    contexts = tuple(_rules(folder, "harmless", Urgency.NONE, lists))
    names = {context.name for context in contexts}
    found = [rule for urgency in ALARMS for rule in _rules(folder, urgency.value, urgency, lists)]
    rules = tuple(sorted(found, key=lambda rule: rule.rank))
    for rule in rules:
        if strange := rule.unless - names:
            raise _problem(
                folder,
                rule.urgency.value,
                f"the rule {rule.name!r} names a context that harmless.toml does not have",
                found=", ".join(sorted(strange)),
                expected=", ".join(sorted(names)),
            )
    examples = _examples(folder)
    said = {word for rule in (*rules, *contexts) for phrase in rule.phrases for word in phrase.words}
    spelling = _spelling(folder, said)
    plain = {word for text, _ in examples for sentence in spelling.sentences(text) for word in sentence.words}
    return Rules(folder, replace(spelling, known=spelling.known | plain), rules, contexts, examples)


def _rules(folder: Path | None, name: str, urgency: Urgency, lists: Mapping[str, tuple[str, ...]]) -> Iterator[Rule]:
    content = _read(folder, name)
    entries = content.get("rule")
    if not isinstance(entries, list) or not entries or len(content) != 1:
        raise _problem(folder, name, "there is no [[rule]], or something beside them", expected="one or more [[rule]]")
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        place = f"rule {number}"
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise _problem(folder, name, f"{place} has no name", expected='name = "…"')
        place = f"the rule {entry['name']!r}"
        if entry["name"] in seen:
            raise _problem(folder, name, f"{place} stands there twice", expected="a name of its own for each rule")
        seen.add(entry["name"])
        if strange := sorted(set(entry) - _KEYS):
            raise _problem(folder, name, f"{place} has an unknown key", found=strange[0], expected=", ".join(_KEYS))
        if not isinstance(entry.get("why"), str):
            raise _problem(folder, name, f"{place} does not say why it is there", expected='why = "…"')
        phrases = []
        for text in _texts(folder, name, f"{place}, phrases", entry.get("phrases")):
            try:
                phrases.append(parse(text, lists))
            except ValueError as error:
                raise _problem(folder, name, f"{place}: {error}") from error
        yield Rule(
            entry["name"],
            urgency,
            entry["why"],
            tuple(phrases),
            frozenset(_texts(folder, name, f"{place}, unless", entry.get("unless", []), least=0)),
            _texts(folder, name, f"{place}, matches", entry.get("matches")),
            _texts(folder, name, f"{place}, misses", entry.get("misses", []), least=0),
            first=entry.get("first") is True,
            doubt=entry.get("doubt") is True,
        )


_KEYS = {"name": 0, "why": 0, "phrases": 0, "unless": 0, "matches": 0, "misses": 0, "first": 0, "doubt": 0}.keys()


def _spelling(folder: Path | None, said: set[str]) -> Spelling:
    content = _read(folder, "spelling")
    expected = {"keywords", "ordinary", "written_out", "symbols"}
    if set(content) != expected:
        raise _problem(
            folder, "spelling", "a part is missing, or there is one too many", expected=", ".join(sorted(expected))
        )
    keywords = _words(folder, "keywords", content["keywords"])
    ordinary = _words(folder, "ordinary", content["ordinary"])
    written_out = _table(folder, "written_out", content["written_out"])
    return Spelling(
        written_out=written_out,
        symbols=_table(folder, "symbols", content["symbols"]),
        keywords=keywords,
        known=frozenset(said | keywords | ordinary | {word for text in written_out.values() for word in text.split()}),
    )


def _words(folder: Path | None, part: str, content: object) -> frozenset[str]:
    return frozenset(word for line in _texts(folder, "spelling", part, content) for word in line.split())


def _table(folder: Path | None, part: str, content: object) -> dict[str, str]:
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise _problem(folder, "spelling", f"[{part}] cannot be used", expected='lines such as "gonna" = "going to"')
    return content


def _examples(folder: Path | None) -> tuple[tuple[str, Urgency], ...]:
    content = _read(folder, "examples")
    if set(content) != set(Urgency):
        raise _problem(
            folder, "examples", "a list is missing, or there is one too many", expected=", ".join(sorted(Urgency))
        )
    return tuple(
        (text, urgency) for urgency in Urgency for text in _texts(folder, "examples", urgency.value, content[urgency])
    )


def _texts(folder: Path | None, name: str, place: str, content: object, least: int = 1) -> tuple[str, ...]:
    if not isinstance(content, list) or not all(isinstance(each, str) and each.strip() for each in content):
        raise _problem(folder, name, f"{place}: this is no list of texts", expected='["…", "…"]')
    if len(content) < least:
        raise _problem(folder, name, f"{place}: the list is empty", expected="at least one text")
    return tuple(content)


def _read(folder: Path | None, name: str) -> dict[str, object]:
    home: Traversable = files("qa").joinpath("data", "triage") if folder is None else folder
    source = home.joinpath(f"{name}.toml")
    try:
        return tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _problem(folder, name, "the file cannot be read", found=str(error)) from error


def _problem(
    folder: Path | None, name: str, problem: str, *, found: str | None = None, expected: str | None = None
) -> SettingsError:
    path = f"{folder or 'qa/data/triage'}/{name}.toml"
    return SettingsError(problem, path=path, found=found, expected=expected, remedy=_REMEDY)

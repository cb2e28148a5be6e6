"""The rules that find claims: `qa/data/claims.toml`, whose head explains the file, or a clinic's own made from it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from qa.errors import SettingsError

_TRANSLATED = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"} | dict.fromkeys("‐‑‒–—―−", "-"))
_DOTTED = re.compile(r"\b(?:[a-z]\.){2,}")  # f.d.a.
_PERCENT = re.compile(r"(?<=\d) +%")
# A gap of at most four words, which must not deny, and a comma that may be there.
_BETWEEN = {"...": r"((?: [\w'%-]+){0,4}?)", ",": ",?"}
_PIECE = re.compile(r"\.\.\.|\[[^\[\]]+\]|(?:\([^\[\]()]+\)|[^\s\[\]()])+")
_SLASH = re.compile(r"/(?![^()]*\))")  # outside of brackets
_RUN = re.compile(r"\w+")
_BEGINNING = 3  # letters by which phrases are found
_SYNTAX = re.compile(r"[\w'%*/.,\s\-()\[\]]+")
_REMEDY = "The packaged file, qa/data/claims.toml, shows how; see claims.rules in clinic.toml."


@dataclass(frozen=True, eq=False)
class Phrase:
    """Words that claim something. Every text that the pattern finds has a word that begins with one of `anchors`."""

    written: str
    pattern: re.Pattern[str]
    anchors: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """One kind of claim; `claims.toml` says what its parts mean."""

    id: str
    kind: str
    reason: str
    source: str
    phrases: tuple[Phrase, ...]
    alone: frozenset[str]
    unless: re.Pattern[str] | None
    answered_no: re.Pattern[str] | None
    matches: tuple[str, ...]
    misses: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """All rules, and the words that turn a claim into its denial."""

    rules: tuple[Rule, ...]
    denials: re.Pattern[str]
    no_denials: re.Pattern[str]
    denied_after: re.Pattern[str]
    clause_ends: re.Pattern[str]
    questions: re.Pattern[str]
    no_questions: re.Pattern[str]
    yes: re.Pattern[str]
    no: re.Pattern[str]

    @cached_property
    def _by_beginning(self) -> dict[str, list[Phrase]]:
        """All phrases, by the first letters of each of their anchors."""
        phrases: dict[str, list[Phrase]] = {}
        for rule in self.rules:
            for phrase in rule.phrases:
                for beginning in {anchor[:_BEGINNING] for anchor in phrase.anchors}:
                    phrases.setdefault(beginning, []).append(phrase)
        return phrases

    @cached_property
    def _alone(self) -> frozenset[str]:
        return frozenset(each for rule in self.rules for each in rule.alone)

    def candidates(self, text: str) -> set[Phrase]:
        """The phrases that may stand in a plain text: cheap, and too many rather than too few."""
        found: set[Phrase] = set()
        for word in set(_RUN.findall(text)):
            for phrase in self._by_beginning.get(word[:_BEGINNING], ()):
                if phrase not in found and word.startswith(phrase.anchors):
                    found.add(phrase)
        return found

    def may_claim(self, text: str) -> bool:
        """Whether anything in a plain text could claim something."""
        if self.candidates(text) or text.rstrip(" .!") in self._alone:
            return True
        asked = (rule.answered_no for rule in self.rules if rule.answered_no is not None)
        return "?" in text and any(pattern.search(text) for pattern in asked)


@cache
def load_rules(path: Path | None = None) -> Rules:
    """The packaged rules, or those of `path` in their stead. Raises SettingsError where they cannot be used."""
    source = files("qa").joinpath("data", "claims.toml") if path is None else path
    try:
        content = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError("the claim rules cannot be read", path=path, found=str(error), remedy=_REMEDY) from error
    try:
        return _rules(content)
    except _Unusable as error:
        raise SettingsError("the claim rules cannot be used", path=path, found=str(error), remedy=_REMEDY) from error


class _Unusable(Exception):
    """What of the file cannot be used."""


def plain(text: str) -> str:
    """What phrases are looked for in: small letters without accents, straight apostrophes, one kind of dash."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).translate(_TRANSLATED)
        text = "".join(c for c in text if unicodedata.category(c) not in {"Mn", "Cf"})
    text = " ".join(text.casefold().split())
    return _PERCENT.sub("%", _DOTTED.sub(lambda match: match[0].replace(".", ""), text))


_WORDS = ("denials", "no_denials", "denied_after", "clause_ends", "questions", "no_questions", "yes", "no")
_TEXTS = ("id", "kind", "reason", "source")
_LISTS = ("phrases", "alone", "unless", "answered_no", "matches", "misses")


def _rules(content: Mapping[str, Any]) -> Rules:
    _only(content, ("words", "rules"), "the file")
    words, listed = content.get("words"), content.get("rules")
    if not isinstance(words, dict) or not isinstance(listed, list) or not listed:
        raise _Unusable("no table [words], or no [[rules]]")
    _only(words, _WORDS, "[words]")
    known = {name: _texts(words.get(name), name) for name in _WORDS}
    clause_ends = rf"[,;:()!?|]|[.] | - |{_any(known['clause_ends'])}"
    rules = tuple(_rule(item) for item in listed)
    if len({rule.id for rule in rules}) < len(rules):
        raise _Unusable("two rules with one id")
    return Rules(
        rules=rules,
        denials=re.compile(_any(known["denials"])),
        no_denials=re.compile(_any(known["no_denials"])),
        denied_after=re.compile(rf"\s*{_any(known['denied_after'])}"),
        clause_ends=re.compile(clause_ends),
        questions=re.compile(rf"[^\w]*{_any(known['questions'])}"),
        no_questions=re.compile(rf"[^\w]*{_any(known['no_questions'])}"),
        yes=re.compile(rf"[^\w]*{_any(known['yes'])}"),
        no=re.compile(rf"[^\w]*{_any(known['no'])}(?=\s*[.,;:!]|\s-|$)"),
    )


def _rule(item: object) -> Rule:
    if not isinstance(item, dict):
        raise _Unusable("a rule that is no table")
    name = f"the rule {item.get('id')!r}"
    _only(item, (*_TEXTS, *_LISTS), name)
    for key in _TEXTS:
        if not isinstance(item.get(key), str) or not item[key].strip():
            raise _Unusable(f"{name} without {key}")
    lists = {key: _texts(item.get(key, []), f"{key} of {name}") for key in _LISTS}
    if not lists["phrases"]:
        raise _Unusable(f"{name} without phrases")
    phrases = tuple(_phrase(written) for written in lists["phrases"])
    if without := [phrase.written for phrase in phrases if not phrase.anchors]:
        raise _Unusable(f"the phrase {without[0]!r} of {name}, in which no word is sure to stand")
    return Rule(
        id=item["id"],
        kind=item["kind"],
        reason=" ".join(item["reason"].split()),
        source=" ".join(item["source"].split()),
        phrases=phrases,
        alone=frozenset(plain(written) for written in lists["alone"]),
        unless=re.compile(_any(lists["unless"])) if lists["unless"] else None,
        answered_no=re.compile(_any(lists["answered_no"])) if lists["answered_no"] else None,
        matches=lists["matches"],
        misses=lists["misses"],
    )


def _only(found: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in found:
        if key not in known:
            raise _Unusable(f"{key!r} in {where}, which knows {', '.join(known)}")


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        raise _Unusable(f"{name} is no list of texts")
    return tuple(value)


def _any(phrases: Sequence[str]) -> str:
    """A pattern for any of these phrases; for none of them, one that nothing matches."""
    return rf"(?:{'|'.join(_phrase(written).pattern.pattern for written in phrases)})" if phrases else r"(?!)"


def _phrase(written: str) -> Phrase:
    text = plain(written)
    if not _SYNTAX.fullmatch(text):
        raise _Unusable(f"the phrase {written!r}, which holds more than words and ( / ) [ ] * , ...")
    pattern = ""
    anchors: tuple[str, ...] = ()
    for piece in _PIECE.findall(text):
        if piece in _BETWEEN:
            pattern += _BETWEEN[piece]
            continue
        optional = piece.startswith("[")
        choices = tuple(choice.strip("() ") for choice in _SLASH.split(piece.strip("[]")))
        if not all(re.fullmatch(r"[\w'%*\s\-.]*[\w%][\w'%*\s\-.]*", choice) for choice in choices):
            raise _Unusable(f"the phrase {written!r}, in which {piece!r} is no choice of words")
        either = "|".join(_choice(choice) for choice in choices)
        joiner = r"(?: ?[-:] ?| |^|(?<=[^\w%']))" if pattern else ""
        optional = piece.startswith("[")
        pattern += rf"(?:{joiner}(?:{either}))" + ("?" if optional else "")
        literal = tuple(_beginning(choice) for choice in choices)
        if not optional and min(map(len, literal)) > min(map(len, anchors), default=0):
            anchors = literal
    return Phrase(written, re.compile(rf"(?<!\w){pattern}(?!\w)"), anchors)


def _beginning(choice: str) -> str:
    """The longest that a word of the choice surely begins with; empty for nothing but "*n't"."""
    words = (_RUN.match(word) for word in re.split(r"[\s\-]+", choice))
    return max((word[0] for word in words if word is not None), key=len, default="")


def _choice(choice: str) -> str:
    words = re.split(r"[\s\-]+", choice.strip())
    return "(?: ?[-:] ?| )".join(re.escape(word).replace(r"\*", r"\w*") for word in words)

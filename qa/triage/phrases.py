"""The small language in which a clinician writes what people say, made into regular expressions that take linear time.

    i {want} to (die|be dead)      words, a list of words.toml in braces, alternatives in parentheses
    suicid*                        a word that begins so
    took # pills                   a word with a figure in it: 20, 10x, 50mg
    (really|just)?                 a question mark: may be left out
    i .. die                       two dots: up to three words between; three dots: up to seven
    ^ help $                       the sentence begins, or ends, here

Phrases are written as `qa.triage.words` leaves a text: lower case, without accents and apostrophes, contractions
written out ("i am", "do not", "going to"). Gaps are bounded and nothing repeats, so the time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

_PIECE = re.compile(r"\s*(?:(?P<gap>\.{2,3})(?!\.)|(?P<list>\{[^{}]+\})|(?P<word>[a-z0-9]+\*?|\#)|(?P<mark>[(|)?^$]))")
_GAPS = {"..": 3, "...": 7}
_DEEPEST = 12

Required = tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Phrase:
    """A phrase ready for searching.

    `source` matches sentences of which each word is followed by one space. `required`: of each of these sets a
    sentence must have a word. `longest` is how many words it can match; `words` are all words it names in full.
    """

    text: str
    source: str
    required: Required
    longest: int
    words: frozenset[str]

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.source)

    def stands_in(self, sentence: str, words: frozenset[str] | set[str]) -> bool:
        """Whether it matches in a sentence ("word word ") that has these words."""
        if any(needed.isdisjoint(words) for needed in self.required):
            return False
        return self._compiled.search(sentence) is not None


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a phrase on its way to a `Phrase`."""

    source: str
    required: Required
    longest: int
    words: frozenset[str]

    @property
    def optional(self) -> _Part:
        return _Part(f"(?:{self.source})?", (), self.longest, self.words)


def parse(text: str, lists: Mapping[str, tuple[str, ...]]) -> Phrase:
    """Raises ValueError that says what is wrong with the phrase."""
    part = _Parser(text, lists, 0).whole()
    if not part.words and "[^ ]" not in part.source:
        raise ValueError(f"the phrase {text!r} names no word")
    return Phrase(text, r"(?<![^ ])" + part.source, part.required, part.longest, part.words)


class _Parser:
    """Reads one phrase, or one entry of a list, from left to right."""

    def __init__(self, text: str, lists: Mapping[str, tuple[str, ...]], depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError(f"the lists within {text!r} name each other in a circle")
        self._text, self._lists, self._depth = text, lists, depth
        self._pieces = list(self._cut())
        self._place = 0

    def _cut(self) -> list[tuple[str, str]]:
        pieces, place = [], 0
        while self._text[place:].strip():
            match = _PIECE.match(self._text, place)
            if match is None or match.lastgroup is None:
                rest = self._text[place:].strip()
                raise ValueError(
                    f"{rest!r} in the phrase {self._text!r} cannot be read: use small letters without accents or "
                    "apostrophes, (a|b), {list}, word*, #, ?, .. and ..."
                )
            pieces.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        return pieces

    def whole(self) -> _Part:
        part = self._alternatives()
        if self._place < len(self._pieces):
            raise ValueError(f"the phrase {self._text!r} has a closing parenthesis too many")
        return part

    def _alternatives(self) -> _Part:
        options = [self._sequence()]
        while self._next_is("|"):
            self._place += 1
            options.append(self._sequence())
        return options[0] if len(options) == 1 else _either(options)

    def _sequence(self) -> _Part:
        parts: list[_Part] = []
        while self._place < len(self._pieces) and not self._next_is("|") and not self._next_is(")"):
            part = self._one()
            if self._next_is("?"):
                self._place += 1
                part = part.optional
            parts.append(part)
        if not parts:
            raise ValueError(f"the phrase {self._text!r} has an empty place between | or parentheses")
        return _Part(
            "".join(part.source for part in parts),
            tuple(needed for part in parts for needed in part.required),
            sum(part.longest for part in parts),
            frozenset().union(*(part.words for part in parts)),
        )

    def _one(self) -> _Part:
        kind, piece = self._pieces[self._place]
        self._place += 1
        if kind == "gap":
            return _Part(f"(?:[^ ]+ ){{0,{_GAPS[piece]}}}", (), _GAPS[piece], frozenset())
        if kind == "list":
            name = piece[1:-1].strip()
            if name not in self._lists:
                raise ValueError(f"the phrase {self._text!r} names the list {name!r}, which words.toml does not have")
            return _either([_Parser(entry, self._lists, self._depth + 1).whole() for entry in self._lists[name]])
        if kind == "word":
            if piece == "#":
                return _Part(r"[^ ]*\d[^ ]* ", (), 1, frozenset())
            if piece.endswith("*"):
                return _Part(re.escape(piece[:-1]) + "[^ ]* ", (), 1, frozenset())
            return _Part(re.escape(piece) + " ", (frozenset((piece,)),), 1, frozenset((piece,)))
        if piece == "(":
            part = self._alternatives()
            if not self._next_is(")"):
                raise ValueError(f"the phrase {self._text!r} has a parenthesis that is not closed")
            self._place += 1
            return _Part(f"(?:{part.source})", part.required, part.longest, part.words)
        if piece in "^$":
            return _Part("(?:^)" if piece == "^" else "(?:$)", (), 0, frozenset())
        raise ValueError(f"the phrase {self._text!r} has {piece!r} in a place where a word should be")

    def _next_is(self, mark: str) -> bool:
        return self._place < len(self._pieces) and self._pieces[self._place] == ("mark", mark)


def _either(options: list[_Part]) -> _Part:
    """One of several. What is required is one word of each option, where every option requires any."""
    required: Required = ()
    if all(option.required for option in options):
        required = (frozenset().union(*(min(option.required, key=len) for option in options)),)
    source = "(?:" + "|".join(option.source for option in options) + ")"
    words = frozenset().union(*(option.words for option in options))
    return _Part(source, required, max(option.longest for option in options), words)

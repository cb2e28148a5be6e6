"""What one sentence says that another may contradict: values, and clauses that allow, demand or forbid."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa.conflicts.scan import values
from qa.conflicts.value import Value
from qa.embed import Vectors
from qa.offsets import Span
from qa.terms import stem

Weights = NDArray[np.float32]
LONGEST: Final = 1_000  # characters of a sentence; what is longer is a list that lost its marks
_FADING: Final = 12.0  # words away from a value at which a word counts about a third
_BEYOND: Final = 0.15  # what a word counts that stands in another part of the sentence


class State(StrEnum):
    """What a clause says of what it is about."""

    MAY = "may"
    MUST = "must"
    NEED_NOT = "need not"
    NOT = "not"
    IS = "is"


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a stretch that tell something: stems, unit vectors of shape (words, dimension), and places."""

    stems: tuple[str, ...]
    vectors: Vectors
    spans: tuple[Span, ...]

    def __len__(self) -> int:
        return len(self.stems)


@dataclass(frozen=True, slots=True)
class Fact:
    """A value of a sentence, or a clause that says yes or no (`value` is None), at `span`.

    `weights` say how much each word of the sentence belongs to it. `sides` are the contrasts that stand around it, by
    line and group of the list of opposed words.
    """

    value: Value | None
    state: State
    span: Span
    weights: Weights
    sides: frozenset[tuple[int, int]]
    is_conditional: bool
    is_hedged: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence under its heading, with all its facts."""

    text: str
    words: Words
    heading: Words
    heading_sides: frozenset[tuple[int, int]]
    values: tuple[Value, ...]
    facts: tuple[Fact, ...]

    def said(self, fact: Fact) -> str:
        """The words of a fact."""
        return " ".join(self.text[slice(*fact.span)].split()).rstrip(".,;:")


_BREAK = re.compile(
    r";\s|:\s|\s[–—-]\s|\||[.?!]\s"
    r"|,\s(?=(?:and|but|or|while|whereas|otherwise|because|since|provided|so|please|which|if|when|unless|until|even|"
    r"except|then|not|no|that is|as)\b)"
    r"|\s(?:and|or) (?=(?:cannot|must|may|can|is|are|will|do|does|should|have to|need|please)\b)"
    r"|\s(?=(?:because|provided|so that|otherwise|but|whereas|unless|even if)\b)"
)
_BETWEEN = re.compile(r"[,;]|\b(?:and|or|but)\b")
_CELL = re.compile(r"[^:;|]{1,60}:\s+[^;|]+?(?:[;|]|$)")
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|unless|except(?: for)?|in case|provided|as long as|only when|where)\b[^,;.]*", re.IGNORECASE
)
_HEDGE = re.compile(
    r"\b(?:unless|except|only|until|usually|normally|often|sometimes|some|most|many|generally|mostly|rarely|otherwise|"
    r"without|apart from|other than|not all|depends?|may need|in some cases|even|about|around|approximately)\b",
    re.IGNORECASE,
)
_NO_DENIAL = re.compile(
    r"\b(?:yes ?(?:/|or) ?no|not (?:only|limited to|always|necessarily)|no (?:later|older|younger|sooner|earlier|more|"
    r"less|fewer|longer) than|not exceed\w*|whether or not|if not|no matter|no\. ?\d|not (?:before|until|more than|"
    r"less than)|(?:do(?:es)? not|don't) (?:hesitate|worry|forget)|not yet|stop (?:by|in))\b",
    re.IGNORECASE,
)
_STATES: Final = (
    (
        State.NEED_NOT,
        r"need not|needn't|(?:do|does|did|will|would)(?: not|n't) (?:need|have|require)\b|no need|"
        r"no longer (?:need|required)|(?:is|are)(?: not|n't) (?:required|necessary|needed|mandatory|compulsory)|not "
        r"(?:required|necessary|needed|mandatory|compulsory)|optional|voluntary|without (?:a |an |any )?(?:referral|"
        r"prescription|appointment)|no (?:\w+ ){1,3}(?:is|are) (?:required|needed|necessary)",
    ),
    (
        State.NOT,
        r"not|never|no|none|nothing|nobody|cannot|neither|nor|\w+n't|forbidden|prohibited|banned|avoid|refrain|"
        r"excluded?|excludes|unavailable|unsafe|non-?refundable|refused?|declined?|skip|omit|disallowed|"
        r"stop (?=\w+ing\b)|discontinue|closed",
    ),
    (
        State.MUST,
        r"must|needs? to|ha(?:s|ve) to|required|requires?|mandatory|obligatory|compulsory|necessary|needed|need|should|"
        r"essential|shall",
    ),
    (
        State.MAY,
        r"may|can|could|allowed|permitted|welcome|fine|okay|ok|safe to|free to|possible|acceptable|no objection|"
        r"no problem|able to|included?|includes|covered|covers",
    ),
)
_STATE = [(state, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for state, words in _STATES]
# What a sentence is about, not what it says of it.
_SETTINGS: Final = frozenset(
    {"calendar year", *(f"place {kind}" for kind in "day week month step phase stage type grade class group".split())}
)
# Words that say how something is meant, not what it is about.
_MANNER: Final = frozenset(
    stem(word)
    for word in (
        "not never no none nothing cannot forbidden prohibited avoid refrain must need needs required require requires "
        "mandatory obligatory necessary needed should shall may can could allowed permitted welcome fine okay possible "
        "acceptable please also only usually normally about around approximately least most more than less any all "
        "every each patient patients people clinic however always yes don't doesn't isn't aren't up"
    ).split()
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def read_sentence(text: str, words: Words, heading: str, heading_words: Words) -> Sentence | None:
    """What a sentence says; None where it says nothing that can be contradicted.

    `words` and `heading_words` are all words of either, with their places in it.
    """
    if len(text) > LONGEST:
        return None
    found = values(text)
    above_values = values(heading)
    above = _telling(heading_words, above_values)
    told = _telling(words, found)
    if not len(told):
        told = above  # "Friday: 8 am to 1 pm"
    facts = [_of_value(value, text, found, told) for value in found if value.dimension not in _SETTINGS]
    facts += _of_clauses(text, told)
    if not facts or not len(told):
        return None
    return Sentence(text, told, above, contrasts(heading), (*found, *above_values), tuple(facts))


def _telling(words: Words, found: Sequence[Value]) -> Words:
    """The words that tell what a stretch is about: none of a value, and none of manner."""
    kept = [
        place
        for place, ((start, end), name) in enumerate(zip(words.spans, words.stems, strict=True))
        if name not in _MANNER
        and not name.isdigit()
        and not any(value.start < end and start < value.end for value in found)
    ]
    return Words(
        tuple(words.stems[place] for place in kept),
        words.vectors[kept],
        tuple(words.spans[place] for place in kept),
    )


def _of_value(value: Value, text: str, found: Sequence[Value], words: Words) -> Fact:
    parts = _parts_of(value, text, found)
    around = " ".join(text[start:end] for start, end in parts)
    return Fact(
        value=value,
        state=_state(text[slice(*_clause_at(text, value.start))])[0],
        span=value.span,
        weights=_weights(words, parts, value.span),
        sides=contrasts(around),
        is_conditional=_CONDITION.search(around) is not None,
        is_hedged=value.is_about,
    )


def _of_clauses(text: str, words: Words) -> Iterator[Fact]:
    if text.rstrip().endswith("?") or len(_CELL.findall(text)) > 1:
        return
    for start, end in _clauses(text):
        clause = text[start:end]
        state, anchor = _state(clause)
        if state is State.IS and end - start < len(text):
            continue  # what is not said to be so or not so counts as a whole only
        span = (start, end)
        yield Fact(
            value=None,
            state=state,
            span=span,
            weights=_weights(words, [span], (start + anchor, start + anchor)),
            sides=contrasts(clause),
            is_conditional=_CONDITION.search(clause) is not None,
            is_hedged=_HEDGE.search(clause) is not None,
        )


def _clauses(text: str) -> Iterator[Span]:
    start = 0
    for match in _BREAK.finditer(text):
        if text[start : match.start()].strip():
            yield start, match.start()
        start = match.end()
    if text[start:].strip():
        yield start, len(text)


def _clause_at(text: str, place: int) -> Span:
    return next((span for span in _clauses(text) if span[0] <= place < span[1]), (0, len(text)))


def _parts_of(value: Value, text: str, found: Sequence[Value]) -> list[Span]:
    """The stretches that belong to a value: all, where no other value of its kind stands in the sentence."""
    alike = [other for other in found if other.dimension == value.dimension and other is not value]
    cells = [match.span() for match in _CELL.finditer(text)]
    if len(cells) > 1:
        own = next((span for span in cells if span[0] <= value.start < span[1]), cells[0])
        return [cells[0], own] if alike else [(0, len(text))]
    start, end = 0, len(text)
    for other in alike:
        if other.end <= value.start:
            cut = _BETWEEN.search(text, other.end, value.start)
            start = max(start, cut.start() if cut else other.end)
        elif other.start >= value.end:
            cut = _BETWEEN.search(text, value.end, other.start)
            end = min(end, cut.start() if cut else other.start)
    return [(start, end)]


def _weights(words: Words, parts: Sequence[Span], place: Span) -> Weights:
    before = sum(end <= place[0] for _, end in words.spans)
    away = np.array([max(before - 1 - at, at - before, 0) for at in range(len(words))], dtype=np.float32)
    inside = np.array([any(first <= start < after for first, after in parts) for start, _ in words.spans], dtype=bool)
    return np.asarray(np.exp(-away / _FADING) * np.where(inside, 1.0, _BEYOND), dtype=np.float32)


def _state(clause: str) -> tuple[State, int]:
    """What a clause says, and where it says so."""
    text = _CONDITION.sub(lambda match: " " * len(match[0]), clause)
    text = _NO_DENIAL.sub(lambda match: " " * len(match[0]), text)
    for state, pattern in _STATE:
        if found := pattern.search(text):
            return state, found.start()
    return State.IS, 0


def contrasts(text: str) -> frozenset[tuple[int, int]]:
    """The contrast and the side of it, by number, of each word that has one."""
    known = _opposed()
    found: set[tuple[int, int]] = set()
    for match in _WORD.finditer(text.lower()):
        for word in (match[0], *(match[0].split("-") if match[0] not in known else ())):
            found.update(known.get(word, known.get(stem(word), ())))
    return frozenset(found)


@cache
def _opposed() -> dict[str, tuple[tuple[int, int], ...]]:
    """Each opposed word, and its stem where it has no hyphen, with its contrasts and sides."""
    lines = files("qa").joinpath("data", "conflicts", "opposed.txt").read_text(encoding="utf-8").splitlines()
    sides: dict[str, dict[tuple[int, int], None]] = {}
    for number, line in enumerate(line for line in lines if line and not line.startswith("#")):
        for side, group in enumerate(line.split("|")):
            for word in group.split():
                for name in {word, stem(word)}:
                    sides.setdefault(name, {})[number, side] = None
    return {word: tuple(found) for word, found in sides.items()}

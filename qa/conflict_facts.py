"""What a sentence says that another one may contradict: its values, and whether it allows, demands or denies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from qa.conflict_scan import values
from qa.conflict_values import Value
from qa.conflict_words import Words
from qa.offsets import Span
from qa.sentences import sentence_spans


class State(StrEnum):
    """What a clause says of what it is about."""

    MAY = "may"
    MUST = "must"
    NEED_NOT = "need not"
    NOT = "not"
    IS = "is"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of a sentence, or one clause that says yes or no (`value` is None), with what it belongs to.

    `own` are the stems of its clause, `heading` those of the heading above it, and `near` those of both and of the rest
    of the sentence that belongs to no other value of the same kind. `sides` and `narrowed` are as in `Words`, of the
    clause and all headings; `conditions` are the stems of what the clause makes it depend on. `others` are the
    values beside it.
    """

    value: Value | None
    span: Span
    state: State
    own: frozenset[str]
    heading: frozenset[str]
    near: frozenset[str]
    sides: frozenset[tuple[int, int]]
    narrowed: frozenset[str]
    conditions: frozenset[str]
    others: tuple[Value, ...]
    heading_values: tuple[Value, ...]
    is_hedged: bool
    is_conditional: bool
    side: str
    followed: frozenset[str]
    per: str
    modified: frozenset[tuple[str, str]]


_BREAK = re.compile(
    r";\s|:\s|\s[–—-]\s|\||\.\s"
    r"|,\s(?=(?:and|but|or|while|whereas|otherwise|because|since|provided|so|please|which|after which|"
    r"whichever|if|when|unless|until"
    r"|even|except|then|not|no|that is|as)\b)"
    r"|\s(?:and|or) (?=(?:cannot|must|may|can|is|are|will|do|does|should|have to|need|please)\b)"
    r"|\s(?=(?:because|provided|so that|otherwise|but|whereas|unless|even if)\b)"
)
# What shows that the words before a colon are a clause, not a name.
_VERB = re.compile(r"\b(?:must|is|are|be|should|may|can|will|need|needs|have|has|do|does)\b", re.IGNORECASE)
LONGEST: Final = 1_000  # characters of a sentence; what is longer is a list of other things that lost its marks
_LINE = re.compile(r"[^\n]*\S[^\n]*")
_CELL = re.compile(r"\s*(?:(?P<name>[^:;|.]{1,60}):\s+)?(?P<value>[^;|]+?)\s*(?:[;|]|$)")
_ONLY_SETTINGS: Final = frozenset(
    {"calendar year", "month"}
)  # what others hold for; years are quoted for all sorts of things
_LONGEST_KEY: Final = 80  # characters of a row's first cell
_BETWEEN_VALUES = re.compile(r"[,;]|\b(?:and|or|but)\b")
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|unless|except(?: for)?|in case|provided|as long as|only when|where)\b(?P<then>[^,;.]*)",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:unless|except|only|until|usually|normally|often|sometimes|some|most|many|generally|mostly|rarely|otherwise|"
    r"without|apart from|other than|not all|depends?|may need|in some cases|even)\b",
    re.IGNORECASE,
)
_NEED_NOT = re.compile(
    r"\b(?:need not|needn't|(?:do|does|did|will|would)(?: not|n't) (?:need|have|require)\b|don't "
    r"(?:need|have)\b|no need|no longer (?:need|required)"
    r"|(?:is|are)(?: not|n't) (?:required|necessary|needed|mandatory|obligatory|compulsory)|not "
    r"(?:required|necessary|needed|mandatory|compulsory)"
    r"|optional|voluntary|without (?:a |an |any )?(?:referral|prescription|appointment)|no (?:\w+ "
    r"){1,3}(?:is|are) (?:required|needed|necessary))",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:not|never|no|none|nothing|nobody|cannot|neither|nor|\w+n't|forbidden|prohibited|banned|"
    r"avoid|refrain|excluded?|excludes|unavailable|unsafe|"
    r"non-?refundable|refused?|declined?|skip|omit|leave out|disallowed|stop (?=\w+ing\b)|discontinue|"
    r"closed|can not)\b",
    re.IGNORECASE,
)
_NO_DENIAL = re.compile(
    r"\b(?:yes ?(?:/|or) ?no|not (?:only|limited to|always|necessarily)|"
    r"no (?:later|older|younger|sooner|earlier|more|less|fewer|"
    r"longer) than|not exceed\w*|whether or not|if not|no matter|no\. ?\d|not (?:before|until|more than|less than)|"
    r"do(?:es)? not (?:hesitate|worry|forget)|don't (?:hesitate|worry|forget)|not yet|stop (?:by|in)|"
    r"(?:why|if you do|if you are|if you have) not)\b",
    re.IGNORECASE,
)
_MUST = re.compile(
    r"\b(?:must|needs? to|ha(?:s|ve) to|required|requires?|mandatory|obligatory|compulsory|necessary|"
    r"needed|need|should|essential|shall)\b",
    re.IGNORECASE,
)
_MAY = re.compile(
    r"\b(?:may|can|could|allowed|permitted|welcome|fine|okay|ok|safe to|free to|possible|acceptable|"
    r"no objection|no problem|able to)\b",
    re.IGNORECASE,
)
# What is added to something, or there several times, is not how much it is.
_PART = re.compile(r"(?:\bplus|\+|\banother|\badditional|\bextra|\d\s?[x×])\s*$", re.IGNORECASE)
# A clause that only says when, where or on what condition says neither yes nor no.
_FRAGMENT = re.compile(
    r"\s*(?:before|after|when|while|until|during|if|in|at|on|for|with|from|to|as|since|because|so|once|without)\b",
    re.IGNORECASE,
)
_PER = re.compile(r"\s?(?:/|per|an?|each|every|for each|for every)\s?(?P<each>[^\W\d]+)", re.IGNORECASE)
_EARLIER = re.compile(r"before|prior|ahead|advance|early|notice|until", re.IGNORECASE)
_SIDES = re.compile(
    r"\b(?:before|prior|ahead|advance|beforehand|early|notice|after|following|afterwards?|later|since)\b", re.IGNORECASE
)
_ANSWERED = re.compile(r"\s*(?P<answer>yes|no)\s*(?:[.,!;:—–-]|$)", re.IGNORECASE)
_QUESTION = re.compile(
    r"^(?:do|does|did|can|could|may|must|should|will|is|are|am|has|have)\b(?: (?:i|we|you|my|the|"
    r"there|it|a|an))?\s*(?P<rest>.*)\?\s*$",
    re.IGNORECASE,
)


def units(text: str) -> Iterator[Span]:
    """The sentences of a text, line by line; a table's row is one unit, whatever stands in its cells."""
    for line in _LINE.finditer(text):
        if len(line[0]) <= LONGEST and _parts(line[0])[0]:
            yield line.span()
        else:
            yield from sentence_spans(text, *line.span())


def facts_of(text: str, headings: Sequence[str], lead_in: str, words: Words) -> tuple[Fact, ...]:
    """The facts of one sentence, in the order of the text: its values first, then what it says yes or no to."""
    return tuple(_Reading(text, headings, lead_in, words).facts())


class _Reading:
    """One sentence while it is taken apart."""

    def __init__(self, text: str, headings: Sequence[str], lead_in: str, words: Words) -> None:
        self._text = text
        self._words = words
        self._values = values(text)
        self._bare = _blanked(text, self._values)
        self._is_cells, self._is_row, self._parts = _parts(text)
        heading = headings[-1] if headings else ""
        self._heading_text = heading
        self._heading_values = values(heading)
        self._heading = words.content(_blanked(heading, self._heading_values) + " " + lead_in)
        above = " ".join((*headings, lead_in))
        self._above = words.sides_of(above)
        self._above_narrowed = words.narrowed(" ".join((heading, lead_in)))
        # "Never:" turns what stands under it into its contrary.
        self._is_denied_above = any(_NOT.search(each) and not _QUESTION.match(each) for each in (heading, lead_in))
        self._question = heading if _QUESTION.match(heading) else ""

    def facts(self) -> Iterator[Fact]:
        for value in self._values:
            if value.dimension not in _ONLY_SETTINGS and not _PART.search(self._text[: value.start]):
                yield self._of_value(value)
        yield from self._of_clauses()

    def _of_value(self, value: Value) -> Fact:
        clauses = self._clause(value)
        clause = " ".join(self._bare[start:end] for start, end in clauses)
        own = self._words.content(clause)
        elsewhere = any(other.dimension == value.dimension and other is not value for other in self._values)
        rest = "" if elsewhere or self._is_cells else self._bare
        raw = " ".join(self._text[start:end] for start, end in clauses)
        beside = tuple(
            other
            for other in self._values
            if other is not value and (self._is_row or any(start <= other.start < end for start, end in clauses))
        )
        return self._fact(value, value.span, clause, raw, own, self._words.content(rest), beside)

    def _of_clauses(self) -> Iterator[Fact]:
        answered = _ANSWERED.match(self._text)
        if self._question and answered:
            asked = self._question.rstrip("? ")
            state = _state(asked)
            if answered["answer"].lower() == "no":
                state = State.NEED_NOT if state is State.MUST else State.NOT
            own = self._words.content(_blanked(asked, values(asked)))
            fact = self._fact(None, answered.span("answer"), asked, asked, own, own, ())
            yield _with_state(fact, state)
        if self._is_row or self._text.rstrip().endswith("?") or self._is_denied_above:
            return
        for start, end in self._parts:
            raw = self._text[start:end]
            clause = self._bare[start:end]
            own = self._words.content(clause)
            if own - self._words.light and not _FRAGMENT.match(raw):
                beside = tuple(value for value in self._values if start <= value.start < end)
                yield self._fact(None, (start, end), clause, raw, own, frozenset(), beside)

    def _fact(
        self,
        value: Value | None,
        span: Span,
        clause: str,
        raw: str,
        own: frozenset[str],
        near: frozenset[str],
        beside: tuple[Value, ...],
    ) -> Fact:
        conditions = " ".join(match["then"] for match in _CONDITION.finditer(clause))
        return Fact(
            value=value,
            span=span,
            state=_state(raw),
            own=own,
            heading=self._heading,
            near=own | near | self._heading,
            sides=self._words.sides_of(clause) | self._above,
            narrowed=self._words.narrowed(clause) | self._above_narrowed,
            conditions=self._words.content(conditions) - self._words.light,
            others=beside,
            heading_values=self._heading_values,
            is_hedged=_HEDGE.search(raw) is not None,
            is_conditional=_CONDITION.search(raw) is not None,
            side=_side(value, raw, self._heading_text),
            followed=self._followed(value),
            per=self._per(value),
            modified=self._words.neighbors(clause),
        )

    def _followed(self, value: Value | None) -> frozenset[str]:
        """The stem of what "a 15-minute screening" is a quality of."""
        if value is None or not value.qualifies:
            return frozenset()
        after = self._bare[value.end :].split()[:2]
        return self._words.content(" ".join(after))

    def _per(self, value: Value | None) -> str:
        """The stem of what an amount is for each of."""
        found = _PER.match(self._text, value.end) if value is not None and value.dimension.startswith("money") else None
        return self._words.canonical(found["each"].lower()) if found else ""

    def _clause(self, value: Value) -> list[Span]:
        """The stretches of the sentence that `value` belongs to."""
        start, end = next(
            ((start, end) for start, end in self._parts if start <= value.start < end), (0, len(self._text))
        )
        if self._is_row:
            # A row is about what its first cell says; the name of the value's own cell says what the value is.
            first = self._parts[0]
            return [(start, end)] if start == first[0] else [first, (start, end)]
        for other in self._values:
            if other.dimension != value.dimension or not start <= other.start < end or other is value:
                continue
            if other.end <= value.start:
                cut = _BETWEEN_VALUES.search(self._text, other.end, value.start)
                start = max(start, cut.start() if cut else start)
            elif other.start >= value.end:
                cut = _BETWEEN_VALUES.search(self._text, value.end, other.start)
                end = min(end, cut.start() if cut else end)
        return [(start, end)]


def _with_state(fact: Fact, state: State) -> Fact:
    from dataclasses import replace

    return replace(fact, state=state)


def _parts(text: str) -> tuple[bool, bool, list[Span]]:
    """Whether a text is made of named cells, whether these are one row of a table, and the cells or clauses."""
    cells = list(_CELL.finditer(text))
    named = sum(cell["name"] is not None for cell in cells)
    if (named > 1 if cells and cells[0]["name"] else 0 < named == len(cells) - 1) and len(
        cells[0]["value"]
    ) <= _LONGEST_KEY:
        return True, not _is_list(cells), [match.span() for match in cells]
    spans: list[Span] = []
    start = 0
    for match in _BREAK.finditer(text):
        if match[0].startswith(":") and not _VERB.search(text, start, match.start()):
            continue
        if text[start : match.start()].strip():
            spans.append((start, match.start()))
        start = match.end()
    if text[start:].strip():
        spans.append((start, len(text)))
    return False, False, spans


def _is_list(cells: Sequence[re.Match[str]]) -> bool:
    """Whether "Billing: 555-0147; Front desk: 555-0110" are entries by themselves: each is one value of one kind."""
    kinds = {tuple(value.dimension for value in values(cell["value"])) for cell in cells}
    return len(kinds) == 1 and kinds != {()}


def _blanked(text: str, found: Sequence[Value]) -> str:
    """The text with spaces in place of its values."""
    for value in found:
        text = text[: value.start] + " " * (value.end - value.start) + text[value.end :]
    return text


def _side(value: Value | None, clause: str, heading: str) -> str:
    """Whether a duration is one before or after something, by what stands beside it, in its clause or above it."""
    if value is None or value.dimension not in {"duration", "business days"}:
        return ""
    for text in (value.side, clause, heading):
        found = _SIDES.findall(text)
        if found:
            return "before" if _EARLIER.match(found[0]) else "after"
    return ""


def _state(clause: str) -> State:
    text = _NO_DENIAL.sub(" ", _CONDITION.sub(" ", clause))
    if _NEED_NOT.search(text):
        return State.NEED_NOT
    if _NOT.search(text):
        return State.NOT
    if _MUST.search(text):
        return State.MUST
    return State.MAY if _MAY.search(text) else State.IS

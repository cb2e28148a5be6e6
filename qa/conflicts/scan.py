"""All values that a text gives, with what stands around them: at least, at most, about, before, after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from qa.conflicts.amounts import ages, counts, measures, money, rates
from qa.conflicts.places import clocks, contacts, dates, places, weekdays
from qa.conflicts.value import Bound, Value

# What one of all values has in it: a cheap look at sentences that give none.
_MAY_HOLD = re.compile(
    r"[\d@½¼¾⅓⅔]|day|noon|midnight|week|month|year|hour|minute|night|once|twice|free|charge|cost|fee|complimentary"
    r"|extra|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|teen|ty\b|ty-|hundred|thousand|dozen|half"
    r"|couple|first|second|third|fourth|fifth|ground|floor|level|room|suite|door|gate|bay|building|bus|option|daily"
    r"|\b(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)\b|january|february|march|april|may|june|july|august|ber\b",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"(?<!and )(?<!or )(?:at least|a minimum of|minimum|no less than|not less than|no fewer than|no "
    r"sooner than|no earlier than|not before|more than|over|longer than|above|from|from (?:an? "
    r")?(?:\w+ ){0,2}\w+ of|≥|>)\s*(?:the\s)?$",
    re.IGNORECASE,
)
_MOST = re.compile(
    r"(?:at most|up to|a maximum of|maximum|no more than|not more than|no longer than|no later than|"
    r"within|less than|fewer than|under|below|not exceed|not exceeding|within the next|≤|"
    r"<)\s*(?:about\s|the\s|of\s)?$",
    re.IGNORECASE,
)
_NO_LATER = re.compile(r"no later than\s*$", re.IGNORECASE)
_LEAST_AFTER = re.compile(
    r"\s*(?:or (?:more|longer|later|above)|and (?:more|above|over)|minimum|at (?:least|the earliest)|at a minimum|\+)",
    re.IGNORECASE,
)
_MOST_AFTER = re.compile(
    r"\s*(?:or (?:less|fewer|sooner|under|below)|maximum|at (?:most|the latest)|at a maximum)", re.IGNORECASE
)
_ABOUT = re.compile(
    r"(?:about|around|roughly|approximately|approx\.?|some|nearly|almost|usually|~|circa)\s*$", re.IGNORECASE
)
_BEFORE = re.compile(
    r"\s*['’]?\s*(?:or (?:more|longer|less)\s)?(?:immediately |right |just )?(?:before|prior|ahead|in "
    r"advance|beforehand|early|notice|of notice|advance|earlier|leading up)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s*(?:or (?:more|longer|less)\s)?(?:immediately |right )?(?:after|following|later|since|from|"
    r"post|of (?:the |your )?(?:surgery|procedure|visit))",
    re.IGNORECASE,
)
_END = re.compile(
    r"(?:until|till|by|before|closes?(?: at)?|ends?(?: at)?|no later than|up to|locked at)\s*$", re.IGNORECASE
)
_START = re.compile(r"(?:from|after|opens?(?: at)?|starts?(?: at)?|begins?(?: at)?|no earlier than)\s*$", re.IGNORECASE)


def values(text: str) -> tuple[Value, ...]:
    """The values of a text in their order; no character is part of two."""
    if not _MAY_HOLD.search(text):
        return ()
    taken: list[Value] = []
    for finder in (contacts, dates, weekdays, money, rates, ages, measures, places, clocks, counts):
        for value in finder(text):
            if all(value.end <= other.start or other.end <= value.start for other in taken):
                taken.append(value)
    return tuple(_joined(text, sorted((_bounded(text, value) for value in taken), key=lambda value: value.start)))


def _bounded(text: str, value: Value) -> Value:
    """The value with what stands right before and after it: at least, at most, about, before, after."""
    before, after = text[max(0, value.start - 30) : value.start], text[value.end : value.end + 40]
    about = _ABOUT.search(before) is not None
    if about:
        before = _ABOUT.sub("", before)
    if value.dimension == "clock":
        bound = value.bound
        if value.low == value.high:
            bound = Bound.END if _END.search(before) else Bound.START if _START.search(before) else bound
        return replace(value, bound=bound, is_about=about)
    bound = value.bound
    if value.low == value.high and bound is Bound.EXACT:
        if _LEAST.search(before) or _LEAST_AFTER.match(after):
            bound = Bound.LEAST
        elif _MOST.search(before) or _MOST_AFTER.match(after):
            bound = Bound.MOST
    side = ""
    if value.dimension in {"duration", "business days"}:
        side = "before" if _BEFORE.match(after) else "after" if _AFTER.match(after) else ""
        if side == "before" and _NO_LATER.search(before):
            bound = Bound.LEAST  # "no later than 14 days before" leaves 14 days or more
    return replace(value, bound=bound, is_about=about, side=side)


def _joined(text: str, found: list[Value]) -> Iterator[Value]:
    """One value for "1 hour and 30 minutes"."""
    before: Value | None = None
    for value in found:
        if (
            before is not None
            and before.dimension == value.dimension == "duration"
            and before.unit != value.unit
            and before.low > value.low
            and text[before.end : value.start].strip() in {"", "and"}
            and value.low < 60 <= before.low
        ):
            total = before.low + value.low
            before = replace(before, low=total, high=total, end=value.end, side=value.side)
            continue
        if before is not None:
            yield before
        before = value
    if before is not None:
        yield before

"""Values that can be compared whatever their notation: "48 hours" and "two days" are both 2,880 minutes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from qa.offsets import Span


class Bound(StrEnum):
    """Which end of what is meant a value gives."""

    EXACT = "exact"
    LEAST = "least"
    MOST = "most"
    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Value:
    """What stands at `text[start:end]`, from `low` to `high` in the unit of its `dimension`.

    `unit` is the unit as it is written, without plural. `side` is "before" or "after" where the value counts from
    something, `members` holds what sets are made of: weekdays from 0, or the stems of what is counted.
    """

    dimension: str
    unit: str
    low: float
    high: float
    start: int
    end: int
    bound: Bound = Bound.EXACT
    is_about: bool = False
    side: str = ""
    members: frozenset[str] = frozenset()
    qualifies: bool = False

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.start, self.end


def same(one: Value, other: Value) -> bool:
    """Whether two values of one dimension can both be right of one thing."""
    if one.dimension == "date":
        years_differ = bool(one.members and other.members and one.members != other.members)
        return one.low == other.low and not years_differ
    if one.members and one.dimension != "count":
        return one.members == other.members
    if one.dimension == "clock":
        return _same_clock(one, other)
    slack = 0.101 if one.is_about or other.is_about else 1e-6
    return _compatible(one, other, slack)


def _near(one: float, other: float, slack: float) -> bool:
    return math.isclose(one, other, rel_tol=slack, abs_tol=1e-9)


def _same_clock(one: Value, other: Value) -> bool:
    half = "half clock" in (one.unit, other.unit)

    def equal(first: float, second: float) -> bool:
        gap = abs(first - second)
        return gap < 1 or (half and abs(gap - 720) < 1)

    ranges = [value.low != value.high for value in (one, other)]
    if all(ranges):
        return equal(one.low, other.low) and equal(one.high, other.high)
    if not any(ranges):
        return equal(one.low, other.low) or {one.bound, other.bound} == {Bound.START, Bound.END}
    whole, point = (one, other) if ranges[0] else (other, one)
    if point.bound is Bound.END:
        return equal(whole.high, point.low)
    if point.bound is Bound.START:
        return equal(whole.low, point.low)
    return whole.low <= point.low <= whole.high


def _compatible(one: Value, other: Value, slack: float) -> bool:
    if _near(one.low, other.low, slack) and _near(one.high, other.high, slack):
        return True
    # One range within the other is the same said more exactly; two that only overlap are not.
    is_range = one.low != one.high or other.low != other.high
    return is_range and (_within(one, other) or _within(other, one))


def _within(one: Value, other: Value) -> bool:
    return other.low <= one.low and one.high <= other.high


def allows(one: Value, other: Value) -> bool:
    """Whether one value is within what the other says: 30 days and at least 14, or within 60."""
    if one.members or other.members or one.bound is other.bound:
        return False
    for inner, outer in ((one, other), (other, one)):
        if (outer.bound is Bound.MOST and inner.bound is Bound.EXACT and inner.high <= outer.low) or (
            outer.bound is Bound.LEAST and inner.bound is Bound.EXACT and inner.low >= outer.high
        ):
            return True
    return False

"""Whether two facts of different sentences contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

from qa.conflict_facts import Fact, State
from qa.conflict_values import Bound, Value, same
from qa.conflict_words import Words

_ALIKE: Final = 0.5  # the part of what two values belong to that both sentences say
_ALIKE_STRICT: Final = 0.55
_ALIKE_OFTEN: Final = 0.75
_ALIKE_YES_NO: Final = 0.6
_SHARED: Final = 2.0  # words that say what it is about, which both sentences have
_SHARED_NAME: Final = 1.0  # the same, where neither names anything else and a thing has but one such value
_SHARED_FOR_SURE: Final = 4.0
_TIMES: Final = 20.0  # what differs by more than this is another thing, not an older version of the same
_LIGHT: Final = 0.3  # what a word of doing counts
_IN_HEADINGS: Final = 0.7  # what a word counts that one of them has in its heading only


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
class Found:
    """A contradiction of two facts, of which `alike` says how much both are about the same: the `shared` words."""

    one: Fact
    other: Fact
    kind: ConflictKind
    is_strict: bool
    alike: float
    shared: frozenset[str]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much two facts are about the same: `alike` is the part that both say, `common` how much that is.

    `shared` are the words. Where both name something, or both say that something is done, which the other does not,
    `things_apart` and `doings_apart` are more than none. `all_things_apart` counts all that one names alone,
    `apart` all words that one says alone, `most_apart` those of the one that says more alone.
    """

    alike: float
    common: float
    shared: frozenset[str]
    things_apart: int
    doings_apart: int
    all_things_apart: int
    apart: int
    most_apart: int
    shares_doing: bool


_KINDS: Final = {
    "duration": ConflictKind.TIME,
    "business days": ConflictKind.TIME,
    "clock": ConflictKind.TIME,
    "rate": ConflictKind.TIME,
    "date": ConflictKind.DATE,
    "month": ConflictKind.DATE,
    "weekdays": ConflictKind.DATE,
    "calendar year": ConflictKind.DATE,
    "count": ConflictKind.COUNT,
    "phone": ConflictKind.CONTACT,
    "address": ConflictKind.CONTACT,
}
OPPOSED: Final = frozenset(
    {
        frozenset({State.NOT, State.MAY}),
        frozenset({State.NOT, State.MUST}),
        frozenset({State.NOT, State.IS}),
        frozenset({State.NEED_NOT, State.MUST}),
    }
)
# What so many sentences give that words of a heading do not tell for what.
_OFTEN_GIVEN: Final = frozenset({"date", "percent"})
# What a value holds for, so that another value of it is another thing: in a price list above all.
_SETTING: Final = frozenset({"age", "weekdays", "calendar year", "month"})


def contradiction(ones: Sequence[Fact], others: Sequence[Fact], words: Words) -> Found | None:
    """The clearest contradiction between the facts of two sentences; None where there is none."""
    found = [*_by_values(ones, others, words), *_by_words(ones, others, words)]
    return max(found, key=lambda each: (each.is_strict, each.one.value is not None, each.alike), default=None)


def _by_values(ones: Sequence[Fact], others: Sequence[Fact], words: Words) -> list[Found]:
    found: list[Found] = []
    dimensions = {fact.value.dimension for fact in ones if fact.value} & {
        fact.value.dimension for fact in others if fact.value
    }
    for dimension in sorted(dimensions):
        mine = [fact for fact in ones if fact.value and fact.value.dimension == dimension]
        theirs = [fact for fact in others if fact.value and fact.value.dimension == dimension]
        for one in mine:
            if any(agree(one, other) for other in theirs):
                continue
            other = _nearest(one, theirs)
            if any(agree(each, other) for each in mine) or _nearest(other, mine) is not one:
                continue
            if (judged := _judged(one, other, words)) is not None:
                found.append(judged)
    return found


def agree(one: Fact, other: Fact) -> bool:
    """Whether two facts of one kind can both hold of one thing."""
    if one.value is None or other.value is None:
        return frozenset({one.state, other.state}) not in OPPOSED
    if one.value.dimension == "weekdays" and _denies(one) != _denies(other):
        return not one.value.members & other.value.members
    return same(one.value, other.value)


def _denies(fact: Fact) -> bool:
    return fact.state is State.NOT


def _nearest(one: Fact, others: Sequence[Fact]) -> Fact:
    return max(others, key=lambda other: _overlap(one, other))


def _overlap(one: Fact, other: Fact) -> float:
    """What part of their words both have: cheap, for choosing which two to look at."""
    return len(one.own & other.own) / (len(one.own | other.own) or 1)


def likeness(one: Fact, other: Fact, words: Words) -> Likeness:
    """How much two facts are about the same."""
    beyond_one, beyond_other = one.own - other.near, other.own - one.near
    said = one.own & other.own
    in_headings = (one.own | one.heading) & (other.own | other.heading) - said
    shared = said | in_headings
    common = _weight(said, words) + _IN_HEADINGS * _weight(in_headings, words)
    common += sum(any(_is_same_setting(mine, theirs) for theirs in other.others) for mine in one.others)
    left = (_weight(beyond_one, words) + _weight(beyond_other, words)) / 2
    return Likeness(
        alike=common / (common + left) if common else 0.0,
        common=common,
        shared=shared,
        things_apart=min(len(beyond_one - words.light), len(beyond_other - words.light)),
        doings_apart=min(len(beyond_one & words.light), len(beyond_other & words.light)),
        all_things_apart=len((beyond_one | beyond_other) - words.light),
        apart=len(beyond_one) + len(beyond_other),
        most_apart=max(len(beyond_one), len(beyond_other)),
        shares_doing=bool(shared & words.light),
    )


def _is_same_setting(one: Value, other: Value) -> bool:
    return one.dimension == other.dimension and same(one, other)


def _weight(stems: frozenset[str], words: Words) -> float:
    return sum(_LIGHT if word in words.light else 1.0 for word in stems)


def _contrasted(one: Fact, other: Fact) -> bool:
    """Whether the two name different sides of a contrast: mornings and afternoons, adults and children."""
    for line in {line for line, _ in one.sides} & {line for line, _ in other.sides}:
        if not {side for side in one.sides if side[0] == line} & {side for side in other.sides if side[0] == line}:
            return True
    return False


def _judged(one: Fact, other: Fact, words: Words) -> Found | None:
    mine, theirs = one.value, other.value
    assert mine is not None and theirs is not None  # noqa: S101, PT018 - only facts with values come here
    if one.side != other.side or one.followed - other.near or other.followed - one.near:
        return None
    if {mine.bound, theirs.bound} == {Bound.LEAST, Bound.MOST} and mine.dimension in {"duration", "business days"}:
        return None
    if mine.dimension == "count" and not mine.members & theirs.members:
        return None
    if (
        mine.dimension == "age"
        and {mine.bound, theirs.bound} == {Bound.LEAST, Bound.MOST}
        and _denies(one) == _denies(other)
    ):
        return None
    if _contrasted(one, other) or one.narrowed != other.narrowed or _settings_differ(one, other):
        return None
    if mine.low > 0 and theirs.low > 0 and not mine.members and not 1 / _TIMES < mine.low / theirs.low < _TIMES:
        return None
    if "free" in {mine.unit, theirs.unit} and (one.is_conditional or other.is_conditional):
        return None
    if mine.dimension.startswith("money") and (
        _order(one) != _order(other) or _is_modified(one, other, words) or _is_modified(other, one, words)
    ):
        return None
    if one.conditions - other.near or other.conditions - one.near:
        return None
    if not (one.own | one.heading) & (other.own | other.heading):
        return None
    near = likeness(one, other, words)
    is_named = near.all_things_apart == 0 and _tells_itself(mine)
    if near.alike < _ALIKE or near.common < (_SHARED_NAME if is_named else _SHARED) or near.things_apart:
        return None
    if mine.dimension in _OFTEN_GIVEN and len((one.own & other.own) - words.light) < _SHARED:
        return None
    if one.per and other.per and one.per != other.per:
        return None
    if near.most_apart > len(near.shared):
        return None
    if near.doings_apart and not near.shares_doing and near.common < _SHARED_FOR_SURE:
        return None
    is_strict = (
        mine.unit == theirs.unit
        and near.alike >= (_ALIKE_OFTEN if mine.dimension in _OFTEN_GIVEN else _ALIKE_STRICT)
        and not mine.is_about
        and not theirs.is_about
    )
    return Found(one, other, _KINDS.get(mine.dimension, _amount_or_number(mine)), is_strict, near.alike, near.shared)


def _order(fact: Fact) -> frozenset[tuple[int, int]]:
    """Whether it is about a first, a later or any: the contrast that stands first in the list."""
    return frozenset(side for side in fact.sides if side[0] == 0)


def _is_modified(one: Fact, other: Fact, words: Words) -> bool:
    """Whether one names a kind of what the other names: a missed procedure appointment, a missed appointment."""
    return any(
        kind not in other.near and kind not in words.light and name in other.own | other.heading
        for kind, name in one.modified
    )


def _tells_itself(value: Value) -> bool:
    """Whether a thing has but one value of this kind: where it is, whom to call, when it opens or closes, its price."""
    is_opening = value.dimension == "clock" and (value.bound is not Bound.EXACT or value.low != value.high)
    return is_opening or value.dimension in {"phone", "address"} or value.dimension.startswith(("place ", "money "))


def _amount_or_number(value: Value) -> ConflictKind:
    return ConflictKind.AMOUNT if value.dimension.startswith("money") else ConflictKind.NUMBER


def _settings_differ(one: Fact, other: Fact) -> bool:
    """Whether something else that stands beside the values, or in the headings, is not the same."""
    for mine in (*one.others, *one.heading_values):
        theirs = [each for each in (*other.others, *other.heading_values) if each.dimension == mine.dimension]
        if theirs and not any(_equal(mine, each) for each in theirs):
            return True
    kinds = [{each.dimension for each in (*fact.others, *fact.heading_values)} & _SETTING for fact in (one, other)]
    return kinds[0] != kinds[1] and not (one.value and _KINDS.get(one.value.dimension) is ConflictKind.CONTACT)


def _same_settings(one: Fact, other: Fact) -> bool:
    """Whether both say it with the same values, but for counts."""
    mine, theirs = ([each for each in fact.others if each.dimension != "count"] for fact in (one, other))
    return all(any(_is_same_setting(*pair) for pair in product([each], theirs)) for each in mine) and bool(
        mine
    ) == bool(theirs)


def _equal(one: Value, other: Value) -> bool:
    if one.dimension == "count" and not one.members & other.members:
        return True
    return (
        same(one, other)
        and abs(one.low - other.low) < 1 + 0.1 * abs(one.low)
        and abs(one.high - other.high) < 1 + 0.1 * abs(one.high)
    )


def _by_words(ones: Sequence[Fact], others: Sequence[Fact], words: Words) -> list[Found]:
    found: list[Found] = []
    for one in ones:
        for other in others:
            if one.value or other.value or frozenset({one.state, other.state}) not in OPPOSED:
                continue
            if _contrasted(one, other) or one.narrowed != other.narrowed or _settings_differ(one, other):
                continue
            if one.conditions != other.conditions or one.is_hedged or other.is_hedged:
                continue
            if len((one.own | one.heading) & (other.own | other.heading)) < _SHARED:
                continue
            if not _same_settings(one, other):
                continue
            near = likeness(one, other, words)
            if near.common < _SHARED or near.things_apart or near.doings_apart:
                continue
            if State.IS in {one.state, other.state}:
                if near.apart:
                    continue
            elif near.alike < _ALIKE_YES_NO:
                continue
            is_strict = State.IS not in {one.state, other.state}
            found.append(Found(one, other, ConflictKind.YES_NO, is_strict, near.alike, near.shared))
    return found

"""Two facts of different sentences side by side: whether they differ, and what speaks for the same subject."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa.conflicts.sentence import Fact, Sentence, State, Weights
from qa.conflicts.value import Bound, Value, allows, same

Features = NDArray[np.float64]
_FAR: Final = 0.5  # the cosine of two words below which neither stands for the other
_HEADING: Final = 0.9  # what a word of the heading counts in place of one of the sentence
OPPOSED: Final = (
    frozenset({State.NOT, State.MAY}),
    frozenset({State.NOT, State.MUST}),
    frozenset({State.NOT, State.IS}),
    frozenset({State.NEED_NOT, State.MUST}),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two facts that say something different, one of each sentence."""

    one: Fact
    other: Fact

    @property
    def is_value(self) -> bool:
        """Whether two values differ; else one sentence says yes and the other no."""
        return self.one.value is not None


def differing(one: Sentence, other: Sentence) -> tuple[Pair | None, Pair | None]:
    """The values that differ and are most likely meant for one thing, and the same for yes against no."""
    return _values(one, other), _states(one, other)


def _values(one: Sentence, other: Sentence) -> Pair | None:
    found: list[tuple[float, Pair]] = []
    mine = [fact for fact in one.facts if fact.value]
    theirs = [fact for fact in other.facts if fact.value]
    for first in mine:
        for second in theirs:
            if not _comparable(first.value, second.value):
                continue
            if any(_agree(first, each) for each in theirs) or any(_agree(each, second) for each in mine):
                continue
            found.append((_overlap(one, first, other, second), Pair(first, second)))
    return max(found, key=lambda each: each[0], default=(0.0, None))[1]


def _comparable(one: Value | None, other: Value | None) -> bool:
    if one is None or other is None or one.dimension != other.dimension:
        return False
    return one.dimension != "count" or bool(one.members & other.members)


def _agree(one: Fact, other: Fact) -> bool:
    if not _comparable(one.value, other.value):
        return False
    assert one.value is not None and other.value is not None  # noqa: S101, PT018 - both are there when comparable
    if one.value.dimension == "weekdays" and (one.state is State.NOT) != (other.state is State.NOT):
        return not one.value.members & other.value.members
    return same(one.value, other.value)


def _states(one: Sentence, other: Sentence) -> Pair | None:
    found = [
        (_overlap(one, first, other, second), Pair(first, second))
        for first in one.facts
        for second in other.facts
        if first.value is None and second.value is None and frozenset({first.state, second.state}) in OPPOSED
    ]
    return max(found, key=lambda each: each[0], default=(0.0, None))[1]


def _overlap(one: Sentence, first: Fact, other: Sentence, second: Fact) -> float:
    """How much of their own words two facts share: cheap, to choose which to look at."""
    shared = set(one.words.stems) & set(other.words.stems)
    mine = sum(weight for name, weight in zip(one.words.stems, first.weights, strict=True) if name in shared)
    theirs = sum(weight for name, weight in zip(other.words.stems, second.weights, strict=True) if name in shared)
    opposed = len(_opposed(first.sides, second.sides))
    return float(mine / (first.weights.sum() + 1e-6) + theirs / (second.weights.sum() + 1e-6)) - 0.3 * opposed


def _opposed(one: frozenset[tuple[int, int]], other: frozenset[tuple[int, int]]) -> set[int]:
    """The contrasts of which the two name different sides."""
    lines = {line for line, _ in one} & {line for line, _ in other}
    return {
        line
        for line in lines
        if not {side for side in one if side[0] == line} & {side for side in other if side[0] == line}
    }


def alignment(one: Sentence, other: Sentence) -> tuple[Features, Features, Features]:
    """For each word of `one`, of `other`, and of the heading of `one`: the cosine of what is nearest to it there."""
    mine, theirs = one.words.vectors, other.words.vectors
    between = np.where(_equal(one.words.stems, other.words.stems), 1.0, mine @ theirs.T)
    forth, back = between.max(axis=1), between.max(axis=0)
    if len(other.heading):
        near = np.where(_equal(one.words.stems, other.heading.stems), 1.0, mine @ other.heading.vectors.T)
        forth = np.maximum(forth, _HEADING * near.max(axis=1))
    if len(one.heading):
        near = np.where(_equal(other.words.stems, one.heading.stems), 1.0, theirs @ one.heading.vectors.T)
        back = np.maximum(back, _HEADING * near.max(axis=1))
    return forth, back, between


def _equal(one: tuple[str, ...], other: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([[first == second for second in other] for first in one], dtype=bool).reshape(len(one), len(other))


def _headings(one: Sentence, other: Sentence) -> float:
    """How much of each heading the other sentence and its heading say, on average."""
    found = []
    for mine, theirs in ((one, other), (other, one)):
        if not len(mine.heading):
            found.append(0.5)
            continue
        vectors = np.concatenate([theirs.heading.vectors, theirs.words.vectors])
        names = theirs.heading.stems + theirs.words.stems
        near = np.where(_equal(mine.heading.stems, names), 1.0, mine.heading.vectors @ vectors.T)
        found.append(float(near.max(axis=1).mean()))
    return sum(found) / 2


def _heading_far(one: Sentence, other: Sentence) -> float:
    """How far the farthest word of each heading is from all that the other says; the nearer of the two."""
    found = []
    for mine, theirs in ((one, other), (other, one)):
        if not len(mine.heading):
            return 0.0
        vectors = np.concatenate([theirs.heading.vectors, theirs.words.vectors])
        names = theirs.heading.stems + theirs.words.stems
        near = np.where(_equal(mine.heading.stems, names), 1.0, mine.heading.vectors @ vectors.T)
        found.append(1 - float(near.max(axis=1).min()))
    return min(found)


def _mean(values: Features | NDArray[np.bool_], weights: Weights) -> float:
    return float((values * weights).sum() / (weights.sum() + 1e-6))


def features(one: Sentence, other: Sentence, pair: Pair) -> dict[str, float]:
    """What speaks for and against one subject, the same whichever comes first."""
    first, second = pair.one, pair.other
    forth, back, _ = alignment(one, other)
    means = sorted((_mean(forth, first.weights), _mean(back, second.weights)))
    far = sorted(
        float((weights * np.clip((_FAR + 0.2 - best) / 0.2, 0, 1)).sum())
        for best, weights in ((forth, first.weights), (back, second.weights))
    )
    lowest = sorted(
        float((1 - (1 - best) * weights).min()) for best, weights in ((forth, first.weights), (back, second.weights))
    )
    mine = first.weights @ one.words.vectors
    theirs = second.weights @ other.words.vectors
    whole = float(mine @ theirs / (np.linalg.norm(mine) * np.linalg.norm(theirs) + 1e-6))
    exact = sorted(
        (
            _mean(np.isin(one.words.stems, other.words.stems + other.heading.stems), first.weights),
            _mean(np.isin(other.words.stems, one.words.stems + one.heading.stems), second.weights),
        )
    )
    common = float((first.weights * np.clip((forth - _FAR) / (1 - _FAR), 0, 1)).sum())
    common += float((second.weights * np.clip((back - _FAR) / (1 - _FAR), 0, 1)).sum())
    sides = (first.sides, second.sides)
    above = (one.heading_sides, other.heading_sides)
    opposed = len(_opposed(*sides))
    opposed_above = len(_opposed(sides[0] | above[0], sides[1] | above[1]))
    lines = [{line for line, _ in side} for side in (sides[0] | above[0], sides[1] | above[1])]
    swapped = sorted(
        float((weights * ~np.isin(names, others)).sum())
        for names, others, weights in (
            (one.words.stems, other.words.stems + other.heading.stems, first.weights),
            (other.words.stems, one.words.stems + one.heading.stems, second.weights),
        )
    )[0]
    found = {
        "swapped": min(swapped, 2.0) * exact[0],
        "swapped far": min(far[0], 2.0) * exact[0],
        "nearness": min(means[0], lowest[0] + 0.3),
        "best mean": means[1],
        "worst mean": means[0],
        "far both": min(far[0], 3.0),
        "far either": min(far[1], 4.0),
        "lowest of best": lowest[1],
        "lowest": lowest[0],
        "whole": whole,
        "stems of most": exact[1],
        "stems of least": exact[0],
        "common": math.log1p(common),
        "headings": _headings(one, other),
        "heading far": _heading_far(one, other),
        "opposed": min(opposed, 2),
        "opposed with headings": min(opposed_above, 3),
        "one-sided contrasts": min(len(lines[0] ^ lines[1]), 4),
        "condition of one": float(first.is_conditional != second.is_conditional),
        "hedged": float(first.is_hedged or second.is_hedged),
        "values agreeing": _settings(one, other, pair, agree=True),
        "values differing": _settings(one, other, pair, agree=False),
    }
    return found | (_value_features(one, other, pair) if pair.is_value else _state_features(first, second))


def _settings(one: Sentence, other: Sentence, pair: Pair, *, agree: bool) -> float:
    """How many of the values beside those of the pair the two sentences share, or differ in."""
    count = 0
    own = pair.one.value.dimension if pair.one.value else ""
    for dimension in {value.dimension for value in one.values} & {value.dimension for value in other.values}:
        if dimension == own:
            continue
        equal = any(
            same(mine, theirs)
            for mine in one.values
            for theirs in other.values
            if mine.dimension == theirs.dimension == dimension
            and (dimension != "count" or mine.members & theirs.members)
        )
        count += equal == agree
    return float(min(count, 2))


def _value_features(one: Sentence, other: Sentence, pair: Pair) -> dict[str, float]:
    mine, theirs = pair.one.value, pair.other.value
    assert mine is not None and theirs is not None  # noqa: S101, PT018 - only pairs of values come here
    ratio = abs(math.log(mine.low / theirs.low)) if mine.low > 0 and theirs.low > 0 and not mine.members else 0.7
    beside = sum(value.dimension == mine.dimension for value in (*one.values, *other.values)) - 2  # the pair's own
    bounds = {mine.bound, theirs.bound}
    sides = {mine.side, theirs.side}
    return {
        "one allows the other": float(allows(mine, theirs)),
        "same unit": float(mine.unit == theirs.unit),
        "same bound": float(len(bounds) == 1),
        "opposite bounds": float(bounds in ({Bound.LEAST, Bound.MOST}, {Bound.START, Bound.END})),
        "same side": float(len(sides) == 1 and sides != {""}),
        "opposite sides": float(sides == {"before", "after"}),
        "other values": math.log1p(max(beside, 0)),
        "ratio": min(ratio, 4.0),
        "clock": float(mine.dimension == "clock"),
        "duration": float(mine.dimension in {"duration", "business days"}),
        "money": float(mine.dimension.startswith("money")),
        "set": float(bool(mine.members) and mine.dimension != "count"),
        "state opposed": float((pair.one.state is State.NOT) != (pair.other.state is State.NOT)),
    }


def _state_features(one: Fact, other: Fact) -> dict[str, float]:
    states = frozenset({one.state, other.state})
    return {
        "need not": float(State.NEED_NOT in states),
        "plainly": float(State.IS in states),
        "conditions": float(one.is_conditional and other.is_conditional),
    }

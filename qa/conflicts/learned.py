"""How much each feature of a pair speaks for a contradiction, as it was learned from examples."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from qa.conflicts.conflict import Conflict, ConflictKind, Statement
from qa.conflicts.pair import Pair, differing, features
from qa.conflicts.sentence import Sentence, State
from qa.errors import SettingsError

FILE: Final = "learned.json"
EXAMPLES: Final = "examples.jsonl"
SAME_WORDS: Final = 0.75  # the part of each sentence's words that the other has, for a strict contradiction
_KINDS: Final = {
    "duration": ConflictKind.TIME,
    "business days": ConflictKind.TIME,
    "clock": ConflictKind.TIME,
    "rate": ConflictKind.TIME,
    "date": ConflictKind.DATE,
    "month": ConflictKind.DATE,
    "weekdays": ConflictKind.DATE,
    "count": ConflictKind.COUNT,
    "phone": ConflictKind.CONTACT,
    "address": ConflictKind.CONTACT,
}


@dataclass(frozen=True, slots=True)
class Scale:
    """A logistic regression: each feature's weight, and what its value is less and by how much it is divided.

    A pair is a contradiction from the probability `listed` on, and one that patients' answers are held back for from
    `strict` on.
    """

    intercept: float
    weights: dict[str, float]
    means: dict[str, float]
    deviations: dict[str, float]
    listed: float
    strict: float

    def probability(self, found: dict[str, float]) -> float:
        """That a pair with these features is a contradiction."""
        value = self.intercept + sum(
            weight * (found[name] - self.means[name]) / self.deviations[name] for name, weight in self.weights.items()
        )
        return 1 / (1 + math.exp(-max(min(value, 50.0), -50.0)))


@dataclass(frozen=True, slots=True)
class Learned:
    """`examples` and `model` are the SHA-256 of what it was learned from and with."""

    examples: str
    model: str
    values: Scale
    yes_no: Scale

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(_rounded(asdict(self)), indent=1) + "\n", encoding="utf-8")


def _rounded(content: object) -> object:
    if isinstance(content, dict):
        return {name: _rounded(value) for name, value in content.items()}
    return round(content, 4) if isinstance(content, float) else content


@cache
def load_learned() -> Learned:
    """The packaged one. Raises SettingsError where the examples have changed since."""
    folder = files("qa").joinpath("data", "conflicts")
    content = json.loads(folder.joinpath(FILE).read_text(encoding="utf-8"))
    examples = digest_of(folder.joinpath(EXAMPLES).read_bytes())
    if content["examples"] != examples:
        raise SettingsError(
            "the examples of conflicts have changed since they were learned from",
            path=f"qa/data/conflicts/{EXAMPLES}",
            found=examples[:12],
            expected=content["examples"][:12],
            remedy="Run `clinic-qa conflicts --learn`.",
        )
    return Learned(examples, content["model"], Scale(**content["values"]), Scale(**content["yes_no"]))


def digest_of(examples: bytes) -> str:
    """SHA-256 of the examples, in hexadecimal."""
    return hashlib.sha256(examples).hexdigest()


def judge(one: Sentence, other: Sentence, learned: Learned) -> tuple[float, Pair, bool] | None:
    """The likeliest contradiction of two sentences, how likely it is, and whether it is strict."""
    found = []
    for pair, scale in zip(differing(one, other), (learned.values, learned.yes_no), strict=True):
        if pair is None:
            continue
        seen = features(one, other, pair)
        probability = scale.probability(seen)
        if probability >= scale.listed:
            is_strict = probability >= scale.strict and may_be_strict(pair, seen)
            found.append((is_strict, probability, pair))
    if not found:
        return None
    is_strict, probability, pair = max(found, key=lambda each: each[:2])
    return probability, pair, is_strict


def may_be_strict(pair: Pair, seen: dict[str, float]) -> bool:
    """Whether it is the same unit, or yes against no in plain words, and each says nearly all words of the other.

    Among a million pairs of a clinic's sentences, prices of two services are as near in meaning as two wordings of one.
    """
    if seen["stems of least"] < SAME_WORDS:
        return False
    one, other = pair.one, pair.other
    if one.value is None or other.value is None:
        return State.IS not in {one.state, other.state}
    return one.value.unit == other.value.unit and not one.is_hedged and not other.is_hedged


def conflict_of(
    places: tuple[Statement, Statement], read: tuple[Sentence, Sentence], pair: Pair, *, is_strict: bool
) -> Conflict:
    """The contradiction of two statements."""
    dimension = pair.one.value.dimension if pair.one.value else ""
    kind = ConflictKind.AMOUNT if dimension.startswith("money") else ConflictKind.NUMBER
    kind = _KINDS.get(dimension, kind) if dimension else ConflictKind.YES_NO
    return Conflict(*places, kind, (read[0].said(pair.one), read[1].said(pair.other)), is_strict)

"""Crisis, emergency and personal-advice questions, found before anything else.

Phrases that people use (`qa.triage.rules`) and meaning (`qa.triage.meaning`) together; without a model, or where it
fails, phrases alone. Both come from files that a clinician reads and edits: qa/data/triage, docs/triage.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from qa.embed import Embedder
from qa.models import Triaged, Urgency
from qa.triage.meaning import CLASSES, Meaning, meaning_of, units
from qa.triage.rules import Rules, load_rules
from qa.triage.words import Sentence

__all__ = ["tells_apart", "triage", "warm"]

_BY_RULE: Final = 0.95
# How probable danger, or advice, must be for the model alone to say so; and where the stretch of text that is so
# probable also has a harmless context. Chosen over examples and the tuning half of the test set: docs/triage.md.
_LEAST_DANGER: Final = 0.75
_LEAST_DANGER_DOUBTED: Final = 0.96
_LEAST_ADVICE: Final = 0.6
_LEAST_ADVICE_DOUBTED: Final = 0.9
_CRISIS, _EMERGENCY, _ADVICE = (CLASSES.index(each) for each in (Urgency.CRISIS, Urgency.EMERGENCY, Urgency.ADVICE))


def triage(text: str, *, rules: Path | None, embedder: Embedder | None) -> Triaged:
    """How urgent `text` is. Raises SettingsError where the rules cannot be used; a model that fails is done without.

    Phrases are looked for in the whole text, meaning in at most `qa.triage.meaning.MOST_UNITS` stretches of it.
    """
    loaded = load_rules(rules)
    sentences = loaded.sentences(text)
    rule = loaded.found(sentences)
    by_rule = Triaged(rule.urgency, rule.name, _BY_RULE) if rule else Triaged(Urgency.NONE, "nothing found", 0.0)
    if by_rule.urgency.is_danger or embedder is None:
        return by_rule
    by_meaning = _by_meaning(loaded, sentences, embedder)
    if by_meaning is None:
        return by_rule
    if by_meaning.urgency.is_danger or by_rule.urgency is Urgency.NONE:
        return by_meaning
    return by_rule


def warm(rules: Path | None, embedder: Embedder) -> None:
    """Load the rules and fit the examples now, so that no question waits; a failing model is no error."""
    _meaning(load_rules(rules), embedder)


def tells_apart(rules: Path | None, embedder: Embedder) -> bool:
    """Whether this model tells the examples apart; where it does not, triage goes by phrases alone."""
    meaning = _meaning(load_rules(rules), embedder)
    return meaning is not None


def _meaning(rules: Rules, embedder: Embedder) -> Meaning | None:
    try:
        meaning = meaning_of(rules, embedder)
        usable = meaning.usable
    except Exception:  # noqa: BLE001 - whatever ails the model, the person still gets what phrases find
        return None
    return meaning if usable else None


def _by_meaning(rules: Rules, sentences: list[Sentence], embedder: Embedder) -> Triaged | None:
    """What the model makes of the text; None where it cannot be used."""
    parts = units(sentences)
    meaning = _meaning(rules, embedder)
    if meaning is None or not parts:
        return None
    try:
        vectors = embedder.encode([part.text for part in parts])
        found = meaning.probabilities(vectors)
    except Exception:  # noqa: BLE001 - see `_meaning`
        return None
    danger = found[:, _CRISIS] + found[:, _EMERGENCY]
    for place in danger.argsort()[::-1]:
        if danger[place] < _LEAST_DANGER:
            break
        if danger[place] < _LEAST_DANGER_DOUBTED and rules.doubtful(parts[place].words):
            continue
        urgency = Urgency.CRISIS if found[place, _CRISIS] >= found[place, _EMERGENCY] else Urgency.EMERGENCY
        return Triaged(urgency, f"like the example “{meaning.nearest(vectors[place], urgency)}”", float(danger[place]))
    place = int(found[:, _ADVICE].argmax())
    advice = float(found[place, _ADVICE])
    least = _LEAST_ADVICE_DOUBTED if rules.doubtful(parts[place].words) else _LEAST_ADVICE
    if advice >= least:
        nearest = meaning.nearest(vectors[place], Urgency.ADVICE)
        return Triaged(Urgency.ADVICE, f"like the example “{nearest}”", advice)
    return Triaged(Urgency.NONE, "nothing found", float(danger.max()))

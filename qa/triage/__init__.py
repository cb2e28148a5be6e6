"""Crisis, emergency and personal-advice questions, found before anything else.

Three things speak: phrases that always count, the words of a text, and its meaning. The latter two were learned from
reviewed examples (`qa.triage.learned`). Without a model, or where it fails, phrases and words judge alone. All comes
from files that a clinician reads and edits: qa/data/triage, docs/triage.md.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import numpy as np

from qa.embed import Embedder, Vectors
from qa.errors import SettingsError
from qa.models import Triaged, Urgency
from qa.triage.examples import Reviewed, load_reviewed
from qa.triage.learned import CLASSES, Values
from qa.triage.thresholds import LEAST_ADVICE, LEAST_DANGER, LEAST_DANGER_ALONE, LEAST_DANGER_IN_PART
from qa.triage.units import Unit, units

__all__ = ["MOST_COMPARED", "knows_model", "load_reviewed", "triage"]

MOST_COMPARED: Final = 40  # stretches of a text whose meaning is looked at, half from its beginning and half its end
_log = logging.getLogger(__name__)
_NOTHING: Final = Triaged(Urgency.NONE, "nothing found", 0.0)
_OUTRIGHT: Final = 0.99
_CRISIS, _EMERGENCY, _ADVICE = (CLASSES.index(each) for each in (Urgency.CRISIS, Urgency.EMERGENCY, Urgency.ADVICE))


def triage(text: str, *, rules: Path | None, embedder: Embedder | None) -> Triaged:
    """How urgent `text` is. A clinic's own files that cannot be used are done without, and so is a model that fails.

    Words are looked at in the whole text, meaning in at most `MOST_COMPARED` stretches of it.
    """
    reviewed = _usable(rules)
    sentences = reviewed.spelling.sentences(text)
    outright = [found for sentence in sentences if (found := reviewed.said_outright(sentence))]
    if outright:
        phrase, urgency = min(outright, key=lambda found: CLASSES.index(found[1]))
        return Triaged(urgency, f"says “{phrase}”", _OUTRIGHT)
    parts = units(sentences)
    if not parts:
        return _NOTHING
    vectors, compared = _vectors(parts, reviewed, embedder)
    by_words = sorted(set(range(len(parts))).difference(compared))
    probabilities = np.empty((len(parts), len(CLASSES)), dtype=np.float32)
    for places, of_places in ((by_words, None), (compared, vectors)):
        if places:
            words = [parts[place].words for place in places]
            probabilities[places] = reviewed.learned.probabilities(words, of_places)
    return _judged(parts, probabilities, reviewed, vectors, compared)


def _usable(rules: Path | None) -> Reviewed:
    """The clinic's own files, or else the packaged ones: somebody in danger must not wait for a file to be mended."""
    try:
        return load_reviewed(rules)
    except SettingsError as error:
        if rules is None:
            raise
        _log.error("Triage goes by the packaged files: %s", error)
        return load_reviewed(None)


def knows_model(rules: Path | None, embedder: Embedder) -> bool:
    """Whether meaning was learned with this model; with another, words judge alone."""
    return load_reviewed(rules).learned.model == embedder.fingerprint.digest


def _vectors(parts: list[Unit], reviewed: Reviewed, embedder: Embedder | None) -> tuple[Vectors | None, list[int]]:
    """The vectors of the parts that are compared by meaning, in one batch, and which parts those are."""
    if embedder is None or embedder.fingerprint.digest != reviewed.learned.model:
        return None, []
    compared = list(range(len(parts)))
    if len(compared) > MOST_COMPARED:
        compared = compared[: MOST_COMPARED // 2] + compared[-MOST_COMPARED // 2 :]
    try:
        vectors = embedder.encode([parts[place].text for place in compared])
    except Exception:  # noqa: BLE001 - whatever ails the model, the person still gets what words find
        return None, []
    return (vectors, compared) if vectors.shape[1] == reviewed.learned.landmarks.shape[1] else (None, [])


def _judged(
    parts: list[Unit], probabilities: Values, reviewed: Reviewed, vectors: Vectors | None, compared: list[int]
) -> Triaged:
    of_whole = LEAST_DANGER if vectors is not None else LEAST_DANGER_ALONE
    least = np.where([part.is_part for part in parts], LEAST_DANGER_IN_PART, of_whole)
    danger = probabilities[:, _CRISIS] + probabilities[:, _EMERGENCY]
    place = int((danger - least).argmax())
    if danger[place] >= least[place]:
        is_crisis = probabilities[place, _CRISIS] >= probabilities[place, _EMERGENCY]
        urgency, score = Urgency.CRISIS if is_crisis else Urgency.EMERGENCY, float(danger[place])
    else:
        place = int(probabilities[:, _ADVICE].argmax())
        score = float(probabilities[place, _ADVICE])
        urgency = Urgency.ADVICE
        if score < LEAST_ADVICE:
            return Triaged(Urgency.NONE, _NOTHING.reason, float(danger.max()))
    if vectors is not None and place in compared:
        nearest = reviewed.learned.nearest(vectors[compared.index(place)], urgency)
        return Triaged(urgency, f"like the example “{nearest}”", score)
    return Triaged(urgency, f"in words of the examples of {urgency}", score)

"""From an index to the calibration that belongs to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final

from qa.audience import Audience
from qa.calibrate.asking import CLINIC, DOCUMENTS, Asker
from qa.calibrate.fitting import Risk, Sample, fit, held_out_answers, held_out_probabilities, tally, threshold
from qa.calibrate.made_questions import foreign_questions, questions_about, same_headings, sections, spread
from qa.confidence import Calibration
from qa.embed import Embedder, ModelFingerprint
from qa.index.contract import PassageIndex
from qa.questions import LabelledQuestion
from qa.settings import Answering, Retrieval

VERSION: Final = 1  # of the questions and of the fit; another one makes other calibrations of the same documents
METHOD: Final = (
    "Threshold by conformal risk control (Angelopoulos, Bates, Fisch, Lei and Schuster, ICLR 2024), over a cross-fitted"
    " logistic regression."
)
_MOST_ANSWERABLE: Final = 300
_MOST_OF_A_SECTION: Final = 4
_MOST_FOREIGN: Final = 150
_FEWEST_SECTIONS: Final = 20
_CERTAINTY: Final = 0.8

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Uncalibrated:
    """Why there is no calibration, as a sentence for staff."""

    reason: str

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {"calibrated": False, "reason": self.reason}


def calibrate(
    index: PassageIndex,
    embedder: Embedder,
    retrieval: Retrieval,
    answering: Answering,
    *,
    audience: Audience,
    today: date,
    made_for: str,
    questions: Sequence[LabelledQuestion] = (),
    progress: Progress = lambda _stage, _done, _all: None,
) -> Calibration | Uncalibrated:
    """Calibrate for what `audience` may see `today`. Asks up to about 750 questions, whatever the size of the corpus.

    `questions` may be of both audiences. What is measured are questions of folds that neither the regression nor the
    threshold saw; they are made from the documents, so that it is no guarantee for patients' questions.
    Raises CalibrationError where the clinic's list of foreign questions cannot be used.
    """
    mask = index.eligible(today)
    found = sections(index, mask)
    if len(found) < _FEWEST_SECTIONS:
        return Uncalibrated(
            f"The documents have {len(found)} sections with a heading of their own; at least {_FEWEST_SECTIONS} are"
            " needed to calibrate."
        )
    each = min(max(round(_MOST_ANSWERABLE / len(found)), 1), _MOST_OF_A_SECTION)
    made = spread([question for section in found for question in questions_about(section, each)], _MOST_ANSWERABLE)
    asker = Asker(index, embedder, retrieval, mask)
    samples: list[Sample] = []
    ambiguous = 0
    for done, (as_it_is, without) in enumerate(asker.made(made, same_headings(found)), start=1):
        samples += [sample for sample in (as_it_is, without) if sample is not None]
        ambiguous += as_it_is is None or (as_it_is.right and without is None)
        progress("calibrate", done, len(made))
    samples += asker.foreign(foreign_questions(answering.foreign_questions, _MOST_FOREIGN))
    samples += asker.labelled([question for question in questions if question.audience is audience])
    if sum(sample.right for sample in samples) < _FEWEST_SECTIONS:
        return Uncalibrated(
            f"Of {len(made)} questions made from the documents, fewer than {_FEWEST_SECTIONS} found the section that"
            " they were made from: too few to calibrate."
        )
    return _calibration(samples, ambiguous, answering, audience, today, made_for)


def made_for(
    fingerprint: ModelFingerprint,
    corpus_digest: str,
    index_settings: dict[str, object],
    retrieval: Retrieval,
    answering: Answering,
) -> str:
    """The digest of everything that a calibration depends on, in hexadecimal: while it stays, the calibration holds.

    `index_settings` are those of the index's manifest. Files that the settings name count with their content.
    """
    named = (retrieval.glossary, answering.questions, answering.foreign_questions)
    parts = {
        "version": VERSION,
        "model": asdict(fingerprint),
        "corpus": corpus_digest,
        "index": index_settings,
        "retrieval": retrieval.model_dump(mode="json", exclude={"glossary", "top"}),
        "bound": answering.most_wrong,
        "unanswerable": answering.expected_unanswerable,
        "files": [_digest(path) for path in named],
    }
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _calibration(
    samples: Sequence[Sample], ambiguous: int, answering: Answering, audience: Audience, today: date, digest: str
) -> Calibration | Uncalibrated:
    risk = Risk(answering.most_wrong, answering.expected_unanswerable, _CERTAINTY)
    probabilities = held_out_probabilities(samples, risk.unanswerable)
    lowest = threshold(samples, probabilities, risk)
    if lowest is None:
        return Uncalibrated(
            "Of the questions made from the documents, no share worth answering could be told apart with at most"
            f" {risk.bound:.0%} wrong answers."
        )
    surest = threshold(samples, probabilities, replace(risk, bound=risk.bound / 2))
    answered = held_out_answers(samples, probabilities, risk)
    by_source = {
        source: [place for place, sample in enumerate(samples) if sample.source == source]
        for source in (DOCUMENTS, CLINIC)
    }
    return Calibration(
        audience=audience,
        confidence=replace(
            fit(samples, risk.unanswerable),
            threshold=lowest.value,
            # Where half the bound cannot be kept at all, the upper half of what is answered.
            sure=max(surest.value if surest else (1 + lowest.value) / 2, lowest.value),
        ),
        tested=lowest.tested,
        bound=risk.bound,
        expected_unanswerable=risk.unanswerable,
        measured={
            source: tally([samples[place] for place in places], answered[places])
            for source, places in by_source.items()
            if places
        },
        fitted_on={**{source: len(places) for source, places in by_source.items() if places}, "ambiguous": ambiguous},
        made_on=today,
        made_for=digest,
        method=METHOD,
    )


def _digest(path: Path | None) -> str | None:
    if path is None:
        return None
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"

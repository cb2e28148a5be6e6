"""What decides, for one index, whether its passages answer: its calibration and the clinic's own pinned questions."""

from __future__ import annotations

from dataclasses import dataclass

from qa.audience import Audience
from qa.calibrate.kept import calibration_digest, calibration_file
from qa.confidence import UNCALIBRATED, Confidence, read_calibration
from qa.errors import QAError
from qa.index.faiss_index import FaissIndex
from qa.questions import LabelledQuestion, read_questions
from qa.retrieve import Reranker
from qa.settings import Settings

_CONSERVATIVE = "Answers are given only on strong evidence until then."


@dataclass(frozen=True, slots=True)
class Judge:
    """`warnings` are sentences for staff: why answers are fewer than they might be."""

    confidence: Confidence = UNCALIBRATED
    pinned: tuple[LabelledQuestion, ...] = ()
    reranker: Reranker | None = None
    warnings: tuple[str, ...] = ()


def open_judge(index: FaissIndex, settings: Settings, reranker: Reranker | None = None) -> Judge:
    """The judge of an opened index. What is missing or damaged makes it stricter and is a warning, never an error."""
    warnings = []
    confidence = UNCALIBRATED
    audience = Audience(index.manifest.audience)
    try:
        calibration = read_calibration(calibration_file(settings.index.folder, index.generation, audience))
        if calibration is None:
            warnings.append(f"The {audience} index is not calibrated: run `clinic-qa calibrate`. {_CONSERVATIVE}")
        elif calibration.made_for != calibration_digest(index, settings):
            warnings.append(
                f"The calibration of the {audience} index is for other settings or documents: run"
                f" `clinic-qa calibrate`. {_CONSERVATIVE}"
            )
        else:
            confidence = calibration.confidence
    except QAError as error:
        warnings.append(f"{error} {_CONSERVATIVE}")
    pinned: tuple[LabelledQuestion, ...] = ()
    if settings.answering.questions is not None:
        try:
            pinned = tuple(question for question in read_questions(settings.answering.questions) if question.pinned)
        except QAError as error:
            warnings.append(f"No question is pinned: {error}")
    return Judge(confidence, pinned, reranker, tuple(warnings))

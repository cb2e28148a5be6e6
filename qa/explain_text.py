"""An explanation in words that a manager understands."""

from __future__ import annotations

import textwrap
from typing import Final

from qa.confidence import Contribution
from qa.explain import ExplainedCandidate, Explanation
from qa.models import Level, Placing
from qa.walk import safe

_WIDTH = 100
_SHOWN = 20  # candidates, and those further down that people see; --json gives all
_DECISION: Final = {
    Level.LIKELY: "shown as a likely answer",
    Level.POSSIBLE: "shown as a possible answer",
    Level.NOT_COVERED: 'not shown: "not covered" was said instead',
}
_EVIDENCE: Final = {
    "similarity": "how near a passage comes in meaning to the whole question",
    "coverage": "how much of the question's words one passage has",
    "late": "how near each word of the question comes to a word of one passage",
    "sentence": "how near they come within one sentence",
    "asking": "how near a passage comes to the sentence that asks",
    "margin": "how far the first passage is ahead of the tenth",
    "known": "how much of the question is in words that the documents have at all",
    "agreement": "how far meaning and words find the same passages",
}


def explanation_text(explanation: Explanation) -> str:
    """The whole explanation, best candidate first."""
    lines = [*map(_wrapped, explanation.guidance), *([""] if explanation.guidance else [])]
    lines += [f"Question: {safe(explanation.question)}", f"Asked as:  {explanation.audience}"]
    lines += [_wrapped(f"Triage:    {explanation.triaged.urgency} ({explanation.triaged.reason})"), ""]
    if explanation.notices:
        return "\n".join([*lines, "It was not looked up:", *(_wrapped(notice) for notice in explanation.notices)])
    lines += [
        _wrapped(f"No document says “{reading.written}”; it was read as: {reading.read_as}.")
        for reading in explanation.readings
    ]
    if explanation.unknown:
        lines.append(
            _wrapped(f"No document has these words (shown without their endings): {', '.join(explanation.unknown)}.")
        )
    lines += [_wrapped(_trust(explanation.trust)), "", *_decision(explanation), ""]
    lines.append(f"The {len(explanation.candidates)} passages that were compared with it, best first:")
    told = [each for each in explanation.candidates if each.place <= _SHOWN or each.shown_as is not None]
    for candidate in told:
        lines += ["", *_candidate(candidate)]
    if len(explanation.candidates) > len(told):
        lines += ["", f"… and {len(explanation.candidates) - len(told)} more; --json prints all."]
    return "\n".join(lines)


def _trust(trust: float) -> str:
    how = "little" if trust < 0.4 else "more than usual" if trust > 1.5 else "about as usual"
    return (
        f"Words count {how} beside meaning here ({trust:.2f}; 1 is usual): the best passage has"
        f" {(trust**0.5) / 2:.0%} of what the question's words tell."
    )


def _decision(explanation: Explanation) -> list[str]:
    if explanation.pinned:
        return [_wrapped("Decision: shown, because the clinic chose the first passage for this question.")]
    lines = [
        _wrapped(
            f"Decision: {_DECISION[explanation.level]}. The estimate that the first three passages answer it is"
            f" {explanation.probability:.2f}; it takes {explanation.threshold:.2f} to be shown and"
            f" {explanation.sure:.2f} to be called likely."
        )
    ]
    if not explanation.calibrated:
        lines.append(_wrapped("These limits are the strict ones for documents without a calibration."))
    lines += [_wrapped(warning) for warning in explanation.warnings]
    lines += ["What the estimate is made of (above 0 speaks for an answer):"]
    lines += [_contribution(each) for each in sorted(explanation.contributions, key=lambda each: -abs(each.weight))]
    return lines


def _contribution(each: Contribution) -> str:
    return f"  {each.weight:+.2f}  {_EVIDENCE[each.feature]}: {each.value:.2f}"


def _candidate(explained: ExplainedCandidate) -> list[str]:
    signals = explained.candidate.signals
    where = " › ".join([explained.document, *explained.section])
    shown = f"shown as number {explained.shown_as}" if explained.shown_as else "not among those shown"
    fate = f" ({explained.fate})" if explained.fate else ""
    return [
        safe(f"{explained.place:3}. {where}"),
        f"     {shown}{fate}; score {explained.candidate.score:.3f}",
        f"     meaning: {_placed(explained.candidate.dense)}, cosine {signals.similarity:.2f};"
        f" with the sentence that asks {signals.asking:.2f}",
        f"     words:   {_placed(explained.candidate.lexical)}, {signals.words:.0%} of what they tell;"
        f" in the whole passage {signals.late:.2f}, in its best sentence {signals.sentence:.2f}",
        f"     in common: {', '.join(explained.words) or 'no words'}",
    ]


def _placed(placing: Placing | None) -> str:
    return f"place {placing.rank} (score {placing.score:.2f})" if placing else "not found"


def _wrapped(text: str) -> str:
    return textwrap.fill(safe(text), _WIDTH)

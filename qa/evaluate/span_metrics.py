"""Questions whose answer is a span of a document: how often it was returned, cited and highlighted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qa.evaluate.asking import Found
from qa.evaluate.dataset import AnswerSpan, Query
from qa.offsets import Span

_LEAST_OVERLAP = 0.5  # of the answer's characters
_ANSWER_AT = (1, 5, 10)
_CITATION_AT = (1, 5)


def score_spans(queries: Sequence[Query], found: Mapping[str, Found]) -> dict[str, dict[str, float]]:
    """0 or 1 for each question with a span, by metric and by the question's id; one without anything found scores 0.

    answer@k: one of the first k passages overlaps at least half of the answer. citation@k: one of them stands in the
    right document. highlight@1: something highlighted in the first passage overlaps the answer.
    """
    scores: dict[str, dict[str, float]] = {}
    for query in queries:
        if query.answer is not None:
            for metric, holds in _judged(query.answer, found.get(query.id, Found())).items():
                scores.setdefault(metric, {})[query.id] = float(holds)
    return scores


def _judged(answer: AnswerSpan, found: Found) -> dict[str, bool]:
    span = (answer.start, answer.end)
    right = [document == answer.document for document, _ in found.passages]
    highlighted = bool(right) and right[0] and any(overlap(place, span) > 0 for place in found.highlights)
    return {
        **{f"answer@{k}": has_answer(answer, found, k) for k in _ANSWER_AT},
        **{f"citation@{k}": any(right[:k]) for k in _CITATION_AT},
        "highlight@1": highlighted,
    }


def has_answer(answer: AnswerSpan, found: Found, first: int) -> bool:
    """Whether one of the first so many passages overlaps at least half of the answer."""
    span = (answer.start, answer.end)
    return any(
        document == answer.document and overlap(place, span) >= _LEAST_OVERLAP * (answer.end - answer.start)
        for document, place in found.passages[:first]
    )


def overlap(first: Span, second: Span) -> int:
    """How many characters two spans have in common."""
    return max(0, min(first[1], second[1]) - max(first[0], second[0]))

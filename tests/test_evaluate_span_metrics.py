from __future__ import annotations

import pytest

from qa.evaluate.asking import Found
from qa.evaluate.dataset import AnswerSpan, Query
from qa.evaluate.span_metrics import overlap, score_spans

QUESTION = Query("q", "how long?", AnswerSpan("right", 100, 110, "ten to one"))


def scores(found: Found) -> dict[str, float]:
    return {metric: values["q"] for metric, values in score_spans([QUESTION], {"q": found}).items()}


@pytest.mark.parametrize(
    ("span", "holds"), [((0, 104), 0), ((0, 105), 1), ((105, 200), 1), ((106, 200), 0), ((0, 200), 1), ((102, 107), 1)]
)
def test_half_of_the_answer_is_enough(span: tuple[int, int], holds: float) -> None:
    """A passage holds the answer when at least half of the answer's characters stand in it."""
    assert scores(Found(passages=(("right", span),)))["answer@1"] == holds


def test_ranks_decide_which_metrics_hold() -> None:
    """An answer in the third passage counts at 5 and 10; its document, cited second, at 5."""
    found = Found(passages=(("wrong", (100, 110)), ("right", (0, 50)), ("right", (90, 120))))
    assert scores(found) == {
        "answer@1": 0,
        "answer@5": 1,
        "answer@10": 1,
        "citation@1": 0,
        "citation@5": 1,
        "highlight@1": 0,
    }


@pytest.mark.parametrize(
    ("document", "marked", "holds"), [("right", (109, 130), 1), ("right", (110, 130), 0), ("wrong", (100, 110), 0)]
)
def test_a_highlight_must_touch_the_answer(document: str, marked: tuple[int, int], holds: float) -> None:
    """What is marked in the first passage counts when it has a character of the answer, in the right document."""
    assert scores(Found(passages=((document, (0, 200)),), highlights=((0, 5), marked)))["highlight@1"] == holds


def test_nothing_found_scores_zero() -> None:
    """A question that nothing was found for, or that crashed, is a miss; one without a span is not scored."""
    assert set(scores(Found(crash="RuntimeError")).values()) == {0}
    assert set(scores(Found()).values()) == {0}
    missing = score_spans([QUESTION, Query("other", "why?")], {})
    assert missing["answer@10"] == {"q": 0}


def test_overlap() -> None:
    """Spans that touch have nothing in common."""
    assert [overlap((0, 5), other) for other in ((5, 9), (4, 9), (1, 3), (7, 9))] == [0, 1, 2, 0]

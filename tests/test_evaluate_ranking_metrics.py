from __future__ import annotations

import sys
from math import log2
from pathlib import Path

import pytest

from qa.errors import EvaluationError
from qa.evaluate.ranking_metrics import METRICS, document_scores, left_out, require_ir_measures, score_run, write_run

JUDGED = {"q": {"a": 3, "b": 1, "c": 0, "d": 2}}


def test_plain_scores_by_hand() -> None:
    """Gains are 2^grade - 1, relevant is grade 2 and more, and an unjudged document counts as a bad one."""
    run = {"q": document_scores([("unjudged",), ("b",), ("d",), ("a",)])}
    scores = {name: values["q"] for name, values in score_run(run, JUDGED, condensed=False).items()}
    ideal = 7 + 3 / log2(3) + 1 / log2(4)
    assert scores == pytest.approx(
        {
            "nDCG@10": (1 / log2(3) + 3 / log2(4) + 7 / log2(5)) / ideal,
            "AP@10": (1 / 3 + 2 / 4) / 2,
            "RR@10": 1 / 3,
            "P@1": 0,
            "R@100": 1,
        }
    )
    assert tuple(scores) == METRICS


def test_condensed_scores_by_hand() -> None:
    """Condensed, unjudged documents are removed first: the same ranking begins with b."""
    run = {"q": document_scores([("unjudged",), ("b",), ("d",), ("a",)])}
    scores = {name: values["q"] for name, values in score_run(run, JUDGED, condensed=True).items()}
    ideal = 7 + 3 / log2(3) + 1 / log2(4)
    assert scores == pytest.approx(
        {
            "nDCG@10": (1 + 3 / log2(3) + 7 / log2(4)) / ideal,
            "AP@10": (1 / 2 + 2 / 3) / 2,
            "RR@10": 1 / 2,
            "P@1": 0,
            "R@100": 1,
        }
    )


def test_a_perfect_first_page_scores_one() -> None:
    """AP@10 is divided by ten where more than ten documents are relevant."""
    judged = {"q": {f"d{number:02}": 2 for number in range(12)}}
    run = {"q": document_scores([(document,) for document in judged["q"]])}
    assert score_run(run, judged, condensed=False)["AP@10"]["q"] == pytest.approx(1)


@pytest.mark.parametrize(("rank", "expected"), [(1, 1.0), (10, 0.1), (11, 0.0)])
def test_the_reciprocal_rank_ends_at_ten(rank: int, expected: float) -> None:
    """RR@10 of a relevant document is 1 / rank up to rank 10, and 0 after it."""
    run = {"q": document_scores([*((f"u{number}",) for number in range(1, rank)), ("a",)])}
    assert score_run(run, {"q": {"a": 2}}, condensed=False)["RR@10"]["q"] == pytest.approx(expected)


def test_recall_counts_judged_documents_that_nobody_has() -> None:
    """A relevant document that is not in the collection keeps recall below 1."""
    run = {"q": document_scores([("a",)])}
    assert score_run(run, {"q": {"a": 2, "gone": 3}}, condensed=False)["R@100"]["q"] == pytest.approx(0.5)


def test_a_missing_answer_scores_zero() -> None:
    """A judged question that the run lacks, or has without documents, scores zero in every metric."""
    judged = {"q": JUDGED["q"], "lost": {"a": 2}, "empty": {"a": 2}}
    for condensed in (False, True):
        scores = score_run({"q": {"a": 1.0}, "empty": {}}, judged, condensed=condensed)
        for metric in METRICS:
            assert set(scores[metric]) == {"q", "lost", "empty"}
            assert scores[metric]["lost"] == scores[metric]["empty"] == 0


def test_what_is_left_out_follows_from_the_judgements() -> None:
    """A question without a gain has no nDCG, one without a relevant document nothing else, whatever was found."""
    judged = {"none": {"a": 0}, "some": {"a": 1}, "good": {"a": 2}}
    for run in ({}, {query: {"a": 1.0} for query in judged}):
        scores = score_run(run, judged, condensed=False)
        assert set(scores["nDCG@10"]) == {"some", "good"}
        assert all(set(scores[metric]) == {"good"} for metric in METRICS[1:])
        assert [left_out(scores[metric], judged) for metric in METRICS] == [1, 2, 2, 2, 2]


def test_relevant_can_begin_at_another_grade() -> None:
    """Collections with grades 0 and 1 are scored with relevant from 1."""
    scores = score_run({"q": {"a": 1.0}}, {"q": {"a": 1}}, condensed=False, relevant=1)
    assert {name: values["q"] for name, values in scores.items()} == pytest.approx(dict.fromkeys(METRICS, 1))


def test_a_document_has_its_best_place() -> None:
    """A document counts once, at its first place; documents of one group share their score; later scores fall."""
    scores = document_scores([("a", "b"), ("a",), ("c", "b"), ("d",)])
    assert scores["a"] == scores["b"] > scores["c"] > scores["d"]
    assert list(scores) == ["a", "b", "c", "d"]


def test_a_ranking_is_a_thousand_documents_deep() -> None:
    """Documents after the thousandth are not scored, and all scores stay above 0."""
    scores = document_scores([(f"d{number}",) for number in range(1200)])
    assert len(scores) == 1000
    assert (max(scores.values()), min(scores.values())) == (1000, 1)


def test_shared_ranks_are_ordered_by_id() -> None:
    """As in trec_eval, the later id of two with one score comes first, in scores as in the file."""
    run = {"q": document_scores([("a", "b")])}
    assert score_run(run, {"q": {"b": 2}}, condensed=False)["P@1"]["q"] == 1
    assert score_run(run, {"q": {"a": 2}}, condensed=False)["P@1"]["q"] == 0


def test_the_run_file(tmp_path: Path) -> None:
    """Six columns, ranks from 1, and no white space within an id."""
    path = tmp_path / "out.trec"
    write_run({"q 1": document_scores([("b", "a"), ("c d",)])}, path, "name")
    assert path.read_text(encoding="utf-8").splitlines() == [
        "q%201 Q0 b 1 1000 name",
        "q%201 Q0 a 2 1000 name",
        "q%201 Q0 c%20d 3 998 name",
    ]


def test_a_missing_library_names_its_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ir_measures the error says what to install."""
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(EvaluationError, match=r'pip install "clinic-qa\[evaluate\]"'):
        require_ir_measures()

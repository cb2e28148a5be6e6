from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from builders import BY_SIMILARITY, H, P, as_built, document, entry, index_of
from conftest import WordEmbedder

from qa.answer import answer
from qa.audience import Audience
from qa.clock import Clock
from qa.confidence import FEATURES
from qa.explain import ExplainedCandidate, Explanation, explain
from qa.explain_text import explanation_text
from qa.index import FaissIndex
from qa.judge import Judge
from qa.models import Level
from qa.questions import LabelledQuestion, Place
from qa.settings import Settings

JUDGE = Judge(BY_SIMILARITY)
SAME = "no driving until the morning after your treatment"
DOCUMENTS = [
    entry(
        "home.md",
        document((H, "Getting home"), (P, "driving driving tomorrow"), (P, "driving later"), (H, "Rest"), (P, "water")),
        title="Aftercare",
    ),
    entry("leaflet.md", SAME, title="Leaflet"),
    entry("poster.md", SAME, title="Poster"),
    entry("old.md", "driving today", title="Old", review_by=date(2026, 1, 1)),
    entry("cost.md", "the cost of ketamine", title="Costs"),
]


@pytest.fixture
def index(tmp_path: Path, embedder: WordEmbedder) -> FaissIndex:
    return index_of(tmp_path / "index", DOCUMENTS, embedder)


@pytest.fixture
def explained(index: FaissIndex, embedder: WordEmbedder, settings: Settings, clock: Clock):  # noqa: ANN201 - a function
    def one(question: str, judge: Judge = JUDGE, top: int | None = None) -> Explanation:
        return explain(
            question,
            Audience.PATIENT,
            library=as_built(index, judge),
            embedder=embedder,
            settings=settings,
            clock=clock,
            top=top,
        )

    return one


def of(explanation: Explanation, document: str, section: str = "") -> ExplainedCandidate:
    return next(
        each
        for each in explanation.candidates
        if each.document == document and (not section or section in each.section)
    )


def test_every_candidate_says_how_it_came_to_its_place(explained) -> None:  # noqa: ANN001 - the fixture above
    """All passages that may be shown are there, by score, each with its ranks, its signals and the words in common."""
    found = explained("Is driving possible tomorrow?")
    assert {each.document for each in found.candidates} == {"home.md", "leaflet.md", "poster.md", "cost.md"}
    assert [each.place for each in found.candidates] == list(range(1, 7))
    scores = [each.candidate.score for each in found.candidates]
    assert scores == sorted(scores, reverse=True)
    first = found.candidates[0]
    assert (first.document, first.section, first.words) == ("home.md", ("Getting home",), ("drive", "tomorrow"))
    assert first.candidate.dense is not None
    assert first.candidate.lexical is not None
    assert first.candidate.lexical.rank == 1
    assert first.candidate.signals.similarity > 0.5
    cost = of(found, "cost.md")
    assert (cost.words, cost.candidate.lexical) == ((), None)


def test_every_candidate_has_its_fate(explained) -> None:  # noqa: ANN001 - likewise
    """What was merged or collapsed names the hit that it is in, what was not shown has no number."""
    found = explained("Is driving possible tomorrow?", top=2)
    merged = [each for each in found.candidates if each.section == ("Getting home",)]
    assert {(each.shown_as, each.fate) for each in merged} == {(1, ""), (1, "put together with its neighbour")}
    leaflet, poster = of(found, "leaflet.md"), of(found, "poster.md")
    assert (leaflet.shown_as, leaflet.fate) == (2, "")
    assert (poster.shown_as, poster.fate) == (2, "says the same: named there as a further source")
    assert (of(found, "cost.md").shown_as, of(found, "cost.md").fate) == (None, "")


def test_it_explains_the_answer_that_was_given(
    explained,  # noqa: ANN001 - likewise
    index: FaissIndex,
    embedder: WordEmbedder,
    settings: Settings,
    clock: Clock,
) -> None:
    """Decision, probability and the passages shown are those of `answer`."""
    for question in ("Is driving possible?", "What of parking?", "driving nausea cost anxiety fasting"):
        reply = answer(
            question,
            Audience.PATIENT,
            library=as_built(index, JUDGE),
            embedder=embedder,
            settings=settings,
            clock=clock,
        )
        found = explained(question)
        assert (found.probability, found.level) == (reply.confidence, reply.level)
        if reply.passages:
            shown = {each.shown_as: each.document for each in found.candidates if each.shown_as and not each.fate}
            assert shown == {passage.rank: passage.citation.document for passage in reply.passages}


def test_the_decision_is_taken_apart(explained) -> None:  # noqa: ANN001 - likewise
    """Evidence and what each part of it adds to the estimate are there, with the limits that it is held against."""
    found = explained("driving?")
    assert found.evidence is not None
    assert [each.feature for each in found.contributions] == list(FEATURES)
    assert [each.weight for each in found.contributions] == [pytest.approx(3.0), *[0.0] * 7]
    logit = BY_SIMILARITY.intercept + sum(each.weight for each in found.contributions)
    assert found.probability == pytest.approx(1 / (1 + np.exp(-logit)))
    assert (found.threshold, found.sure, found.calibrated) == (0.5, 0.9, True)
    assert explained("driving?", Judge()).calibrated is False


def test_what_was_read_and_what_nobody_says_is_told(explained) -> None:  # noqa: ANN001 - likewise
    """A misspelt word is there with its reading, words of no document as their stems."""
    found = explained("drivng and parkings tomorrow")
    assert [(each.written, each.read_as) for each in found.readings] == [("drivng", "driving")]
    assert found.unknown == ("park",)
    text = explanation_text(found)
    assert "No document says “drivng”; it was read as: driving." in text
    assert "No document has these words (shown without their endings): park." in text


@pytest.mark.parametrize("question", ["", "?!", "когда я могу водить"])
def test_a_question_that_was_not_looked_up_says_why(explained, question: str) -> None:  # noqa: ANN001 - likewise
    """A refusal has its notice and nothing else, as JSON and as text."""
    found = explained(question)
    assert found.notices
    assert (found.candidates, found.evidence, found.level) == ((), None, Level.NOT_COVERED)
    assert json.loads(json.dumps(found.as_json()))["notices"] == list(found.notices)
    text = explanation_text(found)
    assert "It was not looked up:" in text
    assert "Decision" not in text


def test_the_json_has_every_candidate_whole(explained) -> None:  # noqa: ANN001 - likewise
    """`--json` is plain values, with places in both rankings, signals, words, number and fate for each candidate."""
    content = json.loads(json.dumps(explained("Is driving possible tomorrow?").as_json()))
    assert len(content["candidates"]) == 6
    for candidate in content["candidates"]:
        assert {"place", "document", "section", "pages", "candidate", "words", "shown_as", "fate"} == set(candidate)
        assert {"number", "score", "dense", "lexical", "signals"} == set(candidate["candidate"])
        assert {"similarity", "asking", "words", "late", "sentence"} == set(candidate["candidate"]["signals"])
        assert {"rank", "score"} == set(candidate["candidate"]["dense"])
    assert content["candidates"][0]["candidate"]["lexical"]["rank"] == 1
    assert content["level"] == "likely"
    assert {"feature", "value", "weight"} == set(content["contributions"][0])


def test_the_text_tells_a_manager(explained) -> None:  # noqa: ANN001 - likewise
    """The text has the decision with its limits, and for each passage where it stands and what became of it."""
    text = explanation_text(explained("Is driving possible tomorrow?", top=2))
    assert "Decision: shown as a likely answer." in text
    flat = " ".join(text.split())
    assert "it takes 0.50 to be shown and 0.90 to be called likely" in flat
    assert "The 6 passages that were compared with it, best first:" in flat
    assert "1. home.md › Getting home" in text
    assert "shown as number 1; score" in text
    assert "shown as number 1 (put together with its neighbour)" in text
    assert "shown as number 2 (says the same: named there as a further source)" in text
    assert "in common: drive, tomorrow" in text
    assert "not among those shown; score" in text
    assert "in common: no words" in text
    assert "words:   not found" in text
    assert text.count("meaning: place ") == 6
    assert "how near a passage comes in meaning to the whole question: " in text


def test_a_refusal_is_explained(explained) -> None:  # noqa: ANN001 - likewise
    """What was not answered says so with the estimate, the strict limits and why they are strict."""
    found = explained("What of parking?", Judge(warnings=("The patient index is not calibrated.",)))
    text = explanation_text(found)
    assert 'Decision: not shown: "not covered" was said instead.' in text
    assert "it takes 0.90 to be shown" in " ".join(text.split())
    assert {(each.shown_as, each.fate) for each in found.candidates} == {(None, "")}
    assert "shown as number" not in text
    assert "These limits are the strict ones for documents without a calibration." in text
    assert "The patient index is not calibrated." in text
    possible = explanation_text(explained("driving?", Judge(replace(BY_SIMILARITY, sure=1.0))))
    assert "Decision: shown as a possible answer." in possible
    assert "strict ones" not in possible


def test_a_pinned_question_is_explained(explained) -> None:  # noqa: ANN001 - likewise
    """The passage that the clinic chose says so, and the decision gives that reason and no estimate."""
    pinned = LabelledQuestion("What about parking?", (Place("cost.md"),), pinned=True)
    found = explained("parking?", Judge(BY_SIMILARITY, (pinned,)))
    assert not found.pinned, "another question: it lacks the word about"
    found = explained("what about parking", Judge(BY_SIMILARITY, (pinned,)))
    assert (found.pinned, found.level) == (True, Level.LIKELY)
    assert (of(found, "cost.md").shown_as, of(found, "cost.md").fate) == (1, "the clinic chose it for this question")
    text = explanation_text(found)
    assert "Decision: shown, because the clinic chose the first passage for this question." in text
    assert "shown as number 1 (the clinic chose it for this question)" in text
    assert "estimate" not in text


def test_a_pinned_passage_that_no_search_found_is_explained(
    tmp_path: Path, embedder: WordEmbedder, settings: Settings, clock: Clock
) -> None:
    """A passage that was chosen is among those explained, however far down it stands, with no place in a ranking."""
    documents = [entry(f"{number:02}.md", "driving") for number in range(25)]
    index = index_of(tmp_path / "many", [*documents, entry("cost.md", "cost")], embedder)
    pinned = LabelledQuestion("driving?", (Place("cost.md"),), pinned=True)
    found = explain(
        "driving?",
        Audience.PATIENT,
        library=as_built(index, Judge(BY_SIMILARITY, (pinned,))),
        embedder=embedder,
        settings=settings.model_copy(update={"retrieval": settings.retrieval.model_copy(update={"candidates": 25})}),
        clock=clock,
    )
    cost = found.candidates[-1]
    assert (cost.place, cost.document, cost.shown_as) == (26, "cost.md", 1)
    assert (cost.candidate.score, cost.candidate.dense, cost.candidate.lexical) == (0.0, None, None)
    text = explanation_text(found)
    assert " 26. cost.md" in text
    assert text.count("(the clinic chose it for this question)") == 1
    assert text.endswith("… and 5 more; --json prints all.")


def test_a_reranked_passage_is_explained(explained) -> None:  # noqa: ANN001 - likewise
    """Where a second model gives the order, each shown passage says so beside its place by score."""

    class CostFirst:
        def scores(self, _question: str, texts: list[str]) -> np.ndarray:
            return np.array([float("cost" in text) for text in texts], dtype=np.float32)

    found = explained("driving?", Judge(BY_SIMILARITY, reranker=CostFirst()))
    cost = of(found, "cost.md")
    assert cost.place > 1
    assert (cost.shown_as, cost.fate) == (1, "put here by the reranker")


def test_long_lists_are_cut_in_the_text_alone(
    tmp_path: Path, embedder: WordEmbedder, settings: Settings, clock: Clock
) -> None:
    """The text shows twenty passages and says how many more there are."""
    index = index_of(tmp_path / "many", [entry(f"{number:02}.md", "driving") for number in range(23)], embedder)
    found = explain(
        "driving?", Audience.PATIENT, library=as_built(index, JUDGE), embedder=embedder, settings=settings, clock=clock
    )
    assert len(found.candidates) == 23
    text = explanation_text(found)
    assert text.count("in common:") == 20
    assert text.endswith("… and 3 more; --json prints all.")


def test_control_characters_reach_no_terminal(explained) -> None:  # noqa: ANN001 - likewise
    """A question that holds a terminal's commands is printed as harmless text."""
    assert "\x1b" not in explanation_text(explained("driving \x1b[31m red?"))

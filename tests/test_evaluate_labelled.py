from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import H, P, as_built, document, entry, index_of
from conftest import WordEmbedder

import qa.evaluate.labelled
from qa.audience import Audience
from qa.clock import Clock
from qa.evaluate.answerability import Judged
from qa.evaluate.bootstrap import Estimate
from qa.evaluate.labelled import (
    Outcome,
    answerable_auroc,
    ask_labelled,
    by_kind,
    gate_scores,
    judged,
    stale_places,
    summarise,
)
from qa.index import FaissIndex
from qa.questions import LabelledQuestion, Place
from qa.settings import Settings

Ask = Callable[..., Outcome]

ANSWERED = LabelledQuestion("may i eat?", (Place("fasting.md"),), kind="plain")
UNANSWERED = LabelledQuestion("do you treat kids?", (), kind="none")


@pytest.fixture
def index(tmp_path: Path, embedder: WordEmbedder) -> FaissIndex:
    """Three documents of one word each; the first has two sections."""
    fasting = document(
        (H, "Preparing", 1),
        (H, "Eating", 2),
        (P, "Fasting begins at midnight."),
        (H, "Getting home", 2),
        (P, "No driving until the next day."),
    )
    documents = [
        entry("fasting.md", fasting, title="Leaflet"),
        entry("nausea.md", "Nausea passes within hours."),
        entry("price.md", "The cost is a hundred."),
    ]
    return index_of(tmp_path / "built", documents, embedder)


@pytest.fixture
def ask(index: FaissIndex, embedder: WordEmbedder, settings: Settings, clock: Clock) -> Ask:
    """What becomes of one question with these places, asked by a patient."""

    def outcome(text: str, *places: Place) -> Outcome:
        question = LabelledQuestion(text, places)
        (only,) = ask_labelled(
            [question], Audience.PATIENT, library=as_built(index), embedder=embedder, settings=settings, clock=clock
        )
        return only

    return outcome


@pytest.mark.parametrize(
    "place",
    [
        Place("fasting.md"),
        Place("fasting.md", ("Eating",)),
        Place("fasting.md", ("Preparing",)),
        Place("fasting.md", ("Leaflet", "Preparing", "Eating")),
    ],
)
def test_the_right_passage_first(ask: Ask, place: Place) -> None:
    """A question whose passage comes first is a hit, answered and right, however its place is written."""
    outcome = ask("fasting", place)
    assert (outcome.place, outcome.answered, outcome.right) == (1, True, True)
    assert outcome.shown[0] == ("fasting.md", "Preparing", "Eating")
    assert outcome.scores() == {"hit@1": 1, "hit@3": 1, "hit@5": 1, "answered": 1, "wrong": 0}


def test_another_place_that_answers_as_well(ask: Ask) -> None:
    """Any of a question's places counts."""
    assert ask("nausea", Place("fasting.md"), Place("nausea.md")).place == 1


def test_the_wrong_section_is_wrong(ask: Ask) -> None:
    """A passage of the right document but another section is no hit."""
    outcome = ask("nausea", Place("nausea.md", ("Feeling ill",)))
    assert (outcome.place, outcome.answered, outcome.right) == (None, True, False)
    assert outcome.scores() == {"hit@1": 0, "hit@3": 0, "hit@5": 0, "answered": 1, "wrong": 1}


def test_an_answer_where_nothing_answers_is_wrong(ask: Ask) -> None:
    """A question that nothing answers is wrong when it is answered, and was not refused."""
    assert ask("nausea").scores() == {"refused": 0, "wrong": 1}


def test_a_refusal_where_nothing_answers_is_right(ask: Ask) -> None:
    """A question that nothing answers counts as refused, and in nothing else, when there is no answer."""
    assert ask("??").scores() == {"refused": 1}


def test_a_refusal_where_something_answers(ask: Ask) -> None:
    """A question that was not answered is not wrong, only not answered; what was found still counts."""
    outcome = ask("??", Place("nausea.md"))
    assert (outcome.answered, outcome.shown) == (False, ())
    assert "wrong" not in outcome.scores()
    assert outcome.scores()["answered"] == 0


def test_a_crash_is_a_miss(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that fails scores zero everywhere, is not taken for a refusal, and says how it failed."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(qa.evaluate.labelled, "retrieve", fail)
    outcome = ask("fasting", Place("fasting.md"))
    assert outcome.crash == "RuntimeError: out of order"
    assert outcome.scores() == {"hit@1": 0, "hit@3": 0, "hit@5": 0, "answered": 0}
    assert ask("fasting").scores() == {"refused": 0}


def test_only_the_audience_s_own_questions_are_asked(
    index: FaissIndex, embedder: WordEmbedder, settings: Settings, clock: Clock
) -> None:
    """Staff's questions are not asked of the patients' index."""
    questions = [ANSWERED, LabelledQuestion("nausea", (), Audience.STAFF)]
    outcomes = ask_labelled(
        questions, Audience.PATIENT, library=as_built(index), embedder=embedder, settings=settings, clock=clock
    )
    assert [outcome.question for outcome in outcomes] == [ANSWERED]


def test_metrics_of_several_questions() -> None:
    """Each metric is a mean over the questions that it is about, with its interval and its count."""
    outcomes = [
        Outcome(ANSWERED, place=1, answered=True, right=True),
        Outcome(ANSWERED, place=3, answered=True, right=True),
        Outcome(ANSWERED, place=4, answered=True, right=False),
        Outcome(ANSWERED, place=None, answered=False),
        Outcome(UNANSWERED, answered=True),
        Outcome(UNANSWERED, answered=False),
    ]
    means = {name: (value.mean, value.count) for name, value in summarise(outcomes).items()}
    assert means == {
        "hit@1": (1 / 4, 4),
        "hit@3": (2 / 4, 4),
        "hit@5": (3 / 4, 4),
        "answered": (3 / 4, 4),
        "wrong": (2 / 4, 4),
        "refused": (1 / 2, 2),
    }
    kinds = by_kind(outcomes)
    assert list(kinds) == ["none", "plain"]
    assert {name: (value.mean, value.count) for name, value in kinds["none"].items()} == {
        "wrong": (1, 1),
        "refused": (1 / 2, 2),
    }
    assert summarise([]) == {}


def test_the_probability_is_the_judge_s(ask: Ask) -> None:
    """A question that was looked up has the rule's probability; one without words was not and has none."""
    strong, weak = ask("fasting").probability, ask("zebras").probability
    assert strong is not None
    assert weak is not None
    assert strong > weak
    assert ask("??").probability is None


def test_what_is_judged() -> None:
    """Right is what was found among the first three, shown or not; what was not looked up does not count."""
    outcomes = [
        Outcome(ANSWERED, place=3, probability=0.9),
        Outcome(ANSWERED, place=4, probability=0.5),
        Outcome(UNANSWERED, probability=0.5),
        Outcome(UNANSWERED),
    ]
    assert judged(outcomes) == (Judged(0.9, True), Judged(0.5, False), Judged(0.5, False))
    found = answerable_auroc(outcomes)
    assert found is not None
    assert (found.mean, found.count) == (0.75, 3)
    assert answerable_auroc(outcomes[:2]) is None


def test_the_gate_takes_more_for_better() -> None:
    """Floors are set for "right", which is what "wrong" leaves."""
    estimates = {"hit@1": Estimate(0.9, 0.8, 1.0, 10), "wrong": Estimate(0.25, 0.0, 0.5, 8)}
    assert gate_scores(Audience.STAFF, estimates) == {"staff.hit@1": 0.9, "staff.right": 0.75}


def test_places_that_went_are_said(index: FaissIndex) -> None:
    """A document that went and a heading that was renamed are named with their question."""
    places = (
        Place("gone.md"),
        Place("fasting.md", ("Breakfast",)),
        Place("fasting.md", ("Leaflet", "Preparing", "Eating")),
        Place("nausea.md"),
    )
    assert stale_places([LabelledQuestion("why", places)], index) == (
        "'why': there is no gone.md",
        "'why': there is no fasting.md › Breakfast",
    )

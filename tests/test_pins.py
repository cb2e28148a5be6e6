from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import H, P, document, entry, index_of
from conftest import WordEmbedder

from qa.audience import Audience
from qa.index import FaissIndex
from qa.pins import pinned_question, put_first
from qa.questions import LabelledQuestion, Place
from qa.retrieve import Retrieved, retrieve
from qa.settings import Retrieval

HOME = LabelledQuestion("When can I drive home?", (Place("home.md"),), pinned=True)
STAFF = LabelledQuestion("Who has the key?", (Place("key.md"),), audience=Audience.STAFF, pinned=True)
DOCUMENTS = [
    entry("home.md", document((H, "Getting home"), (P, "driving tomorrow"), (H, "Resting"), (P, "ketamine lingers"))),
    entry("cost.md", "the cost of ketamine"),
    entry("nausea.md", "nausea passes"),
]


@pytest.fixture
def index(tmp_path: Path, embedder: WordEmbedder) -> FaissIndex:
    return index_of(tmp_path / "index", DOCUMENTS, embedder)


@pytest.fixture
def found(index: FaissIndex, embedder: WordEmbedder):  # noqa: ANN201 - a function
    def retrieved(question: str, settings: Retrieval | None = None, mask: list[bool] | None = None) -> Retrieved:
        return retrieve(
            question,
            index=index,
            embedder=embedder,
            mask=None if mask is None else np.array(mask),
            settings=settings or Retrieval(),
            top=3,
        )

    return retrieved


def documents(found: Retrieved | None) -> list[str]:
    assert found is not None
    return [hit.passage.document_id for hit in found.hits]


@pytest.mark.parametrize(
    ("question", "is_pinned"),
    [
        ("When can I drive home?", True),
        ("DRIVING home, when?!", True),  # capitals, endings, order, marks, and words that stand in any question
        ("Can they drive home", True),
        ("When can I drive?", False),  # a word less
        ("When can I drive home alone?", False),  # a word more
        ("When can I dirve home?", False),  # misspelt
        ("", False),
        ("What of it?", False),  # words that stand in any question alone
    ],
)
def test_a_question_is_pinned_by_its_words(question: str, *, is_pinned: bool) -> None:
    """The words that mean something must be the same ones, whatever their form and order."""
    assert pinned_question(question, Audience.PATIENT, [STAFF, HOME]) == (HOME if is_pinned else None)


def test_a_pin_without_words_is_never_meant() -> None:
    """A pinned question of nothing but common words would be every such question's."""
    empty = LabelledQuestion("What is it?", (Place("home.md"),), pinned=True)
    assert pinned_question("What is it?", Audience.PATIENT, [empty]) is None


def test_pins_for_staff_are_for_staff() -> None:
    """Staff get the pins of both audiences, patients their own alone."""
    assert pinned_question("who has the key", Audience.PATIENT, [HOME, STAFF]) is None
    assert pinned_question("who has the key", Audience.STAFF, [HOME, STAFF]) == STAFF
    assert pinned_question("when can I drive home", Audience.STAFF, [HOME, STAFF]) == HOME


def test_a_hit_further_down_is_moved_to_the_front(index: FaissIndex, found) -> None:  # noqa: ANN001 - the fixture above
    """The pinned place comes first, the others keep their order, and evidence and ranking stay what they were."""
    asked = found("nausea, cost and cost of driving")
    before = documents(asked)
    assert before[0] == "cost.md"
    pinned = put_first(asked, Place("NAUSEA.md"), index, None)
    assert pinned is not None
    assert documents(pinned) == ["nausea.md", *(each for each in before if each != "nausea.md")]
    assert pinned.hits[0] is next(hit for hit in asked.hits if hit.passage.document_id == "nausea.md")
    assert (pinned.evidence, pinned.compared) == (asked.evidence, asked.compared)


def test_a_section_is_pinned_by_its_best_passage(index: FaissIndex, found) -> None:  # noqa: ANN001 - likewise
    """Only passages of the named section count, best first, also written below the document's title."""
    asked = found("driving")
    for section in (("Resting",), ("home.md", "Resting")):
        pinned = put_first(asked, Place("home.md", section), index, None)
        assert pinned is not None
        assert pinned.hits[0].passage.text == "ketamine lingers"
    whole = put_first(asked, Place("home.md"), index, None)
    assert whole is not None
    assert whole.hits[0].passage.text == "driving tomorrow"


def test_a_passage_that_was_not_found_is_shown_too(index: FaissIndex, found) -> None:  # noqa: ANN001 - likewise
    """A pinned passage that no search gave stands first with a score of 0, in the last one's place."""
    asked = found("cost", Retrieval(candidates=1))
    assert documents(asked) == ["cost.md"]
    pinned = put_first(asked, Place("nausea.md"), index, None)
    assert pinned is not None
    assert documents(pinned) == ["nausea.md"]
    first = pinned.hits[0]
    assert (first.score, first.candidate.dense, first.candidate.lexical) == (0.0, None, None)
    assert index.passages(first.numbers) == [first.passage]


def test_as_many_hits_are_shown_as_before(index: FaissIndex, found) -> None:  # noqa: ANN001 - likewise
    """A pin takes a place, it adds none."""
    asked = found("driving", Retrieval(returned_tokens=1))
    assert len(asked.hits) == 3
    shown = put_first(asked, Place("home.md", ("Resting",)), index, None)
    assert shown is not None
    assert len(shown.hits) == 3


def test_what_may_not_be_shown_is_not_pinned(index: FaissIndex, found) -> None:  # noqa: ANN001 - likewise
    """A pinned place that is masked today, or not there any more, leaves the question to the search."""
    mask = [True, True, True, False]
    asked = found("driving", mask=mask)
    assert put_first(asked, Place("nausea.md"), index, np.array(mask)) is None
    assert put_first(asked, Place("gone.md"), index, None) is None
    assert put_first(asked, Place("home.md", ("Gone",)), index, None) is None


def test_of_a_place_that_is_partly_masked_the_rest_is_shown(index: FaissIndex, found) -> None:  # noqa: ANN001 - likewise
    """Masked passages of a pinned document are left out, also when they would be nearer."""
    mask = [False, True, True, True]
    pinned = put_first(found("driving", mask=mask), Place("home.md"), index, np.array(mask))
    assert pinned is not None
    assert pinned.hits[0].passage.text == "ketamine lingers"

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import H, P, document, entry, index_of, paragraphs_as_passages
from conftest import WordEmbedder

from qa.conflicts import Conflict, find_conflicts
from qa.disagreement import Answering, among, concerning
from qa.retrieve import retrieve
from qa.settings import Retrieval

EIGHT = "Fasting begins 8 hours before ketamine."
SIX = "Fasting begins 6 hours before ketamine."
LEAFLET = entry("leaflet", document((H, "Eating"), (P, f"Bring a book. {EIGHT} Nausea passes soon.")))
FAQ = entry("faq", document((H, "Eating"), (P, f"{SIX} Driving must wait.")))
OTHER = entry("other", "Anxiety is common.")
Concerned = Callable[..., list[tuple[str, str]]]


def conflicts_of() -> tuple[Conflict, ...]:
    """The one contradiction of the two leaflets."""
    return find_conflicts(part for read in (LEAFLET, FAQ) for part in paragraphs_as_passages(read))


@pytest.fixture
def concerned(tmp_path: Path, embedder: WordEmbedder) -> Concerned:
    """What concerns a question, by what both sides say; `hits` are the documents that are shown."""

    def ask(
        question: str, hits: tuple[str, ...], shown: tuple[str, ...] = ("leaflet", "faq", "other")
    ) -> list[tuple[str, str]]:
        index = index_of(tmp_path / "index", [LEAFLET, FAQ, OTHER], embedder)
        found = retrieve(question, index=index, embedder=embedder, mask=None, settings=Retrieval(), top=5)
        among_hits = [hit for hit in found.hits if hit.passage.document_id in hits]
        assert {hit.passage.document_id for hit in among_hits} == set(hits)
        return [each.said for each in concerning(conflicts_of(), among_hits, found.query, index, shown.__contains__)]

    return ask


def test_the_sample_contradicts_itself() -> None:
    """The two leaflets give two fasting hours."""
    assert [each.said for each in conflicts_of()] == [("8 hours", "6 hours")]


@pytest.mark.parametrize("hits", [("leaflet",), ("faq",), ("leaflet", "faq")])
def test_a_question_about_it_is_concerned(concerned: Concerned, hits: tuple[str, ...]) -> None:
    """One side among the sentences that answer is enough, whichever it is; the other need not be shown."""
    assert concerned("fasting before ketamine", hits) == [("8 hours", "6 hours")]


def test_a_question_about_another_sentence_of_the_passage_is_not(concerned: Concerned) -> None:
    """That a shown passage holds one side does not concern a question which another sentence answers."""
    assert concerned("driving", ("faq",)) == []


def test_hits_of_other_documents_are_not_concerned(concerned: Concerned) -> None:
    """Without either document among the hits nothing is told."""
    assert concerned("anxiety", ("other",)) == []


@pytest.mark.parametrize("shown", [("leaflet", "other"), ("faq", "other"), ()])
def test_both_documents_must_be_open(concerned: Concerned, shown: tuple[str, ...]) -> None:
    """What may not be shown is not hinted at either."""
    assert concerned("fasting before ketamine", ("leaflet", "faq"), shown) == []


def test_the_nearest_comes_first() -> None:
    """Conflicts are in the order in which their nearer side answers; those that do not are left out."""
    (conflict,) = conflicts_of()
    span = (conflict.one.start, conflict.one.end)
    assert among([conflict], [Answering("leaflet", span, 0.4)]) == (conflict,)
    assert among([conflict], [Answering("faq", (900, 950), 0.9)]) == ()
    assert among([conflict], [Answering("leaflet", (span[1], span[1] + 5), 0.9)]) == ()

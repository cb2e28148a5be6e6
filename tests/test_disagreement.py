from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import H, P, document, entry, index_of
from conftest import WordEmbedder

from qa.conflicts import Conflict, ConflictKind, Statement
from qa.disagreement import Answering, among, concerning
from qa.models import CorpusDocument
from qa.retrieve import retrieve
from qa.settings import Retrieval

EIGHT = "Fasting begins 8 hours before ketamine."
SIX = "Fasting begins 6 hours before ketamine."
LEAFLET = entry("leaflet", document((H, "Eating"), (P, f"Bring a book. {EIGHT} Nausea passes soon.")))
FAQ = entry("faq", document((H, "Eating"), (P, f"{SIX} Driving must wait.")))
OTHER = entry("other", "Anxiety is common.")
Concerned = Callable[..., list[tuple[str, str]]]


def statement(read: CorpusDocument, text: str) -> Statement:
    start = read.document.text.index(text)
    return Statement(read.id, start, start + len(text), text)


def conflicts_of() -> tuple[Conflict, ...]:
    """The one contradiction of the two leaflets."""
    sides = statement(LEAFLET, EIGHT), statement(FAQ, SIX)
    return (Conflict(*sides, ConflictKind.TIME, ("8 hours", "6 hours"), is_strict=True),)


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

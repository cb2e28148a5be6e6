from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import P, document, entry, index_of
from conftest import WordEmbedder

from qa.highlight import highlights
from qa.retrieve import retrieve
from qa.settings import Retrieval

Marked = Callable[..., list[list[str]]]


@pytest.fixture
def marked(tmp_path: Path, embedder: WordEmbedder) -> Marked:
    """What is marked in each hit for a question about one document of these paragraphs, best hit first."""

    def marks(question: str, *paragraphs: str, returned_tokens: int = 1, front: str = "") -> list[list[str]]:
        read = entry("x", document(*((P, text) for text in paragraphs)))
        index = index_of(tmp_path / "index", [read, entry("y", "anxiety")], embedder, front=front)
        settings = Retrieval(returned_tokens=returned_tokens)
        found = retrieve(question, index=index, embedder=embedder, mask=None, settings=settings, top=5)
        hits = [hit for hit in found.hits if hit.passage.document_id == "x"]
        return [
            [hit.passage.text[slice(*sentence.span)] for sentence in highlights(hit, found.query, index)]
            for hit in hits
        ]

    return marks


def test_the_sentence_that_comes_nearest_is_marked(marked: Marked) -> None:
    """Of three sentences the one with the question's words is marked, whole and without the space around it."""
    assert marked("driving cost", "Fasting first.  Driving costs: the cost of driving.  Nausea later.") == [
        ["Driving costs: the cost of driving."]
    ]


def test_a_second_sentence_is_marked_when_it_is_nearly_as_near(marked: Marked) -> None:
    """Two sentences that answer alike are both marked, in the order of the text."""
    assert marked("driving", "Driving is out. Fasting ends. No driving!") == [["Driving is out.", "No driving!"]]


def test_a_second_sentence_that_is_far_is_not_marked(marked: Marked) -> None:
    """A sentence with half of the question's words is left alone beside one with all of them."""
    assert marked("driving cost", "Cost of driving. Driving home. Fasting.") == [["Cost of driving."]]


def test_never_more_than_two_are_marked(marked: Marked) -> None:
    """Of many sentences that answer alike the first two are marked."""
    assert marked("driving", "Driving one. Driving two. Driving three. Driving four.") == [
        ["Driving one.", "Driving two."]
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("No driving.", []), ("No driving", []), ("No driving. Driving later.", ["No driving."])],
)
def test_the_whole_passage_is_never_marked(marked: Marked, text: str, expected: list[str]) -> None:
    """A mark on everything points at nothing: at least one sentence stays without."""
    assert marked("driving", text) == [expected]


def test_what_is_not_near_is_not_marked(marked: Marked) -> None:
    """Where no word comes near a word of the question, nothing is marked."""
    assert marked("ketamine", "Driving home. Fasting first. Nausea.") == [[]]


@pytest.mark.parametrize("question", ["What can I do?", "?"])
def test_a_question_that_tells_nothing_marks_nothing(marked: Marked, question: str) -> None:
    """Words that stand in any question are not looked for."""
    assert marked(question, "Driving home. Fasting first.") == [[]]


def test_lines_are_marked_like_sentences(marked: Marked) -> None:
    """A list item without a full stop is marked by itself."""
    assert marked("cost", "Ask about:\nthe cost of a visit\nfasting") == [["the cost of a visit"]]


def test_words_in_front_of_a_passage_mark_nothing(marked: Marked) -> None:
    """What a title says is not in the passage, and moves no mark to the wrong sentence."""
    assert marked("driving", "Fasting first. Driving home. Nausea.", front="Driving\n") == [["Driving home."]]


def test_marks_of_a_merged_hit_are_in_its_own_text(marked: Marked) -> None:
    """In a hit of several passages the best sentences of all are marked, wherever they stand."""
    paragraphs = ("Fasting first. Driving home.", "Nausea passes.", "Nausea. No driving at all.")
    assert marked("driving", *paragraphs, returned_tokens=99) == [["Driving home.", "No driving at all."]]


def test_a_merged_hit_of_single_sentences_is_not_marked_whole(marked: Marked) -> None:
    """Two passages of one sentence each make a hit of two, of which one may be marked."""
    assert marked("driving", "Driving home.", "No driving.", returned_tokens=99) == [["Driving home."]]

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest
from builders import entry, index_of
from conftest import WordEmbedder

from qa.glossary import Glossary
from qa.index import FaissIndex
from qa.retrieve.query import Query, Reading, read_query

GLOSSARY = Glossary({"wooziness": ("nausea", "upset stomach"), "spend": ("cost",), "driving machine": ("ketamine",)})
EVERYWHERE, ONCE, NOWHERE = log(1 + 0.5 / 2.5), log(2), log(6)  # what a term in two, one and none of two passages tells


@pytest.fixture
def index(tmp_path: Path, embedder: WordEmbedder) -> FaissIndex:
    """Two passages: "nausea" and "ketamin" are in both, "cost" and "drive" in one."""
    documents = [entry("x", "nausea ketamine cost"), entry("y", "nausea ketamine driving")]
    return index_of(tmp_path / "index", documents, embedder)


@pytest.fixture
def read(index: FaissIndex, embedder: WordEmbedder):  # noqa: ANN201 - a function
    def read_one(question: str) -> Query:
        return read_query(question, index=index, embedder=embedder, glossary=GLOSSARY)

    return read_one


def weights(query: Query) -> list[float]:
    return [float(weight) for weight in query.weights]


def test_a_question_is_encoded_once(read, embedder: WordEmbedder) -> None:  # noqa: ANN001 - the fixture above
    """One pass through the model gives the question's vector, its sentences and its words."""
    embedder.encoded.clear()
    query = read("Is the cost high? What of driving home?")
    assert embedder.encoded == [query.text]
    assert query.vector == pytest.approx(embedder.encode([query.text])[0])


def test_words_weigh_what_they_tell(read) -> None:  # noqa: ANN001 - likewise
    """Each word carries its part of the question's information; words that stand in any question have none."""
    query = read("What is the cost of ketamine?")
    assert query.terms == ("cost", "ketamin")
    assert query.words.argmax(axis=1).tolist() == [3, 4]
    assert weights(query) == pytest.approx([ONCE / (ONCE + EVERYWHERE), EVERYWHERE / (ONCE + EVERYWHERE)])
    assert query.information == pytest.approx(ONCE + EVERYWHERE)
    assert query.known == 1


def test_a_repeated_word_weighs_as_much_as_one(read) -> None:  # noqa: ANN001 - likewise
    """The weight of a term is shared by its words, so that saying it twice changes nothing."""
    query = read("cost, cost or ketamine")
    assert query.terms == ("cost", "ketamin")
    assert query.words.argmax(axis=1).tolist() == [3, 3, 4]
    half = ONCE / (ONCE + EVERYWHERE) / 2
    assert weights(query) == pytest.approx([half, half, 1 - 2 * half])


def test_what_no_document_says_is_not_known(read) -> None:  # noqa: ANN001 - likewise
    """A word that stands nowhere tells most, that part of the question is not known, and it is not looked for."""
    query = read("parking cost")
    assert query.information == pytest.approx(NOWHERE + ONCE)
    assert query.known == pytest.approx(ONCE / (NOWHERE + ONCE))
    assert weights(query) == pytest.approx([0, 1])


def test_a_lay_word_is_read_as_what_documents_say(read, embedder: WordEmbedder) -> None:  # noqa: ANN001 - likewise
    """A word of the glossary that no document has is searched as its meanings; the question itself stays as asked."""
    embedder.encoded.clear()
    query = read("Ketamine, wooziness and what I spend")
    assert query.text == "Ketamine, wooziness and what I spend"
    assert query.readings == (
        Reading(10, 19, "wooziness", "nausea, upset stomach"),
        Reading(31, 36, "spend", "cost"),
    )
    assert query.searched == "Ketamine, nausea, upset stomach and what I cost"
    assert embedder.encoded == [query.searched]
    assert query.terms == ("ketamin", "nausea", "upset", "stomach", "cost")


def test_a_question_of_nothing_but_a_lay_word_is_what_it_stands_for(read) -> None:  # noqa: ANN001 - likewise
    """When the glossary explains all of a question, its meaning is all that the question tells."""
    query = read("To spend?")
    assert query.terms == ("cost",)
    assert query.information == pytest.approx(ONCE)
    assert query.known == 1


def test_what_the_documents_say_themselves_is_not_read_as_anything(tmp_path: Path, embedder: WordEmbedder) -> None:
    """An entry of the glossary whose words stand in the documents is searched as it is."""
    index = index_of(tmp_path / "woozy", [entry("x", "wooziness"), entry("y", "cost")], embedder)
    query = read_query("wooziness, cost", index=index, embedder=embedder, glossary=GLOSSARY)
    assert query.readings == ()
    assert query.searched == "wooziness, cost"
    assert query.information == pytest.approx(2 * ONCE)


def test_an_entry_of_several_words_is_read_as_one(read) -> None:  # noqa: ANN001 - likewise
    """A phrase is replaced whole as soon as one of its words is in no document; its words are not read alone."""
    query = read("driving machine fees")
    assert query.readings == (Reading(0, 15, "driving machine", "ketamine"),)
    assert query.searched == "ketamine fees"


def test_a_slip_of_the_fingers_is_read_as_the_word_it_is_near(read) -> None:  # noqa: ANN001 - likewise
    """A word that no document has is searched as the one that it was probably meant to be."""
    query = read("Is drivng fine? Cost!")
    assert query.readings == (Reading(3, 9, "drivng", "driving"),)
    assert query.searched == "Is driving fine? Cost!"
    assert query.terms == ("drive", "fine", "cost")


@pytest.mark.parametrize(
    "question",
    [
        "Is rdiving fine?",  # another first letter
        "Is driviwg fien?",  # a slip in a word of no document's, and one that is too short
        "Is drviign fine?",  # two slips
    ],
)
def test_what_may_be_another_word_stays_as_it_is(read, question: str) -> None:  # noqa: ANN001 - likewise
    """Only one slip after the first letter is undone."""
    assert [each.written for each in read(question).readings] == [w for w in ("driviwg",) if w in question]


def test_a_word_of_the_models_is_never_a_slip(tmp_path: Path, embedder: WordEmbedder) -> None:
    """A word that the model knows is asked as it is, although it is one letter from a word of the documents."""
    index = index_of(tmp_path / "near", [entry("x", "anxiety about costa drivina nausean")], embedder)
    query = read_query("nausea and driving of nauseav", index=index, embedder=embedder, glossary=GLOSSARY)
    assert query.readings == (Reading(22, 29, "nauseav", "nausean"),)
    assert query.searched == "nausea and driving of nausean"


def test_each_sentence_of_a_question_may_ask(read) -> None:  # noqa: ANN001 - likewise
    """A question of several sentences has a vector for each of at least three words, from the words in it."""
    query = read("Nausea nausea nausea nausea. Nausea, nausea. Cost, driving, cost, cost?")
    # In the last, "cost" stands three times and "driving" once.
    expected = np.zeros((2, 7))
    expected[0, 2] = 1
    expected[1, [3, 1]] = [3 / 10**0.5, 1 / 10**0.5]
    assert query.asking == pytest.approx(expected)


@pytest.mark.parametrize("question", ["What is the cost of it?", "Hello there. What is the cost of it? Thanks."])
def test_a_single_sentence_asks_as_a_whole(read, question: str) -> None:  # noqa: ANN001 - likewise
    """With one sentence, or one that is long enough to ask, the question's own vector asks."""
    query = read(question)
    assert query.asking.shape == (1, 7)
    assert query.asking[0] == pytest.approx(query.vector)


def test_sentences_ask_with_what_was_read(read) -> None:  # noqa: ANN001 - likewise
    """The sentences are those of what is searched, so that a lay word asks as its meaning."""
    query = read("Driving driving driving driving. Spend, spend, spend and spend?")
    # Of the second sentence four words are "cost" and one is not known to the embedder.
    assert query.asking[0].argmax() == 1
    assert query.asking[1] == pytest.approx(np.eye(7)[3] * 4 / 17**0.5 + np.eye(7)[6] / 17**0.5)


@pytest.mark.parametrize("question", ["What can I do?", "?!", "你好"])
def test_a_question_may_tell_nothing(read, question: str) -> None:  # noqa: ANN001 - likewise
    """Words that stand in any question, marks or another script are a question without information, not an error."""
    query = read(question)
    assert query.words.shape == (0, 7)
    assert weights(query) == []
    assert query.known == 0
    assert query.vector.tolist() == [0, 0, 0, 0, 0, 0, 1]

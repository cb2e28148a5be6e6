from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from builders import H, P, document, entry, index_of
from conftest import NOW, WordEmbedder

from qa.answer import answer, answer_json, example_questions, matched_words
from qa.audience import Audience
from qa.clock import Clock
from qa.index.faiss_index import FaissIndex
from qa.terms import terms
from qa.models import Answer, AnswerKind, OffsetMap, Page
from qa.settings import Settings

TEXT = "No driving until the morning after."
AFTERCARE = entry(
    "patient/aftercare.pdf",
    document((H, "Getting home"), (P, TEXT), pages=(Page("i", 0, 12), Page("1", 14, 14 + len(TEXT)))),
    title="Aftercare guide",
    review_by=date(2027, 1, 1),
)


@pytest.fixture
def index(tmp_path: Path, embedder: WordEmbedder) -> FaissIndex:
    return index_of(tmp_path / "opened", [AFTERCARE, entry("patient/eating.md", "fasting before ketamine")], embedder)


@pytest.fixture
def ask(index: FaissIndex, embedder: WordEmbedder, sample_settings: Settings, clock: Clock):  # noqa: ANN201 - a function
    def asked(question: str) -> Answer:
        return answer(question, Audience.PATIENT, index=index, embedder=embedder, settings=sample_settings, clock=clock)

    return asked


def test_an_answer_quotes_and_cites(ask) -> None:  # noqa: ANN001 - the fixture above
    """The passage is the document's own text, with title, section, page, label, version and dates."""
    reply = ask("Is driving allowed?")
    assert reply.kind is AnswerKind.ANSWER
    first = reply.passages[0]
    assert (first.rank, first.text) == (1, TEXT)
    assert first.span == (14, 14 + len(TEXT))
    citation = first.citation
    assert (citation.title, citation.section, citation.path) == (
        "Aftercare guide",
        ("Getting home",),
        "patient/aftercare.pdf",
    )
    assert (citation.page, citation.page_label, citation.pages) == (2, "1", (2,))
    assert (citation.version, citation.approved_on, citation.review_by) == ("1.0", date(2026, 3, 1), date(2027, 1, 1))
    assert reply.notices == ()
    assert reply.confidence is None


def test_the_words_of_the_question_are_marked(ask) -> None:  # noqa: ANN001 - the fixture above
    """Highlights are spans of the passage's text around the words that were asked for, in any form."""
    first = ask("Is driving fine in the mornings? I drive a lot.").passages[0]
    assert [first.text[start:end] for start, end in first.highlights] == ["driving", "morning"]


def test_words_side_by_side_are_one_highlight() -> None:
    """Neighbouring words are marked together, words across a line end or a comma are not."""
    text = "side effects, effects\nside"
    spans = matched_words(text, frozenset(terms("side effect")))
    assert [text[start:end] for start, end in spans] == ["side effects", "effects", "side"]


def test_below_the_threshold_nothing_is_shown(ask) -> None:  # noqa: ANN001 - the fixture above
    """What the documents do not cover carries no passage and names the phone line and its hours."""
    reply = ask("What about parking?")
    assert reply.kind is AnswerKind.NOT_COVERED
    assert reply.passages == ()
    assert reply.notices == (
        "Our documents do not answer this question. Please call us at 555-0142. We are open now, until 5 pm.",
    )


@pytest.mark.parametrize(
    ("question", "beginning"),
    [
        ("", "Please type a question"),
        (" \n\t ", "Please type a question"),
        ("a" * 100_000, "Your question has 100000 characters; up to 4000"),
        ("😀😀 🎉", "There are no words"),
        ("?!… 12 34", "There are no words"),
        ("\x00\x01\ud800", "There are no words"),
        ("what \uff9f about", "Our documents do not answer"),
        ("what about \u037a \ud83d parking", "Our documents do not answer"),
        (
            "¿Cuándo puedo conducir después?",
            "Solo podemos buscar preguntas en el idioma de nuestros documentos: inglés.",
        ),
        ("когда я могу водить", "We can only look up questions in the language of our documents: English."),
    ],
)
def test_what_cannot_be_looked_up_gets_an_exact_reply(ask, question: str, beginning: str) -> None:  # noqa: ANN001 - above
    """Empty, over-long, wordless and foreign questions are answered politely, and nothing is searched."""
    reply = ask(question)
    assert reply.kind is AnswerKind.NOT_COVERED
    assert reply.passages == ()
    assert reply.notices[0].startswith(beginning)


@pytest.mark.parametrize(
    "question", ["'; DROP TABLE passages; -- driving", "<script>alert('driving')</script>", "driving %s {x} \\ \" ' `"]
)
def test_code_in_a_question_is_only_words(ask, question: str) -> None:  # noqa: ANN001 - the fixture above
    """SQL, HTML and format marks are text like any other."""
    assert ask(question).passages[0].text == TEXT


def test_without_an_index_the_phone_line_is_named(
    embedder: WordEmbedder, sample_settings: Settings, clock: Clock
) -> None:
    """When there is nothing to search, the reply says so and hands over to a person."""
    reply = answer("driving?", Audience.PATIENT, index=None, embedder=embedder, settings=sample_settings, clock=clock)
    assert (reply.kind, reply.generation) == (AnswerKind.NOT_COVERED, None)
    assert "555-0142" in reply.notices[0]


def test_a_document_expires_at_the_next_question(
    index: FaissIndex, embedder: WordEmbedder, sample_settings: Settings
) -> None:
    """The day after its review date a document is gone for patients, without a build."""
    later = NOW.replace(year=2027)
    reply = answer(
        "driving?",
        Audience.PATIENT,
        index=index,
        embedder=embedder,
        settings=sample_settings,
        clock=lambda: later,
    )
    assert reply.kind is AnswerKind.NOT_COVERED


def test_spans_are_in_the_raw_text(
    tmp_path: Path, embedder: WordEmbedder, sample_settings: Settings, clock: Clock
) -> None:
    """Where the reader changed the text, the span still points into the file as it is."""
    shifted = replace(AFTERCARE.document, offsets=OffsetMap((0, 14), (100, 200), (12, len(TEXT)), (12, len(TEXT))))
    index = index_of(tmp_path / "shifted", [replace(AFTERCARE, document=shifted)], embedder)
    reply = answer("driving?", Audience.PATIENT, index=index, embedder=embedder, settings=sample_settings, clock=clock)
    assert reply.passages[0].span == (200, 200 + len(TEXT))


def test_the_json_contract_holds(ask) -> None:  # noqa: ANN001 - the fixture above
    """`ask --json` gives exactly the promised keys and plain values."""
    content = json.loads(json.dumps(answer_json(ask("driving?"))))
    assert set(content) == {
        "question",
        "audience",
        "kind",
        "confidence",
        "passages",
        "notices",
        "generation",
        "elapsed_ms",
    }
    assert (content["audience"], content["kind"], content["confidence"]) == ("patient", "answer", None)
    promised = {"id", "rank", "score", "text", "highlights", "span", "citation"}
    assert promised <= set(content["passages"][0])
    assert set(content["passages"][0]["citation"]) == {
        "document",
        "title",
        "section",
        "page",
        "page_label",
        "pages",
        "path",
        "approved_on",
        "review_by",
        "version",
        "also_in",
    }
    assert content["passages"][0]["citation"]["approved_on"] == "2026-03-01"


def test_the_same_text_elsewhere_is_cited_too(
    tmp_path: Path, embedder: WordEmbedder, sample_settings: Settings, clock: Clock
) -> None:
    """A paragraph of two documents names both in its citation."""
    text = "no driving until the morning after your treatment"
    index = index_of(tmp_path / "twice", [entry("a", text), entry("b", text, title="The other")], embedder)
    reply = answer("driving?", Audience.PATIENT, index=index, embedder=embedder, settings=sample_settings, clock=clock)
    assert [other.title for other in reply.passages[0].citation.also_in] == ["The other"]
    assert json.dumps(answer_json(reply))


def test_examples_are_headings_that_ask(tmp_path: Path, embedder: WordEmbedder) -> None:
    """Example questions are the documents' own headings, taken from different documents first."""
    first = document(
        (H, "Why do we ask this?"), (P, "x"), (H, "How long does it take?"), (P, "y"), (H, "Costs"), (P, "z")
    )
    index = index_of(
        tmp_path / "examples",
        [entry("a", first), entry("b", document((H, "What should I bring?"), (P, "x")))],
        embedder,
    )
    assert example_questions(index, 2, NOW.date()) == ("Why do we ask this?", "What should I bring?")
    assert len(example_questions(index, 9, NOW.date())) == 3

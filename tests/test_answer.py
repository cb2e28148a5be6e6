from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from builders import BY_SIMILARITY, H, P, as_built, document, entry, index_of
from conftest import NOW, WordEmbedder

from qa.answer import answer, answer_json, example_questions
from qa.audience import Audience
from qa.clock import Clock
from qa.index.faiss_index import FaissIndex
from qa.judge import Judge
from qa.models import Answer, AnswerKind, Level, Page
from qa.offsets import OffsetMap
from qa.questions import LabelledQuestion, Place
from qa.settings import Settings

JUDGE = Judge(BY_SIMILARITY)

TEXT = "No driving until the morning after."
EATING = "fasting before ketamine"
AFTERCARE = entry(
    "patient/aftercare.pdf",
    document((H, "Getting home"), (P, TEXT), pages=(Page("i", 0, 12), Page("1", 14, 14 + len(TEXT)))),
    title="Aftercare guide",
    review_by=date(2027, 1, 1),
)


@pytest.fixture
def index(tmp_path: Path, embedder: WordEmbedder) -> FaissIndex:
    return index_of(tmp_path / "opened", [AFTERCARE, entry("patient/eating.md", EATING)], embedder)


@pytest.fixture
def ask(index: FaissIndex, embedder: WordEmbedder, sample_settings: Settings, clock: Clock):  # noqa: ANN201 - a function
    def asked(question: str, judge: Judge = JUDGE) -> Answer:
        return answer(
            question,
            Audience.PATIENT,
            library=as_built(index, judge),
            embedder=embedder,
            settings=sample_settings,
            clock=clock,
        )

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
    assert (reply.confidence, reply.level, reply.pinned) == (pytest.approx(0.953, abs=1e-3), Level.LIKELY, False)


def test_the_sentence_that_answers_is_marked(
    tmp_path: Path, embedder: WordEmbedder, sample_settings: Settings, clock: Clock
) -> None:
    """Of several sentences the one nearest to the question is a highlight, whole, as a span of the passage's text."""
    text = "Nausea is common. No driving until the morning. The cost is low."
    index = index_of(tmp_path / "three", [entry("a", text)], embedder)
    reply = answer(
        "When may I go driving?",
        Audience.PATIENT,
        library=as_built(index, Judge(replace(BY_SIMILARITY, threshold=0.0))),
        embedder=embedder,
        settings=sample_settings,
        clock=clock,
    )
    first = reply.passages[0]
    assert [first.text[start:end] for start, end in first.highlights] == ["No driving until the morning."]


def test_a_passage_of_one_sentence_has_no_highlight(ask) -> None:  # noqa: ANN001 - the fixture above
    """Where all of a passage answers, marking all of it would mark nothing."""
    assert ask("Is driving allowed?").passages[0].highlights == ()


def test_below_the_threshold_nothing_is_shown(ask) -> None:  # noqa: ANN001 - the fixture above
    """What the documents do not cover carries no passage and names the phone line and its hours."""
    reply = ask("What about parking?")
    assert reply.kind is AnswerKind.NOT_COVERED
    assert reply.passages == ()
    assert reply.notices == (
        "Our documents do not answer this question. Please call us at 555-0142. We are open now, until 5 pm.",
    )


def test_many_words_are_asked_for_one_thing_at_a_time(ask) -> None:  # noqa: ANN001 - the fixture above
    """A long text may ask several things that are answered one by one, so it is not called uncovered."""
    said = ask("What about parking? " * 14).notices[0]
    assert said.startswith("We found no answer to all of this at once. Please ask one thing at a time")
    assert "555-0142" in said
    assert ask("What about parking? " * 13).notices[0].startswith("Our documents do not answer")


@pytest.mark.parametrize(
    ("threshold", "sure", "level"),
    [(0.96, 0.99, Level.NOT_COVERED), (0.95, 0.96, Level.POSSIBLE), (0.9, 0.95, Level.LIKELY)],
)
def test_the_confidence_decides(ask, threshold: float, sure: float, level: Level) -> None:  # noqa: ANN001 - above
    """The same evidence is no answer, a possible or a likely one, as the two thresholds lie above or below it."""
    reply = ask("driving?", Judge(replace(BY_SIMILARITY, threshold=threshold, sure=sure)))
    assert reply.level is level
    assert reply.confidence == pytest.approx(0.953, abs=1e-3)
    assert (reply.kind is AnswerKind.NOT_COVERED) == (level is Level.NOT_COVERED) == (reply.passages == ())


def test_without_a_calibration_it_is_stricter(ask) -> None:  # noqa: ANN001 - the fixture above
    """The fixed rule refuses a question of which one word in three stands in the passages."""
    question = "Is nausea or the cost a reason against driving?"
    assert ask(question).level is Level.POSSIBLE
    assert ask(question, Judge()).level is Level.NOT_COVERED


def test_a_pinned_question_is_answered_whatever_the_evidence(ask) -> None:  # noqa: ANN001 - the fixture above
    """The place that the clinic chose comes first and is a likely answer, and the reply says that it was chosen."""
    pinned = LabelledQuestion("What about parking?", (Place("patient/eating.md"),), pinned=True)
    reply = ask("what about PARKING", Judge(BY_SIMILARITY, (pinned,)))
    assert (reply.kind, reply.level, reply.pinned) == (AnswerKind.ANSWER, Level.LIKELY, True)
    assert (reply.passages[0].rank, reply.passages[0].text) == (1, EATING)
    assert reply.confidence == pytest.approx(0.047, abs=1e-3)
    assert not ask("driving?", Judge(BY_SIMILARITY, (pinned,))).pinned


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
def test_what_cannot_be_looked_up_gets_an_exact_reply(
    ask,  # noqa: ANN001 - the fixture above
    sample_settings: Settings,
    question: str,
    beginning: str,
) -> None:
    """Empty, over-long, wordless and foreign questions are answered politely, and nothing is searched."""
    reply = ask(question)
    assert reply.kind is AnswerKind.NOT_COVERED
    assert reply.passages == ()
    assert (reply.level is None) == (not beginning.startswith("Our documents"))
    advice = sample_settings.urgent.advice  # one of them also asks about the person's own treatment
    assert next(notice for notice in reply.notices if not notice.startswith(advice)).startswith(beginning)


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
    reply = answer("driving?", Audience.PATIENT, library=None, embedder=embedder, settings=sample_settings, clock=clock)
    assert (reply.kind, reply.generation) == (AnswerKind.NOT_COVERED, None)
    assert "555-0142" in reply.notices[0]


def test_a_document_expires_at_the_next_question(
    index: FaissIndex, embedder: WordEmbedder, sample_settings: Settings
) -> None:
    """The day after its review date a document is gone for patients, without a build."""
    later = NOW.replace(year=2027, month=1, day=2)
    reply = answer(
        "driving?",
        Audience.PATIENT,
        library=as_built(index, Judge(replace(BY_SIMILARITY, threshold=0.0))),
        embedder=embedder,
        settings=sample_settings,
        clock=lambda: later,
    )
    assert TEXT not in [passage.text for passage in reply.passages]
    assert EATING in [passage.text for passage in reply.passages]


def test_spans_are_in_the_raw_text(
    tmp_path: Path, embedder: WordEmbedder, sample_settings: Settings, clock: Clock
) -> None:
    """Where the reader changed the text, the span still points into the file as it is."""
    shifted = replace(AFTERCARE.document, offsets=OffsetMap((0, 14), (100, 200), (12, len(TEXT)), (12, len(TEXT))))
    index = index_of(tmp_path / "shifted", [replace(AFTERCARE, document=shifted)], embedder)
    reply = answer(
        "driving?",
        Audience.PATIENT,
        library=as_built(index, JUDGE),
        embedder=embedder,
        settings=sample_settings,
        clock=clock,
    )
    assert reply.passages[0].span == (200, 200 + len(TEXT))


def test_the_json_contract_holds(ask) -> None:  # noqa: ANN001 - the fixture above
    """`ask --json` gives exactly the promised keys and plain values."""
    content = json.loads(json.dumps(answer_json(ask("driving?"))))
    assert set(content) == {
        "question",
        "audience",
        "kind",
        "triaged",
        "guidance",
        "confidence",
        "level",
        "pinned",
        "passages",
        "notices",
        "generation",
        "elapsed_ms",
        "disagreements",
    }
    assert (content["audience"], content["kind"], content["level"]) == ("patient", "answer", "likely")
    assert content["confidence"] == pytest.approx(0.953, abs=1e-3)
    promised = {"id", "rank", "score", "text", "highlights", "sentences", "span", "citation", "lead_in"}
    assert promised <= set(content["passages"][0])
    assert set(content["passages"][0]["citation"]) == {
        "document",
        "title",
        "section",
        "start",
        "page",
        "page_label",
        "page_kind",
        "pages",
        "recognised",
        "path",
        "approved_on",
        "review_by",
        "version",
        "audience",
        "status",
        "overdue_since",
        "also_in",
    }
    assert content["passages"][0]["citation"]["approved_on"] == "2026-03-01"


def test_the_same_text_elsewhere_is_cited_too(
    tmp_path: Path, embedder: WordEmbedder, sample_settings: Settings, clock: Clock
) -> None:
    """A paragraph of two documents names both in its citation."""
    text = "no driving until the morning after your treatment"
    index = index_of(tmp_path / "twice", [entry("a", text), entry("b", text, title="The other")], embedder)
    reply = answer(
        "driving?",
        Audience.PATIENT,
        library=as_built(index, JUDGE),
        embedder=embedder,
        settings=sample_settings,
        clock=clock,
    )
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
    assert example_questions(as_built(index), 2, NOW.date()) == {
        "Why do we ask this?": "a",
        "What should I bring?": "b",
    }
    assert len(example_questions(as_built(index), 9, NOW.date())) == 3

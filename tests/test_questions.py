from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import passage

from qa.audience import Audience
from qa.errors import QuestionsError
from qa.questions import LabelledQuestion, Place, read_questions, unknown_places

Read = Callable[[str], tuple[LabelledQuestion, ...]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The questions of a file with this text."""

    def read_text(text: str) -> tuple[LabelledQuestion, ...]:
        path = tmp_path / "questions.yaml"
        path.write_text(text, encoding="utf-8")
        return read_questions(path)

    return read_text


def test_an_entry_with_everything(read: Read) -> None:
    """Every key of an entry arrives, sections as paths, and white space is put in order."""
    questions = read(
        """
        questions:
          - question: can i eat  b4 my infusion
            document: patient/before.md
            section: Before your infusion > Eating and drinking
            also:
              - document: patient/faq.md
              - document: patient/guide.md
                section: Food › Breakfast
            audience: staff
            pinned: yes
            kind: slang
        """
    )
    assert questions == (
        LabelledQuestion(
            text="can i eat b4 my infusion",
            places=(
                Place("patient/before.md", ("Before your infusion", "Eating and drinking")),
                Place("patient/faq.md"),
                Place("patient/guide.md", ("Food", "Breakfast")),
            ),
            audience=Audience.STAFF,
            pinned=True,
            kind="slang",
        ),
    )


def test_a_question_that_nothing_answers(read: Read) -> None:
    """`document: none` means no places; whoever says nothing else asks as a patient."""
    (question,) = read("questions:\n  - question: do you treat kids\n    document: none\n")
    assert question == LabelledQuestion("do you treat kids", (), Audience.PATIENT, pinned=False, kind="")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ('{question: "", document: a.md}', "has no text"),
        ("{document: a.md}", "has no text"),
        ("{question: why}", "names no document"),
        ("{question: why, document: ~}", "names no document"),
        ("{question: why, document: none, pinned: yes}", "is pinned, but its document is none"),
        ("{question: why, document: none, section: Here}", "and names a place"),
        ("{question: why, document: none, also: [{document: a.md}]}", "and names a place"),
        ("{question: why, document: a.md, pinned: maybe}", "expected yes or no"),
        ("{question: why, document: a.md, audience: nurses}", "expected patient or staff"),
        ("{question: why, document: a.md, sektion: Here}", "Did you mean section?"),
        ("{question: why, document: a.md, also: [{documents: b.md}]}", "Did you mean document?"),
        ("{question: why, document: a.md, also: b.md}", "`also` that is no list"),
        ("{question: why, document: a.md, also: [{section: Here}]}", "names no document"),
        ("{question: why, document: [a.md]}", "`document` that is no text"),
        ("{question: why, document: a.md, section: '>'}", "section without a heading"),
        ("why", "without keys and values"),
        ("{question:  OK  then, document: b.md}", "question 2 is question 1 again"),
    ],
)
def test_a_bad_entry_is_named(read: Read, entry: str, problem: str) -> None:
    """An entry that cannot be used is an error with its number and what is wrong."""
    with pytest.raises(QuestionsError) as caught:
        read(f"questions:\n  - {{question: ok then, document: a.md}}\n  - {entry}\n")
    assert "question 2" in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize("text", ["", "questions:\n", "questions: none\n", "question: x\n", "questions: [a\n", "- a\n"])
def test_a_file_without_a_list_is_an_error(read: Read, text: str) -> None:
    """What is no list of questions, or no YAML, is one kind of error."""
    with pytest.raises(QuestionsError):
        read(text)


def test_a_missing_file_and_another_encoding_are_errors(tmp_path: Path) -> None:
    """A name that leads nowhere, and bytes that are no UTF-8, are said in words."""
    with pytest.raises(QuestionsError, match="is not there"):
        read_questions(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"questions: \xe9")
    with pytest.raises(QuestionsError, match="not UTF-8"):
        read_questions(tmp_path / "latin.yaml")


def test_the_same_words_for_another_audience_are_another_question(read: Read) -> None:
    """Patients and staff may ask the same and get different places."""
    text = "questions:\n  - {question: why, document: a.md}\n  - {question: why, document: b.md, audience: staff}\n"
    assert [question.audience for question in read(text)] == [Audience.PATIENT, Audience.STAFF]


@pytest.mark.parametrize(
    ("section", "holds"),
    [
        ((), True),
        (("Before", "Eating"), True),
        (("eating",), True),
        (("EATING", "late  meals"), True),
        (("Before", "Late meals"), False),
        (("Eating", "Before"), False),
        (("Eat",), False),
        (("Leaflet", "Before"), True),
        (("Leaflet",), True),
    ],
)
def test_a_section_is_a_part_of_the_path(section: tuple[str, ...], holds: bool) -> None:
    """A place holds what stands in its section or below, by a part of the path in one piece; the title may lead it."""
    standing = passage("a.md", "No food.", headings=("Before", "Eating", "Late meals"))
    assert Place("a.md", section).holds(standing, title="Leaflet") is holds
    assert not Place("b.md", section).holds(standing, title="Leaflet")


def test_a_heading_with_a_separator_in_it() -> None:
    """A heading such as "BP > 140" can be written as it stands."""
    standing = passage("a.md", "Call us.", headings=("Limits", "BP > 140"))
    assert Place("a.md", ("BP", "140")).holds(standing)


def test_accents_in_either_encoding_are_the_same() -> None:
    """A file name whose accent is encoded in two characters is the name that somebody typed with one."""
    assert Place("caf\u00e9.md").holds(passage("cafe\u0301.md", "Closed."))


def test_places_that_are_not_there() -> None:
    """Documents and sections that no document has are given with their question, the others not."""
    gone, renamed, fine = Place("gone.md"), Place("a.md", ("Old name",)), Place("A.md", ("Food",))
    question = LabelledQuestion("why", (gone, renamed, fine))
    plain = LabelledQuestion("what", (Place("b.md"),))
    documents = [("a.md", [("Leaflet", "Food")]), ("b.md", [()])]
    assert unknown_places([question, plain], documents) == ((question, gone), (question, renamed))

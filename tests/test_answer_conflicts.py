"""Where approved documents contradict each other: staff see both sides, patients are told to call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from builders import BY_SIMILARITY, P, as_built, document, entry, index_of
from conftest import NOW, WordEmbedder

from qa.answer import Library, answer, answer_json
from qa.audience import Audience
from qa.conflicts import Conflict, ConflictKind, Statement
from qa.index.contract import Mask
from qa.index.faiss_index import FaissIndex
from qa.judge import Judge
from qa.models import Answer, AnswerKind, CorpusDocument, Metadata, Status
from qa.report import answer_text
from qa.settings import Settings

EIGHT, SIX = "Fasting takes 8 hours.", "Fasting takes 6 hours."
JUDGE = Judge(BY_SIMILARITY)


def approved(read: CorpusDocument, day: date | None) -> CorpusDocument:
    return replace(read, metadata=replace(read.metadata, approved_on=day))


OLD = approved(entry("old.md", document((P, "Driving is out."), (P, f"{EIGHT} Nausea is rare."))), date(2026, 1, 9))
NEW = approved(entry("new.md", document((P, f"Ketamine costs money. {SIX}"))), date(2026, 2, 1))


def statement(read: CorpusDocument, text: str) -> Statement:
    start = read.document.text.index(text)
    return Statement(read.id, start, start + len(text), text)


def conflict(*, is_strict: bool = True, text: str = EIGHT) -> Conflict:
    one = statement(OLD, EIGHT)
    return Conflict(replace(one, text=text), statement(NEW, SIX), ConflictKind.TIME, ("8 hours", "6 hours"), is_strict)


Ask = Callable[..., Answer]


@pytest.fixture
def ask(tmp_path: Path, embedder: WordEmbedder, settings: Settings) -> Ask:
    """Answers a question from the two documents, for an audience, with this conflict between them."""

    def asked(
        question: str,
        audience: Audience,
        conflicts: tuple[Conflict, ...] = (conflict(),),
        *,
        library_of: Callable[[FaissIndex], Library] = lambda index: as_built(index, JUDGE),
    ) -> Answer:
        index = index_of(tmp_path / "index", [OLD, NEW], embedder, audience, conflicts=conflicts)
        library = library_of(index)
        return answer(question, audience, library=library, embedder=embedder, settings=settings, clock=lambda: NOW)

    return asked


def test_patients_get_neither_side(ask: Ask) -> None:
    """The reply to a patient holds no passage, no word of either side, and says whom to call."""
    reply = ask("fasting", Audience.PATIENT)
    assert (reply.kind, reply.level, reply.passages, reply.disagreements) == (AnswerKind.CONFLICT, None, (), ())
    (notice,) = reply.notices
    assert notice.startswith("Our documents do not say the same about this")
    assert "hours" not in json.dumps(answer_json(reply))


def test_staff_see_both_sides_the_newest_first(ask: Ask, settings: Settings) -> None:
    """Both passages stand side by side with the sentence marked, its value and its date, beside the usual passages."""
    reply = ask("fasting", Audience.STAFF)
    assert reply.kind is AnswerKind.ANSWER
    assert reply.passages
    (both,) = reply.disagreements
    assert both.said == ("6 hours", "8 hours")
    assert [side.citation.document for side in both.sides] == ["new.md", "old.md"]
    assert [side.citation.approved_on for side in both.sides] == [date(2026, 2, 1), date(2026, 1, 9)]
    assert [side.text[slice(*side.highlights[0])] for side in both.sides] == [SIX, EIGHT]
    assert [(side.rank, side.sentences) for side in both.sides] == [(1, (2,)), (2, (1,))]
    printed = answer_text(reply, settings)
    assert printed.index("This one says: 6 hours") < printed.index("This one says: 8 hours")
    assert json.loads(json.dumps(answer_json(reply)))["disagreements"][0]["sides"][0]["citation"]["path"] == "new.md"


@pytest.mark.parametrize("audience", Audience)
def test_another_question_is_answered_as_ever(ask: Ask, audience: Audience) -> None:
    """A question about something else in the same documents is answered, and nobody is told of the conflict."""
    reply = ask("driving", audience)
    assert reply.kind is AnswerKind.ANSWER
    assert reply.passages[0].text.startswith("Driving is out.")
    assert reply.disagreements == ()


def test_patients_are_answered_where_it_is_not_certain(ask: Ask) -> None:
    """A conflict that is not surely about the same thing in the same unit keeps nothing from patients."""
    reply = ask("fasting", Audience.PATIENT, (conflict(is_strict=False),))
    assert reply.kind is AnswerKind.ANSWER
    assert reply.passages


def test_a_document_that_is_just_taken_from_patients_contradicts_nobody(ask: Ask) -> None:
    """A side that became staff's while the question was looked up keeps nothing from a patient."""

    class JustTaken:
        looks = 0

        def __init__(self, library: Library) -> None:
            self._index, self._built = library.index, library.eligibility

        def mask(self, today: date) -> Mask | None:
            mask = np.ones(sum(len(each.passages) for each in self._index.documents()), dtype=bool)
            mask[self._index.document("old.md").passages] = self.looks < 2
            return self._built.mask(today) if mask.all() else mask

        def metadata(self, document_id: str) -> Metadata:
            return self._built.metadata(document_id)

        def confirm(self, document_ids: Iterable[str]) -> bool:  # noqa: ARG002 - the contract's signature
            self.looks += 1
            return self.looks < 2

    def just_taken(index: FaissIndex) -> Library:
        library = as_built(index, JUDGE)
        return replace(library, eligibility=JustTaken(library))

    assert ask("fasting", Audience.PATIENT, library_of=just_taken).kind is AnswerKind.ANSWER


@pytest.mark.parametrize("status", [Status.DRAFT, Status.WITHDRAWN])
def test_a_document_that_is_not_approved_now_contradicts_nobody(ask: Ask, status: Status) -> None:
    """Once one side is withdrawn, or a draft again, there is no conflict any more."""

    class Changed:
        def __init__(self, library: Library) -> None:
            self._built = library.eligibility

        def mask(self, today: date) -> object:
            return self._built.mask(today)

        def metadata(self, document_id: str) -> Metadata:
            built = self._built.metadata(document_id)
            return replace(built, status=status) if document_id == "old.md" else built

        def confirm(self, document_ids: object) -> bool:
            return self._built.confirm(document_ids)

    def changed(index: FaissIndex) -> Library:
        library = as_built(index, JUDGE)
        return replace(library, eligibility=Changed(library))

    assert ask("fasting", Audience.STAFF, library_of=changed).disagreements == ()


def test_a_side_that_cannot_be_verified_is_not_shown(ask: Ask) -> None:
    """A statement that does not stand in its document is not put beside another."""
    assert ask("fasting", Audience.STAFF, (conflict(text="Fasting takes 9 hours."),)).disagreements == ()


def test_danger_comes_before_a_conflict(ask: Ask) -> None:
    """Somebody in danger gets guidance, and is an urgent case, whatever the documents disagree about."""
    reply = ask("I want to kill myself, what about fasting?", Audience.PATIENT)
    assert reply.kind is AnswerKind.URGENT
    assert reply.guidance
    assert reply.passages == ()


def test_a_statement_that_several_contradict_is_shown_once(ask: Ask) -> None:
    """Three sentences of which one contradicts the other two stand together, the newest first, each once."""
    again = statement(OLD, "Driving is out.")
    both = (
        conflict(),
        Conflict(again, statement(NEW, SIX), ConflictKind.TIME, ("12 hours", "6 hours"), is_strict=True),
    )
    (together,) = ask("fasting", Audience.STAFF, both).disagreements
    assert together.said == ("6 hours", "8 hours", "12 hours")
    assert [side.rank for side in together.sides] == [1, 2, 3]


def test_what_says_the_same_again_stands_last(ask: Ask) -> None:
    """Two values are beside each other before a second place with one of them, though that is newer."""
    one = statement(OLD, EIGHT)
    again = statement(NEW, "Ketamine costs money.")
    both = (conflict(), Conflict(one, again, ConflictKind.TIME, ("8 hours", "6 hours"), is_strict=True))
    (together,) = ask("fasting", Audience.STAFF, both).disagreements
    assert together.said == ("6 hours", "8 hours", "6 hours")
    assert [side.citation.document for side in together.sides] == ["new.md", "old.md", "new.md"]

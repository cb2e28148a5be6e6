"""A clinic's own questions, each with the places in its documents that answer it, or with none.

    questions:
      - question: can i eat b4 my infusion
        document: patient/before-your-infusion.md
        section: Before your infusion > Eating and drinking   # a heading path, or its last part(s); optional
        also:                                                 # other places that answer as well; optional
          - document: patient/faq.md
        audience: staff                                       # default: patient
        pinned: yes                                           # the place is shown first for this question; default: no
        kind: slang                                           # a word of your own, for reports
      - question: do you treat kids with adhd
        document: none

Documents and headings are compared without regard to capitals, to white space and to how an accent is encoded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from qa.audience import Audience
from qa.errors import MetadataError, QuestionsError
from qa.models import Passage
from qa.plain_yaml import parse_mapping

KEYS = ("question", "document", "section", "also", "audience", "pinned", "kind")
_PLACE_KEYS = ("document", "section")
_NONE = "none"
_SWITCH = {"yes": True, "no": False}
_SEPARATOR = re.compile(r"[>›]")


@dataclass(frozen=True, slots=True)
class Place:
    """A document, or one section of it with its sub-sections. `section` are headings, outermost first, or empty."""

    document: str
    section: tuple[str, ...] = ()

    def holds(self, passage: Passage, title: str = "") -> bool:
        """Whether `passage` stands here. With its document's `title`, a section may be written below the title."""
        return self.covers(passage.document_id, (title, *passage.headings))

    def covers(self, document: str, headings: Sequence[str]) -> bool:
        """Whether the section is a part of the path `headings`, in one piece, and `document` is this document."""
        if _same(document) != _same(self.document):
            return False
        path, wanted = _parts(headings), _parts(self.section)
        return any(path[start : start + len(wanted)] == wanted for start in range(len(path) - len(wanted) + 1))

    def __str__(self) -> str:
        return " › ".join((self.document, *self.section))


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question and the places that answer it; without places, nothing in the documents does."""

    text: str
    places: tuple[Place, ...]
    audience: Audience = Audience.PATIENT
    pinned: bool = False
    kind: str = ""


def read_questions(path: Path) -> tuple[LabelledQuestion, ...]:
    """The questions of a file, in order. Raises QuestionsError, which names the question by its number from 1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise QuestionsError(
            "the file of questions is not there", path=path, remedy="Check its name, or write one."
        ) from error
    except UnicodeDecodeError as error:
        raise QuestionsError(
            "the file of questions is not UTF-8 text", path=path, remedy="Save it as UTF-8."
        ) from error
    try:
        content = parse_mapping(text, path=path, name="file of questions")
    except MetadataError as error:
        raise QuestionsError(
            error.problem, path=path, found=error.found, expected=error.expected, remedy=error.remedy
        ) from error
    unknown = [key for key in content if key != "questions"]
    entries = content.get("questions")
    if unknown or not isinstance(entries, list) or not entries:
        raise QuestionsError(
            "the file of questions holds no list of questions",
            path=path,
            found=f"the keys {', '.join(content)}" if content else "nothing",
            expected="the one key questions with a list below it",
        )
    questions = tuple(_Entry(path, number, entry).question() for number, entry in enumerate(entries, start=1))
    seen: dict[tuple[str, Audience], int] = {}
    for number, question in enumerate(questions, start=1):
        first = seen.setdefault((_same(question.text), question.audience), number)
        if first != number:
            raise QuestionsError(
                f"question {number} is question {first} again, for the same audience",
                path=path,
                found=repr(question.text),
                remedy="Keep one of them; `also` takes further places.",
            )
    return questions


def unknown_places(
    questions: Iterable[LabelledQuestion], documents: Iterable[tuple[str, Iterable[Sequence[str]]]]
) -> tuple[tuple[LabelledQuestion, Place], ...]:
    """The questions with each of their places that is in none of `documents`: a document's name and its heading paths.

    A document without headings has one empty path.
    """
    paths: dict[str, list[Sequence[str]]] = {}
    for document, headings in documents:
        paths.setdefault(_same(document), []).extend(headings)
    return tuple(
        (question, place)
        for question in questions
        for place in question.places
        if not any(place.covers(place.document, path) for path in paths.get(_same(place.document), []))
    )


class _Entry:
    """One entry of the list, with what an error about it needs."""

    def __init__(self, path: Path, number: int, content: object) -> None:
        self._path = path
        self._number = number
        self._content = self._mapping(content, KEYS, "an entry")

    def question(self) -> LabelledQuestion:
        text = self._text("question", self._content)
        if not text:
            raise self._error("has no text", expected="question: followed by what somebody asks")
        places = self._places()
        pinned = self._pinned()
        if pinned and not places:
            raise self._error("is pinned, but its document is none", remedy="Name the place to show, or unpin it.")
        return LabelledQuestion(
            text=text, places=places, audience=self._audience(), pinned=pinned, kind=self._text("kind", self._content)
        )

    def _places(self) -> tuple[Place, ...]:
        also = self._content.get("also") or []
        if not isinstance(also, list):
            raise self._error("has an `also` that is no list", expected="lines that begin with - document:")
        further = [self._mapping(entry, _PLACE_KEYS, "a place of `also`") for entry in also]
        document = self._text("document", self._content)
        if document.casefold() != _NONE:
            return tuple(self._place(entry) for entry in (self._content, *further))
        if further or self._text("section", self._content):
            raise self._error(
                "says that no document answers it, and names a place", remedy="Remove either `none` or the place."
            )
        return ()

    def _place(self, entry: dict[str, object]) -> Place:
        document = self._text("document", entry)
        if not document or document.casefold() == _NONE:
            raise self._error(
                "names no document",
                found=repr(document),
                expected="document: followed by a path below the corpus folder, or by none where nothing answers",
            )
        written = self._text("section", entry)
        section = tuple(part for part in (part.strip() for part in _SEPARATOR.split(written)) if part)
        if written and not section:
            raise self._error("has a section without a heading", found=repr(written))
        return Place(document, section)

    def _audience(self) -> Audience:
        written = self._text("audience", self._content) or Audience.PATIENT
        if written not in {audience.value for audience in Audience}:
            raise self._error("has an unknown audience", found=repr(written), expected=" or ".join(Audience))
        return Audience(written)

    def _pinned(self) -> bool:
        written = self._text("pinned", self._content)
        if written and written.casefold() not in _SWITCH:
            raise self._error("has a `pinned` that cannot be used", found=repr(written), expected="yes or no")
        return _SWITCH.get(written.casefold(), False)

    def _text(self, key: str, entry: dict[str, object]) -> str:
        value = entry.get(key)
        if value is not None and not isinstance(value, str):
            raise self._error(f"has a `{key}` that is no text", found="a list or keys and values", expected="text")
        return " ".join((value or "").split())

    def _mapping(self, content: object, known: Sequence[str], what: str) -> dict[str, object]:
        if not isinstance(content, dict):
            raise self._error(f"has {what} without keys and values", expected=f"lines such as {known[0]}: …")
        for key in content:
            if key not in known:
                nearest = get_close_matches(str(key), known, n=1, cutoff=0.5)
                remedy = f"Did you mean {nearest[0]}?" if nearest else f"Known here: {', '.join(known)}."
                raise self._error("has an unknown key", found=repr(key), remedy=remedy)
        return content

    def _error(
        self, problem: str, *, found: str | None = None, expected: str | None = None, remedy: str | None = None
    ) -> QuestionsError:
        return QuestionsError(
            f"question {self._number} {problem}", path=self._path, found=found, expected=expected, remedy=remedy
        )


def _same(text: str) -> str:
    """What two texts are compared by."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _parts(headings: Iterable[str]) -> list[str]:
    """Headings as they are compared. A heading with a separator in it is taken apart, as it is in a written section."""
    parts = (_same(part) for heading in headings for part in _SEPARATOR.split(heading))
    return [part for part in parts if part]

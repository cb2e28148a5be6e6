"""Questions made from a clinic's own documents, each with the section that answers it; and questions that none answers.

A heading asked word for word is too easy: it stands in front of its own passage when that is embedded. So each section
is asked about in several ways that people type: without capitals and punctuation, misspelt, with words left out, with a
story around it, and in the words of one of its sentences without those of its headings. Every choice is drawn from the
text itself: the same documents give the same questions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain, groupby, zip_longest
from pathlib import Path
from random import Random
from typing import TypeVar

from qa.errors import CalibrationError
from qa.index.contract import IndexedDocument, Mask, PassageIndex
from qa.models import Passage
from qa.offsets import Span
from qa.sentences import sentence_spans
from qa.terms import terms

Item = TypeVar("Item")

_FEWEST_TERMS = 3  # a shorter heading, such as "The rule", is asked together with its document's title
_LEAST_LEFT = 4  # terms that leaving words out leaves: with fewer nobody could say what was asked
_MOST_DOCUMENTS = 2  # a heading of more documents, such as a letterhead, asks about none of them
_SENTENCE_WORDS = range(7, 41)  # shorter ones say too little to ask about, longer ones are lists
_KEY_WORDS = 8
_LONG_WORDS = 5  # a text with so many long words gets two misspellings
_ELLIPSIS = "…"
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_NUMBERING = re.compile(r"^(?:\d+[.)]\s*)+")


@dataclass(frozen=True, slots=True)
class Section:
    """The passages of a document right below one heading.

    `own` is their span in the document's normalised text; `whole` is the span with the sections below.
    """

    document: str
    title: str
    headings: tuple[str, ...]
    own: Span
    whole: Span
    texts: tuple[str, ...]

    @property
    def heading(self) -> str:
        """The innermost heading without its number; the document's title where there is none."""
        return _NUMBERING.sub("", self.headings[-1] if self.headings else self.title)


@dataclass(frozen=True, slots=True)
class MadeQuestion:
    """A question that the stretch `span` of a section's document answers.

    Questions of one section are no independent evidence.
    """

    text: str
    section: Section
    span: Span

    def answered_by(self, passage: Passage) -> bool:
        """Whether `passage` overlaps what answers."""
        start, end = self.span
        return passage.document_id == self.section.document and passage.start < end and start < passage.end


def sections(index: PassageIndex, mask: Mask | None) -> list[Section]:
    """The sections of all documents that `mask` shows whole, the first of each document first, then the second.

    Headings that stand in several documents, such as a letterhead, are left out, and so is what was recognised in
    pictures: a misread word asks about nothing.
    """
    by_document = [
        list(_sections_of(document, index))
        for document in index.documents()
        if mask is None or mask[document.passages].all()
    ]
    documents = Counter(heading for found in by_document for heading in {_same(section) for section in found})
    in_turn = chain.from_iterable(zip_longest(*by_document))
    return [section for section in in_turn if section is not None and documents[_same(section)] <= _MOST_DOCUMENTS]


def same_headings(all_sections: Sequence[Section]) -> dict[Section, frozenset[str]]:
    """For each section the documents that have a heading like its own, with its own document."""
    found: dict[str, set[str]] = {}
    for section in all_sections:
        found.setdefault(_same(section), set()).add(section.document)
    return {section: frozenset(found[_same(section)]) for section in all_sections}


def questions_about(section: Section, count: int) -> list[MadeQuestion]:
    """Up to `count` different questions, of the heading and of a sentence by turns, in wordings drawn from the text."""
    random = _random(section.document, *section.headings)
    turns = []
    for text, span, wordings in (
        (_heading_text(section), section.whole, _HEADING_WORDINGS),
        (_sentence(section, random), section.own, _SENTENCE_WORDINGS),
    ):
        order = random.sample(wordings, len(wordings)) if text else []
        turns.append([(wording(text, section, random), span) for wording in order])
    if random.random() < 0.5:  # where each section gets one question, half are of a heading
        turns.reverse()
    made = {entry[0]: entry for entry in chain.from_iterable(zip_longest(*turns)) if entry is not None}
    return [MadeQuestion(text, section, span) for text, span in list(made.values())[:count]]


def foreign_questions(path: Path | None, count: int) -> list[str]:
    """Up to `count` questions that the documents do not answer, spread over the list.

    Every second one has a story around it. Without a `path` it is the packaged list. Raises CalibrationError where the
    file cannot be read or holds none.
    """
    if path is None:
        lines = list(_packaged_lines("foreign_questions.txt"))
    else:
        try:
            lines = _lines(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise CalibrationError(
                "the list of foreign questions cannot be read",
                path=path,
                found=type(error).__name__,
                expected="UTF-8 text with one question a line",
                remedy="Mend the file, or take its name out of clinic.toml to use the packaged list.",
            ) from error
        if not lines:
            raise CalibrationError(
                "the list of foreign questions is empty",
                path=path,
                expected="one question a line; lines that start with # are comments",
                remedy="Write questions that your documents do not answer, or use the packaged list.",
            )
    return [with_lead_in(line, _random(line)) if place % 2 else line for place, line in enumerate(spread(lines, count))]


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` of the items, evenly spread and in order."""
    if len(items) <= count:
        return list(items)
    return [items[place * len(items) // count] for place in range(count)]


def with_lead_in(question: str, random: Random) -> str:
    """The question with one of the packaged lead-ins around it."""
    before, _, after = random.choice(_packaged_lines("lead_ins.txt")).partition(_ELLIPSIS)
    return " ".join(part for part in (before.strip(), question, after.strip()) if part)


def misspelt(text: str, random: Random) -> str:
    """The text with two letters swapped or one left out, in one of its longer words and in two where it has many."""
    words = text.split()
    long = [place for place, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    for place in random.sample(long, min(len(long), 1 + (len(long) >= _LONG_WORDS))):
        word = words[place]
        at = random.randrange(1, len(word) - 2)
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        words[place] = swapped if random.random() < 0.5 else word[:at] + word[at + 1 :]
    return " ".join(words)


def plain(text: str) -> str:
    """The words in lower case, without punctuation."""
    return " ".join(_WORD.findall(text.lower()))


def shortened(text: str, random: Random) -> str:
    """The text without up to a quarter of its words, while it has terms enough."""
    words = text.split()
    spare = min(len(words) // 4, len(terms(text)) - _LEAST_LEFT)
    gone = set(random.sample(range(len(words)), max(0, spare)))
    return " ".join(word for place, word in enumerate(words) if place not in gone)


def without_headings(text: str, section: Section) -> str:
    """A sentence's words in lower case without those of the headings and the title, and without numbers."""
    above = set(terms("\n".join((section.title, *section.headings))))
    words = (word for word in _WORD.findall(text.lower()) if not any(sign.isdigit() for sign in word))
    return " ".join(word for word in words if above.isdisjoint(terms(word)))


def key_words(text: str, section: Section) -> str:
    """The first words of a sentence that carry meaning and stand in no heading."""
    words = [word for word in without_headings(text, section).split() if terms(word)]
    return " ".join(words[:_KEY_WORDS])


Wording = Callable[[str, Section, Random], str]

_HEADING_WORDINGS: tuple[Wording, ...] = (
    lambda text, _section, _random: plain(text),
    lambda text, _section, random: misspelt(plain(text), random),
    lambda text, _section, random: with_lead_in(plain(text), random),
    lambda text, _section, random: with_lead_in(misspelt(shortened(plain(text), random), random), random),
    lambda text, _section, random: shortened(plain(text), random),
)
_SENTENCE_WORDINGS: tuple[Wording, ...] = (
    lambda text, section, _random: key_words(text, section),
    lambda text, section, random: with_lead_in(without_headings(text, section), random),
    lambda text, section, random: misspelt(key_words(text, section), random),
    lambda text, _section, random: "is it true that " + shortened(plain(text), random),
    lambda text, section, random: with_lead_in(misspelt(key_words(text, section), random), random),
)


def _sections_of(document: IndexedDocument, index: PassageIndex) -> Iterator[Section]:
    recognised = {number for number, page in enumerate(index.source(document.id).pages, start=1) if page.recognised}
    passages = [each for each in index.passages(document.passages) if recognised.isdisjoint(each.pages)]
    for headings, group in groupby(passages, key=lambda passage: passage.headings):
        cut = list(group)
        below = [passage for passage in passages if passage.headings[: len(headings)] == headings]
        yield Section(
            document=document.id,
            title=document.metadata.title,
            headings=headings,
            own=(cut[0].start, cut[-1].end),
            whole=(cut[0].start, max(passage.end for passage in below)),
            texts=tuple(passage.text for passage in cut),
        )


def _same(section: Section) -> str:
    """What headings of two documents are compared by."""
    return " ".join(section.heading.casefold().split())


def _heading_text(section: Section) -> str:
    if len(terms(section.heading)) >= _FEWEST_TERMS:
        return section.heading
    return " ".join(dict.fromkeys((section.heading, _NUMBERING.sub("", section.title))))


def _sentence(section: Section, random: Random) -> str:
    """One of the section's sentences that says enough to ask about, or nothing."""
    found = [
        text[start:end]
        for text in section.texts
        for start, end in sentence_spans(text, 0, len(text))
        if len(text[start:end].split()) in _SENTENCE_WORDS
        and len(key_words(text[start:end], section).split()) >= _FEWEST_TERMS
    ]
    return random.choice(found) if found else ""


def _random(*texts: str) -> Random:
    return Random("\n".join(texts))  # noqa: S311 - for wordings that must come out the same each time, no secrets


@cache
def _packaged_lines(name: str) -> tuple[str, ...]:
    return tuple(_lines(files("qa").joinpath("data", name).read_text(encoding="utf-8")))


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]

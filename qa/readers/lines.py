"""The lines of a plain text: what each one looks like by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from qa.readers.normalise import BLANKS

LONGEST_HEADING: Final = 90  # characters
LONGEST_TITLE: Final = 200

_BULLET = re.compile(r"(?:[•◦▪▫‣⁃·●○■□◆◇➢➤►▶\uf0a7\uf0b7\uf0d8\uf076]\s*|[-*+–—]\s+|o\t)")
_NUMBER = re.compile(r"(?:\(?(\d{1,3})[.)]|\(?[a-z][.)]|\(?[ivx]{1,4}[.)])\s+(?=\S)")
_OUTLINE = re.compile(r"\d{1,3}((?:\.\d{1,3})+)\.?\s+(?=\S)|[IVX]{1,5}\.\s+(?=\S)")
_RULE = re.compile(r"([-=_*~─═])(?:\s*\1){2,}")
_QUESTION_MARK = re.compile(r"(?:Q|Question)\s*+(?:\d++\s*+)?[:.)]\s*(?=\S)")
_ANSWER_MARK = re.compile(r"(?:A|Answer)\s*+(?:\d++\s*+)?[:.)]\s*(?=\S)")
_ANSWER_WITHIN = re.compile(r"\s(?:A|Answer)\s*\d*:")
_ENDS_SENTENCE = re.compile(r"[.!?:;,…][\"'”’)\]]*$")
_SENTENCE_WITHIN = re.compile(r"[a-z]{3}[.!?]\s")
_KEY_VALUE = re.compile(r"([A-Z][^:\s]*(?:\s+[^:\s]+){0,4}):\s+\S")
_NUMBERED_KEY = re.compile(r"(?:Step|Part|Chapter|Section|Stage|Phase|Week|Day|Session|Visit|Module|Appendix)\b", re.I)
_SIGN_OFF = re.compile(
    r"(?:(?:xo)+x?o*|sincerely|(?:kind|best|warm|warmest) (?:regards|wishes)|regards|yours|with love|warmly|cheers"
    r"|all the best)\b",
    re.I,
)


class LineKind(Enum):
    """What a line is by its own marks."""

    TEXT = auto()
    BULLET = auto()
    NUMBERED = auto()
    OUTLINE = auto()
    RULE = auto()
    QUESTION = auto()
    ANSWER = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not blank: `text` is `raw[start:end]` without white space at its ends.

    `body` is where the text begins after a bullet (elsewhere it is `start`). `gap` says that a blank line, or nothing,
    stands before it. `number` is that of a list such as "3.", else 0; `indent` is in columns.
    """

    text: str
    start: int
    end: int
    body: int
    kind: LineKind
    indent: int
    gap: bool
    number: int = 0


def split_lines(raw: str) -> list[Line]:
    """The lines of `raw` that are not blank, in order."""
    lines: list[Line] = []
    offset = 0
    gap = True
    for whole in raw.splitlines(keepends=True):
        text = whole.strip(BLANKS)
        if text:
            lead = whole.index(text[0])
            lines.append(_line(text, offset + lead, len(whole[:lead].expandtabs(4)), gap))
        gap = not text
        offset += len(whole)
    return lines


def _line(text: str, start: int, indent: int, gap: bool) -> Line:
    kind, mark, number = LineKind.TEXT, 0, 0
    if _RULE.fullmatch(text):
        kind = LineKind.RULE
    elif match := _BULLET.match(text + " "):
        kind, mark = LineKind.BULLET, min(match.end(), len(text))
    elif match := _NUMBER.match(text):
        kind, number = LineKind.NUMBERED, int(match.group(1) or 0)
    elif _OUTLINE.match(text):
        kind = LineKind.OUTLINE
    elif _QUESTION_MARK.match(text):
        kind = LineKind.QUESTION
    elif _ANSWER_MARK.match(text):
        kind = LineKind.ANSWER
    return Line(text, start, start + len(text), start + mark, kind, indent, gap, number)


def outline_depth(text: str) -> int:
    """1 for "2. Costs" and "II. Costs", 2 for "2.1 Costs", and so on."""
    match = _OUTLINE.match(text)
    return 1 + (match.group(1) or "").count(".") if match else 1


def without_number(text: str) -> str:
    """`text` after its leading number."""
    match = _OUTLINE.match(text) or _NUMBER.match(text)
    return text[match.end() :] if match else text


def ends_sentence(text: str) -> bool:
    """Whether `text` ends with a mark that ends or interrupts a sentence."""
    return _ENDS_SENTENCE.search(text, max(len(text) - 8, 0)) is not None


def is_key_value(text: str) -> bool:
    """Whether `text` looks like "Phone: 555 0100"."""
    return len(text) <= 160 and _KEY_VALUE.match(text) is not None


def is_capitals(text: str) -> bool:
    """Whether `text` is a short line of capitals, with four letters at least."""
    return (
        len(text) <= LONGEST_HEADING
        and text.isupper()
        and sum(map(str.isalpha, text)) >= 4
        and not ends_sentence(text.rstrip(":"))
    )


def is_question(text: str) -> bool:
    """Whether `text` is one question, such as a list of frequent questions has."""
    return (
        text.endswith("?")
        and len(text) <= 160
        and not text[0].islower()
        and text.count(" ") >= 1
        and not _SENTENCE_WITHIN.search(text)
    )


def is_marked_question(text: str) -> bool:
    """Whether `text` is a "Q: …" line that does not hold its answer."""
    return _QUESTION_MARK.match(text) is not None and not _ANSWER_WITHIN.search(text)


def is_label(text: str) -> bool:
    """Whether `text` is a section's name with a colon, such as "Abstract:"."""
    return text.endswith(":") and len(text) <= 40 and text.count(" ") <= 2 and is_heading_like(text[:-1])


def is_heading_like(text: str) -> bool:
    """Whether a line that stands alone reads like a heading: short, a capital first, no end of a sentence."""
    if len(text) > LONGEST_HEADING or text.count(" ") > 13 or ends_sentence(text):
        return False
    letters = sum(map(str.isalpha, text))
    first = next((character for character in text if character.isalnum()), "")
    if not first or first.islower() or letters * 2 < len(text.replace(" ", "")):
        return False
    if "://" in text or "@" in text or text.startswith("www.") or _SIGN_OFF.match(text):
        return False
    if _SENTENCE_WITHIN.search(text):
        return False
    return ":" not in text or _NUMBERED_KEY.match(text) is not None or _title_with_colon(text)


def is_title_like(text: str) -> bool:
    """Whether the first line of a text reads like its title, which may be long, and be a question or an exclamation."""
    if len(text) > LONGEST_TITLE or "://" in text or "@" in text:
        return False
    return any(map(str.isalpha, text)) and not ends_sentence(text.rstrip("?!"))


def _title_with_colon(text: str) -> bool:
    key, _, value = text.partition(":")
    return len(value.split()) >= 3 and len(key) >= 4 and not any(map(str.isdigit, text)) and value.startswith(" ")

"""The numbers that word processors write before paragraphs: they count them, and the file holds the rules alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from docx.opc.oxml import parse_xml
from docx.oxml.ns import qn

from qa.readers.docx_styles import Styles, digits_of, is_on, value_of
from qa.readers.normalise import normalise
from qa.readers.numerals import repeated_letters, roman

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.oxml.xmlchemy import BaseOxmlElement as Element

_PLACE = re.compile(r"%([1-9])")
_ALTERNATIVES: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_MOST_LEVELS: Final = 9
_LONGEST: Final = 40  # characters of a marker; what is longer is text that stands before each item
_WRITTEN: Final[dict[str, Callable[[int], str]]] = {
    "decimal": str,
    "lowerLetter": repeated_letters,
    "upperLetter": lambda number: repeated_letters(number).upper(),
    "lowerRoman": roman,
    "upperRoman": lambda number: roman(number).upper(),
}


@dataclass(frozen=True, slots=True)
class _Level:
    """How the items of one level are counted and written."""

    format: str
    text: str
    start: int
    restart: int  # counts again after an item of a level below this number, from 0
    is_legal: bool  # writes all levels' numbers in figures


@dataclass(slots=True)
class _List:
    """The definition that all lists of one kind share, and how far they have counted."""

    levels: dict[int, _Level]
    counts: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Number:
    """What paragraphs refer to: a definition, with what differs from it."""

    shared: _List
    levels: dict[int, _Level]
    starts: dict[int, int]


class Numbers:
    """Counts the numbered paragraphs of one document; each is to be asked for once, in order."""

    def __init__(self, word: WordDocument, styles: Styles) -> None:
        self._styles = styles
        self._numbers: dict[int, _Number] = {}
        self._started: set[tuple[int, int]] = set()
        for relation in word.part.rels.values():
            if not relation.is_external and relation.reltype.endswith("/numbering"):
                self._define(parse_xml(relation.target_part.blob))

    def marker(self, paragraph: Element) -> str:
        """The number or letter before a paragraph; "" for bullets, other text, and what has another kind of number."""
        key, level = self._styles.numbering(paragraph)
        number = self._numbers.get(key)
        if number is None or not 0 <= level < _MOST_LEVELS or _is_unseen(paragraph):
            return ""
        self._count(key, number, level)
        return _written(number, level)

    def _define(self, root: Element) -> None:
        definitions = {value_of(one, "w:abstractNumId"): one for one in root.iterchildren(qn("w:abstractNum"))}
        by_style = {name: one for one in definitions.values() if (name := value_of(one.find(qn("w:styleLink"))))}
        lists: dict[str, _List] = {}
        for number in root.iterchildren(qn("w:num")):
            key = digits_of(number.get(qn("w:numId"), ""))
            definition = definitions.get(value_of(number.find(qn("w:abstractNumId"))))
            if key is None or definition is None:
                continue
            definition = by_style.get(value_of(definition.find(qn("w:numStyleLink"))), definition)
            name = value_of(definition, "w:abstractNumId")
            shared = lists.get(name) or lists.setdefault(name, _List(_levels(definition)))
            changed: dict[int, _Level] = {}
            starts: dict[int, int] = {}
            for override in number.iterchildren(qn("w:lvlOverride")):
                changed |= _levels(override)
                level = digits_of(override.get(qn("w:ilvl"), ""))
                start = digits_of(value_of(override.find(qn("w:startOverride"))))
                if level is not None and start is not None:
                    starts[level] = start
            self._numbers[key] = _Number(shared, shared.levels | changed, starts)

    def _count(self, key: int, number: _Number, level: int) -> None:
        counts = number.shared.counts
        begins = level in number.starts and (key, level) not in self._started
        self._started.add((key, level))
        if begins or level not in counts:
            counts[level] = _start(number, level)
        else:
            counts[level] += 1
        for lower in [deeper for deeper in counts if deeper > level]:
            rule = number.levels.get(lower)
            if level < (lower if rule is None else rule.restart):
                del counts[lower]


def _start(number: _Number, level: int) -> int:
    rule = number.levels.get(level)
    return number.starts.get(level, rule.start if rule is not None else 1)


def _levels(parent: Element) -> dict[int, _Level]:
    """The levels that an element defines, from 0."""
    levels: dict[int, _Level] = {}
    for one in parent.iterchildren(qn("w:lvl")):
        level = digits_of(one.get(qn("w:ilvl"), ""))
        if level is not None and level < _MOST_LEVELS:
            start = digits_of(value_of(one.find(qn("w:start"))))
            restart = digits_of(value_of(one.find(qn("w:lvlRestart"))))
            levels[level] = _Level(
                format=_format(one),
                text=value_of(one.find(qn("w:lvlText"))),
                start=0 if start is None else start,
                restart=level if restart is None else restart,
                is_legal=is_on(one.find(qn("w:isLgl"))),
            )
    return levels


def _format(level: Element) -> str:
    if level.find(_ALTERNATIVES) is not None:
        return ""  # a kind of number that older programs do not know
    return value_of(level.find(qn("w:numFmt"))) or "decimal"


def _written(number: _Number, level: int) -> str:
    """The text of the level with the numbers in their places; "" where it has no number or one of another kind."""
    rule = number.levels.get(level)
    if rule is None or rule.format not in _WRITTEN or not _PLACE.search(rule.text):
        return ""
    text = ""
    done = 0
    for place in _PLACE.finditer(rule.text):
        upper = int(place[1]) - 1
        other = number.levels.get(upper)
        if other is None or upper > level:
            return ""
        count = number.shared.counts.get(upper, _start(number, upper))
        write = _WRITTEN.get("decimal" if rule.is_legal else other.format)
        one = write(count) if write is not None else ""
        if not one:
            return ""
        text += rule.text[done : place.start()] + one
        done = place.end()
    text = normalise(text + rule.text[done:])
    return text if len(text) <= _LONGEST else ""


def _is_unseen(paragraph: Element) -> bool:
    """Whether the paragraph itself is hidden or deleted, so that it does not count."""
    mark = paragraph.find(f"{qn('w:pPr')}/{qn('w:rPr')}")
    if mark is None:
        return False
    return is_on(mark.find(qn("w:vanish"))) or any(mark.find(qn(name)) is not None for name in ("w:del", "w:moveFrom"))

"""What a paragraph of a DOCX file is: by its own properties, else by its style and those that this is based on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from docx.oxml.ns import qn

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.oxml.xmlchemy import BaseOxmlElement as Element

_HEADING = re.compile(r"heading (\d)", re.I)
_LIST = re.compile(r"list(?: (?:bullet|number))?(?: (\d))?", re.I)
_BODY_LEVEL: Final = 9  # the outline level of text that is no heading


@dataclass(frozen=True, slots=True)
class _Style:
    based_on: str
    name: str
    properties: Element | None


class Styles:
    """The styles of one document."""

    def __init__(self, word: WordDocument) -> None:
        self._styles: dict[str, _Style] = {}
        self._default = ""
        for style in word.styles.element.iterchildren(qn("w:style")):
            key = style.get(qn("w:styleId"), "")
            self._styles[key] = _Style(
                value_of(style.find(qn("w:basedOn"))), value_of(style.find(qn("w:name"))), style.find(qn("w:pPr"))
            )
            if style.get(qn("w:type")) == "paragraph" and style.get(qn("w:default")) in ("1", "true"):
                self._default = key

    def is_title(self, paragraph: Element) -> bool:
        """Whether the paragraph has the style "Title"."""
        return any(style.name.lower() == "title" for style in self._chain(paragraph))

    def heading_level(self, paragraph: Element) -> int:
        """1 to 9 for headings, by outline level or the name of the style; 0 for other text."""
        own = _outline(paragraph.find(qn("w:pPr")))
        if own is not None:
            return own
        for style in self._chain(paragraph):
            if match := _HEADING.fullmatch(style.name):
                return int(match.group(1))
            level = _outline(style.properties)
            if level is not None:
                return level
        return 0

    def list_level(self, paragraph: Element) -> int:
        """From 1 for items of lists; 0 for other text."""
        own = _numbering(paragraph.find(qn("w:pPr")))
        if own is not None:
            return own
        for style in self._chain(paragraph):
            if match := _LIST.fullmatch(style.name):
                return int(match.group(1) or 1)
            level = _numbering(style.properties)
            if level is not None:
                return level
        return 0

    def numbering(self, paragraph: Element) -> tuple[int, int]:
        """The list that numbers the paragraph, and its level there from 0; the list is 0 where there is none."""
        key = level = None
        own = paragraph.find(qn("w:pPr"))
        for properties in (own, *(style.properties for style in self._chain(paragraph))):
            numbering = properties.find(qn("w:numPr")) if properties is not None else None
            if numbering is not None:
                level = digits_of(value_of(numbering.find(qn("w:ilvl")))) if level is None else level
                key = digits_of(value_of(numbering.find(qn("w:numId"))))
                if key is not None:
                    break
        return key or 0, level or 0

    def _chain(self, paragraph: Element) -> list[_Style]:
        """The paragraph's style and those it is based on, the nearest first."""
        properties = paragraph.find(qn("w:pPr"))
        key = value_of(properties.find(qn("w:pStyle"))) if properties is not None else ""
        chain: list[_Style] = []
        seen: set[str] = set()
        key = key or self._default
        while key in self._styles and key not in seen:
            seen.add(key)
            chain.append(self._styles[key])
            key = self._styles[key].based_on
        return chain


def is_on(element: Element | None) -> bool:
    """Whether a switch is set: it is there, and does not say that it is off."""
    return element is not None and element.get(qn("w:val"), "1") not in ("0", "false", "off", "none")


def value_of(element: Element | None, attribute: str = "w:val") -> str:
    """What an attribute says; "" where it or the element is missing."""
    return element.get(qn(attribute), "") if element is not None else ""


def digits_of(text: str) -> int | None:
    """The number that a text is, if it is one of up to nine digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _outline(properties: Element | None) -> int | None:
    """A heading's level from 1, 0 for body text, None where the properties say nothing."""
    if properties is None:
        return None
    level = digits_of(value_of(properties.find(qn("w:outlineLvl"))))
    return None if level is None else (level + 1 if level < _BODY_LEVEL else 0)


def _numbering(properties: Element | None) -> int | None:
    """A list item's level from 1, 0 where numbering is switched off, None where the properties say nothing."""
    numbering = properties.find(qn("w:numPr")) if properties is not None else None
    if numbering is None:
        return None
    if digits_of(value_of(numbering.find(qn("w:numId")))) == 0:
        return 0
    return (digits_of(value_of(numbering.find(qn("w:ilvl")))) or 0) + 1

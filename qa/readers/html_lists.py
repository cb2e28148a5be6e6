"""The numbers of HTML's ordered lists, as browsers count and write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from qa.readers.html_tags import LISTS
from qa.readers.markup import Token, TokenKind, attributes_of
from qa.readers.numerals import letters, roman

_INTEGER = re.compile(r"\s*([+-]?\d{1,9})(?!\d)", re.ASCII)
_STYLE = re.compile(r"list-style(?:-type)?\s*:([^;]*)", re.I)
_HIDDEN = re.compile(r"display\s*:\s*none", re.I)
_TYPES: Final = frozenset("1aAiI")
_KEYWORDS: Final = {
    "decimal": "1",
    **dict.fromkeys(("lower-alpha", "lower-latin"), "a"),
    **dict.fromkeys(("upper-alpha", "upper-latin"), "A"),
    "lower-roman": "i",
    "upper-roman": "I",
}
_BESIDE_A_TYPE: Final = frozenset({"inside", "outside", "!important"})


class Numbering:
    """Counts the items of one list. `size` is the number of its items, for a reversed one; bullets have no numbers."""

    def __init__(self, name: str, attributes: Mapping[str, str], size: int) -> None:
        self._is_ordered = name == "ol"
        self._type = _type_of(attributes, "1")
        self._step = -1 if "reversed" in attributes else 1
        first = _integer(attributes.get("start", ""))
        self._next = first if first is not None else (size if self._step < 0 else 1)

    def next(self, attributes: Mapping[str, str]) -> str:
        """The next item's number or letter with its full stop; "" where it has none, or one of an unknown kind."""
        if not self._is_ordered or is_hidden(attributes):
            return ""
        given = _integer(attributes.get("value", ""))
        number = self._next if given is None else given
        self._next = number + self._step
        kind = _type_of(attributes, self._type)
        if not kind:
            return ""
        written = {"a": letters, "i": roman}.get(kind.lower(), str)(number) or str(number)
        return f"{written.upper() if kind.isupper() else written}."


def is_hidden(attributes: Mapping[str, str]) -> bool:
    """Whether an element has no place on the page, so that it does not count."""
    return "hidden" in attributes or _HIDDEN.search(attributes.get("style", "")) is not None


def sizes_of_reversed(tokens: Iterable[Token]) -> dict[int, int]:
    """The number of items of each reversed list, by the place of its tag."""
    sizes: dict[int, int] = {}
    open_lists: list[int | None] = []  # the places of those that are reversed
    for token in tokens:
        if token.name in LISTS and token.kind is TokenKind.START:
            is_reversed = token.name == "ol" and "reversed" in token.attributes.lower()
            open_lists.append(token.start if is_reversed else None)
            if is_reversed:
                sizes[token.start] = 0
        elif token.name in LISTS and token.kind is TokenKind.END and open_lists:
            open_lists.pop()
        elif token.name == "li" and token.kind is TokenKind.START and open_lists:
            place = open_lists[-1]
            if place is not None and not (token.attributes and is_hidden(attributes_of(token))):
                sizes[place] += 1
    return sizes


def _type_of(attributes: Mapping[str, str], otherwise: str) -> str:
    """The kind of number, as the attribute `type` names it: by the style, then the attribute; "" for no number."""
    styles = _STYLE.findall(attributes.get("style", ""))
    if styles:
        words = [word for word in styles[-1].lower().split() if word not in _BESIDE_A_TYPE]
        return _KEYWORDS.get(words[0], "") if len(words) == 1 else ""
    given = attributes.get("type", "").strip()
    return given if given in _TYPES else otherwise


def _integer(text: str) -> int | None:
    match = _INTEGER.match(text)
    return int(match[1]) if match else None

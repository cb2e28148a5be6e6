"""A spreadsheet's number formats taken apart: ISO/IEC 29500-1, 18.8.30 and 18.8.31."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

_LONGEST_FORMAT: Final = 255  # characters, as spreadsheet programs have it
_TOKEN = re.compile(
    r"""(?P<literal>"[^"]*"?|\\.)|(?P<pad>_.)|(?P<fill>\*.)|\[(?P<bracket>[^\]]*)\]|(?P<general>general)"""
    r"""|(?P<half>am/pm|a/p)|(?P<date>y+|m+|d+|h+|s+(?:\.0+)?)|(?P<exponent>e[+-])|(?P<digit>[0\#?])|(?P<sign>[.,%/@])"""
    r"""|(?P<other>.)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a format: `kind` is a group's name in the pattern, or "elapsed" for hours and the like beyond 24."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """One of the parts of a format that semicolons divide; it may say for which numbers it is."""

    tokens: tuple[Token, ...]
    condition: tuple[str, Decimal] | None

    def kinds(self) -> set[str]:
        """What is in it."""
        return {token.kind for token in self.tokens}


@lru_cache(maxsize=1_000)
def sections_of(number_format: str) -> tuple[Section, ...]:
    """The sections of a format; there is at least one."""
    sections: list[Section] = []
    tokens: list[Token] = []
    condition = None
    for match in _TOKEN.finditer(number_format[:_LONGEST_FORMAT] + ";"):
        kind, text = match.lastgroup or "", match.group(match.lastgroup or 0)
        if text == ";":
            sections.append(Section(tuple(tokens), condition))
            tokens, condition = [], None
        elif kind == "bracket":
            if compared := _CONDITION.fullmatch(text):
                condition = (compared[1], Decimal(compared[2]))
            elif text.startswith("$"):
                tokens.append(Token("literal", text[1:].partition("-")[0]))
            elif text.lower() in ("h", "hh", "m", "mm", "s", "ss"):
                tokens.append(Token("elapsed", text.lower()))
        elif kind == "literal":
            tokens.append(Token("literal", text[1:] if text[0] == "\\" else text.strip('"')))
        elif kind in ("pad", "fill"):
            tokens.append(Token("literal", " " if kind == "pad" else ""))
        else:
            tokens.append(Token("literal" if kind == "other" else kind, text if kind == "other" else text.lower()))
    if tokens or not sections:  # a quote that nothing ends
        sections.append(Section(tuple(tokens), condition))
    return tuple(sections)

"""HTML as tags and text with their exact places, in time that grows with the file and no faster.

The standard library's parser is not used: with an unclosed comment or tag its time grows with the square of the file,
and a broken character reference makes it take the rest of the file for text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from html import unescape
from typing import Final


class TokenKind(Enum):
    """What a token is. `UNCLOSED` takes the rest of the file, as browsers do, and no reader sees it."""

    TEXT = auto()
    START = auto()
    END = auto()
    UNCLOSED = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token, at `raw[start:end]`; `name` is a tag's in small letters, `attributes` what stands after it."""

    kind: TokenKind
    start: int
    end: int
    name: str = ""
    attributes: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text at `raw[start:end]`; `stands_for` is a character reference's character, else empty.

    A piece without length is a gap that tags make; it has no place in the raw text.
    """

    start: int
    end: int
    stands_for: str = ""


_MARKUP = re.compile(r"<(?:[A-Za-z!?]|/)")
# Possessive throughout, so that nothing is scanned twice. A quote that never ends is taken for a plain character.
_TAG = re.compile(r"""<(/?)([A-Za-z][^\s/>]*+)((?:[^>=]++|=\s*+"[^"]*+"|=\s*+'[^']*+'|=)*+)>""")
_PLAIN_TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]*+)([^>]*+)>")
_COMMENT_END = re.compile(r"--!?>")
_ATTRIBUTE = re.compile(r"""([^\s=/>"']++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s>]++))?""")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};?)")
# The text of these runs to their end tag, whatever stands in it.
_OPAQUE: Final = frozenset({"script", "style", "iframe", "noembed", "noframes", "xmp", "textarea", "title"})
_SHOWN_OPAQUE: Final = frozenset({"title"})


def tokenise(raw: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """The tokens of `raw[start:end]`. Comments, declarations and what scripts and styles hold are left out."""
    return _Tokeniser(raw, start, len(raw) if end is None else end).tokens()


class _Tokeniser:
    def __init__(self, raw: str, start: int, end: int) -> None:
        self._raw = raw
        self._position = start
        self._end = end
        self._last_close = raw.rfind(">", start, end)
        self._is_xml = raw.startswith("<?xml", start)
        self._tag = _TAG
        self._never_ended: set[str] = set()

    def tokens(self) -> Iterator[Token]:
        text_start = self._position
        while match := _MARKUP.search(self._raw, self._position, self._end):
            found = match.start()
            if found > self._last_close and not self._raw.startswith("<!--", found):
                break
            if text_start < found:
                yield Token(TokenKind.TEXT, text_start, found)
            self._position = found
            yield from self._markup()
            text_start = self._position
        if text_start < self._end:
            yield Token(TokenKind.TEXT, text_start, self._end)

    def _markup(self) -> Iterator[Token]:
        raw, start = self._raw, self._position
        if raw.startswith("<!--", start):
            yield from self._comment()
        elif raw.startswith("<![CDATA[", start) and (close := raw.find("]]>", start, self._end)) >= 0:
            self._position = close + 3
            yield Token(TokenKind.TEXT, start + 9, close)
        elif not raw[start + 1 : start + 3].lstrip("/")[:1].isalpha():
            self._position = raw.index(">", start) + 1  # a declaration, or an end tag without a name
        else:
            yield from self._element()

    def _comment(self) -> Iterator[Token]:
        raw, start = self._raw, self._position
        for empty in ("<!-->", "<!--->"):
            if raw.startswith(empty, start):
                self._position = start + len(empty)
                return
        match = _COMMENT_END.search(raw, start + 4, self._end)
        self._position = match.end() if match else self._end
        if match is None:
            yield Token(TokenKind.UNCLOSED, start, self._end, "<!--")

    def _element(self) -> Iterator[Token]:
        match = self._tag.match(self._raw, self._position, self._end)
        if match is None:
            # The only ">" that are left stand in quotes. From here on quotes mean nothing, so that this is found once.
            self._tag = _PLAIN_TAG
            match = self._tag.match(self._raw, self._position, self._end)
        if match is None:
            self._position = self._raw.index(">", self._position) + 1
            return
        slash, name, attributes = match.group(1), match.group(2).lower(), match.group(3)
        kind = TokenKind.END if slash else TokenKind.START
        self._position = match.end()
        yield Token(kind, match.start(), match.end(), name, attributes)
        is_empty = attributes.endswith("/")
        if kind is TokenKind.START and is_empty and self._is_xml:
            yield Token(TokenKind.END, match.end(), match.end(), name)
        elif kind is TokenKind.START and name in _OPAQUE:
            yield from self._opaque(name)

    def _opaque(self, name: str) -> Iterator[Token]:
        start = self._position
        if name in self._never_ended:
            return
        match = re.compile(rf"</{name}(?=[\s/>])", re.I).search(self._raw, start, self._end)
        if match is not None:
            self._position = match.start()
            if name in _SHOWN_OPAQUE:
                yield Token(TokenKind.TEXT, start, match.start())
            return
        self._never_ended.add(name)
        if name not in _SHOWN_OPAQUE:
            self._position = self._end
            yield Token(TokenKind.UNCLOSED, start, self._end, f"<{name}>")


def attributes_of(token: Token) -> dict[str, str]:
    """A start tag's attributes by their names in small letters; of two with one name the first counts."""
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(token.attributes):
        if value[:1] in ("'", '"') and value[-1:] == value[:1]:
            value = value[1:-1]
        found.setdefault(name.lower(), unescape(value) if len(value) < 4_000 else value)
    return found


def pieces_of(raw: str, token: Token) -> Iterator[Piece]:
    """A text token's stretches, its character references apart."""
    done = token.start
    for match in _REFERENCE.finditer(raw, token.start, token.end):
        meant = unescape(match.group())
        if meant != match.group():
            if done < match.start():
                yield Piece(done, match.start())
            yield Piece(match.start(), match.end(), meant)
            done = match.end()
    if done < token.end:
        yield Piece(done, token.end)

"""Where the words of a Markdown block stand in the raw text.

The parser gives lines for blocks, and nothing for what is in them. Each run of text is therefore looked for from
where the one before it ended; link targets are stepped over, so that a word is not found in an address.
"""

from __future__ import annotations

from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from qa.readers.normalise import TextBuilder, normalise

_MOST_MISSES: Final = 20  # in one block; each costs a look through the rest of it
_OPAQUE_TAGS: Final = ("script", "style", "template", "noscript", "textarea", "svg", "iframe")


class Cursor:
    """Copies texts of one block in order, and remembers how far it has come in `raw[start:end]`."""

    def __init__(self, raw: str, start: int, end: int, builder: TextBuilder, parser: MarkdownIt) -> None:
        self._raw = raw
        self._position = start
        self._end = end
        self._builder = builder
        self._parser = parser
        self._misses = 0
        self._never_ended: set[str] = set()

    def inline(self, tokens: list[Token]) -> None:
        """Write inline tokens: text, code, pictures' descriptions and links' texts, without their marks."""
        hidden_by = ""
        for index, token in enumerate(tokens):
            match token.type:
                case "html_inline":
                    hidden_by = self._html(token.content, hidden_by, tokens, index)
                case _ if hidden_by:
                    continue
                case "text":
                    self.text(token.content)
                case "text_special":
                    self._special(token)
                case "code_inline":
                    self.skip(token.markup)
                    self.text(token.content)
                    self.skip(token.markup)
                case "softbreak" | "hardbreak":
                    self._builder.insert(" ")
                case "image":
                    self.skip("![")
                    self.inline(token.children or [])
                    self._skip_target()
                case "link_close" if token.markup == "autolink":
                    self.skip(">")
                case "link_close":
                    self._skip_target()
                case "link_open":
                    self.skip("<" if token.markup == "autolink" else "[")
                case _:
                    self.skip(token.markup)  # of emphasis

    def text(self, text: str) -> None:
        """Write text that stands in the block as it is, but perhaps over several lines."""
        found = self._find(text)
        if found is not None:
            self._builder.copy(found, found + len(text))
            return
        for index, word in enumerate(text.split()):
            if index or text[0].isspace():
                self._builder.insert(" ")
            found = self._find(word)
            if found is None:
                self._builder.insert(word)
            else:
                self._builder.copy(found, found + len(word))
        if text[-1:].isspace():
            self._builder.insert(" ")

    def _find(self, text: str) -> int | None:
        if not text or self._misses >= _MOST_MISSES:
            return None
        found = self._raw.find(text, self._position, self._end)
        if found < 0:
            self._misses += 1
            return None
        self._position = found + len(text)
        return found

    def skip(self, mark: str) -> None:
        """Step over a mark."""
        self._find(mark)

    def _special(self, token: Token) -> None:
        """An escaped character, or a character reference."""
        found = self._find(token.markup)
        if found is None:
            self._builder.insert(token.content)
        elif token.info == "escape":
            shown = found + len(token.markup) - len(token.content)
            self._builder.copy(shown, shown + len(token.content))
        else:
            self._builder.stand_in(token.content, found, found + len(token.markup))

    def _html(self, tag: str, hidden_by: str, tokens: list[Token], index: int) -> str:
        """Step over the tag `tokens[index]`; the end tag up to which nothing is shown, or ""."""
        self.skip(tag)
        name = tag.lower()
        if hidden_by:
            return "" if name.startswith(hidden_by) else hidden_by
        if name.startswith(("<br", "<img")):
            self._builder.insert(" ")
        ending = next((f"</{opaque}" for opaque in _OPAQUE_TAGS if name.startswith(f"<{opaque}")), "")
        if not ending or ending in self._never_ended:
            return ""
        for later in tokens[index + 1 :]:
            if later.type == "html_inline" and later.content.lower().startswith(ending):
                return ending
        self._never_ended.add(ending)  # text that follows a tag without an end is not given up
        return ""

    def _skip_target(self) -> None:
        """Step over "](address "title")" or "][name]", after a link's text."""
        raw, end = self._raw, self._end
        bracket = raw.find("]", self._position, end)
        if bracket < 0:
            return
        self._position = bracket + 1
        after = raw[self._position : self._position + 1]
        if after == "[":
            self.skip("]")
        elif after == "(":
            self._position += 1
            self._skip_white()
            target = self._parser.helpers.parseLinkDestination(raw, self._position, end)
            if target.ok:
                self._position = target.pos
                self._skip_white()
                title = self._parser.helpers.parseLinkTitle(raw, self._position, end)
                if title.ok:
                    self._position = title.pos
            self.skip(")")

    def _skip_white(self) -> None:
        while self._position < self._end and self._raw[self._position].isspace():
            self._position += 1


def plain_text(tokens: list[Token]) -> str:
    """What inline tokens show, as one line."""
    parts: list[str] = []
    for token in tokens:
        if token.type in ("text", "text_special", "code_inline"):
            parts.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif token.type == "image":
            parts.append(plain_text(token.children or []))
    return normalise("".join(parts))

"""Markdown: CommonMark with tables, and YAML front matter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from qa.models import BlockKind, Document
from qa.readers.decode import decode
from qa.readers.front_matter import split_front_matter
from qa.readers.html import write_fragment
from qa.readers.locate import Cursor, plain_text
from qa.readers.normalise import TextBuilder, is_cut_short, normalise

_LINE_END = re.compile(r"\r\n?|\n")  # as the parser counts lines
_TASK = re.compile(r"\[[ xX]\](?=\s)\s*")
_MOST_NESTED: Final = 100  # lists and quotes within each other; the parser leaves out what is deeper


def read(path: Path) -> Document:
    """The Markdown file as a document; its title is the front matter's, else the first heading of level 1."""
    raw, warnings = decode(path.read_bytes(), path)
    front_matter, start = split_front_matter(raw, path)
    builder = TextBuilder(raw)
    writer = _Writer(raw, start, builder, path)
    first_heading = writer.write()
    given = front_matter.get("title")
    named = normalise(given) if isinstance(given, str) else ""
    title = named or first_heading
    return builder.document(path, title=title, front_matter=front_matter, warnings=warnings + writer.warnings)


def _parser() -> MarkdownIt:
    # Without text_join, escapes and character references stay apart from the text around them, and can be placed.
    return MarkdownIt("commonmark", {"maxNesting": _MOST_NESTED}).enable("table").disable("text_join")


class _Writer:
    """Writes the blocks of one Markdown text."""

    def __init__(self, raw: str, start: int, builder: TextBuilder, path: Path) -> None:
        self._raw, self._builder, self._path = raw, builder, path
        self._parser = _parser()
        self._tokens = self._parser.parse(raw[start:])
        self._line_starts = [start, *(match.end() for match in _LINE_END.finditer(raw, start)), len(raw)]
        self._lists = 0  # the outermost lists so far, so that two on end are two
        self._next: list[int | None] = []  # the number of each open list's next item; None for bullets
        self._marker = ""  # of the item that begins
        self._tables = 0
        self._is_item_pending = False
        self._names: list[str] = []
        self._cells: list[list[Token]] = []
        self._heading: str | None = None
        self.warnings: tuple[str, ...] = ()
        if any(token.level >= _MOST_NESTED - 1 for token in self._tokens):
            self.warnings += ("lists and quotes are nested too deep; the innermost were not read",)

    def write(self) -> str | None:
        """Write everything; the first heading of level 1."""
        header: list[list[Token]] = []
        has_rows = False
        for index, token in enumerate(self._tokens):
            match token.type:
                case "bullet_list_open" | "ordered_list_open":
                    self._lists += not self._next
                    self._next.append(int(token.attrs.get("start", 1)) if token.tag == "ol" else None)
                case "bullet_list_close" | "ordered_list_close":
                    self._next.pop()
                    self._is_item_pending = False
                case "list_item_open":
                    self._is_item_pending = True
                    self._marker = self._number(token)
                case "table_open":
                    self._tables += 1
                    self._names, header, has_rows = [], [], False
                case "tr_open":
                    self._cells = []
                    if not self._names:
                        header_row = self._cursor(token)
                    row = self._cursor(token)
                case "tr_close" if self._tokens[index + 1].type == "thead_close":
                    header = self._cells
                    self._names = [plain_text(cell) for cell in header]
                    if is_cut_short(self._names):
                        has_rows = True
                        self._write_row(header_row, header, [])
                case "tr_close":
                    has_rows = True
                    self._write_row(row, self._cells, self._names)
                case "table_close" if not has_rows:
                    self._write_row(header_row, header, [])
                case "inline" if self._tokens[index - 1].type in ("th_open", "td_open"):
                    self._cells.append(token.children or [])
                case "inline":
                    self._write_inline(self._tokens[index - 1], token)
                case "fence" | "code_block":
                    self._write_code(token)
                case "html_block":
                    start, end = self._span(token)
                    self.warnings += write_fragment(self._raw, start, end, self._builder, self._path)
                case _:
                    pass
        return self._heading

    def _span(self, token: Token) -> tuple[int, int]:
        """Where the lines of a block stand in the raw text."""
        first, last = token.map or [0, len(self._line_starts) - 1]
        return self._line_starts[first], self._line_starts[min(last, len(self._line_starts) - 1)]

    def _cursor(self, token: Token, skipped: int = 0) -> Cursor:
        start, end = self._span(token)
        return Cursor(self._raw, start + skipped, end, self._builder, self._parser)

    def _number(self, item: Token) -> str:
        """An item's number as Markdown counts: from the list's first number on, whatever the others say."""
        number = self._next[-1]
        if number is None:
            return ""
        self._next[-1] = number + 1
        return f"{number}{item.markup}"

    def _begin(self) -> None:
        if self._is_item_pending:
            self._is_item_pending = False
            self._builder.begin(
                BlockKind.LIST_ITEM, level=len(self._next), group=("list", self._lists), marker=self._marker
            )
        else:
            self._builder.begin(BlockKind.PARAGRAPH)

    def _write_inline(self, parent: Token, token: Token) -> None:
        children = token.children or []
        if parent.type == "heading_open":
            level = int(parent.tag[1:])
            self._builder.begin(BlockKind.HEADING, level=level)
            self._cursor(token).inline(children)
            text = self._builder.end()
            if level == 1 and self._heading is None:
                self._heading = text
            return
        is_item = self._is_item_pending
        self._begin()
        cursor = self._cursor(token)
        if is_item and children and (task := _TASK.match(children[0].content)) and children[0].type == "text":
            cursor.skip(task.group().rstrip())
            children[0].content = children[0].content[task.end() :]
        cursor.inline(children)
        self._builder.end()

    def _write_code(self, token: Token) -> None:
        self._begin()
        start, _ = self._span(token)
        fence = _LINE_END.search(self._raw, start) if token.type == "fence" else None
        cursor = self._cursor(token, skipped=fence.end() - start if fence else 0)
        for line in token.content.split("\n"):
            if line.strip():
                cursor.text(line.strip())
                self._builder.insert(" ")
        self._builder.end()

    def _write_row(self, cursor: Cursor, cells: list[list[Token]], names: list[str]) -> None:
        self._builder.begin(BlockKind.TABLE_ROW, group=("table", self._tables))
        for index, cell in enumerate(cells):
            if plain_text(cell):
                self._builder.cell(names[index] if index < len(names) else "", index)
                cursor.inline(cell)
        self._builder.end()

"""HTML: the main content only, without scripts, styles, navigation, forms' controls and what is hidden."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from qa.errors import BrokenDocument
from qa.models import BlockKind, Document
from qa.readers.decode import decode
from qa.readers.html_lists import Numbering, sizes_of_reversed
from qa.readers.html_tables import Cell, Table, layout_tables, span_of, write_piece
from qa.readers.html_tags import (
    BLOCKS,
    CELL_EDGES,
    DROPPED,
    DROPPED_ROLES,
    HEADING_CLOSED_BY,
    HEADINGS,
    IMPLIED_ENDS,
    IN_HEAD,
    LISTS,
    P_CLOSED_BY,
    SECTIONS,
    TABLE_PARTS,
    VOID,
)
from qa.readers.markup import Piece, Token, TokenKind, attributes_of, pieces_of, tokenise
from qa.readers.normalise import BLANKS, TextBuilder, normalise

_MOST_NESTED: Final = 500  # elements; browsers stop near 512
# An <article> is taken for the main content only if it holds this share of the page's text or more.
_LEAST_SHARE: Final = 1 / 3


def read(path: Path) -> Document:
    """The page as a document: what stands in <main>, else in <article>, else in <body>."""
    raw, warnings = decode(path.read_bytes(), path)
    tokens = list(tokenise(raw))
    body = _Walker(raw, tokens, "body", path)
    best = body
    for root in ("main", "article"):
        if root in body.roots_seen:
            inner = _Walker(raw, tokens, root, path)
            if inner.size > (0 if root == "main" else body.size * _LEAST_SHARE):
                best = inner
                break
    warnings += _unclosed(raw, tokens)
    front_matter = {"language": body.language} if body.language else {}
    title = body.title or best.first_heading or body.first_heading
    return best.builder.document(path, title=title, front_matter=front_matter, warnings=warnings)


def write_fragment(raw: str, start: int, end: int, builder: TextBuilder, path: Path) -> tuple[str, ...]:
    """Write the text of HTML that stands within another format, at `raw[start:end]`, as blocks; warnings."""
    tokens = list(tokenise(raw, start, end))
    _Walker(raw, tokens, "fragment", path, builder)
    return _unclosed(raw, tokens)


def _unclosed(raw: str, tokens: list[Token]) -> tuple[str, ...]:
    """A warning if an element without an end hides the rest of the text; only the last token can be one."""
    if not tokens or tokens[-1].kind is not TokenKind.UNCLOSED:
        return ()
    line = len(raw[: tokens[-1].start + 1].splitlines())
    return (f"{tokens[-1].name} on line {line:,} is never closed; nothing after it was read",)


@dataclass(slots=True)
class _Element:
    name: str
    is_dropped: bool = False
    is_root: bool = False
    is_pending_item: bool = False
    marker: str = ""


class _Walker:
    """Walks the tokens once and writes the blocks below `root`: "main", "article", "body" or "fragment"."""

    def __init__(
        self, raw: str, tokens: list[Token], root: str, path: Path, builder: TextBuilder | None = None
    ) -> None:
        self.builder = builder or TextBuilder(raw)
        self.title: str | None = None
        self.language = ""
        self.first_heading: str | None = None
        self.roots_seen: set[str] = set()
        self.size = 0  # characters of raw text that were taken
        self._raw, self._root, self._path = raw, root, path
        self._stack: list[_Element] = []
        self._open: Counter[str] = Counter()
        self._dropped = 0
        self._roots = 0
        self._numberings: list[Numbering] = []  # of the open lists, the innermost last
        self._sizes = sizes_of_reversed(tokens)
        self._list = 0  # where the outermost list begins, so that two lists on end are two
        self._is_begun = False
        self._is_term_open = False  # a <dt> has ended, and its <dd> may follow in the same block
        self._after_term = False  # the <dd> has begun; what opens within it opens no new block
        self._table: Table | None = None
        self._layout_tables = layout_tables(tokens)
        self._inner_tables = 0
        self._row: list[Cell] | None = None
        self._cell: Cell | None = None
        self._in_title = False
        for token in tokens:
            match token.kind:
                case TokenKind.START:
                    self._start_tag(token)
                case TokenKind.END:
                    self._end_tag(token.name)
                case TokenKind.TEXT:
                    self._text(token)
                case TokenKind.UNCLOSED:
                    break
        while self._stack:
            self._pop()
        self._boundary()

    @property
    def _is_taken(self) -> bool:
        return not self._dropped and (self._root in ("body", "fragment") or self._roots > 0)

    def _text(self, token: Token) -> None:
        if self._in_title:
            self.title = self.title or normalise("".join(self._shown(piece) for piece in pieces_of(self._raw, token)))
            return
        if self._stack and self._stack[-1].name == "head" and self._raw[token.start : token.end].strip(BLANKS):
            self._pop()
        if not self._is_taken:
            return
        for piece in pieces_of(self._raw, token):
            if self._cell is not None:
                self._cell.pieces.append(piece)
                self.size += piece.end - piece.start
                continue
            if normalise(piece.stands_for) if piece.stands_for else self._raw[piece.start : piece.end].strip(BLANKS):
                self.size += piece.end - piece.start
                self._begin()
            if self._is_begun:
                write_piece(piece, self.builder)

    def _shown(self, piece: Piece) -> str:
        return piece.stands_for or self._raw[piece.start : piece.end]

    def _begin(self) -> None:
        """Open a block, of the kind that the open elements call for, unless one is open."""
        self._after_term = self._is_term_open = False
        if self._is_begun:
            return
        self._is_begun = True
        for element in reversed(self._stack):
            if element.name in HEADINGS:
                self.builder.begin(BlockKind.HEADING, level=HEADINGS[element.name])
                return
            if element.name in ("li", "dt", "dd"):
                if element.is_pending_item:
                    element.is_pending_item = False
                    level = max(sum(self._open[name] for name in (*LISTS, "dl")), 1)
                    group = ("html list", self._list)
                    self.builder.begin(BlockKind.LIST_ITEM, level=level, group=group, marker=element.marker)
                    return
                break
        self.builder.begin(BlockKind.PARAGRAPH)

    def _boundary(self) -> None:
        """Close the open block, except between a term and its meaning."""
        if self._cell is not None:
            self._cell.pieces.append(Piece(0, 0, " "))
            return
        if self._after_term:
            return
        is_heading = any(self._open[name] for name in HEADINGS)
        text = self.builder.end()
        self._is_begun = self._is_term_open = False
        if text is not None and is_heading and self.first_heading is None:
            self.first_heading = text

    def _start_tag(self, token: Token) -> None:
        name = token.name
        self._in_title = name == "title" and bool(self._open["head"] or not (self._open["body"] or self._dropped))
        if name == "title":
            return
        if self._open["head"] and name not in IN_HEAD and self._stack[-1].name == "head":
            self._pop()
        self._close_implied(name)
        if name == "dd" and self._is_term_open and self._is_taken:
            self.builder.colon()
            self._after_term = True
        elif name in BLOCKS or name == "hr":
            self._boundary()
        if name in ("br", "img"):
            self._space()
        if name in VOID:
            return
        attributes = attributes_of(token) if token.attributes else {}
        if name == "html":
            self.language = self.language or normalise(attributes.get("lang", attributes.get("xml:lang", "")))
        element = _Element(name, is_dropped=self._is_dropped(name, attributes), is_root=self._is_root(name, attributes))
        # Inside what is dropped every element is followed, so that an inner end tag does not end it too soon.
        is_followed = self._dropped and not token.attributes.endswith("/")
        if name in BLOCKS or element.is_dropped or element.is_root or is_followed:
            self._push(element, attributes, token.start)

    def _space(self) -> None:
        if self._cell is not None:
            self._cell.pieces.append(Piece(0, 0, " "))
        elif self._is_begun and self._is_taken:
            self.builder.insert(" ")

    def _is_dropped(self, name: str, attributes: dict[str, str]) -> bool:
        if name in DROPPED:
            return True
        style = attributes.get("style", "").replace(" ", "").lower()
        if (
            "hidden" in attributes
            or attributes.get("aria-hidden", "").lower() == "true"
            or "display:none" in style
            or "visibility:hidden" in style
        ):
            return True
        if self._root == "fragment" or self._roots:
            return name == "nav" or attributes.get("role") in ("navigation", "search")
        if name in ("header", "footer"):
            return not any(self._open[section] for section in SECTIONS)
        if name == "aside":
            return not (self._open["main"] or self._open["article"])
        return attributes.get("role", "").lower() in DROPPED_ROLES

    def _is_root(self, name: str, attributes: dict[str, str]) -> bool:
        if self._dropped:
            return False
        is_main = name == "main" or attributes.get("role", "").lower() == "main"
        if is_main:
            self.roots_seen.add("main")
        elif name == "article":
            self.roots_seen.add("article")
        return (self._root == "main" and is_main) or (self._root == "article" and name == "article")

    def _push(self, element: _Element, attributes: dict[str, str], place: int) -> None:
        name = element.name
        if len(self._stack) >= _MOST_NESTED:
            raise BrokenDocument(
                "the page's elements are nested too deep",
                path=self._path,
                found=f"more than {_MOST_NESTED} within each other",
                expected="a page that a browser can show",
                remedy="Save the page again from the program that made it.",
            )
        if (name in LISTS or name == "dl") and not any(self._open[kind] for kind in (*LISTS, "dl")):
            self._list = place
        if name in LISTS:
            self._numberings.append(Numbering(name, attributes, self._sizes.get(place, 0)))
        elif name == "li" and self._numberings:
            element.marker = self._numberings[-1].next(attributes)
        element.is_pending_item = name in ("li", "dt") or (name == "dd" and not self._after_term)
        self._stack.append(element)
        self._open[name] += 1
        self._dropped += element.is_dropped
        self._roots += element.is_root
        if name in TABLE_PARTS and self._is_taken:
            self._open_table_part(name, attributes, place)

    def _open_table_part(self, name: str, attributes: dict[str, str], place: int) -> None:
        if name == "table":
            if self._table is not None:
                self._inner_tables += 1
            elif place not in self._layout_tables and attributes.get("role", "") not in ("presentation", "none"):
                self._table = Table(self._raw, self.builder, ("html table", place))
        elif self._table is None or self._inner_tables:
            return
        elif name == "tr":
            self._row = []
        elif name in ("td", "th"):
            if self._row is None:
                self._row = []
            columns, rows = span_of(attributes.get("colspan")), span_of(attributes.get("rowspan"))
            self._cell = Cell(is_header=name == "th", columns=columns, rows=rows)
            self._row.append(self._cell)

    def _pop(self) -> None:
        element = self._stack[-1]
        name = element.name
        if name in TABLE_PARTS and self._is_taken and self._table is not None:
            self._close_table_part(name, self._table)
        if name == "dt" and self._is_begun:
            self._is_term_open = True
        elif name in BLOCKS:
            self._after_term = False
            self._boundary()
        self._stack.pop()
        if name in LISTS:
            self._numberings.pop()
        self._open[name] -= 1
        self._dropped -= element.is_dropped
        self._roots -= element.is_root

    def _close_table_part(self, name: str, table: Table) -> None:
        if self._inner_tables:
            self._inner_tables -= name == "table"
            return
        if name in ("td", "th"):
            self._cell = None
        elif name in ("tr", "table", "thead", "tbody", "tfoot"):
            self._cell = None
            if self._row:
                table.take(self._row, in_head=self._open["thead"] > 0)
            self._row = None
            if name == "table":
                table.close()
                self._table = None

    def _close_implied(self, name: str) -> None:
        if name in P_CLOSED_BY and self._open["p"]:
            self._close(frozenset({"p"}), CELL_EDGES)
        # A heading with text in it was left open; <h2><p> is only an odd way to write a heading.
        if self._is_begun and name in HEADING_CLOSED_BY and any(self._open[heading] for heading in HEADINGS):
            self._close(frozenset(HEADINGS), CELL_EDGES)
        if name in IMPLIED_ENDS:
            targets, edges = IMPLIED_ENDS[name]
            if any(self._open[target] for target in targets):
                self._close(targets, edges)

    def _close(self, targets: frozenset[str], edges: frozenset[str]) -> None:
        """Close the innermost open element of `targets`, and what is open in it, unless one of `edges` is nearer."""
        for depth in range(len(self._stack) - 1, -1, -1):
            name = self._stack[depth].name
            if name in targets:
                while len(self._stack) > depth:
                    self._pop()
                return
            if name in edges:
                return

    def _end_tag(self, name: str) -> None:
        self._in_title = False
        if self._open[name]:
            self._close(frozenset({name}), frozenset() if name in TABLE_PARTS else CELL_EDGES - {name})
        elif name in BLOCKS:
            self._boundary()

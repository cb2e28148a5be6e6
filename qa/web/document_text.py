"""The text of a document laid out as HTML: headings, paragraphs, lists and tables, with marks.

All text is escaped, whoever wrote it; the tags and classes are ours alone. Each block is an element of its own, so that
what a text says about its direction ends with it.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from qa.models import Block, BlockKind
from qa.offsets import Span
from qa.web.document_tables import table_html
from qa.web.markup import highlighted

_LOWEST_HEADING: Final = 6
_DEEPEST_LIST: Final = 6  # levels; what is deeper stands beside these, or phones would have no room left for it
# A capital with a full stop may be an initial: "N. Okafor".
_OWN_MARK = re.compile(r"(?:\(?(?:(?:\d{1,3}(?:\.\d{1,3})*|[a-z]|[ivx]{1,5})[.)]|[A-Z]\))|[☐☑☒✓✔✗✘])(?:\s|$)")


def document_html(
    text: str, blocks: Sequence[Block], span: Span, marks: Sequence[Span], *, mark_id: str | None, top: int = 2
) -> str:
    """What stands in `span` of a document's text, with a `<mark>` around what of it `marks` cover; "" for nothing.

    `blocks` are all of the document's. The first mark has the id `mark_id`. Headings begin at the level `top`, and none
    skips a level. Names of columns, which readers write again in each row, stand on top of their table.
    """
    laid_out = "".join(_Layout(text, blocks, span, marks, top).parts())
    if mark_id is None:
        return laid_out
    return laid_out.replace("<mark>", f'<mark id="{html.escape(mark_id)}">', 1)


class _Layout:
    """Lays out one span of a document."""

    def __init__(self, text: str, blocks: Sequence[Block], span: Span, marks: Sequence[Span], top: int) -> None:
        self._text, self._span, self._marks, self._top = text, span, marks, top
        first = bisect_right(blocks, span[0], key=lambda block: block.end)
        self._blocks = [
            block
            for block in blocks[first : bisect_right(blocks, span[1], key=lambda block: block.start)]
            if text[slice(*self._seen(block.start, block.end))].strip()
        ]
        above = (block for block in reversed(blocks[:first]) if block.kind is BlockKind.HEADING)
        self._heading = next((text[block.start : block.end] for block in above), "")
        self._levels: list[int] = []  # of the headings that what comes next stands under

    def parts(self) -> Iterator[str]:
        """The HTML, from heading to heading, paragraph to paragraph, list to list."""
        for run in self._runs():
            match run[0].kind:
                case BlockKind.HEADING:
                    yield self._heading_html(run[0])
                case BlockKind.PARAGRAPH:
                    yield f"<p>{self._show(run[0].start, run[0].end)}</p>"
                case BlockKind.LIST_ITEM:
                    yield "".join(self._list(run))
                case BlockKind.TABLE_ROW:
                    yield table_html(self._text, run, self._show, self._heading)

    def _runs(self) -> Iterator[list[Block]]:
        """Items of one list and rows of one table, which one newline joins, together; other blocks alone."""
        run: list[Block] = []
        for block in self._blocks:
            if run and (block.kind is not run[-1].kind or self._text[run[-1].end : block.start] != "\n"):
                yield run
                run = []
            run.append(block)
        if run:
            yield run

    def _seen(self, start: int, end: int) -> Span:
        """What of these characters is to be seen."""
        start = max(start, self._span[0])
        return start, max(start, min(end, self._span[1]))

    def _show(self, start: int, end: int) -> str:
        """The characters that are to be seen, escaped and marked."""
        start, end = self._seen(start, end)
        here = [(first - start, last - start) for first, last in self._marks if first < end and last > start]
        return highlighted(self._text[start:end], here)

    def _heading_html(self, block: Block) -> str:
        while self._levels and self._levels[-1] >= block.level:
            self._levels.pop()
        self._levels.append(block.level)
        self._heading = self._text[block.start : block.end]
        level = min(self._top + len(self._levels) - 1, _LOWEST_HEADING)
        return f"<h{level}>{self._show(block.start, block.end)}</h{level}>"

    def _list(self, items: Sequence[Block]) -> Iterator[str]:
        levels: list[int] = []  # of the lists that are open, the innermost last
        for item in items:
            while len(levels) > 1 and levels[-1] > item.level:
                levels.pop()
                yield "</li></ul>"
            if not levels or (item.level > levels[-1] and len(levels) < _DEEPEST_LIST):
                levels.append(item.level)
                yield '<ul class="cq-doc-list">'
            else:
                levels[-1] = min(levels[-1], item.level)
                yield "</li>"
            start, end = self._seen(item.start, item.end)
            kind = number = ""
            if start > item.start:
                kind = ' class="cq-doc-rest"'  # its bullet is on the page before
            elif item.marker or _OWN_MARK.match(self._text, start, end):
                kind = ' class="cq-doc-own"'
            if item.marker and start == item.start:
                # As text, it is copied and read out as well.
                number = f'<span class="cq-doc-number">{html.escape(item.marker)}</span> '
            yield f"<li{kind}>{number}{self._show(start, end)}"
        yield "</li></ul>" * len(levels)

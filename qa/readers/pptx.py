"""PPTX: the slides that the audience sees, each under its title, with lists, tables, groups and diagrams.

Hidden slides and shapes, speaker notes and what lies beside the slide are left out, with a warning, as they are not
meant to be seen; so are pictures, charts and the footers that stand on every slide. The offset map is empty: a slide
is no text to point into.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pptx
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.oxml.ns import qn
from pptx.shapes.autoshape import Shape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape

from qa.errors import BrokenDocument, TooLarge
from qa.models import BlockKind, Document, PageKind
from qa.readers.grid import GridWriter
from qa.readers.grid_cells import GridCell, is_figure
from qa.readers.normalise import normalise
from qa.readers.office import Format, check_package
from qa.readers.paged import PagedBuilder
from qa.readers.pptx_text import Box, Bullets, Count, diagram_texts, in_reading_order

if TYPE_CHECKING:
    from pptx.oxml.xmlchemy import BaseOxmlElement as Element
    from pptx.presentation import Presentation
    from pptx.shapes.base import BaseShape
    from pptx.slide import Slide
    from pptx.table import Table
    from pptx.text.text import TextFrame

_MOST_SLIDES: Final = 2_000
_MOST_NAMED: Final = 20  # slides in one warning
_LONGEST_REPEATED: Final = 200  # characters of a cell that is said again in the rows it is merged over
_REMEDY: Final = "Open it in a presentation program and save it again as PPTX."
_FORMAT: Final = Format("PPTX", "a PowerPoint 97-2003 presentation", "PowerPoint Document", _REMEDY)
# What python-pptx raises on a broken package: SyntaxError for XML, KeyError and AttributeError for missing parts.
_FAULTS: Final = (
    *(PythonPptxError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, SyntaxError, RecursionError),
    *(LookupError, AttributeError, ValueError, TypeError, AssertionError),
)
_ON_EVERY_SLIDE: Final = frozenset(
    {PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.HEADER, PP_PLACEHOLDER.SLIDE_NUMBER}
)
_COMPATIBILITY: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DIAGRAM_PARTS: Final = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
# Titles that programs give to files by themselves.
_NO_TITLE = re.compile(
    r"(?:powerpoint.*|presentation ?\d*|slide ?\d*|untitled.*|microsoft.*|.*\.(?:pptx?|odp|key))", re.I
)


def read(path: Path) -> Document:
    """The slides as a document, each a page; its title is the file's property, else the first slide's.

    Raises `EmptyDocument`, `EncryptedDocument`, `TooLarge` (more than 2,000 slides) and `BrokenDocument`.
    """
    check_package(path, _FORMAT)
    try:
        deck = pptx.Presentation(str(path))
        if len(deck.slides) > _MOST_SLIDES:
            raise TooLarge(
                "the file has too many slides",
                path=path,
                found=f"{len(deck.slides):,}",
                expected=f"at most {_MOST_SLIDES:,}",
                remedy="Split it into several files.",
            )
        writer = _Writer(deck)
        writer.write()
        named = normalise(deck.core_properties.title or "")
    except _FAULTS as error:
        raise BrokenDocument(
            "the file is damaged or is no PPTX file",
            path=path,
            found=f"{type(error).__name__}: {normalise(str(error))[:200]}",
            expected="a PPTX file",
            remedy=_REMEDY,
        ) from error
    title = named if named and not _NO_TITLE.fullmatch(named) else writer.title
    return writer.builder.document(path, title=title, warnings=tuple(writer.warnings()))


class _Writer:
    """Walks the slides and writes their blocks."""

    def __init__(self, deck: Presentation) -> None:
        self.builder = PagedBuilder(PageKind.SLIDE)
        self.title: str | None = None
        self._deck = deck
        self._grids = GridWriter(self.builder)
        self._bullets: dict[str, Bullets] = {}
        self._level = 1  # of a slide's title
        self._lists = 0
        self._hidden: list[str] = []
        self._noted: list[str] = []
        self._outside: list[str] = []
        self._concealed: list[str] = []
        self._silent: list[str] = []

    def write(self) -> None:
        """Write all slides that are shown. Below the title of a title slide the others go one level deeper."""
        first = self._deck.element.get("firstSlideNum", "1")
        number = int(first) if first.isascii() and first.isdigit() and len(first) < 6 else 1
        shown = 0
        for label, slide in enumerate(self._deck.slides, number):
            if slide.element.get("show") in ("0", "false"):
                self._hidden.append(str(label))
                continue
            shown += 1
            self._slide(slide, str(label))
            if shown == 1 and self.title and _is_title_slide(slide):
                self._level = 2

    def warnings(self) -> Iterator[str]:
        """What was left out, in sentences."""
        for slides, what in (
            (self._hidden, "left out, because hidden"),
            (self._noted, "speaker notes left out, as the audience does not see them"),
            (self._concealed, "hidden text left out"),
            (self._outside, "text beside the slide left out, as the audience does not see it"),
            (self._silent, "no text (a picture or a chart?)"),
        ):
            if slides:
                more = ", …" if len(slides) > _MOST_NAMED else ""
                yield f"{'Slide' if len(slides) == 1 else 'Slides'} {', '.join(slides[:_MOST_NAMED])}{more}: {what}"

    def _slide(self, slide: Slide, label: str) -> None:
        self.builder.turn(label)
        self.builder.leave(self._level)
        _choose(slide.element)
        shapes = slide.shapes
        head = shapes.title
        if head is not None and not _is_hidden(head):
            self.builder.begin(BlockKind.HEADING, level=self._level)
            self.builder.insert(head.text_frame.text)
            written = self.builder.end()
            if self.title is None:
                self.title = written
        key = str(slide.slide_layout.part.partname)
        bullets = self._bullets.get(key) or self._bullets.setdefault(key, Bullets(slide.slide_layout))
        others = [shape for shape in shapes if head is None or shape.shape_id != head.shape_id]
        for shape in in_reading_order([(_box(shape), shape) for shape in others]):
            if self._is_outside(shape):
                if _has_text(shape):
                    self._outside.append(label)
            else:
                self._shape(shape, slide, bullets, label)
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) and normalise(notes.text):
            self._noted.append(label)
        if not self.builder.has_text:
            self._silent.append(label)
        self._outside = list(dict.fromkeys(self._outside))
        self._concealed = list(dict.fromkeys(self._concealed))

    def _is_outside(self, shape: BaseShape) -> bool:
        box, width, height = _box(shape), self._deck.slide_width, self._deck.slide_height
        if width is None or height is None:
            return False
        return box.right < 0 or box.bottom < 0 or box.left > width or box.top > height

    def _shape(self, shape: BaseShape, slide: Slide, bullets: Bullets, label: str) -> None:
        if _is_hidden(shape):
            if _has_text(shape):
                self._concealed.append(label)
        elif isinstance(shape, GroupShape):
            for inner in in_reading_order([(_box(one), one) for one in shape.shapes]):
                self._shape(inner, slide, bullets, label)
        elif isinstance(shape, GraphicFrame):
            self._frame(shape, slide)
        elif isinstance(shape, Shape):
            index = shape.placeholder_format.idx if shape.is_placeholder else None
            if not shape.is_placeholder or shape.placeholder_format.type not in _ON_EVERY_SLIDE:
                self._text(shape.text_frame, shape, bullets, index)

    def _text(self, frame: TextFrame, shape: BaseShape, bullets: Bullets, placeholder: int | None) -> None:
        self._lists += 1
        count = Count()
        for paragraph in frame.paragraphs:
            if not normalise(paragraph.text):
                continue  # shows no number, and does not count
            bullet = bullets.bullet(paragraph._p, paragraph.level, shape.element, placeholder)
            marker = count.marker(bullet, paragraph.level)
            if bullet is not None:
                group = ("list", self._lists)
                self.builder.begin(BlockKind.LIST_ITEM, level=paragraph.level + 1, group=group, marker=marker)
            else:
                self.builder.begin(BlockKind.PARAGRAPH)
            self.builder.insert(paragraph.text)
            self.builder.end()

    def _frame(self, frame: GraphicFrame, slide: Slide) -> None:
        if frame.has_table:
            self._table(frame.table)
            return
        self._lists += 1
        for ids in frame.element.iter(_DIAGRAM_PARTS):
            for depth, text in diagram_texts(slide.part.related_part(ids.get(qn("r:dm"), "")).blob):
                self.builder.begin(BlockKind.LIST_ITEM, level=depth, group=("list", self._lists))
                self.builder.insert(text)
                self.builder.end()

    def _table(self, table: Table) -> None:
        rows = _rows(table)
        if all(len(row) == 1 for row in rows):
            for row in rows:  # a frame around text, not a table
                for cell in row.values():
                    self.builder.begin(BlockKind.PARAGRAPH)
                    self.builder.insert(cell.text)
                    self.builder.end()
        else:
            self._grids.table(rows, self._level + 1, header=table.first_row)


def _rows(table: Table) -> list[dict[int, GridCell]]:
    """The filled cells of each row that has any; a cell that is merged downwards is said again in the rows below."""
    rows: list[dict[int, GridCell]] = []
    above: dict[int, tuple[int, GridCell]] = {}  # by column: the rows that are left, and the cell
    for row in table.rows:
        made: dict[int, GridCell] = {}
        has_own = False
        cells = list(row.cells)
        for column, cell in enumerate(cells):
            left, spanning = above.get(column, (0, None))
            if cell.is_spanned:
                if left and spanning is not None:
                    made[column] = spanning
                    above[column] = (left - 1, spanning)
            elif text := normalise(cell.text):
                columns = min(cell.span_width, len(cells) - column) if cell.is_merge_origin else 1
                made[column] = GridCell(text, is_figure(text), columns=columns)
                has_own = True
                if cell.is_merge_origin and len(text) <= _LONGEST_REPEATED:
                    above[column] = (cell.span_height - 1, made[column])
        if has_own:
            rows.append(made)
    return rows


def _choose(slide: Element) -> None:
    """Put what newer programs show in place of the alternatives that a file offers to others."""
    for choices in list(slide.iter(f"{_COMPATIBILITY}AlternateContent")):
        parent = choices.getparent()
        chosen = next((one for one in choices if one.tag == f"{_COMPATIBILITY}Choice" and len(one)), None)
        if parent is not None and chosen is not None:
            for child in chosen:
                choices.addprevious(child)
            parent.remove(choices)


def _is_title_slide(slide: Slide) -> bool:
    return any(shape.placeholder_format.type == PP_PLACEHOLDER.CENTER_TITLE for shape in slide.placeholders)


def _is_hidden(shape: BaseShape) -> bool:
    return any(one.get("hidden") in ("1", "true") for one in shape.element.xpath("./*/p:cNvPr"))


def _has_text(shape: BaseShape) -> bool:
    return any(text.text and text.text.strip() for text in shape.element.iter(qn("a:t")))


def _box(shape: BaseShape) -> Box:
    left, top = shape.left or 0, shape.top or 0
    return Box(left, top, left + (shape.width or 0), top + (shape.height or 0))

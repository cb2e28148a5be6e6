"""DOCX: headings, lists and tables in the order of the document, with text boxes, footnotes and insertions.

Deleted and hidden text is left out. The offset map is empty: a DOCX file holds no text to point into.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import docx
from docx.opc.exceptions import OpcError
from docx.opc.oxml import parse_xml
from docx.oxml.ns import qn

from qa.errors import BrokenDocument
from qa.models import BlockKind, Document
from qa.readers.docx_numbers import Numbers
from qa.readers.docx_styles import Styles, is_on
from qa.readers.normalise import LONGEST_COLUMN_NAME, TextBuilder, is_cut_short, normalise
from qa.readers.office import Format, check_package

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.oxml.xmlchemy import BaseOxmlElement as Element

_REMEDY: Final = "Open it in a word processor and save it again as DOCX."
_FORMAT: Final = Format("DOCX", "a Word 97-2003 document", "WordDocument", _REMEDY)
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_CHARACTERS: Final = {qn("w:tab"): " ", qn("w:br"): " ", qn("w:cr"): " ", qn("w:noBreakHyphen"): "-", qn("w:ptab"): " "}
_LEFT_OUT: Final = frozenset({_FALLBACK}) | frozenset(
    {qn(f"w:{name}") for name in ("del", "moveFrom", "instrText", "delText", "pPr", "rPr", "sdtPr", "tblPr", "trPr")}
)
# Titles that word processors give to files by themselves.
_NO_TITLE = re.compile(r"(?:word document|document ?\d*|untitled.*|microsoft word.*|.*\.(?:docx?|dotx?|rtf))", re.I)


def read(path: Path) -> Document:
    """The DOCX file as a document; its title is the file's property, else the text's title or first heading."""
    check_package(path, _FORMAT)
    # What python-docx raises on a broken package: SyntaxError for XML, KeyError and AttributeError for missing parts.
    try:
        word = docx.Document(str(path))
        writer = _Writer(word)
        writer.write()
        named = normalise(word.core_properties.title or "")
    except (OpcError, zipfile.BadZipFile, zlib.error, SyntaxError, KeyError, AttributeError, ValueError) as error:
        raise BrokenDocument(
            "the file is damaged or is no DOCX file",
            path=path,
            found=f"{type(error).__name__}: {normalise(str(error))[:200]}",
            expected="a DOCX file",
            remedy=_REMEDY,
        ) from error
    title = named if named and not _NO_TITLE.fullmatch(named) else writer.title
    return writer.builder.document(path, title=title)


class _Writer:
    """Walks the body and writes its blocks."""

    def __init__(self, word: WordDocument) -> None:
        self.builder = TextBuilder()
        self.title: str | None = None
        self._word = word
        self._body: Element = word.element.body
        self._styles = Styles(word)
        self._numbers = Numbers(word, self._styles)
        self._tables = 0
        # Under a title the headings go one level deeper.
        self._shift = int(any(self._styles.is_title(paragraph) for paragraph in self._body.iterchildren(qn("w:p"))))

    def write(self) -> None:
        """Write the body, then the footnotes and endnotes."""
        self._blocks(self._body)
        for kind in ("footnotes", "endnotes"):
            for relation in self._word.part.rels.values():
                if not relation.is_external and relation.reltype.endswith(f"/{kind}"):
                    for note in parse_xml(relation.target_part.blob):
                        if note.get(qn("w:type")) is None:
                            self._blocks(note)

    def _blocks(self, parent: Element) -> None:
        for child in parent:
            if child.tag == qn("w:p"):
                self._paragraph(child)
            elif child.tag == qn("w:tbl"):
                self._table(child)
            elif _is_shown(child):
                self._blocks(child)  # content controls, insertions, custom XML

    def _paragraph(self, paragraph: Element) -> None:
        boxes: list[Element] = []
        text = normalise("".join(_texts(paragraph, boxes)))
        level = self._styles.heading_level(paragraph)
        item = self._styles.list_level(paragraph)
        marker = self._numbers.marker(paragraph)  # headings count, too
        if self._styles.is_title(paragraph):
            self.builder.begin(BlockKind.HEADING, level=1)
        elif level:
            self.builder.begin(BlockKind.HEADING, level=level + self._shift)
        elif item:
            self.builder.begin(BlockKind.LIST_ITEM, level=item, group="list", marker=marker)
        else:
            self.builder.begin(BlockKind.PARAGRAPH)
        self.builder.insert(text)
        written = self.builder.end()
        if written and self.title is None and (level == 1 or self._styles.is_title(paragraph)):
            self.title = written
        for box in boxes:
            self._blocks(box)

    def _table(self, table: Element) -> None:
        rows = [_cells(row) for row in _rows(table)]
        if all(len(row) <= 1 for row in rows):
            for row in rows:  # a frame around text, not a table
                for _, cell in row:
                    self._blocks(cell)
            return
        for row in rows:
            for _, cell in row:
                for paragraph in _paragraphs(cell):
                    self._numbers.marker(paragraph)  # counts; a cell holds no list
        self._tables += 1
        group = ("table", self._tables)
        texts = [[(place, _cell_text(cell)) for place, cell in row] for row in rows]
        marked = [_is_marked_header(row) for row in _rows(table)]
        headers = next((index for index, mark in enumerate(marked) if not mark), len(marked))
        if not headers and _looks_like_header(table, texts):
            headers = 1
        if headers == len(texts) or any(len(name) > LONGEST_COLUMN_NAME for row in texts[:headers] for _, name in row):
            headers = 0
        names: dict[int, str] = {}
        for header in texts[:headers]:
            for place, text in header:
                names[place] = normalise(f"{names.get(place, '')} {text}")
        first = 0 if is_cut_short(names.values()) else headers
        for index, cells in enumerate(texts[first:], first):
            self.builder.begin(BlockKind.TABLE_ROW, group=group)
            for place, text in cells:
                if text:
                    self.builder.cell(names.get(place, "") if index >= headers else "", place)
                    self.builder.insert(text)
            self.builder.end()


def _texts(element: Element, boxes: list[Element]) -> Iterator[str]:
    """The texts of a paragraph, in order; text boxes anchored in it go to `boxes`."""
    for child in element:
        tag = child.tag
        if tag == qn("w:t"):
            yield child.text or ""
        elif tag in _CHARACTERS:
            yield _CHARACTERS[tag]
        elif tag == qn("w:txbxContent"):
            boxes.append(child)
        elif _is_shown(child) and not (tag == qn("w:r") and _is_hidden(child)):
            yield from _texts(child, boxes)


def _is_shown(element: Element) -> bool:
    """Whether there may be text in it; comments and processing instructions have no name."""
    return isinstance(element.tag, str) and element.tag not in _LEFT_OUT


def _is_hidden(run: Element) -> bool:
    properties = run.find(qn("w:rPr"))
    return properties is not None and is_on(properties.find(qn("w:vanish")))


def _cell_text(cell: Element) -> str:
    """All text of a cell in one line, that of tables and text boxes within it included."""
    parts: list[str] = []
    paragraphs = [cell]
    while paragraphs:
        for paragraph in _paragraphs(paragraphs.pop(0)):
            boxes: list[Element] = []
            parts.append("".join(_texts(paragraph, boxes)))
            paragraphs.extend(boxes)
    return normalise(" ".join(parts))


def _paragraphs(parent: Element) -> Iterator[Element]:
    for child in parent:
        if child.tag == qn("w:p"):
            yield child
        elif _is_shown(child):
            yield from _paragraphs(child)


def _rows(table: Element) -> Iterator[Element]:
    yield from _children(table, "w:tr")


def _children(parent: Element, name: str) -> Iterator[Element]:
    """The children of that name, also where a content control or an insertion is wrapped around them."""
    for child in parent:
        if child.tag == qn(name):
            if child.find(f"{qn('w:trPr')}/{qn('w:del')}") is None:
                yield child
        elif child.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:customXml")):
            yield from _children(child, name)


def _cells(row: Element) -> list[tuple[int, Element]]:
    """A row's cells by their first column; of cells merged downwards only the first row has one."""
    cells: list[tuple[int, Element]] = []
    before = row.find(f"{qn('w:trPr')}/{qn('w:gridBefore')}")
    column = _number(before)
    for cell in _children(row, "w:tc"):
        properties = cell.find(qn("w:tcPr"))
        merge = span = None
        if properties is not None:
            merge, span = properties.find(qn("w:vMerge")), properties.find(qn("w:gridSpan"))
        if merge is None or merge.get(qn("w:val")) == "restart":
            cells.append((column, cell))
        column += max(_number(span), 1)
    return cells


def _number(element: Element | None) -> int:
    value = element.get(qn("w:val"), "") if element is not None else ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 5 else 0


def _is_marked_header(row: Element) -> bool:
    return is_on(row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}"))


def _looks_like_header(table: Element, rows: list[list[tuple[int, str]]]) -> bool:
    """Whether the first row names the columns: short, different, all there, without figures or a key's colon."""
    look = table.find(f"{qn('w:tblPr')}/{qn('w:tblLook')}")
    if look is not None and look.get(qn("w:firstRow")) == "0":
        return False
    names = [text for _, text in rows[0]]
    return (
        len(names) == max(map(len, rows))
        and all(name and len(name) <= 60 and not name.endswith((":", ".")) for name in names)
        and len(set(names)) == len(names)
        and not any(character.isdigit() for name in names for character in name)
    )

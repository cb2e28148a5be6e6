"""Pieces of a text to the flowables that reportlab lays out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import (
    Flowable,
    FrameBreak,
    ListFlowable,
    ListItem,
    NextPageTemplate,
    PageBreak,
    Paragraph,
    Spacer,
)
from reportlab.platypus import Table as Grid

from sample_documents import pieces
from sample_documents.look import AMBER, RULE, SAND, TEAL, TINT, Look
from sample_documents.pieces import Piece


def flowables(parts: Iterable[Piece], look: Look, width: float, columns: Sequence[float] = ()) -> list[Flowable]:
    """What to lay out in a frame `width` points wide; `columns` are the widths for tables of as many columns."""
    result: list[Flowable] = []
    for part in parts:
        match part:
            case pieces.Heading():
                result.append(Paragraph(inline(part.text), look.heading(part.level)))
            case pieces.Paragraph(boxed=True):
                result += [Spacer(1, look.leading * 0.4), box(part.text, look, width)]
            case pieces.Paragraph():
                result.append(Paragraph(inline(part.text), look.lead() if part.lead else look.text()))
            case pieces.Listing():
                result += [listing(part, look), Spacer(1, look.leading * 0.35)]
            case pieces.Table():
                result += [grid(part, look, width, columns), Spacer(1, look.leading * 0.7)]
            case pieces.Break(layout="column"):
                result.append(FrameBreak())
            case pieces.Break(layout=""):
                result.append(PageBreak())
            case pieces.Break():
                result += [NextPageTemplate(part.layout), PageBreak()]
    return result


def inline(text: str) -> str:
    """The text in reportlab's own mark-up, with typographic quotation marks."""
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = re.sub(r'(^|[\s(*])"', r"\1“", text).replace('"', "”")
    text = re.sub(r"(^|[\s(“])'", r"\1‘", text).replace("'", "’")
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)


def box(text: str, look: Look, width: float) -> Flowable:
    """A paragraph on a tinted ground with a bar at its left."""
    style = [
        ("BACKGROUND", (0, 0), (-1, -1), SAND),
        ("LINEBEFORE", (0, 0), (0, -1), 3, AMBER),
        ("LEFTPADDING", (0, 0), (-1, -1), 10),
        ("TOPPADDING", (0, 0), (-1, -1), 7),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
    ]
    return Grid([[Paragraph(inline(text), look.cell())]], colWidths=[width], style=style)


def listing(part: pieces.Listing, look: Look) -> Flowable:
    """A list with bullets or numbers."""
    items = [ListItem(Paragraph(inline(item), look.item())) for item in part.items]
    return ListFlowable(
        items,
        bulletType="1" if part.ordered else "bullet",
        start=None if part.ordered else "•",
        bulletFormat="%s." if part.ordered else None,
        bulletFontName=look.bold if part.ordered else look.body,
        bulletFontSize=look.size,
        bulletColor=TEAL,
        leftIndent=18,
        bulletDedent=14,
    )


def grid(part: pieces.Table, look: Look, width: float, columns: Sequence[float] = ()) -> Flowable:
    """A ruled table. Its head is repeated after a page break; a row with only a bold second cell is a sub-heading."""
    headed = any(part.header)
    style = [
        ("GRID", (0, 0), (-1, -1), 0.6, RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), look.leading * 0.24),
        ("BOTTOMPADDING", (0, 0), (-1, -1), look.leading * 0.34),
    ]
    if headed:
        style.append(("BACKGROUND", (0, 0), (-1, 0), TEAL))
    rows: list[list[Flowable]] = (
        [[Paragraph(inline(cell), look.column_head()) for cell in part.header]] if headed else []
    )
    for row in part.rows:
        group = len(row) > 2 and not row[0] and row[1].startswith("**")
        if group:
            style += [("SPAN", (0, len(rows)), (-1, len(rows))), ("BACKGROUND", (0, len(rows)), (-1, len(rows)), TINT)]
        shown = [row[1], *[""] * (len(row) - 1)] if group else row
        rows.append([Paragraph(inline(cell), look.cell()) for cell in shown])
    if not headed:
        style.append(("BACKGROUND", (0, 0), (0, -1), TINT))
    widths: Sequence[float]
    widths = columns if len(columns) == len(part.header) else _widths(part, look, width)
    if all(not cell for row in part.rows for cell in row[1:]):  # a form, to be filled in by hand
        widths = (width * 0.36, width * 0.64)
        style += [("TOPPADDING", (0, 0), (-1, -1), 9), ("BOTTOMPADDING", (0, 0), (-1, -1), 10)]
    return Grid(rows, colWidths=widths, style=style, repeatRows=1 if headed else 0)


def _widths(part: pieces.Table, look: Look, width: float) -> list[float]:
    """Column widths that share `width` by the longest cell of each, none below a fifth of an equal share."""
    natural = []
    for column in zip(part.header, *part.rows, strict=True):
        longest = max(stringWidth(cell, look.bold, look.size) for cell in column)
        natural.append(min(max(longest + 14, width / len(part.header) * 0.55), width * 0.62))
    return [size * width / sum(natural) for size in natural]

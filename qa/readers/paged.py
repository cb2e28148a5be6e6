"""A `TextBuilder` for formats with slides or sheets, which knows what stands on which."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from qa.models import Block, Document, Page, PageKind
from qa.offsets import Span
from qa.readers.normalise import TextBuilder


class PagedBuilder(TextBuilder):
    """A `TextBuilder` whose document has pages; `turn` begins each of them."""

    def __init__(self, kind: PageKind) -> None:
        super().__init__()
        self._page_kind = kind
        self._labels: list[str] = []
        self._pages: list[int] = []  # of each block

    def turn(self, label: str) -> None:
        """Begin the next page."""
        self.end()
        self._labels.append(label)

    @property
    def has_text(self) -> bool:
        """Whether there is text on the page that was begun last."""
        return bool(self._pages) and self._pages[-1] == len(self._labels)

    def end(self) -> str | None:
        """Close the open block; its text, or None if nothing was written."""
        text = super().end()
        if text is not None:
            self._pages.append(len(self._labels))
        return text

    def document(
        self,
        path: Path,
        title: str | None = None,
        front_matter: Mapping[str, object] | None = None,
        warnings: tuple[str, ...] = (),
    ) -> Document:
        """What was collected, with its pages. Raises `EmptyDocument` if that is nothing."""
        flat = super().document(path, title, front_matter, warnings)
        blocks = tuple(replace(block, page=page) for block, page in zip(flat.blocks, self._pages, strict=True))
        return replace(flat, blocks=blocks, pages=pages_from(self._labels, spans_of(blocks)), page_kind=self._page_kind)


def spans_of(blocks: Iterable[Block]) -> dict[int, Span]:
    """The span of the text of each page, from 1, that has any."""
    spans: dict[int, Span] = {}
    for block in blocks:
        spans[block.page] = (spans.get(block.page, (block.start, 0))[0], block.end)
    return spans


def pages_from(labels: Iterable[str], spans: Mapping[int, Span], recognised: Collection[int] = ()) -> tuple[Page, ...]:
    """A page for each label; one without text has an empty span where the text before it ends."""
    pages: list[Page] = []
    end = 0
    for number, label in enumerate(labels, 1):
        start, end = spans.get(number, (end, end))
        pages.append(Page(label, start, end, number in recognised))
    return tuple(pages)

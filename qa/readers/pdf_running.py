"""Running headers, footers and page numbers: found by coming back at the same place of other pages, and left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.readers.pdf_lines import Row, rows_of, text_of
from qa.readers.pdf_words import PageContent

_ZONE = 0.13  # of the page's height, at the top and at the bottom
_ROWS = 4  # the most rows of a header or a footer
_SHIFT = 4.0  # points by which a running line may move from page to page
_PAGE_NUMBER = re.compile(
    r"(?:page|p\.)\s*[\divxlc]+(?:\s*(?:of|/)\s*\d+)?|[-–—]\s*[\divxlc]+\s*[-–—]|\d+\s*(?:of|/)\s*\d+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    page: int
    row: Row
    inner: tuple[Row, ...]  # from the row to the middle of the page
    is_top: bool
    is_outermost: bool
    inset: float  # from the edge of the page
    text: str
    label: str  # of its page, in lower case


def without_running_lines(
    pages: Sequence[PageContent | None], labels: Sequence[str], body_size: float
) -> list[PageContent | None]:
    """The pages (None for one without words) less their running lines; `labels` are the pages' printed numbers.

    A line runs if it comes back, but for its digits, at the same height on at least three pages, or on half of them
    (and on two), and stands apart from the text. A page number alone needs no second page.
    """
    rows_by_page = [rows_of(page.words) if page is not None else [] for page in pages]
    candidates = [
        candidate
        for number, page in enumerate(pages)
        if page is not None
        for candidate in _edge_rows(number, rows_by_page[number], page.height, labels[number])
    ]
    count = sum(page is not None for page in pages)
    seen = _pages_of_texts(rows_by_page)
    pages_of: dict[tuple[object, ...], set[int]] = {}
    for candidate in candidates:
        for key in _keys(candidate, body_size):
            pages_of.setdefault(key, set()).add(candidate.page)
    often = {key for key, found in pages_of.items() if len(found) >= 3 or (len(found) == 2 and count <= 4)}
    repeated = [
        candidate
        for candidate in candidates
        if not often.isdisjoint(_keys(candidate, body_size))
        or _is_page_number(candidate, labels, body_size)
        or _names_the_file(candidate, seen, body_size)
    ]
    # From the inside out: what lies outside of a running line, and comes back as well, runs with it.
    running: dict[int, set[Row]] = {}
    accepted: set[tuple[object, ...]] = set()
    for candidate in sorted(repeated, key=lambda candidate: (not candidate.inner, len(candidate.inner))):
        rows = running.setdefault(candidate.page, set())
        keys = _keys(candidate, body_size)
        if _stands_apart(candidate, rows, body_size) or not (candidate.inner or accepted.isdisjoint(keys)):
            rows.add(candidate.row)
            accepted |= keys
    words_of = {number: {word for row in rows for word in row.words} for number, rows in running.items()}
    return [
        page and replace(page, words=tuple(word for word in page.words if word not in words_of.get(number, ())))
        for number, page in enumerate(pages)
    ]


def _edge_rows(number: int, rows: Sequence[Row], height: float, label: str) -> list[_Candidate]:
    found = []
    for is_top, inward in ((True, rows), (False, rows[::-1])):
        for index, row in enumerate(inward[:_ROWS]):
            inset = row.bottom if is_top else height - row.top
            if inset < _ZONE * height:
                text = text_of(row.words)
                found.append(
                    _Candidate(number, row, tuple(inward[index + 1 :]), is_top, index == 0, inset, text, label.lower())
                )
    return found


def _pages_of_texts(rows_by_page: Sequence[Sequence[Row]]) -> dict[str, set[int]]:
    seen: dict[str, set[int]] = {}
    for number, rows in enumerate(rows_by_page):
        for row in rows:
            for segment in row.segments:
                seen.setdefault(text_of(segment.words), set()).add(number)
    return seen


def _keys(candidate: _Candidate, body_size: float) -> set[tuple[object, ...]]:
    """Under which keys the line may meet others like it: as it is, or with some figure counted from its page's.

    So page numbers meet, and figures in headings ("Room 2" on page 9) or at the head of a table do not. A large line
    meets only its like, so that "Step 1", "Step 2" on a page each stay.
    """
    texts = {candidate.text}
    if candidate.row.size < 1.1 * body_size:
        tokens = candidate.text.lower().split()
        texts.add(" ".join("#" if token == candidate.label else token for token in tokens))
        parts = re.split(r"(\d{1,9})", candidate.text)
        counted = [f"#{int(part) - candidate.page}" if index % 2 else part for index, part in enumerate(parts)]
        texts.add("".join(counted))
        for index in range(1, len(parts), 2):
            texts.add("".join([*parts[:index], counted[index], *parts[index + 1 :]]))
    # Two grids of heights, half a step apart: lines at nearly one height share a cell of at least one of them.
    heights = (candidate.inset // (2 * _SHIFT), (candidate.inset + _SHIFT) // (2 * _SHIFT) + 0.5)
    return {(candidate.is_top, height, text) for height in heights for text in texts}


def _is_page_number(candidate: _Candidate, labels: Sequence[str], body_size: float) -> bool:
    """Whether the line is the page's number, or small and has it ("Page 2") at one of its ends."""
    own = (labels[candidate.page].lower(), str(candidate.page + 1))
    if (candidate.is_outermost and candidate.text.lower() in own) or _PAGE_NUMBER.fullmatch(candidate.text):
        return True
    parts = [text_of(segment.words) for segment in candidate.row.segments]
    return candidate.row.size < 0.95 * body_size and any(_PAGE_NUMBER.fullmatch(part) for part in parts)


def _names_the_file(candidate: _Candidate, seen: dict[str, set[int]], body_size: float) -> bool:
    """Whether the line, small and in two parts, only says what earlier pages say on lines of their own.

    So a header is known that a file of two pages, whose first has a letterhead in its place, shows once.
    """
    parts = [text_of(segment.words) for segment in candidate.row.segments]
    earlier = all(min(seen[part]) < candidate.page for part in parts)
    return candidate.is_top and len(parts) > 1 and candidate.row.size < 0.95 * body_size and earlier


def _stands_apart(candidate: _Candidate, running: set[Row], body_size: float) -> bool:
    """Whether the line is set off from the text: by its size or by white space, much of it for a whole sentence."""
    row = candidate.row
    if row.size <= 0.9 * body_size:
        return True
    if not candidate.inner:
        return False
    inner = candidate.inner[0]
    gap = inner.top - row.bottom if candidate.is_top else row.top - inner.bottom
    is_sentence = candidate.text.endswith((".", "!", "?")) and len(candidate.text.split()) >= 5
    return inner in running or gap >= (2.0 if is_sentence else 0.9) * body_size

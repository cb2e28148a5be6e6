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
    inset: float  # from the edge of the page
    text: str
    key: str


def without_running_lines(
    pages: Sequence[PageContent | None], labels: Sequence[str], body_size: float
) -> list[PageContent | None]:
    """The pages (None for one without words) less their running lines; `labels` are the pages' printed numbers.

    A line runs if it comes back, but for its digits, at the same height on at least three pages, or on half of them
    (and on two), and stands apart from the text. A page number alone needs no second page.
    """
    candidates = [
        candidate
        for number, page in enumerate(pages)
        if page is not None
        for candidate in _edge_rows(number, page, labels[number])
    ]
    count = sum(page is not None for page in pages)
    seen = _pages_of_texts(pages)
    repeated = [
        candidate
        for candidate in candidates
        if _repeats(candidate, candidates, count)
        or _is_page_number(candidate, labels, body_size)
        or _names_the_file(candidate, seen, body_size)
    ]
    # From the inside out: what lies outside of a running line, and comes back as well, runs with it.
    running: dict[int, set[Row]] = {}
    accepted: set[tuple[bool, str]] = set()
    for candidate in sorted(repeated, key=lambda candidate: (not candidate.inner, len(candidate.inner))):
        rows = running.setdefault(candidate.page, set())
        known = not candidate.inner and (candidate.is_top, candidate.key) in accepted
        if known or _stands_apart(candidate, rows, body_size):
            rows.add(candidate.row)
            accepted.add((candidate.is_top, candidate.key))
    words_of = {number: {word for row in rows for word in row.words} for number, rows in running.items()}
    return [
        page and replace(page, words=tuple(word for word in page.words if word not in words_of.get(number, ())))
        for number, page in enumerate(pages)
    ]


def _edge_rows(number: int, page: PageContent, label: str) -> list[_Candidate]:
    rows = rows_of(page.words)
    found = []
    for is_top, inward in ((True, rows), (False, rows[::-1])):
        for index, row in enumerate(inward[:_ROWS]):
            inside = row.bottom < _ZONE * page.height if is_top else row.top > (1 - _ZONE) * page.height
            if inside:
                text = text_of(row.words)
                key = " ".join("#" if token == label.lower() else token for token in text.lower().split())
                inner = tuple(inward[index + 1 :])
                inset = row.bottom if is_top else page.height - row.bottom
                found.append(_Candidate(number, row, inner, is_top, inset, text, re.sub(r"\d+", "#", key)))
    return found


def _pages_of_texts(pages: Sequence[PageContent | None]) -> dict[str, set[int]]:
    seen: dict[str, set[int]] = {}
    for number, page in enumerate(pages):
        for row in rows_of(page.words) if page is not None else ():
            for segment in row.segments:
                seen.setdefault(text_of(segment.words), set()).add(number)
    return seen


def _repeats(candidate: _Candidate, candidates: Sequence[_Candidate], count: int) -> bool:
    alike = {
        other.page
        for other in candidates
        if other.is_top == candidate.is_top
        and other.key == candidate.key
        and abs(other.inset - candidate.inset) <= _SHIFT
    }
    return len(alike) >= 3 or (len(alike) >= 2 and len(alike) * 2 >= count)


def _is_page_number(candidate: _Candidate, labels: Sequence[str], body_size: float) -> bool:
    """Whether the line is the page's number, or small and has it ("Page 2") at one of its ends."""
    own = (labels[candidate.page].lower(), str(candidate.page + 1))
    if candidate.text.lower() in own or _PAGE_NUMBER.fullmatch(candidate.text):
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

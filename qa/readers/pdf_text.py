"""Lines put together to running text: words that were divided over a line end are made whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qa.readers.pdf_lines import SOFT_HYPHEN, Line

_HYPHENS = "-\u2010"
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_LAST_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*(?=[-\u2010]$)")
# First parts of compounds that clinics write with a hyphen, and that hardly begin a longer word at a syllable's end
# ("follow-up", "self-care", "long-term", "non-prescription"); the document's own spelling comes before this list.
_KEEP = frozenset(
    [*("self", "long", "short", "follow", "well", "non", "off", "high", "low", "full", "part", "one", "two", "first")]
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of one page. `glue` goes between it and the piece before it in the same block."""

    page: int
    text: str
    glue: str = ""


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    """The words, hyphenated ones too, that stand undivided in the texts of lines."""
    return frozenset(word.lower() for text in texts for word in _WORD.findall(text))


def join(lines: Sequence[Line], known: frozenset[str]) -> list[Piece]:
    """The lines as pieces, one a page. `known` is the document's `vocabulary`."""
    pieces: list[Piece] = []
    for line in lines:
        text = line.text
        if not pieces:
            pieces.append(Piece(line.page, text))
            continue
        last = pieces[-1]
        before, glue = _seam(last.text, text, known)
        if last.page == line.page:
            pieces[-1] = Piece(last.page, before + glue + text, last.glue)
        else:
            pieces[-1] = Piece(last.page, before, last.glue)
            pieces.append(Piece(line.page, text, glue))
    end = pieces[-1]
    pieces[-1] = Piece(end.page, end.text.removesuffix(SOFT_HYPHEN), end.glue)
    return pieces


def joined(lines: Sequence[Line], known: frozenset[str]) -> str:
    """The lines as one text."""
    return "".join(piece.glue + piece.text for piece in join(lines, known)) if lines else ""


def _seam(before: str, after: str, known: frozenset[str]) -> tuple[str, str]:
    """What is left of `before` ahead of the seam, and what goes between it and `after`."""
    if before.endswith(SOFT_HYPHEN):
        return before.removesuffix(SOFT_HYPHEN), ""
    if before[-1:] not in _HYPHENS or not before[-2:-1].isalnum():
        return before, " "
    first = _LAST_WORD.search(before)
    rest = _WORD.match(after)
    if first is None or rest is None or not after[0].islower():
        return before, ""  # "COVID-|19", "X-|Ray": the hyphen is the word's own
    head, tail = first.group().lower(), rest.group().lower()
    whole, divided = head + tail, f"{head}-{tail}"
    if divided in known and whole not in known:
        return before, ""
    if whole not in known and (head in _KEEP or "-" in head):
        return before, ""
    return before[:-1], ""

"""The sentences of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from qa.offsets import Span

# Characters that are searched for sentences at once. The search takes time that grows with the cube of what it is
# given: a millisecond or two for this many of the worst, minutes for a whole document of them.
_WINDOW: Final = 2_000
_WHITE = re.compile(r"\s+")
_FOOTNOTE = re.compile(r"(?<=[.!?…])[¹²³⁰-⁹]+(?:[,–-][¹²³⁰-⁹]+)*")
_AFTER_SENTENCE = re.compile(r"[.!?:;。！？…][\"'”’)\]]*\s")


def sentences(text: str) -> list[Span]:
    """The sentences of a passage, line by line: a list item or a table row without a full stop is one, too."""
    return [span for line in re.finditer(r"[^\n]+", text) for span in sentence_spans(text, line.start(), line.end())]


def sentence_spans(text: str, start: int, end: int) -> list[Span]:
    """The sentences of `text[start:end]`, without the white space around them; at least one where there is text."""
    spans: list[Span] = []
    while start < end:
        found = list(_sentences_within(text, start, min(start + _WINDOW, end)))
        after = end
        if end - start > _WINDOW:
            # The window ends somewhere within its last sentence, which the next one begins with.
            after = found[-1][0] if found and found[-1][0] - start >= _WINDOW // 2 else _window_end(text, start)
            found = [(first, min(last, after)) for first, last in found if first < after]
        spans += [_trimmed(text, *span) for span in found]
        start = after
    return spans


def _sentences_within(text: str, start: int, end: int) -> Iterator[Span]:
    from sentencex import get_sentence_boundaries

    # A footnote's mark belongs to the sentence that it follows, as a closing quotation mark does.
    read = _FOOTNOTE.sub(lambda mark: "”".ljust(len(mark.group())), text[start:end])
    for boundary in get_sentence_boundaries("en", read):
        first, after = _trimmed(text, start + boundary["start_index"], start + boundary["end_index"])
        if after > first:
            yield first, after


def _trimmed(text: str, start: int, end: int) -> Span:
    """The span without the white space at its ends."""
    stretch = text[start:end]
    first = start + len(stretch) - len(stretch.lstrip())
    return first, first + len(stretch.strip())


def _window_end(text: str, start: int) -> int:
    """Where to end a window in which no sentence ends: in its second half after a mark, else a word, else anywhere."""
    half, after = start + _WINDOW // 2, start + _WINDOW
    for mark in (_AFTER_SENTENCE, _WHITE):
        if matches := list(mark.finditer(text, half, after)):
            return matches[-1].end()
    return after

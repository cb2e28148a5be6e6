"""Where a stretch of the normalised text stands in the raw text.

A span is a half-open pair of character offsets, as in Python slices. Two texts are meant by offsets: the *raw text*
is what the file holds, decoded (for PDF and DOCX, which hold no text to point into, it is the normalised text); the
*normalised text* is what a reader made of it. `OffsetMap` goes from the second to the first.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """Where each character of the normalised text stands in the raw text.

    Piece by piece: the `length[i]` characters from `normalised[i]` stand for the `raw_length[i]` characters from
    `raw[i]`. Where both lengths are equal, character by character; elsewhere as a whole, like the one character of
    "&rdquo;". Characters between two pieces were put in by the reader and have no place of their own. Pieces are sorted
    and do not overlap. An empty map means that the raw text is the normalised text.
    """

    normalised: tuple[int, ...] = ()
    raw: tuple[int, ...] = ()
    length: tuple[int, ...] = ()
    raw_length: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        sizes = {len(column) for column in self.columns}
        if len(sizes) != 1:
            raise ValueError(f"an offset map needs four lists of one length, got lengths {sorted(sizes)}")

    @property
    def columns(self) -> tuple[tuple[int, ...], ...]:
        """The four lists, in the order in which the constructor takes them."""
        return (self.normalised, self.raw, self.length, self.raw_length)

    def to_raw(self, span: Span) -> Span:
        """The smallest raw span that covers every character of `span` which has a place in the raw text."""
        if not self.normalised:
            return span
        start, end = span
        first = max(bisect_right(self.normalised, start) - 1, 0)
        if start >= self.normalised[first] + self.length[first] and first + 1 < len(self.normalised):
            first += 1
        last = max(bisect_right(self.normalised, max(end - 1, start)) - 1, 0)
        raw_start = self.raw[first] + self._within(first, start - self.normalised[first], whole=0)
        raw_end = self.raw[last] + self._within(last, end - self.normalised[last], whole=self.raw_length[last])
        return (raw_start, max(raw_start, raw_end))

    def _within(self, piece: int, place: int, *, whole: int) -> int:
        """How far `place` in a piece is from its beginning in the raw text; `whole` where it stands as a whole."""
        if self.length[piece] != self.raw_length[piece] and place > 0:
            return whole
        return min(max(place, 0), self.length[piece])

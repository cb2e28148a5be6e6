"""The words that the documents have, for reading a misspelt one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from qa.terms import term_spans

_SHORTEST: Final = 5  # letters; shorter words are one letter away from too many others


def write_words(path: Path, texts: Sequence[str]) -> None:
    """Write the words of these texts that a misspelt one may stand for, the most frequent first."""
    words: Counter[str] = Counter()
    for text in texts:
        words.update(text[start:end].lower() for _, start, end in term_spans(text))
    known = [word for word, _ in sorted(words.items(), key=lambda item: (-item[1], item[0])) if _is_plain(word)]
    path.write_text("".join(f"{word}\n" for word in known), encoding="utf-8")


def _is_plain(word: str) -> bool:
    return len(word) >= _SHORTEST and word.isalpha()


@dataclass(frozen=True)
class Spelling:
    """`words`, the most frequent first."""

    words: tuple[str, ...]

    @classmethod
    def open(cls, path: Path) -> Spelling:
        """Open what `write_words` wrote."""
        return cls(tuple(path.read_text(encoding="utf-8").split()))

    def nearest(self, word: str) -> str | None:
        """The most frequent word that is one slip away: a letter missing, added, wrong, or two swapped.

        Its first letter is the same: "lorazepam" must never be read as "clonazepam", nor "untreated" as "treated".
        Numbers and short words are never changed. Whether `word` is a word of its own is for the caller to know.
        """
        written = word.lower()
        if not _is_plain(written):
            return None
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extract

        near = extract(written, self.words, scorer=OSA.distance, score_cutoff=1, limit=None)
        return next((found for found, _, _ in near if found[0] == written[0]), None)

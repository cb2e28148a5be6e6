"""A text as its plain words: however it is spelt, quoted, masked or run together.

Lower case, no accents, no invisible characters, contractions and slang written out, misspelt keywords put right. Only
the words that `spelling.toml` names as keywords are put right, and only where what stands there is no word itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from rapidfuzz.distance import OSA

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼʹ´`′＇‛", "'"))
# Letters of other alphabets that look like ours; used to slip a word past a filter.
_LOOKALIKES = str.maketrans("аеорсухіѕкмтнвԁοαιυνκ", "aeopcyxiskmthbdoaiuvk")
_DIGITS = str.maketrans("0134578@$!|", "oieastbasii")
_OTHER_DIGITS = str.maketrans("0134578@$!|", "oleastbasll")
_BETWEEN_SINGLE_LETTERS = re.compile(r"(?<=\b\w)[.\-_*](?=\w\b)")
_TOKEN = re.compile(r"[\w$@](?:[\w'*@$!|]*[\w$@*])?|[.?!\n…]+")
_RUN = re.compile(r"(.)\1{2,}")
_SPLIT_IN_WORD = re.compile(r"[^a-z0-9]+")
_TITLES = frozenset("dr mr mrs ms dra sr sra st vs".split())
_SHORTEST_FUZZY = 5
_TWO_MISTAKES = 8  # letters from which two mistakes are let pass
_GLUED = range(7, 41)  # lengths of words that may be several run together
_MOST_GUESSED = 10_000  # different words of one text; what comes after them is taken as it is spelt
_LONGEST_GUESSED = 60  # letters of one word; a longer one is no word
_SPACED = 3  # single letters in a row that may be one word
_ENDS = frozenset(".?!\n…")


@dataclass(frozen=True, slots=True)
class Sentence:
    """The plain words of one sentence, and whether a question mark ended it."""

    words: tuple[str, ...]
    asks: bool

    @property
    def text(self) -> str:
        """Each word followed by one space, as phrases are searched."""
        return "".join(f"{word} " for word in self.words)


@dataclass(frozen=True)
class Spelling:
    """What words are written out as, which words are put right, and which are words in their own right."""

    written_out: Mapping[str, str]
    symbols: Mapping[str, str]
    keywords: frozenset[str]
    known: frozenset[str]

    @cached_property
    def _by_first_letter(self) -> dict[str, tuple[str, ...]]:
        ordered = sorted(word for word in self.keywords if len(word) >= _SHORTEST_FUZZY)
        return {letter: tuple(words) for letter, words in groupby(ordered, key=lambda word: word[0])}

    @cached_property
    def _in_order(self) -> tuple[str, ...]:
        return tuple(sorted(self.keywords))

    @cached_property
    def _symbols(self) -> re.Pattern[str] | None:
        if not self.symbols:
            return None
        return re.compile("|".join(re.escape(each) for each in sorted(self.symbols, key=len, reverse=True)))

    def sentences(self, text: str) -> list[Sentence]:
        """The sentences of a text, each as its plain words; sentences without words are left out."""
        seen: dict[str, tuple[str, ...]] = {}
        found: list[Sentence] = []
        tokens: list[str] = []
        for token in self._tokens(text):
            if token[0] not in _ENDS:
                tokens.append(token)
                continue
            if tokens and tokens[-1] in _TITLES and token == ".":  # noqa: S105 - a full stop, no password
                continue
            if words := tuple(self._words(tokens, seen)):
                found.append(Sentence(words, "?" in token))
            tokens = []
        if words := tuple(self._words(tokens, seen)):
            found.append(Sentence(words, asks=False))
        return found

    def as_typed(self, text: str) -> set[str]:
        """The words of a text as they are spelt there, without apostrophes."""
        return {token.replace("'", "") for token in self._tokens(text) if token[0] not in _ENDS}

    def _words(self, tokens: list[str], seen: dict[str, tuple[str, ...]]) -> Iterator[str]:
        """The plain words of tokens; letters that stand alone in a row are put together where they make one."""
        for single, group in groupby(tokens, key=lambda token: len(token) == 1):
            row = list(group)
            if single and len(row) >= _SPACED and (parts := self._spaced_out("".join(row))):
                yield from parts
                continue
            for token in row:
                if token not in seen:
                    seen[token] = self._resolved(token, guess=len(seen) < _MOST_GUESSED)
                yield from seen[token]

    def _tokens(self, text: str) -> Iterator[str]:
        if self._symbols is not None:
            text = self._symbols.sub(lambda match: f" {self.symbols[match[0]]} ", text)
        text = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
        text = "".join(each for each in text if unicodedata.category(each) not in ("Mn", "Cf", "Me"))
        text = _BETWEEN_SINGLE_LETTERS.sub("", text.translate(_APOSTROPHES))
        return (_latin(match.group()) for match in _TOKEN.finditer(text))

    def _resolved(self, token: str, *, guess: bool) -> tuple[str, ...]:
        guess = guess and len(token) <= _LONGEST_GUESSED
        if token in self.written_out:
            return tuple(self.written_out[token].split())
        plain = token.replace("'", "")
        if plain in self.written_out:
            return tuple(self.written_out[plain].split())
        if plain in self.known or plain.isdecimal():
            return (plain,)
        guessed = self._guessed(plain) if guess else ()
        if guessed:
            return tuple(word for part in guessed for word in self.written_out.get(part, part).split())
        return tuple(part for part in _SPLIT_IN_WORD.split(token.replace("'", "")) if part) or (plain,)

    def _guessed(self, token: str) -> tuple[str, ...]:
        """What a token that is no word may stand for; nothing where that is not plain."""
        once, twice = _RUN.sub(r"\1", token), _RUN.sub(r"\1\1", token)
        forms = [token, once, twice]
        if not token.isalpha() and sum(each.isalpha() for each in token) > 1:
            forms += [token.translate(_DIGITS), token.translate(_OTHER_DIGITS)]
        for form in forms:
            if form in self.known or form in self.written_out:
                return (form,)
        if "*" in token and (masked := self._masked(token)):
            return (masked,)
        for form in forms:
            if form.isalpha() and (nearest := self._nearest(form)):
                return (nearest,)
        return next((parts for form in forms if form.isalpha() and (parts := self._unglued(form))), ())

    def _masked(self, token: str) -> str | None:
        """The first keyword that has these letters, with any others in the place of asterisks."""
        return next(
            (
                word
                for word in self._in_order
                if len(word) == len(token) and all(shown in ("*", own) for shown, own in zip(token, word, strict=True))
            ),
            None,
        )

    def _nearest(self, word: str) -> str | None:
        """The keyword that this is a misspelling of: one mistake, or two in a long word, after the right first letter.

        Two letters swapped are one mistake.
        """
        if len(word) < _SHORTEST_FUZZY - 1:
            return None
        allowed = 2 if len(word) >= _TWO_MISTAKES else 1
        best, least = None, allowed + 1
        for keyword in self._by_first_letter.get(word[0], ()):
            most = min(allowed, 2 if len(keyword) >= _TWO_MISTAKES else 1)
            mistakes = OSA.distance(word, keyword, score_cutoff=most)
            if mistakes <= most and mistakes < least:
                best, least = keyword, mistakes
        return best

    def _unglued(self, word: str) -> tuple[str, ...]:
        """The known words that this is made of without spaces ("iwanttodie"), at least one of them a keyword."""
        if len(word) not in _GLUED:
            return ()
        best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - 14), end):
                before, part = best[start], word[start:end]
                whole = part in self.known and (len(part) > 1 or part in "iy")
                if before is not None and whole and (best[end] is None or len(before) + 1 < len(best[end] or ())):
                    best[end] = (*before, part)
        parts = best[-1] or ()
        return parts if not self.keywords.isdisjoint(parts) else ()

    def _spaced_out(self, together: str) -> tuple[str, ...]:
        if together in self.known or together in self.written_out:
            return tuple(self.written_out.get(together, together).split())
        return self._guessed(together)


def _latin(token: str) -> str:
    """A word with letters of ours, all in letters of ours; a word of another alphabet as it is."""
    if token.isascii() or not any(letter.isascii() and letter.isalpha() for letter in token):
        return token
    return token.translate(_LOOKALIKES)

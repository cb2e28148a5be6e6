"""What was learned from the examples: how much each turn of phrase, and nearness in meaning, speaks for an urgency.

A text gets one value for each urgency: that of a harmless text, and what two parts add to it. *Words*: its words, pairs
and triples of words and the letter groups within words, each with a learned weight. *Meaning*: a Gaussian kernel
exp(-w |x - y|²) of its vector with those of some landmarks among the examples, each with a learned weight.
`qa.triage.learn` finds the weights, and how the values become probabilities; without a model, other weights are used
that know the words alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from qa.embed import Vectors
from qa.errors import SettingsError
from qa.models import Urgency

Values = NDArray[np.float32]

FILE: Final = "learned.npz"
CLASSES: Final = tuple(Urgency)
KERNEL_WIDTH: Final = 2.4
_LONGEST_RUN: Final = 3  # words in a row
_LETTERS: Final = (3, 4, 5)  # letters in a row, within a word and the spaces around it
WORDS_SHARE: Final = 0.5  # of each of the two kinds of features beside meaning
# The value of a text of which nothing is known: what nobody has seen is no danger.
HARMLESS: Final = np.where([urgency is Urgency.NONE for urgency in CLASSES], 1, -1).astype(np.float32)
_FORMAT: Final = 2


def runs_of_words(words: Sequence[str]) -> Iterator[str]:
    """Single words, pairs and triples."""
    for length in range(1, _LONGEST_RUN + 1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def runs_of_letters(words: Sequence[str]) -> Iterator[str]:
    """Three to five letters of a word in a row, the space before and after it included."""
    for word in words:
        spaced = f" {word} "
        for length in _LETTERS:
            for start in range(max(len(spaced) - length + 1, 1)):
                yield spaced[start : start + length]


@dataclass(frozen=True)
class Features:
    """Which runs count, each at its place, and how much each tells (its smoothed inverse document frequency).

    `usual` is half the length of a usual example's values. A text with less to go by, a single word or a word that
    nobody knows, is not blown up to the strength of a sentence.
    """

    places: dict[str, int]
    information: Values
    usual: float = 0.0

    def of(self, runs: Iterator[str]) -> tuple[NDArray[np.int64], Values]:
        """The places of a text's runs, and (1 + log count) · information of each, as a vector of a length below 1."""
        places, values = self.raw(runs)
        length = float(np.sqrt((values**2).sum() + self.usual**2))
        return places, (values / length if length else values).astype(np.float32)

    def raw(self, runs: Iterator[str]) -> tuple[NDArray[np.int64], Values]:
        """The same as they are counted."""
        counts = Counter(place for run in runs if (place := self.places.get(run)) is not None)
        places = np.fromiter(counts.keys(), dtype=np.int64, count=len(counts))
        values = np.fromiter(counts.values(), dtype=np.float32, count=len(counts))
        return places, ((1 + np.log(values)) * self.information[places]).astype(np.float32)


@dataclass(frozen=True)
class Weights:
    """What each feature says for each urgency, and how values become probabilities: softmax(values · scale + shift).

    `words` and `letters` have shape (features, urgencies), `landmarks` (landmarks, urgencies), `scale` (urgencies,
    urgencies) and `shift` (urgencies,).
    """

    words: Values
    letters: Values
    landmarks: Values
    scale: Values
    shift: Values

    def probabilities(self, values: Values) -> Values:
        """Of each urgency, for values of shape (texts, urgencies)."""
        raised = values @ self.scale + self.shift
        raised = np.exp(raised - raised.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True)
class Learned:
    """`examples` and `model` are the SHA-256 of what it was learned from and with.

    `landmarks` has shape (landmarks, dimension); `shown` are their texts with their urgencies, as places in `CLASSES`.
    `known` are the words that are no misspellings.
    """

    examples: str
    model: str
    known: frozenset[str]
    shown: tuple[tuple[str, int], ...]
    words: Features
    letters: Features
    landmarks: Vectors
    alone: Weights
    together: Weights

    def probabilities(self, texts: Sequence[Sequence[str]], vectors: Vectors | None) -> Values:
        """Of each urgency in the order of `CLASSES`, for texts as plain words; from words alone without vectors."""
        weights = self.alone if vectors is None else self.together
        values = np.tile(HARMLESS, (len(texts), 1))
        for row, words in zip(values, texts, strict=True):
            for features, runs, part in (
                (self.words, runs_of_words(words), weights.words),
                (self.letters, runs_of_letters(words), weights.letters),
            ):
                places, strengths = features.of(runs)
                row += strengths @ part[places]
        if vectors is not None:
            values += kernel(vectors, self.landmarks) @ weights.landmarks
        return weights.probabilities(values)

    def nearest(self, vector: Vectors, urgency: Urgency) -> str:
        """The example among the landmarks that is most like a text of this urgency."""
        own = [place for place, (_, shown) in enumerate(self.shown) if CLASSES[shown] is urgency]
        return self.shown[own[int((self.landmarks[own] @ vector).argmax())]][0]

    def save(self, path: Path) -> None:
        """Write it as one file of arrays."""
        arrays: dict[str, NDArray[np.generic]] = {
            f"names_{_FORMAT}": _bytes(f"{self.examples}\n{self.model}"),
            "word_runs": _bytes("\n".join(self.words.places)),
            "letter_runs": _bytes("\n".join(self.letters.places)),
            "word_information": self.words.information.astype(np.float16),
            "letter_information": self.letters.information.astype(np.float16),
            "usual": np.array([self.words.usual, self.letters.usual], dtype=np.float32),
            "known": _bytes("\n".join(sorted(self.known))),
            "shown": _bytes("\n".join(text for text, _ in self.shown)),
            "shown_as": np.array([urgency for _, urgency in self.shown], dtype=np.int8),
            "landmarks": self.landmarks.astype(np.float16),
        }
        for name, weights in (("alone", self.alone), ("together", self.together)):
            for part in ("words", "letters"):
                arrays[f"{name}_{part}"] = getattr(weights, part).astype(np.float16)
            for part in ("landmarks", "scale", "shift"):
                arrays[f"{name}_{part}"] = getattr(weights, part).astype(np.float32)
        np.savez_compressed(path, allow_pickle=False, **arrays)


def read_learned(content: bytes, place: str) -> Learned:
    """What `Learned.save` has written. Raises SettingsError for anything else."""
    try:
        with np.load(BytesIO(content), allow_pickle=False) as arrays:
            examples, model = _text(arrays[f"names_{_FORMAT}"]).split("\n")
            weights = {
                name: Weights(
                    *(
                        arrays[f"{name}_{part}"].astype(np.float32)
                        for part in ("words", "letters", "landmarks", "scale", "shift")
                    )
                )
                for name in ("alone", "together")
            }
            words, letters = (
                Features(
                    {run: at for at, run in enumerate(_text(arrays[f"{kind}_runs"]).split("\n"))},
                    arrays[f"{kind}_information"].astype(np.float32),
                    float(usual),
                )
                for kind, usual in zip(("word", "letter"), arrays["usual"], strict=True)
            )
            shown = tuple(zip(_text(arrays["shown"]).split("\n"), arrays["shown_as"].tolist(), strict=True))
            return Learned(
                examples=examples,
                model=model,
                known=frozenset(_text(arrays["known"]).split("\n")),
                shown=shown,
                words=words,
                letters=letters,
                landmarks=arrays["landmarks"].astype(np.float32),
                alone=weights["alone"],
                together=weights["together"],
            )
    except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
        raise SettingsError(
            "what was learned from the examples of triage cannot be read",
            path=place,
            found=type(error).__name__,
            remedy=RELEARN,
        ) from error


RELEARN: Final = "Run `clinic-qa triage --learn`."


def kernel(vectors: Vectors, others: Vectors) -> Values:
    """How near unit vectors are to each other, from 0 to 1."""
    nearness = np.exp(-KERNEL_WIDTH * (2 - 2 * (vectors @ others.T)))
    return np.asarray(nearness, dtype=np.float32)


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _text(array: NDArray[np.uint8]) -> str:
    return array.tobytes().decode()

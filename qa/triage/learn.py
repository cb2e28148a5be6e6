"""Learning from the examples: kernel ridge regression, whose answer has a closed form, and so has leaving one out.

With K the kernel of all examples with each other, Y their urgencies (1 or -1) less those of a harmless text, and a
weight for each example so that all urgencies count the same, the solution is (K + λ W⁻¹)⁻¹ Y; what it would say of an
example if it had not seen it is Y minus the solution divided by the diagonal of that inverse (Rasmussen and Williams,
Gaussian Processes for Machine Learning, 2006, eq. 5.12). On these values a multinomial logistic regression learns the
probabilities.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from qa.embed import Embedder, Vectors
from qa.models import Urgency
from qa.triage.examples import Example, digest_of, read_examples, spelling_of
from qa.triage.learned import (
    CLASSES,
    HARMLESS,
    WORDS_SHARE,
    Features,
    Learned,
    Values,
    Weights,
    kernel,
    runs_of_letters,
    runs_of_words,
)
from qa.triage.thresholds import LEAST_DANGER, LEAST_DANGER_ALONE
from qa.triage.units import as_example

RIDGE: Final = 0.4
LANDMARKS: Final = 1000
_LEAST_WORD_RUNS: Final = 2  # examples in which a run must stand to count
_LEAST_LETTER_RUNS: Final = 3
_CALIBRATION_PENALTY: Final = 1e-4
_IS_DANGER: Final = np.array([urgency.is_danger for urgency in CLASSES])
_IS_HARMLESS: Final = np.array([urgency is Urgency.NONE for urgency in CLASSES])

Runs = Callable[[Sequence[str]], Iterator[str]]


@dataclass(frozen=True)
class Fitted:
    """What was learned, and what it would say of each example if that one had been left out, as probabilities."""

    learned: Learned
    left_out: Values
    left_out_alone: Values
    classes: NDArray[np.int64]


def learn_from(folder: Path | None, embedder: Embedder) -> Fitted:
    """Learn from the examples of a folder; None is the package's. Takes two minutes."""
    examples = read_examples(folder)
    spelling = spelling_of(examples, folder)
    parts = [as_example(spelling.sentences(example.text)) for example in examples]
    return learn(
        [part.words for part in parts],
        examples,
        embedder.encode([part.text for part in parts]),
        digest=digest_of(folder),
        model=embedder.fingerprint.digest,
        known=spelling.known,
    )


def learn(
    texts: Sequence[Sequence[str]],
    examples: Sequence[Example],
    vectors: Vectors,
    *,
    digest: str,
    model: str,
    known: frozenset[str] = frozenset(),
) -> Fitted:
    """Learn from examples, their plain words and their unit vectors."""
    classes = np.array([CLASSES.index(example.urgency) for example in examples])
    weighing = _weighing(examples)
    words, word_matrix = _features(texts, runs_of_words, _LEAST_WORD_RUNS)
    letters, letter_matrix = _features(texts, runs_of_letters, _LEAST_LETTER_RUNS)
    word_kernel = WORDS_SHARE * ((word_matrix @ word_matrix.T) + (letter_matrix @ letter_matrix.T)).toarray()
    chosen = _spread(vectors, min(LANDMARKS, len(vectors)))
    landmarks = vectors[chosen]
    to_landmarks = kernel(vectors, landmarks)
    # Nyström's approximation: each example's nearness to the landmarks stands for its nearness to all.
    among = kernel(landmarks, landmarks).astype(np.float64) + 1e-4 * np.eye(len(landmarks))
    projected = np.linalg.solve(among, to_landmarks.T.astype(np.float64))
    meaning_kernel = (to_landmarks @ projected).astype(np.float32)

    def weights(with_meaning: bool) -> tuple[Weights, Values]:
        whole = word_kernel + meaning_kernel if with_meaning else word_kernel
        solution, left_out = _ridge(whole, classes, weighing)
        scale, shift = _calibrate(left_out, classes)
        of_landmarks = projected @ solution if with_meaning else np.zeros((len(landmarks), len(CLASSES)))
        found = Weights(
            words=(WORDS_SHARE * (word_matrix.T @ solution)).astype(np.float32),
            letters=(WORDS_SHARE * (letter_matrix.T @ solution)).astype(np.float32),
            landmarks=of_landmarks.astype(np.float32),
            scale=scale,
            shift=shift,
        )
        return found, found.probabilities(left_out)

    together, left_out = weights(with_meaning=True)
    alone, left_out_alone = weights(with_meaning=False)
    shown = tuple((examples[place].text, int(classes[place])) for place in chosen)
    learned = Learned(digest, model, known, shown, words, letters, landmarks, alone, together)
    return Fitted(learned, left_out, left_out_alone, classes)


def _weighing(examples: Sequence[Example]) -> NDArray[np.float64]:
    """A weight for each example, so that in each language all urgencies count the same; 1 on average."""
    shares = Counter((example.language, example.urgency) for example in examples)
    languages = Counter(example.language for example in examples)
    return np.array(
        [languages[example.language] / len(CLASSES) / shares[example.language, example.urgency] for example in examples]
    )


def _features(texts: Sequence[Sequence[str]], runs: Runs, least: int) -> tuple[Features, sparse.csr_matrix]:
    """The runs that stand in enough texts, and each text's values, of shape (texts, runs)."""
    standing = Counter(run for words in texts for run in set(runs(words)))
    kept = sorted(run for run, count in standing.items() if count >= least)
    counts = np.array([standing[run] for run in kept], dtype=np.float32)
    counted = Features({run: at for at, run in enumerate(kept)}, np.log((1 + len(texts)) / (1 + counts)) + 1)
    lengths = [float(np.sqrt((counted.raw(runs(words))[1] ** 2).sum())) for words in texts]
    features = replace(counted, usual=float(np.median(lengths)) / 2)
    rows = [features.of(runs(words)) for words in texts]
    starts = np.cumsum([0, *(len(places) for places, _ in rows)])
    matrix = sparse.csr_matrix(
        (np.concatenate([values for _, values in rows]), np.concatenate([places for places, _ in rows]), starts),
        shape=(len(texts), len(kept)),
    )
    return features, matrix


def _spread(vectors: Vectors, count: int) -> NDArray[np.int64]:
    """Places of `count` vectors, each the farthest from those before it."""
    chosen = [0]
    nearest = vectors @ vectors[0]
    while len(chosen) < count:
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, vectors @ vectors[chosen[-1]])
    return np.array(chosen)


def _ridge(whole: Values, classes: NDArray[np.int64], weighing: NDArray[np.float64]) -> tuple[Values, Values]:
    """The solution of shape (examples, urgencies), and each example's values with itself left out."""
    wanted = np.where(np.arange(len(CLASSES)) == classes[:, None], 1.0, -1.0).astype(np.float32) - HARMLESS
    # In single precision, which the ridge allows: ten thousand examples take half a gigabyte as they are.
    inverse = np.linalg.inv(whole.astype(np.float32) + np.diag((RIDGE / weighing).astype(np.float32)))
    solution = inverse @ wanted
    left_out = HARMLESS + wanted - solution / np.diag(inverse)[:, None]
    return solution.astype(np.float32), left_out.astype(np.float32)


def _calibrate(values: Values, classes: NDArray[np.int64]) -> tuple[Values, Values]:
    """Scale and shift of a multinomial logistic regression on the values."""
    size = len(CLASSES)
    inputs = np.hstack([values.astype(np.float64), np.ones((len(values), 1))])
    wanted = np.eye(size)[classes]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        now = flat.reshape(size + 1, size)
        raised = inputs @ now
        raised -= raised.max(axis=1, keepdims=True)
        logs = raised - np.log(np.exp(raised).sum(axis=1, keepdims=True))
        slope = inputs.T @ (np.exp(logs) - wanted) / len(values) + 2 * _CALIBRATION_PENALTY * now
        cost = -(logs * wanted).sum() / len(values) + _CALIBRATION_PENALTY * (now**2).sum()
        return float(cost), slope.ravel()

    best = minimize(loss, np.zeros((size + 1) * size), jac=True, method="L-BFGS-B").x.reshape(size + 1, size)
    return best[:-1].astype(np.float32), best[-1].astype(np.float32)


def quality(fitted: Fitted) -> str:
    """How the examples are judged when each is left out, in sentences for a clinician."""
    lines = []
    danger, harmless = _IS_DANGER[fitted.classes], _IS_HARMLESS[fitted.classes]
    for name, left_out, least in (
        ("words and meaning", fitted.left_out, LEAST_DANGER),
        ("words alone", fitted.left_out_alone, LEAST_DANGER_ALONE),
    ):
        alarmed = left_out[:, _IS_DANGER].sum(axis=1) >= least
        lines.append(
            f"By {name}, an example that was left out of the learning: {alarmed[danger].mean():.1%} of the dangers"
            f" found, {alarmed[harmless].mean():.1%} of the harmless ones taken for danger."
        )
    return "\n".join(lines)

"""Fixtures: a clock that stands still, and embedders whose vectors can be worked out by hand or drawn from letters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis
import numpy as np
import pytest

from qa.clock import Clock
from qa.embed import Model, ModelFiles, ModelFingerprint, Tokens, Vectors, unit
from qa.settings import Settings, load_settings, with_folders

# Timing never fails a test, on however busy a machine.
hypothesis.settings.register_profile("timeless", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("timeless")

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo("America/New_York"))  # a Monday


class WordEmbedder:
    """One dimension for each known word and a small last one for all others; a vector counts words, made unit length.

    "fasting fasting water" with the words (fasting, water) is (2, 1, 0) / √5. Tokens are words, each of length 1 along
    its own dimension: any two words that are not known have a cosine of 1.
    """

    WORDS = ("fasting", "driving", "nausea", "cost", "ketamine", "anxiety")

    def __init__(self, fingerprint: ModelFingerprint | None = None) -> None:
        self.fingerprint = fingerprint or ModelFingerprint("words", "0" * 64, "float32")
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self.encode_tokens(texts)[0]

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[Tokens]]:
        self.encoded += texts
        rows = []
        tokens = []
        axes = np.eye(len(self.WORDS) + 1, dtype=np.float32)
        for text in texts:
            words = list(re.finditer(r"[A-Za-z]+", text))
            places = [self._place(word.group()) for word in words]
            known = [float(places.count(place)) for place in range(len(self.WORDS))]
            rows.append([*known, 0.0 if any(known) else 1.0])
            spans = np.array([word.span() for word in words], dtype=np.int32).reshape(-1, 2)
            tokens.append(Tokens(axes[places], spans))
        return unit(np.array(rows, dtype=np.float32)), tokens

    def knows(self, word: str) -> bool:
        return word.lower() in self.WORDS

    def _place(self, word: str) -> int:
        return self.WORDS.index(word.lower()) if word.lower() in self.WORDS else len(self.WORDS)


class NamesEmbedder(WordEmbedder):
    """Each word, but for its capitals, has a direction of its own, drawn from its letters: two differ by about 90°."""

    DIMENSION = 64

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[Tokens]]:
        self.encoded += texts
        tokens = []
        for text in texts:
            words = list(re.finditer(r"[a-z]+", text.lower()))
            vectors = np.array([direction(word.group()) for word in words], dtype=np.float32)
            spans = np.array([word.span() for word in words], dtype=np.int32).reshape(-1, 2)
            tokens.append(Tokens(vectors.reshape(-1, self.DIMENSION), spans))
        return unit(np.stack([each.vectors.sum(axis=0) for each in tokens])), tokens

    def knows(self, word: str) -> bool:  # noqa: ARG002 - a made-up word is no word of a model
        return False


@cache
def direction(word: str) -> tuple[float, ...]:
    drawn = np.random.default_rng(list(word.encode())).standard_normal(NamesEmbedder.DIMENSION)
    return tuple((drawn / np.linalg.norm(drawn)).tolist())


@pytest.fixture
def clock() -> Clock:
    return lambda: NOW


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def load_words() -> Callable[[Model, ModelFiles], WordEmbedder]:
    """What `build` takes to load a model: gives the word embedder under the real model's name."""
    return lambda settings, files: WordEmbedder(files.fingerprint(settings))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Default settings over an empty corpus folder and an index folder of this test."""
    (tmp_path / "corpus").mkdir()
    return with_folders(Settings(), corpus=tmp_path / "corpus", index=tmp_path / "index")


@pytest.fixture
def sample_settings() -> Settings:
    """The settings of the sample clinic, whatever the clinic that runs these tests has made of its own."""
    return load_settings(Path(__file__).with_name("clinic.toml"))

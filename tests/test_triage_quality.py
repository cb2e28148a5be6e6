"""Triage on labelled sentences that it did not learn from: what it finds and where it cries wolf.

`test.jsonl` is the test half of a set that was split before any tuning (the other half is among the examples);
`fresh.jsonl` was written by somebody else afterwards. Floors and the SHA-256 of each file stand in floors.json.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import pytest

from qa.embed import Embedder, SentenceEmbedder
from qa.models import Urgency
from qa.settings import Model
from qa.triage import triage
from qa.triage.examples import read_examples

FOLDER = Path(__file__).with_name("triage")
FLOORS = json.loads((FOLDER / "floors.json").read_text(encoding="utf-8"))
FILES = sorted(path.name for path in FOLDER.glob("*.jsonl"))


def entries(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def measured(name: str, embedder: Embedder | None) -> dict[str, float]:
    """`danger found`, `urgency right` among danger and advice, and `harmless left alone`, as parts."""
    found: dict[str, list[bool]] = {"danger found": [], "urgency right": [], "harmless left alone": []}
    for entry in entries(name):
        wanted, got = Urgency(entry["urgency"]), triage(entry["text"], rules=None, embedder=embedder).urgency
        if wanted.is_danger:
            found["danger found"].append(got.is_danger)
        if wanted is Urgency.NONE:
            found["harmless left alone"].append(not got.is_danger)
        else:
            found["urgency right"].append(got is wanted)
    return {key: sum(hits) / len(hits) for key, hits in found.items()}


def below(name: str, part: str, embedder: Embedder | None) -> list[str]:
    """What is worse than its floor, in words."""
    values = measured(name, embedder)
    floors: dict[str, float] = FLOORS[name][part]
    return [f"{key}: {values[key]:.3f}, floor {floor}" for key, floor in floors.items() if values[key] < floor]


def test_the_sentences_are_the_ones_that_the_floors_belong_to() -> None:
    """Every file of sentences has floors, and its SHA-256 beside them: none disappears or changes unnoticed."""
    digests = {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in FILES}
    assert digests == {name: floors["sha256"] for name, floors in FLOORS.items()}


@pytest.mark.parametrize("name", FILES)
def test_words_alone_stay_above_the_floors(name: str) -> None:
    """Without a model, triage finds danger and leaves the harmless alone at least as often as the floors say."""
    assert below(name, "words", None) == []


@pytest.mark.model
@pytest.mark.parametrize("name", FILES)
def test_words_and_meaning_stay_above_the_floors(name: str) -> None:
    """With the packaged model, triage does at least as well as the floors say."""
    assert below(name, "words and meaning", model()) == []


def test_nothing_was_learned_from_what_is_measured() -> None:
    """No sentence that triage is measured on is one of its examples."""
    learned = {plain(example.text) for example in read_examples()}
    assert [entry["text"] for name in FILES for entry in entries(name) if plain(entry["text"]) in learned] == []


def plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


@cache
def model() -> Embedder:
    return SentenceEmbedder.load(Model(), threads=1)

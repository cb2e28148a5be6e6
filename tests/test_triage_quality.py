"""Triage on labelled sentences: recall of danger and false alarms stay within tests/triage/floors.json.

`tuning.jsonl` is what rules and examples were improved on; `test.jsonl`, where it is there, is what they were not. Each
file's SHA-256 stands beside its floors, so that neither changes unnoticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from qa.embed import Embedder, SentenceEmbedder
from qa.models import Urgency
from qa.settings import Model
from qa.triage import triage

FOLDER = Path(__file__).with_name("triage")
FLOORS = json.loads((FOLDER / "floors.json").read_text(encoding="utf-8"))
FILES = sorted(path.name for path in FOLDER.glob("*.jsonl"))


def measured(name: str, embedder: Embedder | None) -> dict[str, float]:
    """The parts that were found, or falsely alarmed, of each urgency and language that the file has."""
    found: dict[str, list[bool]] = {}
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        wanted = Urgency(entry["urgency"])
        got = triage(entry["text"], rules=None, embedder=embedder).urgency
        key = f"{wanted.value} {entry['language']}"
        if wanted.is_danger:
            found.setdefault(f"{key}: taken for danger", []).append(got.is_danger)
            found.setdefault(f"{key}: found", []).append(got is wanted)
        elif wanted is Urgency.ADVICE:
            found.setdefault(f"{key}: found", []).append(got is wanted)
        else:
            found.setdefault(f"{key}: not alarmed", []).append(not got.is_danger)
            found.setdefault(f"{key}: left alone", []).append(got is wanted)
    return {key: sum(hits) / len(hits) for key, hits in sorted(found.items())}


def below(name: str, part: str, values: dict[str, float]) -> Iterator[str]:
    """What is worse than its floor, in words."""
    for key, floor in FLOORS[name][part].items():
        if values[key] < floor:
            yield f"{name}, {part}, {key}: {values[key]:.3f}, floor {floor}"


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_every_file_with_floors_is_there(name: str) -> None:
    """A file with floors cannot disappear."""
    assert name in FILES


@pytest.mark.parametrize("name", FILES)
def test_the_sentences_are_the_ones_that_the_floors_belong_to(name: str) -> None:
    """Changed sentences make floors meaningless, so each file has its SHA-256 beside its floors."""
    assert FLOORS[name]["sha256"] == hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()


@pytest.mark.parametrize("name", FILES)
def test_phrases_alone_stay_above_the_floors(name: str) -> None:
    """Without a model, recall of danger and restraint on harmless questions stay at or above the floors."""
    assert list(below(name, "patterns", measured(name, None))) == []


@pytest.mark.model
@pytest.mark.parametrize("name", FILES)
def test_phrases_and_meaning_stay_above_the_floors(name: str) -> None:
    """With the packaged model, recall of danger and restraint on harmless questions stay at or above the floors."""
    assert list(below(name, "full", measured(name, model()))) == []


@cache
def model() -> Embedder:
    return SentenceEmbedder.load(Model(), threads=1)

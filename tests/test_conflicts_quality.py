"""Precision and recall of contradictions on labelled pairs that nothing was learned from, against pinned floors."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from qa.chunk import ModelTokens
from qa.conflicts.learn import measured, read_pairs
from qa.conflicts.learned import judge, load_learned
from qa.embed import PACKAGED_MODEL, ModelFiles, SentenceEmbedder
from qa.settings import Model

SETS = Path(__file__).with_name("conflicts")
PINNED = json.loads((SETS / "floors.json").read_text(encoding="utf-8"))


@pytest.mark.model
@pytest.mark.parametrize("name", sorted(PINNED["digests"]))
def test_labelled_pairs_are_told_apart(name: str) -> None:
    """Precision and recall on each set of labelled pairs are no worse than the pinned floors."""
    data = (SETS / f"{name}.jsonl").read_bytes()
    assert hashlib.sha256(data).hexdigest() == PINNED["digests"][name]
    rows = [json.loads(line) for line in data.decode("utf-8").splitlines()]
    files = ModelFiles.find(PACKAGED_MODEL)
    pairs = read_pairs(rows, SentenceEmbedder.load(Model(), files), ModelTokens(files.tokenizer()).offsets)
    found = [judge(*both, load_learned()) if both else None for both in pairs]
    scores = measured(rows, [(each is not None, each is not None and each[2]) for each in found])
    scores = {f"{name}.{score.replace(' ', '.')}": value for score, value in scores.items()}
    floors = {floor: least for floor, least in PINNED["floors"].items() if floor.startswith(f"{name}.")}
    assert set(floors) == set(scores)
    assert {score: value for score, value in scores.items() if value < floors[score]} == {}


def test_every_labelled_set_is_pinned() -> None:
    """A set in the folder is measured, and what is pinned is there."""
    assert {path.stem for path in SETS.glob("*.jsonl")} == set(PINNED["digests"])

"""Precision and recall of contradictions on labelled pairs of sentences, against pinned floors."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from qa.conflicts import judge_pair

SETS = Path(__file__).with_name("conflicts")
PINNED = json.loads((SETS / "floors.json").read_text(encoding="utf-8"))


def measured(rows: list[dict[str, str | bool]]) -> dict[str, float]:
    """Precision and recall of all contradictions and of the strict ones; a row that fails counts as it is."""
    found = [
        judge_pair(str(row["one"]), str(row["other"]), *((str(row[f"{side}_heading"]),) for side in ("one", "other")))
        for row in rows
    ]
    scores: dict[str, float] = {}
    for name, claimed, right in (
        ("", [each is not None for each in found], [row["label"] == "conflict" for row in rows]),
        ("strict.", [each is not None and each.is_strict for each in found], [bool(row["strict"]) for row in rows]),
    ):
        hits = sum(one and other for one, other in zip(claimed, right, strict=True))
        scores[f"{name}precision"] = hits / max(sum(claimed), 1)
        scores[f"{name}recall"] = hits / sum(right)
    return scores


@pytest.mark.parametrize("half", sorted(PINNED["digests"]))
def test_labelled_pairs_are_told_apart(half: str) -> None:
    """Precision and recall on each half of the labelled pairs are no worse than the pinned floors.

    The rules were made with the tuning half and without looking at the test half.
    """
    data = (SETS / f"{half}.jsonl").read_bytes()
    assert hashlib.sha256(data).hexdigest() == PINNED["digests"][half]
    rows = [json.loads(line) for line in data.decode().splitlines()]
    assert len(rows) >= 60
    assert {row["label"] for row in rows} == {"conflict", "same", "unrelated"}
    scores = measured(rows)
    floors = {name.removeprefix(f"{half}."): floor for name, floor in PINNED["floors"].items() if name.startswith(half)}
    assert set(floors) == set(scores)
    assert {name: score for name, score in scores.items() if score < floors[name]} == {}


def test_every_labelled_set_is_pinned() -> None:
    """A set in the folder is measured, and what is pinned is there."""
    assert {path.stem for path in SETS.glob("*.jsonl")} == set(PINNED["digests"])

"""The gate: scores that must not fall, pinned together with what they were measured on.

A floors file is JSON: {"questions": SHA-256, "corpus": SHA-256, "floors": {metric: least score}}. In every metric of it
more is better.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import floor, isfinite
from pathlib import Path

from qa.errors import EvaluationError

_DIGITS = 10_000  # floors are rounded down to four digits
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Digests:
    """SHA-256 of the questions and of the documents that they were asked of, in hexadecimal."""

    questions: str
    corpus: str


@dataclass(frozen=True, slots=True)
class Floors:
    """The least score of each metric, on the questions and documents with these digests."""

    digests: Digests
    least: Mapping[str, float]


def check_floors(measured: Mapping[str, float], floors: Floors, digests: Digests) -> list[str]:
    """What is wrong, a sentence each: other data than the floors were measured on, and every score below its floor."""
    problems = [
        f"The {name} are not those that the floors were measured on: found {found[:12]}, expected {expected[:12]}. "
        "If that is meant, write the floors anew."
        for name, found, expected in (
            ("questions", digests.questions, floors.digests.questions),
            ("documents", digests.corpus, floors.digests.corpus),
        )
        if found != expected
    ]
    for metric, least in floors.least.items():
        score = measured.get(metric)
        if score is None:
            problems.append(f"{metric} was not measured: expected at least {least:.4f}.")
        elif not score >= least - _ROUNDING:
            problems.append(f"{metric} is below its floor: found {score:.4f}, expected at least {least:.4f}.")
    return problems


def read_floors(path: Path) -> Floors:
    """The floors of a file. Raises EvaluationError for a file that is missing or is no floors file."""
    expected = '{"questions": "…", "corpus": "…", "floors": {"…": 0.9}}'
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        digests = Digests(questions=str(content["questions"]), corpus=str(content["corpus"]))
        least = {str(metric): float(value) for metric, value in content["floors"].items()}
    except FileNotFoundError as error:
        remedy = "Measure and write it with --write-floors."
        raise EvaluationError("the floors file is not there", path=path, remedy=remedy) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationError("this is no floors file", path=path, found=repr(error), expected=expected) from error
    unusable = [metric for metric, value in least.items() if not isfinite(value)]
    if unusable:
        raise EvaluationError("a floor is no number", path=path, found=", ".join(unusable), expected="0 to 1")
    return Floors(digests, least)


def write_floors(path: Path, measured: Mapping[str, float], digests: Digests, *, allow_lower: bool = False) -> Floors:
    """Write what was measured as the new floors.

    Raises EvaluationError where that would lower or remove a floor of the file that is there, unless `allow_lower`.
    """
    new = Floors(digests, {metric: floor(value * _DIGITS + _ROUNDING) / _DIGITS for metric, value in measured.items()})
    if path.exists() and not allow_lower:
        lowered = [
            f"{metric} from {least:.4f} to {new.least[metric]:.4f}" if metric in new.least else f"{metric} to nothing"
            for metric, least in read_floors(path).least.items()
            if metric not in new.least or new.least[metric] < least - _ROUNDING
        ]
        if lowered:
            raise EvaluationError(
                "this would lower floors",
                path=path,
                found=", ".join(lowered),
                remedy="Mend what made the scores fall, or say that it is meant with --lower-floors.",
            )
    content = {**asdict(digests), "floors": dict(sorted(new.least.items()))}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return new


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files below `folder` but hidden ones, in hexadecimal."""
    total = hashlib.sha256()
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for name, path in sorted(names.items()):
        if not any(part.startswith(".") for part in name.split("/")):
            total.update(json.dumps([name, hashlib.sha256(path.read_bytes()).hexdigest()]).encode())
    return total.hexdigest()

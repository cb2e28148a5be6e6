from __future__ import annotations

import json
from pathlib import Path

import pytest

from qa.errors import EvaluationError
from qa.evaluate.floors import Digests, Floors, check_floors, folder_digest, read_floors, write_floors

HERE = Digests("questions", "corpus")
FLOORS = Floors(HERE, {"patient.hit@1": 0.8, "staff.hit@1": 0.5})


def test_scores_at_or_above_their_floors_pass() -> None:
    """A score on its floor is high enough, and a score without a floor is nobody's business."""
    assert check_floors({"patient.hit@1": 0.8, "staff.hit@1": 0.9, "new": 0.0}, FLOORS, HERE) == []


def test_every_score_below_its_floor_is_a_problem() -> None:
    """Each is named with both numbers; a score that was not measured, or is no number, is below any floor."""
    low = check_floors({"patient.hit@1": 0.7, "staff.hit@1": 0.4}, FLOORS, HERE)
    assert len(low) == 2
    assert "patient.hit@1 is below its floor: found 0.7000, expected at least 0.8000" in low[0]
    assert "not measured" in check_floors({"patient.hit@1": 0.8}, FLOORS, HERE)[0]
    assert len(check_floors({"patient.hit@1": float("nan"), "staff.hit@1": 1}, FLOORS, HERE)) == 1


@pytest.mark.parametrize(
    ("digests", "named"), [(Digests("other", "corpus"), "questions"), (Digests("questions", "other"), "documents")]
)
def test_other_data_is_a_problem_by_its_name(digests: Digests, named: str) -> None:
    """Perfect scores on other questions or documents do not pass."""
    (problem,) = check_floors({"patient.hit@1": 1, "staff.hit@1": 1}, FLOORS, digests)
    assert f"The {named} are not those" in problem


def test_floors_are_written_and_read(tmp_path: Path) -> None:
    """What was measured passes the floors made of it, although these are rounded, down."""
    path = tmp_path / "floors.json"
    measured = {"b": 2 / 3, "a": 0.8}
    written = write_floors(path, measured, HERE)
    assert read_floors(path) == written == Floors(HERE, {"a": 0.8, "b": 0.6666})
    assert check_floors(measured, read_floors(path), HERE) == []


def test_floors_rise_freely(tmp_path: Path) -> None:
    """Higher scores, new scores and other data become the new floors without more ado."""
    path = tmp_path / "floors.json"
    write_floors(path, {"a": 0.5}, HERE)
    other = Digests("new", "new")
    write_floors(path, {"a": 0.6, "b": 0.1}, other)
    assert read_floors(path) == Floors(other, {"a": 0.6, "b": 0.1})


@pytest.mark.parametrize("measured", [{"a": 0.4}, {"b": 1.0}])
def test_floors_fall_only_when_told_to(tmp_path: Path, measured: dict[str, float]) -> None:
    """A lower floor, or one that would vanish, is refused, and the file stays as it is, unless lowering is meant."""
    path = tmp_path / "floors.json"
    write_floors(path, {"a": 0.5}, HERE)
    with pytest.raises(EvaluationError, match=r"a from 0\.5000 to 0\.4000|a to nothing"):
        write_floors(path, measured, Digests("new", "new"))
    assert read_floors(path).least == {"a": 0.5}
    write_floors(path, measured, HERE, allow_lower=True)
    assert read_floors(path).least == measured


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"questions": "", "corpus": "", "floors": {"a": "x"}}'])
def test_what_is_no_floors_file_is_an_error(tmp_path: Path, content: str) -> None:
    """Another file is not taken for floors that everything passes."""
    path = tmp_path / "floors.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(EvaluationError, match="no floors file"):
        read_floors(path)


def test_a_floor_that_is_no_number_is_an_error(tmp_path: Path) -> None:
    """NaN, which nothing is below, is no floor; nor is a file that is not there."""
    path = tmp_path / "floors.json"
    path.write_text(json.dumps({"questions": "", "corpus": "", "floors": {"a": float("nan")}}), encoding="utf-8")
    with pytest.raises(EvaluationError, match="no number"):
        read_floors(path)
    with pytest.raises(EvaluationError, match="--write-floors"):
        read_floors(tmp_path / "none.json")


def test_the_digest_of_a_folder(tmp_path: Path) -> None:
    """It follows names and bytes and nothing else: not hidden files, not times."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.md").write_text("text", encoding="utf-8")
    before = folder_digest(tmp_path)
    (tmp_path / ".hidden").write_text("x", encoding="utf-8")
    (tmp_path / "a" / "b.md").touch()
    assert folder_digest(tmp_path) == before
    (tmp_path / "a" / "b.md").write_text("texts", encoding="utf-8")
    changed = folder_digest(tmp_path)
    (tmp_path / "a" / "b.md").rename(tmp_path / "a" / "c.md")
    assert len({before, changed, folder_digest(tmp_path)}) == 3

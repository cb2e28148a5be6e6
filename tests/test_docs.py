from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from qa.cli import main
from qa.evaluate.labelled import METRICS
from qa.models import Metadata
from qa.questions import KEYS as KEYS_OF_QUESTIONS
from qa.questions import read_questions
from qa.settings import load_settings
from qa.sidecars import KEYS

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_is_in_the_readme(command: str) -> None:
    """A command that the README does not name is one that nobody finds."""
    assert f"`clinic-qa {command}`" in README


def test_every_key_of_a_label_is_in_the_readme() -> None:
    """The table of labels names every key, and every key is one of a document's metadata."""
    assert {field.name for field in fields(Metadata)} == set(KEYS)
    for key in KEYS:
        assert f"`{key}`" in README


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """Pictures and pages that the README points to are in the repository."""
    targets = re.findall(r"\]\(([^)]+)\)", README)
    missing = [target for target in targets if "://" not in target and not (PROJECT / target).exists()]
    assert missing == []


def test_every_make_target_of_the_readme_exists() -> None:
    """What the README tells people to run is in the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", README)) <= targets


def test_the_example_of_questions_is_one(tmp_path: Path) -> None:
    """The file of questions that docs/questions.md shows can be read, and its table names every key."""
    page = (PROJECT / "docs" / "questions.md").read_text(encoding="utf-8")
    example, toml = re.findall(r"```(?:yaml|toml)\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "questions.yaml").write_text(example, encoding="utf-8")
    (tmp_path / "clinic.toml").write_text(toml, encoding="utf-8")
    named = load_settings(tmp_path / "clinic.toml").answering.questions
    assert named is not None
    questions = read_questions(named)
    assert [len(question.places) for question in questions] == [2, 1, 0, 1]
    assert questions[-1].pinned
    for key in KEYS_OF_QUESTIONS:
        assert f"| `{key}` |" in page


def test_every_metric_of_questions_is_explained() -> None:
    """Each line of the report of a clinic's own questions has its sentence, and each option that is shown exists."""
    page = (PROJECT / "docs" / "questions.md").read_text(encoding="utf-8")
    for metric in (*METRICS, "auroc"):
        assert f"`{metric}`" in page
    options = {name for command in main.commands.values() for each in command.params for name in each.opts}
    assert set(re.findall(r"--[a-z-]+[a-z]\b", re.sub(r"\|[-|]+\|", "", page))) <= options

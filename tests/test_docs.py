from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from qa.cli import main
from qa.models import Metadata
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

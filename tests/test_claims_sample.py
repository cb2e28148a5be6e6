"""The sample clinic's documents under the claim guard, and the command over them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from click.testing import CliRunner, Result

from qa.claims import held_back, waiting_in
from qa.cli import main
from qa.clock import Clock
from qa.load import load_documents
from qa.settings import Settings, with_folders
from qa.signing import list_all

CORPUS = Path(__file__).parent.parent / "corpus"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command over a copy of the sample clinic's Markdown leaflets."""
    copytree(CORPUS, tmp_path / "corpus", ignore=lambda _, names: [name for name in names if ".pdf" in name])
    (tmp_path / "clinic.toml").write_text("[clinic]\nname = 'Test'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, ["claims", *words])


def test_nothing_of_the_sample_waits(sample_settings: Settings, clock: Clock) -> None:
    """Every sentence of the sample's patient documents that a rule finds is signed off by the document's approver."""
    settings = with_folders(sample_settings, corpus=CORPUS, index=None)
    documents = load_documents(settings, cache=None, today=clock().date()).documents
    assert settings.claims.mode == "block"
    assert waiting_in(documents, settings.claims) == {}
    assert held_back(documents, settings.claims) == frozenset()
    approver = {entry.id: entry.metadata.approved_by for entry in documents}
    sentences = list_all(documents, settings)
    assert len(sentences) > 10
    assert [sentence for sentence in sentences if sentence.by and sentence.by.by != approver[sentence.document]] == []


def test_the_command_lists_signs_and_takes_back(run: Run) -> None:
    """Nothing waits at first; a sign-off that is taken back waits with reason and source until it is signed again."""
    assert run().exit_code == 0
    everything = json.loads(run("--all", "--json").output)
    chosen = next(each for each in everything if each["document"] == "patient/ketamine-and-depression.md")
    assert run("unsign", chosen["document"], chosen["short"]).exit_code == 0
    listed = run()
    assert listed.exit_code == 5
    (claim, *_) = chosen["claims"]
    words = " ".join(listed.output.split())
    assert chosen["short"] in words
    for part in (chosen["document"], chosen["sentence"], claim["reason"], claim["source"]):
        assert part in words
    assert [each["digest"] for each in json.loads(run("--json").output)] == [chosen["digest"]]
    assert run("sign", chosen["document"], chosen["short"], "--by", "Dr. Test").exit_code == 0
    assert run().exit_code == 0
    assert "signed off by Dr. Test on" in run("--all").output


def test_a_file_is_checked_by_name(run: Run, tmp_path: Path) -> None:
    """`--file` lists what a file would wait for, with exit code 5, and 0 for one that claims nothing."""
    (tmp_path / "new.txt").write_text("Ketamine is completely safe.\n", encoding="utf-8")
    (tmp_path / "plain.txt").write_text("Bring a blanket.\n", encoding="utf-8")
    assert run("--file", "new.txt").exit_code == 5
    assert "completely safe" in run("--file", "new.txt").output
    assert run("--file", "plain.txt").exit_code == 0
    assert run("--file", "nothing.txt").exit_code == 1


def test_what_cannot_be_signed_is_a_sentence(run: Run) -> None:
    """An unknown digest ends with exit code 1 and words, and signing wants a name."""
    result = run("sign", "patient/faq.md", "0123456789", "--by", "Dr. Test")
    assert result.exit_code == 1
    assert "names no sentence" in result.output
    assert run("sign", "patient/faq.md", "0123456789").exit_code == 2

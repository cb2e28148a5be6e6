from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import WordEmbedder

import qa.embed
from qa.cli import main
from qa.embed import Model, ModelFiles

PROJECT = Path(__file__).parent.parent
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, with the word embedder in the place of the model and a settings file of its own."""

    def load(_cls: type, settings: Model, files: ModelFiles, **_threads: object) -> WordEmbedder:
        return WordEmbedder(files.fingerprint(settings))

    monkeypatch.setattr(qa.embed.SentenceEmbedder, "load", classmethod(load))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLINIC_QA_STATE__FOLDER", str(tmp_path / "state"))
    (tmp_path / "clinic.toml").write_text('[clinic]\nname = "Test"\nphone = "555-0100"\n', encoding="utf-8")
    documents = tmp_path / "corpus"
    documents.mkdir()
    (documents / "home.txt").write_text("Getting home\n\nNo driving until the morning after.\n", encoding="utf-8")
    (documents / "door.txt").write_text("The door\n\nThe code of the door is nausea.\n", encoding="utf-8")
    return lambda *words: CliRunner().invoke(main, list(words))


@pytest.fixture
def built(run: Run) -> Run:
    """The command, after one document was labelled for patients and the index was built."""
    assert run("label", "corpus/home.txt", "--audience", "patient", "--approved-by", "Dr. Test").exit_code == 0
    assert run("build").exit_code == 0
    return run


def test_help_names_every_command(run: Run) -> None:
    """The help lists what there is, in words."""
    result = run("--help")
    assert result.exit_code == 0
    assert {"ask", "build", "doctor", "label", "rollback"} <= set(result.output.split())


def test_help_imports_nothing_heavy() -> None:
    """`--help` answers without importing the model's libraries, the index's or the settings'."""
    script = "import sys; from qa.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(sorted(sys.modules))"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    for heavy in ("torch", "numpy", "faiss", "pydantic", "streamlit", "sentence_transformers"):
        assert f"'{heavy}'" not in output


def test_building_and_asking(built: Run) -> None:
    """A labelled document answers, with its text, title and file."""
    result = built("ask", "is driving allowed?")
    assert result.exit_code == 0
    assert "No driving until the morning after." in result.output
    assert "Getting home" in result.output
    assert "home.txt" in result.output
    assert "988" in result.output


def test_staff_only_text_is_not_for_patients(built: Run) -> None:
    """An unlabelled document answers staff and never patients, who are the default."""
    assert "code of the door" in built("ask", "nausea", "--audience", "staff").output
    result = built("ask", "nausea")
    assert result.exit_code == 0
    assert "door" not in result.output
    assert "555-0100" in result.output


def test_ask_json_is_one_object(built: Run) -> None:
    """`--json` prints one object and nothing else."""
    content = json.loads(built("ask", "driving?", "--json", "--top", "1").output)
    assert (content["question"], content["kind"], len(content["passages"])) == ("driving?", "answer", 1)


def test_a_batch_answers_line_by_line(built: Run, tmp_path: Path) -> None:
    """`--batch` gives one object for each line, in order, with its id."""
    file = tmp_path / "questions.jsonl"
    file.write_text('{"id": "a", "question": "driving?"}\n\n{"id": 2, "question": ""}\n', encoding="utf-8")
    lines = [json.loads(line) for line in built("ask", "--batch", str(file), "--json").output.splitlines()]
    assert [(line["id"], line["kind"]) for line in lines] == [("a", "answer"), (2, "not_covered")]


@pytest.mark.parametrize("line", ["no json", '{"question": "x"}', '["a", "b"]', '{"id": 1, "question": null}', "\xff"])
def test_a_bad_line_of_a_batch_is_named(built: Run, tmp_path: Path, line: str) -> None:
    """A line that cannot be used stops the batch with its number and what was expected."""
    file = tmp_path / "questions.jsonl"
    file.write_text(f'{{"id": 1, "question": "driving?"}}\n{line}\n', encoding="utf-8")
    result = built("ask", "--batch", str(file), "--json")
    assert result.exit_code == 1
    assert "line 2" in result.output


@pytest.mark.parametrize("words", [("ask",), ("ask", "x", "--batch", "clinic.toml"), ("label", "corpus")])
def test_half_a_command_says_what_is_missing(run: Run, words: tuple[str, ...]) -> None:
    """A command that cannot be meant exits with 2 and a sentence."""
    assert run(*words).exit_code == 2


def test_asking_without_an_index_names_the_command(run: Run) -> None:
    """Before the first build the error says what to run, without a traceback."""
    result = run("ask", "driving?")
    assert result.exit_code == 1
    assert "clinic-qa build" in result.output
    assert isinstance(result.exception, SystemExit)


def test_danger_is_met_with_guidance_also_without_an_index(run: Run) -> None:
    """Somebody in danger is told whom to call before the error that says what is missing."""
    result = run("ask", "I want to kill myself")
    assert result.exit_code == 1
    guidance, error = result.output.split("clinic-qa build")[0], "clinic-qa build"
    assert guidance.startswith("=====")
    assert "Call 988 or text 988" in guidance
    assert error in result.output


def test_exit_code_3_when_a_file_could_not_be_read(run: Run, tmp_path: Path) -> None:
    """Published, but not everything: exit code 3, and the file is named with the reason."""
    (tmp_path / "corpus" / "empty.pdf").write_bytes(b"")
    result = run("build")
    assert result.exit_code == 3
    assert "empty.pdf" in result.output


def test_exit_code_1_when_nothing_was_published(run: Run, tmp_path: Path) -> None:
    """An empty folder publishes nothing and says what to do."""
    (tmp_path / "empty").mkdir()
    result = run("build", "--corpus", "empty")
    assert result.exit_code == 1
    assert "Put documents into this folder" in result.output


def test_what_the_system_refuses_is_a_sentence(run: Run, tmp_path: Path) -> None:
    """An index folder that cannot be made is an error with its name, not a traceback."""
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    result = run("build", "--index", "taken")
    assert result.exit_code == 1
    assert "taken: the system refused this" in result.output


def test_build_json_is_one_object(run: Run) -> None:
    """`build --json` prints the report for machines: counts, and a line for every file."""
    report = json.loads(run("build", "--json").output)
    assert {line["path"]: line["outcome"] for line in report["files"]} == {"door.txt": "read", "home.txt": "read"}
    assert (report["passages"], report["embedded"]) == ({"patient": 0, "staff": 2}, 2)


def test_rollback_says_what_is_live(built: Run) -> None:
    """A second build can be taken back; a third time there is nothing to go back to."""
    assert built("build").exit_code == 0
    assert "Live again" in built("rollback").output
    assert built("rollback").exit_code == 1


def test_the_doctor_finds_what_is_wrong(run: Run, tmp_path: Path) -> None:
    """Each problem comes with what to do, and the exit code says that there is one."""
    (tmp_path / "corpus" / "broken.pdf").write_bytes(b"%PDF-")
    result = run("doctor")
    assert result.exit_code == 1
    assert "clinic-qa build" in result.output
    assert "broken.pdf" in result.output


def test_the_doctor_is_content_with_a_sound_clinic(built: Run) -> None:
    """After a build there is nothing bad to report, and the facts are there."""
    result = built("doctor", "--json")
    assert result.exit_code == 0
    subjects = {finding["subject"] for finding in json.loads(result.output)}
    assert {"versions", "model", "index", "documents"} <= subjects


def test_the_doctor_says_who_can_sign_in(built: Run, tmp_path: Path) -> None:
    """No account yet is no problem and comes with the command; a file that others can read keeps everybody out."""
    first = built("doctor")
    assert "clinic-qa staff add" in first.output
    assert not (tmp_path / "state").exists(), "the doctor changes nothing"
    (tmp_path / "state").mkdir(mode=0o700)
    accounts = tmp_path / "state" / "accounts.json"
    accounts.write_text("{}", encoding="utf-8")
    accounts.chmod(0o644)
    refused = built("doctor")
    assert (first.exit_code, refused.exit_code) == (0, 1)
    assert f"chmod 600 {accounts}" in refused.output


def test_the_doctor_says_once_what_is_overdue(built: Run, tmp_path: Path) -> None:
    """A document past its review date is one finding, with what to do; for staff the date holds nothing back."""
    label = tmp_path / "corpus" / "home.txt.yaml"
    label.write_text(label.read_text(encoding="utf-8") + "review_by: 2020-01-02\n", encoding="utf-8")
    assert built("label", "corpus/door.txt", "--audience", "staff", "--review-by", "2020-01-02").exit_code == 0
    findings = json.loads(built("doctor", "--json").output)
    overdue = [finding for finding in findings if "its review was due" in finding["state"]]
    assert [finding["state"] for finding in overdue if finding["subject"] == "documents"] == [
        "home.txt: its review was due on 2020-01-02"
    ]


def test_a_withdrawn_document_answers_patients_no_more(built: Run) -> None:
    """Withdrawing acts at the next question, without a build, and so does taking that back; staff see the mark."""
    assert "No driving" in built("ask", "driving?").output
    assert built("label", "corpus/home.txt", "--status", "withdrawn").exit_code == 0
    assert "No driving" not in built("ask", "driving?").output
    assert "home.txt" not in built("ask", "driving?", "--explain").output
    for_staff = built("ask", "driving?", "--audience", "staff").output
    assert "No driving" in for_staff
    assert "(withdrawn)" in for_staff
    assert built("label", "corpus/home.txt", "--status", "approved").exit_code == 0
    assert "No driving" in built("ask", "driving?").output


def test_the_doctor_says_what_is_held_back(built: Run) -> None:
    """A document that was withdrawn since the build is named, with the way back; nothing is wrong with that."""
    assert "held back" not in built("doctor").output
    assert built("label", "corpus/home.txt", "--status", "withdrawn").exit_code == 0
    result = built("doctor")
    assert result.exit_code == 0
    assert "held back from patients: home.txt, because its label says withdrawn, or its file is gone" in result.output
    assert built("build").exit_code == 0
    assert "held back" not in built("doctor").output


def test_the_doctor_says_why_a_document_is_held_back(built: Run, tmp_path: Path) -> None:
    """A review date that was brought forward, and a file that went, are told apart."""
    label = tmp_path / "corpus" / "home.txt.yaml"
    label.write_text(label.read_text(encoding="utf-8") + "review_by: 2020-01-02\n", encoding="utf-8")
    assert "held back from patients: home.txt, because its review was due on 2020-01-02" in built("doctor").output
    (tmp_path / "corpus" / "home.txt").unlink()
    assert "or its file is gone" in built("doctor").output


def test_the_doctor_misses_the_emergency_protocol(built: Run, tmp_path: Path) -> None:
    """A protocol that staff would not see in an emergency is a problem, until it is in their index."""
    file = tmp_path / "clinic.toml"
    named = file.read_text(encoding="utf-8").replace("[clinic]", '[clinic]\nemergency_protocol = "protocol.md"')
    file.write_text(named, encoding="utf-8")
    result = built("doctor")
    assert result.exit_code == 1
    assert "the emergency protocol protocol.md is not in the staff index" in result.output
    (tmp_path / "corpus" / "protocol.md").write_text("# Protocol\n\nCall 911.\n", encoding="utf-8")
    assert built("build").exit_code == 0
    assert built("doctor").exit_code == 0


def test_asking_without_the_documents_shows_nothing(built: Run, caplog: pytest.LogCaptureFixture) -> None:
    """Where the folder with the documents cannot be found, patients get nothing, and the reason is told."""
    result = built("ask", "driving?", "--corpus", "elsewhere")
    assert result.exit_code == 0
    assert "No driving" not in result.output
    assert "elsewhere cannot be listed" in caplog.text


def test_the_doctor_names_the_folders_that_it_looks_at(run: Run, tmp_path: Path) -> None:
    """Somebody in the wrong folder sees at once where the command looks."""
    output = run("doctor", "--corpus", "nowhere").output
    assert str(tmp_path / "index") in output
    assert str(tmp_path / "nowhere") in output


def test_words_need_no_quotes(built: Run) -> None:
    """A question can be typed as it is."""
    assert "No driving" in built("ask", "is", "driving", "allowed").output


def test_the_build_lists_every_document(built: Run) -> None:
    """The closing summary names each document with its audience and status."""
    output = built("build").output
    assert "home.txt: patient, approved, 2 blocks" in output
    assert "door.txt: staff," in output


def test_the_doctor_notices_changed_documents(built: Run, tmp_path: Path) -> None:
    """A document that changed since the build is advice to build again."""
    (tmp_path / "corpus" / "home.txt").write_text("Getting home\n\nDriving is for later.\n", encoding="utf-8")
    assert "changed since the last build" in built("doctor").output


def test_the_script_is_the_same_command() -> None:
    """`scripts/build_index.py` takes the options of `clinic-qa build`."""
    command = [sys.executable, "scripts/build_index.py", "--help"]
    output = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert "--corpus" in output


@pytest.mark.model
def test_the_real_model_answers_from_the_command(tmp_path: Path) -> None:
    """Label, build and ask as a clinic's engineer would, with the real model and nothing faked."""
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "leaflet.txt").write_text(
        "Ketamine and worry\n\nWhat worry is\n\nWorry is the mind's answer to a danger that may come.\n\n"
        "Eating before your visit\n\nPlease do not eat for six hours before the infusion.\n",
        encoding="utf-8",
    )

    def command(*words: str) -> str:
        options = ["--index", str(tmp_path / "index")]
        result = subprocess.run(
            [sys.executable, "-m", "qa", *words, *(options if words[0] != "label" else [])],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stderr == ""
        return result.stdout

    command("label", str(documents), "--audience", "patient", "--approved-by", "Dr. Test")
    command("build", "--corpus", str(documents))
    reply = json.loads(command("ask", "may I eat anything before the infusion?", "--json", "--corpus", str(documents)))
    assert reply["passages"][0]["citation"]["section"] == ["Ketamine and worry", "Eating before your visit"]
    start, end = reply["passages"][0]["span"]
    raw = (documents / "leaflet.txt").read_text(encoding="utf-8")
    assert raw[start:end] == "Please do not eat for six hours before the infusion."

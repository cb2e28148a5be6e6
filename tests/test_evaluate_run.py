from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import NOW, WordEmbedder

import qa.embed
import qa.evaluate.asking
import qa.evaluate.removal
from qa.cli import main
from qa.embed import Model, ModelFiles
from qa.errors import EvaluationError
from qa.evaluate.collection import file_text
from qa.evaluate.dataset import Entry
from qa.evaluate.report import DatasetReport
from qa.evaluate.run import Ask, evaluate_dataset
from qa.settings import Settings

Evaluate = Callable[..., DatasetReport]
Run = Callable[..., Result]

DOCUMENTS = [
    {"_id": "f/1", "title": "Food", "text": "Fasting begins at midnight before the visit."},
    {"_id": "F/1", "title": "", "text": "Nausea passes within some hours."},
    {"_id": "c" * 300, "title": "Cost", "text": "Cost of the visit.\n\nThe cost is a hundred dollars."},
    {"_id": "empty", "text": ""},
]
QUERIES = [
    {"_id": "1", "text": "fasting?", "metadata": {"summary": "nausea?"}},
    {"_id": "2", "text": "nausea?"},
    {"_id": "3", "text": "driving?"},
]
QRELS = "query-id\tcorpus-id\tscore\n1\tf/1\t3\n1\tgone\t2\n2\tF/1\t1\n9\tF/1\t2\n"


def write_lines(path: Path, lines: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small collection with judgements; ids differ only in capitals, are long, or hold slashes."""
    folder = tmp_path / "data"
    (folder / "qrels").mkdir(parents=True)
    write_lines(folder / "corpus.jsonl", DOCUMENTS)
    write_lines(folder / "queries.jsonl", QUERIES)
    (folder / "qrels" / "dev.tsv").write_text(QRELS, encoding="utf-8")
    return folder


@pytest.fixture
def evaluate(data: Path, settings: Settings, load_words: Callable[[Model, ModelFiles], WordEmbedder]) -> Evaluate:
    """The evaluation of that collection with the word embedder; keywords are those of `Ask`.

    Its clock goes on, a second each time: a generation has the moment as its name.
    """
    seconds = count()
    return lambda **ask: evaluate_dataset(
        data,
        Ask(**ask),
        settings=settings,
        clock=lambda: NOW + timedelta(seconds=next(seconds)),
        load_embedder=load_words,
    )


def test_a_collection_is_scored(evaluate: Evaluate) -> None:
    """Judged questions are asked, each document is known by its own id, and what is odd is said."""
    report = evaluate()
    assert (report.questions, report.documents, report.passages, report.built) == (2, 4, 3, True)
    first, second = report.scores["1"], report.scores["2"]
    assert (first["P@1 plain"], first["RR@10 condensed"], first["R@100 plain"]) == (1, 1, 0.5)
    assert second["nDCG@10 plain"] == 1
    assert "P@1 plain" not in second
    assert report.left_out == {"nDCG@10": 0, "AP@10": 1, "RR@10": 1, "P@1": 1, "R@100": 1}
    assert report.ranking["plain"]["nDCG@10"].count == 2
    assert set(report.latency) == {"p50", "p95"}
    assert report.crashes == ()
    notes = "\n".join(report.notes)
    assert "1 questions have neither judgements nor an answer and were not asked: 3" in notes
    assert "1 questions of the judgements are not among the questions and do not count: 9" in notes
    assert "1 judged documents are not in the collection; they count as never found: gone" in notes
    assert "1 documents could not be read: empty" in notes


def test_a_collection_is_indexed_once(evaluate: Evaluate, data: Path, settings: Settings) -> None:
    """The second evaluation takes the index of the first; other documents get another one."""
    assert evaluate().built
    again = evaluate()
    assert not again.built
    assert len(list((settings.index.folder / "evaluation").iterdir())) == 1
    write_lines(data / "corpus.jsonl", DOCUMENTS[:3])
    assert evaluate().built


def test_a_damaged_index_is_built_again(evaluate: Evaluate, tmp_path: Path) -> None:
    """An index that does not open is no obstacle."""
    evaluate(cache=tmp_path / "kept")
    (manifest,) = (tmp_path / "kept").rglob("patient/manifest.json")
    manifest.unlink()
    assert evaluate(cache=tmp_path / "kept").built


def test_another_field_can_be_asked(evaluate: Evaluate, data: Path) -> None:
    """With `field`, what is asked is that text: the first question then finds the other document."""
    only = data / "only.jsonl"
    write_lines(only, QUERIES[:1])
    assert evaluate(queries=only, field="metadata.summary").scores["1"]["P@1 plain"] == 0


def test_the_run_is_written(evaluate: Evaluate, tmp_path: Path) -> None:
    """The run names the documents by their own ids, best first."""
    path = tmp_path / "out.trec"
    evaluate(run_file=path)
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    assert {len(row) for row in rows} == {6}
    assert next(row[2] for row in rows if row[0] == "1") == "f/1"
    assert next(row[2] for row in rows if row[0] == "2") == "F/1"


def test_a_crash_scores_zero(evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that fails scores zero and is named; the others are scored."""
    real = qa.evaluate.asking.retrieve

    def fail(question: str, **options: object) -> object:
        if question == "fasting?":
            raise RuntimeError("out of order")
        return real(question, **options)  # type: ignore[arg-type] # what was given is handed on

    monkeypatch.setattr(qa.evaluate.asking, "retrieve", fail)
    report = evaluate()
    assert report.crashes == ("1: RuntimeError: out of order",)
    assert report.ranking["plain"]["nDCG@10"].mean == 0.5
    assert report.ranking["plain"]["P@1"].mean == 0


def test_answers_are_found_at_their_place(evaluate: Evaluate, data: Path) -> None:
    """Spans are compared in the data set's own text, also where a title was put in front of it in the file."""
    queries = []
    for number, asked, article, text in (
        ("1", "fasting?", "f/1", "begins at midnight"),
        ("2", "nausea?", "F/1", "some hours"),
        ("3", "cost?", "c" * 300, "a hundred dollars"),
        ("4", "cost?", "gone", "dollars"),
    ):
        whole = next((document["text"] for document in DOCUMENTS if document["_id"] == article), "dollars")
        metadata = {"article": article, "answer_start": whole.index(text), "answer_text": text}
        queries.append({"_id": number, "text": asked, "metadata": metadata})
    write_lines(data / "queries.jsonl", queries)
    (data / "qrels" / "dev.tsv").unlink()
    report = evaluate()
    assert report.ranking == {}
    for number in ("1", "2", "3"):
        assert report.scores[number]["answer@5"] == report.scores[number]["citation@5"] == 1
    assert report.scores["4"]["answer@10"] == report.scores["4"]["citation@5"] == 0
    assert report.spans["answer@10"].mean == 0.75
    assert any("never found: gone" in note for note in report.notes)
    assert not any("do not stand where" in note for note in report.notes)
    queries[0]["metadata"]["answer_start"] += 1
    write_lines(data / "queries.jsonl", queries)
    assert any("do not stand where they are said to; they count all the same: 1" in note for note in evaluate().notes)


@pytest.mark.parametrize(
    ("title", "text", "written", "before"),
    [
        ("Food", "Food\n\nEat.", "Food\n\nEat.", 0),
        ("", "Eat.", "Eat.", 0),
        ("Food", "Eat.", "Food\n\nEat.", 6),
        ("Food \n today", "Eat.", "Food today\n\nEat.", 12),
    ],
)
def test_a_title_stands_in_front_once(title: str, text: str, written: str, before: int) -> None:
    """A text that begins with its title is written as it is; else the title's line is counted."""
    assert file_text(Entry("a", title, text)) == (written, before)
    assert written[before:] == text


@pytest.fixture
def with_answers(data: Path) -> list[dict[str, object]]:
    """Questions whose answers stand in three articles, in place of the judged ones."""
    lines: list[dict[str, object]] = []
    for number, (asked, article, text) in enumerate(
        (
            ("fasting?", "f/1", "Fasting begins at midnight before the visit."),
            ("nausea?", "F/1", "Nausea passes within some hours."),
            ("cost?", "c" * 300, "The cost is a hundred dollars."),
            ("and the fasting?", "f/1", "Fasting begins at midnight before the visit."),
        )
    ):
        whole = next(document["text"] for document in DOCUMENTS if document["_id"] == article)
        metadata = {"article": article, "answer_start": str(whole).index(text), "answer_text": text}
        lines.append({"_id": str(number), "text": asked, "metadata": metadata})
    write_lines(data / "queries.jsonl", lines)
    (data / "qrels" / "dev.tsv").unlink()
    return lines


def test_articles_are_removed(evaluate: Evaluate, with_answers: list[dict[str, object]]) -> None:
    """Each question is asked with its article and without it; here the best cosine falls from 1 to 0 every time."""
    report = evaluate()
    assert report.removal is not None
    assert report.removal.questions == len(with_answers)
    assert [each.right for each in report.removal.judged] == [True, False] * 4
    assert (report.removal.by_cosine.mean, report.removal.auroc.mean) == (1.0, 1.0)
    (panel,) = report.panels()
    assert (panel.name, panel.judged, panel.threshold) == (
        "data, with and without the article (cross-fitted)",
        report.removal.judged,
        None,
    )
    text = report.as_text()
    assert "auroc present/removed (cross-fitted)  1.000 (1.000 to 1.000) on 4 questions" in text
    assert "auroc present/removed (top cosine)    1.000 (1.000 to 1.000) on 4 questions" in text
    assert json.loads(json.dumps(report.as_json()))["removal"]["questions"] == 4


def test_the_longest_passage_is_said(evaluate: Evaluate, with_answers: list[dict[str, object]]) -> None:
    """The most model tokens of a passage that was returned stand in the report, beside what is allowed."""
    report = evaluate()
    assert with_answers
    assert 0 < report.longest <= 200
    assert f"longest returned passage: {report.longest} tokens (at most 200 are allowed)" in report.as_text()


def test_one_article_cannot_be_held_out(evaluate: Evaluate, data: Path, with_answers: list[dict[str, object]]) -> None:
    """With questions about one article only there is nothing to fit a rule to, and nothing is said."""
    write_lines(data / "queries.jsonl", with_answers[:1])
    report = evaluate()
    assert report.removal is None
    assert report.panels() == ()
    assert "present/removed" not in report.as_text()


def test_a_crash_without_the_article_is_named(
    evaluate: Evaluate, with_answers: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that fails there is left out of the comparison and named; the others are compared."""
    real = qa.evaluate.removal.read_query

    def fail(question: str, **options: object) -> object:
        if question == "and the fasting?":
            raise RuntimeError("out of order")
        return real(question, **options)  # type: ignore[arg-type] # what was given is handed on

    monkeypatch.setattr(qa.evaluate.removal, "read_query", fail)
    report = evaluate()
    assert report.removal is not None
    assert report.removal.questions == len(with_answers) - 1
    assert report.crashes == ("3: RuntimeError: out of order",)


def test_nothing_to_score_is_an_error(evaluate: Evaluate, data: Path) -> None:
    """Without judgements and answers nothing is indexed or asked."""
    (data / "qrels" / "dev.tsv").unlink()
    with pytest.raises(EvaluationError, match="none of the questions has judgements"):
        evaluate()


def test_reports_are_printed(evaluate: Evaluate) -> None:
    """The text has a row for each metric with both scores, and the JSON can be written."""
    report = evaluate()
    text = report.as_text()
    for expected in ("nDCG@10", "AP@10", "RR@10", "P@1", "R@100", "latency", "left out", "Notes (4):"):
        assert expected in text
    assert "answered, uncalibrated" in text
    assert json.loads(json.dumps(report.as_json()))["ranking"]["plain"]["P@1"]["count"] == 1
    assert report.gate()["nDCG@10 condensed"] == report.ranking["condensed"]["nDCG@10"].mean


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in a clinic with one document for patients, one for staff, and a file of questions."""

    def load(_cls: type, settings: Model, files: ModelFiles, **_threads: object) -> WordEmbedder:
        return WordEmbedder(files.fingerprint(settings))

    monkeypatch.setattr(qa.embed.SentenceEmbedder, "load", classmethod(load))
    clinic = tmp_path / "clinic"
    (clinic / "corpus" / "patient").mkdir(parents=True)
    monkeypatch.chdir(clinic)
    (clinic / "clinic.toml").write_text('[corpus.folder_audience]\npatient = "patient"\n', encoding="utf-8")
    food = "---\napproved_by: Dr. Test\n---\n# Food\n\nFasting begins at midnight.\n"
    (clinic / "corpus" / "patient" / "food.md").write_text(food, encoding="utf-8")
    (clinic / "corpus" / "door.md").write_text("# Door\n\nThe code is nausea.\n", encoding="utf-8")
    (clinic / "questions.yaml").write_text(
        "questions:\n"
        "  - {question: fasting?, document: patient/food.md, section: Food, kind: plain}\n"
        "  - {question: '??', document: none}\n"
        "  - {question: nausea?, document: door.md, audience: staff}\n"
        "  - {question: cost?, document: gone.md, audience: staff}\n",
        encoding="utf-8",
    )
    return lambda *words: CliRunner().invoke(main, list(words))


def test_the_clinic_s_own_questions(run: Run) -> None:
    """Without DATA each audience's questions are asked of its live index, and places that went are said."""
    assert run("build").exit_code == 0
    result = run("evaluate", "--questions", "questions.yaml")
    assert result.exit_code == 0, result.output
    assert "patient: 2 questions" in result.output
    assert "'cost?': there is no gone.md" in result.output
    content = json.loads(run("evaluate", "--questions", "questions.yaml", "--json").output)
    patient = content["audiences"]["patient"]
    assert patient["metrics"]["hit@1"]["mean"] == patient["by_kind"]["plain"]["hit@1"]["mean"] == 1
    assert [(each["text"], each["answered"]) for each in patient["questions"]] == [("fasting?", True), ("??", False)]
    assert content["audiences"]["staff"]["questions"][0]["shown"][0] == ["door.md", "Door"]


def test_what_is_withdrawn_is_not_asked_of(run: Run) -> None:
    """The clinic's own questions are asked as its labels stand now: a withdrawn document answers none of them."""
    assert run("build").exit_code == 0
    before = json.loads(run("evaluate", "--questions", "questions.yaml", "--json").output)
    assert before["audiences"]["patient"]["questions"][0]["place"] == 1
    assert run("label", "corpus/patient/food.md", "--status", "withdrawn").exit_code == 0
    after = json.loads(run("evaluate", "--questions", "questions.yaml", "--json").output)
    assert after["audiences"]["patient"]["questions"][0]["place"] is None


def test_the_live_judge_decides(run: Run, tmp_path: Path) -> None:
    """Questions are answered as the app does: what the clinic pinned is shown, and staff's warnings are notes."""
    assert run("build").exit_code == 0
    clinic = tmp_path / "clinic"
    questions = clinic / "questions.yaml"
    questions.write_text("questions:\n  - {question: zzz, document: patient/food.md, pinned: yes}\n", encoding="utf-8")
    before = json.loads(run("evaluate", "--questions", "questions.yaml", "--json").output)
    assert before["audiences"]["patient"]["questions"][0]["answered"] is False
    assert any("The patient index is not calibrated" in note for note in before["notes"])
    with (clinic / "clinic.toml").open("a", encoding="utf-8") as file:
        file.write('[answering]\nquestions = "questions.yaml"\n')
    after = json.loads(run("evaluate", "--json").output)
    assert after["audiences"]["patient"]["questions"][0]["answered"] is True
    assert any("count in the calibration, too" in note for note in after["notes"])


def test_plots_from_the_command(run: Run, data: Path, tmp_path: Path, with_answers: list[dict[str, object]]) -> None:
    """With --plots both pictures are written, for the clinic's questions and for a data set with answers' places."""
    assert with_answers
    assert run("build").exit_code == 0
    for words, name in (((str(data),), "data"), (("--questions", "questions.yaml"), "own")):
        result = run("evaluate", *words, "--plots", name)
        assert result.exit_code == 0, result.output
        assert sorted(path.name for path in (tmp_path / "clinic" / name).iterdir()) == [
            "reliability.svg",
            "risk-coverage.svg",
        ]


def test_plots_of_judgements_alone_cannot_be_drawn(run: Run, data: Path) -> None:
    """A data set without answers' places has no probabilities to draw: exit code 1, after the report."""
    result = run("evaluate", str(data), "--plots", "plots")
    assert result.exit_code == 1
    assert "nDCG@10" in result.stdout
    assert "there is nothing to draw" in result.stderr


def test_floors_from_the_command(run: Run, tmp_path: Path) -> None:
    """Floors are written, hold, fail with exit code 4 on other questions, and are lowered only when told to."""
    assert run("build").exit_code == 0
    options = ("evaluate", "--questions", "questions.yaml")
    assert run(*options, "--write-floors", "floors.json").exit_code == 0
    assert run(*options, "--floors", "floors.json").exit_code == 0
    path = tmp_path / "clinic" / "questions.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("patient/food.md", "door.md"), encoding="utf-8")
    result = run(*options, "--floors", "floors.json")
    assert result.exit_code == 4
    assert "The questions are not those" in result.stderr
    assert "patient.hit@1 is below its floor" in result.stderr
    refused = run(*options, "--write-floors", "floors.json")
    assert refused.exit_code == 1
    assert "patient.hit@1 from 1.0000 to 0.0000" in refused.output
    assert run(*options, "--write-floors", "floors.json", "--lower-floors").exit_code == 0
    assert run(*options, "--floors", "floors.json").exit_code == 0


def test_a_collection_from_the_command(run: Run, data: Path, tmp_path: Path) -> None:
    """With DATA the collection is scored, and its index is kept below the clinic's own, which is not needed."""
    result = run("evaluate", str(data), "--json", "--run", "out.trec", "--relevant", "1")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["left_out"]["P@1"] == 0
    assert (tmp_path / "clinic" / "out.trec").is_file()
    assert (tmp_path / "clinic" / "index" / "evaluation").is_dir()
    assert "condensed" in run("evaluate", str(data)).output


@pytest.mark.parametrize("words", [(), ("data", "--questions", "x"), ("--questions", "x", "--lower-floors")])
def test_half_a_command_says_what_is_missing(run: Run, words: tuple[str, ...]) -> None:
    """A command that cannot be meant exits with 2."""
    assert run("evaluate", *words).exit_code == 2


def test_a_missing_collection_is_a_sentence(run: Run) -> None:
    """A folder that is not there is an error without a traceback."""
    result = run("evaluate", "nowhere")
    assert result.exit_code == 1
    assert "nowhere" in result.output

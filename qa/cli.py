"""The command `clinic-qa`: thin; library errors become command errors here and nowhere else.

Only click is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ParamSpec, TypedDict, TypeVar

import click

from qa import __version__
from qa.threads import prefer_one_thread

if TYPE_CHECKING:
    from qa.audience import Audience
    from qa.clock import Clock
    from qa.embed import Embedder
    from qa.index import FaissIndex
    from qa.judge import Judge
    from qa.models import Answer
    from qa.settings import Settings

prefer_one_thread()

P = ParamSpec("P")
T = TypeVar("T")

SOME_UNREADABLE = 3
BELOW_FLOOR = 4

settings_option = click.option(
    "--settings", "settings_file", type=click.Path(path_type=Path), help="The settings file.  [default: clinic.toml]"
)
corpus_option = click.option("--corpus", type=click.Path(path_type=Path), help="The documents' folder.")
index_option = click.option("--index", "index_folder", type=click.Path(path_type=Path), help="The index folder.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def explained(command: Callable[P, T]) -> Callable[P, T]:
    """Turn the errors of the library, and what the system refuses, into a sentence and exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        import sqlite3

        from qa.errors import QAError

        try:
            return command(*args, **kwargs)
        except QAError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{place}the system refused this ({error.strerror or error}).") from error
        except sqlite3.Error as error:
            raise click.ClickException(f"a database of the index or the cache gave up: {error}.") from error

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="clinic-qa")
def main() -> None:
    """Cited answers from a clinic's own documents."""


@main.command()
@settings_option
@corpus_option
@index_option
@json_option
@explained
def build(settings_file: Path | None, corpus: Path | None, index_folder: Path | None, *, as_json: bool) -> None:
    """Read the documents and publish a new index.

    Exit code 0: published, and every document was read. 3: published, but some files could not be read. 1: nothing
    was published.
    """
    from qa.build import build as run_build
    from qa.clock import clinic_clock
    from qa.report import build_summary

    settings = _settings(settings_file, corpus, index_folder)
    with _progress_bars() as progress:
        report = run_build(settings, clock=clinic_clock(settings.clinic.timezone), progress=progress)
    click.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else build_summary(report))
    if report.load.failed:
        sys.exit(SOME_UNREADABLE)


@main.command()
@click.argument("words", nargs=-1, metavar="QUESTION")
@click.option("--audience", type=click.Choice(["patient", "staff"]), default="patient", show_default=True)
@click.option("--top", type=click.IntRange(1, 50), help="How many passages.  [default: retrieval.top]")
@click.option("--batch", type=click.File("rb"), help='A file of lines {"id": …, "question": …}.')
@click.option("--explain", is_flag=True, help="Say for every candidate how it came to its place, and why it is shown.")
@settings_option
@index_option
@json_option
@explained
def ask(
    words: tuple[str, ...],
    audience: str,
    top: int | None,
    batch: BinaryIO | None,
    settings_file: Path | None,
    index_folder: Path | None,
    *,
    explain: bool,
    as_json: bool,
) -> None:
    """Ask a question; passages from the documents come back, with their sources.

    With --batch, one JSON object for each line of the file, in order.
    """
    from qa.answer import answer_json
    from qa.audience import Audience
    from qa.report import answer_text

    question = " ".join(words)
    if bool(words) == (batch is not None):
        raise click.UsageError("Give either a question or --batch FILE.")
    settings = _settings(settings_file, None, index_folder)
    asking = _asking(settings, Audience(audience), top)
    if explain:
        if batch is not None:
            raise click.UsageError("--explain takes one question.")
        from qa.explain import explain as explain_question
        from qa.explain_text import explanation_text

        explanation = explain_question(question, Audience(audience), **asking)
        click.echo(json.dumps(explanation.as_json(), ensure_ascii=False) if as_json else explanation_text(explanation))
        return
    reply_to = _asker(Audience(audience), asking)
    if batch is None:
        reply = reply_to(question)
        for warning in asking["judge"].warnings if audience == "staff" else ():
            click.echo(warning, err=True)
        click.echo(json.dumps(answer_json(reply), ensure_ascii=False) if as_json else answer_text(reply, settings))
        return
    if not as_json:
        raise click.UsageError("--batch prints JSON: add --json.")
    for number, line in enumerate(batch, start=1):
        if line.strip():
            identifier, asked = _batch_line(line, number)
            click.echo(json.dumps({"id": identifier, **answer_json(reply_to(asked))}, ensure_ascii=False))


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--audience", type=click.Choice(["patient", "staff"]), help="Who may read it.")
@click.option("--approved-by", help="Who approved it; the approval is dated today unless --approved-on says otherwise.")
@click.option("--approved-on", help="The day of approval, as 2026-03-31.")
@click.option("--review-by", help="The day after which patients no longer get it, as 2027-03-31.")
@click.option("--status", type=click.Choice(["draft", "approved", "withdrawn"]))
@click.option("--title", help="What people see as its name (one file only).")
@click.option("--version", help='For instance "2.1".')
@click.option("--language", help='For instance "en".')
@click.option("--source", help="Where it comes from.")
@settings_option
@explained
def label(paths: tuple[Path, ...], settings_file: Path | None, **changes: str | None) -> None:
    """Write labels beside documents (FILE.yaml): who may read them, who approved them, until when.

    PATHS are files or whole folders. Labels take effect with the next `clinic-qa build`.
    """
    from qa.clock import clinic_clock
    from qa.report import label_summary
    from qa.settings import load_settings
    from qa.sidecars import label as write_labels

    given = {key: value for key, value in changes.items() if value is not None}
    if not given:
        raise click.UsageError("Say what to write, for instance --audience patient --approved-by NAME.")
    settings = load_settings(settings_file)
    report = write_labels(list(paths), given, today=clinic_clock(settings.clinic.timezone)().date())
    click.echo(label_summary(report))
    if not report.written:
        sys.exit(1)


@main.command()
@settings_option
@corpus_option
@index_option
@explained
def rollback(settings_file: Path | None, corpus: Path | None, index_folder: Path | None) -> None:
    """Make the generation before the live one live again.

    It stays as it is when the earlier one would give patients a document that has been taken from them since.
    """
    from qa.clock import clinic_clock
    from qa.publish import roll_back
    from qa.report import rollback_summary

    settings = _settings(settings_file, corpus, index_folder)
    click.echo(rollback_summary(roll_back(settings, clinic_clock(settings.clinic.timezone))))


@main.command()
@settings_option
@corpus_option
@index_option
@json_option
@explained
def doctor(settings_file: Path | None, corpus: Path | None, index_folder: Path | None, *, as_json: bool) -> None:
    """Say how things stand: versions, model, index and documents, each with what to do."""
    from qa.clock import clinic_clock
    from qa.doctor import examine
    from qa.report import doctor_text

    settings = _settings(settings_file, corpus, index_folder)
    findings = examine(settings, clinic_clock(settings.clinic.timezone))
    click.echo(json.dumps([finding.as_json() for finding in findings]) if as_json else doctor_text(findings))
    if any(not finding.good for finding in findings):
        sys.exit(1)


@main.command(name="calibrate")
@settings_option
@index_option
@json_option
@explained
def calibrate_command(settings_file: Path | None, index_folder: Path | None, *, as_json: bool) -> None:
    """Learn from the documents when to say "not covered"; a build does it too.

    The documents' own headings become questions, with and without what answers them. The clinic's labelled questions
    (answering.questions in clinic.toml) count as well. Exit code 3: an index could not be calibrated and answers on
    strong evidence only.
    """
    from qa.calibrate.generation import calibrate_live
    from qa.clock import clinic_clock
    from qa.confidence import Calibration
    from qa.report import calibration_text

    settings = _settings(settings_file, None, index_folder)
    with _progress_bars() as progress:
        done = calibrate_live(settings, clinic_clock(settings.clinic.timezone)().date(), progress)
    if as_json:
        click.echo(json.dumps({audience: result.as_json() for audience, result in done.items()}, ensure_ascii=False))
    else:
        for audience, result in done.items():
            click.echo(
                calibration_text(audience, result)
                if isinstance(result, Calibration)
                else f"{audience}: {result.reason}"
            )
    if not all(isinstance(result, Calibration) for result in done.values()):
        sys.exit(SOME_UNREADABLE)


@main.command()
@click.argument("data", required=False, type=click.Path(path_type=Path))
@click.option("--queries", type=click.Path(path_type=Path), help="Questions of DATA.  [default: queries.jsonl]")
@click.option(
    "--qrels", type=click.Path(path_type=Path), help="Judgements.  [default: the only one in qrels, or test.tsv]"
)
@click.option("--field", default="text", show_default=True, help="What of a question is asked, as metadata.summary.")
@click.option("--relevant", type=click.IntRange(1, 10), default=2, show_default=True, help="The lowest relevant grade.")
@click.option("--run", "run_file", type=click.Path(path_type=Path), help="Write the rankings here, in TREC's format.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    help="Where indexes of DATA are kept.  [default: evaluation in the index folder]",
)
@click.option("--questions", type=click.Path(path_type=Path), help="The clinic's own questions (YAML), without DATA.")
@click.option("--plots", type=click.Path(path_type=Path), help="Draw reliability.svg and risk-coverage.svg into it.")
@click.option("--floors", type=click.Path(path_type=Path), help="Fail where a score is below its floor in this file.")
@click.option("--write-floors", type=click.Path(path_type=Path), help="Write the scores as new floors.")
@click.option("--lower-floors", is_flag=True, help="Let --write-floors lower them.")
@settings_option
@corpus_option
@index_option
@json_option
@explained
def evaluate(
    data: Path | None,
    questions: Path | None,
    plots: Path | None,
    floors: Path | None,
    write_floors: Path | None,
    settings_file: Path | None,
    corpus: Path | None,
    index_folder: Path | None,
    *,
    lower_floors: bool,
    as_json: bool,
    **asked: Any,  # noqa: ANN401 - the other options, for Ask, which has their types
) -> None:
    """Measure how well questions are answered.

    With DATA, a folder in the BEIR layout (corpus.jsonl, queries.jsonl, qrels), on that collection, which is indexed
    once and kept. Without, on the clinic's own questions and its live index.

    Exit code 0: measured. 4: a score is below its floor, or the floors are for other data. 1: nothing was measured.
    """
    from qa.clock import clinic_clock
    from qa.evaluate.plots import require_matplotlib, write_plots
    from qa.evaluate.report import Report
    from qa.evaluate.run import Ask, evaluate_dataset, evaluate_questions, hold_against_floors

    if lower_floors and write_floors is None:
        raise click.UsageError("--lower-floors goes with --write-floors FILE.")
    if plots is not None:
        require_matplotlib()
    settings = _settings(settings_file, corpus, index_folder)
    questions = questions or (settings.answering.questions if data is None else None)
    if (data is None) == (questions is None):
        raise click.UsageError(
            "Give either a data set's folder or --questions FILE, or set answering.questions in clinic.toml."
        )
    clock = clinic_clock(settings.clinic.timezone)
    report: Report
    if data is not None:
        with _progress_bars() as progress:
            report = evaluate_dataset(data, Ask(**asked), settings=settings, clock=clock, progress=progress)
    elif questions is not None:
        report = evaluate_questions(questions, settings=settings, clock=clock)
    click.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else report.as_text())
    if plots is not None:
        write_plots(plots, report.panels())
    problems = hold_against_floors(report, floors=floors, write_to=write_floors, allow_lower=lower_floors)
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(BELOW_FLOOR)


def _settings(settings_file: Path | None, corpus: Path | None, index_folder: Path | None) -> Settings:
    from qa.settings import load_settings, with_folders

    return with_folders(load_settings(settings_file), corpus=corpus, index=index_folder)


class _Asking(TypedDict):
    """What `answer` takes besides the question and who asks."""

    index: FaissIndex
    embedder: Embedder
    settings: Settings
    clock: Clock
    judge: Judge
    top: int | None


def _asking(settings: Settings, audience: Audience, top: int | None) -> _Asking:
    """Index and model, opened once."""
    import gc

    from qa.clock import clinic_clock
    from qa.embed import ModelFiles, SentenceEmbedder
    from qa.index import open_index
    from qa.judge import open_judge
    from qa.retrieve.rerank import load_reranker

    model_files = ModelFiles.find(settings.model.name)
    index = open_index(settings.index.folder, audience, model_files.fingerprint(settings.model))
    embedder = SentenceEmbedder.load(settings.model, model_files, threads=1)
    judge = open_judge(index, settings, load_reranker(settings.retrieval, settings.model))
    gc.collect()
    gc.freeze()
    clock = clinic_clock(settings.clinic.timezone)
    return _Asking(index=index, embedder=embedder, settings=settings, clock=clock, judge=judge, top=top)


def _asker(audience: Audience, asking: _Asking) -> Callable[[str], Answer]:
    """A function that answers one question."""
    from qa.answer import answer

    return lambda question: answer(question, audience, **asking)


def _batch_line(line: bytes, number: int) -> tuple[object, str]:
    from qa.errors import QAError

    expected = '{"id": …, "question": "…"}'
    try:
        content = json.loads(line.decode("utf-8-sig"))
        identifier, question = content["id"], content["question"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        found = type(error).__name__
        raise QAError(f"line {number} of the batch cannot be used", found=found, expected=expected) from error
    if not isinstance(question, str):
        found = f"a question that is {type(question).__name__}"
        raise QAError(f"line {number} of the batch cannot be used", found=found, expected=expected)
    return identifier, question


@contextmanager
def _progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each stage on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _stage, _done, _all: None
        return
    from tqdm import tqdm

    bars: dict[str, tqdm[None]] = {}

    def show(stage: str, done: int, everything: int) -> None:
        if stage not in bars:
            for bar in bars.values():
                bar.close()
            bars[stage] = tqdm(desc=f"{stage:>6}", total=everything, unit="", leave=True)
        bars[stage].total = everything
        bars[stage].update(done - bars[stage].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()

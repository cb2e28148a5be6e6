"""The command that measures answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from qa.cli.shared import (
    corpus_option,
    explained,
    index_option,
    json_option,
    progress_bars,
    settings_of,
    settings_option,
)

BELOW_FLOOR = 4


@click.command()
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
    settings = settings_of(settings_file, corpus, index_folder)
    questions = questions or (settings.answering.questions if data is None else None)
    if (data is None) == (questions is None):
        raise click.UsageError(
            "Give either a data set's folder or --questions FILE, or set answering.questions in clinic.toml."
        )
    clock = clinic_clock(settings.clinic.timezone)
    report: Report
    if data is not None:
        with progress_bars() as progress:
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

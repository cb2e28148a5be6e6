"""Commands that change what is published: build, calibrate, roll back."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from qa.cli.shared import (
    SOME_UNREADABLE,
    corpus_option,
    explained,
    index_option,
    json_option,
    progress_bars,
    settings_of,
    settings_option,
)


@click.command()
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

    settings = settings_of(settings_file, corpus, index_folder)
    with progress_bars() as progress:
        report = run_build(settings, clock=clinic_clock(settings.clinic.timezone), progress=progress)
    click.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else build_summary(report))
    if report.load.failed:
        sys.exit(SOME_UNREADABLE)


@click.command()
@settings_option
@index_option
@json_option
@explained
def calibrate(settings_file: Path | None, index_folder: Path | None, *, as_json: bool) -> None:
    """Learn from the documents when to say "not covered"; a build does it too.

    The documents' own headings become questions, with and without what answers them. The clinic's labelled questions
    (answering.questions in clinic.toml) count as well. Exit code 3: an index could not be calibrated and answers on
    strong evidence only.
    """
    from qa.calibrate.generation import calibrate_live
    from qa.clock import clinic_clock
    from qa.confidence import Calibration
    from qa.report import calibration_text

    settings = settings_of(settings_file, None, index_folder)
    with progress_bars() as progress:
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


@click.command()
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

    settings = settings_of(settings_file, corpus, index_folder)
    click.echo(rollback_summary(roll_back(settings, clinic_clock(settings.clinic.timezone))))

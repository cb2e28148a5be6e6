"""Commands about the documents and this machine: label, doctor."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from qa.cli.shared import (
    corpus_option,
    explained,
    index_option,
    json_option,
    settings_of,
    settings_option,
)


@click.command()
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

    PATHS are files or whole folders. What a label takes from patients is gone with the next question; what it gives
    them comes with the next `clinic-qa build`.
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


@click.command()
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

    settings = settings_of(settings_file, corpus, index_folder)
    findings = examine(settings, clinic_clock(settings.clinic.timezone))
    click.echo(json.dumps([finding.as_json() for finding in findings]) if as_json else doctor_text(findings))
    if any(not finding.good for finding in findings):
        sys.exit(1)

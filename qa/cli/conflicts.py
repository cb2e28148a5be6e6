"""The command about contradictions between documents."""

from __future__ import annotations

import json
from pathlib import Path

import click

from qa.cli.shared import corpus_option, explained, json_option, settings_of, settings_option


@click.command()
@settings_option
@corpus_option
@json_option
@explained
def conflicts(settings_file: Path | None, corpus: Path | None, *, as_json: bool) -> None:
    """List sentences of different documents that contradict each other.

    Other times, amounts, numbers, days, or yes against no, for the same thing: both sentences, where they stand and
    when they were approved, newest first. Only what is almost sure is listed.
    """
    from qa.clock import clinic_clock
    from qa.conflict_report import conflict_json, conflicts_text
    from qa.conflicts import compare_documents
    from qa.load import load_documents

    settings = settings_of(settings_file, corpus, None)
    today = clinic_clock(settings.clinic.timezone)().date()
    loaded = load_documents(settings, cache=None, today=today)
    for line in loaded.failed:
        click.echo(f"{line.path} could not be read: {line.reason}", err=True)
    found = compare_documents(loaded.documents)
    if as_json:
        by_id = {entry.id: entry for entry in loaded.documents}
        click.echo(json.dumps([conflict_json(conflict, by_id) for conflict in found], ensure_ascii=False))
    else:
        click.echo(conflicts_text(found, loaded.documents))

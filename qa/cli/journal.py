"""The command about the journal of questions: purge."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from qa.cli.shared import explained, settings_option


@click.command()
@click.option("--all", "everything", is_flag=True, help="Delete every question.")
@click.option("--older-than", "days", type=click.IntRange(0, 36500), help="Delete what was asked more than DAYS ago.")
@settings_option
@explained
def purge(days: int | None, settings_file: Path | None, *, everything: bool) -> None:
    """Delete questions from the journal, for good.

    Without an option, what has been kept for its time (journal.keep_days in clinic.toml), or everything where
    journal.questions is "none". The app does the same by itself while it runs.
    """
    from qa.clock import clinic_clock
    from qa.journal import Journal
    from qa.settings import load_settings

    if everything and days is not None:
        raise click.UsageError("Give either --all or --older-than DAYS.")
    settings = load_settings(settings_file)
    clock = clinic_clock(settings.clinic.timezone)
    journal = Journal(settings, clock)
    if not journal.path.exists():
        click.echo(f"There is no journal at {journal.path}: nothing to delete.")
        return
    if everything:
        purged = journal.purge(None)
    elif days is not None:
        purged = journal.purge(clock() - timedelta(days=days))
    else:
        purged = journal.enforce()
    click.echo(f"Questions deleted: {purged.deleted}. Still kept: {purged.kept}.")

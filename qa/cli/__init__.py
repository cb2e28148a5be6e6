"""The command `clinic-qa`: thin; library errors become command errors here and nowhere else.

Only click is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import click

from qa import __version__
from qa.cli.asking import ask
from qa.cli.claims import claims
from qa.cli.conflicts import conflicts
from qa.cli.documents import doctor, label
from qa.cli.journal import purge
from qa.cli.measuring import evaluate
from qa.cli.publishing import build, calibrate, rollback
from qa.cli.staff import staff
from qa.cli.triage import triage
from qa.threads import prefer_one_thread

__all__ = ["build", "main"]

prefer_one_thread()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="clinic-qa")
def main() -> None:
    """Cited answers from a clinic's own documents."""


for command in (build, ask, label, rollback, doctor, calibrate, evaluate, staff, purge, claims, conflicts, triage):
    main.add_command(command)

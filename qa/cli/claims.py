"""The command about claims: what waits for a sign-off, and signing it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.cli.shared import corpus_option, explained, json_option, settings_of, settings_option

if TYPE_CHECKING:
    from qa.settings import Settings
    from qa.signing import Listed

SOMETHING_WAITS = 5


@click.group(invoke_without_command=True)
@click.option("--all", "everything", is_flag=True, help="Also what is signed off, with who and when.")
@click.option(
    "--file", "path", type=click.Path(path_type=Path), help="Check this one file, wherever it is, whoever reads it."
)
@settings_option
@corpus_option
@json_option
@click.pass_context
@explained
def claims(
    context: click.Context,
    path: Path | None,
    settings_file: Path | None,
    corpus: Path | None,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    """List the sentences that wait for a sign-off before patients get their documents.

    They claim approval, cure, safety without risk, non-addictiveness, guaranteed or immediate results. Reword them, or
    sign each one that is right. Exit code 5: something waits. 0: nothing does.
    """
    if context.invoked_subcommand is not None:
        if everything or path is not None or as_json or settings_file is not None or corpus is not None:
            raise click.UsageError(f"Put the options after `{context.invoked_subcommand}`.")
        return
    from qa.report import claims_json, claims_text
    from qa.signing import waits

    settings = settings_of(settings_file, corpus, None)
    found = _found(settings, path)
    waiting = waits(found)
    shown = found if everything else waiting
    if as_json:
        click.echo(json.dumps([claims_json(sentence) for sentence in shown], ensure_ascii=False))
    else:
        click.echo(claims_text(shown, len(waiting), settings.claims.mode, checked_file=path is not None))
    if waiting:
        sys.exit(SOMETHING_WAITS)


def _found(settings: Settings, path: Path | None) -> tuple[Listed, ...]:
    from qa.clock import clinic_clock
    from qa.load import load_documents
    from qa.signing import check_file, list_all

    today = clinic_clock(settings.clinic.timezone)().date()
    if path is not None:
        return check_file(settings, path, today)
    loaded = load_documents(settings, cache=None, today=today)
    for line in loaded.failed:
        click.echo(f"{line.path} could not be read: {line.reason}", err=True)
    return list_all(loaded.documents, settings)


@claims.command()
@click.argument("document")
@click.argument("digests", nargs=-1, required=True, metavar="DIGEST...")
@click.option("--by", required=True, help="Who answers for these sentences.")
@settings_option
@corpus_option
@explained
def sign(document: str, digests: tuple[str, ...], by: str, settings_file: Path | None, corpus: Path | None) -> None:
    """Sign sentences off, each by its digest, in the label of DOCUMENT.

    It takes effect with the next `clinic-qa build`. A sentence that is changed later waits again.
    """
    from qa.clock import clinic_clock
    from qa.report import signed_text
    from qa.signing import sign as sign_off

    settings = settings_of(settings_file, corpus, None)
    today = clinic_clock(settings.clinic.timezone)().date()
    click.echo(signed_text(sign_off(settings, document, digests, by=by, today=today), by))


@claims.command()
@click.argument("document")
@click.argument("digests", nargs=-1, required=True, metavar="DIGEST...")
@settings_option
@corpus_option
@explained
def unsign(document: str, digests: tuple[str, ...], settings_file: Path | None, corpus: Path | None) -> None:
    """Take sign-offs back; where claims.mode is "block", patients do not get DOCUMENT with their next question."""
    from qa.clock import clinic_clock
    from qa.signing import unsign as take_back

    settings = settings_of(settings_file, corpus, None)
    gone = take_back(settings, document, digests, today=clinic_clock(settings.clinic.timezone)().date())
    click.echo(f"Taken back: {len(gone)}. Run `clinic-qa build`, too: it says what waits now.")

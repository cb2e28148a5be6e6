"""The commands for the accounts with which staff sign in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.cli.shared import explained, json_option, settings_of, settings_option

if TYPE_CHECKING:
    from qa.accounts import AccountRole, Accounts

_ROLES = ("staff", "manager")

_name = click.argument("name")
_role = click.option("--role", type=click.Choice(_ROLES), required=True, help="What they are here.")
_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)


@click.group()
def staff() -> None:
    """Who can sign in, and as what; without an identity provider.

    A password is asked for twice and never shown. Every change takes effect at once.
    """


@staff.command("add")
@_name
@_role
@_password_stdin
@settings_option
@explained
def add(name: str, role: str, settings_file: Path | None, *, password_stdin: bool) -> None:
    """Make an account for NAME."""
    accounts = _accounts(settings_file)
    account = accounts.add(name, _account_role(role), _password(from_stdin=password_stdin))
    click.echo(f"{account.name} can sign in as {account.role}.")


@staff.command("list")
@settings_option
@json_option
@explained
def list_accounts(settings_file: Path | None, *, as_json: bool) -> None:
    """Show the accounts."""
    everybody = _accounts(settings_file).everybody()
    if as_json:
        click.echo(json.dumps([{"name": one.name, "role": one.role} for one in everybody], ensure_ascii=False))
        return
    for account in everybody:
        click.echo(f"{account.role:<8} {account.name}")
    if not everybody:
        click.echo("There are no accounts. Make one with: clinic-qa staff add NAME --role manager")


@staff.command("remove")
@_name
@settings_option
@explained
def remove(name: str, settings_file: Path | None) -> None:
    """Take away the account of NAME, and sign it out everywhere."""
    _accounts(settings_file).remove(name)
    click.echo(f"{name} cannot sign in any more, and is signed out everywhere.")


@staff.command("password")
@_name
@_password_stdin
@settings_option
@explained
def password(name: str, settings_file: Path | None, *, password_stdin: bool) -> None:
    """Give NAME another password, and sign it out everywhere."""
    accounts = _accounts(settings_file)
    accounts.set_password(name, _password(from_stdin=password_stdin))
    click.echo(f"{name} has a new password, and is signed out everywhere.")


@staff.command("role")
@_name
@_role
@settings_option
@explained
def role(name: str, role: str, settings_file: Path | None) -> None:
    """Give NAME another role, and sign it out everywhere."""
    _accounts(settings_file).set_role(name, _account_role(role))
    click.echo(f"{name} is now {role}, and is signed out everywhere.")


@staff.command("sign-out")
@click.argument("name", required=False)
@click.option("--all", "everybody", is_flag=True, help="Everybody, also whom an identity provider has signed in.")
@settings_option
@explained
def sign_out(name: str | None, settings_file: Path | None, *, everybody: bool) -> None:
    """Sign NAME out on all devices, or everybody."""
    if everybody == (name is not None):
        raise click.UsageError("Give either a NAME or --all.")
    accounts = _accounts(settings_file)
    if name is None:
        from qa.clock import clinic_clock

        accounts.sign_out_everybody(clinic_clock("UTC")().timestamp())
        click.echo("Everybody is signed out everywhere.")
    else:
        accounts.sign_out(name)
        click.echo(f"{name} is signed out everywhere.")


def _accounts(settings_file: Path | None) -> Accounts:
    from qa.accounts import Accounts

    return Accounts.open(settings_of(settings_file, None, None))


def _account_role(role: str) -> AccountRole:
    from qa.accounts import Role

    return Role.MANAGER if role == "manager" else Role.STAFF


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    ask: Callable[..., str] = click.prompt
    return ask("Password", hide_input=True, confirmation_prompt="The same again", err=True)

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from qa import accounts as module
from qa.accounts import Accounts, Role, account_key, subject_key
from qa.cli import main
from qa.errors import AccountsError
from qa.private_files import private_folder, read_private
from qa.settings import Settings, State, load_settings, with_folders

PASSWORD = "correct horse battery"  # noqa: S105 - made up for these tests
OTHER = "another horse entirely"


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return Accounts(folder)


# Who can sign in.


def test_an_account_signs_in_with_its_password_only(accounts: Accounts) -> None:
    """The right password gives the account with its role; a wrong one and an unknown name give nothing."""
    accounts.add("Ana.Ruiz", Role.MANAGER, PASSWORD)
    found = accounts.verify("ana.ruiz", PASSWORD)
    assert found is not None
    assert (found.name, found.role) == ("Ana.Ruiz", Role.MANAGER)
    for name, password in (("ana.ruiz", OTHER), ("nobody", PASSWORD), ("ana.ruiz", ""), ("", ""), ("*", PASSWORD)):
        assert accounts.verify(name, password) is None


def test_names_are_compared_without_capitals_and_composed(accounts: Accounts) -> None:
    """One person cannot have two accounts that differ in capitals or in how an accent is written."""
    accounts.add("José", Role.STAFF, PASSWORD)
    assert accounts.verify(unicodedata.normalize("NFD", "JOSÉ "), PASSWORD) is not None
    with pytest.raises(AccountsError, match="already"):
        accounts.add(unicodedata.normalize("NFD", "jOSÉ"), Role.MANAGER, OTHER)
    assert [account.role for account in accounts.everybody()] == [Role.STAFF]


def test_a_password_is_the_same_however_a_device_composes_it(accounts: Accounts) -> None:
    """An accent typed as one character or as two is the same password."""
    accounts.add("ana", Role.STAFF, unicodedata.normalize("NFC", "contraseña larga"))
    assert accounts.verify("ana", unicodedata.normalize("NFD", "contraseña larga")) is not None


@pytest.mark.parametrize(
    "name",
    ["", " ", "two words", "../up", "a/b", ".hidden", "-flag", "a\nb", "a\x00b", "<b>", "x" * 65, "a;b", "​a", '"'],
)
def test_a_name_has_safe_characters_only(accounts: Accounts, name: str) -> None:
    """A name that could be taken for a path, an option, markup or another name makes no account."""
    with pytest.raises(AccountsError, match="name cannot be used"):
        accounts.add(name, Role.STAFF, PASSWORD)
    assert accounts.everybody() == ()


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 1001, "frontdesk.team", "FrontDesk.Team"])
def test_a_weak_password_makes_no_account(accounts: Accounts, password: str) -> None:
    """Fewer than twelve characters and the account's own name are refused, and the error does not repeat them."""
    with pytest.raises(AccountsError) as caught:
        accounts.add("frontdesk.team", Role.STAFF, password)
    assert not password or password not in str(caught.value)
    assert accounts.everybody() == ()


@given(st.text())
def test_any_text_can_be_tried_as_a_name(name: str) -> None:
    """Comparing names never fails, and gives the same for a key as for the name it came from."""
    assert account_key(account_key(name)) == account_key(name)


def test_an_unknown_name_costs_what_a_known_one_does(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A try for a name that does not exist hashes the password just as often, with the same cost."""
    accounts.add("ana", Role.STAFF, PASSWORD)
    calls: list[dict[str, object]] = []
    real = module.scrypt

    def counted(plain: bytes, **cost: object) -> bytes:
        calls.append({key: value for key, value in cost.items() if key != "salt"})
        return real(plain, **cost)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(module, "scrypt", counted)
    accounts.verify("ana", OTHER)
    accounts.verify("nobody", OTHER)
    assert calls == [{"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 1024 * 1024, "dklen": 32}] * 2


# What ends a sign-in.


def test_every_change_of_an_account_moves_its_revision_on(accounts: Accounts) -> None:
    """Another password, another role and signing out each end what was signed in before."""
    revisions = [accounts.add("ana", Role.STAFF, PASSWORD).revision]
    for change in (
        lambda: accounts.set_password("ana", OTHER),
        lambda: accounts.set_role("Ana", Role.MANAGER),
        lambda: accounts.sign_out("ANA"),
        lambda: accounts.sign_out_everybody(1000.0),
    ):
        change()
        found = accounts.find("ana")
        assert found is not None
        revisions.append(found.revision)
    assert revisions == [1, 2, 3, 4, 5]
    assert accounts.verify("ana", PASSWORD) is None
    assert accounts.verify("ana", OTHER) is not None


def test_an_account_made_anew_is_another_one(accounts: Accounts) -> None:
    """Somebody whose account was removed does not come back with that of a successor of the same name."""
    before = accounts.add("ana", Role.MANAGER, PASSWORD)
    accounts.remove("ana")
    assert accounts.find("ana") is None
    assert accounts.verify("ana", PASSWORD) is None
    after = accounts.add("ana", Role.MANAGER, PASSWORD)
    assert before.id != after.id


def test_what_is_not_there_cannot_be_changed(accounts: Accounts) -> None:
    """Changing an account that does not exist is an error and makes none."""
    for change in (
        lambda: accounts.remove("ana"),
        lambda: accounts.set_password("ana", PASSWORD),
        lambda: accounts.set_role("ana", Role.STAFF),
        lambda: accounts.sign_out("ana"),
    ):
        with pytest.raises(AccountsError, match="no account 'ana'"):
            change()
    assert accounts.everybody() == ()


def test_an_ended_session_is_remembered_until_it_would_be_over(accounts: Accounts) -> None:
    """A session that was ended stays ended for another process too, and is dropped when its time is over."""
    accounts.end_session("s1", now=100.0, until=200.0)
    again = Accounts(accounts.path.parent)
    assert again.has_ended("s1")
    assert not again.has_ended("s2")
    again.end_session("s2", now=201.0, until=300.0)
    assert "s1" not in json.loads(accounts.path.read_text())["ended"]
    assert accounts.has_ended("s2")


def test_a_subject_is_signed_out_up_to_a_moment(accounts: Accounts) -> None:
    """A provider's subject, or everybody, is signed out up to a moment, which never moves back."""
    ana, ben = subject_key("clinic", "ana"), subject_key("clinic", "ben")
    accounts.end_subject(ana, 1000.0)
    accounts.end_subject(ana, 900.0)
    assert (accounts.not_before(ana), accounts.not_before(ben)) == (1000.0, 0.0)
    accounts.sign_out_everybody(2000.0)
    assert (accounts.not_before(ana), accounts.not_before(ben)) == (2000.0, 2000.0)
    assert "ana" not in accounts.path.read_text()


def test_two_subjects_never_share_a_key() -> None:
    """Where provider and subject meet does not matter to who is meant."""
    assert subject_key("a", "b c") != subject_key("a b", "c")


# The file.


def test_the_file_is_private_and_holds_no_password(accounts: Accounts) -> None:
    """The file has mode 600 whatever the umask, and in it stands neither a password nor the same hash twice."""
    before = os.umask(0)
    try:
        accounts.add("ana", Role.STAFF, PASSWORD)
        accounts.add("ben", Role.STAFF, PASSWORD)
    finally:
        os.umask(before)
    assert stat.S_IMODE(accounts.path.stat().st_mode) == 0o600
    assert PASSWORD not in accounts.path.read_text()
    stored = json.loads(accounts.path.read_text())["accounts"]
    assert stored["ana"]["hash"] != stored["ben"]["hash"]
    assert sorted(entry.name for entry in accounts.path.parent.iterdir()) == ["accounts.json", "accounts.json.lock"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_a_file_that_others_can_use_is_refused(accounts: Accounts, mode: int) -> None:
    """Nobody signs in, and nothing is changed, while other users can read or write the accounts."""
    accounts.add("ana", Role.STAFF, PASSWORD)
    accounts.path.chmod(mode)
    for use in (
        lambda: accounts.verify("ana", PASSWORD),
        lambda: accounts.find("ana"),
        lambda: accounts.add("ben", Role.STAFF, PASSWORD),
    ):
        with pytest.raises(AccountsError, match=f"found mode {mode:o}, expected 600.*chmod 600"):
            use()


def test_a_link_is_no_file_of_accounts(accounts: Accounts, tmp_path: Path) -> None:
    """A link in the place of the file is refused, wherever it leads."""
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text("{}")
    elsewhere.chmod(0o600)
    accounts.path.symlink_to(elsewhere)
    with pytest.raises(AccountsError, match="not a plain file"):
        accounts.find("ana")
    with pytest.raises(AccountsError, match="cannot be opened"):
        read_private(accounts.path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"format": 2}',
        '{"format": 1, "accounts": {"ana": {"name": "SECRET"}}}',
        '{"x": "SECRET"}',
        "\xff",
    ],
)
def test_a_damaged_file_lets_nobody_in(accounts: Accounts, content: str) -> None:
    """A file that is not what it should be is an error that says where and quotes nothing of it."""
    accounts.path.write_bytes(content.encode("latin-1"))
    accounts.path.chmod(0o600)
    with pytest.raises(AccountsError, match="damaged") as caught:
        accounts.verify("ana", PASSWORD)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_change_is_seen_at_once_by_another_process(accounts: Accounts) -> None:
    """What one process changes, another that had read the file before sees at its next look."""
    accounts.add("ana", Role.STAFF, PASSWORD)
    other = Accounts(accounts.path.parent)
    assert other.find("ana") is not None
    accounts.remove("ana")
    assert other.find("ana") is None


def test_writers_do_not_lose_each_others_changes(accounts: Accounts) -> None:
    """Several processes that add accounts at the same time each find their own in the file."""
    program = (
        "import sys; from pathlib import Path; from qa.accounts import Accounts, Role\n"
        "for number in range(4): Accounts(Path(sys.argv[1])).add(f'{sys.argv[2]}{number}', Role.STAFF, 'x' * 12)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(accounts.path.parent), name]) for name in ("ana", "ben")
    ]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    assert {account.key for account in accounts.everybody()} == {
        f"{name}{number}" for name in ("ana", "ben") for number in range(4)
    }


# The folder.


def in_state(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"state": State(folder=folder)})


def test_the_folder_is_made_for_its_owner_alone(settings: Settings, tmp_path: Path) -> None:
    """A state folder that is not there is made, with mode 700."""
    folder = private_folder(in_state(settings, tmp_path / "deep" / "state"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_others_can_write_to_is_refused(settings: Settings, tmp_path: Path) -> None:
    """Whoever can write to the folder could put another file there."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o770)
    with pytest.raises(AccountsError, match="found mode 770, expected 700"):
        private_folder(in_state(settings, tmp_path / "state"))


@pytest.mark.parametrize("place", ["corpus/state", "corpus", "index/state", "link/state"])
def test_the_folder_is_nowhere_that_is_indexed(settings: Settings, tmp_path: Path, place: str) -> None:
    """Accounts may not lie among the documents or in the index, nor by way of a link, and no folder is made there."""
    (tmp_path / "link").symlink_to(tmp_path / "corpus")
    with pytest.raises(AccountsError, match="lies inside"):
        private_folder(in_state(settings, tmp_path / place))
    assert not (tmp_path / place / "accounts.json").exists()
    assert not (tmp_path / "corpus" / "state").exists()


def test_the_folder_is_in_no_repository(settings: Settings, tmp_path: Path) -> None:
    """Accounts may not lie where they would be committed: in a repository, or beside the program."""
    (tmp_path / "clinic" / ".git").mkdir(parents=True)
    program = Path(module.__file__).parents[1]
    for folder in (tmp_path / "clinic" / "state", program / "state"):
        with pytest.raises(AccountsError, match="lies inside"):
            private_folder(in_state(settings, folder))
        assert not folder.exists()


def test_the_default_folder_is_the_users_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a setting, the accounts lie in the user's state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    settings = with_folders(load_settings(), corpus=tmp_path / "corpus", index=tmp_path / "index")
    assert private_folder(settings) == tmp_path / "state" / "clinic-qa"


# The command.


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    file = tmp_path / "project" / "clinic.toml"
    file.parent.mkdir()
    file.write_text(f'[state]\nfolder = "{tmp_path / "kept"}"\n')
    return file


def run(settings_file: Path, *arguments: str, says: str = "") -> str:
    """What the command prints, its exit code first."""
    result = CliRunner().invoke(main, ["staff", *arguments, "--settings", str(settings_file)], input=says)
    return f"{result.exit_code} {result.output}"


def test_an_account_is_made_on_the_command_line(settings_file: Path, tmp_path: Path) -> None:
    """`staff add` asks for the password twice, shows it nowhere, and the account can sign in with it."""
    shown = run(settings_file, "add", "Ana", "--role", "manager", says=f"{PASSWORD}\n{PASSWORD}\n")
    assert shown.startswith("0 ")
    assert "Ana can sign in as manager." in shown
    assert PASSWORD not in shown
    assert Accounts(tmp_path / "kept").verify("ana", PASSWORD) is not None
    assert run(settings_file, "list") == "0 manager  Ana\n"


def test_two_different_passwords_make_no_account(settings_file: Path, tmp_path: Path) -> None:
    """Where the second password is not the first, nothing is made."""
    assert not run(settings_file, "add", "Ana", "--role", "staff", says=f"{PASSWORD}\n{OTHER}\n").startswith("0 ")
    assert Accounts(tmp_path / "kept").everybody() == ()


def test_a_script_gives_the_password_on_standard_input(settings_file: Path, tmp_path: Path) -> None:
    """With `--password-stdin` the first line is the password, as it stands, and there is no option for it."""
    assert (
        run(settings_file, "add", "Ana", "--role", "staff", "--password-stdin", says=f" {PASSWORD} \nmore\n")[0] == "0"
    )
    assert Accounts(tmp_path / "kept").verify("ana", f" {PASSWORD} ") is not None
    assert run(settings_file, "add", "Ben", "--role", "staff", "--password", PASSWORD).startswith("2 ")


def test_accounts_are_changed_on_the_command_line(settings_file: Path, tmp_path: Path) -> None:
    """Password, role, sign-out and removal reach the account; what cannot be done is a sentence and exit code 1."""
    run(settings_file, "add", "Ana", "--role", "staff", "--password-stdin", says=PASSWORD)
    accounts = Accounts(tmp_path / "kept")
    assert run(settings_file, "password", "ana", "--password-stdin", says=OTHER).startswith("0 ")
    assert run(settings_file, "role", "ana", "--role", "manager").startswith("0 ")
    assert run(settings_file, "sign-out", "ana").startswith("0 ")
    assert run(settings_file, "sign-out", "--all").startswith("0 ")
    found = accounts.verify("ana", OTHER)
    assert found is not None
    assert (found.role, found.revision) == (Role.MANAGER, 5)
    assert accounts.not_before("anybody") > 0
    assert json.loads(run(settings_file, "list", "--json")[2:]) == [{"name": "Ana", "role": "manager"}]
    assert run(settings_file, "remove", "ana").startswith("0 ")
    assert "There are no accounts" in run(settings_file, "list")
    assert run(settings_file, "remove", "ana").startswith("1 Error: there is no account 'ana'")
    assert run(settings_file, "sign-out").startswith("2 ")
    assert run(settings_file, "add", "Ana", "--role", "patient").startswith("2 ")

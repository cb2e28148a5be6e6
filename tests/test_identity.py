from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import NOW
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer
from starlette.requests import HTTPConnection
from streamlit.runtime.context import StreamlitCookies

from qa.accounts import Accounts, Role
from qa.errors import AccountsError, NotAllowed, SettingsError
from qa.settings import Settings, SignIn, State, load_settings
from qa.web.identity import PATIENT, Identities, Identity
from qa.web.sessions import COOKIE, CookieSigner, LastUse, Session, cookie_key

PASSWORD = "correct horse battery"  # noqa: S105 - made up for these tests
KEY = b"k" * 32


class Watch:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hashing costs is tested with the accounts."""
    monkeypatch.setattr("qa.accounts._SCRYPT_N", 2)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def set_up(settings: Settings, tmp_path: Path) -> Settings:
    sign_in = SignIn(idle_minutes=30, absolute_hours=12)
    return settings.model_copy(update={"state": State(folder=tmp_path / "state"), "sign_in": sign_in})


@pytest.fixture
def identities(set_up: Settings, watch: Watch) -> Identities:
    return Identities(set_up, watch)


@pytest.fixture
def cookie(identities: Identities) -> str:
    """What Ana's browser holds, who is a manager and has just signed in."""
    return identities.begin(identities.accounts.add("Ana", Role.MANAGER, PASSWORD))


def request(value: str, name: str = COOKIE) -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [(b"cookie", f"{name}={value}".encode("latin-1"))]})


def signer(identities: Identities) -> CookieSigner:
    return CookieSigner((identities.accounts.path.parent / "cookie.key").read_bytes())


ANA = Identity(Role.MANAGER, "Ana")


# Who somebody is.


def test_a_valid_cookie_is_somebody(identities: Identities, cookie: str) -> None:
    """A cookie that was just given says who signed in, with the role that the account has."""
    assert identities.of_request(request(cookie)) == ANA


def test_nobody_is_a_patient(identities: Identities) -> None:
    """Without a cookie, with an empty one and with one of another name, somebody is a patient."""
    assert identities.of_request(HTTPConnection({"type": "http", "headers": []})) == PATIENT
    assert identities.of_request(request("")) == PATIENT


def test_a_cookie_under_another_name_is_nothing(identities: Identities, cookie: str) -> None:
    """Only the one cookie counts, not the same value under another name."""
    for name in ("staff", COOKIE.upper(), f"{COOKIE}_1", "_streamlit_user"):
        assert identities.of_request(request(cookie, name)) == PATIENT


def forged(identities: Identities, cookie: str) -> dict[str, str]:
    """Cookies that somebody could send without knowing the key, made from one that was valid."""
    content, _, signature = cookie.rpartition(".")
    claims = signer(identities)._serializer.loads(cookie)
    other = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return {
        "another key": CookieSigner(b"x" * 32).begin(identities.accounts.everybody()[0], NOW.timestamp()),
        "no signature": content,
        "an empty signature": f"{content}.",
        "another content": f"{other}.{signature}",
        "another signature": f"{content}.{signature[:-2]}AA",
        "cut off": cookie[:-5],
        "plain": json.dumps(claims),
        "an empty key": str(URLSafeSerializer("").dumps(claims)),
        "another purpose": str(URLSafeSerializer(KEY, salt="another").dumps(claims)),
        "long": cookie * 50,
        "bytes": "\xff\xfe",
    }


def test_a_forged_cookie_is_a_patient(identities: Identities, cookie: str) -> None:
    """Whatever is not signed with our key, as a whole and for this purpose, gives no role."""
    for how, value in forged(identities, cookie).items():
        assert identities.of_request(request(value)) == PATIENT, how
    assert identities.of_request(request(cookie)) == ANA


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_any_text_as_a_cookie_is_a_patient(value: str) -> None:
    """No text that was not signed is read, and none is an error."""
    assert CookieSigner(KEY).read(value) is None


@pytest.mark.parametrize(
    "content",
    [None, [], {}, "ana", ["ana"], ["ana", "id", "1", "s", 0], ["ana", "id", 1, "s", "0"], [1, 2, 3, 4, 5], ["a"] * 6],
)
def test_signed_content_of_another_shape_is_nothing(content: object) -> None:
    """Even with our signature, only what has the shape of a session is read."""
    serializer = CookieSigner(KEY)._serializer
    assert CookieSigner(KEY).read(str(serializer.dumps(content))) is None


# What ends a sign-in.


def signed_out(identities: Identities, cookie: str) -> None:
    identities.end(request(cookie))


def signed_out_everywhere(identities: Identities, cookie: str) -> None:
    identities.end_everywhere(request(cookie))


@pytest.mark.parametrize(
    "change",
    [
        signed_out,
        signed_out_everywhere,
        lambda identities, _: identities.accounts.sign_out("ana"),
        lambda identities, _: identities.accounts.sign_out_everybody(NOW.timestamp()),
        lambda identities, _: identities.accounts.set_role("ana", Role.STAFF),
        lambda identities, _: identities.accounts.set_role("ana", Role.MANAGER),
        lambda identities, _: identities.accounts.set_password("ana", "another horse entirely"),
        lambda identities, _: identities.accounts.remove("ana"),
    ],
)
def test_a_cookie_is_worth_nothing_after(
    identities: Identities,
    cookie: str,
    watch: Watch,
    set_up: Settings,
    change: Callable[[Identities, str], object],
) -> None:
    """After signing out, a change of role or password, or removal, a copy of the cookie gives no role, now or later."""
    assert identities.of_request(request(cookie)) == ANA
    change(identities, cookie)
    assert identities.of_request(request(cookie)) == PATIENT
    watch.move(minutes=5)
    assert identities.of_request(request(cookie)) == PATIENT
    assert Identities(set_up, watch).of_request(request(cookie)) == PATIENT


def test_a_cookie_is_not_its_successors(identities: Identities, cookie: str) -> None:
    """The cookie of an account that was removed is not one of a new account of the same name, nor of a renamed one."""
    identities.accounts.remove("ana")
    identities.accounts.add("ana", Role.MANAGER, PASSWORD)
    assert identities.of_request(request(cookie)) == PATIENT
    path = identities.accounts.path
    fresh = identities.begin(identities.accounts.everybody()[0])
    assert identities.of_request(request(fresh)).role is Role.MANAGER
    path.write_text(path.read_text().replace('"ana": {', '"beth": {').replace('"name": "ana"', '"name": "beth"'))
    assert identities.accounts.find("beth") is not None
    assert identities.of_request(request(fresh)) == PATIENT


def test_signing_out_here_leaves_other_devices(identities: Identities, cookie: str) -> None:
    """Signing out ends one session; signing out everywhere ends the others too."""
    elsewhere = identities.begin(identities.accounts.everybody()[0])
    identities.end(request(cookie))
    assert identities.of_request(request(elsewhere)) == ANA
    assert identities.end_everywhere(request(elsewhere))
    assert identities.of_request(request(elsewhere)) == PATIENT


def test_nobody_signs_others_out(identities: Identities, cookie: str) -> None:
    """A session that is over, and somebody who is not signed in, end nothing."""
    identities.end(request(cookie))
    elsewhere = identities.begin(identities.accounts.everybody()[0])
    for value in (cookie, "", "nonsense", CookieSigner(KEY).begin(identities.accounts.everybody()[0], 0)):
        assert not identities.end_everywhere(request(value))
        identities.end(request(value))
    assert identities.of_request(request(elsewhere)) == ANA


def test_a_session_that_is_not_used_ends(identities: Identities, cookie: str, watch: Watch) -> None:
    """Half an hour without a sign of life ends a session; each use before begins the half hour anew."""
    for _ in range(4):
        watch.move(minutes=29)
        assert identities.of_request(request(cookie)) == ANA
    watch.move(minutes=30)
    assert identities.of_request(request(cookie)) == PATIENT
    watch.move(hours=5)
    assert identities.of_request(request(cookie)) == PATIENT


def test_what_happens_by_itself_is_no_use(identities: Identities, cookie: str, watch: Watch) -> None:
    """A page that looks for news by itself does not keep somebody signed in who has gone."""
    for _ in range(2):
        watch.move(minutes=14)
        assert identities.of_request(request(cookie), active=False) == ANA
    watch.move(minutes=2)
    assert identities.of_request(request(cookie), active=False) == PATIENT


def test_a_session_ends_however_much_it_is_used(identities: Identities, cookie: str, watch: Watch) -> None:
    """Twelve hours after signing in a session is over, in the midst of use."""
    for _ in range(12 * 4 - 1):
        watch.move(minutes=15)
        assert identities.of_request(request(cookie)) == ANA
    watch.move(minutes=15)
    assert identities.of_request(request(cookie)) == PATIENT


def test_a_server_that_starts_anew_forgives_nothing(
    identities: Identities, cookie: str, watch: Watch, set_up: Settings
) -> None:
    """A new server takes a session on only within half an hour of its beginning, as it cannot know when it was used."""
    watch.move(minutes=20)
    assert identities.of_request(request(cookie)) == ANA
    assert Identities(set_up, watch).of_request(request(cookie)) == ANA
    watch.move(minutes=15)
    assert Identities(set_up, watch).of_request(request(cookie)) == PATIENT


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=400)])
def test_a_session_from_the_future_is_none(identities: Identities, watch: Watch, cookie: str, ahead: timedelta) -> None:
    """A session that begins later than now gives no role, whether it was forged or the clock went back."""
    account = identities.accounts.everybody()[0]
    assert identities.of_request(request(signer(identities).begin(account, (NOW + ahead).timestamp()))) == PATIENT
    watch.now -= ahead
    assert identities.of_request(request(cookie)) == PATIENT


def test_a_clock_that_jumps_ends_what_it_must(identities: Identities, cookie: str, watch: Watch) -> None:
    """When the clock goes back behind a session's last use, the session gives no role until it has caught up."""
    watch.move(minutes=20)
    assert identities.of_request(request(cookie)) == ANA
    watch.move(minutes=-10)
    assert identities.of_request(request(cookie)) == PATIENT
    watch.move(minutes=10)
    assert identities.of_request(request(cookie)) == ANA


def test_memory_holds_live_sessions_only() -> None:
    """What has not been used for long is forgotten, and so is nothing that is in use."""
    uses = LastUse(60.0, 600.0)
    for number in range(500):
        assert uses.is_live(Session(str(number), number), float(number), used=True)
    assert len(uses._used) <= 61


# Anything that is wrong.


def broken_file(identities: Identities) -> None:
    identities.accounts.path.write_text("{")


def readable_file(identities: Identities) -> None:
    identities.accounts.path.chmod(0o644)


def no_file(identities: Identities) -> None:
    identities.accounts.path.unlink()


def folder_in_its_place(identities: Identities) -> None:
    identities.accounts.path.unlink()
    identities.accounts.path.mkdir()


@pytest.mark.parametrize("spoil", [broken_file, readable_file, no_file, folder_in_its_place])
def test_a_file_that_cannot_be_used_makes_patients(
    identities: Identities, cookie: str, spoil: Callable[[Identities], None], caplog: pytest.LogCaptureFixture
) -> None:
    """While the accounts cannot be read, everybody is a patient, and the log says why once, without a cookie in it."""
    assert identities.of_request(request(cookie)) == ANA
    spoil(identities)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert identities.of_request(request(cookie)) == PATIENT
    assert len(caplog.records) == (0 if spoil is no_file else 1)
    assert cookie not in caplog.text


def test_outside_of_a_run_nobody_is_anybody(identities: Identities) -> None:
    """Where no page is being drawn, `current` gives a patient, and what takes a role is refused."""
    assert identities.current() == PATIENT
    with pytest.raises(NotAllowed):
        identities.require(Role.STAFF)
    assert identities.require(Role.PATIENT) == PATIENT


class Cookies:
    """Stands for what Streamlit knows of a visitor."""

    def __init__(self, value: str) -> None:
        self.context = SimpleNamespace(cookies=StreamlitCookies({COOKIE: value}))


def test_a_run_is_for_whoever_has_the_cookie(
    identities: Identities, cookie: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a page's run the same cookie says the same, until it has expired or its owner has signed out."""
    monkeypatch.setattr("qa.web.identity.st", Cookies(cookie))
    assert identities.current() == identities.require(Role.MANAGER) == ANA
    watch.move(minutes=20)
    assert identities.current(active=False) == ANA
    watch.move(minutes=10)
    assert identities.current() == PATIENT
    monkeypatch.setattr("qa.web.identity.st", Cookies(identities.begin(identities.accounts.everybody()[0])))
    assert identities.current() == ANA
    identities.accounts.sign_out("ana")
    assert identities.current() == PATIENT
    with pytest.raises(NotAllowed, match="manager"):
        identities.require(Role.MANAGER)


def test_a_cookie_jar_that_breaks_makes_a_patient(identities: Identities, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of any kind while it is looked up who asks gives no role and goes no further."""

    class Broken:
        @property
        def context(self) -> object:
            raise ZeroDivisionError

    monkeypatch.setattr("qa.web.identity.st", Broken())
    assert identities.current() == PATIENT


def test_roles_cover_each_other_in_order() -> None:
    """A manager may do what staff may, staff what patients may, and none of it the other way round."""
    roles = (Role.PATIENT, Role.STAFF, Role.MANAGER)
    for place, role in enumerate(roles):
        assert [Identity(role, "").may(needed) for needed in roles] == [index <= place for index in range(3)]


# The key.


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    """The first start draws a key into a file of mode 600, and later starts take it."""
    key = cookie_key(tmp_path, {})
    assert len(key) == 32
    assert cookie_key(tmp_path, {}) == key
    assert (tmp_path / "cookie.key").stat().st_mode & 0o777 == 0o600
    assert cookie_key(tmp_path, {"CLINIC_QA_COOKIE_KEY": "e" * 64}) == b"e" * 64


def test_a_key_that_others_know_is_refused(tmp_path: Path, set_up: Settings, watch: Watch) -> None:
    """The app does not start with a key that others can read, nor with a short one."""
    cookie_key(tmp_path, {})
    (tmp_path / "cookie.key").chmod(0o644)
    with pytest.raises(AccountsError, match="found mode 644"):
        cookie_key(tmp_path, {})
    with pytest.raises(AccountsError, match="found 5 bytes"):
        cookie_key(tmp_path, {"CLINIC_QA_COOKIE_KEY": "short"})
    Identities(set_up, watch)
    (tmp_path / "state" / "cookie.key").write_bytes(b"")
    with pytest.raises(AccountsError, match="found 0 bytes"):
        Identities(set_up, watch)


def test_the_key_is_no_unknown_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The key's variable is accepted beside those of the settings, and a misspelt one still is not."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLINIC_QA_COOKIE_KEY", "e" * 64)
    load_settings()
    monkeypatch.setenv("CLINIC_QA_COOKIE_KEYS", "e" * 64)
    with pytest.raises(SettingsError, match="CLINIC_QA_COOKIE_KEYS"):
        load_settings()


def test_a_new_key_signs_everybody_out(identities: Identities, cookie: str, set_up: Settings, watch: Watch) -> None:
    """Deleting the key and starting anew makes every cookie worthless."""
    (identities.accounts.path.parent / "cookie.key").unlink()
    assert Identities(set_up, watch).of_request(request(cookie)) == PATIENT


def test_two_clinics_do_not_take_each_others_cookies(settings: Settings, tmp_path: Path, watch: Watch) -> None:
    """The same account in two state folders has two keys, so a cookie of one is nothing to the other."""
    both = []
    for name in ("one", "two"):
        made = Identities(settings.model_copy(update={"state": State(folder=tmp_path / name)}), watch)
        Accounts(tmp_path / name).add("ana", Role.STAFF, PASSWORD)
        both.append(made)
    cookie = both[0].begin(both[0].accounts.everybody()[0])
    assert both[0].of_request(request(cookie)).role is Role.STAFF
    assert both[1].of_request(request(cookie)) == PATIENT

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from conftest import NOW
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from joserfc import jwt
from joserfc.jwk import OctKey
from protocol import Visitor
from served import App, command, home_of, running, wait_until
from starlette.requests import HTTPConnection
from streamlit import config
from streamlit.runtime.secrets import AttrDict

from qa.accounts import Role
from qa.errors import SettingsError
from qa.messages import load_messages
from qa.settings import Oidc, Settings, SignIn, State
from qa.web import oidc
from qa.web.identity import PATIENT, Identities, Identity

MESSAGES = load_messages("en")
SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - made up for these tests
OIDC = Oidc(provider="clinic", claim="roles", staff=("staff", "front desk"), manager=("manager",))
USERS: dict[str, object] = {
    "nurse": ["staff", "everybody"],
    "desk": "front desk",
    "boss": ["staff", "manager"],
    "guest": None,
    "nobody": [],
    "almost": ["Staff", "staff ", "staff,manager", "managers"],
    "odd": {"staff": True},
    "counted": [["staff"], 1, None],
    "flag": True,
}
EXPECTED = {"nurse": Role.STAFF, "desk": Role.STAFF, "boss": Role.MANAGER}


# Roles, without a server.


@dataclass
class Watch:
    """A clock that the test moves."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What stands under `[auth]` in Streamlit's secrets."""
    section: dict[str, object] = {
        "redirect_uri": "http://localhost:8501/oauth2callback",
        "cookie_secret": SECRET,
        "clinic": {"client_id": "app"},
        "other": {"client_id": "app"},
    }
    monkeypatch.setattr("qa.web.oidc.get_cookie_secret", lambda: section["cookie_secret"])
    for module in ("qa.web.oidc", "streamlit.auth_util"):
        monkeypatch.setattr(f"{module}.get_secrets_auth_section", lambda: AttrDict(section))
    monkeypatch.setattr("qa.web.oidc._check_secrets_files", lambda: None)
    return section


@pytest.fixture
def set_up(settings: Settings, tmp_path: Path, secrets: dict[str, object]) -> Settings:  # noqa: ARG001 - they must be there
    sign_in = SignIn(method="oidc", idle_minutes=30, absolute_hours=12, oidc=OIDC)
    return settings.model_copy(update={"state": State(folder=tmp_path / "state"), "sign_in": sign_in})


@pytest.fixture
def identities(set_up: Settings, watch: Watch) -> Identities:
    return Identities(set_up, watch)


def signed(content: object, at: datetime, *, secret: str = SECRET, name: str = oidc.USER_COOKIE) -> str:
    """A cookie's value as Streamlit makes it, at a moment of the test's own."""

    class Then(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(at.timestamp())

    text = content if isinstance(content, str) else json.dumps(content)
    return str(URLSafeTimedSerializer(secret, salt=name, signer=Then).dumps(text))


def claims(at: datetime, **changed: object) -> dict[str, object]:
    """What Streamlit keeps of a nurse who signed in with the clinic's provider."""
    return {
        "iss": "http://provider.example",
        "sub": "nurse",
        "name": "Nurse Joy",
        "iat": int(at.timestamp()),
        "roles": ["staff"],
        "origin": "http://localhost:8501",
        "is_logged_in": True,
        "provider": "clinic",
        **changed,
    }


def request(value: str, **more: str) -> HTTPConnection:
    cookies = "; ".join(f"{name}={text}" for name, text in {oidc.USER_COOKIE: value, **more}.items())
    return HTTPConnection({"type": "http", "headers": [(b"cookie", cookies.encode("latin-1"))]})


NURSE = Identity(Role.STAFF, "Nurse Joy")


@pytest.mark.parametrize("user", USERS)
def test_a_role_takes_the_very_value(identities: Identities, watch: Watch, user: str) -> None:
    """A claim that is, or holds, one of the named values gives its role; what only looks like it gives none."""
    content = claims(watch.now, roles=USERS[user])
    role = identities.of_request(request(signed(content, watch.now))).role
    assert role is EXPECTED.get(user, Role.PATIENT)


@pytest.mark.parametrize(
    "changed",
    [
        {"provider": "other"},
        {"provider": "Clinic"},
        {"provider": ["clinic"]},
        {"provider": ""},
        {"provider": None},
        {"is_logged_in": False},
        {"is_logged_in": "true"},
        {"is_logged_in": 1},
        {"sub": None},
        {"sub": 7},
        {"iat": None},
        {"iat": "1795446000"},
        {"iat": 0},
        {"roles": None, "role": ["staff"], "groups": ["staff"]},
    ],
)
def test_what_does_not_fit_is_a_patient(identities: Identities, watch: Watch, changed: dict[str, object]) -> None:
    """Provider, claim, subject and times must all be there and fit, each of its own type."""
    content = claims(watch.now, **changed)
    assert identities.of_request(request(signed(content, watch.now))) == PATIENT


def test_a_forged_cookie_of_streamlit_is_a_patient(identities: Identities, watch: Watch) -> None:
    """What another secret has signed, or ours for another cookie, and what is no cookie at all, gives no role."""
    content = claims(watch.now)
    good = signed(content, watch.now)
    assert identities.of_request(request(good)) == NURSE
    for forged in (
        signed(content, watch.now, secret="x" * 32),
        signed(content, watch.now, name="_streamlit_user_tokens"),
        good[:-3],
        good.rpartition(".")[0],
        json.dumps(content).replace(";", ""),
        signed("no json", watch.now),
        signed("[]", watch.now),
        signed("null", watch.now),
        "",
    ):
        assert identities.of_request(request(forged)) == PATIENT


def test_a_cookie_in_pieces_is_a_patient(identities: Identities, watch: Watch) -> None:
    """Pieces of two sign-ins, each validly signed, cannot be put together to a third."""
    text = json.dumps(claims(watch.now, sub="guest"))
    pieces = {
        f"{oidc.USER_COOKIE}_1": signed(text[:90], watch.now, name=f"{oidc.USER_COOKIE}_1"),
        f"{oidc.USER_COOKIE}_2": signed(text[90:], watch.now, name=f"{oidc.USER_COOKIE}_2"),
    }
    assert identities.of_request(request(signed("chunks-2", watch.now), **pieces)) == PATIENT


def test_no_claim_means_no_role() -> None:
    """Settings without a provider, a claim or values make nobody staff, whatever a token says."""
    user = oidc.ProviderUser("k", "", "s", "n", 0, 0, {"": "staff", "roles": ["", "staff"]})
    for settings in (Oidc(), Oidc(claim="roles", staff=("staff",)), Oidc(provider="clinic", staff=("staff",))):
        assert oidc.role_of(user, settings) is Role.PATIENT
    assert oidc.role_of(user, Oidc(provider="clinic", claim="roles")) is Role.PATIENT


def test_an_old_token_is_a_patient(identities: Identities, watch: Watch) -> None:
    """Twelve hours after the provider issued it a token gives no role, though it signs in anew just now."""
    for hours, expected in ((0, NURSE), (12, PATIENT), (13, PATIENT), (24 * 29, PATIENT)):
        content = claims(watch.now - timedelta(hours=hours))
        assert identities.of_request(request(signed(content, watch.now))) == expected


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=1)])
def test_a_token_from_the_future_is_a_patient(identities: Identities, watch: Watch, ahead: timedelta) -> None:
    """Neither the provider's time nor that of signing in may lie ahead of our clock, but for a minute's difference."""
    later = watch.now + ahead
    assert identities.of_request(request(signed(claims(later), watch.now))) == PATIENT
    assert identities.of_request(request(signed(claims(watch.now), later))) == PATIENT
    soon = watch.now + timedelta(seconds=30)
    assert identities.of_request(request(signed(claims(soon), watch.now))) == NURSE


def test_idle_and_expiry_hold_for_providers_too(identities: Identities, watch: Watch, set_up: Settings) -> None:
    """Streamlit's cookie lives for a month; we end the session when it is idle, and a new server does so too."""
    cookie = signed(claims(watch.now), watch.now)
    for _ in range(3):
        watch.now += timedelta(minutes=25)
        assert identities.of_request(request(cookie)) == NURSE
    assert Identities(set_up, watch).of_request(request(cookie)) == PATIENT
    watch.now += timedelta(minutes=31)
    assert identities.of_request(request(cookie)) == PATIENT


def test_signing_out_ends_a_providers_session(identities: Identities, watch: Watch, set_up: Settings) -> None:
    """A copy of the cookie is worth nothing after signing out, however its signature is written, on any server."""
    cookie, elsewhere = (signed(claims(watch.now - timedelta(seconds=ago)), watch.now) for ago in (0, 5))
    identities.end(request(cookie))
    for server in (identities, Identities(set_up, watch)):
        assert server.of_request(request(cookie)) == PATIENT
        assert server.of_request(request(elsewhere)) == NURSE
    content, _, signature = cookie.rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = 0
    for last in alphabet:
        value = f"{content}.{signature[:-1]}{last}"
        accepted += oidc.read_user({oidc.USER_COOKIE: value}) is not None
        assert identities.of_request(request(value)) == PATIENT
    assert accepted > 1  # the same signature can be written in several ways


def test_signing_out_everywhere_ends_all_of_a_subject(identities: Identities, watch: Watch) -> None:
    """All sessions of one subject end, those of others and later ones of its own do not."""
    here, there = (signed(claims(watch.now - timedelta(seconds=ago)), watch.now) for ago in (0, 5))
    other = signed(claims(watch.now, sub="other", name="Other"), watch.now)
    assert identities.end_everywhere(request(here))
    assert [identities.of_request(request(cookie)) for cookie in (here, there)] == [PATIENT, PATIENT]
    assert identities.of_request(request(other)).name == "Other"
    watch.now += timedelta(seconds=1)
    assert identities.of_request(request(signed(claims(watch.now), watch.now))) == NURSE
    identities.accounts.sign_out_everybody(watch.now.timestamp())
    assert identities.of_request(request(other)) == PATIENT


def test_an_account_is_nobody_where_a_provider_signs_in(identities: Identities) -> None:
    """With a provider, a cookie of an account gives no role."""
    account = identities.accounts.add("ana", Role.MANAGER, "correct horse battery")
    cookie = identities.begin(account)
    headers = [(b"cookie", f"clinic_qa_staff={cookie}".encode())]
    assert identities.of_request(HTTPConnection({"type": "http", "headers": headers})) == PATIENT


def test_a_name_is_short_text(watch: Watch, secrets: dict[str, object]) -> None:  # noqa: ARG001 - they must be there
    """Who is signed in is shown by name, else by what there is, in one short line."""
    for changed, name in (
        ({}, "Nurse Joy"),
        ({"name": None, "email": "joy@clinic.example"}, "joy@clinic.example"),
        ({"name": " \n"}, "nurse"),
        ({"name": "a\nb" * 100}, ("a b" * 100)[:64]),
        ({"name": ["x"]}, "nurse"),
    ):
        user = oidc.read_user({oidc.USER_COOKIE: signed(claims(watch.now, **changed), watch.now)})
        assert user is not None
        assert user.name == name


# The set-up.


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"provider": ""}, "sign_in.oidc.provider is empty"),
        ({"claim": ""}, "sign_in.oidc.claim is empty"),
        ({"staff": (), "manager": ()}, "no value of the claim"),
        ({"staff": ("",), "manager": (" ",)}, "no value of the claim"),
        ({"provider": "unknown"}, "there is no provider unknown"),
        ({"provider": "cookie_secret"}, "there is no provider"),
    ],
)
def test_settings_that_let_nobody_or_anybody_in_are_refused(
    secrets: dict[str, object],  # noqa: ARG001 - they must be there
    changed: dict[str, object],
    problem: str,
) -> None:
    """The app does not start where the settings do not say who is staff."""
    with pytest.raises(SettingsError, match=problem):
        oidc.check_setup(OIDC.model_copy(update=changed))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"cookie_secret": "short"}, "cookie_secret .* too short"),
        ({"cookie_secret": None}, "cookie_secret .* too short"),
        ({"redirect_uri": "http://localhost:8501/"}, "redirect_uri .* cannot be used"),
        ({"CLINIC": {"client_id": "app"}}, "differ in capitals"),
        ({"clinic": "no section"}, "there is no provider clinic"),
    ],
)
def test_secrets_that_can_be_guessed_are_refused(
    secrets: dict[str, object], changed: dict[str, object], problem: str
) -> None:
    """The app does not start with secrets that anybody can guess, or by which two providers are mixed up."""
    oidc.check_setup(OIDC)
    secrets.update(changed)
    with pytest.raises(SettingsError, match=problem):
        oidc.check_setup(OIDC)


@pytest.mark.parametrize(
    ("option", "value"), [("server.trustedUserHeaders", {"X-User": "sub"}), ("server.enableXsrfProtection", False)]
)
def test_streamlit_may_not_believe_a_visitor(
    secrets: dict[str, object],  # noqa: ARG001 - they must be there
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    value: object,
) -> None:
    """The app does not start where Streamlit takes a visitor's word for who they are, or any site's."""
    real = config.get_option
    monkeypatch.setattr(config, "get_option", lambda name: value if name == option else real(name))
    monkeypatch.setattr("streamlit.web.server.server_util.secrets_singleton.load_if_toml_exists", lambda: False)
    with pytest.raises(SettingsError, match=option):
        oidc.check_setup(OIDC)


def test_secrets_that_others_can_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app does not start with a provider while other users can read Streamlit's secrets."""
    file = tmp_path / "secrets.toml"
    file.touch(mode=0o644)
    monkeypatch.setattr(config, "get_option", lambda _: [str(tmp_path / "missing.toml"), str(file)])
    with pytest.raises(SettingsError, match="found mode 644, expected 600"):
        oidc.check_setup(OIDC)


# The real thing: a provider of our own on this machine, and Streamlit's own sign-in.


@dataclass(frozen=True)
class Provider:
    url: str
    name: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def providers() -> Iterator[dict[str, Provider]]:
    """Two providers that both know the same users and give them the same claims."""
    users = [json.dumps({"sub": name, "roles": roles, "name": f"Name of {name}"}) for name, roles in USERS.items()]
    options = [option for user in users for option in ("--user-claims", user)]
    running_ones: list[subprocess.Popen[bytes]] = []
    found = {}
    for name in ("clinic", "other"):
        port = free_port()
        running_ones.append(
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *options],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        found[name] = Provider(f"http://localhost:{port}", name)
    try:
        for provider in found.values():
            wait_until(lambda url=provider.url: is_up(url), 60)  # type: ignore[misc] # a lambda's default
        yield found
    finally:
        for process in running_ones:
            process.terminate()
            process.wait(timeout=30)


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/.well-known/openid-configuration", timeout=5):  # noqa: S310 - our own server
            return True
    except (urllib.error.URLError, OSError):
        return False


def write_secrets(folder: Path, providers: Mapping[str, Provider], mode: int = 0o600) -> Path:
    home_of(folder)
    file = folder / "home" / ".streamlit" / "secrets.toml"
    file.parent.mkdir(exist_ok=True)
    sections = "".join(
        f'[auth.{provider.name}]\nclient_id = "app"\nclient_secret = "any"\n'
        f'server_metadata_url = "{provider.url}/.well-known/openid-configuration"\n'
        for provider in providers.values()
    )
    file.write_text(
        f'[auth]\nredirect_uri = "http://localhost:{{port}}/oauth2callback"\ncookie_secret = "{SECRET}"\n{sections}'
    )
    file.chmod(mode)
    return file


ENVIRONMENT = {
    "CLINIC_QA_MODEL__NAME": "no-model-is-needed-here",
    "CLINIC_QA_SIGN_IN__METHOD": "oidc",
    "CLINIC_QA_SIGN_IN__OIDC__PROVIDER": OIDC.provider,
    "CLINIC_QA_SIGN_IN__OIDC__CLAIM": OIDC.claim,
    "CLINIC_QA_SIGN_IN__OIDC__STAFF": json.dumps(OIDC.staff),
    "CLINIC_QA_SIGN_IN__OIDC__MANAGER": json.dumps(OIDC.manager),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, providers: dict[str, Provider]) -> Iterator[tuple[App, Path]]:
    folder = tmp_path_factory.mktemp("oidc")
    write_secrets(folder, providers)
    with running(folder, ENVIRONMENT) as app:
        yield app, folder


@dataclass
class Browser:
    """Somebody's browser: its cookies, and how it follows links by hand."""

    app: App
    client: httpx.Client = field(default_factory=lambda: httpx.Client(headers={"accept": "text/html"}))
    others: list[Browser] = field(default_factory=list)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(urljoin(self.app.url + "/", path))

    def post(self, path: str, **form: str) -> httpx.Response:
        return self.client.post(self.app.url + path, data=form, headers={"origin": self.app.url})

    def sign_in(self, user: str, link: str = "") -> httpx.Response:
        """Go through the provider's page, beginning at our sign-in page or at another link, back to the app."""
        response = self.get(link or "/signin")
        if not link:
            response = self.client.get(urljoin(f"{self.app.url}/signin", response.headers["location"]))
        at_provider = response.headers["location"]
        response = self.client.post(at_provider, data={"sub": user})
        return self.client.get(response.headers["location"])

    def close(self) -> None:
        self.client.close()
        for other in self.others:
            other.close()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())

    def sees_desk(self) -> bool:
        """Whether the staff page is drawn over the connection that its cookies open."""
        self.client.get(f"{self.app.url}/_stcore/health", headers={"accept": "*/*"})
        xsrf = self.client.cookies.get("_streamlit_xsrf", "none")
        with Visitor(self.app.url, cookie=self.cookie, xsrf=xsrf) as visitor:
            return MESSAGES.desk_title.encode() in visitor.run(page_name="desk").raw


@pytest.fixture
def browser(served: tuple[App, Path]) -> Iterator[Browser]:
    made = Browser(served[0])
    yield made
    made.close()


@pytest.mark.parametrize("user", ["nurse", "desk", "boss"])
def test_staff_sign_in_by_their_provider(browser: Browser, user: str) -> None:
    """Somebody whose claim fits is led to the provider, back to the staff page, and sees it."""
    back = browser.sign_in(user)
    assert (back.status_code, back.headers["location"]) == (302, "./desk")
    assert browser.get("/desk").status_code == 200
    assert f"Signed in as Name of {user}." in browser.get("/signin").text
    assert browser.sees_desk()


@pytest.mark.parametrize("user", ["guest", "nobody", "almost", "odd", "counted", "flag", "somebody-new"])
def test_others_sign_in_and_stay_patients(browser: Browser, user: str) -> None:
    """Somebody whose claim does not fit gets no role, and is told so in words rather than sent round again."""
    back = browser.sign_in(user)
    assert back.headers["location"] == "./signin"
    page = browser.get("/signin")
    assert page.status_code == 200
    assert MESSAGES.sign_in_without_role in page.text
    assert browser.get("/desk").status_code == 303
    assert not browser.sees_desk()


def test_another_providers_word_is_not_enough(browser: Browser, providers: dict[str, Provider]) -> None:
    """A token of another provider gives no role though it holds the same claim, and the secrets name the provider."""
    content = {"provider": "other", "exp": int(time.time()) + 100}
    token = jwt.encode({"alg": "HS256"}, content, OctKey.import_key(SECRET))
    back = browser.sign_in("boss", f"/auth/login?provider={token}")
    assert back.headers["location"] == "./signin"
    assert urlsplit(providers["other"].url).netloc in back.request.headers.get("referer", providers["other"].url)
    user = oidc_user(browser)
    assert (user["provider"], user["iss"], user["roles"]) == ("other", providers["other"].url, ["staff", "manager"])
    assert browser.get("/desk").status_code == 303
    assert not browser.sees_desk()


def oidc_user(browser: Browser) -> dict[str, object]:
    """What stands in Streamlit's cookie."""
    serializer = URLSafeTimedSerializer(SECRET, salt=oidc.USER_COOKIE)
    found: dict[str, object] = json.loads(serializer.loads(browser.client.cookies[oidc.USER_COOKIE]))
    return found


def test_a_token_cannot_name_its_own_provider(browser: Browser) -> None:
    """The provider in the cookie is Streamlit's own word, whatever a token claims to come from."""
    browser.sign_in("nurse")
    assert oidc_user(browser)["provider"] == "clinic"
    assert "iat" in oidc_user(browser)


def another(browser: Browser) -> Browser:
    """A second browser, which is closed with the first."""
    browser.others.append(Browser(browser.app))
    return browser.others[-1]


def crafted(browser: Browser, **changed: object) -> None:
    """Put a cookie into the browser as Streamlit would have signed it."""
    now = datetime.now().astimezone()
    content = {**claims(now), "origin": browser.app.url, **changed}
    browser.client.cookies.set(oidc.USER_COOKIE, signed(content, now))


def test_an_expired_token_is_refused_by_the_real_app(browser: Browser) -> None:
    """The real app takes a token whose time of issue is recent, and not one whose is thirteen hours ago."""
    crafted(browser)
    assert browser.sees_desk()
    crafted(browser, iat=int(time.time()) - 13 * 3600)
    assert not browser.sees_desk()
    assert browser.get("/desk").status_code == 303
    assert browser.get("/signin").status_code == 200 or "auth/login" in browser.get("/signin").headers["location"]


def test_the_connection_must_come_from_our_page(browser: Browser) -> None:
    """The cookie alone, without the token that only our own page can read, opens nothing."""
    browser.sign_in("boss")
    for xsrf in ("none", "2|00000000|00|0"):
        with Visitor(browser.app.url, cookie=browser.cookie, xsrf=xsrf) as visitor:
            assert MESSAGES.desk_title.encode() not in visitor.run(page_name="desk").raw


def test_signing_out_ends_it_in_the_real_app(browser: Browser) -> None:
    """After signing out neither the browser nor a copy of its cookies gets in, and the provider's page follows."""
    browser.sign_in("nurse")
    copy = dict(browser.client.cookies.items())
    assert browser.sees_desk()
    out = browser.post("/staff/logout")
    assert out.status_code == 200
    assert MESSAGES.signed_out in out.text
    assert 'content="0; url=../auth/logout"' in out.text
    at_provider = browser.get("/auth/logout")
    assert "end_session" in at_provider.headers["location"]
    assert oidc.USER_COOKIE not in browser.client.cookies
    thief = another(browser)
    for name, value in copy.items():
        thief.client.cookies.set(name, value)
    assert not thief.sees_desk()
    assert thief.get("/desk").status_code == 303
    time.sleep(1.1)  # tokens have whole seconds
    browser.sign_in("nurse")
    assert browser.sees_desk()


def test_signing_out_everywhere_reaches_other_browsers(browser: Browser, served: tuple[App, Path]) -> None:
    """Signing out on all devices, and the command for everybody, end sessions in other browsers and open pages."""
    other = another(browser)
    browser.sign_in("boss")
    other.sign_in("boss")
    assert other.sees_desk()
    browser.post("/staff/logout", everywhere="yes")
    assert not other.sees_desk()
    time.sleep(1.1)  # tokens have whole seconds
    other.sign_in("boss")
    assert other.sees_desk()
    assert "Everybody" in command(served[1], "staff", "sign-out", "--all", extra=ENVIRONMENT)
    assert not other.sees_desk()


def test_no_password_is_taken_where_a_provider_signs_in(browser: Browser) -> None:
    """With a provider there is no address for passwords."""
    assert browser.post("/staff/login", name="ana", password="correct horse battery").status_code in (303, 404)  # noqa: S106 - made up
    assert oidc.USER_COOKIE not in browser.client.cookies


def test_a_sign_in_that_was_broken_off_leads_to_the_patients_page(browser: Browser) -> None:
    """Coming back without what the provider gives leads to the page for everybody, by an address that always holds."""
    for path in ("/oauth2callback", "/oauth2callback?error=access_denied", "/oauth2callback?code=x&state=y"):
        back = browser.get(path)
        assert (back.status_code, back.headers["location"]) == (302, "./")
    assert browser.get("/auth/login?provider=nonsense").headers["location"] == "../"


def test_the_app_does_not_start_with_secrets_for_all(tmp_path: Path, providers: dict[str, Provider]) -> None:
    """The real app refuses to start, and says why, while other users can read Streamlit's secrets."""
    file = write_secrets(tmp_path, providers, mode=0o644)
    with pytest.raises(AssertionError), running(tmp_path, ENVIRONMENT):
        pass
    log = (tmp_path / "server.log").read_text()
    assert "other users can read or write this file" in log
    assert str(file) in log
    assert SECRET not in log

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urljoin

import httpx
import pytest
from browsing import ARGUMENTS, CHROMIUM
from conftest import NOW
from pages import OpenedAlready, service_with
from protocol import Visitor
from served import App, command, running
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from qa.accounts import Role
from qa.judge import Judge
from qa.messages import load_messages
from qa.settings import Limits, Settings, SignIn, State
from qa.web.gate import Gate
from qa.web.headers import SecurityHeaders
from qa.web.identity import Identities
from qa.web.service import Service
from qa.web.sessions import COOKIE
from qa.web.shell import KnownPages, page_routes
from qa.web.signin import ProviderReturn, sign_in_routes

MESSAGES = load_messages("en")
PASSWORD = "correct horse battery"  # noqa: S105 - made up for these tests
WRONG = "wrong horse battery"
SAME_ORIGIN = {"sec-fetch-site": "same-origin", "origin": "http://testserver"}


@dataclass
class Watch:
    """A clock that the test moves."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Clinic:
    """Our routes behind our middleware, as the app has them, without Streamlit."""

    service: Service
    watch: Watch

    @property
    def identities(self) -> Identities:
        return self.service.identities

    @cached_property
    def app(self) -> Starlette:
        routes = [*page_routes(self.service), *sign_in_routes(self.service)]
        settings = self.service.settings
        return Starlette(
            routes=routes,
            middleware=[
                Middleware(SecurityHeaders),
                Middleware(Gate, own=routes, oidc=settings.sign_in.method == "oidc"),
                Middleware(KnownPages, routes=routes),
                Middleware(ProviderReturn, settings=settings),
            ],
        )

    def visitor(self, peer: str = "203.0.113.7", url: str = "http://testserver") -> TestClient:
        """A browser at an address, which follows no redirect by itself."""
        return TestClient(self.app, url, client=(peer, 50_000), follow_redirects=False)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hashing costs is tested with the accounts."""
    monkeypatch.setattr("qa.accounts._SCRYPT_N", 2)


def clinic_of(settings: Settings) -> Clinic:
    watch = Watch()
    service = service_with(settings, watch, OpenedAlready(None, Judge()), Identities(settings, watch))
    return Clinic(service, watch)


@pytest.fixture
def set_up(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(
        update={
            "state": State(folder=tmp_path / "state"),
            "sign_in": SignIn(tries_per_account=3, tries_per_address=5, tries_in_all=8),
        }
    )


@pytest.fixture
def clinic(set_up: Settings) -> Clinic:
    made = clinic_of(set_up)
    made.identities.accounts.add("Ana", Role.MANAGER, PASSWORD)
    made.identities.accounts.add("Ben", Role.STAFF, PASSWORD)
    return made


def log_in(visitor: TestClient, name: str = "ana", password: str = PASSWORD, headers: Mapping[str, str] = SAME_ORIGIN):  # noqa: ANN201 - the test client's own type
    return visitor.post("/staff/login", data={"name": name, "password": password}, headers=headers)


def given_cookie(response) -> Morsel[str]:  # noqa: ANN001 - the test client's own type
    (line,) = response.headers.get_list("set-cookie")
    return SimpleCookie(line)[COOKIE]


# Signing in.


def test_signing_in_leads_to_the_staff_page(clinic: Clinic) -> None:
    """Name and password give a cookie for this browser alone, and lead to the staff page, which then opens."""
    visitor = clinic.visitor()
    response = log_in(visitor)
    assert (response.status_code, response.headers["location"]) == (303, "../desk")
    cookie = given_cookie(response)
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["path"], cookie["max-age"], cookie["secure"]) == ("strict", "/", "", "")
    assert visitor.get("/desk", headers={"accept": "text/html"}).status_code == 200
    assert "Signed in as Ana." in visitor.get("/signin").text


def test_the_staff_page_is_no_address_for_others(clinic: Clinic) -> None:
    """Without signing in, the staff page's address gives what any unknown address gives, to a browser and a program."""
    visitor = clinic.visitor()
    for headers in ({"accept": "text/html"}, {"accept": "*/*"}):
        desk, unknown = (visitor.get(path, headers=headers) for path in ("/desk", "/unknown"))
        assert (desk.status_code, desk.content, desk.headers) == (unknown.status_code, unknown.content, unknown.headers)
        assert desk.status_code in (303, 404)


def test_a_wrong_password_and_an_unknown_name_look_the_same(clinic: Clinic) -> None:
    """Both get the same page, byte by byte, no cookie, and neither the name nor the password back."""
    answers = [log_in(clinic.visitor(), name, WRONG) for name in ("ana", "nobody")]
    first, second = answers
    assert (first.status_code, first.content, dict(first.headers)) == (
        second.status_code,
        second.content,
        dict(second.headers),
    )
    assert first.status_code == 403
    assert MESSAGES.sign_in_wrong in first.text
    for name, answer in zip(("ana", "nobody"), answers, strict=True):
        assert "set-cookie" not in answer.headers
        assert WRONG not in answer.text
        assert f'value="{name}"' not in answer.text


def test_nothing_of_a_try_is_written(
    clinic: Clinic, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither a password, a name nor an address is in a log or on a stream, also when the accounts are broken."""
    with caplog.at_level(logging.DEBUG):
        visitor = clinic.visitor("203.0.113.77")
        log_in(visitor, "zebulon", WRONG)
        log_in(visitor, "ana", PASSWORD)
        clinic.identities.accounts.path.write_text(f'{{"x": "{PASSWORD}"}}')
        broken = log_in(visitor, "ana", PASSWORD)
    assert broken.status_code == 500
    assert MESSAGES.sign_in_broken in broken.text
    printed = capfd.readouterr()
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("qa"))
    assert "damaged" in ours
    for secret in (WRONG, PASSWORD, "zebulon", "203.0.113.77"):
        assert secret not in ours + caplog.text + printed.out + printed.err + broken.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://elsewhere.example"},
        {"origin": "http://testserver.elsewhere.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://testserver"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "https://elsewhere.example"},
        {"referer": "http://testserver/signin"},
    ],
)
def test_a_form_of_another_site_is_refused(clinic: Clinic, headers: dict[str, str]) -> None:
    """A form that our own page has not sent neither signs anybody in nor out, and counts no try."""
    visitor = clinic.visitor()
    assert log_in(visitor, headers=headers).status_code == 403
    assert log_in(visitor).status_code == 303
    assert visitor.post("/staff/logout", data={"everywhere": "yes"}, headers=headers).status_code == 403
    assert "Signed in as Ana." in visitor.get("/signin").text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://testserver"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"sec-fetch-site": "same-origin"},
    ],
)
def test_a_form_of_our_own_page_is_taken(clinic: Clinic, headers: dict[str, str]) -> None:
    """What browsers send with a form of our page is enough, the older ones and those that hide the origin included."""
    assert log_in(clinic.visitor(), headers=headers).status_code == 303


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"name=ana&password=" + b"x" * 9000, 413),
        (b"&".join(b"f%d=1" % number for number in range(50)), 400),
        ("name=aña".encode(), 400),
        (b"", 403),
        (b"name=ana", 403),
        (b"password=x", 403),
        (b"name=ana&name=ben&password=" + WRONG.replace(" ", "+").encode(), 403),
        (b"{}", 403),
        (b"name=%ff%00&password=%ff", 403),
    ],
)
def test_a_form_of_any_content_is_answered(clinic: Clinic, content: bytes, status: int) -> None:
    """A form that is too large, or of another shape, signs nobody in and breaks nothing."""
    response = clinic.visitor().post("/staff/login", content=content, headers=SAME_ORIGIN)
    assert response.status_code == status
    assert "set-cookie" not in response.headers


def test_a_name_with_markup_stays_text(clinic: Clinic) -> None:
    """What was typed does not come back into the page."""
    response = log_in(clinic.visitor(), "<script>alert(1)</script>", "<b>")
    assert "<script>alert" not in response.text
    assert "<b>" not in response.text


# Limits.


def test_an_account_allows_few_wrong_passwords(clinic: Clinic) -> None:
    """After three wrong passwords the account takes none for a quarter of an hour, whatever the address; others do."""
    for number in range(3):
        assert log_in(clinic.visitor(f"198.51.100.{number}"), "ana", WRONG).status_code == 403
    response = log_in(clinic.visitor("198.51.100.9"), " ANA ")
    assert response.status_code == 429
    assert MESSAGES.sign_in_limited.format(minutes=15) in response.text
    assert 0 < int(response.headers["retry-after"]) <= 900
    assert log_in(clinic.visitor("198.51.100.9"), "ben").status_code == 303


def test_an_unknown_name_is_limited_the_same_way(clinic: Clinic) -> None:
    """Limits do not tell which names there are."""
    statuses = {
        name: [log_in(clinic.visitor(f"198.51.100.{number}"), name, WRONG).status_code for number in range(4)]
        for name in ("ana", "nobody")
    }
    assert statuses["ana"] == statuses["nobody"] == [403, 403, 403, 429]


def test_an_address_allows_few_wrong_passwords(clinic: Clinic) -> None:
    """After five wrong passwords an address gets no further try, for any name; another address does."""
    visitor = clinic.visitor()
    assert [log_in(visitor, f"name{number}", WRONG).status_code for number in range(6)] == [403] * 5 + [429]
    assert log_in(visitor).status_code == 429
    assert log_in(clinic.visitor("198.51.100.1")).status_code == 303


def test_all_together_allow_so_many_wrong_passwords(clinic: Clinic) -> None:
    """After eight wrong passwords from anywhere nobody gets a further try."""
    for number in range(8):
        assert log_in(clinic.visitor(f"198.51.100.{number}"), f"name{number}", WRONG).status_code == 403
    assert log_in(clinic.visitor("192.0.2.1")).status_code == 429


def test_a_refused_try_uses_up_nothing(clinic: Clinic) -> None:
    """Whoever is over a limit does not use up what others have in common with them."""
    visitor = clinic.visitor()
    for number in range(60):
        log_in(visitor, f"name{number % 3}", WRONG)
    assert log_in(clinic.visitor("198.51.100.1"), "ana", WRONG).status_code == 403
    assert log_in(clinic.visitor("198.51.100.1"), "ana").status_code == 303


def test_right_passwords_do_not_count(clinic: Clinic) -> None:
    """A waiting room's worth of staff can sign in from one address, and a success clears the account's own slips."""
    visitor = clinic.visitor()
    for _ in range(10):
        assert log_in(visitor).status_code == 303
    for _ in range(2):
        assert log_in(visitor, "ana", WRONG).status_code == 403
        assert log_in(visitor, "ana", WRONG).status_code == 403
        assert log_in(visitor, "ana").status_code == 303
    assert [log_in(visitor, "ben", WRONG).status_code for _ in range(2)] == [403, 429]


def test_addresses_behind_a_proxy_are_told_apart(set_up: Settings) -> None:
    """With a trusted proxy its header counts, and what a visitor writes into it does not."""
    behind = clinic_of(set_up.model_copy(update={"limits": Limits(trusted_proxies=("10.0.0.5",))}))
    proxy, outside = behind.visitor("10.0.0.5"), behind.visitor("203.0.113.7")

    def status(visitor: TestClient, number: int, forwarded: str) -> int:
        headers = {**SAME_ORIGIN, "x-forwarded-for": forwarded}
        return log_in(visitor, f"name{number}", WRONG, headers).status_code

    assert [status(proxy, number, f"1.1.1.{number}, 198.51.100.1") for number in range(6)] == [403] * 5 + [429]
    assert status(proxy, 7, "198.51.100.2") == 403
    assert [status(outside, 10 + number, f"198.51.100.{number}") for number in range(2)] == [403] * 2
    assert status(outside, 20, "192.0.2.1") == 429  # eight in all


def test_nobody_changes_address_without_a_trusted_proxy(clinic: Clinic) -> None:
    """Without one, the header is no way to further tries."""
    visitor = clinic.visitor()
    statuses = [
        log_in(visitor, f"name{number}", WRONG, {**SAME_ORIGIN, "x-forwarded-for": f"1.2.3.{number}"}).status_code
        for number in range(6)
    ]
    assert statuses == [403] * 5 + [429]


# TLS.


@pytest.mark.parametrize(
    ("peer", "url", "proto", "secure"),
    [
        ("203.0.113.7", "https://testserver", None, True),
        ("10.0.0.5", "http://testserver", "https", True),
        ("203.0.113.7", "http://testserver", "https", False),
        ("10.0.0.5", "http://testserver", "http", False),
        ("10.0.0.5", "http://testserver", None, False),
    ],
)
def test_the_cookie_keeps_to_tls_where_there_is_tls(
    set_up: Settings, peer: str, url: str, proto: str | None, *, secure: bool
) -> None:
    """The cookie is marked for TLS only, where the browser speaks TLS with us or with a trusted proxy that says so."""
    clinic = clinic_of(set_up.model_copy(update={"limits": Limits(trusted_proxies=("10.0.0.5",))}))
    clinic.identities.accounts.add("ana", Role.STAFF, PASSWORD)
    headers = {**SAME_ORIGIN, "origin": url, **({"x-forwarded-proto": proto} if proto else {})}
    headers |= {"x-forwarded-for": "198.51.100.1"} if peer == "10.0.0.5" else {}
    assert bool(given_cookie(log_in(clinic.visitor(peer, url=url), headers=headers))["secure"]) is secure


# Signing out.


def test_signing_out_takes_the_cookie_and_its_worth(clinic: Clinic) -> None:
    """After signing out the browser has no cookie, a copy of it is worth nothing, and other devices stay signed in."""
    here, there = clinic.visitor(), clinic.visitor()
    copy = given_cookie(log_in(here)).value
    log_in(there)
    response = here.post("/staff/logout", headers=SAME_ORIGIN)
    assert response.status_code == 200
    assert MESSAGES.signed_out in response.text
    assert COOKIE not in here.cookies
    thief = clinic.visitor()
    thief.cookies.set(COOKIE, copy)
    assert "Signed in" not in thief.get("/signin").text
    assert "Signed in as Ana." in there.get("/signin").text


def test_signing_out_everywhere_ends_all(clinic: Clinic) -> None:
    """Signing out on all devices ends every session of this account, and none of another."""
    here, there, ben = clinic.visitor(), clinic.visitor(), clinic.visitor()
    log_in(here)
    log_in(there)
    log_in(ben, "ben")
    here.post("/staff/logout", data={"everywhere": "yes"}, headers=SAME_ORIGIN)
    assert "Signed in" not in there.get("/signin").text
    assert "Signed in as Ben." in ben.get("/signin").text
    assert log_in(here).status_code == 303


def test_anybody_can_sign_out(clinic: Clinic) -> None:
    """Signing out with no cookie, an old one or nonsense is no error, and takes away whatever there is."""
    for value in ("", "nonsense", "a.b.c"):
        visitor = clinic.visitor()
        visitor.cookies.set(COOKIE, value)
        response = visitor.post("/staff/logout", data={"everywhere": "yes"}, headers=SAME_ORIGIN)
        assert response.status_code == 200
        assert given_cookie(response)["max-age"] == "0"


def test_a_sign_out_that_cannot_be_kept_says_so(clinic: Clinic) -> None:
    """When the accounts cannot be changed, the cookie goes all the same, but nobody is told to be signed out."""
    visitor = clinic.visitor()
    log_in(visitor)
    clinic.identities.accounts.path.chmod(0o644)
    response = visitor.post("/staff/logout", headers=SAME_ORIGIN)
    assert response.status_code == 500
    assert MESSAGES.signed_out not in response.text
    assert COOKIE not in visitor.cookies


def test_an_idle_session_has_to_sign_in_again(clinic: Clinic) -> None:
    """After half an hour the staff page is no address any more, and the sign-in page asks for the password."""
    visitor = clinic.visitor()
    log_in(visitor)
    clinic.watch.now += timedelta(minutes=31)
    assert visitor.get("/desk", headers={"accept": "text/html"}).status_code == 303
    assert 'name="password"' in visitor.get("/signin").text


# The pages.


def test_the_pages_let_forms_go_to_us_alone(clinic: Clinic) -> None:
    """Only the pages for signing in and out may send a form, and only to us; no page runs a script of its own."""
    visitor = clinic.visitor()
    pages = [visitor.get("/signin"), log_in(visitor, "ana", WRONG), visitor.post("/staff/logout", headers=SAME_ORIGIN)]
    log_in(visitor)
    pages.append(visitor.get("/signin"))
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "form-action 'self'" in policy
        assert "script-src 'self'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert "<script" not in page.text
    assert "form-action 'none'" in visitor.get("/").headers["content-security-policy"]


def test_the_urgent_lines_stand_on_these_pages_too(clinic: Clinic) -> None:
    """Somebody in danger who has come to the sign-in page finds the lines and the way to the patients' page."""
    content = clinic.visitor().get("/signin").text
    assert 'href="tel:988"' in content
    assert 'href="tel:911"' in content
    assert 'href="./"' in content


@pytest.mark.parametrize("prefix", ["", "/clinic/app"])
def test_every_address_holds_below_a_proxys_path(clinic: Clinic, prefix: str) -> None:
    """Links, forms, styles and redirects of every page lead to addresses that exist, wherever a proxy puts the app."""
    visitor = clinic.visitor()
    seen = []
    for path, page in (
        ("/signin", visitor.get("/signin")),
        ("/staff/login", log_in(visitor, "ana", WRONG)),
        ("/staff/login", log_in(visitor)),
        ("/signin", visitor.get("/signin")),
        ("/staff/logout", visitor.post("/staff/logout", headers=SAME_ORIGIN)),
    ):
        links = re.findall(r'(?:href|action)="([^"]+)"', page.text) + [
            location for location in [page.headers.get("location")] if location
        ]
        seen += [urljoin(prefix + path, link) for link in links if not re.match("tel:|sms:|https:", link)]
    assert {
        f"{prefix}{path}"
        for path in ("/", "/signin", "/desk", "/staff/login", "/staff/logout", "/page/page.css", "/page/signin.css")
    } <= set(seen)
    assert all(link.startswith(f"{prefix}/") for link in seen)
    assert visitor.get("/page/signin.css").headers["content-type"].startswith("text/css")


def test_the_pages_speak_spanish(set_up: Settings) -> None:
    """A clinic whose first language is Spanish gets these pages in Spanish."""
    clinic = clinic_of(set_up)
    spanish = load_messages("es")
    clinic.service = replace(clinic.service, messages=spanish, language="es")
    content = log_in(clinic.visitor(), "ana", WRONG).text
    assert '<html lang="es">' in content
    assert spanish.sign_in_wrong in content


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout", "/oauth2callback", "/auth/login?provider=x"])
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_with_accounts_a_providers_addresses_are_closed(clinic: Clinic, path: str, accept: str) -> None:
    """Streamlit's addresses for signing in by a provider are not there when accounts are used."""
    assert clinic.visitor().get(path, headers={"accept": accept}).status_code == 404


def test_other_ways_to_ask_are_refused(clinic: Clinic) -> None:
    """Forms are taken by POST only: no link, picture or preview signs anybody in or out."""
    visitor = clinic.visitor()
    log_in(visitor)
    for path in ("/staff/login", "/staff/logout"):
        assert visitor.get(path, params={"name": "ana", "password": PASSWORD}).status_code == 405
        assert visitor.put(path, headers=SAME_ORIGIN).status_code == 405
    assert visitor.post("/signin", headers=SAME_ORIGIN).status_code == 405
    assert "Signed in as Ana." in visitor.get("/signin").text


# In the real app.

_STAFF_PAGE = MESSAGES.desk_title.encode()
NO_MODEL = {"CLINIC_QA_MODEL__NAME": "no-model-is-needed-here"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Path]]:
    """The real app with an account, without a model or an index."""
    folder = tmp_path_factory.mktemp("app")
    said = command(folder, "staff", "add", "ana", "--role", "staff", "--password-stdin", typed=PASSWORD)
    assert "can sign in" in said
    with running(folder, NO_MODEL) as app:
        yield app, folder


def real_log_in(app: App) -> str:
    """Sign in over the network: what the browser sends from then on."""
    response = httpx.post(
        f"{app.url}/staff/login",
        content=urlencode({"name": "ana", "password": PASSWORD}),
        headers={"origin": app.url, "content-type": "application/x-www-form-urlencoded"},
    )
    assert response.status_code == 303
    return response.headers["set-cookie"].partition(";")[0]


def test_the_real_page_is_for_whoever_signed_in(app: tuple[App, Path]) -> None:
    """Over the real connection the cookie opens the staff page, and nothing else does."""
    served, _ = app
    cookie = real_log_in(served)
    with Visitor(served.url, cookie=cookie) as ana:
        assert _STAFF_PAGE in ana.run(page_name="desk").raw
    for other in ("", f"{COOKIE}=nonsense", cookie[:-3], cookie.replace(COOKIE, "other"), f"{COOKIE}="):
        with Visitor(served.url, cookie=other, headers={"X-Role": "manager"}) as patient:
            assert _STAFF_PAGE not in patient.run(page_name="desk", query="role=manager").raw


def test_signing_out_reaches_a_page_that_is_open(app: tuple[App, Path]) -> None:
    """A tab that was open when its session was ended shows the staff page no more at its next run."""
    served, folder = app
    cookie = real_log_in(served)
    with Visitor(served.url, cookie=cookie) as ana, Visitor(served.url, cookie=cookie) as other_tab:
        assert _STAFF_PAGE in ana.run(page_name="desk").raw
        assert _STAFF_PAGE in other_tab.run(page_name="desk").raw
        assert "signed out" in command(folder, "staff", "sign-out", "ana")
        for tab in (ana, other_tab):
            assert _STAFF_PAGE not in tab.run(page_name="desk").raw


def test_somebody_elses_page_is_not_taken_over(app: tuple[App, Path]) -> None:
    """Whoever resumes the session of somebody signed in, without their cookie, gets nothing of the staff page."""
    served, _ = app
    with Visitor(served.url, cookie=real_log_in(served)) as ana:
        assert _STAFF_PAGE in ana.run(page_name="desk").raw
        with Visitor(served.url, session=ana.session) as thief:
            assert _STAFF_PAGE not in thief.run(page_name="desk").raw
            assert thief.session == ana.session


def test_the_real_server_closes_what_is_not_used(app: tuple[App, Path]) -> None:
    """The real server gives none of Streamlit's own addresses for signing in, and takes a form from our page only."""
    served, _ = app
    for path in ("/auth/login", "/auth/logout", "/oauth2callback"):
        assert httpx.get(served.url + path, headers={"accept": "text/html"}).status_code == 404
    elsewhere = {"origin": "https://elsewhere.example"}
    assert httpx.post(f"{served.url}/staff/login", content="name=ana", headers=elsewhere).status_code == 403


# In a real browser, which has a mind of its own about forms, origins and cookies.


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None and os.environ.get("CI") != "true", reason="Chromium is not installed")
def test_a_browser_signs_in_and_out(app: tuple[App, Path]) -> None:
    """In Chromium the form signs in and opens the staff page, no script can read the cookie, and signing out works."""
    from playwright.sync_api import expect, sync_playwright

    served, _ = app
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = chromium.new_page()
        page.goto(f"{served.url}/signin")
        for password in (WRONG, PASSWORD):
            page.get_by_label(MESSAGES.account_name).fill("ana")
            page.get_by_label(MESSAGES.account_password).fill(password)
            page.get_by_role("button", name=MESSAGES.sign_in, exact=True).click()
            if password == WRONG:
                expect(page.get_by_role("alert")).to_have_text(MESSAGES.sign_in_wrong)
        page.get_by_text("Signed in as ana.").wait_for()
        assert page.url == f"{served.url}/desk"
        assert COOKIE not in page.evaluate("() => document.cookie")
        page.goto(f"{served.url}/signin")
        page.get_by_role("button", name=MESSAGES.sign_out_everywhere).click()
        page.get_by_text(MESSAGES.signed_out).wait_for()
        page.goto(f"{served.url}/desk")
        page.wait_for_url(f"{served.url}/")
        chromium.close()

"""A patient who tries to get staff text from the running app, by every road that docs/security.md lists."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from protocol import WAIT_SECONDS, Run, Visitor, pressed, typed
from served import App, command, running
from streamlit.proto.BackMsg_pb2 import BackMsg

from qa.audience import Audience
from qa.embed import ModelFiles
from qa.index import open_index
from qa.private_files import read_private
from qa.settings import Model
from qa.web.public_ids import LENGTH, PublicIds
from qa.web.sessions import KEY_FILE

pytestmark = pytest.mark.model

ROOT = Path(__file__).parent.parent
PASSWORD = "seven marbled lanterns"  # noqa: S105 - of an account that lives as long as this test
TEXT = "Marmalade zeppelin refunds are offered without asking."
# Text, title, heading, file name, approver: none of them may reach a patient.
SECRETS = ("marmalade", "zeppelin", "ledgerbook", "nightjar")
PATIENCE = 2.0  # seconds
FEW = ("patient/before-your-infusion.md", "patient/cancellation-policy.md", "staff/emergency-protocol.md")
QUESTION = "Are marmalade zeppelin refunds offered without asking?"
DOCUMENT = f"""---
title: Ledgerbook of refunds
audience: staff
status: approved
approved_by: Dr. Nightjar
approved_on: 2026-01-01
review_by: 2040-01-01
---

# Zeppelin refunds

{TEXT}
"""


@dataclass(frozen=True)
class Staff:
    """What somebody signed in can see of the page's inside, and might tell, or lose."""

    cookie: str
    session: str
    page: str
    widgets: dict[str, str]
    fragments: set[str]

    def widget(self, label: str) -> str:
        """The id of the widget with this label."""
        return next(id_ for id_, said in self.widgets.items() if label in said)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The real app over some sample documents, with one of secrets among the staff's, and one account."""
    folder = tmp_path_factory.mktemp("attack")
    for name in FEW:
        (folder / "corpus" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "corpus" / name, folder / "corpus" / name)
    (folder / "corpus" / "staff" / "zeppelin-ledgerbook.md").write_text(DOCUMENT)
    limits = {
        "CLINIC_QA_CORPUS__FOLDER": str(folder / "corpus"),
        "CLINIC_QA_LIMITS__QUESTIONS_PER_MINUTE": "10000",
        "CLINIC_QA_LIMITS__QUESTIONS_PER_MINUTE_AND_ADDRESS": "10000",
    }
    assert "Published" in command(folder, "build", extra=limits)
    added = command(folder, "staff", "add", "nurse", "--role", "staff", "--password-stdin", typed=f"{PASSWORD}\n")
    assert "nurse" in added, added
    with running(folder, extra=limits) as app:
        yield app


@pytest.fixture(scope="module")
def staff(app: App) -> Iterator[Staff]:
    """Somebody signed in, whose page stays open with a staff document's text on it."""
    cookie = sign_in(app)
    with Visitor(app.url, cookie=cookie) as visitor:
        drawn = visitor.run(page_name="desk")
        asked = ask(visitor, drawn, QUESTION, page=drawn.page)
        assert TEXT.encode() in asked.raw, "without this the other tests could not fail"
        widgets = {**drawn.widgets(), **asked.widgets()}
        fragments = drawn.fragments() | asked.fragments() | fragments_of(drawn) | fragments_of(asked)
        yield Staff(cookie, visitor.session, drawn.page, widgets, fragments)


def sign_in(app: App) -> str:
    """The cookie that signing in gives."""
    form = {"name": "nurse", "password": PASSWORD}
    answer = httpx.post(f"{app.url}/staff/login", data=form, headers={"Origin": app.url})
    assert answer.status_code == 303, answer.text
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


def ask(visitor: Visitor, drawn: Run, question: str, page: str = "") -> Run:
    """Type a question into the box that was drawn and press the button."""
    widgets = drawn.widgets()
    box = next(id_ for id_, label in widgets.items() if "like to know" in label)
    button = next(id_ for id_, label in widgets.items() if "Find the answer" in label)
    return visitor.run([typed(box, question), pressed(button)], page=page)


def fragments_of(run: Run) -> set[str]:
    """The fragments that run by themselves."""
    return {message.auto_rerun.fragment_id for message in run.messages if message.HasField("auto_rerun")}


def holds_nothing(content: bytes) -> bool:
    """Whether none of the secrets stands in it."""
    lowered = content.lower()
    return not any(secret.encode() in lowered for secret in SECRETS)


def test_asking_as_a_patient_gives_nothing(app: App) -> None:
    """Not even a question in the staff document's own words brings a byte of it back."""
    with Visitor(app.url) as visitor:
        drawn = visitor.run()
        questions = ("refunds offered without asking", "Who is Dr. N?", "offered without asking? the ledger")
        for question in questions:
            assert holds_nothing(ask(visitor, drawn, question).raw), question


ADDRESSES = """
/desk
/desk/
/Desk
/desk?x=1
//desk
/./desk
/%64esk
/desk/_stcore/health
/?page=desk
/?desk
/staff
/staff/
/staff/login
/staff/logout
/signin
/admin
/manager
/page/desk
/page/../desk
/media/
/media/zeppelin-ledgerbook.md
/_stcore/upload_file/x/y
/_stcore/metrics
/_stcore/health
/_stcore/host-config
/_stcore/script-health-check
/_stcore/message?hash=0
/component/x/index.html
/app/static/zeppelin-ledgerbook.md
/static/../corpus/staff/zeppelin-ledgerbook.md
/corpus/staff/zeppelin-ledgerbook.md
/static/%2e%2e/%2e%2e/corpus/staff/zeppelin-ledgerbook.md
/index/current
/auth/login
/auth/logout
/oauth2callback?code=1
/.streamlit/secrets.toml
/clinic.toml
/llms.txt
/robots.txt
/openapi.json
/docs
""".split()


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_no_address_gives_staff_text(app: App, staff: Staff, accept: str) -> None:
    """No address, asked for in any way by somebody who is not signed in, answers with staff text or with the desk."""
    everywhere = [
        *ADDRESSES,
        f"/?doc={quote('staff/zeppelin-ledgerbook.md')}",
        f"/{staff.page}",
        f"/?page={staff.page}",
    ]
    with httpx.Client(base_url=app.url, headers={"Accept": accept}, follow_redirects=True) as client:
        for address in everywhere:
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
                answer = client.request(method, address)
                assert holds_nothing(answer.content), (method, address)
                assert holds_nothing(repr(answer.headers).encode()), (method, address)


@dataclass(frozen=True)
class Named:
    """The addresses of a staff document: its page, with a passage of it and without, and its picture."""

    page: str
    passage: str
    picture: str


@pytest.fixture(scope="module")
def named(app: App) -> Named:
    """What staff may have handed on, by name and passage as the app itself makes them."""
    folder = app.log.parent
    ids = PublicIds(read_private(folder / "state" / "clinic-qa" / KEY_FILE))
    model = Model()
    index = open_index(folder / "index", Audience.STAFF, ModelFiles.find(model.name).fingerprint(model))
    (secret,) = (document for document in index.documents() if "zeppelin" in document.id)
    first = index.passages(secret.passages)[0]
    doc = f"doc={ids.document(secret.id)}"
    passage = f"passage={ids.passage(secret.id, index.source(secret.id).text, first.start)}"
    index.close()
    return Named(f"/document?{doc}", f"/document?{doc}&{passage}", f"/document/picture?{doc}&page=1")


def test_no_way_of_asking_gives_a_staff_document(app: App, staff: Staff, named: Named) -> None:
    """Its page, passage and picture are to a patient what does not exist, in whatever way they are asked for."""
    with httpx.Client(base_url=app.url, headers={"Accept": "text/html"}) as client:
        for address in (named.page, named.passage):
            shown = client.get(address, headers={"Cookie": staff.cookie})
            assert TEXT in shown.text, "without this the test could not fail"
            assert shown.headers["cache-control"] == "no-store"
        asked = {"If-None-Match": "*", "If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT", "Range": "bytes=0-99"}
        for address in (named.page, named.passage, named.picture):
            path, _, query = address.partition("?")
            nothing = client.get(f"{path}?doc={'A' * LENGTH}&page=1")
            for headers in ({}, asked, {"Cookie": f"{staff.cookie[:-2]}AA"}):
                response = client.get(address, headers=headers)
                assert (response.status_code, response.content) == (404, nothing.content), (address, headers)
                assert response.headers.keys() == nothing.headers.keys()
            head = client.head(address)
            assert (head.status_code, head.content) == (404, b"")
            assert head.headers["content-length"] == nothing.headers["content-length"]
            own_ways = (
                *(f"{path}/?{query}", f"/.{path}?{query}", f"/{path}?{query}", f"{path.upper()}?{query}"),
                *(f"{path}/../document?{query}", f"/desk/..{path}?{query}", f"{path.replace('o', '%6f')}?{query}"),
                *(f"{path}?{query}&{query}", f"{path}?{query}%00", f"{path}?{query}&page=1&role=staff&audience=staff"),
                *(f"{path}?{query.replace('doc=', 'doc[]=')}", f"{path}?{query}&x={'y' * 20_000}", f"{path};x?{query}"),
            )
            for way in own_ways:
                for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"):
                    response = client.request(method, way)
                    assert holds_nothing(response.content), (method, way)
                    assert holds_nothing(repr(response.headers).encode()), (method, way)
                    assert not response.headers.get("content-type", "").startswith("image/"), (method, way)


def test_an_ended_session_opens_no_document(app: App, named: Named) -> None:
    """A copy of the cookie of somebody who has signed out opens what any visitor's does."""
    cookie = sign_in(app)
    assert TEXT in httpx.get(app.url + named.passage, headers={"Cookie": cookie}).text
    answer = httpx.post(f"{app.url}/staff/logout", headers={"Origin": app.url, "Cookie": cookie})
    assert answer.is_success, answer.text
    after = httpx.get(app.url + named.passage, headers={"Cookie": cookie})
    assert after.status_code == 404
    assert holds_nothing(after.content)


def test_no_page_of_the_protocol_gives_staff_text(app: App, staff: Staff) -> None:
    """A patient's browser that asks for the desk by its hash, name or address gets the patients' page."""
    with Visitor(app.url) as visitor:
        for page in (staff.page, "desk", "0" * 32, ""):
            for name in ("desk", "/desk", "Desk", "desk/", "signin", ""):
                for query in ("", "page=desk", "role=manager&user=nurse", f"session={staff.session}"):
                    run = visitor.run(page=page, page_name=name, query=query)
                    assert holds_nothing(run.raw)
                    assert not staff_widgets(run, staff)


def staff_widgets(run: Run, staff: Staff) -> set[str]:
    """The widgets of the staff page that a run drew."""
    with_names = {id_ for id_ in staff.widgets if "desk" in id_}
    return with_names & set(run.widgets())


def test_the_staff_pages_widgets_do_nothing_for_a_patient(app: App, staff: Staff) -> None:
    """Values and clicks of widgets that only the staff page has change nothing, on its page or on the patients'."""
    box, button = staff.widget("like to know"), staff.widget("Find the answer")
    with Visitor(app.url) as visitor:
        visitor.run()
        for page in ("", staff.page):
            for fragment in ("", *staff.fragments):
                seconds = PATIENCE if fragment else WAIT_SECONDS
                run = visitor.run(
                    [typed(box, QUESTION), pressed(button)], page=page, fragment=fragment, seconds=seconds
                )
                assert holds_nothing(run.raw)
                assert not staff_widgets(run, staff)


def test_the_staff_pages_fragments_do_nothing_for_a_patient(app: App, staff: Staff) -> None:
    """A fragment of the staff page, which would skip the script's own check, gives a patient nothing."""
    assert staff.fragments, "without a fragment this test could not fail"
    with Visitor(app.url) as visitor:
        visitor.run()
        for fragment in staff.fragments:
            for page in ("", staff.page):
                assert holds_nothing(visitor.run(page=page, fragment=fragment, seconds=PATIENCE).raw)


@pytest.mark.parametrize("claims", [
    {"X-Forwarded-User": "nurse"}, {"X-Remote-User": "nurse"}, {"Authorization": "Bearer nurse"},
    {"X-Streamlit-User": '{"role":"manager"}'}, {"X-Forwarded-For": "127.0.0.1"},
])  # fmt: skip
def test_no_header_makes_anybody_staff(app: App, staff: Staff, claims: dict[str, str]) -> None:
    """What a request says about who sends it counts for nothing."""
    with Visitor(app.url, headers=claims) as visitor:
        run = visitor.run(page=staff.page, page_name="desk")
        assert holds_nothing(run.raw)
        assert not staff_widgets(run, staff)


def test_no_forged_cookie_makes_anybody_staff(app: App, staff: Staff) -> None:
    """A cookie that differs from the signed one in anything is nobody's."""
    name, _, value = staff.cookie.partition("=")
    forged = ["", value[:-1], value[:-2] + value[-1] + value[-2], value.upper(), value.rpartition(".")[0], value + "x"]
    for each in [*forged, '["nurse"]', "nurse", "manager"]:
        with Visitor(app.url, cookie=f"{name}={each}") as visitor:
            run = visitor.run(page=staff.page, page_name="desk")
            assert holds_nothing(run.raw), each
            assert not staff_widgets(run, staff), each


def test_somebody_elses_session_gives_nothing_without_their_cookie(app: App) -> None:
    """Whoever learns a staff member's session id, while their page is open or just closed, gets none of its text."""
    cookie = sign_in(app)
    with Visitor(app.url, cookie=cookie) as owner:
        drawn = owner.run(page_name="desk")
        assert TEXT.encode() in ask(owner, drawn, QUESTION, page=drawn.page).raw
        with Visitor(app.url, session=owner.session) as thief:
            assert holds_nothing(thief.run(page=drawn.page, page_name="desk").raw)
    with Visitor(app.url, session=owner.session) as thief:
        assert holds_nothing(thief.receive(seconds=1.0).raw)
        assert holds_nothing(thief.run(page=drawn.page, page_name="desk").raw)
        assert holds_nothing(ask(thief, drawn, QUESTION, page=drawn.page).raw)


def test_an_open_page_ends_with_the_sign_in(app: App) -> None:
    """After signing out in one window, another one's clicks, typing and fragments give nothing any more."""
    cookie = sign_in(app)
    with Visitor(app.url, cookie=cookie) as visitor:
        drawn = visitor.run(page_name="desk")
        assert TEXT.encode() in ask(visitor, drawn, QUESTION, page=drawn.page).raw
        answer = httpx.post(f"{app.url}/staff/logout", headers={"Origin": app.url, "Cookie": cookie})
        assert answer.is_success, answer.text
        for fragment in fragments_of(drawn):
            assert holds_nothing(visitor.run(page=drawn.page, fragment=fragment, seconds=PATIENCE).raw)
        assert holds_nothing(ask(visitor, drawn, QUESTION, page=drawn.page).raw)
    with Visitor(app.url, cookie=cookie) as copy:
        assert holds_nothing(copy.run(page=drawn.page, page_name="desk").raw)


def test_other_messages_of_the_protocol_give_nothing(app: App) -> None:
    """Whatever else a browser can send, also what is meant for developers, gives no staff text and ends no server."""
    messages = [
        BackMsg(clear_cache=True),
        BackMsg(stop_script=True),
        BackMsg(load_git_info=True),
        BackMsg(set_run_on_save=True),
        BackMsg(app_heartbeat=True),
        BackMsg(debug_disconnect_websocket=True),
        BackMsg(debug_shutdown_runtime=True),
    ]
    uploads = BackMsg()
    uploads.file_urls_request.request_id = "1"
    uploads.file_urls_request.file_names.append("zebra.pdf")
    for message in [*messages, uploads]:
        with Visitor(app.url) as visitor:
            visitor.run()
            assert holds_nothing(visitor.send(message, seconds=0.5).raw), message
    with Visitor(app.url) as visitor:
        visitor.run()
        visitor.send_bytes(b"\xff\xfe not a message", seconds=0.5)
    with Visitor(app.url) as visitor:
        assert visitor.run().widgets(), "the server no longer answers"


def test_random_messages_give_nothing(app: App, staff: Staff) -> None:
    """Two hundred runs with pages, fragments, widgets and values of both pages thrown together give no staff text."""
    chance = random.Random(4)  # noqa: S311 - the same ones every time
    with Visitor(app.url) as visitor:
        own = visitor.run()
        ids = [*staff.widgets, *own.widgets()]
        for _ in range(200):
            some = chance.sample(ids, k=min(len(ids), 3))
            widgets = [
                chance.choice([pressed(id_), typed(id_, "refunds offered without asking"), typed(id_, "")])
                for id_ in some
            ]
            run = visitor.run(
                widgets,
                page=chance.choice([staff.page, own.page, ""]),
                page_name=chance.choice(["desk", "", "patient"]),
                fragment=chance.choice([*staff.fragments, "", ""]),
                query=chance.choice(["", "page=desk"]),
                seconds=PATIENCE / 10,
            )
            assert holds_nothing(run.raw)
            assert not staff_widgets(run, staff)
        assert holds_nothing(visitor.receive(PATIENCE).raw)

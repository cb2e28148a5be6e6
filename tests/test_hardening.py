"""What the server gives to whom asks for what it should not, and what it says when something fails."""

from __future__ import annotations

import asyncio
import http.client
import logging
import re
import resource
import sys
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from protocol import Visitor
from served import ROOT, App, running, wait_until
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from qa.web.discretion import Discretion, discreet
from qa.web.gate import Gate
from qa.web.headers import SecurityHeaders

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FOO")
OUR_PAGES = ("/", "/desk", "/signin", "/page/page.css", "/page/nothing")
NEEDED = ("/_stcore/health", "/_stcore/host-config")
CLOSED = (
    "/_stcore/upload_file/{session}/file",
    "/_stcore/upload_file/{session}/file/",
    "/_stcore/upload_file",
    "/_stcore/upload_file/",
    "//_stcore/upload_file/{session}/file",
    "/_stcore//upload_file/{session}/file",
    "/_stcore/./upload_file/{session}/file",
    "/page/../_stcore/upload_file/{session}/file",
    "/%5Fstcore/upload%5Ffile/{session}/file",
    "/_stcore%2Fupload_file%2F{session}%2Ffile",
    "/%2F_stcore/upload_file/{session}/file",
    "/_STCORE/UPLOAD_FILE/{session}/file",
    "/clinic/_stcore/upload_file/{session}/file",
    "/_stcore/upload_file/{session}/file?x=1",
    "/_stcore/upload_file/{session}/file;x=1",
    "/_stcore/metrics",
    "/_stcore/metrics?families=session_events",
    "/_stcore/script-health-check",
    "/_stcore/agent/interact",
    "/_stcore/agent/openapi.json",
    "/_stcore/agent/mcp",
    "/_stcore/agent/mcp/",
    "/_stcore/bidi-components/any/file.js",
    "/_stcore/message",
    "/_stcore/allowed-message-origins",
    "/_stcore/stream",
    "/component/any/index.html",
    "/media/0123456789abcdef.png",
    "/app/static/secret.txt",
    "/static",
    "/static/",
    "/static/nothing.js",
    "/static/../index.html",
    "/static/js/%2e%2e/%2e%2e/index.html",
    "/index.html",
    "/manifest.json",
    "/auth/login?provider=any",
    "/auth/logout",
    "/oauth2callback?code=1",
    "/staff/anything",
    "/.git/config",
    "/clinic.toml",
    "/%00",
    "/" + "a" * 5000,
)
REQUIRED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
POLICY = ("default-src 'self'", "script-src 'self';", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'")
INTERNALS = re.compile(rb"Traceback|site-packages|\.py\b|" + re.escape(str(ROOT).encode()) + rb"|/home/|Error:")


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


def request(app: App, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Reply:
    """Send exactly this path: nothing tidies it up on the way."""
    connection = http.client.HTTPConnection("localhost", app.port, timeout=30)
    try:
        connection.putrequest(method, path)
        for name, value in {**(headers or {}), **({"Content-Length": str(len(body))} if body else {})}.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        reply = connection.getresponse()
        return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app without an index: nothing here asks the documents. It could leave core files, if it did not see to it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        with running(tmp_path_factory.mktemp("app"), {"STREAMLIT_LOGGER_LEVEL": "debug"}) as started:
            yield started
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


@pytest.fixture(scope="module")
def session(app: App) -> Iterator[str]:
    """A patient's session that is open all the while: uploads could go into it."""
    with Visitor(app.url) as visitor:
        visitor.run()
        assert visitor.session
        yield visitor.session


real = pytest.mark.model


def check_headers(reply: Reply) -> None:
    assert {name: reply.headers.get(name) for name in REQUIRED} == REQUIRED
    policy = reply.headers["content-security-policy"]
    assert [part for part in POLICY if part not in policy] == []
    assert "cache-control" in reply.headers


@real
@pytest.mark.parametrize("accept", ["*/*", "text/html,*/*"])
@pytest.mark.parametrize("method", METHODS)
def test_every_response_carries_the_headers(app: App, session: str, method: str, accept: str) -> None:
    """Pages, files, refusals, redirects and odd methods: each has the whole set, and none tells of the inside."""
    for path in (*OUR_PAGES, *NEEDED, *CLOSED):
        reply = request(app, method, path.format(session=session), {"Accept": accept})
        check_headers(reply)
        assert reply.status < 500, path
        if not path.startswith("/page/") and path not in OUR_PAGES:
            assert INTERNALS.search(reply.body) is None, path


@real
@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", METHODS)
def test_what_is_closed_is_not_there(app: App, session: str, method: str, path: str) -> None:
    """No spelling of a closed address gives anything, by any method: a browser is led to the page, all else refused."""
    path = path.format(session=session)
    plain = request(app, method, path)
    assert plain.status == 404
    assert plain.body in (b"Not found", b"")
    page = request(app, method, path, {"Accept": "text/html"})
    assert (page.status, page.headers.get("location", "").strip("./")) in {(303, ""), (404, "")}


@real
@pytest.mark.parametrize("path", [path for path in CLOSED if "{session}" in path])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_nobody_uploads(app: App, session: str, method: str, path: str) -> None:
    """A file for an open session, with a valid XSRF token and all, is refused at every spelling of the address."""
    cookie = request(app, "GET", "/_stcore/health").headers["set-cookie"].partition(";")[0]
    boundary = "----x"
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhi\r\n--{boundary}--\r\n'
    headers = {
        "Cookie": cookie,
        "X-Xsrftoken": cookie.partition("=")[2],
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    assert request(app, method, path.format(session=session), headers, body.encode()).status == 404


@real
def test_what_the_page_needs_is_there(app: App) -> None:
    """The page, its files and Streamlit's scripts are served; what changes with a visit is not stored."""
    page = request(app, "GET", "/")
    assert (page.status, page.headers["cache-control"]) == (200, "no-store")
    scripts = re.findall(rb'(?:src|href)="\./(static/[^"]+)"', page.body)
    assert scripts
    for script in scripts:
        reply = request(app, "GET", f"/{script.decode()}")
        assert reply.status == 200
        assert "immutable" in reply.headers["cache-control"]
    assert [request(app, "GET", path).status for path in NEEDED] == [200, 200]
    assert "SameSite=Lax" in request(app, "GET", "/_stcore/health").headers["set-cookie"]


def open_socket(app: App, origin: str | None, path: str = "/_stcore/stream") -> ClientConnection:
    return connect(
        f"ws://localhost:{app.port}{path}",
        origin=origin,  # type: ignore[arg-type] # a NewType of str
        subprotocols=["streamlit", "none"],  # type: ignore[list-item] # likewise
        max_size=None,
    )


@real
@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://localhost.evil.example",
        "http://localhost:1",
        "null",
        "file://",
        "http://localhost@evil.example",
    ],
)
def test_another_site_gets_no_connection(app: App, origin: str) -> None:
    """A page of another origin, or of none that has a name, is turned away before anything runs."""
    with pytest.raises(InvalidStatus) as refused:
        open_socket(app, origin)
    assert refused.value.response.status_code == 403


@real
@pytest.mark.parametrize(
    "path", ["/", "/stream", "/_stcore/stream/", "/_stcore/streams", "/_stcore/health", "//_stcore/stream"]
)
def test_there_is_one_socket(app: App, path: str) -> None:
    """No other address takes a connection, from our own page either."""
    with pytest.raises(InvalidStatus) as refused:
        open_socket(app, app.url, path)
    assert refused.value.response.status_code == 403


UNWANTED = [
    BackMsg(load_git_info=True),
    BackMsg(clear_cache=True),
    BackMsg(set_run_on_save=True),
    BackMsg(debug_disconnect_websocket=True),
    BackMsg(debug_shutdown_runtime=True),
    BackMsg(file_urls_request={"request_id": "r", "file_names": ["a"], "session_id": "s"}),
    BackMsg(backend_operation_request={"request_id": "r", "session_id": "s"}),
    BackMsg(),
    # The id of no widget: Streamlit would take it for something that the page keeps, and fail over it.
    BackMsg(rerun_script={"widget_states": {"widgets": [{"id": "desk-reply", "string_value": "zebra"}]}}),
]


@real
def test_messages_that_the_page_has_no_use_for_are_ignored(app: App) -> None:
    """Requests for files, uploads or caches, bytes that are nothing, and text: none is answered, logged or harmful."""
    before = len(app.log.read_bytes())
    with Visitor(app.url) as visitor:
        visitor.run()
        visitor.receive(1)  # what follows a run
        for message in UNWANTED:
            assert visitor.send(message, 0.3).messages == []
        for content in (b"\xff\xfe" * 50, b"", b"\x00", bytes(range(256)) * 1000):
            assert visitor.send_bytes(content, 0.3).messages == []
        assert visitor.send_bytes("zebra in plain text", 0.3).messages == []  # type: ignore[arg-type] # meant
        assert visitor.run().messages
    assert re.search(rb"zebra|(?i:socket|message|exception|traceback)", app.log.read_bytes()[before:]) is None


@real
def test_no_message_tells_where_the_program_lies(app: App) -> None:
    """What a visit is sent names no folder of the server."""
    with Visitor(app.url) as visitor:
        sent = visitor.run().raw
    assert b"script.py" in sent
    assert str(ROOT).encode() not in sent
    assert b"/qa/" not in sent


def read_on(socket: ClientConnection) -> None:
    while True:
        socket.recv(timeout=30)


@real
@pytest.mark.parametrize("size", [300_000, 1_200_000, 3_000_000])
def test_what_is_too_large_ends_the_connection(app: App, size: int) -> None:
    """A message beyond the limit closes the connection, says nothing of the inside, and is not in the log."""
    with open_socket(app, app.url) as socket:
        socket.send(BackMsg(rerun_script={"query_string": "zebra" * (size // 5)}).SerializeToString())
        with pytest.raises(ConnectionClosed):
            read_on(socket)
        assert socket.close_code == 1009
        assert INTERNALS.search((socket.close_reason or "").encode()) is None
    assert b"zebra" not in app.log.read_bytes()
    with Visitor(app.url) as visitor:
        assert visitor.run().messages, "the server goes on"


@real
def test_a_crash_leaves_no_memory_image(app: App) -> None:
    """The running app's limit for core files is 0, though it was started with another."""
    limits = Path(f"/proc/{app.process.pid}/limits")
    if not limits.exists():
        pytest.skip("this system has no /proc")
    wait_until(lambda: re.search(r"Max core file size +0 ", limits.read_text()) is not None)


@real
def test_debugging_output_is_off(app: App, session: str) -> None:
    """With Streamlit's log at "debug", nothing of that level is written once the app serves: no session."""
    content = app.log.read_bytes()
    assert session.encode() not in content
    assert b"Running script" not in content
    assert b"Found ASGI app" in content, "the level was set"


def test_streamlit_is_set_up_carefully() -> None:
    """XSRF and CORS protection are on, details of errors are not shown, and nothing is asked for by mail or net."""
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["enableXsrfProtection"] is True
    assert config["server"]["enableCORS"] is True
    assert config["server"]["address"] == "localhost"
    assert config["client"]["showErrorDetails"] == "none"
    assert config["browser"]["gatherUsageStats"] is False
    assert not {"enableAgentApi", "scriptHealthCheckEnabled", "enableStaticServing"} & set(config["server"])


# Failures, without a server.


async def fails(_: Request) -> Response:
    raise ValueError("zebra in the question")


async def breaks_off(_: Request) -> Response:
    async def parts() -> object:  # type: ignore[misc] # a generator
        yield b"begun"
        raise ValueError("zebra in the question")

    return StreamingResponse(parts())  # type: ignore[arg-type] # likewise


async def socket_fails(socket: WebSocket) -> None:
    await socket.accept()
    raise ValueError("zebra in the question")


FAILING = Starlette(
    routes=[Route("/fails", fails), Route("/breaks-off", breaks_off), WebSocketRoute("/_stcore/stream", socket_fails)],
    middleware=[Middleware(SecurityHeaders), Middleware(Discretion)],
)


def test_a_failure_is_a_bare_500(caplog: pytest.LogCaptureFixture) -> None:
    """The visitor learns nothing but that it failed, with all headers; the log gets kind and place, not the words."""
    reply = TestClient(FAILING).get("/fails")
    assert (reply.status_code, reply.text) == (500, "Something went wrong")
    check_headers(Reply(reply.status_code, dict(reply.headers), reply.content))
    assert "ValueError at " in caplog.text
    assert "test_hardening.py" in caplog.text
    assert "zebra" not in caplog.text


def test_a_failure_in_the_middle_ends_quietly(caplog: pytest.LogCaptureFixture) -> None:
    """A response that had begun, and a connection that was open, end without the words of the error anywhere."""
    client = TestClient(FAILING)
    assert client.get("/breaks-off").content == b"begun"
    with client.websocket_connect("/_stcore/stream") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    assert (closed.value.code, closed.value.reason) == (1011, "")
    assert caplog.text.count("ValueError at ") == 2
    assert "zebra" not in caplog.text


def test_a_route_may_keep_its_own_policy() -> None:
    """A page that needs another policy than the rest, such as a form's, brings it along, and gets the other headers."""

    async def form(_: Request) -> Response:
        return Response("form", headers={"Content-Security-Policy": "form-action 'self'", "Cache-Control": "no-cache"})

    app = Starlette(routes=[Route("/", form)], middleware=[Middleware(SecurityHeaders)])
    headers = TestClient(app).get("/").headers
    assert headers["content-security-policy"] == "form-action 'self'"
    assert headers["cache-control"] == "no-cache"
    assert {name: headers[name] for name in REQUIRED} == REQUIRED


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout", "/oauth2callback"])
def test_an_identity_providers_addresses_open_with_it(path: str) -> None:
    """Streamlit's sign-in is there when the settings name a provider, and else not even for a browser."""

    async def there(_: Request) -> Response:
        return Response("there")

    inner = Starlette(routes=[Route(path, there)])
    html = {"Accept": "text/html"}
    assert TestClient(Gate(inner, oidc=True)).get(path, headers=html).text == "there"
    assert TestClient(Gate(inner)).get(path, headers=html).status_code == 404
    assert TestClient(Gate(inner, oidc=True)).post(path).status_code == 404


def logged(caplog: pytest.LogCaptureFixture) -> str:
    shown = [logging.Formatter("%(message)s").format(record) for record in caplog.records]
    return "\n".join(shown) + caplog.text


def test_logs_carry_no_words_of_exceptions(caplog: pytest.LogCaptureFixture) -> None:
    """While the app serves, an exception is logged by kind and place, whoever logs it and however."""
    other = logging.getLogger("some.library")
    other.setLevel(logging.DEBUG)
    error = KeyError("zebra")
    with discreet():
        other.debug("bytes of the connection: zebra")
        other.error("failed: %s", error)
        other.error("failed: %(why)s", {"why": error})
        try:
            raise error
        except KeyError:
            other.exception("failed")
        logging.getLogger("asyncio").error(
            "Task exception was never retrieved\nfuture: <Task exception=KeyError('zebra')>"
        )
        logging.getLogger("asyncio").warning("Executing %s took %.3f seconds", "<Handle zebra>", 1.0)
    assert "zebra" not in logged(caplog)
    assert logged(caplog).count("KeyError") >= 3
    other.error("failed: %s", error)
    assert "zebra" in logged(caplog), "it ends with the app"


def test_what_nobody_catches_is_logged_without_words(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """An exception that ends a thread, or that is met while an object is thrown away, is logged by kind and place."""

    class Clumsy:
        def __del__(self) -> None:
            raise ValueError("zebra")

    def run() -> None:
        raise ValueError("zebra")

    with discreet():
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        clumsy = Clumsy()
        del clumsy
        sys.excepthook(ValueError, ValueError("zebra"), None)
    captured = capfd.readouterr()
    assert caplog.text.count("ValueError") == 3
    assert "zebra" not in logged(caplog) + captured.out + captured.err


def test_discretion_of_tasks(caplog: pytest.LogCaptureFixture) -> None:
    """A task that fails with nobody waiting is reported by asyncio without what it held."""

    async def fail() -> None:
        raise ValueError("zebra")

    async def main() -> None:
        task = asyncio.ensure_future(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    with discreet():
        asyncio.run(main())
    assert "never retrieved" in caplog.text
    assert "zebra" not in logged(caplog)

"""The addresses for signing in and out: `/signin`, `/staff/login` and `/staff/logout`.

Forms are taken from our own pages only, and a password goes nowhere but into its hash: into no log, error or page.
"""

from __future__ import annotations

import logging
import math
from http.cookies import CookieError, SimpleCookie
from typing import Literal
from urllib.parse import parse_qs

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.auth_util import encode_provider_token

from qa.accounts import Role, account_key
from qa.errors import QAError
from qa.limits import Limiter, address_of, is_trusted_peer
from qa.settings import Settings
from qa.web import oidc, signin_page
from qa.web.headers import CONTENT_SECURITY_POLICY
from qa.web.service import Service
from qa.web.sessions import COOKIE

_SECONDS = 15 * 60.0
_MOST_BYTES = 8 * 1024
_MOST_FIELDS = 8
_HASHES_AT_ONCE = 2  # each takes 32 MiB and a processor
_JUST_NOW = 120.0  # seconds
_EVERYTHING = "all"

_log = logging.getLogger(__name__)


class SignInLimits:
    """How often a wrong password may be tried: for one account, from one address, and in all."""

    def __init__(self, settings: Settings) -> None:
        self._trusted = settings.limits.trusted_proxies
        self._accounts = Limiter(settings.sign_in.tries_per_account, _SECONDS)
        self._addresses = Limiter(settings.sign_in.tries_per_address, _SECONDS)
        self._all = Limiter(settings.sign_in.tries_in_all, _SECONDS)

    def begin(self, request: HTTPConnection, name: str) -> float:
        """Count a try before its password is looked at; the seconds to wait where it is one too many, else 0.

        A try that is one too many for anything counts for nothing: nobody uses up what belongs to others.
        """
        keyed = self._keyed(request, name)
        seconds = max(limiter.wait(key) for limiter, key in keyed)
        if seconds == 0.0:
            for limiter, key in keyed:
                limiter.allows(key)
        return seconds

    def succeeded(self, request: HTTPConnection, name: str) -> None:
        """The password was right: what counts is wrong ones."""
        (accounts, account), *others = self._keyed(request, name)
        accounts.forget(account)
        for limiter, key in others:
            limiter.give_back(key)

    def _keyed(self, request: HTTPConnection, name: str) -> tuple[tuple[Limiter, str], ...]:
        address = address_of(_peer(request), request.headers.getlist("x-forwarded-for"), self._trusted)
        return (self._accounts, account_key(name)), (self._addresses, address), (self._all, _EVERYTHING)


def sign_in_routes(service: Service) -> list[Route]:
    """Our addresses for signing in and out, whichever method the settings name."""
    handlers = _Handlers(service)
    routes = [
        Route("/signin", handlers.sign_in_page, methods=["GET"]),
        Route("/staff/logout", handlers.log_out, methods=["POST"]),
    ]
    if service.settings.sign_in.method == "accounts":
        routes.append(Route("/staff/login", handlers.log_in, methods=["POST"]))
    return routes


class _Handlers:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._settings = service.settings
        self._messages = service.messages
        self._identities = service.identities
        self._limits = SignInLimits(service.settings)
        self._hashes = CapacityLimiter(_HASHES_AT_ONCE)

    async def sign_in_page(self, request: Request) -> Response:
        """What there is to sign in, or out."""
        identity = self._identities.of_request(request)
        messages = self._messages
        if identity.may(Role.STAFF):
            signed_in = signin_page.paragraph(messages.signed_in_as.format(name=identity.name))
            return self._page(signed_in + signin_page.ways_out(messages))
        if self._settings.sign_in.method == "accounts":
            return self._page(signin_page.password_form(messages))
        if self._has_just_come_without_role(request):
            refused = signin_page.notice(messages.sign_in_without_role)
            return self._page(refused + signin_page.ways_out(messages, desk=False))
        token = encode_provider_token(self._settings.sign_in.oidc.provider)
        return RedirectResponse(f"./auth/login?provider={token}", status_code=303)

    def _has_just_come_without_role(self, request: Request) -> bool:
        """Whether the provider knows somebody and we do not. Later the sign-in page leads to the provider again."""
        user = oidc.read_user(request.cookies)
        if user is None or oidc.role_of(user, self._settings.sign_in.oidc) is not Role.PATIENT:
            return False
        return self._service.clock().timestamp() - user.signed_in_at < _JUST_NOW

    async def log_in(self, request: Request) -> Response:
        """Take a name and a password. A wrong one and a name that does not exist get the same answer."""
        form = await self._own_form(request)
        if isinstance(form, Response):
            return form
        name, password = form.get("name", ""), form.get("password", "")
        seconds = self._limits.begin(request, name)
        if seconds > 0:
            minutes = math.ceil(seconds / 60)
            refused = self._refused(self._messages.sign_in_limited.format(minutes=minutes), 429)
            refused.headers["Retry-After"] = str(math.ceil(seconds))
            return refused
        try:
            account = await to_thread.run_sync(self._identities.accounts.verify, name, password, limiter=self._hashes)
        except (QAError, OSError) as error:
            return self._broken(error)
        if account is None:
            return self._refused(self._messages.sign_in_wrong, 403)
        self._limits.succeeded(request, name)
        response = RedirectResponse("../desk", status_code=303)
        self._set_cookie(response, request, self._identities.begin(account))
        return response

    async def log_out(self, request: Request) -> Response:
        """End this session, or all of this person's. The cookie goes in any case."""
        form = await self._own_form(request)
        if isinstance(form, Response):
            return form
        messages, by_provider = self._messages, self._settings.sign_in.method == "oidc"
        response: Response
        try:
            if form.get("everywhere"):
                self._identities.end_everywhere(request)
            self._identities.end(request)
            out = signin_page.paragraph(messages.signed_out) + signin_page.links(messages, up="../")
            # Streamlit's own address takes its cookies away, and ends the session at the provider.
            response = self._page(out, up="../", then="../auth/logout" if by_provider else "")
        except (QAError, OSError) as error:
            response = self._broken(error)
        if not by_provider:
            self._set_cookie(response, request, None)
        return response

    async def _own_form(self, request: Request) -> dict[str, str] | Response:
        """The fields of a form that one of our own pages has sent; otherwise the answer to give."""
        if not is_from_own_page(request.headers):
            return self._refused(self._messages.sign_in_refused, 403)
        content = b""
        async for chunk in request.stream():
            content += chunk
            if len(content) > _MOST_BYTES:
                return self._refused(self._messages.sign_in_refused, 413)
        try:
            fields = parse_qs(
                content.decode("ascii"), keep_blank_values=True, encoding="utf-8", max_num_fields=_MOST_FIELDS
            )
        except ValueError:
            return self._refused(self._messages.sign_in_refused, 400)
        return {name: values[0] for name, values in fields.items()}

    def _set_cookie(self, response: Response, request: HTTPConnection, value: str | None) -> None:
        """Give or take away our cookie, which lives until the browser is closed."""
        response.set_cookie(
            COOKIE,
            value or "",
            max_age=None if value else 0,
            path="/",
            secure=is_https(request, self._settings),
            httponly=True,
            samesite="strict",
        )

    def _page(self, content: str, *, status: int = 200, up: Literal["", "../"] = "", then: str = "") -> HTMLResponse:
        page = signin_page.page(
            self._messages.staff_sign_in,
            content,
            settings=self._settings,
            language=self._service.language,
            up=up,
            then=then,
        )
        policy = CONTENT_SECURITY_POLICY.replace("form-action 'none'", "form-action 'self'")
        return HTMLResponse(
            page, status_code=status, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        )

    def _refused(self, text: str, status: int) -> HTMLResponse:
        """The page at the address that a form is sent to, which is one step below the app's own."""
        content = signin_page.notice(text)
        if self._settings.sign_in.method == "accounts":
            return self._page(content + signin_page.password_form(self._messages, up="../"), status=status, up="../")
        return self._page(content + signin_page.links(self._messages, up="../"), status=status, up="../")

    def _broken(self, error: Exception) -> HTMLResponse:
        _log.error("Signing in or out does not work: %s", error if isinstance(error, QAError) else type(error).__name__)
        return self._refused(self._messages.sign_in_broken, 500)


def is_from_own_page(headers: Headers) -> bool:
    """Whether a form was sent by one of our own pages, as browsers say it; what does not say so is not."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    if origin is None or origin == "null":
        return site is not None
    host = headers.get("host")
    return origin in (f"https://{host}", f"http://{host}")


def is_https(request: HTTPConnection, settings: Settings) -> bool:
    """Whether the browser speaks TLS: with us, or with a trusted proxy that says so."""
    if request.url.scheme in ("https", "wss"):
        return True
    forwarded = request.headers.getlist("x-forwarded-for")
    proto = request.headers.get("x-forwarded-proto", "")
    return proto == "https" and is_trusted_peer(_peer(request), forwarded, settings.limits.trusted_proxies)


def _peer(request: HTTPConnection) -> str | None:
    return request.client.host if request.client else None


class ProviderReturn:
    """ASGI middleware around Streamlit's addresses for signing in by a provider.

    It leads whoever comes back to the staff page, where their role opens it, and by relative addresses, which hold
    behind a proxy's sub-path; and it keeps the cookie to TLS where the app is reached by TLS.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; change where the response leads."""
        is_ours = self._settings.sign_in.method == "oidc" and scope["type"] == "http"
        if not is_ours or scope["path"] not in oidc.STREAMLIT_PATHS:
            await self._app(scope, receive, send)
            return

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("location", "").startswith("/"):
                    up = "../" * (scope["path"].count("/") - 1) or "./"
                    headers["location"] = up + self._next_page(headers)
                if is_https(HTTPConnection(scope), self._settings):
                    cookies = headers.getlist("set-cookie")
                    del headers["set-cookie"]
                    for cookie in cookies:
                        headers.append("set-cookie", cookie if "; secure" in cookie.lower() else f"{cookie}; Secure")
            await send(message)

        await self._app(scope, receive, send_changed)

    def _next_page(self, headers: Headers) -> str:
        """The desk for whoever gets a cookie with a role, the sign-in page for one without, else the patients' page."""
        for line in headers.getlist("set-cookie"):
            try:
                cookie = SimpleCookie(line).get(oidc.USER_COOKIE)
            except CookieError:
                continue
            if cookie is not None and cookie.value:
                user = oidc.read_user({oidc.USER_COOKIE: cookie.value})
                has_role = user is not None and oidc.role_of(user, self._settings.sign_in.oidc) is not Role.PATIENT
                return "desk" if has_role else "signin"
        return ""

"""Who is asking: looked up on the server, each time, from a signed cookie; never from a widget, an address or a page.

Anything that is not plainly a valid sign-in is a patient.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from starlette.requests import HTTPConnection

from qa.accounts import Account, Accounts, Role, subject_key
from qa.clock import Clock
from qa.errors import NotAllowed, QAError
from qa.private_files import private_folder
from qa.settings import Settings
from qa.web import oidc
from qa.web.sessions import CLOCK_TOLERANCE, COOKIE, CookieSigner, LastUse, Session, cookie_key

__all__ = ["PATIENT", "Identities", "Identity", "Role"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at this moment. Ask again for every run, callback, fragment and request; never keep it."""

    role: Role
    name: str

    def may(self, needed: Role) -> bool:
        """Whether what takes this role is open to them."""
        return self.role.covers(needed)


PATIENT = Identity(Role.PATIENT, "")


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sign-in that stands, unless its session is over. `subject` is only there for an identity provider's."""

    identity: Identity
    session: Session
    subject: str = ""
    account: str = ""


class Identities:
    """Who is who, for one running app. Raises AccountsError and SettingsError when it cannot be made safely.

    `active=False` is for what happens without anybody doing anything, such as a page that looks for news by itself: it
    does not keep a session from being idle.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._sign_in = settings.sign_in
        self._clock = clock
        folder = private_folder(settings)
        self.accounts = Accounts(folder)
        self._signer = CookieSigner(cookie_key(folder))
        self._last_use = LastUse(self._sign_in.idle_minutes * 60.0, self._sign_in.absolute_hours * 3600.0)
        self._told: set[str] = set()
        self._told_lock = threading.Lock()
        if self._sign_in.method == "oidc":
            oidc.check_setup(self._sign_in.oidc)

    def current(self, *, active: bool = True) -> Identity:
        """Who a run of a Streamlit page, a fragment or a callback is for."""
        try:
            cookies = st.context.cookies.to_dict()
            claim = self._claim(cookies)
            if claim is not None and claim.subject and not oidc.is_streamlits_user(cookies, st.user.to_dict()):
                return PATIENT
            return self._identity(claim, active=active)
        except Exception as error:  # noqa: BLE001 - whatever is wrong, nobody gets a role by it
            return self._patient_because(error)

    def of_request(self, request: HTTPConnection, *, active: bool = True) -> Identity:
        """Who a request to one of our own routes comes from."""
        try:
            return self._identity(self._claim(request.cookies), active=active)
        except Exception as error:  # noqa: BLE001 - as in `current`
            return self._patient_because(error)

    def require(self, needed: Role) -> Identity:
        """`current`, where that role is enough; otherwise raises NotAllowed."""
        identity = self.current()
        if not identity.may(needed):
            raise NotAllowed(
                "this page is for staff", expected=f"somebody signed in as {needed}", remedy="Please sign in."
            )
        return identity

    def begin(self, account: Account) -> str:
        """Sign an account in: the value of its new cookie."""
        return self._signer.begin(account, self._now())

    def end(self, request: HTTPConnection) -> None:
        """End the session that a request belongs to, on this device. Raises AccountsError where that cannot be kept."""
        claim = self._claim(request.cookies)
        if claim is not None:
            until = max(self._last_use.ends(claim.session), self._now()) + 3600.0
            self.accounts.end_session(claim.session.key, now=self._now(), until=until)

    def end_everywhere(self, request: HTTPConnection) -> bool:
        """End all sessions of whoever sends a request, if they are signed in. Raises AccountsError, as `end`."""
        claim = self._claim(request.cookies)
        if claim is None or self._identity(claim, active=True) == PATIENT:
            return False
        if claim.subject:
            self.accounts.end_subject(claim.subject, self._now())
        else:
            self.accounts.sign_out(claim.account)
        return True

    def _now(self) -> float:
        return self._clock().timestamp()

    def _claim(self, cookies: Mapping[str, str]) -> _Claim | None:
        """What the cookies say, where it agrees with the accounts, or the provider, as they are now."""
        if self._sign_in.method == "oidc":
            return self._claim_of_provider(cookies)
        signed_in = self._signer.read(cookies.get(COOKIE, ""))
        account = self.accounts.find(signed_in.account_key) if signed_in else None
        if signed_in is None or account is None:
            return None
        if (account.id, account.revision) != (signed_in.account_id, signed_in.revision):
            return None
        return _Claim(Identity(account.role, account.name), signed_in.session, account=account.key)

    def _claim_of_provider(self, cookies: Mapping[str, str]) -> _Claim | None:
        user = oidc.read_user(cookies)
        role = oidc.role_of(user, self._sign_in.oidc) if user else Role.PATIENT
        if user is None or role is Role.PATIENT:
            return None
        subject = subject_key(user.provider, user.subject)
        latest = max(user.issued_at, user.signed_in_at)
        if user.signed_in_at <= self.accounts.not_before(subject) or latest > self._now() + CLOCK_TOLERANCE:
            return None
        return _Claim(Identity(role, user.name), Session(user.key, min(user.issued_at, user.signed_in_at)), subject)

    def _identity(self, claim: _Claim | None, *, active: bool) -> Identity:
        if claim is None or self.accounts.has_ended(claim.session.key):
            return PATIENT
        return claim.identity if self._last_use.is_live(claim.session, self._now(), used=active) else PATIENT

    def _patient_because(self, error: Exception) -> Identity:
        """A patient; the server's log says why, once for each reason."""
        reason = str(error) if isinstance(error, QAError) else type(error).__name__
        with self._told_lock:
            is_new = reason not in self._told
            self._told.add(reason)
        if is_new:
            _log.error("A sign-in could not be checked and counts for nothing: %s", reason)
        return PATIENT

"""What a sign-in leaves behind: a signed cookie in the browser, and in memory when it was last used.

Nothing here decides who somebody is; `qa.web.identity` does.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from qa.accounts import Account
from qa.errors import AccountsError
from qa.private_files import read_private, write_private

COOKIE = "clinic_qa_staff"
KEY_FILE = "cookie.key"
KEY_VARIABLE = "CLINIC_QA_COOKIE_KEY"

_KEY_BYTES = 32
_SALT = "clinic-qa staff session 1"
# Seconds that a clock may be behind another one, which is an identity provider's or its own of a moment ago.
CLOCK_TOLERANCE = 60.0


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in: `key` names it in memory and on disk, `began` is in seconds since 1970."""

    key: str
    began: float


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a cookie says: an account as it was when it signed in. It must be looked up before anything of it holds."""

    account_key: str
    account_id: str
    revision: int
    session: Session


class CookieSigner:
    """Makes and reads the cookie. `key` is at least 32 bytes that nobody else knows."""

    def __init__(self, key: bytes) -> None:
        self._serializer = URLSafeSerializer(
            key, salt=_SALT, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256}
        )

    def begin(self, account: Account, now: float) -> str:
        """A cookie's value for a new session of this account."""
        return str(self._serializer.dumps([account.key, account.id, account.revision, secrets.token_hex(16), int(now)]))

    def read(self, value: str) -> SignedIn | None:
        """What a cookie says that we have signed; None for any other."""
        try:
            content = self._serializer.loads(value)
        except BadData:
            return None
        match content:
            case [str(key), str(id_), int(revision), str(session), int(began)]:
                return SignedIn(key, id_, revision, Session(session, began))
            case _:
                return None


def cookie_key(folder: Path, environment: Mapping[str, str] = os.environ) -> bytes:
    """The key that signs cookies: from the environment, or from a private file that is made on first use.

    Raises AccountsError for a key that is too short and for a file that is not private.
    """
    given = environment.get(KEY_VARIABLE)
    if given is not None:
        key, place = given.encode("utf-8", "surrogateescape"), f"the environment variable {KEY_VARIABLE}"
    else:
        path = folder / KEY_FILE
        place = str(path)
        try:
            key = read_private(path)
        except FileNotFoundError:
            write_private(path, secrets.token_bytes(_KEY_BYTES))
            key = read_private(path)
    if len(key) < _KEY_BYTES:
        raise AccountsError(
            "the key of the cookies is too short",
            path=place,
            found=f"{len(key)} bytes",
            expected=f"at least {_KEY_BYTES}",
            remedy="Delete the file, or set the variable to 64 random hexadecimal digits.",
        )
    return key


class LastUse:
    """When each session was last used. What memory does not know was last used when the session began.

    So a session that was idle for too long stays over, also when the server starts anew. Safe to use from several
    threads.
    """

    def __init__(self, idle_seconds: float, absolute_seconds: float) -> None:
        self._idle = idle_seconds
        self._absolute = absolute_seconds
        self._lock = threading.Lock()
        self._used: dict[str, float] = {}

    def ends(self, session: Session) -> float:
        """The second from which a session is over however much it is used."""
        return session.began + self._absolute

    def is_live(self, session: Session, now: float, *, used: bool) -> bool:
        """Whether a session has neither begun in the future nor been idle or used for too long; `used`: it is, now."""
        with self._lock:
            last = self._used.get(session.key, session.began)
            if now < max(session.began, last) - CLOCK_TOLERANCE:
                return False
            if now >= min(last + self._idle, self.ends(session)):
                return False
            if used:
                self._used[session.key] = max(now, last)
                self._forget_idle(now)
            return True

    def _forget_idle(self, now: float) -> None:
        for key in [key for key, last in self._used.items() if now >= last + self._idle]:
            del self._used[key]

"""Named accounts for staff, with passwords as scrypt hashes; and which sessions have been ended before their time.

Everything is in one private file, `accounts.json` in the state folder, replaced whole under a lock.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import scrypt, sha256
from pathlib import Path
from typing import Literal, Self

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qa.errors import AccountsError
from qa.private_files import check_private, private_folder, read_private, write_private
from qa.settings import Settings

FILE_NAME = "accounts.json"
SHORTEST_PASSWORD = 12  # characters
LONGEST_PASSWORD = 1000
LONGEST_NAME = 64

_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**15, 8, 1  # 32 MiB and about a tenth of a second a try
_SCRYPT_MEMORY = 64 * 1024 * 1024
_NAME = re.compile(r"\w[\w.@+-]*")
_LOCK_SECONDS = 10.0
_EVERYBODY = "*"
_KEEP_NOT_BEFORE = 60 * 24 * 60 * 60.0  # seconds; a cookie of Streamlit's lives for half of that


class Role(StrEnum):
    """What somebody is here. A patient is anybody who is not signed in."""

    PATIENT = "patient"
    STAFF = "staff"
    MANAGER = "manager"

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what `needed` may: a manager all that staff may, and staff all that patients may."""
        order = (Role.PATIENT, Role.STAFF, Role.MANAGER)
        return order.index(self) >= order.index(needed)


AccountRole = Literal[Role.STAFF, Role.MANAGER]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in. `key` is the name as it is compared; `id` is drawn anew whenever an account is added.

    `revision` grows whenever everything that this account is signed in to has to end.
    """

    key: str
    name: str
    role: AccountRole
    id: str
    revision: int


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    role: AccountRole
    id: str = Field(min_length=16)
    revision: int = Field(ge=1)
    salt: str = Field(pattern="^[0-9a-f]{32}$")
    hash: str = Field(pattern="^[0-9a-f]{64}$")

    def account(self, key: str) -> Account:
        return Account(key, self.name, self.role, self.id, self.revision)


class _Content(BaseModel):
    """`ended`: sessions by their key, with the second from which they would be over anyway.

    `not_before`: by subject, the second up to which its sessions do not count; `*` stands for everybody.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    accounts: dict[str, _Stored] = Field(default_factory=dict)
    ended: dict[str, float] = Field(default_factory=dict)
    not_before: dict[str, float] = Field(default_factory=dict)


_Stamp = tuple[int, int, int, int] | None


class Accounts:
    """The accounts of one clinic. Safe to use from several threads and processes; changes are seen at once."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._file_lock = folder / f"{FILE_NAME}.lock"
        self._lock = threading.Lock()
        self._read: tuple[_Stamp, _Content] = (None, _Content())
        # What a try for an unknown name is compared with.
        self._nobody = _Hashed(secrets.token_hex(16), secrets.token_hex(32))

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The accounts in the state folder of the settings. Raises AccountsError where that folder cannot be used."""
        return cls(private_folder(settings))

    def everybody(self) -> tuple[Account, ...]:
        """All accounts, by name. Raises AccountsError for a file that cannot be used, as all of these do."""
        return tuple(stored.account(key) for key, stored in sorted(self._content().accounts.items()))

    def find(self, key: str) -> Account | None:
        """The account whose `key` this is."""
        stored = self._content().accounts.get(key)
        return stored.account(key) if stored else None

    def verify(self, name: str, password: str) -> Account | None:
        """The account with this name and password. It takes as long where there is no such name."""
        key = account_key(name)
        stored = self._content().accounts.get(key)
        salt = stored.salt if stored else self._nobody.salt
        expected = stored.hash if stored else self._nobody.hash
        fits = hmac.compare_digest(_hashed(password, bytes.fromhex(salt)).hash, expected)
        return stored.account(key) if stored and fits else None

    def add(self, name: str, role: AccountRole, password: str) -> Account:
        """Make an account. Raises AccountsError for a name that cannot be used or exists, and for a weak password."""
        name = _usable_name(name)
        key = account_key(name)
        hashed = _checked(name, password)

        def change(content: _Content) -> _Content:
            if key in content.accounts:
                raise AccountsError(
                    f"there is an account {content.accounts[key].name} already",
                    remedy="Choose another name, or set its password with: clinic-qa staff password",
                )
            stored = _Stored(
                name=name, role=role, id=secrets.token_hex(16), revision=1, salt=hashed.salt, hash=hashed.hash
            )
            return content.model_copy(update={"accounts": {**content.accounts, key: stored}})

        return self._change(change).accounts[key].account(key)

    def remove(self, name: str) -> None:
        """Take an account away, and with it whatever it is signed in to. Raises AccountsError where there is none."""
        key = account_key(name)

        def change(content: _Content) -> _Content:
            _stored_as(content, name)
            rest = {other: stored for other, stored in content.accounts.items() if other != key}
            return content.model_copy(update={"accounts": rest})

        self._change(change)

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password, and end whatever it is signed in to."""
        hashed = _checked(name, password)
        self._change(lambda content: _renewed(content, name, salt=hashed.salt, hash=hashed.hash))

    def set_role(self, name: str, role: AccountRole) -> None:
        """Give an account another role, and end whatever it is signed in to."""
        self._change(lambda content: _renewed(content, name, role=role))

    def sign_out(self, name: str) -> None:
        """End whatever an account is signed in to, on all devices."""
        self._change(lambda content: _renewed(content, name))

    def sign_out_everybody(self, now: float) -> None:
        """End every session of every account, and of everybody whom an identity provider signed in up to `now`."""

        def change(content: _Content) -> _Content:
            for stored in content.accounts.values():
                content = _renewed(content, stored.name)
            return _with_not_before(content, _EVERYBODY, now)

        self._change(change)

    def end_session(self, session: str, *, now: float, until: float) -> None:
        """End one session; `until` is the second at which it would be over anyway, until when it is remembered."""

        def change(content: _Content) -> _Content:
            ended = {key: over for key, over in content.ended.items() if over > now}
            return content.model_copy(update={"ended": {**ended, session: until}})

        self._change(change)

    def has_ended(self, session: str) -> bool:
        """Whether `end_session` was called for this session."""
        return session in self._content().ended

    def end_subject(self, subject: str, now: float) -> None:
        """End all sessions that somebody has from an identity provider; `subject` is from `subject_key`."""
        self._change(lambda content: _with_not_before(content, subject, now))

    def not_before(self, subject: str) -> float:
        """The second up to which sessions of this subject do not count; 0 when nothing was ended."""
        not_before = self._content().not_before
        return max(not_before.get(subject, 0.0), not_before.get(_EVERYBODY, 0.0))

    def _content(self) -> _Content:
        """The file's content, read again when it has changed."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return _Content()
        check_private(found, self.path)
        stamp = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
        with self._lock:
            if self._read[0] != stamp:
                self._read = (stamp, self._load())
            return self._read[1]

    def _load(self) -> _Content:
        try:
            return _Content.model_validate_json(read_private(self.path))
        except FileNotFoundError:
            return _Content()
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors()[0]["loc"]) or "its syntax"
            # Without the cause, whose text quotes what is in the file.
            raise AccountsError(
                "the file of accounts is damaged", path=self.path, found=place, remedy="Put back a copy that works."
            ) from None

    def _change(self, change: Callable[[_Content], _Content]) -> _Content:
        try:
            with FileLock(self._file_lock, timeout=_LOCK_SECONDS, mode=0o600):
                content = change(self._load())
                write_private(self.path, content.model_dump_json(indent=1).encode())
        except Timeout as error:
            raise AccountsError(
                "another program is changing the accounts", path=self.path, remedy="Try again in a moment."
            ) from error
        return content


@dataclass(frozen=True, slots=True)
class _Hashed:
    """Both in hexadecimal."""

    salt: str
    hash: str


def _hashed(password: str, salt: bytes) -> _Hashed:
    plain = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    made = scrypt(plain, salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, maxmem=_SCRYPT_MEMORY, dklen=32)
    return _Hashed(salt.hex(), made.hex())


def account_key(name: str) -> str:
    """A name as it is compared: composed, without regard to capitals."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())


def subject_key(provider: str, subject: str) -> str:
    """Somebody whom an identity provider knows, without saying who."""
    return sha256(f"{len(provider)} {provider} {subject}".encode("utf-8", "surrogatepass")).hexdigest()


def _usable_name(name: str) -> str:
    name = unicodedata.normalize("NFC", name.strip())
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise AccountsError(
            "this name cannot be used for an account",
            found=repr(name[: LONGEST_NAME + 1]),
            expected=f"up to {LONGEST_NAME} letters, digits and . _ - @ +, beginning with a letter or digit",
            remedy="For instance: ana.ruiz",
        )
    return name


def _checked(name: str, password: str) -> _Hashed:
    """The hash of a password that may be used. Neither the password nor its length is in the error."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AccountsError(
            "this password cannot be used",
            expected=f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
            remedy="A sentence that nobody else knows is good.",
        )
    if account_key(password) == account_key(name):
        raise AccountsError("the password is the account's name", remedy="Choose another one.")
    return _hashed(password, os.urandom(16))


def _stored_as(content: _Content, name: str) -> _Stored:
    stored = content.accounts.get(account_key(name))
    if stored is None:
        raise AccountsError(f"there is no account {name!r}", remedy="See who there is with: clinic-qa staff list")
    return stored


def _renewed(content: _Content, name: str, **changed: object) -> _Content:
    stored = _stored_as(content, name)
    renewed = stored.model_copy(update={**changed, "revision": stored.revision + 1})
    return content.model_copy(update={"accounts": {**content.accounts, account_key(name): renewed}})


def _with_not_before(content: _Content, subject: str, now: float) -> _Content:
    kept = {other: at for other, at in content.not_before.items() if at > now - _KEEP_NOT_BEFORE}
    return content.model_copy(update={"not_before": {**kept, subject: max(now, kept.get(subject, 0.0))}})

"""Signing in by an identity provider: what Streamlit's cookie says, and which role follows from it.

Streamlit does the sign-in itself (`st.login`): it checks the provider's signature, issuer and nonce, and keeps the
claims in a cookie that it signs, together with the name of the provider whose key fitted. That name is the only proof
of where a claim comes from, and the signed moment the only proof of when, by our own clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from streamlit import config
from streamlit.auth_util import get_secrets_auth_section, get_validated_redirect_uri
from streamlit.web.server.server_util import get_cookie_secret, is_xsrf_enabled

from qa.accounts import Role
from qa.errors import AccountsError, SettingsError
from qa.private_files import check_private
from qa.settings import Oidc

USER_COOKIE = "_streamlit_user"
# Where Streamlit sends people to a provider, takes them back and signs them out.
STREAMLIT_PATHS = frozenset({"/auth/login", "/auth/logout", "/oauth2callback"})

_SHORTEST_SECRET = 32
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class ProviderUser:
    """Somebody whom a provider has signed in. Times are in seconds since 1970: the provider's, and ours."""

    key: str
    provider: str
    subject: str
    name: str
    issued_at: float
    signed_in_at: float
    claims: Mapping[str, object]


def read_user(cookies: Mapping[str, str]) -> ProviderUser | None:
    """What Streamlit's cookie says, if Streamlit has signed it as one piece; None for anything else.

    A cookie that Streamlit had to split (above 4 kB) is refused: its pieces are signed one by one, so that somebody who
    signs in twice could put a piece of one beside a piece of the other.
    """
    value = cookies.get(USER_COOKIE, "")
    secret = get_cookie_secret()
    if not value or len(secret) < _SHORTEST_SECRET:
        return None
    try:
        serializer = URLSafeTimedSerializer(secret, salt=USER_COOKIE)
        text, signed_at = serializer.loads(value, return_timestamp=True)
        claims = json.loads(text)
    except (BadData, ValueError, TypeError):
        return None
    match claims:
        case {"is_logged_in": True, "provider": str(provider), "sub": str(subject), "iat": int(issued_at)}:
            # From what was signed, not from the cookie as it was sent: the same signature can be written in two ways.
            key = sha256(f"{signed_at.timestamp()} {text}".encode("utf-8", "surrogatepass")).hexdigest()
            return ProviderUser(key, provider, subject, _name(claims), float(issued_at), signed_at.timestamp(), claims)
        case _:
            return None


def _name(claims: Mapping[str, object]) -> str:
    for claim in ("name", "preferred_username", "email", "sub"):
        value = claims.get(claim)
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())[:_LONGEST_NAME]
    return ""


def role_of(user: ProviderUser, settings: Oidc) -> Role:
    """The role that the settings give: only for their provider, and only for the very values they name."""
    if not settings.provider or not settings.claim or user.provider != settings.provider:
        return Role.PATIENT
    found = user.claims.get(settings.claim)
    values = (
        {found}
        if isinstance(found, str)
        else {each for each in found if isinstance(each, str)}
        if isinstance(found, list)
        else set()
    )
    if values & set(settings.manager):
        return Role.MANAGER
    return Role.STAFF if values & set(settings.staff) else Role.PATIENT


def is_streamlits_user(cookies: Mapping[str, str], user: Mapping[str, Any]) -> bool:
    """Whether `st.user` is who the cookie says. It is empty when the connection did not come from our own page."""
    read = read_user(cookies)
    return (
        read is not None
        and user.get("is_logged_in") is True
        and all(user.get(claim) == read.claims.get(claim) for claim in ("provider", "sub", "iat"))
    )


def check_setup(settings: Oidc) -> None:
    """Raise SettingsError or AccountsError unless signing in by a provider is set up so that nobody can forge it."""
    for key in ("provider", "claim"):
        if not getattr(settings, key):
            raise SettingsError(
                f"sign_in.oidc.{key} is empty", expected="a name", remedy="clinic.toml explains every setting."
            )
    if not any(value.strip() for value in (*settings.staff, *settings.manager)):
        raise SettingsError(
            "no value of the claim makes anybody staff or manager",
            remedy="Name some in sign_in.oidc.staff and sign_in.oidc.manager.",
        )
    _check_secrets_files()
    section = get_secrets_auth_section()
    providers = [name for name, value in section.items() if isinstance(value, Mapping)]
    if settings.provider not in providers or "_" in settings.provider:
        raise SettingsError(
            f"there is no provider {settings.provider} in Streamlit's secrets",
            found=", ".join(sorted(providers)) or "none",
            expected=f"[auth.{settings.provider}], without an underscore",
            remedy="Add it to .streamlit/secrets.toml.",
        )
    if len({name.casefold() for name in providers}) != len(providers):
        raise SettingsError(
            "two providers in Streamlit's secrets differ in capitals only, and would be mixed up",
            found=", ".join(sorted(providers)),
            remedy="Rename one of them.",
        )
    if len(str(section.get("cookie_secret", ""))) < _SHORTEST_SECRET:
        raise SettingsError(
            "auth.cookie_secret in Streamlit's secrets is too short",
            expected=f"at least {_SHORTEST_SECRET} random characters",
            remedy="Draw one, for instance with: openssl rand -hex 32",
        )
    if get_validated_redirect_uri() is None:
        raise SettingsError(
            "auth.redirect_uri in Streamlit's secrets cannot be used",
            expected="the address of this app, ending in /oauth2callback",
            remedy="Set it as your provider knows it.",
        )
    if config.get_option("server.trustedUserHeaders"):
        raise SettingsError(
            "server.trustedUserHeaders lets a request say who it comes from",
            expected="it not to be set",
            remedy="Take it out of .streamlit/config.toml.",
        )
    if not is_xsrf_enabled():
        raise SettingsError(
            "server.enableXsrfProtection is off", expected="true", remedy="Set it in .streamlit/config.toml."
        )


def _check_secrets_files() -> None:
    for name in config.get_option("secrets.files"):
        path = Path(name).expanduser()
        if path.exists():
            try:
                check_private(path.stat(), path)
            except AccountsError as error:
                raise SettingsError(
                    error.problem, path=path, found=error.found, expected=error.expected, remedy=error.remedy
                ) from error

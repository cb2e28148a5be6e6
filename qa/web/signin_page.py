"""HTML for signing in and out: plain pages that need no script. Every text is escaped here.

`up` is the way from the page's address to the app's own, "" or "../", so that all holds behind a proxy's sub-path.
"""

from __future__ import annotations

import html

from qa.messages import Messages
from qa.settings import Settings
from qa.web.urgent import emergency_banner


def page(title: str, content: str, *, settings: Settings, language: str, up: str = "", then: str = "") -> str:
    """A whole page around `content`, with the urgent lines on top; by itself it leads on to the address `then`."""
    urgent = emergency_banner(settings.urgent.crisis, settings.urgent.emergency)
    lead_on = f'<meta http-equiv="refresh" content="0; url={html.escape(then)}" />' if then else ""
    return (
        f'<!doctype html><html lang="{html.escape(language)}"><head><meta charset="utf-8" />'
        f"<title>{html.escape(settings.clinic.name)}: {html.escape(title)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1" />'
        # Without it, browsers would not say with the form that it came from our own page.
        f'<meta name="referrer" content="same-origin" />{lead_on}'
        f'<link rel="icon" type="image/svg+xml" href="{up}page/icon.svg" />'
        f'<link rel="stylesheet" href="{up}page/page.css" /><link rel="stylesheet" href="{up}page/signin.css" />'
        f'</head><body class="cq-plain">{urgent}<main><h1>{html.escape(settings.clinic.name)}</h1>'
        f'<p class="cq-subtitle">{html.escape(title)}</p>{content}</main></body></html>'
    )


def notice(text: str) -> str:
    """What went wrong, read out at once."""
    return f'<p class="cq-notice" role="alert">{html.escape(text)}</p>'


def paragraph(text: str) -> str:
    """A sentence."""
    return f"<p>{html.escape(text)}</p>"


def password_form(messages: Messages, *, up: str = "") -> str:
    """Name and password."""
    return (
        f'<form method="post" action="{up}staff/login">'
        f'<label for="name">{html.escape(messages.account_name)}</label>'
        '<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required'
        ' maxlength="64" autofocus />'
        f'<label for="password">{html.escape(messages.account_password)}</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required'
        ' maxlength="1000" />'
        f'<button type="submit">{html.escape(messages.sign_in)}</button></form>{_to_patients(messages, up)}'
    )


def ways_out(messages: Messages, *, desk: bool = True) -> str:
    """For somebody who is signed in: to the staff page, out here, out everywhere."""
    to_desk = f'<p><a class="cq-button" href="./desk">{html.escape(messages.to_staff_page)}</a></p>' if desk else ""
    everywhere = (
        f'<button type="submit" name="everywhere" value="yes">{html.escape(messages.sign_out_everywhere)}</button>'
        if desk
        else ""
    )
    return (
        f'{to_desk}<form method="post" action="./staff/logout">'
        f'<button type="submit">{html.escape(messages.sign_out)}</button>{everywhere}</form>'
        f"{_to_patients(messages, '')}"
    )


def links(messages: Messages, *, up: str) -> str:
    """To the sign-in page and to the patients' page."""
    return (
        f'<p><a class="cq-link" href="{up}signin">{html.escape(messages.staff_sign_in)}</a></p>'
        f"{_to_patients(messages, up)}"
    )


def _to_patients(messages: Messages, up: str) -> str:
    return f'<p><a class="cq-link" href="{up or "./"}">{html.escape(messages.to_patient_page)}</a></p>'

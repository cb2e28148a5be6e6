"""HTML for what a person in danger is told: the lines on every page, and the guidance above a reply.

The numbers in the clinic's own sentences dial or write a message, and the lifeline's chat opens. Nothing else becomes
a link, and no text of a document comes through here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from qa.replies import SPANISH

_CHAT = "https://988lifeline.org/chat"
_NUMBERS = re.compile(
    r"\b988lifeline\.org(?:/chat)?\b"
    r"|\b(?:text |texto al )988\b"
    r"|\b(?:call |llame al )?(?:988|911)\b",
    re.IGNORECASE,
)


def emergency_banner(crisis: str, emergency: str) -> str:
    """The two lines that are always in sight; the numbers 988 and 911 in them can be tapped."""
    lines = "".join(f"<p>{_linked(line)}</p>" for line in (crisis, emergency))
    return f'<aside class="cq-urgent">{lines}</aside>'


def guidance(lines: Sequence[str], phone: str, number: int) -> str:
    """The first line as a heading, the others below it, all large; `number` is the reply's."""
    first, *others = lines
    paragraphs = "".join(f"<p{_language(line)}>{_linked(line, phone)}</p>" for line in others)
    return (
        f'<section class="cq-guidance" data-reply="{number}">'
        f"<h2{_language(first)}>{_linked(first, phone)}</h2>{paragraphs}</section>"
    )


def _language(line: str) -> str:
    """So that a screen reader pronounces the Spanish line as Spanish."""
    return ' lang="es"' if line.startswith(SPANISH) else ""


def _linked(line: str, phone: str = "") -> str:
    """`line` escaped, with links where its numbers stand. The clinic's own number is found first, as a whole."""
    digits = re.sub(r"[^0-9+]", "", phone)
    pattern = re.compile(f"{re.escape(phone)}|{_NUMBERS.pattern}", re.IGNORECASE) if digits else _NUMBERS
    pieces: list[str] = []
    done = 0
    for found in pattern.finditer(line):
        pieces += [html.escape(line[done : found.start()]), _link(found[0], line[: found.start()], phone, digits)]
        done = found.end()
    return "".join([*pieces, html.escape(line[done:])])


def _link(found: str, before: str, phone: str, digits: str) -> str:
    """The link for one number, `before` being what stands before it in its line."""
    if found == phone:
        return f'<a class="cq-phone" href="tel:{digits}">{html.escape(phone)}</a>'
    lower = found.lower()
    if lower.startswith("988lifeline"):
        return f'<a href="{_CHAT}" target="_blank" rel="noreferrer noopener">{found}</a>'
    if lower.startswith("text"):
        if "988" in before or lower.startswith("texto"):
            return f'<a href="sms:988">{found}</a>'
        word, _, number = found.partition(" ")  # "Call or text 988" stands for both
        return f'<a href="sms:988">{word}</a> <a href="tel:{number}">{number}</a>'
    return f'<a href="tel:{found[-3:]}">{found}</a>'

"""Which unknown keys of a label or of front matter look as if they said who may read, and text that looks like a label.

A key that we do not know cannot be obeyed. Where it may have been meant to close a document, passing over it would
publish what somebody has held back; such a document stays closed until the key is written in our words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

GOVERNING = ("audience", "status", "approved_by", "approved_on", "review_by")
_MERGE = "<<"  # YAML's own key for taking over another mapping
_SHOWN = 6  # keys that are named in one warning

# In a label, which is written for us, a single such word in a key is enough.
_GOVERNING_WORDS = frozenset(
    "access audience audiences audiencia approval approve approved approver approves confidentiality estado expiration "
    "expire expired expires expiry privacy readers review reviewed reviewer reviews state status until valid "
    "visibility visible who zielgruppe".split()
)
_EXPIRY = frozenset("expiration expire expired expires expiry".split())
_CLOSED_WHEN_TRUE = frozenset(
    "archived confidential draft internal private restricted staff staff_only withdrawn".split()
)
_CLOSED_WHEN_FALSE = frozenset("public publish published patient patients".split())
_FALSE = frozenset("false no off n 0 never".split())
_CLOSING_VALUES = frozenset("staff draft withdrawn internal confidential private restricted unpublished".split()) | {
    "staff only",
    "staff-only",
    "internal only",
}
_CLOSING_TEXT = re.compile(
    r"\b(?:staff|drafts?|withdrawn|internal(?! medicine)|confidential|private|restricted|secret|unpublished|"
    r"unapproved|archived|obsolete|expired|retired|superseded|not for patients?)\b"
)

_FIRST_LINES = 20
_FIRST_CHARACTERS = 4_000
_KEY = r"(?:audience|status)[\"'*_`]*\s*[:=]"
# Readers join the lines of a paragraph, so that a key may also stand inside one; there only with a value of ours.
_LABEL_LIKE = re.compile(
    rf"^[\W_]*{_KEY}|\b{_KEY}[\W_]*(?:patients?|staff|draft|approved|withdrawn)\b", re.IGNORECASE | re.MULTILINE
)


def judged(unknown: Mapping[str, object], known: tuple[str, ...], *, is_label: bool) -> tuple[list[str], bool]:
    """Remarks on the `unknown` keys of a label or of front matter, and whether one of them closes the document.

    `known` are the keys that there are, of which a misspelt one is told. The remarks hold no character that is unsafe
    to print.
    """
    closing = [key for key, value in unknown.items() if _may_close(key, value, known, is_label=is_label)]
    remarks = [_closing_remark(key, known) for key in closing[:_SHOWN]]
    if len(closing) > _SHOWN:
        remarks.append(f"{len(closing) - _SHOWN} more unknown keys of that kind")
    harmless = [key for key in unknown if key not in closing]
    if harmless:
        remarks.append(_harmless_remark(harmless, known))
    return remarks, bool(closing)


def _may_close(key: str, value: object, known: tuple[str, ...], *, is_label: bool) -> bool:
    """Whether the key may have been meant to say who reads the document, and until when.

    Labels are judged by more signs than front matter, in which other programs keep keys of their own.
    """
    plain = _plain(key)
    words = set(plain.split("_"))
    if plain == _MERGE or _nearest(key, GOVERNING) or words & _EXPIRY or _is_closing_switch(plain, value):
        return True
    if is_label and words & _GOVERNING_WORDS:
        return True
    telling = {_MERGE, *(known if is_label else GOVERNING)}
    return not telling.isdisjoint(_names(value)) or any(
        text in _CLOSING_VALUES or (is_label and _CLOSING_TEXT.search(text) is not None) for text in _texts(value)
    )


def _closing_remark(key: str, known: tuple[str, ...]) -> str:
    if near := _nearest(key, known):
        return f"unknown key {key[:40]!r}; did you mean {near!r}?"
    meant = "looks as if it said who may read this"
    return f"unknown key {key[:40]!r} {meant}; say it with audience, status or review_by, or take it out"


def _harmless_remark(keys: list[str], known: tuple[str, ...]) -> str:
    if len(keys) == 1 and (near := _nearest(keys[0], known)):
        return f"unknown key {keys[0][:40]!r}; did you mean {near!r}?"
    named = [
        f"{key[:40]!r}" + (f" (did you mean {near!r}?)" if (near := _nearest(key, known)) else "")
        for key in keys[:_SHOWN]
    ]
    more = f" and {len(keys) - len(named)} more" if len(keys) > len(named) else ""
    return f"unknown key{'s' if len(keys) > 1 else ''} {', '.join(named)}{more}, not used"


def _nearest(key: str, known: tuple[str, ...]) -> str | None:
    return next(iter(get_close_matches(_plain(key)[:40], known, n=1, cutoff=0.75)), None)


def looks_like_label(text: str) -> bool:
    """Whether `text` begins with lines such as `audience: staff`: front matter that its reader did not recognise."""
    beginning = [line for line in text[:_FIRST_CHARACTERS].splitlines() if line.strip()][:_FIRST_LINES]
    return _LABEL_LIKE.search(unicodedata.normalize("NFKC", "\n".join(beginning))) is not None


def _is_closing_switch(plain: str, value: object) -> bool:
    """Such as `draft: true` or `published: no`. An empty `draft:` counts as true."""
    is_false = value is False or (isinstance(value, str) and value.strip().casefold() in _FALSE)
    return (plain in _CLOSED_WHEN_TRUE and not is_false) or (plain in _CLOSED_WHEN_FALSE and is_false)


def _plain(key: str) -> str:
    """In small letters and one form, the words joined by underscores: `reviewBy`, `Review-By` are "review_by"."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", unicodedata.normalize("NFKC", key).strip())
    return unicodedata.normalize("NFKC", re.sub(r"[-\s.]+", "_", parted).casefold())


def _names(value: object) -> Iterator[str]:
    """Every key inside `value`."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield _plain(str(key))
            yield from _names(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _names(item)


def _texts(value: object) -> Iterator[str]:
    """Every text inside `value`, in small letters and one form."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield " ".join(unicodedata.normalize("NFKC", value).casefold().split())

"""What a label says about sentences that somebody answers for.

signed_off:
- sentence: 3c59dc048e8850243be8079a5c74d079c0e2f2b6f2a9f1a2b0d2f0a8f1f7c9aa   # see `qa.claims.digest_of`
  by: Dr. Imara Voss
  on: 2026-03-31
  text: Esketamine nasal spray is approved …   # how the sentence begins, for people; optional
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from qa.models import SignOff

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_KEYS = {"sentence", "by", "on", "text"}
_LONGEST_NAME = 300  # characters
EXPECTED = "a list of mappings with sentence, by and on, as `clinic-qa claims sign` writes it"


def read_sign_offs(value: object, today: date) -> tuple[tuple[SignOff, ...], tuple[str, ...]]:
    """Every sign-off that can be used, and a sentence without full stop for each that cannot and does not count."""
    if value is None:
        return (), ()
    if not isinstance(value, list | tuple):
        return (), (f"signed_off cannot be used (expected {EXPECTED})",)
    usable: list[SignOff] = []
    problems: list[str] = []
    for number, item in enumerate(value, start=1):
        try:
            usable.append(_sign_off(item, today))
        except ValueError as error:
            problems.append(f"sign-off {number} of signed_off does not count (expected {error})")
    return tuple(usable), tuple(problems)


def strict_sign_offs(value: object) -> tuple[SignOff, ...]:
    """All of them. Raises ValueError, which says what was expected, when one cannot be used."""
    usable, problems = read_sign_offs(value, date.max)
    if problems:
        raise ValueError(EXPECTED)
    return usable


def as_label(sign_off: SignOff) -> dict[str, str]:
    """The mapping that a label holds for it."""
    written = {"sentence": sign_off.digest, "by": sign_off.by, "on": sign_off.on.isoformat()}
    return written | ({"text": sign_off.text} if sign_off.text else {})


def _sign_off(item: object, today: date) -> SignOff:
    item = as_label(item) if isinstance(item, SignOff) else item
    if not isinstance(item, Mapping) or not set(item) <= _KEYS:
        raise ValueError("sentence, by and on, perhaps text, and nothing else")
    digest = str(item.get("sentence") or "").strip().lower()
    if _DIGEST.fullmatch(digest) is None:
        raise ValueError("the 64 characters of a digest in sentence")
    by = " ".join(str(item.get("by") or "").split())
    if not by or len(by) > _LONGEST_NAME or not by.isprintable():
        raise ValueError(f"a name in by, at most {_LONGEST_NAME} characters")
    try:
        on = date.fromisoformat(str(item.get("on") or "").strip())
    except ValueError:
        raise ValueError("a date such as 2026-03-31 in on") from None
    if on > today:
        raise ValueError(f"a day no later than {today} in on")
    return SignOff(digest, by, on, " ".join(str(item.get("text") or "").split()))

"""What a document's front matter and its sidecar say, as one `Metadata`; and whether a patient may read the document.

Nothing here ever makes a document more open by mistake: where the two disagree the stricter wins, and a value that
cannot be used makes the document a draft for staff until somebody mends it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import PurePath
from typing import Any

from qa.audience import Audience, can_read
from qa.errors import MetadataError
from qa.label_judgement import GOVERNING, judged
from qa.models import Metadata, Status
from qa.sign_offs import read_sign_offs, strict_sign_offs

LONGEST_TEXT = 300  # characters in a title, a name or any other line of text
FRONT_MATTER = "front matter"
LABEL = "label"

_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ]\s*\d{1,2}:\d{2}.*)?", re.ASCII)
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)*", re.ASCII)
# An approval counts for a year; what lies further ahead would put off the review for as long as somebody likes.
_FURTHEST_APPROVAL = timedelta(days=366)
_STATUS_FROM_STRICT = (Status.WITHDRAWN, Status.DRAFT, Status.APPROVED)


def patient_may_read(metadata: Metadata, today: date) -> bool:
    """Whether patients may read the document today. Builds and questions both ask here, and nowhere else."""
    review = due(metadata)
    is_open = can_read(Audience.PATIENT, metadata.audience) and metadata.status is Status.APPROVED
    return is_open and (review is None or today <= review)


def due(metadata: Metadata) -> date | None:
    """The last day before the document must be reviewed: `review_by`, or a year after `approved_on`, or None."""
    if metadata.review_by is not None or metadata.approved_on is None:
        return metadata.review_by
    day = metadata.approved_on
    is_leap_day = (day.month, day.day) == (2, 29)
    return date(min(day.year + 1, date.max.year), day.month, 28 if is_leap_day else day.day)


def overdue_since(metadata: Metadata, today: date) -> date | None:
    """The day its review was due, when that is past."""
    last = due(metadata)
    return last if last is not None and last < today else None


def stricter(then: Metadata, now: Metadata) -> Metadata:
    """`then`, closed as far as either is: patients may read it on exactly those days on which they may read both."""
    due_then, due_now = due(then), due(now)
    is_earlier = due_now is not None and (due_then is None or due_now < due_then)
    return replace(
        then,
        audience=_stricter_audience(then.audience, now.audience),
        status=_stricter_status(then.status, now.status),
        review_by=due_now if is_earlier else then.review_by,
    )


def fail_closed(metadata: Metadata) -> Metadata:
    """The same as a draft (or withdrawn, where it was) for staff only."""
    return replace(metadata, audience=Audience.STAFF, status=_stricter_status(metadata.status, Status.DRAFT))


def readable_name(name: str) -> str:
    """A file's name as a title: `after_your-visit.pdf` is "After your visit"."""
    words = " ".join(re.sub(r"[-_]+", " ", PurePath(name).stem).split())
    return (words[:1].upper() + words[1:])[:LONGEST_TEXT] or name


def checked(changes: Mapping[str, object]) -> dict[str, object]:
    """`changes` for a label, by their proper types; None takes a key away. Raises MetadataError for an unusable one."""
    values: dict[str, object] = {}
    for key, value in changes.items():
        if key not in KEYS:
            raise MetadataError(f"a label has no {key!r}", expected=f"one of {', '.join(KEYS)}")
        try:
            values[key] = None if value is None else _PARSERS[key](value)
        except ValueError as error:
            raise MetadataError(f"{key} cannot be used", found=_shown(value), expected=str(error)) from error
    return values


def resolve(
    front_matter: Mapping[Any, object],
    sidecar: Mapping[Any, object] | None,
    *,
    default_title: str,
    folder_audience: Audience | None,
    require_approval: bool,
    today: date,
    default_language: str = "en",
) -> tuple[Metadata, tuple[str, ...]]:
    """What both say together, and warnings as sentences without full stops.

    `folder_audience` counts for documents that name no audience; None means staff. `default_title` and
    `default_language` count where neither says it. Audience, status and review date are the stricter of the two;
    of everything else the sidecar's is taken.
    """
    written, label = _claims(FRONT_MATTER, front_matter, today), _claims(LABEL, sidecar or {}, today)
    values, disagreements = _together(written.values, label.values)
    warnings = [*written.warnings, *label.warnings, *disagreements]
    audience: Audience = values.get("audience") or folder_audience or Audience.STAFF
    status: Status = values.get("status") or Status.APPROVED
    closes = written.closes or label.closes
    is_open = audience is Audience.PATIENT and status is Status.APPROVED and not closes
    if is_open and "approved_by" not in values:
        warnings.append("labelled for patients, but nobody is named in approved_by")
        if require_approval:
            status = Status.DRAFT
            warnings[-1] += ", which clinic.toml asks for; a draft until then"
    metadata = Metadata(
        title=values.get("title") or _cleaned(default_title)[:LONGEST_TEXT] or "Untitled",
        audience=audience,
        status=status,
        approved_by=values.get("approved_by"),
        approved_on=values.get("approved_on"),
        review_by=values.get("review_by"),
        version=values.get("version"),
        language=values.get("language") or default_language,
        source=values.get("source"),
        signed_off=values.get("signed_off") or (),
    )
    if closes:
        metadata = fail_closed(metadata)
        warnings.append("for staff only, and a draft, until that is mended")
    if metadata.approved_on is not None and metadata.approved_on > today:
        warnings.append(f"approved_on lies in the future ({metadata.approved_on})")
    review = due(metadata)
    if is_open and review is not None and today > review:
        warnings.append(f"its review was due on {review}; patients do not see it until it is approved again")
    return metadata, tuple(warnings)


@dataclass(slots=True)
class _Claims:
    """What one place says. `closes`: something that decides who may read is not usable."""

    values: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    closes: bool = False

    def take_sign_offs(self, where: str, value: object, today: date) -> None:
        """What cannot be used never counts: its sentence waits. The document is no more closed for it."""
        if where == FRONT_MATTER:
            self.warnings.append(f"{where}: signed_off counts in a label only; a file does not sign itself off")
            return
        self.values["signed_off"], problems = read_sign_offs(value, today)
        self.warnings += [f"{where}: {problem}" for problem in problems]


def _claims(where: str, mapping: Mapping[Any, object], today: date) -> _Claims:
    claims = _Claims()
    strangers: dict[str, object] = {}
    seen: set[str] = set()
    for raw_key, value in mapping.items():
        key = re.sub(r"[-\s]", "_", str(raw_key).strip().lower())
        if key not in KEYS:
            strangers[str(raw_key)] = value
            continue
        if key == "signed_off" and key not in seen:
            seen.add(key)
            claims.take_sign_offs(where, value, today)
            continue
        problem = _problem(key, value, claims.values, today) if key not in seen else f"{key} is given twice"
        seen.add(key)
        if problem:
            claims.warnings.append(f"{where}: {problem}")
            claims.closes |= key in GOVERNING
    if strangers:
        remarks, closes = judged(strangers, KEYS, is_label=where == LABEL)
        claims.warnings += [f"{where}: {remark}" for remark in remarks]
        claims.closes |= closes
    return claims


def _problem(key: str, value: object, values: dict[str, Any], today: date) -> str | None:
    """Put the parsed value into `values`, or say why it cannot be used. An empty value is none, but for two keys."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return f"{key} is empty" if key in _NEVER_EMPTY else None
    try:
        parsed = _PARSERS[key](value)
    except ValueError as error:
        return f"{key} cannot be used (found {_shown(value)}, expected {error})"
    if key == "approved_on" and isinstance(parsed, date) and parsed - today > _FURTHEST_APPROVAL:
        return (
            f"{key} cannot be used (found {_shown(value)}, expected a day no later than {today + _FURTHEST_APPROVAL})"
        )
    values[key] = parsed
    return None


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str | int | float | bool) else _kind(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _kind(value: object) -> str:
    match value:
        case date():
            return value.isoformat()
        case list() | tuple() | set():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return type(value).__name__


def _together(written: dict[str, Any], label: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    values = written | label
    warnings = []
    for key in KEYS:
        if key not in written or key not in label or written[key] == label[key]:
            continue
        if key in _STRICTER:
            values[key] = _STRICTER[key](written[key], label[key])
        which = "the stricter" if key in _STRICTER else "the label"
        said = f"{FRONT_MATTER} and {LABEL} disagree on {key} ({_said(written[key])} and {_said(label[key])})"
        warnings.append(f"{said}; {which}, {_said(values[key])}, counts")
    return values, warnings


def _said(value: object) -> str:
    return repr(str(value)) if type(value) is str else str(value)


def _line(value: object) -> str:
    is_scalar = isinstance(value, str | int | float | date) and not isinstance(value, bool)
    text = _cleaned(str(value)) if is_scalar else ""
    if not text or len(text) > LONGEST_TEXT:
        raise ValueError(f"one line of text, at most {LONGEST_TEXT} characters")
    return text


def _cleaned(text: str) -> str:
    """On one line, without characters that cannot be seen or that turn the text around them."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(c for c in line if unicodedata.category(c) not in {"Cc", "Cf", "Cs"}).strip()


def _day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    match = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass  # such as the 31st of February
    raise ValueError("a date such as 2026-03-31")


def _audience(value: object) -> Audience:
    try:
        return Audience(str(value).strip().lower())
    except ValueError:
        raise ValueError("patient or staff") from None


def _status(value: object) -> Status:
    try:
        return Status(str(value).strip().lower())
    except ValueError:
        raise ValueError("draft, approved or withdrawn") from None


def _language(value: object) -> str:
    match = _LANGUAGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a language code such as en or es")
    return match[1].lower()


def _stricter_audience(one: Audience, other: Audience) -> Audience:
    return Audience.STAFF if Audience.STAFF in (one, other) else Audience.PATIENT


def _stricter_status(one: Status, other: Status) -> Status:
    return min(one, other, key=_STATUS_FROM_STRICT.index)


_PARSERS: dict[str, Callable[[object], object]] = {
    "title": _line,
    "audience": _audience,
    "status": _status,
    "approved_by": _line,
    "approved_on": _day,
    "review_by": _day,
    "version": _line,
    "language": _language,
    "source": _line,
    "signed_off": strict_sign_offs,
}
KEYS = tuple(_PARSERS)
_STRICTER: dict[str, Callable[[Any, Any], object]] = {
    "audience": _stricter_audience,
    "status": _stricter_status,
    "review_by": min,
}
# Without these two a document is more open than with them, so that a blank may not lose them.
_NEVER_EMPTY = {"audience", "status"}

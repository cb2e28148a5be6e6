"""What the command prints for people; the sentences of the page are in `messages`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from qa.audience import Audience
from qa.clock import long_date
from qa.messages import load_messages
from qa.models import Answer, Citation, CitedPassage, Level, Metadata, Status
from qa.walk import safe

if TYPE_CHECKING:
    from qa.build import BuildReport
    from qa.confidence import Calibration
    from qa.doctor import Finding
    from qa.load import ReportLine
    from qa.publish import RolledBack
    from qa.settings import Settings
    from qa.sidecars import LabelReport
    from qa.signing import Listed

_WIDTH = 100
_MOST_LINES = 40  # of one kind; --json gives all
_TAKES_EFFECT = (
    "What this takes from patients is gone with the next question; what it gives them comes with `clinic-qa build`."
)


def build_summary(report: BuildReport) -> str:
    """The closing summary of a build."""
    loaded = report.load
    lines = [
        f"Published {report.generation} in {report.seconds:.1f} s.",
        f"  files      {loaded.read_count} read, {len(loaded.skipped)} skipped, {len(loaded.failed)} could not be read",
        *(
            f"  {audience:<10} {report.documents[audience]} documents, {number} passages"
            for audience, number in report.passages.items()
        ),
        f"  vectors    {report.embedded} embedded now, {report.from_cache} from the cache",
    ]
    if drawn := report.located + report.unlocated:
        lines.append(f"  marks      {report.located} of {drawn} passages of PDF files can be marked on their pages")
    audiences = {entry.id: entry.metadata for entry in loaded.documents}
    read = [(line, audiences[line.path]) for line in loaded.lines if line.path in audiences]
    lines += _section("Read", [_counts(line, metadata) for line, metadata in read])
    lines += _section("Could not be read", [_reason(line) for line in loaded.failed])
    lines += _section("Skipped", [_reason(line) for line in loaded.skipped])
    lines += _section("Warnings", [f"{line.path}: {warning}" for line in loaded.warned for warning in line.warnings])
    lines += _section("Notes", [*loaded.warnings, *report.notes])
    lines += _waiting(report)
    return "\n".join(lines)


def _waiting(report: BuildReport) -> list[str]:
    """What `clinic-qa claims` would list, in short."""
    if not report.waiting:
        return []
    entries = []
    for document, claims in report.waiting.items():
        count = len({claim.digest for claim in claims})
        kinds = ", ".join(dict.fromkeys(claim.kind for claim in claims))
        kept = ": patients do not get this document" if document in report.held_back else ""
        entries.append(f"{document}: {count} {'sentence' if count == 1 else 'sentences'} ({kinds}){kept}")
    title = "Claims wait for a sign-off, see `clinic-qa claims`; by document"
    return _section(title, entries)


def answer_text(answer: Answer, settings: Settings) -> str:
    """An answer for a terminal: guidance in danger first, then notices, then passages with numbered citations."""
    language = settings.clinic.languages[0]
    messages = load_messages(language)
    lines = [*_framed(answer.guidance), settings.urgent.crisis, settings.urgent.emergency, ""]
    if answer.notices:
        lines += [*(textwrap.fill(notice, _WIDTH) for notice in answer.notices), ""]
    if answer.passages and answer.level is Level.LIKELY:
        lines += [f"{messages.level_likely} {messages.level_likely_means}", ""]
    elif answer.passages and answer.level is Level.POSSIBLE:
        lines += [f"{messages.level_possible} {messages.level_possible_means}", ""]
    if answer.disagreements:
        lines += [textwrap.fill(f"{messages.desk_disagree}. {messages.desk_disagree_means}", _WIDTH), ""]
    for disagreement in answer.disagreements:
        for side, said in zip(disagreement.sides, disagreement.said, strict=True):
            lines += [f"    {messages.desk_disagree_said.format(said=safe(said))}", *_passage(side, language, "-"), ""]
    for passage in answer.passages:
        marked_for = language if answer.audience is Audience.STAFF else None
        lines += [*_passage(passage, marked_for, f"[{passage.rank}]"), ""]
    return "\n".join(lines).rstrip()


def _passage(passage: CitedPassage, marked_for: str | None, sign: str) -> list[str]:
    """One passage under its citation; for staff, in their language, with what keeps its document from patients."""

    def marks(citation: Citation) -> str:
        found = staff_marks(citation, marked_for) if marked_for is not None else ()
        return f"({', '.join(found)})" if found else ""

    lines = [f"{sign} {citation_text(passage.citation)}"]
    if own := marks(passage.citation):
        lines.append(f"    {own}")
    if passage.lead_in:
        lines.append(_indented(passage.lead_in))
    lines += [_indented(line) for line in passage.text.splitlines() if line.strip()]
    lines += [f"    also in: {citation_text(other)} {marks(other)}".rstrip() for other in passage.citation.also_in]
    return lines


def _framed(guidance: Sequence[str]) -> list[str]:
    """Sentences that nobody can miss: between two rules, apart from each other."""
    if not guidance:
        return []
    rule = "=" * _WIDTH
    return [rule, "", *(line for each in guidance for line in (textwrap.fill(each, _WIDTH), "")), rule, ""]


def staff_marks(citation: Citation, language: str = "en") -> tuple[str, ...]:
    """What keeps a document from patients, in words; nothing for one that they get."""
    marks = ["staff only"] if citation.audience is Audience.STAFF else []
    if citation.status is not Status.APPROVED:
        marks.append(citation.status.value)
    if citation.overdue_since is not None:
        marks.append(f"review overdue since {long_date(citation.overdue_since, language)}")
    return tuple(marks)


def calibration_text(audience: Audience, calibration: Calibration) -> str:
    """How a calibration was made and what was measured, for a manager."""
    lines = [
        f"{audience}: calibrated so that, as measured, at most {calibration.bound:.0%} of the answers given are wrong,"
        f" if {calibration.expected_unanswerable:.0%} of the questions have no answer in the documents."
    ]
    for source, tally in calibration.measured.items():
        what = "made from the documents" if source == "documents" else "that the clinic labelled"
        wrong, answered = tally.wrong_share(calibration.expected_unanswerable), tally.answered_share
        lines.append(
            f"  on held-out questions {what}: {_share(wrong)} of the answers wrong,"
            f" {_share(answered)} of {tally.answerable} answerable questions answered,"
            f" {tally.unanswerable_answered} of {tally.unanswerable} without an answer answered all the same"
        )
    lines += [
        f"  {calibration.method}",
        "  The test confirmed the bound for questions like these."
        if calibration.tested
        else "  There were too few questions to confirm the bound; it holds as measured, no more.",
        "  This is a measurement and no guarantee: a corpus's own headings are not patients.",
    ]
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "an unknown share" if value is None else f"{value:.1%}"


def citation_text(citation: Citation) -> str:
    """One line: title, headings, page (or slide, or sheet), version, approval date, file."""
    parts = [citation.title, *citation.section]
    where = " › ".join(dict.fromkeys(parts))
    details = []
    if citation.page is not None:
        label = citation.page_label or str(citation.page)
        named = f"{citation.page_kind} {label}"
        details.append(named if label == str(citation.page) else f"{named} (number {citation.page} in the file)")
    if citation.recognised:
        details.append("text recognised from a picture")
    if citation.version:
        details.append(f"version {citation.version}")
    if citation.approved_on:
        details.append(f"approved {citation.approved_on.isoformat()}")
    return safe(", ".join([where, *details, citation.path]))


def claims_text(sentences: Sequence[Listed], waiting: int, mode: str, *, checked_file: bool) -> str:
    """Sentences with what they claim, why that needs a sign-off, and whose word that is; by document."""
    lines: list[str] = []
    for document in dict.fromkeys(sentence.document for sentence in sentences):
        lines += [safe(document), ""]
        for sentence in sentences:
            if sentence.document == document:
                lines += _claim_lines(sentence)
    if checked_file:
        lines.append(f"{_sentences(waiting)} would wait for a sign-off." if waiting else "Nothing would wait.")
    elif waiting:
        effect = (
            "Patients do not get these documents" if mode == "block" else "Patients get these documents all the same"
        )
        lines.append(f"{_sentences(waiting)} wait{'s' if waiting == 1 else ''} for a sign-off. {effect}.")
        lines.append("Reword a sentence, or: clinic-qa claims sign DOCUMENT DIGEST --by NAME. Then `clinic-qa build`.")
    else:
        lines.append("Nothing waits for a sign-off.")
    return "\n".join(lines)


def _claim_lines(sentence: Listed) -> list[str]:
    where = " › ".join(sentence.section) or ("" if sentence.claims[0].span[1] else "its title")
    place = ", ".join(part for part in (f"page {sentence.page}" if sentence.page else "", where) if part)
    by = sentence.by
    state = f"signed off by {by.by} on {by.on.isoformat()}" if by is not None else "waits"
    lines = [
        safe(f"  {sentence.short}  {state}" + (f"  ({place})" if place else "")),
        _indented(f"“{sentence.sentence}”"),
    ]
    for claim in sentence.claims:
        lines += [_indented(f"{claim.kind}, “{claim.words}”: {claim.reason}"), _indented(f"Source: {claim.source}")]
    return [*lines, ""]


def _sentences(count: int) -> str:
    return f"{count} sentence" if count == 1 else f"{count} sentences"


def claims_json(sentence: Listed) -> dict[str, object]:
    """One sentence for `clinic-qa claims --json`; later versions only add keys."""
    by = sentence.by
    return {
        "document": sentence.document,
        "sentence": sentence.sentence,
        "digest": sentence.claims[0].digest,
        "short": sentence.short,
        "page": sentence.page,
        "section": list(sentence.section),
        "span": list(sentence.claims[0].span),
        "waits": by is None,
        "signed_by": by.by if by is not None else None,
        "signed_on": by.on.isoformat() if by is not None else None,
        "claims": [
            {key: getattr(claim, key) for key in ("rule", "kind", "words", "reason", "source")}
            for claim in sentence.claims
        ],
    }


def signed_text(sentences: Sequence[Listed], by: str) -> str:
    """What `clinic-qa claims sign` wrote."""
    lines = [f"Signed off by {safe(by)}:", *(_indented(f"“{each.sentence}”") for each in sentences)]
    return "\n".join([*lines, "It takes effect with the next `clinic-qa build`."])


def label_summary(report: LabelReport) -> str:
    """What `clinic-qa label` wrote and what it left alone."""
    lines = [f"Labelled {len(report.written)} document(s). {_TAKES_EFFECT}"]
    lines += _section("Left alone", [f"{path}: {reason}" for path, reason in report.skipped])
    lines += _section("Notes", [f"{path}: {note}" for path, note in report.notes])
    return "\n".join(lines)


def rollback_summary(done: RolledBack) -> str:
    """Which generation is live now, and which documents patients get as they were."""
    lines = [f"Live again: {done.live} (was {done.left})."]
    lines += _section("Patients get these as they were before their files changed", list(done.earlier))
    return "\n".join(lines)


def doctor_text(findings: Iterable[Finding]) -> str:
    """One line for each finding, and what to do about the bad ones."""
    lines = []
    for finding in findings:
        lines.append(f"{'ok ' if finding.good else 'BAD'}  {finding.subject:<10} {safe(finding.state)}")
        if finding.remedy:
            lines.append(f"{'':16}{safe(finding.remedy)}")
    return "\n".join(lines)


def _section(title: str, entries: list[str]) -> list[str]:
    if not entries:
        return []
    shown = [f"  {safe(entry)}" for entry in entries[:_MOST_LINES]]
    if len(entries) > _MOST_LINES:
        shown.append(f"  … and {len(entries) - _MOST_LINES} more; --json prints all.")
    return ["", f"{title} ({len(entries)}):", *shown]


def _counts(line: ReportLine, metadata: Metadata) -> str:
    pages = f", {line.pages} pages" if line.pages else ""
    return f"{line.path}: {metadata.audience}, {metadata.status}, {line.blocks} blocks{pages}"


def _reason(line: ReportLine) -> str:
    return f"{line.path}: {line.reason}"


def _indented(text: str) -> str:
    """One line of a document, wrapped; what could steer a terminal is shown as an escape."""
    return textwrap.fill(safe(text), _WIDTH, initial_indent="    ", subsequent_indent="    ")

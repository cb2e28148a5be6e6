"""What the command prints for people; the sentences of the page are in `messages`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from qa.messages import load_messages
from qa.models import Answer, Citation, Level, Metadata
from qa.walk import safe

if TYPE_CHECKING:
    from qa.audience import Audience
    from qa.build import BuildReport
    from qa.confidence import Calibration
    from qa.doctor import Finding
    from qa.load import ReportLine
    from qa.publish import RolledBack
    from qa.settings import Settings
    from qa.sidecars import LabelReport

_WIDTH = 100
_MOST_LINES = 40  # of one kind; --json gives all


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
    audiences = {entry.id: entry.metadata for entry in loaded.documents}
    read = [(line, audiences[line.path]) for line in loaded.lines if line.path in audiences]
    lines += _section("Read", [_counts(line, metadata) for line, metadata in read])
    lines += _section("Could not be read", [_reason(line) for line in loaded.failed])
    lines += _section("Skipped", [_reason(line) for line in loaded.skipped])
    lines += _section("Warnings", [f"{line.path}: {warning}" for line in loaded.warned for warning in line.warnings])
    lines += _section("Notes", [*loaded.warnings, *report.notes])
    return "\n".join(lines)


def answer_text(answer: Answer, settings: Settings) -> str:
    """An answer as readable passages with numbered citations."""
    lines = [settings.urgent.crisis, settings.urgent.emergency, ""]
    messages = load_messages(settings.clinic.languages[0])
    if answer.level is Level.LIKELY:
        lines += [f"{messages.level_likely} {messages.level_likely_means}", ""]
    elif answer.level is Level.POSSIBLE:
        lines += [f"{messages.level_possible} {messages.level_possible_means}", ""]
    for passage in answer.passages:
        lines.append(f"[{passage.rank}] {citation_text(passage.citation)}")
        if passage.lead_in:
            lines.append(_indented(passage.lead_in))
        lines += [_indented(line) for line in passage.text.splitlines() if line.strip()]
        lines += [f"    also in: {citation_text(other)}" for other in passage.citation.also_in]
        lines.append("")
    lines += [textwrap.fill(notice, _WIDTH) for notice in answer.notices]
    return "\n".join(lines).rstrip()


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
    """One line: title, headings, page, version, approval date, file."""
    parts = [citation.title, *citation.section]
    where = " › ".join(dict.fromkeys(parts))
    details = []
    if citation.page is not None:
        label = citation.page_label or str(citation.page)
        details.append(f"page {label}" if label == str(citation.page) else f"page {label} (sheet {citation.page})")
    if citation.version:
        details.append(f"version {citation.version}")
    if citation.approved_on:
        details.append(f"approved {citation.approved_on.isoformat()}")
    return safe(", ".join([where, *details, citation.path]))


def label_summary(report: LabelReport) -> str:
    """What `clinic-qa label` wrote and what it left alone."""
    lines = [f"Labelled {len(report.written)} document(s). Run `clinic-qa build` to make it take effect."]
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

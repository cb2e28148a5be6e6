"""How things stand on this machine: versions, model, index and documents, each with what to do."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version

from qa.audience import Audience
from qa.clock import Clock
from qa.embed import ModelFiles, ModelFingerprint, cpu_has_bfloat16
from qa.errors import QAError
from qa.index.faiss_index import open_index
from qa.index.generations import read_report
from qa.judge import open_judge
from qa.load import LoadReport, load_documents
from qa.metadata import due, patient_may_read
from qa.settings import Settings

_PACKAGES = ("clinic-qa", "torch", "sentence-transformers", "faiss-cpu", "bm25s", "pypdf", "streamlit")


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact. `remedy` says what to do; a good finding may still have advice."""

    subject: str
    good: bool
    state: str
    remedy: str = ""

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def examine(settings: Settings, clock: Clock) -> list[Finding]:
    """Every finding, in the order in which a person would look. Reads all documents; changes nothing."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    findings = [
        Finding("folders", good=True, state=f"documents in {settings.corpus.folder}, index in {settings.index.folder}"),
        Finding("versions", good=True, state=f"Python {platform.python_version()}, {versions}"),
    ]
    if not settings.clinic.phone:
        findings.append(
            Finding("phone", good=False, state="no number to call", remedy="Set clinic.phone in clinic.toml.")
        )
    loaded, trouble = _loaded(settings, clock)
    try:
        model_files = ModelFiles.find(settings.model.name)
        fingerprint = model_files.fingerprint(settings.model)
    except QAError as error:
        findings.append(_problem("model", error))
    else:
        has = "has" if cpu_has_bfloat16() else "does not have"
        findings.append(
            Finding(
                "model",
                good=True,
                state=f"{fingerprint.name}, digest {fingerprint.digest[:12]}, in {fingerprint.dtype} "
                f"(this processor {has} bfloat16), reads {model_files.limit} tokens",
            )
        )
        findings += _indexes(settings, fingerprint, loaded, clock().date())
    if loaded is None:
        return [*findings, *trouble]
    return [*findings, *_documents(settings, loaded, clock().date())]


def _problem(subject: str, error: QAError) -> Finding:
    place = f" ({error.path})" if error.path else ""
    return Finding(subject, good=False, state=f"{error.problem}{place}", remedy=error.remedy or "")


def _loaded(settings: Settings, clock: Clock) -> tuple[LoadReport | None, list[Finding]]:
    """The documents as they are now, or what keeps them from being read."""
    try:
        return load_documents(settings, cache=None, today=clock().date()), []
    except QAError as error:
        return None, [_problem("documents", error)]


def _indexes(
    settings: Settings, fingerprint: ModelFingerprint, loaded: LoadReport | None, today: date
) -> Iterator[Finding]:
    readable = {entry.id for entry in loaded.documents if patient_may_read(entry.metadata, today)} if loaded else None
    for audience in Audience:
        try:
            index = open_index(settings.index.folder, audience, fingerprint)
        except QAError as error:
            yield _problem("index", error)
            continue
        manifest = index.manifest
        shaped = settings.passages.model_dump()
        changed = any(manifest.settings.get(key) != value for key, value in shaped.items())
        yield Finding(
            "index",
            good=True,
            state=f"{audience}: {manifest.documents} documents, {manifest.passages} passages, {manifest.generation}",
            remedy="The settings of [passages] have changed since: run `clinic-qa build`." if changed else "",
        )
        for warning in open_judge(index, settings).warnings:
            yield Finding("confidence", good=True, state=f"{audience}: strict, without a calibration", remedy=warning)
        if audience is Audience.PATIENT and readable is not None:
            for document in index.documents():
                if document.id not in readable and patient_may_read(document.metadata, today):
                    yield Finding(
                        "index",
                        good=False,
                        state=f"patients still get {document.id}, which is no longer theirs",
                        remedy="Run `clinic-qa build` to take it from them.",
                    )
        index.close()


def _documents(settings: Settings, loaded: LoadReport, today: date) -> Iterator[Finding]:
    yield Finding("documents", good=True, state=f"{loaded.read_count} read, {len(loaded.skipped)} skipped on purpose")
    for line in loaded.failed:
        yield Finding("documents", good=False, state=f"{line.path}: not read", remedy=line.reason)
    for entry in loaded.documents:
        if (last := due(entry.metadata)) is not None and last < today:
            yield Finding(
                "documents",
                good=True,
                state=f"{entry.id}: its review was due on {last.isoformat()}",
                remedy="Patients do not get it. Review it, then `clinic-qa label` it with a new --review-by.",
            )
    for line in loaded.warned:
        for warning in line.warnings:
            yield Finding("documents", good=True, state=f"{line.path}: {warning}")
    stale = _changed_since_build(settings, loaded)
    if stale:
        yield Finding("documents", good=True, state=stale, remedy="Run `clinic-qa build` to publish the changes.")


def _changed_since_build(settings: Settings, loaded: LoadReport) -> str:
    """What the live generation does not know of, in words; empty when nothing changed or there is no index."""
    report = read_report(settings.index.folder)
    if report is None or report.get("corpus_digest") == loaded.digest:
        return ""
    return "the documents have changed since the last build"

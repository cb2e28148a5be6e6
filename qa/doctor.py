"""How things stand on this machine: versions, model, index and documents, each with what to do."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version

from qa.accounts import Accounts
from qa.audience import Audience
from qa.claims import waiting_in
from qa.clock import Clock
from qa.embed import ModelFiles, ModelFingerprint, cpu_has_bfloat16
from qa.errors import QAError
from qa.index.faiss_index import FaissIndex, open_index
from qa.index.generations import read_report
from qa.judge import open_judge
from qa.live_labels import LiveLabels
from qa.load import LoadReport, load_documents
from qa.metadata import overdue_since, patient_may_read
from qa.models import Metadata, Status
from qa.settings import Settings, state_folder
from qa.triage import load_reviewed

_FIRST_ACCOUNT = "Make one with `clinic-qa staff add NAME --role manager`."
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
    findings += [_sign_in(settings), _journal(settings)]
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
        findings += _indexes(settings, fingerprint, clock)
        findings.append(_triage(settings, fingerprint))
    if loaded is None:
        return [*findings, *trouble]
    return [*findings, *_documents(settings, loaded, clock().date())]


def _sign_in(settings: Settings) -> Finding:
    """Who can sign in, or what keeps everybody from it."""
    if settings.sign_in.method == "oidc":
        provider = settings.sign_in.oidc.provider
        return Finding("sign-in", good=True, state=f"by the provider {provider!r}, checked when the app starts")
    folder = settings.state.folder or state_folder()
    if not folder.exists():
        return Finding("sign-in", good=True, state="no accounts yet", remedy=_FIRST_ACCOUNT)
    try:
        count = len(Accounts.open(settings).everybody())
    except QAError as error:
        return _problem("sign-in", error)
    return Finding(
        "sign-in", good=True, state=f"accounts: {count}, in {folder}", remedy="" if count else _FIRST_ACCOUNT
    )


def _journal(settings: Settings) -> Finding:
    """Whether questions are written down."""
    journal = settings.journal
    kept = "not kept" if journal.questions == "none" else f"kept for {journal.keep_days} days"
    return Finding("journal", good=True, state=f"questions are {kept}")


def _triage(settings: Settings, fingerprint: ModelFingerprint) -> Finding:
    """Whether the files of triage can be used, and whether they were learned with the model in use."""
    try:
        learned = load_reviewed(settings.urgent.rules).learned
    except QAError as error:
        return _problem("triage", error)
    if learned.model == fingerprint.digest:
        return Finding("triage", good=True, state="by words and meaning")
    return Finding(
        "triage",
        good=False,
        state="it was learned with another model, so it goes by words alone",
        remedy="Copy qa/data/triage, name the copy as urgent.rules in clinic.toml, and run `clinic-qa triage --learn`.",
    )


def _problem(subject: str, error: QAError) -> Finding:
    place = f" ({error.path})" if error.path else ""
    return Finding(subject, good=False, state=f"{error.problem}{place}", remedy=error.remedy or "")


def _loaded(settings: Settings, clock: Clock) -> tuple[LoadReport | None, list[Finding]]:
    """The documents as they are now, or what keeps them from being read."""
    try:
        return load_documents(settings, cache=None, today=clock().date()), []
    except QAError as error:
        return None, [_problem("documents", error)]


def _indexes(settings: Settings, fingerprint: ModelFingerprint, clock: Clock) -> Iterator[Finding]:
    for audience in Audience:
        try:
            index = open_index(settings.index.folder, audience, fingerprint)
        except QAError as error:
            yield _problem("index", error)
            continue
        try:
            yield from _index(index, audience, settings, clock)
        finally:
            index.close()


def _index(index: FaissIndex, audience: Audience, settings: Settings, clock: Clock) -> Iterator[Finding]:
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
    if audience is Audience.PATIENT:
        yield from _held_back(index, settings, clock)
    else:
        yield from _protocol(index, settings)


def _held_back(index: FaissIndex, settings: Settings, clock: Clock) -> Iterator[Finding]:
    """What patients got at the build and do not get now."""
    today = clock().date()
    labels = LiveLabels(index, settings, clock)
    for document in index.documents():
        now = labels.metadata(document.id)
        if patient_may_read(document.metadata, today) and not patient_may_read(now, today):
            yield Finding(
                "index",
                good=True,
                state=f"held back from patients: {document.id}, because {_why(now, today)}",
                remedy="Its label brings it back, if that was not meant. A build leaves it out.",
            )


def _why(now: Metadata, today: date) -> str:
    overdue = overdue_since(now, today)
    if now.status is not Status.APPROVED or overdue is None:
        if now.status is Status.APPROVED:
            return f"its label is for {now.audience}"
        return f"its label says {now.status}" + (", or its file is gone" if now.status is Status.WITHDRAWN else "")
    return f"its review was due on {overdue.isoformat()}"


def _protocol(index: FaissIndex, settings: Settings) -> Iterator[Finding]:
    """Whether staff would see the emergency protocol beside the guidance."""
    name = settings.clinic.emergency_protocol
    if name and all(document.id != name for document in index.documents()):
        yield Finding(
            "protocol",
            good=False,
            state=f"the emergency protocol {name} is not in the staff index",
            remedy="Correct clinic.emergency_protocol in clinic.toml, or add the document; then `clinic-qa build`.",
        )


def _documents(settings: Settings, loaded: LoadReport, today: date) -> Iterator[Finding]:
    yield Finding("documents", good=True, state=f"{loaded.read_count} read, {len(loaded.skipped)} skipped on purpose")
    for line in loaded.failed:
        yield Finding("documents", good=False, state=f"{line.path}: not read", remedy=line.reason)
    overdue = {entry.id: last for entry in loaded.documents if (last := _kept_by_its_date(entry.metadata, today))}
    for document, last in overdue.items():
        yield Finding(
            "documents",
            good=True,
            state=f"{document}: its review was due on {last.isoformat()}",
            remedy="Patients do not get it. Review it, then `clinic-qa label` it with a new --review-by.",
        )
    for document, claims in waiting_in(loaded.documents, settings.claims).items():
        count = len({claim.digest for claim in claims})
        blocks = settings.claims.mode == "block"
        yield Finding(
            "claims",
            good=not blocks,
            state=f"{document}: {count} {'sentence waits' if count == 1 else 'sentences wait'} for a sign-off",
            remedy=("Patients do not get it until then. " if blocks else "")
            + "See `clinic-qa claims`; reword or sign, then `clinic-qa build`.",
        )
    for line in loaded.warned:
        for warning in line.warnings:
            if line.path not in overdue or not warning.startswith("its review was due"):
                yield Finding("documents", good=True, state=f"{line.path}: {warning}")
    stale = _changed_since_build(settings, loaded)
    if stale:
        yield Finding("documents", good=True, state=stale, remedy="Run `clinic-qa build` to publish the changes.")


def _kept_by_its_date(metadata: Metadata, today: date) -> date | None:
    """The day its review was due, for a document that nothing else keeps from patients."""
    is_open = metadata.audience is Audience.PATIENT and metadata.status is Status.APPROVED
    return overdue_since(metadata, today) if is_open else None


def _changed_since_build(settings: Settings, loaded: LoadReport) -> str:
    """What the live generation does not know of, in words; empty when nothing changed or there is no index."""
    report = read_report(settings.index.folder)
    if report is None or report.get("corpus_digest") == loaded.digest:
        return ""
    return "the documents have changed since the last build"

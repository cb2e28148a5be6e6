"""Signing claims off, one sentence at a time, in the labels of their documents; and the list of what waits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from qa.audience import Audience
from qa.claim_rules import load_rules
from qa.claims import Claim, claims_of, find_claims
from qa.errors import ClaimsError, MetadataError
from qa.load import load_one
from qa.models import CorpusDocument, SignOff
from qa.settings import Settings
from qa.sidecars import label_of, write_sidecar
from qa.sign_offs import EXPECTED, read_sign_offs
from qa.walk import Found, documents_in

SHORTEST_DIGEST = 8  # characters that name a sentence on the command line
_BEGINNING = 80  # characters of a sentence that its sign-off quotes


@dataclass(frozen=True, slots=True)
class Listed:
    """A sentence that claims something. `claims` are what the rules found in it, at least one.

    `page` is as printed, empty for formats without pages; `section` are the headings above it, and empty for the title.
    `short` is the beginning of the digest that names it on the command line. `by` is None while it waits.
    """

    document: str
    claims: tuple[Claim, ...]
    page: str
    section: tuple[str, ...]
    short: str
    by: SignOff | None

    @property
    def sentence(self) -> str:
        """The sentence, on one line."""
        return self.claims[0].sentence


def listed(entry: CorpusDocument, claims: Iterable[Claim]) -> tuple[Listed, ...]:
    """The sentences of a document in which these claims were found, in reading order, each once."""
    by_sentence: dict[str, list[Claim]] = {}
    for claim in claims:
        by_sentence.setdefault(claim.digest, []).append(claim)
    sign_offs = {sign_off.digest: sign_off for sign_off in entry.metadata.signed_off}
    length = SHORTEST_DIGEST
    while len({digest[:length] for digest in by_sentence}) < len(by_sentence):
        length += 1
    return tuple(
        Listed(entry.id, tuple(found), *_place(entry, found[0]), digest[:length], sign_offs.get(digest))
        for digest, found in by_sentence.items()
    )


def _place(entry: CorpusDocument, claim: Claim) -> tuple[str, tuple[str, ...]]:
    document, (start, end) = entry.document, claim.span
    block = next((block for block in document.blocks if block.start <= start < block.end), None) if end else None
    if block is None:
        return "", ()
    return document.pages[block.page - 1].label if document.pages else "", block.headings


def document_in(settings: Settings, name: str, today: date) -> tuple[Found, CorpusDocument]:
    """The document that `name` is: its path below the corpus folder, or the path of its file. Raises ClaimsError."""
    folder = settings.corpus.folder
    path = folder / name
    if not path.is_file():
        path = Path(name).absolute()
    try:
        below = PurePosixPath(path.resolve().relative_to(folder.resolve()).as_posix())
        prefix = "" if below.parent == PurePosixPath() else f"{below.parent}/"
        found = documents_in(folder, prefix)[below.as_posix()]
    except (ValueError, OSError, KeyError) as error:
        raise ClaimsError(
            "there is no such document",
            found=name,
            expected=f"a path below {folder}",
            remedy="`clinic-qa claims` names the documents.",
        ) from error
    return found, load_one(found, settings, today)


def check_file(settings: Settings, path: Path, today: date) -> tuple[Listed, ...]:
    """What one file anywhere claims, whatever its label says about who reads it.

    Raises ClaimsError for what is no file that is read, and ReadError where it cannot be.
    """
    try:
        found = documents_in(path.absolute().parent, "")[path.name]
    except (OSError, KeyError) as error:
        raise ClaimsError("there is no such file, or not of a kind that is read", path=path) from error
    entry = load_one(found, settings, today)
    rules = load_rules(settings.claims.rules)
    return listed(entry, find_claims(entry.document, rules, title=entry.metadata.title))


def sign(settings: Settings, name: str, digests: Sequence[str], *, by: str, today: date) -> tuple[Listed, ...]:
    """Write into a document's label that `by` answers for these sentences, and return them.

    Each digest is its first eight characters or more. Raises ClaimsError, before anything is written, for a digest that
    names no sentence that waits, and MetadataError for a label or a name that cannot be used.
    """
    found, entry = document_in(settings, name, today)
    if entry.metadata.audience is not Audience.PATIENT:
        raise ClaimsError("the document is not labelled for patients", path=entry.id, remedy="Nothing waits in it.")
    everything = listed(entry, claims_of(entry, load_rules(settings.claims.rules)))
    chosen = tuple(dict.fromkeys(_named(digest, everything, entry.id) for digest in digests))
    for sentence in chosen:
        if sentence.by is not None:
            raise ClaimsError(
                "the sentence is signed off already",
                path=entry.id,
                found=f"{sentence.short}, by {sentence.by.by} on {sentence.by.on}",
            )
    new = [SignOff(each.claims[0].digest, by, today, each.sentence[:_BEGINNING]) for each in chosen]
    write_sidecar(found.path, {"signed_off": [*_present(found, today), *new]})
    return chosen


def unsign(settings: Settings, name: str, digests: Sequence[str], *, today: date) -> tuple[SignOff, ...]:
    """Take sign-offs out of a document's label and return them; patients do not get it with their next question.

    Raises ClaimsError, before anything is written, for a digest that nobody signed.
    """
    found, entry = document_in(settings, name, today)
    present = _present(found, today)
    gone: list[SignOff] = []
    for digest in digests:
        prefix = _prefix(digest, entry.id)
        matching = [sign_off for sign_off in present if sign_off.digest.startswith(prefix)]
        if len({sign_off.digest for sign_off in matching}) != 1:
            raise ClaimsError(
                "the digest names no sign-off, or several",
                path=entry.id,
                found=digest,
                remedy="`clinic-qa claims --all` lists them.",
            )
        gone += matching
    write_sidecar(found.path, {"signed_off": [sign_off for sign_off in present if sign_off not in gone]})
    return tuple(gone)


def _present(found: Found, today: date) -> tuple[SignOff, ...]:
    """The sign-offs of a label as it stands. Raises MetadataError where writing them anew would lose one."""
    label = label_of(found.path, found.labels) or {}
    usable, problems = read_sign_offs(label.get("signed_off"), today)
    if problems:
        raise MetadataError(
            problems[0],
            path=found.labels[0],
            expected=EXPECTED,
            remedy="Mend it, or take it out, and sign again.",
        )
    return usable


def _named(digest: str, everything: Sequence[Listed], document: str) -> Listed:
    prefix = _prefix(digest, document)
    matching = [sentence for sentence in everything if sentence.claims[0].digest.startswith(prefix)]
    if len(matching) != 1:
        raise ClaimsError(
            "the digest names no sentence of the document" if not matching else "the digest names several sentences",
            path=document,
            found=digest,
            remedy="`clinic-qa claims` lists what waits; a sentence that was changed has another digest.",
        )
    return matching[0]


def _prefix(digest: str, document: str) -> str:
    prefix = digest.strip().lower()
    if len(prefix) < SHORTEST_DIGEST:
        raise ClaimsError(
            "the digest is too short", path=document, found=digest, expected=f"at least {SHORTEST_DIGEST} characters"
        )
    return prefix


def waits(sentences: Iterable[Listed]) -> tuple[Listed, ...]:
    """Those that nobody has signed off."""
    return tuple(sentence for sentence in sentences if sentence.by is None)


def list_all(documents: Iterable[CorpusDocument], settings: Settings) -> tuple[Listed, ...]:
    """Every sentence that claims something in documents for patients, by document."""
    rules = load_rules(settings.claims.rules)
    return tuple(sentence for entry in documents for sentence in listed(entry, claims_of(entry, rules)))

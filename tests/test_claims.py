from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from builders import H, L, P, T, document, entry
from conftest import WordEmbedder

from qa.audience import Audience
from qa.build import BuildReport, build
from qa.claim_rules import Rule, load_rules, plain
from qa.claims import claims_of, digest_of, find_claims, signed, waiting_claims
from qa.clock import Clock
from qa.doctor import examine
from qa.embed import Model, ModelFiles
from qa.errors import BuildError, ClaimsError, MetadataError, SettingsError
from qa.index import open_index
from qa.index.generations import read_report
from qa.index.store import PassageStore, write_store
from qa.load import corpus_digest
from qa.metadata import resolve
from qa.models import SignOff, Status
from qa.publish import roll_back
from qa.report import build_summary
from qa.settings import Settings
from qa.sidecars import label, read_sidecar, sidecar_of
from qa.signing import check_file, document_in, listed, sign, unsign

Words = Callable[[Model, ModelFiles], WordEmbedder]
SETS = Path(__file__).with_name("claims")
RULES = load_rules()
TODAY = date(2026, 11, 23)
APPROVAL = "Esketamine nasal spray is FDA-approved for treatment-resistant depression."


def found(sentence: str) -> set[str]:
    """The rules that find something in a paragraph."""
    return {claim.rule for claim in find_claims(document((P, sentence)), RULES)}


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_every_rule_finds_its_examples_and_leaves_the_others(rule: Rule) -> None:
    """What a rule says of itself holds, it brings examples of both, and it gives a reason and a source."""
    assert rule.matches
    assert rule.misses
    assert [sentence for sentence in rule.matches if rule.id not in found(sentence)] == []
    assert [sentence for sentence in rule.misses if rule.id in found(sentence)] == []
    assert rule.reason.endswith(".")
    assert rule.source


@pytest.mark.parametrize("half", ["tuning", "test"])
def test_labelled_sentences_are_told_apart(half: str) -> None:
    """Precision and recall on both halves of the labelled sentences are no worse than the pinned floors.

    The rules were made with the tuning half and without looking at what they miss of the test half.
    """
    data = (SETS / f"{half}.jsonl").read_bytes()
    pinned = json.loads((SETS / "floors.json").read_text(encoding="utf-8"))
    assert hashlib.sha256(data).hexdigest() == pinned["digests"][half]
    rows = [json.loads(line) for line in data.decode().splitlines()]
    hits = [row["kind"] != "none" for row in rows if found(row["sentence"])]
    assert len(rows) > 130
    assert sum(hits) / len(hits) >= pinned["floors"][f"{half}.precision"]
    assert sum(hits) / sum(row["kind"] != "none" for row in rows) >= pinned["floors"][f"{half}.recall"]


def test_headings_lists_and_tables_are_read() -> None:
    """A claim in a heading, a list item, a table row or the title is found, with its place and its own sentence."""
    read = document(
        (H, "A safe, FDA-approved cure"),
        (P, "The room is quiet. Ketamine is not addictive. Bring a blanket."),
        (L, "no side effects"),
        (T, "Result: guaranteed"),
    )
    claims = find_claims(read, RULES, title="Instant relief")
    assert [(claim.sentence, claim.rule) for claim in claims] == [
        ("Instant relief", "instant"),
        ("A safe, FDA-approved cure", "approval"),
        ("A safe, FDA-approved cure", "cure"),
        ("A safe, FDA-approved cure", "safety"),
        ("Ketamine is not addictive.", "addiction"),
        ("no side effects", "safety"),
        ("Result: guaranteed", "guarantee"),
    ]
    assert claims[0].span == (0, 0)
    for claim in claims[1:]:
        assert read.text[slice(*claim.span)] == claim.sentence
        assert claim.digest == digest_of(claim.sentence)


@pytest.mark.parametrize(
    ("question", "answer", "rules"),
    [
        ("Is ketamine safe?", "Yes. We watch you.", {"safety"}),
        ("Is ketamine safe?", "It has risks, like every medicine.", set()),
        ("Is it addictive?", "No.", {"addiction"}),
        ("Is it addictive?", "No medicine is without that risk.", set()),
        ("Is it approved for anxiety?", "No. Its use is off-label.", set()),
        ("Will I get hooked?", "When a doctor watches over it, no.", {"addiction"}),
        ("How does ketamine cure depression?", "It blocks a receptor.", {"cure"}),
        ("Did you know that it works for everyone?", "Call us.", {"guarantee"}),
    ],
)
def test_a_question_claims_what_its_answer_makes_of_it(question: str, answer: str, rules: set[str]) -> None:
    """A heading that asks is a claim only by the answer below it, and what is signed off then is both together."""
    claims = find_claims(document((H, question), (P, answer)), RULES)
    assert {claim.rule for claim in claims if claim.sentence.startswith(question)} == rules


@pytest.mark.parametrize(
    "sentence",
    [
        "Ketamine is F.D.A.-approved.",
        "KETAMINE IS FDA\u2011APPROVED",
        "Ketamine is FDA\u00a0approved.",
        "Ketamine is F\u200bDA approved.",
        "Not only is ketamine FDA-approved, it is cheap.",
        "There is no doubt: ketamine is FDA approved.",
        "It is not expensive, and it is FDA-approved.",
    ],
)
def test_spelling_does_not_hide_a_claim(sentence: str) -> None:
    """Capitals, dots, dashes, invisible characters and the denial of something else change nothing."""
    assert "approval" in found(sentence)


def test_a_denial_reaches_as_far_as_its_clause() -> None:
    """What a clause denies is not claimed, and what the next clause claims is."""
    assert found("Ketamine is not FDA-approved for anxiety.") == set()
    assert found("Ketamine does not cure anxiety but it is completely safe.") == {"safety"}
    assert found("Immediate relief cannot be promised.") == set()


def test_the_digest_is_of_the_words() -> None:
    """White space and how an accent is encoded do not change a digest; a word and a capital do."""
    assert digest_of("It cures  déjà\nvu.") == digest_of("It cures de\u0301ja\u0300 vu.")
    assert len({digest_of(text) for text in ("It cures.", "it cures.", "It cured.", "It cures!")}) == 4


def test_only_documents_for_patients_are_checked() -> None:
    """A draft for patients is checked; a staff document and a withdrawn one are not."""
    assert claims_of(entry("a", APPROVAL), RULES)
    assert claims_of(entry("a", APPROVAL, status=Status.DRAFT), RULES)
    assert claims_of(entry("a", APPROVAL, status=Status.WITHDRAWN), RULES) == ()
    assert claims_of(entry("a", APPROVAL, audience=Audience.STAFF), RULES) == ()


def test_a_changed_sentence_waits_again() -> None:
    """A sign-off covers the sentence that was signed and no other."""
    read = entry("a", APPROVAL)
    by = SignOff(digest_of(APPROVAL), "Dr. Test", TODAY)
    done = replace(read, metadata=replace(read.metadata, signed_off=(by,)))
    assert signed(done.metadata) == {by.digest}
    assert waiting_claims(done, RULES) == ()
    changed = entry("a", APPROVAL.replace("depression", "anxiety"))
    assert waiting_claims(replace(changed, metadata=done.metadata), RULES)


def test_short_digests_are_unique() -> None:
    """Sentences are named by eight characters, or by as many as tell them apart."""
    read = entry("a", document(*((P, f"Ketamine cures pain in {number} people.") for number in range(40))))
    sentences = listed(read, claims_of(read, RULES))
    assert len({sentence.short for sentence in sentences}) == 40
    assert all(len(sentence.short) >= 8 for sentence in sentences)


@pytest.mark.parametrize(
    ("content", "found_"),
    [
        ("[words]\n", "no table"),
        ("[words]\nnope = []\n[[rules]]\n", "nope"),
        ('[[rules]]\nid = "a"\n', "no table"),
        ("this is no toml", "Expected"),
    ],
)
def test_rules_of_no_use_are_refused(tmp_path: Path, content: str, found_: str) -> None:
    """A clinic's own file that cannot be used is an error that says what was found, never no rules."""
    path = tmp_path / "claims.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_rules(path)
    assert found_ in str(caught.value)


@pytest.mark.parametrize("phrase", ["[very]", "cure/", "cure{2}", "*n't", "..."])
def test_a_phrase_of_no_use_is_refused(tmp_path: Path, phrase: str) -> None:
    """A phrase that could match nothing, or everything, is an error that quotes it."""
    path = tmp_path / "claims.toml"
    path.write_text(_packaged().replace('"cure/cures/', f'"{phrase}", "cure/cures/', 1), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_rules(path)
    assert phrase in str(caught.value)


def test_a_clinic_can_add_a_phrase(tmp_path: Path) -> None:
    """A copy of the packaged rules with one more phrase finds it."""
    path = tmp_path / "claims.toml"
    path.write_text(_packaged().replace('"cure/cures/', '"sparkling [new] mind*", "cure/cures/', 1), encoding="utf-8")
    read = document((P, "You leave with sparkling minds."))
    assert [claim.words for claim in find_claims(read, load_rules(path))] == ["sparkling minds"]
    assert find_claims(read, RULES) == ()


def _packaged() -> str:
    return (Path(__file__).parent.parent / "qa" / "data" / "claims.toml").read_text(encoding="utf-8")


def test_plain_text_is_one_form() -> None:
    """What phrases are looked for in has small letters, no accents, straight apostrophes and single spaces."""
    assert plain("The  F.D.A. isn’t\nat 100 % “Déjà–vu”") == "the fda isn't at 100% “deja-vu”"


# --- the gate ---


@pytest.fixture
def corpus(settings: Settings) -> Path:
    """A document with a claim and one without, both approved for patients, and a staff document with a claim."""
    folder = settings.corpus.folder
    (folder / "spray.md").write_text(f"# The spray\n\nIt is blue. {APPROVAL}\n", encoding="utf-8")
    (folder / "home.md").write_text("# Getting home\n\nNo driving until the morning.\n", encoding="utf-8")
    (folder / "staff.md").write_text("# Calls\n\nKetamine cures everything.\n", encoding="utf-8")
    label([folder / "spray.md", folder / "home.md"], {"audience": "patient", "approved_by": "Dr. Test"}, today=TODAY)
    return folder


def for_patients(settings: Settings) -> set[str]:
    """What the live index for patients holds."""
    fingerprint = ModelFiles.find(settings.model.name).fingerprint(settings.model)
    index = open_index(settings.index.folder, Audience.PATIENT, fingerprint)
    try:
        return {each.id for each in index.documents()}
    finally:
        index.close()


def built(settings: Settings, clock: Clock, words: Words) -> BuildReport:
    """A build a minute after the one before it, as generations are named by their time."""
    before = len(list((settings.index.folder / "generations").glob("*")))
    now = clock() + timedelta(minutes=before)
    return build(settings, clock=lambda: now, load_embedder=words, calibrated=False)


def short(settings: Settings) -> str:
    """The short digest of the claim in the spray's leaflet."""
    read = document_in(settings, "spray.md", TODAY)[1]
    (sentence,) = listed(read, claims_of(read, RULES))
    return sentence.short


def test_a_claim_keeps_its_document_from_patients(
    settings: Settings, corpus: Path, clock: Clock, load_words: Words
) -> None:
    """Until each sentence is signed off, patients do not get the document; staff do; the report says which and why."""
    report = built(settings, clock, load_words)
    assert for_patients(settings) == {"home.md"}
    assert report.documents == {"patient": 1, "staff": 3}
    assert report.held_back == ("spray.md",)
    assert set(report.waiting) == {"spray.md"}
    assert "spray.md: 1 sentence (approval): patients do not get this document" in build_summary(report)
    kept = read_report(settings.index.folder)
    assert kept is not None
    assert kept["held_back"] == ["spray.md"]
    sign(settings, "spray.md", [short(settings)], by="Dr. Test", today=TODAY)
    after = built(settings, clock, load_words)
    assert for_patients(settings) == {"home.md", "spray.md"}
    assert (after.waiting, after.held_back) == ({}, ())
    assert corpus.is_dir()


@pytest.mark.usefixtures("corpus")
def test_in_mode_warn_the_document_is_published(settings: Settings, clock: Clock, load_words: Words) -> None:
    """With claims.mode = warn patients get the document, and the summary still names it."""
    warned = settings.model_copy(update={"claims": settings.claims.model_copy(update={"mode": "warn"})})
    report = built(warned, clock, load_words)
    assert for_patients(warned) == {"home.md", "spray.md"}
    assert report.held_back == ()
    assert "spray.md: 1 sentence (approval)" in build_summary(report)
    assert "patients do not get" not in build_summary(report)


def test_a_changed_or_unsigned_sentence_takes_its_document_away(
    settings: Settings, corpus: Path, clock: Clock, load_words: Words
) -> None:
    """One changed word, or a sign-off that is taken back, and the next build leaves the document out again."""
    sign(settings, "spray.md", [short(settings)], by="Dr. Test", today=TODAY)
    built(settings, clock, load_words)
    text = (corpus / "spray.md").read_text(encoding="utf-8")
    (corpus / "spray.md").write_text(text.replace("depression", "anxiety"), encoding="utf-8")
    built(settings, clock, load_words)
    assert for_patients(settings) == {"home.md"}
    (corpus / "spray.md").write_text(text, encoding="utf-8")
    built(settings, clock, load_words)
    assert for_patients(settings) == {"home.md", "spray.md"}
    gone = unsign(settings, "spray.md", [short(settings)], today=TODAY)
    assert [sign_off.by for sign_off in gone] == ["Dr. Test"]
    built(settings, clock, load_words)
    assert for_patients(settings) == {"home.md"}


@pytest.mark.usefixtures("corpus")
def test_no_way_back_to_what_is_not_signed(settings: Settings, clock: Clock, load_words: Words) -> None:
    """Rolling back to a generation with a sentence that nobody answers for any more is refused."""
    sign(settings, "spray.md", [short(settings)], by="Dr. Test", today=TODAY)
    built(settings, clock, load_words)
    unsign(settings, "spray.md", [short(settings)], today=TODAY)
    built(settings, clock, load_words)
    with pytest.raises(BuildError, match=r"spray\.md"):
        roll_back(settings, clock)


@pytest.mark.usefixtures("corpus")
def test_doctor_says_what_waits(settings: Settings, clock: Clock) -> None:
    """Each document with something that waits is a bad finding that names the command."""
    findings = [finding for finding in examine(settings, clock) if finding.subject == "claims"]
    assert [(finding.good, finding.state) for finding in findings] == [
        (False, "spray.md: 1 sentence waits for a sign-off")
    ]
    assert "clinic-qa claims" in findings[0].remedy


# --- signing ---


def test_a_sign_off_is_written_into_the_label(settings: Settings, corpus: Path) -> None:
    """The label says who signed what and when, keeps everything else, and quotes how the sentence begins."""
    before = read_sidecar(sidecar_of(corpus / "spray.md"))
    sign(settings, "spray.md", [short(settings)], by="Dr. Test", today=TODAY)
    after = read_sidecar(sidecar_of(corpus / "spray.md"))
    entry_ = {"sentence": digest_of(APPROVAL), "by": "Dr. Test", "on": "2026-11-23", "text": APPROVAL[:80]}
    assert after == before | {"signed_off": [entry_]}
    metadata = document_in(settings, str(corpus / "spray.md"), TODAY)[1].metadata
    assert metadata.signed_off == (SignOff(digest_of(APPROVAL), "Dr. Test", TODAY, APPROVAL[:80]),)
    assert metadata.status is Status.APPROVED


def test_markdown_without_a_label_gets_one(settings: Settings) -> None:
    """Front matter may approve a document but signs nothing off: the sign-off makes a label that holds only itself."""
    path = settings.corpus.folder / "a.md"
    front = "audience: patient\napproved_by: Dr. Test\nsigned_off:\n- sentence: " + digest_of("It cures pain.")
    path.write_text(f"---\n{front}\n  by: me\n  on: 2026-01-01\n---\nIt cures pain.\n", encoding="utf-8")
    read = document_in(settings, "a.md", TODAY)[1]
    assert read.metadata.signed_off == ()
    (sentence,) = listed(read, claims_of(read, RULES))
    sign(settings, "a.md", [sentence.short], by="Dr. Test", today=TODAY)
    assert set(read_sidecar(sidecar_of(path))) == {"signed_off"}
    assert waiting_claims(document_in(settings, "a.md", TODAY)[1], RULES) == ()
    unsign(settings, "a.md", [sentence.short], today=TODAY)
    again = document_in(settings, "a.md", TODAY)[1]
    assert again.metadata.audience is Audience.PATIENT
    assert waiting_claims(again, RULES)


@pytest.mark.usefixtures("corpus")
def test_what_cannot_be_signed(settings: Settings) -> None:
    """Unknown documents, staff documents, unknown and short digests, and a second signature are refused."""
    digest = short(settings)
    for name, given, problem in [
        ("nothing.md", digest, "no such document"),
        ("../outside.md", digest, "no such document"),
        ("staff.md", digest, "not labelled for patients"),
        ("spray.md", "0" * 64, "no sentence of the document"),
        ("spray.md", digest[:7], "too short"),
    ]:
        with pytest.raises(ClaimsError, match=problem):
            sign(settings, name, [given], by="Dr. Test", today=TODAY)
    with pytest.raises(MetadataError):
        sign(settings, "spray.md", [digest], by="  ", today=TODAY)
    with pytest.raises(ClaimsError, match="no sign-off"):
        unsign(settings, "spray.md", [digest], today=TODAY)
    sign(settings, "spray.md", [digest], by="Dr. Test", today=TODAY)
    with pytest.raises(ClaimsError, match="signed off already"):
        sign(settings, "spray.md", [digest], by="Dr. Else", today=TODAY)


def test_a_broken_sign_off_never_counts(settings: Settings, corpus: Path) -> None:
    """It warns, its sentence waits, the document stays as open as it was, and nothing is written over it."""
    path = sidecar_of(corpus / "spray.md")
    whole = path.read_text(encoding="utf-8")
    for broken in (
        "signed_off: yes",
        f"signed_off:\n- {digest_of(APPROVAL)}",
        f"signed_off:\n- sentence: {digest_of(APPROVAL)}\n  on: 2026-01-01",
        f"signed_off:\n- sentence: {digest_of(APPROVAL)}\n  by: Dr. Test\n  on: someday",
        f"signed_off:\n- sentence: {digest_of(APPROVAL)}\n  by: Dr. Test\n  on: 2026-11-24",
        f"signed_off:\n- sentence: {digest_of(APPROVAL)[:8]}\n  by: Dr. Test\n  on: 2026-01-01",
        f"signed_off:\n- sentence: {digest_of(APPROVAL)}\n  by: Dr. Test\n  on: 2026-01-01\n  audience: staff",
    ):
        path.write_text(f"{whole}{broken}\n", encoding="utf-8")
        read = document_in(settings, "spray.md", TODAY)[1]
        assert (read.metadata.audience, read.metadata.status) == (Audience.PATIENT, Status.APPROVED)
        assert waiting_claims(read, RULES), broken
        with pytest.raises(MetadataError):
            sign(settings, "spray.md", [short(settings)], by="Dr. Test", today=TODAY)
        assert path.read_text(encoding="utf-8") == f"{whole}{broken}\n"


def test_any_file_can_be_checked(settings: Settings, tmp_path: Path) -> None:
    """A file outside the corpus, without a label, is checked as well; what is no file is an error."""
    path = tmp_path / "article.txt"
    path.write_text("Instant relief\n\nIt always works.\n", encoding="utf-8")
    assert [sentence.sentence for sentence in check_file(settings, path, TODAY)] == [
        "Instant relief",
        "It always works.",
    ]
    with pytest.raises(ClaimsError):
        check_file(settings, tmp_path / "nothing.txt", TODAY)


def test_sign_offs_are_kept_in_the_index(tmp_path: Path) -> None:
    """A store gives back the sign-offs that it was given, and reads one that was written before there were any."""
    by = SignOff(digest_of(APPROVAL), "Dr. Test", TODAY, APPROVAL)
    read = entry("a", APPROVAL)
    done = replace(read, metadata=replace(read.metadata, signed_off=(by,)))
    assert corpus_digest((done,)) != corpus_digest((read,))
    write_store(tmp_path / "store", [done], [[]])
    store = PassageStore.open(tmp_path / "store")
    assert store.documents()[0].metadata == done.metadata
    store.close()
    with closing(sqlite3.connect(tmp_path / "store")) as connection:
        connection.execute("update documents set metadata = json_remove(metadata, '$.signed_off')")
        connection.commit()
    store = PassageStore.open(tmp_path / "store")
    assert store.documents()[0].metadata == read.metadata
    store.close()


def test_front_matter_signs_nothing_off() -> None:
    """A file's own sign-off is left out with a warning, and the document is no more closed for it."""
    own = {"audience": "patient", "approved_by": "Dr. Test", "signed_off": [{"sentence": "0" * 64}]}
    metadata, warnings = resolve(own, None, default_title="A", folder_audience=None, require_approval=True, today=TODAY)
    assert (metadata.audience, metadata.status, metadata.signed_off) == (Audience.PATIENT, Status.APPROVED, ())
    assert warnings == ("front matter: signed_off counts in a label only; a file does not sign itself off",)

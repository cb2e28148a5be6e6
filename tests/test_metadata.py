"""Front matter, labels and who may read what."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.audience import Audience
from qa.errors import MetadataError
from qa.metadata import KEYS, checked, due, patient_may_read, readable_name, resolve
from qa.models import Metadata, Status
from qa.sidecars import label, label_of, read_sidecar, sidecar_of, write_sidecar

TODAY = date(2026, 11, 23)


def say(
    front_matter: Mapping[object, object] | None = None,
    sidecar: Mapping[object, object] | None = None,
    *,
    folder: Audience | None = None,
    require_approval: bool = False,
) -> tuple[Metadata, tuple[str, ...]]:
    """`resolve` with the day and the title filled in."""
    return resolve(
        front_matter or {},
        sidecar,
        default_title="Default",
        folder_audience=folder,
        require_approval=require_approval,
        today=TODAY,
    )


def sidecar(folder: Path, text: str | bytes) -> Path:
    """The label of `leaflet.pdf`."""
    path = folder / "leaflet.pdf.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


APPROVED = {"audience": "patient", "approved_by": "Dr Vale", "approved_on": "2026-06-01"}


def test_unlabelled_is_for_staff() -> None:
    """A document that says nothing is for staff only, and that is no cause for a warning."""
    metadata, warnings = say()
    assert metadata == Metadata("Default", Audience.STAFF, Status.APPROVED)
    assert warnings == ()


def test_every_key_is_used() -> None:
    """A full label is taken over key by key."""
    given_ = APPROVED | {
        "title": "After your visit",
        "review_by": "2027-05-31",
        "version": "1.10",
        "language": "es-MX",
        "source": "https://example.org/leaflet",
        "status": "approved",
    }
    metadata, warnings = say(None, given_)
    assert metadata == Metadata(
        title="After your visit",
        audience=Audience.PATIENT,
        status=Status.APPROVED,
        approved_by="Dr Vale",
        approved_on=date(2026, 6, 1),
        review_by=date(2027, 5, 31),
        version="1.10",
        language="es",
        source="https://example.org/leaflet",
    )
    assert warnings == ()


def test_folder_audience_is_only_a_default() -> None:
    """The folder's audience counts for documents that name none, and either audience of their own wins over it."""
    assert say(folder=Audience.PATIENT)[0].audience is Audience.PATIENT
    assert say({"audience": "staff"}, folder=Audience.PATIENT)[0].audience is Audience.STAFF
    assert say(None, {"audience": "patient"}, folder=Audience.STAFF)[0].audience is Audience.PATIENT


@pytest.mark.parametrize(("front", "beside"), [("patient", "staff"), ("staff", "patient")])
def test_stricter_audience_wins(front: str, beside: str) -> None:
    """Where the two disagree on the audience it is staff, whichever of them says so, and the report says it."""
    metadata, warnings = say({"audience": front}, {"audience": beside, "approved_by": "Dr Vale"})
    assert metadata.audience is Audience.STAFF
    assert warnings == (
        f"front matter and label disagree on audience ({front} and {beside}); the stricter, staff, counts",
    )


@pytest.mark.parametrize(
    ("front", "beside", "expected"),
    [
        ("draft", "approved", Status.DRAFT),
        ("approved", "draft", Status.DRAFT),
        ("withdrawn", "approved", Status.WITHDRAWN),
        ("draft", "withdrawn", Status.WITHDRAWN),
    ],
)
def test_stricter_status_wins(front: str, beside: str, expected: Status) -> None:
    """Withdrawn is stricter than draft, and draft than approved."""
    assert say(APPROVED | {"status": front}, {"status": beside})[0].status is expected


def test_earlier_review_wins() -> None:
    """The earlier of two review dates counts."""
    metadata, _ = say({"review_by": date(2027, 1, 1)}, {"review_by": "2027-06-01"})
    assert metadata.review_by == date(2027, 1, 1)


def test_label_wins_elsewhere() -> None:
    """Of titles and approvers that differ the label's counts, with a warning."""
    metadata, warnings = say({"title": "Old", "approved_by": "A"}, {"title": "New", "approved_by": "B"})
    assert (metadata.title, metadata.approved_by) == ("New", "B")
    assert warnings == (
        "front matter and label disagree on title ('Old' and 'New'); the label, 'New', counts",
        "front matter and label disagree on approved_by ('A' and 'B'); the label, 'B', counts",
    )


def test_an_approver_approves() -> None:
    """A name in approved_by is an approval, unless the status says otherwise."""
    assert say(None, APPROVED)[0].status is Status.APPROVED
    assert say(None, APPROVED | {"status": "draft"})[0].status is Status.DRAFT


@pytest.mark.parametrize("status", [{}, {"status": "approved"}])
def test_nobody_named(status: dict[str, str]) -> None:
    """A patient document without an approver gets a warning, and is a draft where the clinic asks for approval."""
    metadata, warnings = say(None, {"audience": "patient"} | status)
    assert metadata.status is Status.APPROVED
    assert warnings == ("labelled for patients, but nobody is named in approved_by",)
    metadata, warnings = say(None, {"audience": "patient"} | status, require_approval=True)
    assert metadata.status is Status.DRAFT
    assert "which clinic.toml asks for" in warnings[0]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("audience", "everyone", "audience cannot be used (found 'everyone', expected patient or staff)"),
        ("audience", ["patient", "staff"], "audience cannot be used (found a list, expected patient or staff)"),
        ("audience", None, "audience is empty"),
        ("status", "published", "expected draft, approved or withdrawn"),
        ("status", " ", "status is empty"),
        ("review_by", "soon", "review_by cannot be used (found 'soon', expected a date such as 2026-03-31)"),
        ("review_by", "31/12/2026", "found '31/12/2026'"),
        ("review_by", "2026-02-31", "found '2026-02-31'"),
        ("approved_on", 20260101, "found 20260101"),
        ("approved_by", {"name": "Dr Vale"}, "found a mapping"),
    ],
)
@pytest.mark.parametrize("where", ["front matter", "label"])
def test_unusable_values_close(where: str, key: str, value: object, expected: str) -> None:
    """A value that decides who may read and cannot be used makes a draft for staff, and the warning says why."""
    mapping = {"audience": "patient", key: value}
    metadata, warnings = say(mapping, APPROVED) if where == "front matter" else say(APPROVED, mapping)
    assert (metadata.audience, metadata.status) == (Audience.STAFF, Status.DRAFT)
    assert any(warning.startswith(f"{where}: ") and expected in warning for warning in warnings)
    assert "for staff only, and a draft, until that is mended" in warnings


def test_closing_keeps_withdrawn() -> None:
    """A withdrawn document with an unusable value stays withdrawn."""
    assert say(None, {"status": "withdrawn", "audience": "everyone"})[0].status is Status.WITHDRAWN


def test_misspelt_audience_closes() -> None:
    """A misspelt 'audience' is named with the right spelling, and the folder's default does not step in for it."""
    metadata, warnings = say(None, {"audiance": "staff"}, folder=Audience.PATIENT)
    assert metadata.audience is Audience.STAFF
    assert "label: unknown key 'audiance'; did you mean 'audience'?" in warnings


def test_strangers_warn_once() -> None:
    """Keys that other programs use in front matter cost one sentence and nothing else."""
    metadata, warnings = say({"tags": ["a"], "layout": "post", "date": date(2020, 1, 1)} | APPROVED)
    assert patient_may_read(metadata, TODAY)
    assert warnings == ("front matter: unknown keys 'tags', 'layout', 'date', not used",)


@pytest.mark.parametrize(
    ("unknown", "found"),
    [
        ({"state": "draft"}, "'state'"),
        ({"publication_status": "withdrawn"}, "'publication_status'"),
        ({"expires": "2020-01-01"}, "'expires'"),
        ({"expiryDate": "2020-01-01"}, "'expiryDate'"),
        ({"reveiw_by": "2020-01-01"}, "did you mean 'review_by'?"),
        ({"aproved_on": "2020-01-01"}, "did you mean 'approved_on'?"),
        ({"visibility": "Staff"}, "'visibility'"),
        ({"Zielgruppe": "staff"}, "'Zielgruppe'"),
        ({"\uff41\uff55\uff44\uff49\uff45\uff4e\uff43\uff45": "staff"}, "did you mean 'audience'?"),
        ({"<<": {"audience": "staff"}}, "'<<'"),
        ({"meta": {"audience": "staff"}}, "'meta'"),
        ({"for": ["x", {"who": "staff only"}]}, "'for'"),
        ({"draft": "true"}, "'draft'"),
        ({"published": "false"}, "'published'"),
    ],
)
@pytest.mark.parametrize("where", ["front matter", "label"])
def test_keys_that_may_close_do(where: str, unknown: dict[object, object], found: str) -> None:
    """An unknown key that may have been meant to hold a document back does so, and the warning names it."""
    metadata, warnings = say(unknown, APPROVED) if where == "front matter" else say(APPROVED, unknown)
    assert (metadata.audience, metadata.status) == (Audience.STAFF, Status.DRAFT)
    assert warnings[0].startswith(f"{where}: unknown key ")
    assert found in warnings[0]
    assert "did you mean" in warnings[0] or "say it with audience, status or review_by" in warnings[0]


@pytest.mark.parametrize(
    "unknown",
    [
        {"state": "final"},
        {"review_date": "2020-01-01"},
        {"remark": "Confidential, for our STAFF"},
        {"who may read": "the team"},
        {"meta": {"review_by": "2020-01-01"}},
        {"valid until": "2020-01-01"},
    ],
)
def test_labels_are_judged_by_more(unknown: dict[object, object]) -> None:
    """In a label, which is written for us, a telling word closes; in front matter it need not."""
    assert say(APPROVED, unknown)[0].audience is Audience.STAFF


@pytest.mark.parametrize(
    "unknown",
    [
        {"author": "The staff of our clinic", "categories": ["news"], "date": "2020-01-01", "slug": "visit"},
        {"draft": "false", "published": "true", "toc": True, "weight": 3},
        {"cover": {"image": "staff.png", "alt": "Our team"}, "description": "Private rooms, internal pharmacy"},
        {"published": "2020-01-01", "lastmod": "2021-02-03", "permalink": "/visit", "aliases": []},
    ],
)
def test_front_matter_of_others_is_harmless(unknown: dict[object, object]) -> None:
    """What other programs write into front matter leaves a document open."""
    assert patient_may_read(say(unknown, APPROVED)[0], TODAY)


@pytest.mark.parametrize("unknown", [{"shelf": ["a", "b"]}, {"department": "Internal Medicine"}, {"draft": "no"}])
def test_harmless_keys_of_labels(unknown: dict[object, object]) -> None:
    """A label may hold keys of others that say nothing about who reads."""
    assert patient_may_read(say(None, APPROVED | unknown)[0], TODAY)


def test_warnings_about_keys_are_safe_and_few() -> None:
    """However many and odd the unknown keys are, the warnings stay short and can be printed."""
    _, warnings = say(None, {f"\x1b[2J\u202estatus{number}\n" + "x" * 500: "staff" for number in range(50)})
    assert len(warnings) <= 8
    assert all(warning.isprintable() and len(warning) < 300 for warning in warnings)


@pytest.mark.parametrize("where", ["front matter", "label"])
def test_approval_far_ahead_closes(where: str) -> None:
    """An approval more than 366 days ahead is unusable, for it would put off the review without end."""
    for day, audience in (
        ("2027-11-24", Audience.PATIENT),
        ("2027-11-25", Audience.STAFF),
        ("2062-03-01", Audience.STAFF),
    ):
        mapping = APPROVED | {"approved_on": day}
        metadata, warnings = say(mapping, None) if where == "front matter" else say(None, mapping)
        assert metadata.audience is audience
        assert ("expected a day no later than 2027-11-24" in " ".join(warnings)) is (audience is Audience.STAFF)


def test_spelling_of_keys() -> None:
    """Capitals, hyphens and spaces in keys do not matter; the same key twice closes."""
    assert say(None, {"Review-By": "2027-01-01"})[0].review_by == date(2027, 1, 1)
    metadata, warnings = say(None, {"audience": "patient", "Audience": "patient"})
    assert metadata.audience is Audience.STAFF
    assert "label: audience is given twice" in warnings


@pytest.mark.parametrize(
    "value",
    ["2026-03-31", "2026-3-31", date(2026, 3, 31), datetime(2026, 3, 31, 23, 59), "2026-03-31 10:00:00"],  # noqa: DTZ001 - as YAML gives it
)
def test_dates(value: object) -> None:
    """Dates come as YAML dates or as text, and times are cut off."""
    assert say(None, {"review_by": value})[0].review_by == date(2026, 3, 31)


def test_future_approval_warns() -> None:
    """An approval in the future is remarked upon."""
    assert "approved_on lies in the future (2026-12-01)" in say(None, APPROVED | {"approved_on": "2026-12-01"})[1]


def test_past_review_warns() -> None:
    """A patient document whose review is past says so in the report."""
    _, warnings = say(None, APPROVED | {"review_by": "2026-11-22"})
    assert warnings == ("its review was due on 2026-11-22; patients do not see it until it is approved again",)


def test_odd_language_and_title_do_not_close() -> None:
    """A language or a title that cannot be used is not used, and that is all."""
    metadata, warnings = say(None, APPROVED | {"language": "klingon!", "title": ["a"]})
    assert (metadata.language, metadata.title, metadata.audience) == ("en", "Default", Audience.PATIENT)
    assert len(warnings) == 2


def test_titles_are_one_clean_line() -> None:
    """Line breaks and characters that turn the text around do not get into a title."""
    assert say(None, {"title": "After\nyour \u202evisit\x07"})[0].title == "After your visit"


@pytest.mark.parametrize(
    ("approved_on", "review_by", "expected"),
    [
        (None, None, None),
        (date(2026, 6, 1), None, date(2027, 6, 1)),
        (date(2024, 2, 29), None, date(2025, 2, 28)),
        (date(9999, 12, 31), None, date(9999, 12, 31)),
        (date(2026, 6, 1), date(2026, 7, 1), date(2026, 7, 1)),
        (date(2026, 6, 1), date(2030, 7, 1), date(2030, 7, 1)),
    ],
)
def test_due(approved_on: date | None, review_by: date | None, expected: date | None) -> None:
    """A document is due on review_by, else a year after its approval, else never."""
    metadata = Metadata("T", Audience.PATIENT, Status.APPROVED, approved_on=approved_on, review_by=review_by)
    assert due(metadata) == expected


def test_patient_may_read() -> None:
    """Patients read what is theirs, approved and not past its review; the day of the review still counts."""
    open_ = Metadata("T", Audience.PATIENT, Status.APPROVED, review_by=TODAY)
    assert patient_may_read(open_, TODAY)
    assert not patient_may_read(open_, date(2026, 11, 24))
    assert not patient_may_read(Metadata("T", Audience.STAFF, Status.APPROVED), TODAY)
    assert not patient_may_read(Metadata("T", Audience.PATIENT, Status.DRAFT), TODAY)
    assert not patient_may_read(Metadata("T", Audience.PATIENT, Status.WITHDRAWN), TODAY)


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=12), st.dates(), st.lists(st.text(), max_size=2),
    st.sampled_from(["patient", "staff", "draft", "approved", "withdrawn", "2026-01-01", "2030-01-01"]),
)  # fmt: skip
_MAPPINGS = st.dictionaries(st.sampled_from([*KEYS, "tags", "audiance"]), _VALUES, max_size=6)


@given(_MAPPINGS, _MAPPINGS)
def test_no_second_voice_opens(one: dict[object, object], other: dict[object, object]) -> None:
    """What closes a document in the label or in front matter closes it whatever the other one says."""
    together = say(one, other, folder=Audience.PATIENT)[0]
    for alone in (say(one, None, folder=Audience.PATIENT)[0], say(None, other, folder=Audience.PATIENT)[0]):
        if alone.audience is Audience.STAFF:
            assert together.audience is Audience.STAFF
        if alone.status is not Status.APPROVED:
            assert together.status is not Status.APPROVED
        if alone.review_by is not None:
            assert together.review_by is not None
            assert together.review_by <= alone.review_by


@pytest.mark.parametrize(
    ("name", "title"),
    [("after_your-visit.pdf", "After your visit"), ("FAQ.md", "FAQ"), ("a.b.txt", "A.b"), ("__.md", "__.md")],
)
def test_readable_name(name: str, title: str) -> None:
    """A file's name becomes words with a capital first."""
    assert readable_name(name) == title


def test_sidecar_values_are_text(tmp_path: Path) -> None:
    """Versions, dates and 'no' are text as they stand in the file."""
    path = sidecar(tmp_path, "\ufeffversion: 1.10\nlanguage: no\napproved_on: 2026-01-02\nsource:\n")
    assert read_sidecar(path) == {"version": "1.10", "language": "no", "approved_on": "2026-01-02", "source": None}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("audience: patient\n  title: [", "line 2"),
        ("a: 1\nb: : c\n", "line 2"),
        ("- audience\n", "found a list"),
        ("patient", "found text"),
        ("", "found nothing"),
        ("# only a remark\n", "found nothing"),
        ("audience: patient\naudience: staff\n", "line 2 (found the key 'audience' twice)"),
        ("a: &a [x]\nb: *a\n", "line 1 (found an anchor"),
        ("a: b\n---\nc: d\n", "more than one YAML document"),
        ("a: " + "[" * 2000, "cannot be used"),
        ("? [a]\n: b\n", "a key that is no text"),
        (b"\xff\xfea\x00", "not UTF-8"),
        ("title: " + "x" * 64_000, "at most 64,000 bytes"),
        ("title: \x00", "cannot be used"),
    ],
)
def test_broken_sidecars(tmp_path: Path, text: str | bytes, problem: str) -> None:
    """A label that is not one flat, plain mapping is an error that says where and why."""
    with pytest.raises(MetadataError) as caught:
        read_sidecar(sidecar(tmp_path, text))
    assert problem in str(caught.value)


def test_linked_sidecar_is_refused(tmp_path: Path) -> None:
    """A label that is a link is not followed."""
    (tmp_path / "elsewhere.txt").write_text("audience: patient")
    link = tmp_path / "leaflet.pdf.yaml"
    link.symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(MetadataError, match="not a plain file"):
        read_sidecar(link)


def test_label_of_wants_one_right_name(tmp_path: Path) -> None:
    """Two labels, or one named after half the file's name, are errors and not a choice."""
    document = tmp_path / "leaflet.pdf"
    right, short = sidecar(tmp_path, "audience: patient"), tmp_path / "leaflet.yaml"
    assert label_of(document, []) is None
    assert label_of(document, [right]) == {"audience": "patient"}
    with pytest.raises(MetadataError, match="more than one label"):
        label_of(document, [right, short])
    with pytest.raises(MetadataError, match=r"expected leaflet\.pdf\.yaml"):
        label_of(document, [short])


def test_label_of_wants_the_same_accents(tmp_path: Path) -> None:
    """A label whose accents are encoded in another way is an error that says so."""
    document, other = tmp_path / "cafe\u0301.md", tmp_path / "caf\u00e9.md.yaml"
    with pytest.raises(MetadataError, match="accents encoded in another way"):
        label_of(document, [other])


def test_write_follows_no_link(tmp_path: Path) -> None:
    """A link planted where a label is made ready does not lead to another file, which keeps its content."""
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    (tmp_path / f".leaflet.pdf.yaml.{os.getpid()}.tmp").symlink_to(precious)
    path = write_sidecar(tmp_path / "leaflet.pdf", {"audience": "staff"})
    assert precious.read_text() == "precious"
    assert not path.is_symlink()
    assert read_sidecar(path) == {"audience": "staff"}


def test_write_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the name was foreseen the planted link is refused, and left where it is."""
    monkeypatch.setattr("secrets.token_hex", lambda _: "foreseen")
    precious, planted = tmp_path / "precious.txt", tmp_path / ".leaflet.pdf.yaml.foreseen.tmp"
    precious.write_text("precious")
    planted.symlink_to(precious)
    with pytest.raises(MetadataError, match="cannot be written"):
        write_sidecar(tmp_path / "leaflet.pdf", {"audience": "staff"})
    assert precious.read_text() == "precious"
    assert planted.is_symlink()


@pytest.mark.parametrize("before", ["audience: patient\n", None])
def test_write_undoes_nobodys_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None) -> None:
    """A label that somebody closes while another change to it is under way stays closed, and the error says so."""
    path = tmp_path / "leaflet.pdf.yaml"
    if before is not None:
        path.write_text(before)
    sync = os.fsync

    def close_meanwhile(descriptor: int) -> None:
        sync(descriptor)
        path.write_text("audience: staff\n")

    monkeypatch.setattr("qa.sidecars.os.fsync", close_meanwhile)
    with pytest.raises(MetadataError, match="changed meanwhile"):
        write_sidecar(tmp_path / "leaflet.pdf", {"version": "2"})
    assert read_sidecar(path) == {"audience": "staff"}
    assert [file.name for file in tmp_path.iterdir()] == ["leaflet.pdf.yaml"]


def test_write_merges(tmp_path: Path) -> None:
    """Writing keeps what the label said, keys of others included, in one fixed order, as plain YAML."""
    document = tmp_path / "leaflet.pdf"
    sidecar(tmp_path, "shelf: [a, 1.10]\nversion: 1.10\nold: null\ntitle: 'Visits: before'\nsource: x\n")
    path = write_sidecar(document, {"audience": "patient", "approved_on": TODAY, "source": None, "approved_by": "null"})
    assert path == sidecar_of(document)
    assert path.read_text() == (
        "title: 'Visits: before'\naudience: patient\napproved_by: 'null'\napproved_on: 2026-11-23\nversion: 1.10\n"
        "shelf:\n- a\n- 1.10\nold: null\n"
    )
    assert read_sidecar(path)["approved_by"] == "null"
    assert [file.name for file in tmp_path.iterdir()] == ["leaflet.pdf.yaml"]


_PLAIN_TEXT = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=30)


@given(_PLAIN_TEXT.filter(lambda text: text.strip()))
def test_write_and_read_again(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever text is written into a label comes back as it was."""
    document = tmp_path_factory.mktemp("labels") / "a.pdf"
    expected = checked({"title": text})["title"]
    assert read_sidecar(write_sidecar(document, {"title": text})) == {"title": expected}


def test_write_leaves_broken_labels_alone(tmp_path: Path) -> None:
    """A label that cannot be read is not written over."""
    path = sidecar(tmp_path, "audience: [")
    with pytest.raises(MetadataError, match="line 1"):
        write_sidecar(tmp_path / "leaflet.pdf", {"audience": "patient"})
    assert path.read_text() == "audience: ["


@pytest.mark.parametrize("changes", [{"audience": "everyone"}, {"review_by": "soon"}, {"shelf": "a"}])
def test_checked_refuses(changes: dict[str, object]) -> None:
    """A change that no label can hold is an error."""
    with pytest.raises(MetadataError):
        checked(changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three documents, one of them labelled, and two files that are none."""
    for name in ("a.pdf", "b.md", "sub/c.txt", "picture.png", "a.pdf.yaml", ".hidden.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("title: A\n" if name.endswith(".yaml") else "text")
    return tmp_path


def test_label_a_folder(folder: Path) -> None:
    """Every file that is read gets a label with the day's date; what is no document is named with the reason."""
    report = label([folder], {"audience": "patient", "approved_by": "Dr Vale"}, today=TODAY)
    assert {path.relative_to(folder).as_posix() for path in report.written} == {
        "a.pdf.yaml",
        "b.md.yaml",
        "sub/c.txt.yaml",
    }
    assert read_sidecar(folder / "a.pdf.yaml") == {
        "title": "A",
        "audience": "patient",
        "status": "approved",
        "approved_by": "Dr Vale",
        "approved_on": "2026-11-23",
    }
    assert {path.name: reason.split(";")[0] for path, reason in report.skipped} == {
        ".hidden.txt": "hidden",
        "picture.png": "not a kind of file that is read",
    }
    assert report.notes == ()


def test_label_one_file(folder: Path) -> None:
    """A single file is labelled; missing files, links and labels themselves are named with the reason."""
    (folder / "link.txt").symlink_to(folder / "sub/c.txt")
    paths = [folder / name for name in ("b.md", "missing.md", "link.txt", "a.pdf.yaml")]
    report = label(paths, {"audience": "patient"}, today=TODAY)
    assert report.written == (folder / "b.md.yaml",)
    assert [reason.split(";")[0] for _, reason in report.skipped] == [
        "there is no such file",
        "a link",
        "not a kind of file that is read",
    ]
    assert report.notes == ((folder / "b.md", "labelled for patients, but nobody is named in approved_by"),)


def test_label_mentions_front_matter(folder: Path) -> None:
    """A Markdown file with front matter is labelled, with a note that the stricter counts."""
    (folder / "b.md").write_text("---\naudience: staff\n---\ntext")
    report = label([folder / "b.md"], APPROVED, today=TODAY)
    assert report.notes == (
        (folder / "b.md", "the file has front matter of its own; where that is stricter than the label, it counts"),
    )


def test_label_does_not_bring_back(folder: Path) -> None:
    """Approving a whole folder approves drafts, leaves out what was withdrawn, and says so."""
    write_sidecar(folder / "a.pdf", {"status": "withdrawn"})
    write_sidecar(folder / "b.md", {"status": "draft"})
    report = label([folder], {"audience": "patient", "approved_by": "Dr Vale"}, today=TODAY)
    assert (folder / "a.pdf", "withdrawn; name the status as well to bring it back") in report.skipped
    assert read_sidecar(folder / "a.pdf.yaml")["status"] == "withdrawn"
    assert read_sidecar(folder / "b.md.yaml")["status"] == "approved"


def test_label_goes_on_after_a_broken_one(folder: Path) -> None:
    """A label that cannot be read is reported, and the other files are labelled."""
    (folder / "a.pdf.yaml").write_text("title: [")
    report = label([folder], {"audience": "staff"}, today=TODAY)
    assert len(report.written) == 2
    assert any(path.name == "a.pdf" and "line 1" in reason for path, reason in report.skipped)


def test_label_refuses_before_it_writes(folder: Path) -> None:
    """Unusable changes, or one title for several files, write nothing."""
    for changes in ({"audience": "everyone"}, {"title": "One for all"}):
        with pytest.raises(MetadataError):
            label([folder], changes, today=TODAY)
    assert not (folder / "b.md.yaml").exists()

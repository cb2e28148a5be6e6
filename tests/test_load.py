"""Loading a folder: every file has a line, and one bad file never stops the others."""

from __future__ import annotations

import io
import os
import socket
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from docx import Document as WordDocument
from openpyxl import Workbook
from pptx import Presentation
from pypdf import PdfWriter
from reportlab.pdfgen.canvas import Canvas

import qa.load
import qa.reading
import qa.walk
from qa.audience import Audience
from qa.cache import ParseCache
from qa.errors import ReadError, SettingsError
from qa.load import LoadReport, Outcome, ReportLine, load_corpus
from qa.metadata import patient_may_read
from qa.models import CorpusDocument, Status
from qa.settings import Corpus
from qa.walk import walk

TODAY = date(2026, 11, 23)
ADVICE = "Drink a glass of water before your visit, and bring a list of your medicines."


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with one good document, `good.txt`."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "good.txt").write_text(ADVICE)
    return folder


def load(folder: Path, settings: Corpus | None = None, **more: Any) -> LoadReport:
    """`load_corpus` with the day filled in, and without a cache unless named."""
    return load_corpus(folder, settings or Corpus(), **{"cache": None, "today": TODAY} | more)


def line(report: LoadReport, path: str) -> ReportLine:
    """The one line of the report for `path`."""
    (found,) = (line for line in report.lines if line.path == path)
    return found


def document(report: LoadReport, document_id: str) -> CorpusDocument:
    """The document with this id."""
    (found,) = (document for document in report.documents if document.id == document_id)
    return found


def pdf(text: str = ADVICE) -> bytes:
    """A PDF of one page."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 720, text)
    canvas.save()
    return buffer.getvalue()


def encrypted_pdf() -> bytes:
    """A PDF that opens with a password only."""
    writer = PdfWriter(clone_from=io.BytesIO(pdf()))
    writer.encrypt("secret", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_empty_corpus(tmp_path: Path) -> None:
    """An empty folder is an empty report."""
    report = load(tmp_path)
    assert (report.documents, report.lines, report.warnings) == ((), (), ())


@pytest.mark.parametrize("name", ["missing", "file"])
def test_no_folder(tmp_path: Path, name: str) -> None:
    """A folder that is missing, or is a file, is an error with a remedy."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / name)
    assert caught.value.remedy is not None


def test_reads_and_counts(corpus: Path) -> None:
    """A document that was read has its id, its digest and its counts, and is for staff while nothing says more."""
    report = load(corpus)
    (only,) = report.documents
    assert (only.id, only.document.text, only.metadata.audience) == ("good.txt", ADVICE, Audience.STAFF)
    assert len(only.digest) == 64
    assert report.lines == (ReportLine("good.txt", Outcome.READ, "", len(ADVICE), 1, 0, ()),)
    assert (report.read_count, report.failed, report.skipped, report.warned) == (1, (), (), ())


def test_every_format(corpus: Path) -> None:
    """All eight formats are read, in capitals too, sorted by id."""
    (corpus / "a.md").write_text(f"# Visits\n\n{ADVICE}\n")
    (corpus / "sub").mkdir()
    (corpus / "sub/b.HTML").write_text(f"<html lang=en-US><title>Visits</title><p>{ADVICE}</p>")
    (corpus / "c.pdf").write_bytes(pdf())
    word = WordDocument()
    word.add_paragraph(ADVICE)
    word.save(str(corpus / "d.docx"))
    (corpus / "e.csv").write_text(f'Advice,Price\n"{ADVICE}",5\n')
    slides = Presentation()
    slides.slides.add_slide(slides.slide_layouts[0]).shapes.title.text = ADVICE
    slides.save(str(corpus / "f.pptx"))
    book = Workbook()
    book.worksheets[0]["A1"] = ADVICE
    book.save(corpus / "g.xlsx")
    report = load(corpus)
    assert [line.reason for line in report.failed] == []
    names = ["a.md", "c.pdf", "d.docx", "e.csv", "f.pptx", "g.xlsx", "good.txt", "sub/b.HTML"]
    assert [document.id for document in report.documents] == names
    assert all(ADVICE in document.document.text for document in report.documents)
    assert document(report, "sub/b.HTML").metadata.title == "Visits"
    assert [line(report, name).pages for name in ("c.pdf", "e.csv", "f.pptx", "g.xlsx")] == [1, 0, 1, 1]


BAD_FILES = {
    "zero.pdf": b"",
    "truncated.pdf": pdf()[:400],
    "encrypted.pdf": encrypted_pdf(),
    "not-a-pdf.pdf": b"hello",
    "a-pdf.txt": pdf(),
    "high.txt": b"\xff" * 5_000,
    "zero.txt": b"",
    "blank.md": b" \n\n ",
    "broken.docx": b"PK\x03\x04 and then nothing",
    "broken.pptx": b"PK\x03\x04 and then nothing",
    "broken.xlsx": b"PK\x03\x04 and then nothing",
    "a-workbook.csv": b"PK\x03\x04 and then nothing",
    "zeros.html": b"\x00" * 1_000,
}


def test_bad_files_stop_nothing(corpus: Path) -> None:
    """Each of many bad files is a line with a reason, and the good one among them is read."""
    for name, content in BAD_FILES.items():
        (corpus / name).write_bytes(content)
    report = load(corpus)
    assert {line.path for line in report.failed} == set(BAD_FILES)
    assert all(line.reason.endswith(".") and str(corpus) not in line.reason for line in report.failed)
    assert [document.id for document in report.documents] == ["good.txt"]
    assert "empty" in line(report, "zero.pdf").reason
    assert "password" in line(report, "encrypted.pdf").reason


def test_huge_text(corpus: Path) -> None:
    """A text of 50 MB is not read, and the line gives its size and the limit."""
    with (corpus / "huge.txt").open("wb") as file:
        file.truncate(50_000_000)
    report = load(corpus)
    assert "found 50.0 MB, expected at most 25 MB" in line(report, "huge.txt").reason
    assert report.read_count == 1


def test_long_texts_are_read_apart(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text file goes through the limited process, and comes back as the same document."""
    (corpus / "long.txt").write_text(f"{ADVICE}\n\n" * 10)
    here = document(load(corpus), "long.txt")
    monkeypatch.setattr(qa.reading, "_IN_PROCESS_BYTES", 100)
    monkeypatch.setattr(qa.reading, "read", None)
    (corpus / "good.txt").unlink()
    assert document(load(corpus), "long.txt") == here


def test_deep_headings(corpus: Path) -> None:
    """Nesting beyond all reason costs at most that one file."""
    (corpus / "deep.md").write_text("> " * 5_000 + "# far down\n\n" + "#" * 500 + " too many\n")
    (corpus / "lists.md").write_text("".join("  " * depth + "- item\n" for depth in range(500)))
    (corpus / "deep.html").write_text("<div>" * 20_000 + "<h6>far down</h6>" + ADVICE)
    report = load(corpus)
    assert document(report, "good.txt").document.text == ADVICE
    assert len(report.lines) == 4


@pytest.mark.parametrize("fault", [RecursionError, ValueError, KeyError, UnicodeError, PermissionError])
def test_a_reader_that_breaks(corpus: Path, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]) -> None:
    """What a reader raises by mistake is that file's failure."""
    read = qa.reading.read

    def broken(reader: str, path: Path) -> object:
        if path.name == "bad.txt":
            raise fault("secret text")
        return read(reader, path)

    monkeypatch.setattr(qa.reading, "read", broken)
    (corpus / "bad.txt").write_text(ADVICE)
    report = load(corpus)
    assert line(report, "bad.txt").outcome is Outcome.FAILED
    assert "secret" not in line(report, "bad.txt").reason
    assert report.read_count == 1


def test_time_limit(corpus: Path) -> None:
    """A file that takes longer than the limit is a line, and the others are read."""
    (corpus / "slow.html").write_text("<p>text")
    report = load(corpus, Corpus(read_seconds=0.001))
    assert "too long" in line(report, "slow.html").reason
    assert report.read_count == 1


def test_skipped_on_purpose(corpus: Path) -> None:
    """Hidden, temporary and unknown files are skipped with the reason, and are no failure."""
    for name in (".DS_Store", "~$letter.docx", "photo.png", "no-suffix", ".git/config"):
        (corpus / name).parent.mkdir(exist_ok=True)
        (corpus / name).write_bytes(b"x")
    report = load(corpus)
    assert {line.path: line.reason.split(";")[0] for line in report.skipped} == {
        ".DS_Store": "hidden",
        ".git": "hidden",
        "~$letter.docx": "a temporary file of an office program",
        "photo.png": "not a kind of file that is read",
        "no-suffix": "not a kind of file that is read",
    }
    assert report.failed == ()
    assert ".csv, .docx, .htm, .html, .markdown, .md, .pdf, .pptm, .pptx, " in line(report, "photo.png").reason


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("fees.xls", ".xlsx"),
        ("fees.ODS", ".xlsx"),
        ("talk.ppt", ".pptx"),
        ("talk.ppsx", ".pptx"),
        ("letter.doc", ".docx"),
    ],
)
def test_formats_that_can_be_saved_as_another(corpus: Path, name: str, better: str) -> None:
    """Formats of old programs, and of other ones, are skipped with the format to save them in."""
    (corpus / name).write_bytes(b"x")
    assert line(load(corpus), name).reason == f"not a kind of file that is read; save it as {better}"


def test_links(corpus: Path, tmp_path: Path) -> None:
    """No link is followed: out of the corpus and nowhere are failures, inside is a skip, and loops do no harm."""
    (tmp_path / "private.txt").write_text("private")
    (tmp_path / "private").mkdir()
    (tmp_path / "private/too.txt").write_text("private")
    (corpus / "out.txt").symlink_to(tmp_path / "private.txt")
    (corpus / "outfolder").symlink_to(tmp_path / "private")
    (corpus / "inside.txt").symlink_to("good.txt")
    (corpus / "broken.txt").symlink_to("nowhere.txt")
    (corpus / "self.txt").symlink_to("self.txt")
    (corpus / "loop").symlink_to(corpus)
    report = load(corpus)
    leaves = "a link that leaves this folder; put a copy of the file here instead"
    assert {line.path: (line.outcome.value, line.reason) for line in report.lines if line.path != "good.txt"} == {
        "out.txt": ("failed", leaves),
        "outfolder": ("failed", leaves),
        "inside.txt": ("skipped", "a link to good.txt, inside this folder"),
        "broken.txt": ("failed", "a link that leads nowhere"),
        "self.txt": ("failed", "a link that leads nowhere"),
        "loop": ("skipped", "a link to ., inside this folder"),
    }
    assert [document.id for document in report.documents] == ["good.txt"]


def test_corpus_may_be_a_link(corpus: Path, tmp_path: Path) -> None:
    """The corpus folder itself may be a link."""
    (tmp_path / "link").symlink_to(corpus)
    assert load(tmp_path / "link").read_count == 1


def test_special_files(corpus: Path) -> None:
    """Pipes and sockets are never opened."""
    os.mkfifo(corpus / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(corpus / "socket.txt"))
        report = load(corpus)
    assert {line.path for line in report.skipped} == {"pipe.txt", "socket.txt"}


@pytest.mark.parametrize(
    ("name", "shown", "reason"),
    [
        (b"bell\x07.txt", "bell\\x07.txt", "cannot be seen (U+0007)"),
        ("turn\u202etxt.txt".encode(), "turn\\u202etxt.txt", "cannot be seen (U+202E)"),
        (b"latin-\xe9.txt", "latin-\\udce9.txt", "not valid UTF-8"),
        (b"line\nbreak.md", "line\\nbreak.md", "cannot be seen (U+000A)"),
    ],
)
def test_odd_names(corpus: Path, name: bytes, shown: str, reason: str) -> None:
    """A name with characters that cannot be seen fails, and is shown with escapes; so does all below such a folder."""
    Path(os.fsdecode(os.fsencode(corpus) + b"/" + name)).write_text(ADVICE)
    report = load(corpus)
    assert line(report, shown).outcome is Outcome.FAILED
    assert reason in line(report, shown).reason
    assert report.read_count == 1


def test_odd_folder(corpus: Path) -> None:
    """In a folder with an odd name each file has its own line."""
    (corpus / "a\u200bb").mkdir()
    (corpus / "a\u200bb/one.txt").write_text(ADVICE)
    assert line(load(corpus), "a\\u200bb/one.txt").outcome is Outcome.FAILED


def test_names_in_other_languages(corpus: Path) -> None:
    """Names with accents, spaces and other scripts are fine."""
    for name in ("Über uns.txt", "预约.txt", "می‌خواهم.txt"):
        (corpus / name).write_text(ADVICE)
    assert load(corpus).read_count == 4


@pytest.mark.parametrize(
    ("first", "second"), [("GOOD.txt", "good.txt"), ("e\u0301.txt", "\u00e9.txt"), ("A/x.txt", "a/x.txt")]
)
def test_twins(corpus: Path, first: str, second: str) -> None:
    """Of two names that differ in capitals or in how an accent is written, the second fails and names the first."""
    for name in (first, second):
        (corpus / name).parent.mkdir(exist_ok=True)
        (corpus / name).write_text(ADVICE)
    if os.path.samefile(corpus / first, corpus / second):  # noqa: PTH121 - Path has the same, spelt longer
        pytest.skip("this file system holds one of the two only")
    report = load(corpus)
    assert line(report, first).outcome is Outcome.READ
    assert line(report, second).outcome is Outcome.FAILED
    assert first in line(report, second).reason


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of our own, and permissions that count: root gives up its rights for the test."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        is_root = os.geteuid() == 0
        if is_root:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if is_root:
                os.seteuid(0)
            for path in [folder, *folder.rglob("*")]:
                path.chmod(0o700)


def test_unreadable(unprivileged: Path) -> None:
    """A folder or file without the right to read is a line that says so, and the others are read."""
    for name in ("good.txt", "locked.txt", "locked/inside.txt", "locked.md.yaml"):
        (unprivileged / name).parent.mkdir(exist_ok=True)
        (unprivileged / name).write_text(ADVICE)
    (unprivileged / "locked.txt").chmod(0)
    (unprivileged / "locked").chmod(0)
    report = load(unprivileged)
    assert "Permission denied" in line(report, "locked.txt").reason
    assert "Permission denied" in line(report, "locked/").reason
    assert [document.id for document in report.documents] == ["good.txt"]


def test_unreadable_corpus(unprivileged: Path) -> None:
    """A corpus folder that cannot be listed is an error with a remedy."""
    (unprivileged / "corpus").mkdir(mode=0)
    with pytest.raises(ReadError, match="cannot be listed") as caught:
        load(unprivileged / "corpus")
    assert caught.value.remedy is not None


def test_unreadable_label(unprivileged: Path) -> None:
    """A label without the right to read makes a draft for staff."""
    (unprivileged / "good.txt").write_text(ADVICE)
    (unprivileged / "good.txt.yaml").touch(mode=0)
    report = load(unprivileged, Corpus(folder_audience={".": Audience.PATIENT}))
    metadata = document(report, "good.txt").metadata
    assert (metadata.audience, metadata.status) == (Audience.STAFF, Status.DRAFT)


def test_sidecar(corpus: Path) -> None:
    """A sidecar labels its document and has no line of its own."""
    (corpus / "good.txt.yaml").write_text("title: Before\naudience: patient\napproved_by: Dr Vale\n")
    report = load(corpus)
    assert patient_may_read(report.documents[0].metadata, TODAY)
    assert report.documents[0].metadata.title == "Before"
    assert [line.path for line in report.lines] == ["good.txt"]


def test_front_matter_and_sidecar(corpus: Path) -> None:
    """Front matter that says staff is not overruled by a sidecar that says patient."""
    (corpus / "a.md").write_text(f"---\naudience: staff\n---\n\n{ADVICE}\n")
    (corpus / "a.md.yaml").write_text("audience: patient\napproved_by: Dr Vale\n")
    report = load(corpus)
    assert document(report, "a.md").metadata.audience is Audience.STAFF
    assert "disagree on audience" in line(report, "a.md").warnings[0]


@pytest.mark.parametrize("front", ["audience: [", "audience: staff\n bad: : yaml", "- audience", "audience: &a staff"])
def test_broken_front_matter_closes(corpus: Path, front: str) -> None:
    """Front matter that cannot be read never leaves a document to the folder's default."""
    (corpus / "a.md").write_text(f"---\n{front}\n---\n\n{ADVICE}\n")
    report = load(corpus, Corpus(folder_audience={".": Audience.PATIENT}))
    assert not any(patient_may_read(item.metadata, TODAY) for item in report.documents if item.id == "a.md")
    assert line(report, "a.md").warnings or line(report, "a.md").reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("good.txt.yaml", "audience: ["),
        ("good.txt.yaml", ""),
        ("good.txt.yml", "audience: ["),
        ("good.yaml", "audience: staff"),
        ("Good.TXT.yaml", "audience: staff"),
    ],
)
def test_broken_sidecar_closes(corpus: Path, name: str, content: str) -> None:
    """A label that cannot be read, or that has not quite the right name, makes a draft for staff, with a warning."""
    (corpus / name).write_text(content)
    report = load(corpus, Corpus(folder_audience={".": Audience.PATIENT}))
    (only,) = report.documents
    assert (only.metadata.audience, only.metadata.status) == (Audience.STAFF, Status.DRAFT)
    assert "for staff only" in line(report, "good.txt").warnings[0]
    assert report.warned == report.lines


def test_linked_sidecar_closes(corpus: Path, tmp_path: Path) -> None:
    """A label that is a link out of the corpus is not followed and closes its document."""
    (tmp_path / "label").write_text("audience: patient\napproved_by: Dr Vale")
    (corpus / "good.txt.yaml").symlink_to(tmp_path / "label")
    (only,) = load(corpus).documents
    assert (only.metadata.audience, only.metadata.status) == (Audience.STAFF, Status.DRAFT)


@pytest.mark.parametrize("name", ["gone.pdf.yaml", "good.md.yaml", "folder.yml"])
def test_orphan_sidecar(corpus: Path, name: str) -> None:
    """A label without its document fails, and turns off the folder's default beside it, but not an audience given."""
    for path in ("other.txt", "folder/deep.txt"):
        (corpus / path).parent.mkdir(exist_ok=True)
        (corpus / path).write_text(ADVICE)
    (corpus / "other.txt.yaml").write_text("audience: patient")
    (corpus / name).write_text("audience: staff")
    report = load(corpus, Corpus(folder_audience={".": Audience.PATIENT}))
    assert line(report, name).outcome is Outcome.FAILED
    assert "without its document" in line(report, name).reason
    assert document(report, "good.txt").metadata.audience is Audience.STAFF
    assert f"'{name}' beside it names no document" in line(report, "good.txt").warnings[0]
    assert document(report, "other.txt").metadata.audience is Audience.PATIENT
    assert document(report, "folder/deep.txt").metadata.audience is Audience.PATIENT


@pytest.mark.parametrize("name", ["good.txt.yaml.txt", "good.txt.yml.txt", "good.txt .yaml", "good.txt.yaml "])
def test_misnamed_labels_close(corpus: Path, name: str) -> None:
    """What a program or a finger made of a label's name closes its document, and is no document itself."""
    (corpus / name).write_text("audience: staff")
    report = load(corpus, Corpus(folder_audience={".": Audience.PATIENT}))
    (only,) = report.documents
    assert (only.id, only.metadata.audience, only.metadata.status) == ("good.txt", Audience.STAFF, Status.DRAFT)
    assert "name does not fit" in line(report, "good.txt").warnings[0]


def test_texts_named_like_labels_are_read(corpus: Path) -> None:
    """A text whose name looks like a label's, but that stands beside no such document, is a document."""
    (corpus / "about.yaml.txt").write_text(ADVICE)
    assert [item.id for item in load(corpus).documents] == ["about.yaml.txt", "good.txt"]


@pytest.mark.parametrize(("name", "label"), [("cafe\u0301", "caf\u00e9"), ("caf\u00e9", "cafe\u0301")])
def test_label_with_other_accents_closes(corpus: Path, name: str, label: str) -> None:
    """A label whose accents are encoded in another way than its document's closes it, and the warning says why."""
    (corpus / f"{name}.md").write_text(ADVICE)
    (corpus / f"{label}.md.yaml").write_text("audience: staff")
    report = load(corpus, Corpus(folder_audience={".": Audience.PATIENT}))
    assert document(report, f"{name}.md").metadata.status is Status.DRAFT
    assert document(report, f"{name}.md").metadata.audience is Audience.STAFF
    assert "name does not fit" in line(report, f"{name}.md").warnings[0]


@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("a.md", "\n---\naudience: staff\n---\n"),
        ("a.md", " ---\naudience: staff\n---\n"),
        ("a.md", "\ufeff\ufeff---\naudience: staff\n---\n"),
        ("a.md", "<!-- x -->\n---\ntitle: Codes\nstatus: withdrawn\n---\n"),
        ("a.md", '+++\naudience = "staff"\n+++\n'),
        ("a.md", "----\ntitle: Codes\naudience: staff\n----\n"),
        ("a.md", "---\n# meta\naudience: staff\n\n"),
        ("a.md", "**Audience**: our nurses\n\n"),
        ("a.txt", "---\naudience: staff\n---\n"),
        ("a.txt", "Title\n\nSTATUS : do not publish\n"),
    ],
)
def test_unrecognised_front_matter_closes(corpus: Path, name: str, top: str) -> None:
    """Front matter that no reader recognises closes its document, even where the label opens it."""
    (corpus / name).write_text(f"{top}\n{ADVICE}\n")
    (corpus / f"{name}.yaml").write_text("audience: patient\napproved_by: Dr Vale")
    report = load(corpus)
    metadata = document(report, name).metadata
    assert metadata.audience is Audience.STAFF
    assert metadata.status is not Status.APPROVED
    assert "looks like front matter that was not recognised" in line(report, name).warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        "Your immigration status does not matter: we see everybody.\n\nThe audience: who comes to our talks?",
        "---\ntitle: Visits\naudience: patient\nstatus: approved\n---\n\nBring your papers.",
        "Bring your papers.\n\n" * 25 + "status: withdrawn\n",
    ],
)
def test_prose_is_no_front_matter(corpus: Path, text: str) -> None:
    """Sentences with these words, front matter that was read, and lines far down close nothing."""
    (corpus / "a.md").write_text(text)
    (corpus / "a.md.yaml").write_text("audience: patient\napproved_by: Dr Vale")
    assert patient_may_read(document(load(corpus), "a.md").metadata, TODAY)


def test_labels_of_neighbours(corpus: Path) -> None:
    """The label of `a.txt` is not also that of `a.txt.md`, nor the label of `a.txt` that of `a.md`."""
    for name in ("a.txt", "a.txt.md", "a.md"):
        (corpus / name).write_text(ADVICE)
    (corpus / "a.txt.yaml").write_text("audience: patient")
    labels = {file.id: [label.name for label in file.labels] for file in walk(corpus)[0]}
    assert labels == {"a.txt": ["a.txt.yaml"], "a.txt.md": [], "a.md": [], "good.txt": []}


@pytest.mark.parametrize("name", ["staff", "Staff", "STAFF ", "ſtaff"])
def test_a_staff_folder_is_known_in_any_spelling(corpus: Path, name: str) -> None:
    """Another case, a space or another form of a letter does not open a folder that is for staff."""
    folder = corpus / "pub" / name
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("Some text of ours.", encoding="utf-8")
    report = load(corpus, Corpus(folder_audience={"pub": Audience.PATIENT, "pub/staff": Audience.STAFF}))
    assert {document.metadata.audience for document in report.documents} == {Audience.STAFF}


def test_folder_audience(corpus: Path) -> None:
    """The deepest folder that the settings name decides; a folder that is not there is a warning."""
    for name in ("patient/a.txt", "patient/internal/b.txt", "patientia/c.txt"):
        (corpus / name).parent.mkdir(exist_ok=True)
        (corpus / name).write_text(ADVICE)
    folders = {"patient": Audience.PATIENT, "patient/internal/": Audience.STAFF, "pateint": Audience.PATIENT}
    report = load(corpus, Corpus(folder_audience=folders))
    open_to = {item.id for item in report.documents if item.metadata.audience is Audience.PATIENT}
    assert open_to == {"patient/a.txt"}
    assert len(report.warnings) == 1
    assert "'pateint'" in report.warnings[0]
    everything = load(corpus, Corpus(folder_audience={".": Audience.PATIENT}))
    assert all(item.metadata.audience is Audience.PATIENT for item in everything.documents)


@pytest.mark.parametrize("stricter_first", [True, False])
def test_one_folder_named_twice(corpus: Path, stricter_first: bool) -> None:
    """Where the settings name one folder in two ways the stricter audience counts."""
    (corpus / "pub").mkdir()
    (corpus / "pub/a.txt").write_text(ADVICE)
    folders = {"pub": Audience.STAFF, "./pub": Audience.PATIENT}
    settings = Corpus(folder_audience=folders if stricter_first else dict(reversed(folders.items())))
    assert document(load(corpus, settings), "pub/a.txt").metadata.audience is Audience.STAFF


def test_digest(corpus: Path) -> None:
    """The digest changes with bytes, names and metadata, and with nothing else."""
    first = load(corpus).digest
    os.utime(corpus / "good.txt")
    (corpus / "photo.png").write_bytes(b"x")
    assert load(corpus).digest == first
    (corpus / "good.txt.yaml").write_text("version: 2")
    second = load(corpus).digest
    (corpus / "good.txt").write_text(ADVICE + " Thank you.")
    assert len({first, second, load(corpus).digest}) == 3


def test_progress(corpus: Path) -> None:
    """Progress counts up to the number of documents, the failed ones included."""
    (corpus / "zero.txt").write_bytes(b"")
    (corpus / "page.html").write_text(ADVICE)
    calls: list[tuple[int, int]] = []
    load(corpus, progress=lambda done, everything: calls.append((done, everything)))
    assert calls == [(1, 3), (2, 3), (3, 3)]


@pytest.fixture
def cached(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a cache that knows `good.txt` and `page.html`, files that have long been settled."""
    (corpus / "page.html").write_text(ADVICE)
    clock = qa.walk._file_clock
    monkeypatch.setattr(qa.walk, "_file_clock", lambda: clock() + 10_000_000_000)
    path = tmp_path / "parsed.sqlite"
    with ParseCache.open(path) as cache:
        load(corpus, cache=cache)
    return path


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are parsed from here on."""
    names: list[str] = []
    here, isolated = qa.load.read_here, qa.load.read_isolated
    monkeypatch.setattr(qa.load, "read_here", lambda file: names.append(file.id) or here(file))
    monkeypatch.setattr(qa.load, "read_isolated", lambda file, *rest: names.append(file.id) or isolated(file, *rest))
    return names


def test_unchanged_files_are_not_opened(
    corpus: Path, cached: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second load opens no file that did not change, and gives the same report."""
    monkeypatch.setattr(Path, "open", None)
    with ParseCache.open(cached) as cache:
        report = load(corpus, cache=cache)
    monkeypatch.undo()
    assert parsed == []
    assert report == load(corpus)


def test_only_the_changed_file_is_read(corpus: Path, cached: Path, parsed: list[str]) -> None:
    """After one file was changed only that one is parsed again."""
    (corpus / "good.txt").write_text("Changed.")
    with ParseCache.open(cached) as cache:
        report = load(corpus, cache=cache)
    assert parsed == ["good.txt"]
    assert document(report, "good.txt").document.text == "Changed."


def test_touched_and_moved_files_are_not_parsed(corpus: Path, cached: Path, parsed: list[str]) -> None:
    """The same bytes under a new time or name are not parsed again."""
    os.utime(corpus / "good.txt", (1, 1))
    (corpus / "page.html").rename(corpus / "other.html")
    with ParseCache.open(cached) as cache:
        report = load(corpus, cache=cache)
    assert parsed == []
    assert [document.id for document in report.documents] == ["good.txt", "other.html"]


def test_new_labels_count_at_once(corpus: Path, cached: Path) -> None:
    """Metadata never comes from the cache."""
    (corpus / "good.txt.yaml").write_text("status: withdrawn")
    with ParseCache.open(cached) as cache:
        assert document(load(corpus, cache=cache), "good.txt").metadata.status is Status.WITHDRAWN


def test_limits_hold_with_a_cache(corpus: Path, cached: Path) -> None:
    """A file over a limit that was lowered is not served from the cache."""
    with ParseCache.open(cached) as cache:
        report = load(corpus, Corpus(max_file_mb=0.00001), cache=cache)
    assert report.read_count == 0


def test_broken_cache_is_a_warning(corpus: Path, cached: Path) -> None:
    """A broken cache costs a warning in the report and nothing else."""
    cached.write_bytes(b"broken")
    with ParseCache.open(cached) as cache:
        report = load(corpus, cache=cache)
    assert report.read_count == 2
    assert "made anew" in report.warnings[0]


def test_fresh_files_are_not_trusted(corpus: Path, tmp_path: Path) -> None:
    """A file written a moment ago is hashed again next time: a second write may leave its times as they are."""
    with ParseCache.open(tmp_path / "parsed.sqlite") as cache:
        load(corpus, cache=cache)
        file = walk(corpus)[0][0]
        assert cache.digest(str(file.path), file.fingerprint) is None


def test_change_while_reading(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changes while it is read fails, and what was read of it is not kept."""
    read = qa.reading.read

    def slow(reader: str, path: Path) -> object:
        found = read(reader, path)
        path.write_text("Something else.")
        return found

    with ParseCache.open(tmp_path / "parsed.sqlite") as cache:
        with monkeypatch.context() as patch:
            patch.setattr(qa.reading, "read", slow)
            report = load(corpus, cache=cache)
        assert "changed while it was being read" in line(report, "good.txt").reason
        assert load(corpus, cache=cache).documents[0].document.text == "Something else."


def test_new_label_never_counts_for_old_text(corpus: Path, cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cached text that is replaced and opened to patients while the build runs is not published as it was."""
    label = corpus / "good.txt.yaml"
    label.write_text("audience: staff")
    parsed = qa.load._parsed

    def slow(*arguments: Any) -> Iterator[Any]:
        for file, outcome in parsed(*arguments):
            if file.id == "good.txt":
                (corpus / "good.txt").write_text("Public opening hours.")
                label.write_text("audience: patient\napproved_by: Dr Vale")
            yield file, outcome

    with ParseCache.open(cached) as cache:
        with monkeypatch.context() as patch:
            patch.setattr(qa.load, "_parsed", slow)
            report = load(corpus, cache=cache)
        assert [item.id for item in report.documents] == ["page.html"]
        assert "changed while it was being read" in line(report, "good.txt").reason
        assert document(load(corpus, cache=cache), "good.txt").document.text == "Public opening hours."

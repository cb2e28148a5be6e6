"""The sample corpus: what stands in it on purpose, and that its drawn files are the script's."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from datetime import date
from io import StringIO
from pathlib import Path
from zipfile import ZipFile

import docx
import pytest
import yaml
from lxml import html
from pypdf import PdfReader

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "corpus"
SCRIPT = ROOT / "scripts" / "make_sample_documents.py"

# Deliberate; see each test.
WITHOUT_AUDIENCE = "patient/waiting-room-routine.md"
PAST_REVIEW = "patient/visitor-and-mask-policy.md"
DRAFT = "patient/group-preparation-class.md"
FASTING = {
    "patient/before-your-infusion.md": "Do not eat solid food for 8 hours before your infusion.",
    "patient/faq.md": "Do not eat solid food for 6 hours before your infusion.",
}
SHARED_WITH_STAFF = (
    "patient/cancellation-policy.md",
    "staff/no-show-handling.md",
    "Please give us at least 48 hours' notice if you need to cancel or move an appointment.",
)
SHARED_BY_PATIENTS = (
    "patient/ketamine-and-depression.md",
    "patient/side-effects-and-risks.md",
    "Ketamine itself is not approved by the FDA for any psychiatric disorder.",
)
LABELED_PAGES = "patient/how-ketamine-works.pdf"
TURNED_PAGE = ("patient/ketamine-and-esketamine-compared.pdf", 2)
PICTURE_PAGE = ("patient/getting-here-and-parking.pdf", 2)
CONSENT = "patient/consent-form.pdf"
AFTERCARE = "patient/aftercare-guide.pdf"
LEAFLET = "patient/ketamine-and-anxiety.pdf"
CHECKLIST = "staff/infusion-room-checklist.pdf"

KEYS = {"title", "audience", "status", "approved_by", "approved_on", "review_by", "version", "language", "source"}
DOCUMENTS = sorted(
    path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*") if path.is_file() and path.suffix != ".yaml"
)
NO_DRIVING = "until the day after, following a night's sleep"


def metadata(document: str) -> dict[str, object]:
    """The front matter of a Markdown file, the sidecar of any other."""
    path = CORPUS / document
    if path.suffix == ".md":
        return dict(yaml.safe_load(path.read_text(encoding="utf-8").split("---\n")[1]))
    return dict(yaml.safe_load((path.parent / f"{path.name}.yaml").read_text(encoding="utf-8")))


def pages(document: str) -> list[str]:
    """The text of each page of a PDF file."""
    return [page.extract_text() for page in PdfReader(CORPUS / document).pages]


def text(document: str) -> str:
    """What a person reads in a document; paragraphs keep their blank lines where the format has any."""
    path = CORPUS / document
    match path.suffix:
        case ".pdf":
            return "\n".join(pages(document))
        case ".docx":
            file = docx.Document(str(path))
            cells = [cell.text for table in file.tables for row in table.rows for cell in row.cells]
            return "\n".join([*(paragraph.text for paragraph in file.paragraphs), *cells])
        case ".html":
            tree = html.parse(StringIO(path.read_text(encoding="utf-8"))).getroot()
            return str(tree.find(".//main").text_content())
        case ".md":
            return path.read_text(encoding="utf-8").split("---\n", 2)[2]
        case _:
            return path.read_text(encoding="utf-8")


def plain(words: str) -> str:
    """The words on one line, with straight quotation marks and no emphasis."""
    return " ".join(words.replace("’", "'").replace("**", "").split())


def paragraphs(document: str) -> set[str]:
    """The paragraphs of a text file, each on one line."""
    return {plain(paragraph) for paragraph in text(document).split("\n\n")}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the script has just written to."""
    folder = tmp_path_factory.mktemp("drawn")
    subprocess.run([sys.executable, SCRIPT, "--into", folder], check=True)
    return folder


def test_the_formats_are_all_there() -> None:
    """There are 42 documents, 12 of them for staff, in five formats."""
    assert Counter(Path(document).suffix for document in DOCUMENTS) == {
        ".md": 24,
        ".pdf": 9,
        ".txt": 5,
        ".html": 2,
        ".docx": 2,
    }
    assert sum(document.startswith("patient/") for document in DOCUMENTS) == 30
    assert sum(document.startswith("staff/") for document in DOCUMENTS) == 12


def test_every_sidecar_has_its_document() -> None:
    """The corpus holds documents and their sidecars only; a Markdown file's holds nothing but sign-offs."""
    sidecars = {path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*.yaml")}
    assert sidecars <= {f"{document}.yaml" for document in DOCUMENTS}
    assert sidecars >= {f"{document}.yaml" for document in DOCUMENTS if not document.endswith(".md")}
    for sidecar in (name for name in sidecars if name.endswith(".md.yaml")):
        assert set(yaml.safe_load((CORPUS / sidecar).read_text(encoding="utf-8"))) == {"signed_off"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_labels_are_complete(document: str) -> None:
    """Every document but the deliberate ones is approved in 2026 by somebody, for the audience of its folder."""
    label = metadata(document)
    assert set(label) <= KEYS | {"signed_off"}
    assert {"title", "version", "language", "source"} <= set(label)
    assert isinstance(label["version"], str)
    if document != WITHOUT_AUDIENCE:
        assert label["audience"] == document.split("/")[0]
    if document == DRAFT:
        return
    assert label["status"] == "approved"
    assert label["approved_by"]
    approved, review = label["approved_on"], label["review_by"]
    assert isinstance(approved, date)
    assert isinstance(review, date)
    if document != PAST_REVIEW:
        assert (approved.year, review.year) in {(2026, 2035), (2026, 2036)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_lengths_are_natural(document: str) -> None:
    """A document has 250 to 1,000 words; the consent form, the handbook and the questions have more."""
    most = 2500 if document in {CONSENT, LABELED_PAGES, "patient/faq.md"} else 1000
    assert 250 <= len(text(document).split()) <= most


def test_one_document_names_no_audience() -> None:
    """A staff routine lies among the patients' documents and says nothing about its audience."""
    assert [document for document in DOCUMENTS if "audience" not in metadata(document)] == [WITHOUT_AUDIENCE]


def test_one_patient_document_is_past_its_review() -> None:
    """The mask policy was due for review on June 30, 2025."""
    assert metadata(PAST_REVIEW)["review_by"] == date(2025, 6, 30)
    assert metadata(PAST_REVIEW)["audience"] == "patient"


def test_one_patient_document_is_a_draft() -> None:
    """The preparation class is not approved by anybody."""
    drafts = [document for document in DOCUMENTS if metadata(document).get("status") == "draft"]
    assert drafts == [DRAFT]
    assert "approved_by" not in metadata(DRAFT)


def test_two_documents_disagree_about_fasting() -> None:
    """The sheet says 8 hours, the older answers say 6, and nothing else says 6."""
    for document, sentence in FASTING.items():
        assert sentence in plain(text(document))
    sheet, answers = (metadata(document)["approved_on"] for document in FASTING)
    assert isinstance(sheet, date)
    assert isinstance(answers, date)
    assert sheet > answers
    six = re.compile(r"\b(?:food|fast\w*|eat\w*)\b[^.|]*\b(?:6|six) hours", re.IGNORECASE)
    assert [document for document in DOCUMENTS if six.search(plain(text(document)))] == ["patient/faq.md"]


@pytest.mark.parametrize("shared", [SHARED_WITH_STAFF, SHARED_BY_PATIENTS], ids=["patient and staff", "two patient"])
def test_a_paragraph_stands_in_two_documents(shared: tuple[str, str, str]) -> None:
    """The same paragraph stands in both documents, word for word, and no other paragraph does."""
    first, second, opening = shared
    (paragraph,) = paragraphs(first) & paragraphs(second)
    assert paragraph.startswith(opening)


def test_there_are_forty_questions() -> None:
    """The frequently asked questions are exactly 40, each a heading of its own and none asked twice."""
    questions = re.findall(r"^### (.+\?)$", text("patient/faq.md"), re.MULTILINE)
    assert len(questions) == len(set(questions)) == 40


@pytest.mark.parametrize("document", DOCUMENTS)
def test_phone_numbers_are_fictional(document: str) -> None:
    """Every phone number is 911, 988 or between 555-0100 and 555-0199."""
    words = plain(text(document))
    assert [number for number in phone_numbers(words) if not re.fullmatch(r"911|988|555-01\d\d", number)] == []


def test_numbers_in_the_drawing_code_are_fictional() -> None:
    """The picture page and the printed texts hold no other phone numbers either."""
    sources = [path for path in SCRIPT.parent.rglob("*") if path.suffix in {".py", ".md"}]
    numbers = {number for path in sources for number in phone_numbers(plain(path.read_text(encoding="utf-8")))}
    assert "555-0158" in numbers
    assert [number for number in numbers if not re.fullmatch(r"911|988|555-01\d\d", number)] == []


def phone_numbers(words: str) -> list[str]:
    """What looks like a phone number, and what follows "call", "text" or "dial"."""
    shaped = re.findall(r"(?<![\d-])(?:\(?\d{3}\)?[-. ])?\d{3}[-. ]\d{4}(?!\d)|1-8\d\d[-\w]*", words)
    called = re.findall(r"\b(?:call|text|dial)(?:ing|s)? (\d{3,}(?:-\d+)*)", words, re.IGNORECASE)
    return [*shaped, *called]


@pytest.mark.parametrize("path", sorted(CORPUS.rglob("*.pdf")), ids=lambda path: path.name)
def test_pdf_files_are_what_the_script_draws(path: Path, drawn: Path) -> None:
    """The script writes the committed file again, byte for byte."""
    assert (drawn / path.relative_to(CORPUS)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("path", sorted(CORPUS.rglob("*.docx")), ids=lambda path: path.name)
def test_docx_files_are_what_the_script_writes(path: Path, drawn: Path) -> None:
    """The script writes the same parts with the same fixed time; their compression may differ by machine."""

    def parts(file: Path) -> list[tuple[str, tuple[int, ...], bytes]]:
        with ZipFile(file) as packed:
            return [(part.filename, part.date_time, packed.read(part)) for part in packed.infolist()]

    assert parts(drawn / path.relative_to(CORPUS)) == parts(path)
    assert {time for _, time, _ in parts(path)} == {(1980, 1, 1, 0, 0, 0)}


def test_docx_files_have_structure() -> None:
    """Both have real headings, both kinds of list and a table."""
    for path in CORPUS.rglob("*.docx"):
        file = docx.Document(str(path))
        styles = {str(paragraph.style.name) for paragraph in file.paragraphs if paragraph.style}
        assert {"Heading 1", "Heading 2", "List Bullet", "List Number"} <= styles
        assert file.tables


def test_html_files_have_furniture() -> None:
    """Around the main part stand a header, navigation, a footer, a script and a style."""
    for path in CORPUS.rglob("*.html"):
        tree = html.parse(StringIO(path.read_text(encoding="utf-8"))).getroot()
        for tag in ("header", "nav", "main", "footer", "script", "style"):
            assert tree.find(f".//{tag}") is not None


def test_the_consent_form_has_six_numbered_pages() -> None:
    """Each page has the running header and "Page n of 6"."""
    texts = pages(CONSENT)
    assert len(texts) == 6
    for number, page in enumerate(texts, start=1):
        assert f"Page {number} of 6" in page
        assert "Form C-1, version 3.1" in page


def test_the_driving_question_is_answered_on_page_two() -> None:
    """The aftercare guide has three pages and answers the question in the first words of the second."""
    texts = pages(AFTERCARE)
    assert len(texts) == 3
    answer = plain(texts[1]).split("Can I drive myself home after the infusion? ")[1]
    assert answer.startswith("No. You may not drive yourself home")
    assert NO_DRIVING in answer


def test_driving_is_answered_alike() -> None:
    """Every sentence that forbids driving says until when, in the same words."""
    carriers = [document for document in DOCUMENTS if NO_DRIVING in plain(text(document))]
    assert len(carriers) >= 15
    sentences = [sentence for document in DOCUMENTS for sentence in re.split(r"[.?!|] ?", plain(text(document)))]
    rules = [sentence for sentence in sentences if re.search(r"\b(not|no) driv", sentence, re.IGNORECASE)]
    assert [rule for rule in rules if NO_DRIVING not in rule and "drive yourself home" not in rule] == []


def test_one_page_is_turned() -> None:
    """The side-by-side table stands on a portrait page with /Rotate 90, between two that are not turned."""
    document, number = TURNED_PAGE
    sheets = PdfReader(CORPUS / document).pages
    assert [sheet.rotation for sheet in sheets] == [0, 90, 0]
    assert all((sheet.mediabox.width, sheet.mediabox.height) == (612, 792) for sheet in sheets)
    assert "Side by side" in sheets[number - 1].extract_text()


def test_one_page_is_only_a_picture() -> None:
    """The parking notice has no text, and one picture at 200 dots to the inch."""
    document, number = PICTURE_PAGE
    page = PdfReader(CORPUS / document).pages[number - 1]
    assert page.extract_text().strip() == ""
    (picture,) = page.images
    assert picture.image is not None
    assert picture.image.size == (1700, 2200)


def test_one_file_has_page_labels() -> None:
    """The handbook's front matter is i and ii, its chapters from 1, and the labels are printed as well."""
    reader = PdfReader(CORPUS / LABELED_PAGES)
    assert reader.page_labels == ["i", "ii", "1", "2", "3", "4"]
    for label, page in zip(reader.page_labels, reader.pages, strict=True):
        assert label in page.extract_text().split("\n")


def test_the_handbook_has_ligatures_and_broken_words() -> None:
    """Its text holds the fi and fl ligatures and words that go on in the next line."""
    words = text(LABELED_PAGES)
    assert "ﬁ" in words
    assert "ﬂ" in words
    assert len(re.findall(r"[a-zﬁﬂ]-\n[a-zﬁﬂ]", words)) >= 5


def test_the_leaflet_has_two_columns() -> None:
    """Text starts at two places across the page."""
    starts: Counter[int] = Counter()

    def seen(words: str, page: list[float], line: list[float], *_: object) -> None:
        if words.strip():
            starts[round(page[4] + line[4])] += 1

    PdfReader(CORPUS / LEAFLET).pages[0].extract_text(visitor_text=seen)
    left, right = sorted(place for place, _ in starts.most_common(2))
    assert left < 306 < right


def test_the_checklist_repeats_its_head() -> None:
    """The table runs over a page break, with its head on both pages."""
    texts = [plain(page) for page in pages(CHECKLIST)]
    assert len(texts) == 2
    assert all("No. Check Standard Initials" in page for page in texts)

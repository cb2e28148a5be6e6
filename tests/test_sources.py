"""The files that an index keeps so that pages can be drawn from them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from builders import entry
from conftest import NOW, WordEmbedder
from reportlab.pdfgen import canvas

import qa.build
from qa.audience import Audience
from qa.build import BuildReport, build
from qa.embed import Model, ModelFiles
from qa.errors import LeakFound
from qa.index.manifest import SOURCES
from qa.index.sources import keep_sources, kept_sources
from qa.models import CorpusDocument
from qa.settings import Settings

Words = Callable[[Model, ModelFiles], WordEmbedder]
TEXT = b"%PDF-1.7 the price list"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """Empty folders for indexes."""

    def made() -> Iterator[Path]:
        for number in range(9):
            (tmp_path / f"index{number}").mkdir()
            yield tmp_path / f"index{number}"

    return made()


def document(corpus: Path, name: str, content: bytes = TEXT) -> CorpusDocument:
    """A document that was read from a file of these bytes."""
    (corpus / name).write_bytes(content)
    read = entry(name, "Prices.")
    return CorpusDocument(read.id, sha256(content).hexdigest(), read.document, read.metadata)


def test_keeps_what_can_be_drawn(corpus: Path, folders: Iterator[Path]) -> None:
    """PDF files are kept by their SHA-256, once each, and nobody can write to them; other formats are not kept."""
    read = [document(corpus, name) for name in ("a.pdf", "same.PDF", "b.md")]
    folder = next(folders)
    assert keep_sources(folder, read, corpus, []) == ()
    kept = folder / SOURCES / read[0].digest
    assert kept_sources(folder) == {read[0].digest}
    assert kept.read_bytes() == TEXT
    assert stat.S_IMODE(kept.stat().st_mode) & 0o222 == 0


def test_keeps_nothing_where_nothing_can_be_drawn(corpus: Path, folders: Iterator[Path]) -> None:
    """An index without PDF files has no folder for them."""
    folder = next(folders)
    assert keep_sources(folder, [document(corpus, "b.md")], corpus, []) == ()
    assert kept_sources(folder) == frozenset()
    assert not (folder / SOURCES).exists()


def test_an_earlier_copy_is_linked_and_the_corpus_never(corpus: Path, folders: Iterator[Path]) -> None:
    """A second index shares the first one's file, which is another than the one that people edit."""
    read = document(corpus, "a.pdf")
    first, second = next(folders), next(folders)
    keep_sources(first, [read], corpus, [])
    keep_sources(second, [read], corpus, [first])
    one, other = (folder / SOURCES / read.digest for folder in (first, second))
    assert one.samefile(other)
    assert not one.samefile(corpus / "a.pdf")
    (corpus / "a.pdf").write_bytes(b"edited in place")
    assert one.read_bytes() == TEXT


def test_an_earlier_copy_serves_when_the_file_has_changed(corpus: Path, folders: Iterator[Path]) -> None:
    """What was read is kept from an earlier index although the corpus has something else by now, or nothing."""
    read = document(corpus, "a.pdf")
    first, second, third = next(folders), next(folders), next(folders)
    keep_sources(first, [read], corpus, [])
    (corpus / "a.pdf").write_bytes(b"edited")
    assert keep_sources(second, [read], corpus, [first]) == ()
    (corpus / "a.pdf").unlink()
    assert keep_sources(third, [read], corpus, [first]) == ()
    assert (third / SOURCES / read.digest).read_bytes() == TEXT


def test_an_earlier_copy_that_was_cut_short_is_not_linked(corpus: Path, folders: Iterator[Path]) -> None:
    """A damaged file is not handed on: the document's file takes its place."""
    read = document(corpus, "a.pdf")
    first, second = next(folders), next(folders)
    keep_sources(first, [read], corpus, [])
    damaged = first / SOURCES / read.digest
    damaged.chmod(0o644)
    damaged.write_bytes(TEXT[:5])
    assert keep_sources(second, [read], corpus, [first]) == ()
    assert (second / SOURCES / read.digest).read_bytes() == TEXT


def test_copies_where_there_are_no_links(
    corpus: Path, folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk without hard links an earlier file is copied."""
    read = document(corpus, "a.pdf")
    first, second = next(folders), next(folders)
    keep_sources(first, [read], corpus, [])
    (corpus / "a.pdf").unlink()

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert keep_sources(second, [read], corpus, [first]) == ()
    one, other = (folder / SOURCES / read.digest for folder in (first, second))
    assert other.read_bytes() == TEXT
    assert not one.samefile(other)


@pytest.mark.parametrize("change", ["edited", "gone", "a pipe", "a folder"])
def test_what_changed_is_left_out(corpus: Path, folders: Iterator[Path], change: str) -> None:
    """A file that is no longer what was read is named and not kept."""
    read = document(corpus, "a.pdf")
    (corpus / "a.pdf").unlink()
    if change == "edited":
        (corpus / "a.pdf").write_bytes(TEXT + b"!")
    elif change == "a pipe":
        os.mkfifo(corpus / "a.pdf")
    elif change == "a folder":
        (corpus / "a.pdf").mkdir()
    folder = next(folders)
    assert keep_sources(folder, [read], corpus, []) == ("a.pdf",)
    assert kept_sources(folder) == frozenset()


@pytest.fixture
def run(settings: Settings, load_words: Words) -> Callable[[], BuildReport]:
    """Build a corpus of a patients' PDF and a staff's; each build is a minute later than the one before."""
    for name, audience in (("open", "patient"), ("inside", "staff")):
        drawn = canvas.Canvas(str(settings.corpus.folder / f"{name}.pdf"), invariant=True)
        drawn.drawString(72, 700, f"Fasting before the infusion, {name}.")
        drawn.save()
        label = f"audience: {audience}\napproved_by: Dr. Test\napproved_on: 2026-11-01\n"
        (settings.corpus.folder / f"{name}.pdf.yaml").write_text(label, encoding="utf-8")
    moments = iter(NOW + timedelta(minutes=minute) for minute in range(9))

    def built() -> BuildReport:
        now = next(moments)
        return build(settings, clock=lambda: now, load_embedder=load_words, calibrated=False)

    return built


def test_patients_files_are_theirs_alone(run: Callable[[], BuildReport], settings: Settings) -> None:
    """The patients' index keeps their documents' files and no other; the staff's keeps all, and shares what it can."""
    folder = settings.index.folder / "generations" / run().generation
    digests = {
        name: sha256((settings.corpus.folder / f"{name}.pdf").read_bytes()).hexdigest() for name in ("open", "inside")
    }
    assert kept_sources(folder / Audience.PATIENT) == {digests["open"]}
    assert kept_sources(folder / Audience.STAFF) == set(digests.values())
    both = [folder / audience / SOURCES / digests["open"] for audience in Audience]
    assert both[0].samefile(both[1])


def test_a_rebuild_links_what_did_not_change(run: Callable[[], BuildReport], settings: Settings) -> None:
    """The next generation shares its files with the one before."""
    folder = settings.index.folder / "generations"
    first, second = run().generation, run().generation
    for audience in Audience:
        for name in kept_sources(folder / second / audience):
            assert (folder / second / audience / SOURCES / name).samefile(folder / first / "staff" / SOURCES / name)


def test_the_report_names_what_changed_meanwhile(
    run: Callable[[], BuildReport], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was saved between reading and keeping is in the notes, and its document has no file."""
    keep = keep_sources

    def edited(folder: Path, *rest: object) -> tuple[str, ...]:
        (settings.corpus.folder / "inside.pdf").write_bytes(b"new")
        return keep(folder, *rest)  # type: ignore[arg-type] # what the build gives

    monkeypatch.setattr(qa.build, "keep_sources", edited)
    report = run()
    assert [note for note in report.notes if "inside.pdf" in note] == [
        "inside.pdf: changed since it was read: its pages have no pictures, build again"
    ]
    assert len(kept_sources(settings.index.folder / "generations" / report.generation / "staff")) == 1


def test_a_staff_file_among_the_patients_stops_the_build(
    run: Callable[[], BuildReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check before publishing finds a file that is of no patients' document."""
    keep = keep_sources

    def leaking(folder: Path, *rest: object) -> tuple[str, ...]:
        left_out = keep(folder, *rest)  # type: ignore[arg-type] # what the build gives
        (folder / SOURCES / sha256(b"staff").hexdigest()).write_bytes(b"staff")
        return left_out

    monkeypatch.setattr(qa.build, "keep_sources", leaking)
    with pytest.raises(LeakFound):
        run()

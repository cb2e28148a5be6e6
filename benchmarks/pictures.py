"""What it costs to show a page as a picture: drawn, from the cache, and ten at once.

    python benchmarks/pictures.py [--corpus corpus] [--pages 300]

Takes every page of the PDF files below the corpus, and a file of so many pages of text that it draws itself. A picture
is drawn with nothing cached and a spare process waiting, as for a visitor who turns a page. Prints milliseconds: the
median, the slowest of twenty, and the share of pictures within 150 ms.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, sleep
from typing import cast

from pypdf import PdfReader
from reportlab.pdfgen import canvas

from qa.audience import Audience
from qa.evidence.pictures import Picture, Pictures
from qa.index.contract import IndexedDocument, PassageIndex
from qa.models import Metadata, Status
from qa.settings import Settings

_PAUSE = 0.7  # seconds between two visitors: the next spare process starts meanwhile
_TARGET_MS = 150
_CACHED_TARGET_MS = 15
_BURST = 10
_WORDS = "The nurse asks about your last meal, your medicines and who takes you home before every infusion. "


class Files:
    """As much of an index as drawing needs: the files themselves."""

    generation = "benchmark"

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = {path.name: path for path in paths}
        self._digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in self._paths.items()}

    def file(self, document_id: str) -> Path:
        """The file with this name."""
        return self._paths[document_id]

    def document(self, document_id: str) -> IndexedDocument:
        """What drawing asks of a document: its digest."""
        metadata = Metadata(document_id, Audience.STAFF, Status.APPROVED)
        return IndexedDocument(document_id, self._digests[document_id], metadata, range(0))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--pages", type=int, default=300)
    options = parser.parse_args()
    samples = sorted(options.corpus.rglob("*.pdf"))
    pages = [(path.name, page) for path in samples for page in range(1, len(PdfReader(path).pages) + 1)]
    with tempfile.TemporaryDirectory() as folder:
        long = Path(folder) / "long.pdf"
        draw_long(long, options.pages)
        index = cast("PassageIndex", Files([*samples, long]))
        some = [(long.name, page) for page in range(1, options.pages + 1, max(options.pages // 20, 1))]
        measure(f"{len(pages)} pages of {len(samples)} sample files", index, pages)
        measure(f"{len(some)} pages of a file with {options.pages}", index, some)
        spare()


def draw_long(path: Path, pages: int) -> None:
    """A file of `pages` pages of plain text."""
    drawn = canvas.Canvas(str(path), invariant=True)
    for page in range(pages):
        for line in range(50):
            drawn.drawString(60, 780 - 14 * line, f"{page + 1}.{line + 1} {_WORDS}"[:88])
        drawn.showPage()
    drawn.save()


def measure(what: str, index: PassageIndex, pages: Sequence[tuple[str, int]]) -> None:
    """Each page by itself, again from the cache, and ten different ones at once."""
    pictures = Pictures(Settings().pictures)
    drawn: list[Picture] = []
    ready = [timed(pictures, index, page, drawn) for page in pages if waited(pictures)]
    cached = [timed(pictures, index, page, drawn) for page in pages]
    pictures.close()
    print(what)
    print(f"  drawn          {told(ready)}   within {_TARGET_MS} ms: {share(ready, _TARGET_MS):.0%}")
    print(f"  from the cache {told(cached)}   within {_CACHED_TARGET_MS} ms: {share(cached, _CACHED_TARGET_MS):.0%}")
    sizes = [len(picture.content) / 1000 for picture in drawn[: len(pages)]]
    kinds = sorted({picture.media_type for picture in drawn})
    print(f"  kB a picture   median {statistics.median(sizes):.0f}, largest {max(sizes):.0f} ({', '.join(kinds)})")
    pictures = Pictures(Settings().pictures)
    waited(pictures)
    started = perf_counter()
    with ThreadPoolExecutor(_BURST) as pool:
        burst = list(pool.map(lambda page: timed(pictures, index, page, []), pages[:_BURST]))
    total = (perf_counter() - started) * 1000
    pictures.close()
    print(f"  {_BURST} at once     {told(burst)}   all: {total:.0f} ms\n")


def waited(pictures: Pictures) -> bool:
    """Leave the spare process time to start."""
    pictures.prepare()
    sleep(_PAUSE)
    return True


def timed(pictures: Pictures, index: PassageIndex, page: tuple[str, int], drawn: list[Picture]) -> float:
    """Milliseconds until the picture is there."""
    started = perf_counter()
    picture = pictures.picture(index, *page)
    elapsed = (perf_counter() - started) * 1000
    drawn.append(picture)
    return elapsed


def told(times: Sequence[float]) -> str:
    """The median and the slowest of twenty."""
    slowest = sorted(times)[int(len(times) * 0.95)]
    return f"{statistics.median(times):7.2f} ms, slowest of twenty {slowest:7.2f} ms"


def share(times: Sequence[float], target: float) -> float:
    """How many of the times are within a target."""
    return sum(each <= target for each in times) / len(times)


def spare() -> None:
    """The memory of the process that waits."""
    pictures = Pictures(Settings().pictures)
    waited(pictures)
    process = pictures._worker._spare
    status = Path(f"/proc/{process.pid}/smaps_rollup") if process is not None else Path("/none")
    if status.is_file():  # Linux
        kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in status.read_text().splitlines()[1:]}
        print(
            f"the spare process holds {kilobytes['Rss'] / 1000:.0f} MB, {kilobytes['Pss'] / 1000:.0f} MB its own share"
        )
    pictures.close()


if __name__ == "__main__":
    main()

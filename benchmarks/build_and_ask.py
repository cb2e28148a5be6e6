"""How fast are building and asking, as ratios measured in one run.

    python benchmarks/build_and_ask.py DATA [--documents N] [--index DIR]

DATA is a folder in the BEIR layout (corpus.jsonl or corpus.jsonl.gz, queries.jsonl). Its documents are written as text
files and built like any clinic's corpus; then the very texts that were embedded are given to
`SentenceTransformer.encode` alone, with the same batch size and dtype; then its questions are asked and all of them
answered. Calibrating, whose cost does not grow with the corpus, is left out: `clinic-qa calibrate` shows it.

Run it with OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1, as `make run` runs the app.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from qa.answer import Library, answer
from qa.audience import Audience
from qa.build import build
from qa.chunk import ModelTokens, embedded_text
from qa.clock import clinic_clock
from qa.confidence import UNCALIBRATED
from qa.eligibility import AsBuilt
from qa.embed import ModelFiles, SentenceEmbedder
from qa.index import FaissIndex, open_index
from qa.judge import Judge
from qa.settings import Settings, with_folders


def main() -> None:
    """Run all three measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--documents", type=int, help="only so many documents")
    parser.add_argument("--index", type=Path, help="keep the index here (default: a temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_documents(arguments.data, folder / "corpus", arguments.documents)
        settings = with_folders(
            # Nobody has approved a data set.
            Settings(corpus={"folder_audience": {".": "patient"}, "require_approval": False}),  # type: ignore[arg-type] # pydantic converts it
            corpus=folder / "corpus",
            index=arguments.index or folder / "index",
        )
        shutil.rmtree(settings.index.folder, ignore_errors=True)
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        embedder = SentenceEmbedder.load(settings.model)
        print(f"model {embedder.fingerprint.name} in {embedder.fingerprint.dtype}, batch {settings.model.batch_size}")
        report_build(settings, embedder)
        report_ask(settings, embedder, questions(arguments.data))


def report_build(settings: Settings, embedder: SentenceEmbedder) -> None:
    """A whole build, its stages, a rebuild without changes and after one change, against bare encoding."""
    clock = clinic_clock(settings.clinic.timezone)
    stages = Stages()
    built = timed(
        lambda: build(settings, clock=clock, progress=stages, load_embedder=lambda *_: embedder, calibrated=False)
    )
    texts = embedded_texts(settings)
    bare = timed(
        lambda: embedder._model.encode(  # the very model, without our code around it
            texts, batch_size=settings.model.batch_size, show_progress_bar=False
        )
    )
    again = timed(lambda: build(settings, clock=clock, load_embedder=lambda *_: embedder, calibrated=False))
    first = min(settings.corpus.folder.iterdir())
    first.write_text(first.read_text(encoding="utf-8") + "\n\nOne more paragraph.\n", encoding="utf-8")
    changed = timed(lambda: build(settings, clock=clock, load_embedder=lambda *_: embedder, calibrated=False))
    print(f"\nbuild        {len(texts) / built:8.1f} passages/s ({len(texts)} passages in {built:.1f} s)")
    print(f"bare encode  {len(texts) / bare:8.1f} passages/s ({bare:.1f} s)")
    print(f"ratio        {bare / built:8.2f} (build against bare encode)")
    print("stages       " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in stages.seconds().items()))
    print(f"rebuild      {again:8.1f} s without a change, {changed:.1f} s after one changed file")


def report_ask(settings: Settings, embedder: SentenceEmbedder, asked: list[str]) -> None:
    """Latency of warm questions, against bare encoding of the same questions."""
    index = open_index(settings.index.folder, Audience.PATIENT, embedder.fingerprint)
    clock = clinic_clock(settings.clinic.timezone)
    judge = Judge(replace(UNCALIBRATED, threshold=0.0, sure=0.0))  # a refusal would save citing and marking
    library = Library(index, AsBuilt(index), judge)
    gc.collect()
    gc.freeze()

    def ask(question: str) -> None:
        answer(question, Audience.PATIENT, library=library, embedder=embedder, settings=settings, clock=clock)

    for question in asked[:5]:
        ask(question)
    whole = [timed(lambda question=question: ask(question)) * 1000 for question in asked]
    encoding = [timed(lambda question=question: embedder.encode([question])) * 1000 for question in asked]
    print(f"\nask          {percentiles(whole)} ({len(asked)} questions over {index.manifest.passages} passages)")
    print(f"bare encode  {percentiles(encoding)}")
    print(f"ratio        {np.median(whole) / np.median(encoding):8.2f} (p50 of ask against p50 of bare encode)")


class Stages:
    """Seconds between the first and the last report of each stage of a build."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._started = perf_counter()

    def __call__(self, stage: str, _done: int, _all: int) -> None:
        """Take one report of progress."""
        self._last[stage] = perf_counter()

    def seconds(self) -> dict[str, float]:
        """The duration of each stage, in the order in which they ran."""
        ends = [self._started, *self._last.values()]
        return {stage: end - before for stage, before, end in zip(self._last, ends, ends[1:], strict=False)}


def embedded_texts(settings: Settings) -> list[str]:
    """The texts that the build embedded, in the order of the index."""
    model_files = ModelFiles.find(settings.model.name)
    index: FaissIndex = open_index(settings.index.folder, Audience.STAFF, model_files.fingerprint(settings.model))
    tokens = ModelTokens(model_files.tokenizer())
    return [
        embedded_text(passage, document.metadata.title, tokens, model_files.limit).text
        for document in index.documents()
        for passage in index.passages(document.passages)
    ]


def write_documents(data: Path, folder: Path, most: int | None) -> None:
    """Each document of the data set as a text file, its title as the first line."""
    folder.mkdir(parents=True)
    for number, document in enumerate(lines(data / "corpus.jsonl")):
        if most is not None and number >= most:
            return
        name = document["_id"].replace("/", "_") + ".txt"
        title = document.get("title", "")
        text = document["text"] if document["text"].startswith(title) else f"{title}\n\n{document['text']}"
        (folder / name).write_text(text, encoding="utf-8", newline="")


def questions(data: Path) -> list[str]:
    """The questions of the data set."""
    return [query["text"] for query in lines(data / "queries.jsonl")]


def lines(path: Path) -> Iterator[dict[str, str]]:
    """The objects of a JSON lines file, which may be compressed."""
    packed = path.with_name(path.name + ".gz")
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    yield from map(json.loads, content.decode().splitlines())


def percentiles(milliseconds: list[float]) -> str:
    """p50, p95 and p99 in words."""
    return ", ".join(f"p{at} {np.percentile(milliseconds, at):.1f} ms" for at in (50, 95, 99))


def timed(work: Callable[[], object]) -> float:
    """How many seconds `work` took."""
    started = perf_counter()
    work()
    return perf_counter() - started


if __name__ == "__main__":
    main()

"""What triage adds to a question, beside encoding: run `python benchmarks/triage.py`."""

from __future__ import annotations

from qa.threads import prefer_one_thread

prefer_one_thread()

import statistics  # noqa: E402 - what is imported from here on reads the environment
from collections.abc import Callable  # noqa: E402 - likewise
from time import perf_counter  # noqa: E402 - likewise

from qa.embed import SentenceEmbedder  # noqa: E402 - likewise
from qa.settings import load_settings  # noqa: E402 - likewise
from qa.triage import MOST_COMPARED, load_reviewed, triage  # noqa: E402 - likewise
from qa.triage.units import units  # noqa: E402 - likewise

SHORT = "can I drive myself home after the infusion?"
STORY = (
    "I have been coming for six weeks and mostly it was fine, my sister drives me, but last time I felt sick on the way"
    " home and could not eat until the evening. My boss keeps asking when I am back and I do not know what to tell her."
    " Is it normal to be tired for two days, and should I have eaten something before? I am sorry for the long message."
)
TIMES = 50


def median(run: Callable[[], object]) -> float:
    """Milliseconds."""
    took = []
    for _ in range(TIMES):
        started = perf_counter()
        run()
        took.append((perf_counter() - started) * 1000)
    return statistics.median(took)


def main() -> None:
    """Print a table."""
    started = perf_counter()
    reviewed = load_reviewed()
    print(f"loading what was learned: {(perf_counter() - started) * 1000:.0f} ms")
    embedder = SentenceEmbedder.load(load_settings().model, threads=1)
    print(f"{'text':<10} {'words alone':>12} {'with model':>12} {'of it encoding':>15} {'triage itself':>14}   (ms)")
    for name, text in (("short", SHORT), ("story", STORY), ("100 kB", "it rained a lot today. " * 4500)):
        parts = [part.text for part in units(reviewed.spelling.sentences(text))][:MOST_COMPARED]
        alone = median(lambda text=text: triage(text, rules=None, embedder=None))
        both = median(lambda text=text: triage(text, rules=None, embedder=embedder))
        encoding = median(lambda parts=parts: embedder.encode(parts))
        print(f"{name:<10} {alone:>12.2f} {both:>12.2f} {encoding:>15.2f} {both - encoding:>14.2f}")


if __name__ == "__main__":
    main()

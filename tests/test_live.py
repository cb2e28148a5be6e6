from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import BY_SIMILARITY, entry, index_of
from conftest import WordEmbedder
from pages import Labels

from qa.audience import Audience
from qa.embed import ModelFingerprint
from qa.errors import IndexCorrupt, ModelError
from qa.index import FaissIndex
from qa.index.generations import publish
from qa.judge import Judge
from qa.web.live import LiveIndex, Serving

JUDGE = Judge(BY_SIMILARITY)


class Generations:
    """Stands for `open_generation`: an index of any generation and audience, or its `problem`, for whom it has one."""

    def __init__(self, opened: FaissIndex) -> None:
        self.opened = opened
        self.asked: list[tuple[str, Audience]] = []
        self.problem: Exception | None = None
        self.problem_for = Audience.PATIENT

    def __call__(self, folder: Path, generation: str, audience: Audience, fingerprint: ModelFingerprint) -> FaissIndex:  # noqa: ARG002
        self.asked.append((generation, audience))
        if self.problem is not None and audience is self.problem_for:
            raise self.problem
        index = object.__new__(FaissIndex)
        index.__dict__.update(self.opened.__dict__)
        index.manifest = replace(self.opened.manifest, generation=generation, audience=audience.value)
        return index


@pytest.fixture
def generations(tmp_path: Path, embedder: WordEmbedder) -> Iterator[Generations]:
    opened = index_of(tmp_path / "opened", [entry("a.md", "driving")], embedder)
    yield Generations(opened)
    opened.close()


@pytest.fixture
def live(
    tmp_path: Path, embedder: WordEmbedder, generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LiveIndex]:
    monkeypatch.setattr("qa.web.live.POLL_SECONDS", 3600.0)  # the tests look themselves
    holder = LiveIndex(tmp_path, lambda: embedder, lambda _serving: None, eligibility_of=Labels, open_one=generations)
    yield holder
    holder.stop()


G1, G2, G3, G4 = (f"2026110{day}T100000.000000Z" for day in (1, 2, 3, 4))


def test_a_published_generation_is_taken_up(tmp_path: Path, live: LiveIndex) -> None:
    """The indexes that the pointer names are opened, and swapped when the pointer moves."""
    publish(tmp_path, G1)
    live.start()
    assert live.wait(10).generation == G1
    before = live.serving
    live.look()
    assert live.serving is before
    publish(tmp_path, G2)
    live.look()
    assert live.serving.generation == G2
    assert before.generation == G1, "a run that took the old one keeps it"


def test_each_audience_has_its_own_index_of_one_generation(
    tmp_path: Path, live: LiveIndex, generations: Generations
) -> None:
    """Patients are given the patients' index and staff the staff's, both of the generation that was named."""
    publish(tmp_path, G1)
    live.start()
    serving = live.wait(10)
    assert generations.asked == [(G1, Audience.PATIENT), (G1, Audience.STAFF)]
    for audience in Audience:
        library = serving.library(audience)
        assert library is not None
        assert isinstance(library.index, FaissIndex)
        assert (library.index.manifest.audience, library.index.generation) == (audience.value, G1)


@pytest.mark.parametrize("audience", list(Audience))
def test_both_indexes_are_taken_up_or_neither(
    tmp_path: Path, live: LiveIndex, generations: Generations, audience: Audience
) -> None:
    """When one audience's index cannot be opened, the other's new one is not used either."""
    publish(tmp_path, G1)
    live.start()
    live.wait(10)
    generations.problem, generations.problem_for = IndexCorrupt("damaged"), audience
    publish(tmp_path, G2)
    live.look()
    assert {each.index.generation for each in live.serving.libraries.values()} == {G1}
    assert len(live.serving.libraries) == 2


def test_labels_are_looked_up_again_and_again(tmp_path: Path, live: LiveIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look refreshes both audiences' labels, but at most a fiftieth of the time goes into it."""
    now = [100.0]
    monkeypatch.setattr("qa.web.live.time.monotonic", lambda: now[0])
    publish(tmp_path, G1)
    live._serving = Serving(WordEmbedder())  # as once the model is loaded
    live.look()
    labels = [library.eligibility for library in live.serving.libraries.values()]
    assert all(isinstance(each, Labels) for each in labels)

    def slow_refresh() -> None:
        now[0] += 0.1

    live.look()
    monkeypatch.setattr(labels[0], "refresh", slow_refresh)
    live.look()
    now[0] += 4.9
    live.look()
    assert labels[1].looks == 2
    now[0] += 0.2
    live.look()
    assert labels[1].looks == 3


def test_a_first_answer_is_warmed_with_everything(
    tmp_path: Path, embedder: WordEmbedder, generations: Generations
) -> None:
    """Before the first visitor an answer is given with model, indexes and judges, and not again for a later index."""
    warmed: list[Serving] = []
    live = LiveIndex(
        tmp_path,
        lambda: embedder,
        warmed.append,
        eligibility_of=Labels,
        judge_of=lambda _index: JUDGE,
        open_one=generations,
    )
    publish(tmp_path, G1)
    live.start()
    serving = live.wait(10)
    live.stop()
    assert warmed == [serving]
    assert serving.embedder == embedder
    assert {library.judge for library in serving.libraries.values()} == {JUDGE}
    publish(tmp_path, G2)
    live.look()
    assert live.serving.generation == G2
    assert len(warmed) == 1


def test_another_judge_is_taken_up(
    tmp_path: Path, embedder: WordEmbedder, generations: Generations, caplog: pytest.LogCaptureFixture
) -> None:
    """A calibration made anew for the live generation counts at the next look, with the same indexes and model."""
    judge = Judge(warnings=("It is not calibrated.",))
    live = LiveIndex(
        tmp_path,
        lambda: embedder,
        lambda _serving: None,
        eligibility_of=Labels,
        judge_of=lambda index: judge if index.manifest.audience == Audience.STAFF else JUDGE,
        open_one=generations,
    )
    live._serving = Serving(embedder)  # as once the model is loaded
    publish(tmp_path, G1)
    live.look()
    first = live.serving
    assert "It is not calibrated." in caplog.text
    judge = JUDGE
    live.look()
    second = live.serving
    assert second.embedder is first.embedder
    for audience, library in second.libraries.items():
        before = first.libraries[audience]
        assert (library.index, library.eligibility) == (before.index, before.eligibility)
        assert library.judge == JUDGE
    live.look()
    assert live.serving is second


def test_a_generation_that_cannot_be_opened_changes_nothing(
    tmp_path: Path, live: LiveIndex, generations: Generations, caplog: pytest.LogCaptureFixture
) -> None:
    """The old index stays in use, the problem is logged once, and a later good generation is taken up."""
    publish(tmp_path, G1)
    live.start()
    live.wait(10)
    generations.problem = IndexCorrupt("a file is not what it was")
    publish(tmp_path, G2)
    live.look()
    live.look()
    assert live.serving.generation == G1
    assert caplog.text.count("a file is not what it was") == 1
    generations.problem = RuntimeError("gone while it was opened")
    publish(tmp_path, G3)
    live.look()
    assert live.serving.generation == G1
    generations.problem = None
    publish(tmp_path, G4)
    live.look()
    assert live.serving.generation == G4


def test_a_lost_pointer_changes_nothing(tmp_path: Path, live: LiveIndex) -> None:
    """An index folder that empties under the running app leaves it answering."""
    publish(tmp_path, G1)
    live.start()
    live.wait(10)
    (tmp_path / "current").unlink()
    live.look()
    assert live.serving.generation == G1


def test_the_first_build_is_taken_up(tmp_path: Path, live: LiveIndex, generations: Generations) -> None:
    """An app that starts before there is an index says so and takes up the first one."""
    generations.problem = IndexCorrupt("nothing here yet")
    live.start()
    assert live.wait(10).generation is None
    assert live.settled
    generations.problem = None
    publish(tmp_path, G1)
    live.look()
    assert live.serving.generation == G1


def test_without_a_model_there_is_no_index(
    tmp_path: Path, generations: Generations, caplog: pytest.LogCaptureFixture
) -> None:
    """A model that cannot be loaded leaves the page without answers, settled, and its reason in the log."""

    def fail() -> WordEmbedder:
        raise ModelError("the model is missing")

    live = LiveIndex(tmp_path, fail, lambda _serving: None, eligibility_of=Labels, open_one=generations)
    with caplog.at_level(logging.ERROR):
        live.start()
        serving = live.wait(10)
    assert (serving.embedder, dict(serving.libraries), live.settled) == (None, {}, True)
    assert "the model is missing" in caplog.text

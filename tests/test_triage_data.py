"""What a clinician runs after changing a file of qa/data/triage."""

from __future__ import annotations

import numpy as np
import pytest

from qa.embed import SentenceEmbedder
from qa.models import Urgency
from qa.settings import Model
from qa.triage import load_reviewed, triage
from qa.triage.examples import DANGERS, read_examples
from qa.triage.learn import learn
from qa.triage.units import as_example

EXAMPLES = read_examples()


def test_what_was_learned_is_of_these_examples() -> None:
    """The examples are those that were learned from: if not, run `clinic-qa triage --learn`."""
    assert load_reviewed().learned.shown


def test_no_example_stands_there_twice() -> None:
    """A sentence has one urgency, so it stands in the examples once."""
    texts = [example.text.casefold() for example in EXAMPLES]
    assert sorted({text for text in texts if texts.count(text) > 1}) == []


def test_there_are_enough_examples_of_each_urgency() -> None:
    """Each language has at least two hundred examples of each urgency."""
    for language in {example.language for example in EXAMPLES}:
        for urgency in Urgency:
            count = sum(1 for each in EXAMPLES if (each.language, each.urgency) == (language, urgency))
            assert count >= 200, (language, urgency)


def test_no_phrase_that_always_counts_stands_in_a_harmless_example() -> None:
    """What always counts is never in an example that is no danger."""
    reviewed = load_reviewed()
    wrong = [
        example.text
        for example in EXAMPLES
        if example.urgency not in DANGERS
        and any(map(reviewed.said_outright, reviewed.spelling.sentences(example.text)))
    ]
    assert wrong == []


def test_nearly_every_example_gets_its_urgency_back() -> None:
    """An example that words alone judge otherwise stands in the wrong file, or too many contradict it."""
    dangers = [example for example in EXAMPLES if example.urgency.is_danger]
    missed = [each.text for each in dangers if not triage(each.text, rules=None, embedder=None).urgency.is_danger]
    assert len(missed) <= len(dangers) / 100, missed


@pytest.mark.model
def test_examples_tell_each_other_apart() -> None:
    """Of a third of the examples, one that is left out of the learning is nearly always judged right by the others."""
    spelling = load_reviewed().spelling
    some = EXAMPLES[::3]
    parts = [as_example(spelling.sentences(example.text)) for example in some]
    vectors = SentenceEmbedder.load(Model(), threads=1).encode([part.text for part in parts])
    fitted = learn([part.words for part in parts], some, vectors, digest="", model="")
    alarmed = fitted.left_out[:, :2].sum(axis=1) >= 0.5
    is_danger = np.array([example.urgency.is_danger for example in some])
    assert alarmed[is_danger].mean() >= 0.9
    assert alarmed[~is_danger].mean() <= 0.08

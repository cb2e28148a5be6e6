from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from builders import passage

from qa.calibrate.asking import is_ambiguous
from qa.calibrate.fitting import (
    Risk,
    Sample,
    Threshold,
    fit,
    held_out_answers,
    held_out_probabilities,
    tally,
    threshold,
    upper_bound,
    weights,
)
from qa.calibrate.made_questions import (
    Section,
    foreign_questions,
    key_words,
    misspelt,
    plain,
    questions_about,
    shortened,
    spread,
    with_lead_in,
)
from qa.calibrate.run import made_for
from qa.confidence import FEATURES, Tally
from qa.embed import ModelFingerprint
from qa.errors import CalibrationError
from qa.models import Evidence
from qa.settings import Answering, Retrieval

SECTION = Section(
    document="after.md",
    title="Aftercare",
    headings=("Aftercare", "2. Driving home after the infusion"),
    own=(10, 80),
    whole=(10, 120),
    texts=("You must not drive until the next morning, after a full night of sleep at home.",),
)


def drawn() -> Random:
    return Random("x")  # noqa: S311 - the same each time, no secrets


def sample(*, strength: float, answerable: bool = True, right: bool | None = None, group: str = "") -> Sample:
    """A question with this strength in each part of its evidence."""
    found = answerable if right is None else right
    return Sample((strength,) * len(FEATURES), answerable, found, group or str(strength), "documents")


def hundred() -> list[Sample]:
    """60 answerable questions whose evidence is mostly stronger than that of 40 others."""
    positives = [sample(strength=0.4 + place / 100, group=f"p{place}") for place in range(60)]
    return positives + [sample(strength=0.1 + place / 100, answerable=False, group=f"n{place}") for place in range(40)]


def test_the_same_section_gives_the_same_questions() -> None:
    """Questions are drawn from the text: different ones, each time the same."""
    first = questions_about(SECTION, 6)
    assert first == questions_about(SECTION, 6)
    assert len({question.text for question in first}) == 6


def test_a_heading_is_answered_below_it_and_a_sentence_in_its_own_section() -> None:
    """Questions of the heading are answered in sub-sections too; those of a sentence are not."""
    spans = {question.span for question in questions_about(SECTION, 2)}
    assert spans == {SECTION.own, SECTION.whole}
    below = passage("after.md", "below", start=100)
    assert [question.answered_by(below) for question in questions_about(SECTION, 2)].count(True) == 1
    assert not any(question.answered_by(passage("other.md", "x", start=20)) for question in questions_about(SECTION, 2))


def test_key_words_leave_out_what_stands_above() -> None:
    """Words of the title and the headings, numbers and words of any question are gone."""
    assert key_words("You must not drive home for 24 hours after ketamine", SECTION) == "must not hours ketamine"


def test_wordings_change_what_people_change() -> None:
    """Capitals and punctuation go; letters are swapped or lost; a story stands around; words are left out."""
    assert plain("Driving home, after?") == "driving home after"
    wrong = misspelt("driving home after", drawn())
    assert wrong != "driving home after"
    assert len(wrong.split()) == 3
    assert "driving home" in with_lead_in("driving home", drawn())
    assert shortened("driving home infusion", drawn()) == "driving home infusion"
    assert len(shortened("alpha beta gamma delta epsilon zeta eta theta", drawn()).split()) == 6


def test_foreign_questions_are_the_clinics_own_where_it_has_some(tmp_path: Path) -> None:
    """A clinic's list takes the packaged one's place; every second question gets a story; comments are none."""
    own = tmp_path / "foreign.txt"
    own.write_text("# ours\nwho won\n\nhow deep is the sea\n", encoding="utf-8")
    first, second = foreign_questions(own, 9)
    assert first == "who won"
    assert "how deep is the sea" in second
    assert second != "how deep is the sea"
    assert len(foreign_questions(None, 50)) == 50


@pytest.mark.parametrize("content", [None, b"# nothing\n", b"\xff\xfe\xff"])
def test_a_list_that_cannot_be_used_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    """A missing, empty or unreadable list says what to do."""
    path = tmp_path / "foreign.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CalibrationError, match="packaged list"):
        foreign_questions(path, 9)


def test_a_spread_keeps_order_and_distance() -> None:
    """Of six, three are every second one; fewer than asked for are all."""
    assert spread([0, 1, 2, 3, 4, 5], 3) == [0, 2, 4]
    assert spread([0, 1], 3) == [0, 1]


def test_a_question_is_ambiguous_when_the_evidence_hardly_falls() -> None:
    """The five measures of words and meaning count on average: small falls together, or a large one alone, tell."""
    evidence = Evidence(0.6, 0.6, 0.6, 0.6, 0.6, 0.1, 1.0, 0.5, 5.0)
    assert is_ambiguous(evidence, replace(evidence, similarity=0.2, margin=0.0))  # 0.08 on average; no margin counts
    assert not is_ambiguous(evidence, replace(evidence, sentence=0.0))  # 0.12
    assert not is_ambiguous(evidence, Evidence(0.48, 0.48, 0.48, 0.48, 0.48, 0.1, 1.0, 0.5, 5.0))  # 0.12 each
    assert is_ambiguous(evidence, Evidence(0.4, 0.8, 0.4, 0.4, 0.6, 0.1, 1.0, 0.5, 5.0))  # what rises makes up for it


def test_weights_give_the_unanswerable_their_share() -> None:
    """Three answerable and one other at a quarter weigh 1 each; at a half the one weighs as much as the three."""
    samples = [sample(strength=0.5), sample(strength=0.6), sample(strength=0.7), sample(strength=0.1, answerable=False)]
    assert weights(samples, 0.25).tolist() == pytest.approx([1, 1, 1, 1])
    assert weights(samples, 0.5).tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])


def test_the_upper_bound_is_clopper_and_pearsons() -> None:
    """Of 45 without an error at 90 %: 1 - 0.1 ** (1 / 45); all wrong is 1."""
    assert upper_bound(0.0, 45, 0.9) == pytest.approx(1 - 0.1 ** (1 / 45))
    assert upper_bound(1.0, 45, 0.9) == 1.0


def sorted_samples(right: list[bool]) -> tuple[list[Sample], np.ndarray]:
    """Answerable questions of a section each, most probable first from 0.9 in steps of 0.001; one other at 0.1."""
    samples = [sample(strength=1.0, right=each, group=str(place)) for place, each in enumerate(right)]
    samples.append(sample(strength=0.0, answerable=False, group="none"))
    return samples, np.array([0.9 - place / 1000 for place in range(len(right))] + [0.1])


def risk(bound: float, samples: list[Sample], certainty: float = 0.9) -> Risk:
    """With this bound, and every sample of weight 1."""
    return Risk(bound, sum(not each.answerable for each in samples) / len(samples), certainty)


def test_the_threshold_lets_in_what_the_bound_bears() -> None:
    """100 right answers above 50 wrong ones: at 5 %, four of these and the one to come are 5 of 105."""
    samples, probabilities = sorted_samples([True] * 100 + [False] * 50)
    assert threshold(samples, probabilities, risk(0.05, samples)) == Threshold(pytest.approx(0.9 - 0.103), tested=False)
    # 11 of 111 at 10 %.
    assert threshold(samples, probabilities, risk(0.1, samples)) == Threshold(pytest.approx(0.9 - 0.109), tested=False)


def test_the_threshold_is_the_lowest_that_keeps_the_bound() -> None:
    """Wrong answers that are made up for further down do not end the search."""
    samples, probabilities = sorted_samples([True] * 20 + [False] * 4 + [True] * 90)
    assert threshold(samples, probabilities, risk(0.05, samples)) == Threshold(pytest.approx(0.9 - 0.113), tested=False)


def test_a_bound_is_confirmed_by_the_binomial_test() -> None:
    """With one wrong of 101 at most 3.8 % are, at 90 % certainty; at 99.9 %, it may be 8.8 %."""
    samples, probabilities = sorted_samples([True] * 100)
    assert threshold(samples, probabilities, risk(0.05, samples)) == Threshold(0.1, tested=True)
    assert threshold(samples, probabilities, risk(0.05, samples, certainty=0.999)) == Threshold(0.1, tested=False)


def test_questions_of_one_section_are_one_piece_of_evidence() -> None:
    """A hundred right answers from three sections do not show that at most 5 % are wrong; from a hundred, they do."""
    samples, probabilities = sorted_samples([True] * 100)
    of_three = [replace(each, group=str(place % 3)) for place, each in enumerate(samples)]
    assert threshold(of_three, probabilities, risk(0.05, samples)) is None
    assert threshold(samples, probabilities, risk(0.05, samples)) is not None


def test_few_answers_bear_no_small_bound() -> None:
    """Nine right answers and the one to come, taken to be wrong, are one of ten: 10 % can be kept, less cannot."""
    samples, probabilities = sorted_samples([True] * 9 + [False] * 9)
    assert threshold(samples, probabilities, risk(0.1, samples)) == Threshold(pytest.approx(0.892), tested=False)
    assert threshold(samples, probabilities, risk(0.099, samples)) is None


def test_a_threshold_that_answers_almost_nothing_is_none() -> None:
    """Twenty sure answers keep 5 %, but of a hundred questions they are too few to be of use."""
    samples, probabilities = sorted_samples([True] * 20 + [False] * 60)
    assert threshold(samples, probabilities, risk(0.05, samples)) == Threshold(pytest.approx(0.881), tested=False)
    samples, probabilities = sorted_samples([True] * 20 + [False] * 80)
    assert threshold(samples, probabilities, risk(0.05, samples)) is None


def test_where_the_surest_answers_are_wrong_there_is_no_threshold() -> None:
    """Evidence that tells nothing apart keeps no bound, however strict the threshold."""
    samples, probabilities = sorted_samples([False] * 50)
    assert threshold(samples, probabilities, risk(0.05, samples)) is None


def test_a_fit_never_lowers_a_probability_for_more_evidence() -> None:
    """Even where less evidence was right in the sample, no coefficient is below 0."""
    backwards = [replace(each, right=not each.right, answerable=not each.answerable) for each in hundred()]
    assert min(fit(backwards, 0.4).coefficients) == 0.0
    rule = fit(hundred(), 0.4)
    assert rule.probability_of((0.9,) * len(FEATURES)) > 0.9
    assert rule.probability_of((0.1,) * len(FEATURES)) < 0.3


def test_held_out_questions_are_measured() -> None:
    """Each question is judged by a regression and a threshold of other folds; the same samples give the same."""
    samples = hundred()
    asked = Risk(0.1, 0.4, 0.8)
    probabilities = held_out_probabilities(samples, asked.unanswerable)
    assert probabilities.tolist() == held_out_probabilities(samples, asked.unanswerable).tolist()
    counted = tally(samples, held_out_answers(samples, probabilities, asked))
    assert (counted.answerable, counted.unanswerable, counted.wrong) == (60, 40, 0)
    assert counted.answered >= 40
    assert counted.unanswerable_answered <= 8


def test_a_tally_counts_by_hand() -> None:
    """One right, one wrong, one refused; one of two without an answer was answered."""
    samples = [
        sample(strength=0.9),
        sample(strength=0.8, right=False),
        sample(strength=0.2),
        sample(strength=0.7, answerable=False),
        sample(strength=0.1, answerable=False),
    ]
    expected = Tally(answerable=3, answered=2, wrong=1, unanswerable=2, unanswerable_answered=1)
    assert tally(samples, np.array([True, True, False, True, False])) == expected


def test_a_calibration_is_for_one_model_corpus_and_settings(tmp_path: Path) -> None:
    """The digest changes with each of them and with a named file's content, and with nothing else."""
    fingerprint = ModelFingerprint("m", "0" * 64, "float32")
    own = tmp_path / "foreign.txt"
    own.write_text("one\n", encoding="utf-8")
    answering = Answering(foreign_questions=own)
    first = made_for(fingerprint, "corpus", {"k1": 0.9}, Retrieval(), answering)
    assert first == made_for(fingerprint, "corpus", {"k1": 0.9}, Retrieval(top=9), answering)
    others = {
        made_for(replace(fingerprint, digest="1" * 64), "corpus", {"k1": 0.9}, Retrieval(), answering),
        made_for(fingerprint, "another", {"k1": 0.9}, Retrieval(), answering),
        made_for(fingerprint, "corpus", {"k1": 1.2}, Retrieval(), answering),
        made_for(fingerprint, "corpus", {"k1": 0.9}, Retrieval(candidates=9), answering),
        made_for(fingerprint, "corpus", {"k1": 0.9}, Retrieval(), Answering(foreign_questions=own, most_wrong=0.1)),
    }
    own.write_text("two\n", encoding="utf-8")
    others.add(made_for(fingerprint, "corpus", {"k1": 0.9}, Retrieval(), answering))
    assert len(others - {first}) == 6

"""Scores worked out by hand.

Every passage here has as many terms as the others, its title among them, so that BM25 does not look at lengths: a term
that stands t times scores t / (t + 0.9) of its idf.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path

import numpy as np
import pytest
from builders import entry, index_of
from conftest import WordEmbedder

from qa.glossary import Glossary
from qa.models import Placing
from qa.retrieve.query import read_query
from qa.retrieve.score import Ranked, late_interaction, rank
from qa.settings import Retrieval

SETTINGS = Retrieval()
WEIGHT = SETTINGS.words_weight
ONCE, TWICE = 1 / 1.9, 2 / 2.9  # of a term's idf, for a passage that has it once or twice

Rank = Callable[..., Ranked]


@pytest.fixture
def ranked(tmp_path: Path, embedder: WordEmbedder) -> Rank:
    """How these texts, each a document of its own, are ranked for a question."""

    def rank_documents(
        question: str, *texts: str, settings: Retrieval = SETTINGS, mask: list[bool] | None = None
    ) -> Ranked:
        index = index_of(tmp_path / "index", [entry(f"x{n}", text) for n, text in enumerate(texts)], embedder)
        query = read_query(question, index=index, embedder=embedder, glossary=Glossary({}))
        return rank(query, index=index, mask=None if mask is None else np.array(mask), settings=settings)

    return rank_documents


def numbers(found: Ranked) -> list[int]:
    return [candidate.number for candidate in found.compared]


def test_a_score_is_made_of_all_its_signals(ranked: Rank) -> None:
    """Similarity, half of asking, and the words' part, which counts as far as the words can be trusted."""
    found = ranked("driving", "driving cost", "driving driving", "nausea nausea")
    twice, once, other = found.compared
    assert numbers(found) == [1, 0, 2]
    # "driving" in all: cosine 1; in half: 1/√2. Of its idf the passages have 2/2.9 and 1/1.9.
    assert twice.signals.similarity == pytest.approx(1)
    assert once.signals.similarity == pytest.approx(1 / 2**0.5, abs=1e-3)
    assert [each.signals.asking for each in found.compared] == [each.signals.similarity for each in found.compared]
    assert [each.signals.words for each in found.compared] == pytest.approx([TWICE, ONCE, 0])
    assert [each.signals.late for each in found.compared] == pytest.approx([1, 1, 0], abs=1e-5)
    assert [each.signals.sentence for each in found.compared] == pytest.approx([1, 1, 0], abs=1e-5)
    trust = (2 * TWICE) ** 2
    assert found.trust == pytest.approx(trust)
    assert twice.score == pytest.approx(1 + 1 / 2 + WEIGHT * trust * (TWICE + 1 + 2), abs=1e-3)
    assert once.score == pytest.approx(1.5 / 2**0.5 + WEIGHT * trust * (ONCE + 1 + 2), abs=2e-3)
    assert other.score == pytest.approx(0, abs=1e-3)


def test_one_sentence_of_a_story_asks(ranked: Rank) -> None:
    """Asking is the best cosine of one sentence, however little the whole question resembles the passage."""
    found = ranked("Nausea nausea nausea nausea. Cost cost cost cost?", "cost", "driving")
    first = found.compared[0]
    # The whole question is half nausea and half cost; its second sentence is nothing but cost.
    assert first.number == 0
    assert first.signals.similarity == pytest.approx(1 / 2**0.5, abs=1e-3)
    assert first.signals.asking == pytest.approx(1)
    # Of two passages one has "cost" and none has "nausea": idf ln 2 and ln 6. Words count the latter as missing; late
    # interaction looks only for words that some passage has.
    known = log(2) / (log(2) + log(6))
    assert first.signals.words == pytest.approx(known * ONCE)
    assert (first.signals.late, first.signals.sentence) == (pytest.approx(1, abs=1e-5), pytest.approx(1, abs=1e-5))
    trust = (2 * known * ONCE) ** 2
    assert found.trust == pytest.approx(trust)
    expected = 1 / 2**0.5 + 1 / 2 + WEIGHT * trust * (known * ONCE + 1 + 2)
    assert first.score == pytest.approx(expected, abs=1e-3)


def test_words_of_one_sentence_count_more_than_scattered_ones(ranked: Rank) -> None:
    """Late interaction finds words anywhere in a passage; the sentence signal wants them together."""
    found = ranked("nausea cost", "Nausea and driving. Cost and driving.", "Driving and driving. Nausea and cost.")
    together, scattered = found.compared
    assert numbers(found) == [1, 0]
    assert [each.signals.late for each in found.compared] == pytest.approx([1, 1], abs=1e-5)
    # Both words stand in both passages and tell the same: one of them is half of the question.
    assert [each.signals.sentence for each in found.compared] == pytest.approx([1, 0.5], abs=1e-5)
    assert together.signals.words == scattered.signals.words == pytest.approx(ONCE)
    assert together.signals.similarity == scattered.signals.similarity
    assert together.score - scattered.score == pytest.approx(WEIGHT * found.trust * 2 * 0.5, abs=1e-4)


def test_words_near_in_meaning_count_in_late_interaction(ranked: Rank) -> None:
    """A word of the question comes as near as the nearest word of the passage, the same or not."""
    # To this embedder any two words that it does not know are the same.
    found = ranked("parking", "garage", "driving", "parking")
    assert [(each.number, each.signals.words > 0) for each in found.compared] == [(2, True), (0, False), (1, False)]
    assert [each.signals.late for each in found.compared] == pytest.approx([1, 1, 0], abs=1e-5)


def test_what_stands_in_front_is_no_sentence(tmp_path: Path, embedder: WordEmbedder) -> None:
    """Title and headings count in late interaction, and in no sentence."""
    documents = [entry("x", "Cost. Driving."), entry("y", "Cost of nausea.")]
    index = index_of(tmp_path / "index", documents, embedder, front="Nausea\n")
    query = read_query("nausea cost", index=index, embedder=embedder, glossary=Glossary({}))
    whole, sentence = late_interaction(query, index, [0, 1])
    # "nausea" is a word of one passage and tells ln 2, "cost" of both and tells ln 1.2.
    cost = log(1.2) / (log(1.2) + log(2))
    assert whole.tolist() == pytest.approx([1, 1], abs=1e-5)
    assert sentence.tolist() == pytest.approx([cost, 1], abs=1e-5)


def test_a_question_without_information_is_ranked_by_meaning(ranked: Rank) -> None:
    """Where no word tells anything, words have no trust and nothing is divided by nothing."""
    found = ranked("what is it?", "driving", "parking")
    # To this embedder the question is a word that it does not know, and so is "parking".
    assert [(each.number, each.score) for each in found.compared] == [
        (1, pytest.approx(1.5)),
        (0, pytest.approx(0)),
    ]
    assert found.trust == 0
    assert found.agreement == 0


def test_unknown_words_have_no_trust(ranked: Rank) -> None:
    """When no passage has a word of the question, all that counts is meaning."""
    found = ranked("zebra", "driving parking", "driving cost")
    assert found.trust == 0
    assert [each.score for each in found.compared] == [
        pytest.approx(1.5 * each.signals.similarity) for each in found.compared
    ]


def test_no_words_weight_is_meaning_alone(ranked: Rank) -> None:
    """With a weight of 0 the words' part is not there."""
    found = ranked("driving", "driving cost", "driving driving", settings=Retrieval(words_weight=0))
    assert [each.score for each in found.compared] == pytest.approx([1.5, 1.5 / 2**0.5], abs=1e-3)


def test_a_candidate_knows_its_places(ranked: Rank) -> None:
    """Places and scores of both searches are kept; a passage without any word of the question has none by words."""
    found = ranked("driving", "driving cost", "driving driving", "nausea nausea")
    twice, once, other = found.compared
    assert twice.dense == Placing(1, pytest.approx(1))
    assert once.dense == Placing(2, pytest.approx(1 / 2**0.5, abs=1e-3))
    idf = log(1 + 1.5 / 2.5)  # in two of three passages
    assert twice.lexical == Placing(1, pytest.approx(idf * TWICE))
    assert once.lexical == Placing(2, pytest.approx(idf * ONCE))
    assert other.dense == Placing(3, pytest.approx(0))
    assert other.lexical is None


def test_ties_go_to_the_passage_that_stands_earlier(ranked: Rank) -> None:
    """Of equals the first in the corpus comes first, whatever else is ranked."""
    found = ranked("driving", "nausea", "driving", "driving", "nausea")
    assert numbers(found) == [1, 2, 0, 3]


def test_only_the_best_are_compared_word_by_word(ranked: Rank) -> None:
    """Beyond `compared` the candidates keep the order of meaning and counted words, after those compared."""
    texts = ["cost cost", "driving cost", "driving driving", "driving nausea"]
    found = ranked("driving", *texts, settings=Retrieval(compared=2))
    assert numbers(found) == [2, 1]
    assert found.ranking.tolist() == [2, 1, 3, 0]


def test_each_search_gives_candidates_of_its_own(ranked: Rank) -> None:
    """What one search alone finds is compared like the rest, and has no place in the other."""
    texts = ["driving driving", "driving nausea", "cost nausea"]
    found = ranked("driving driving cost", *texts, settings=Retrieval(candidates=1))
    by_number = {candidate.number: candidate for candidate in found.compared}
    # By meaning the first comes first, with 2/√5. By words the last does, as "cost" stands nowhere else.
    assert by_number.keys() == {0, 2}
    assert by_number[0].dense == Placing(1, pytest.approx(2 / 5**0.5, abs=1e-3))
    assert by_number[0].lexical is None
    assert by_number[2].dense is None
    assert by_number[2].lexical == Placing(1, pytest.approx(log(1 + 2.5 / 1.5) * ONCE))
    assert by_number[2].signals.similarity == pytest.approx(1 / 10**0.5, abs=1e-3)
    assert found.agreement == 0


def test_masked_passages_are_no_candidates(ranked: Rank) -> None:
    """What may not be shown is neither ranked nor compared, and does not raise the trust of words."""
    found = ranked("driving", "driving cost", "driving driving", "nausea nausea", mask=[True, False, True])
    assert found.ranking.tolist() == [0, 2]
    assert found.trust == pytest.approx((2 * ONCE) ** 2)


def test_nothing_to_rank_is_nothing(ranked: Rank) -> None:
    """Without candidates there is no ranking, no trust and no agreement."""
    found = ranked("driving", "driving", mask=[False])
    assert (found.ranking.tolist(), found.compared, found.trust, found.agreement) == ([], (), 0, 0)


@pytest.mark.parametrize(
    ("question", "agreement"),
    # By meaning all three passages are found; by words those with a word of the question.
    [("driving", 2 / 3), ("driving nausea", 1), ("zebra", 0)],
)
def test_agreement_is_what_both_searches_find_first(ranked: Rank, question: str, agreement: float) -> None:
    """The part of the first ten by meaning that are among the first ten by words."""
    found = ranked(question, "driving cost", "driving driving", "nausea nausea")
    assert found.agreement == pytest.approx(agreement)


def test_agreement_looks_at_ten(ranked: Rank) -> None:
    """Passages beyond the tenth place of a search do not count."""
    found = ranked("driving", *["driving"] * 10, *["driving cost"] * 10)
    assert found.agreement == 1


def test_no_signal_leaves_its_bounds(ranked: Rank, embedder: WordEmbedder) -> None:
    """Words, late and sentence lie between 0 and 1, however often a passage repeats the question."""
    found = ranked("Driving driving cost?", "driving cost " * 50, "cost", "nausea. Driving! Cost…", embedder.WORDS[0])
    for candidate in found.compared:
        signals = candidate.signals
        for value in (signals.words, signals.late, signals.sentence):
            assert 0 <= value <= 1 + 1e-5

"""A clinic's own questions, asked of its live index, and what became of each.

hit@k: of the questions that have an answer, those for which one of the first k passages found stands in a place that
answers, whether or not an answer would have shown it. *answered*: of the same questions, those that got an answer.
*wrong*: of everything that got an answer, that whose first three passages hold no place that answers; an answer where
nothing answers is always wrong. *refused*: of the questions that nothing answers, those that got no answer.
*auroc*: how often a question that has an answer gets a higher probability than one that has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from qa.answer import Library, answer
from qa.audience import Audience
from qa.clock import Clock
from qa.embed import Embedder
from qa.evaluate.answerability import Judged, auroc_estimate
from qa.evaluate.asking import guarded
from qa.evaluate.bootstrap import Estimate, estimate
from qa.index.contract import PassageIndex
from qa.models import Citation
from qa.questions import LabelledQuestion, unknown_places
from qa.retrieve import retrieve
from qa.settings import Settings

_HIT_AT = (1, 3, 5)
_LOOKED_AT = 3  # passages of an answer that a person reads
METRICS = (*(f"hit@{k}" for k in _HIT_AT), "answered", "wrong", "refused")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question.

    `place` is the first rank, from 1, of a passage found that stands in a place that answers, among the first five.
    `right` is whether one of the first three passages shown does. `shown` are the documents and headings of all
    passages shown. `probability` is the rule's that the first three passages found answer, pinned or not; None where
    the question was not looked up. After a crash, which `crash` names, nothing was found or shown.
    """

    question: LabelledQuestion
    place: int | None = None
    answered: bool = False
    right: bool = False
    shown: tuple[tuple[str, ...], ...] = ()
    probability: float | None = None
    crash: str = ""

    def scores(self) -> dict[str, float]:
        """0 or 1 for each metric that this question counts in."""
        scores: dict[str, float] = {}
        if self.question.places:
            scores |= {f"hit@{k}": float(self.place is not None and self.place <= k) for k in _HIT_AT}
            scores["answered"] = float(self.answered)
        else:
            # A crash is no decision to refuse.
            scores["refused"] = float(not self.answered and not self.crash)
        if self.answered:
            scores["wrong"] = float(not self.right)
        return scores

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        content = asdict(self)
        question = content.pop("question")
        return {**question, **content}


def ask_labelled(
    questions: Iterable[LabelledQuestion],
    audience: Audience,
    *,
    library: Library,
    embedder: Embedder,
    settings: Settings,
    clock: Clock,
) -> tuple[Outcome, ...]:
    """Ask the questions of one audience of its documents, as they may be shown now."""
    index, judge = library.index, library.judge
    titles = {document.id: document.metadata.title for document in index.documents()}
    mask = library.eligibility.mask(clock().date())
    # What staff see beside the guidance whatever was asked is no answer.
    clinic = settings.clinic.model_copy(update={"emergency_protocol": ""})
    settings = settings.model_copy(update={"clinic": clinic})

    def ask(question: LabelledQuestion) -> Outcome:
        found = retrieve(
            question.text,
            index=index,
            embedder=embedder,
            mask=mask,
            settings=settings.retrieval,
            top=max(_HIT_AT),
            reranker=judge.reranker,
        )
        ranks = [
            rank
            for rank, hit in enumerate(found.hits, start=1)
            for passage in (hit.passage, *hit.also_in)
            if any(place.holds(passage, titles[passage.document_id]) for place in question.places)
        ]
        reply = answer(question.text, audience, library=library, embedder=embedder, settings=settings, clock=clock)
        citations = [passage.citation for passage in reply.passages]
        return Outcome(
            question=question,
            place=min(ranks, default=None),
            answered=bool(citations),
            right=any(_answers(citation, question) for citation in citations[:_LOOKED_AT]),
            shown=tuple((citation.document, *citation.section) for citation in citations),
            probability=reply.confidence,
        )

    return tuple(
        guarded(ask, question, lambda crash, asked: Outcome(asked, crash=crash))
        for question in questions
        if question.audience is audience
    )


def summarise(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """Each metric that any of these questions counts in, in the order of `METRICS`."""
    scores = [outcome.scores() for outcome in outcomes]
    estimates = {name: estimate([each[name] for each in scores if name in each]) for name in METRICS}
    return {name: value for name, value in estimates.items() if value is not None}


def by_kind(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Estimate]]:
    """The same for each kind of question by itself, in alphabetical order."""
    kinds = sorted({outcome.question.kind for outcome in outcomes if outcome.question.kind})
    return {kind: summarise([outcome for outcome in outcomes if outcome.question.kind == kind]) for kind in kinds}


def judged(outcomes: Sequence[Outcome]) -> tuple[Judged, ...]:
    """The questions that were looked up, with whether one of the first three passages found answers."""
    return tuple(
        Judged(outcome.probability, outcome.place is not None and outcome.place <= _LOOKED_AT)
        for outcome in outcomes
        if outcome.probability is not None
    )


def answerable_auroc(outcomes: Sequence[Outcome]) -> Estimate | None:
    """The AUROC of the probability, over the questions looked up; None without questions of both sorts."""
    looked_up = [(each.probability, bool(each.question.places)) for each in outcomes if each.probability is not None]
    return auroc_estimate([probability for probability, _ in looked_up], [has for _, has in looked_up])


def gate_scores(audience: Audience, estimates: dict[str, Estimate]) -> dict[str, float]:
    """The means as the gate takes them: more is better, so "wrong" becomes "right"."""
    return {
        f"{audience}.{'right' if name == 'wrong' else name}": 1 - value.mean if name == "wrong" else value.mean
        for name, value in estimates.items()
    }


def stale_places(questions: Sequence[LabelledQuestion], index: PassageIndex) -> tuple[str, ...]:
    """A sentence for each place that the index does not have: its document went, or its heading has another name."""
    return tuple(
        f"{question.text!r}: there is no {place}" for question, place in unknown_places(questions, _headings(index))
    )


def _headings(index: PassageIndex) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    for document in index.documents():
        paths = {passage.headings for passage in index.passages(document.passages)}
        title = document.metadata.title
        yield document.id, [(title,), *((title, *path) for path in sorted(paths))]


def _answers(citation: Citation, question: LabelledQuestion) -> bool:
    return any(
        place.covers(source.document, (source.title, *source.section))
        for source in (citation, *citation.also_in)
        for place in question.places
    )

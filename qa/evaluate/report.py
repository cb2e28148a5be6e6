"""What an evaluation found, for people and for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from qa.evaluate.answerability import Panel
from qa.evaluate.bootstrap import Estimate
from qa.evaluate.floors import Digests
from qa.evaluate.labelled import Outcome, judged
from qa.evaluate.removal import Removal
from qa.walk import safe

Estimates = Mapping[str, Estimate]

_MOST_LINES = 40  # of one kind; --json gives all


class Report(Protocol):
    """An evaluation that can be printed and held against floors."""

    @property
    def digests(self) -> Digests:
        """What was asked of what."""
        ...

    def gate(self) -> dict[str, float]:
        """Each score that a floor can be set for; in all of them more is better."""
        ...

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        ...

    def as_text(self) -> str:
        """For people."""
        ...

    def panels(self) -> tuple[Panel, ...]:
        """What `--plots` draws."""
        ...


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """One test collection. `ranking` has the estimates of "plain" and "condensed" scores, by metric.

    `left_out` counts, for each ranking metric, the judged questions without any gain or relevant document. `latency`
    gives the percentiles p50 and p95 of a whole answer in milliseconds. `longest` is the most model tokens of a passage
    returned, of which `most_tokens` are allowed. `removal` is None where no article can be removed, and `bound` the
    share of answers that may be wrong by the settings. `scores` has each question's scores by metric. `notes` are
    sentences about the data, `crashes` one for each question that failed.
    """

    name: str
    digests: Digests
    questions: int
    documents: int
    passages: int
    built: bool
    ranking: Mapping[str, Estimates]
    left_out: Mapping[str, int]
    spans: Estimates
    answered: Estimate | None
    latency: Mapping[str, float]
    longest: int
    most_tokens: int
    removal: Removal | None
    bound: float
    scores: Mapping[str, Mapping[str, float]] = field(repr=False)
    notes: tuple[str, ...] = ()
    crashes: tuple[str, ...] = ()

    def gate(self) -> dict[str, float]:
        """The means of all ranking and span metrics."""
        ranking = {
            f"{name} {kind}": value.mean for kind, values in self.ranking.items() for name, value in values.items()
        }
        return ranking | {name: value.mean for name, value in self.spans.items()}

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "data": self.name,
            "questions_digest": self.digests.questions,
            "corpus_digest": self.digests.corpus,
            "questions": self.questions,
            "documents": self.documents,
            "passages": self.passages,
            "built": self.built,
            "ranking": {kind: _json(values) for kind, values in self.ranking.items()},
            "left_out": dict(self.left_out),
            "spans": _json(self.spans),
            "answered": self.answered.as_json() if self.answered else None,
            "latency_ms": dict(self.latency),
            "longest_passage_tokens": self.longest,
            "removal": self.removal.as_json() if self.removal else None,
            "notes": list(self.notes),
            "crashes": list(self.crashes),
            "by_question": {query: dict(scores) for query, scores in self.scores.items()},
        }

    def as_text(self) -> str:
        """A table of means with their 95 % intervals, and what to know about them."""
        origin = "built now" if self.built else "from the cache"
        lines = [
            f"{self.name}: {self.questions} questions, {self.documents} documents, "
            f"{self.passages} passages (index {origin})",
        ]
        if self.ranking:
            plain, condensed = self.ranking["plain"], self.ranking["condensed"]
            lines += ["", f"  {'ranking':<14}{'plain':<26}{'condensed':<26}{'questions':>9}{'left out':>10}"]
            for name, left_out in self.left_out.items():
                count = plain[name].count if name in plain else 0
                lines.append(f"  {name:<14}{_cell(plain, name)}{_cell(condensed, name)}{count:>9}{left_out:>10}")
        if self.spans:
            lines += ["", f"  {'answer spans':<14}{'':<26}{'questions':>9}"]
            lines += [f"  {name:<14}{value!s:<26}{value.count:>9}" for name, value in self.spans.items()]
            lines += ["", f"  longest returned passage: {self.longest} tokens (at most {self.most_tokens} are allowed)"]
        if self.removal is not None:
            for name, value in (("cross-fitted", self.removal.auroc), ("top cosine", self.removal.by_cosine)):
                lines.append(f"  {f'auroc present/removed ({name})':<38}{value} on {self.removal.questions} questions")
        lines.append("")
        if self.answered is not None:
            lines.append(f"  {'answered, uncalibrated':<24}{self.answered!s:<26}{self.answered.count:>9}")
        if self.latency:
            lines.append(f"  {'latency':<14}" + ", ".join(f"{at} {ms:.1f} ms" for at, ms in self.latency.items()))
        return "\n".join([*lines, *_section("Crashed", self.crashes), *_section("Notes", self.notes)])

    def panels(self) -> tuple[Panel, ...]:
        """One, of the questions with their article and without."""
        if self.removal is None:
            return ()
        return (
            Panel(f"{self.name}, with and without the article (cross-fitted)", self.removal.judged, None, self.bound),
        )


@dataclass(frozen=True, slots=True)
class AudienceReport:
    """One audience's own questions: all of them, by kind, and what became of each.

    `auroc` is that of answerable questions against the others, None without both; `threshold` that of the rule in use.
    """

    estimates: Estimates
    by_kind: Mapping[str, Estimates]
    outcomes: tuple[Outcome, ...]
    auroc: Estimate | None
    threshold: float


@dataclass(frozen=True, slots=True)
class QuestionsReport:
    """A clinic's own questions, by audience. `scores` are what floors can be set for. `notes` are sentences.

    `bound` is the share of answers that may be wrong by the settings.
    """

    digests: Digests
    generation: str
    audiences: Mapping[str, AudienceReport]
    scores: Mapping[str, float]
    bound: float
    notes: tuple[str, ...] = ()

    def gate(self) -> dict[str, float]:
        """The means by audience, with "wrong" turned into "right"."""
        return dict(self.scores)

    def as_json(self) -> dict[str, object]:
        """For `--json`; lists every question with what happened."""
        return {
            "questions_digest": self.digests.questions,
            "corpus_digest": self.digests.corpus,
            "generation": self.generation,
            "audiences": {
                audience: {
                    "metrics": _json(report.estimates),
                    "auroc": report.auroc.as_json() if report.auroc else None,
                    "threshold": report.threshold,
                    "by_kind": {kind: _json(values) for kind, values in report.by_kind.items()},
                    "questions": [outcome.as_json() for outcome in report.outcomes],
                }
                for audience, report in self.audiences.items()
            },
            "notes": list(self.notes),
        }

    def as_text(self) -> str:
        """For each audience its metrics, all together and by kind, and the questions that went wrong."""
        lines: list[str] = []
        crashes: list[str] = []
        for audience, report in self.audiences.items():
            lines += [f"{audience}: {len(report.outcomes)} questions", *_table(report.estimates)]
            if report.auroc is not None:
                lines += _table({"auroc": report.auroc})
            for kind, values in report.by_kind.items():
                lines += ["", f"  {safe(kind)}", *_table(values)]
            wrong = [outcome for outcome in report.outcomes if outcome.answered and not outcome.right]
            lines += _section("  Answered wrongly", [outcome.question.text for outcome in wrong])
            refused = [outcome for outcome in report.outcomes if outcome.question.places and not outcome.answered]
            lines += [*_section("  Not answered", [outcome.question.text for outcome in refused]), ""]
            crashes += [f"{each.question.text}: {each.crash}" for each in report.outcomes if each.crash]
        return "\n".join([*lines, *_section("Crashed", crashes), *_section("Notes", self.notes)]).rstrip()

    def panels(self) -> tuple[Panel, ...]:
        """One for each audience."""
        return tuple(
            Panel(audience, judged(report.outcomes), report.threshold, self.bound)
            for audience, report in self.audiences.items()
        )


def _json(estimates: Estimates) -> dict[str, object]:
    return {name: value.as_json() for name, value in estimates.items()}


def _cell(estimates: Estimates, name: str) -> str:
    return f"{estimates.get(name, '-')!s:<26}"


def _table(estimates: Estimates) -> list[str]:
    return [f"    {name:<10}{value!s:<26}{value.count:>5} questions" for name, value in estimates.items()]


def _section(title: str, entries: Sequence[str]) -> list[str]:
    if not entries:
        return []
    shown = [f"  {safe(entry)}" for entry in entries[:_MOST_LINES]]
    if len(entries) > _MOST_LINES:
        shown.append(f"  … and {len(entries) - _MOST_LINES} more; --json prints all.")
    return ["", f"{title} ({len(entries)}):", *shown]

"""The command that asks a question."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypedDict

import click

from qa.cli.shared import (
    corpus_option,
    explained,
    index_option,
    json_option,
    settings_of,
    settings_option,
)

if TYPE_CHECKING:
    from qa.answer import Library
    from qa.audience import Audience
    from qa.clock import Clock
    from qa.embed import Embedder
    from qa.models import Answer
    from qa.settings import Settings


@click.command()
@click.argument("words", nargs=-1, metavar="QUESTION")
@click.option("--audience", type=click.Choice(["patient", "staff"]), default="patient", show_default=True)
@click.option("--top", type=click.IntRange(1, 50), help="How many passages.  [default: retrieval.top]")
@click.option("--batch", type=click.File("rb"), help='A file of lines {"id": …, "question": …}.')
@click.option("--explain", is_flag=True, help="Say for every candidate how it came to its place, and why it is shown.")
@settings_option
@corpus_option
@index_option
@json_option
@explained
def ask(
    words: tuple[str, ...],
    audience: str,
    top: int | None,
    batch: BinaryIO | None,
    settings_file: Path | None,
    corpus: Path | None,
    index_folder: Path | None,
    *,
    explain: bool,
    as_json: bool,
) -> None:
    """Ask a question; passages from the documents come back, with their sources.

    A QUESTION of "-" is read from standard input, and so stands neither in the shell's history nor in the list of
    processes. With --batch, one JSON object for each line of the file, in order.
    """
    from qa.answer import answer, answer_json
    from qa.audience import Audience
    from qa.clock import clinic_clock
    from qa.errors import QAError
    from qa.journal import Journal
    from qa.report import answer_text

    question = sys.stdin.read() if words == ("-",) else " ".join(words)
    if bool(words) == (batch is not None):
        raise click.UsageError("Give either a question or --batch FILE.")
    if batch is not None and explain:
        raise click.UsageError("--explain takes one question.")
    if batch is not None and not as_json:
        raise click.UsageError("--batch prints JSON: add --json.")
    settings = settings_of(settings_file, corpus, index_folder)

    def show(reply: Answer) -> None:
        click.echo(json.dumps(answer_json(reply), ensure_ascii=False) if as_json else answer_text(reply, settings))

    clock = clinic_clock(settings.clinic.timezone)
    try:
        asking = _asking(settings, Audience(audience), clock, top)
    except (QAError, OSError):
        # Whatever is missing: somebody in danger is told first whom to call.
        alone = answer(question, Audience(audience), library=None, embedder=None, settings=settings, clock=clock)
        if alone.triaged.urgency.is_danger:
            show(alone)
        raise
    if explain:
        from qa.explain import explain as explain_question
        from qa.explain_text import explanation_text

        explanation = explain_question(question, Audience(audience), **asking)
        click.echo(json.dumps(explanation.as_json(), ensure_ascii=False) if as_json else explanation_text(explanation))
        return
    if batch is None:
        reply = answer(question, Audience(audience), **asking)
        Journal(settings, clock).record(reply)
        for warning in asking["library"].judge.warnings if audience == "staff" else ():
            click.echo(warning, err=True)
        show(reply)
        return
    for number, line in enumerate(batch, start=1):
        if line.strip():
            identifier, asked = _batch_line(line, number)
            reply = answer(asked, Audience(audience), **asking)
            click.echo(json.dumps({"id": identifier, **answer_json(reply)}, ensure_ascii=False))


class _Asking(TypedDict):
    """What `answer` takes besides the question and who asks."""

    library: Library
    embedder: Embedder
    settings: Settings
    clock: Clock
    top: int | None


def _asking(settings: Settings, audience: Audience, clock: Clock, top: int | None) -> _Asking:
    """Index, model and labels, opened and looked at once."""
    import gc

    from qa.answer import Library
    from qa.embed import ModelFiles, SentenceEmbedder
    from qa.index import open_index
    from qa.judge import open_judge
    from qa.live_labels import LiveLabels
    from qa.retrieve.rerank import load_reranker

    model_files = ModelFiles.find(settings.model.name)
    index = open_index(settings.index.folder, audience, model_files.fingerprint(settings.model))
    embedder = SentenceEmbedder.load(settings.model, model_files, threads=1)
    judge = open_judge(index, settings, load_reranker(settings.retrieval, settings.model))
    library = Library(index, LiveLabels(index, settings, clock), judge)
    gc.collect()
    gc.freeze()
    return _Asking(library=library, embedder=embedder, settings=settings, clock=clock, top=top)


def _batch_line(line: bytes, number: int) -> tuple[object, str]:
    from qa.errors import QAError

    expected = '{"id": …, "question": "…"}'
    try:
        content = json.loads(line.decode("utf-8-sig"))
        identifier, question = content["id"], content["question"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        found = type(error).__name__
        raise QAError(f"line {number} of the batch cannot be used", found=found, expected=expected) from error
    if not isinstance(question, str):
        found = f"a question that is {type(question).__name__}"
        raise QAError(f"line {number} of the batch cannot be used", found=found, expected=expected)
    return identifier, question

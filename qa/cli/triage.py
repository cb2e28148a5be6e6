"""The command that says how urgent a text is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from qa.cli.shared import explained, json_option, settings_of, settings_option

if TYPE_CHECKING:
    from qa.embed import Embedder
    from qa.models import Triaged
    from qa.settings import Settings


@click.command()
@click.argument("words", nargs=-1, metavar="TEXT")
@click.option("--batch", type=click.File("rb"), help='A file of lines {"id": …, "text": "…"}; - reads standard input.')
@click.option("--patterns-only", is_flag=True, help="Without the model, as when it fails.")
@click.option("--learn", "learns", is_flag=True, help="Learn from the examples, after they have changed.")
@settings_option
@json_option
@explained
def triage(
    words: tuple[str, ...],
    batch: BinaryIO | None,
    settings_file: Path | None,
    *,
    patterns_only: bool,
    learns: bool,
    as_json: bool,
) -> None:
    """Say how urgent a text is: crisis, emergency, advice or none.

    With --batch, one JSON object for each line of the file, in order. Nothing is kept.
    """
    settings = settings_of(settings_file, None, None)
    if learns:
        if words or batch is not None or patterns_only:
            raise click.UsageError("--learn goes alone.")
        click.echo(_learned(settings))
        return
    if bool(words) == (batch is not None):
        raise click.UsageError("Give either a text or --batch FILE.")
    judge = _judge(settings, None if patterns_only else _embedder(settings))
    if batch is None:
        found = judge(" ".join(words))
        if as_json:
            click.echo(json.dumps(_as_json(found), ensure_ascii=False))
        else:
            click.echo(f"urgency  {found.urgency}\nreason   {found.reason}\nscore    {found.score:.2f}")
        return
    for number, line in enumerate(batch, start=1):
        if line.strip():
            named, text = _batch_line(line, number)
            click.echo(json.dumps({**named, **_as_json(judge(text))}, ensure_ascii=False))


def _as_json(found: Triaged) -> dict[str, object]:
    return {"urgency": found.urgency.value, "reason": found.reason, "score": round(found.score, 4)}


def _judge(settings: Settings, embedder: Embedder | None) -> Callable[[str], Triaged]:
    from qa.triage import knows_model
    from qa.triage import triage as triage_text

    if embedder is not None and not knows_model(settings.urgent.rules, embedder):
        click.echo("Triage was learned with another model: by patterns alone.", err=True)
    return lambda text: triage_text(text, rules=settings.urgent.rules, embedder=embedder)


def _learned(settings: Settings) -> str:
    """Learn, write what was learned beside the examples, and say how well they are told apart."""
    from importlib.resources import as_file, files

    from qa.embed import SentenceEmbedder
    from qa.triage.learn import learn_from, quality
    from qa.triage.learned import FILE

    fitted = learn_from(settings.urgent.rules, SentenceEmbedder.load(settings.model))
    with as_file(files("qa").joinpath("data", "triage")) as packaged:
        path = (settings.urgent.rules or packaged) / FILE
        fitted.learned.save(path)
    return f"Learned: {path}\n{quality(fitted)}"


def _embedder(settings: Settings) -> Embedder | None:
    """The model; None, and a sentence about it, where it cannot be had."""
    from qa.embed import SentenceEmbedder
    from qa.errors import ModelError

    try:
        return SentenceEmbedder.load(settings.model, threads=1)
    except (ModelError, ImportError, OSError) as error:
        click.echo(f"By patterns alone: {error}", err=True)
        return None


def _batch_line(line: bytes, number: int) -> tuple[dict[str, object], str]:
    """What names the line in the output, and its text. Errors name the line and never its content."""
    from qa.errors import QAError

    problem, expected = f"line {number} of the batch cannot be used", '{"id": …, "text": "…"}'
    try:
        content = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise QAError(problem, found=type(error).__name__, expected=expected) from None
    if not isinstance(content, dict) or not isinstance(content.get("text"), str):
        raise QAError(problem, found="no text", expected=expected)
    named = {"id": content["id"]} if "id" in content else {}
    return {"line": number, **named}, content["text"]

"""The command about contradictions between documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.cli.shared import explained, index_option, json_option, settings_of, settings_option

if TYPE_CHECKING:
    from qa.settings import Settings


@click.command()
@click.option("--learn", "learns", is_flag=True, hidden=True, help="Learn from the examples, after they have changed.")
@settings_option
@index_option
@json_option
@explained
def conflicts(settings_file: Path | None, index_folder: Path | None, *, learns: bool, as_json: bool) -> None:
    """List sentences of different documents that contradict each other, as found at the last build.

    Other times, amounts, numbers, days, or yes against no, for the same thing: both sentences, where they stand and
    when they were approved, newest first.
    """
    settings = settings_of(settings_file, None, index_folder)
    if learns:
        click.echo(_learned(settings))
        return
    from qa.audience import Audience
    from qa.conflict_report import conflict_json, conflicts_text
    from qa.embed import ModelFiles
    from qa.index.faiss_index import open_index

    fingerprint = ModelFiles.find(settings.model.name).fingerprint(settings.model)
    index = open_index(settings.index.folder, Audience.STAFF, fingerprint)
    try:
        if as_json:
            found = [conflict_json(conflict, index) for conflict in index.conflicts]
            click.echo(json.dumps(found, ensure_ascii=False))
        else:
            click.echo(conflicts_text(index))
    finally:
        index.close()


def _learned(settings: Settings) -> str:
    """Learn, write what was learned beside the examples, and say how well pairs of authors left out are judged."""
    from importlib.resources import as_file, files

    from qa.chunk import ModelTokens
    from qa.conflicts.learn import learn
    from qa.conflicts.learned import FILE
    from qa.embed import ModelFiles, SentenceEmbedder

    model_files = ModelFiles.find(settings.model.name)
    fitted = learn(SentenceEmbedder.load(settings.model, model_files), ModelTokens(model_files.tokenizer()).offsets)
    with as_file(files("qa").joinpath("data", "conflicts")) as folder:
        fitted.learned.save(folder / FILE)
    scores = ", ".join(f"{name} {score:.2f}" for name, score in fitted.quality().items())
    return f"Learned: {folder / FILE}\nPairs of an author who was left out of the learning: {scores}."

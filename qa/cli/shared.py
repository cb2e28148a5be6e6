"""What the commands share: options, errors as sentences, settings, progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from qa.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

SOME_UNREADABLE = 3

settings_option = click.option(
    "--settings", "settings_file", type=click.Path(path_type=Path), help="The settings file.  [default: clinic.toml]"
)
corpus_option = click.option("--corpus", type=click.Path(path_type=Path), help="The documents' folder.")
index_option = click.option("--index", "index_folder", type=click.Path(path_type=Path), help="The index folder.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def explained(command: Callable[P, T]) -> Callable[P, T]:
    """Turn the errors of the library, and what the system refuses, into a sentence and exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        import sqlite3

        from qa.errors import QAError

        try:
            return command(*args, **kwargs)
        except QAError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{place}the system refused this ({error.strerror or error}).") from error
        except sqlite3.Error as error:
            raise click.ClickException(f"a database of the index or the cache gave up: {error}.") from error

    return run


def settings_of(settings_file: Path | None, corpus: Path | None, index_folder: Path | None) -> Settings:
    """The settings, with the folders that the command line names."""
    from qa.settings import load_settings, with_folders

    return with_folders(load_settings(settings_file), corpus=corpus, index=index_folder)


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each stage on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _stage, _done, _all: None
        return
    from tqdm import tqdm

    bars: dict[str, tqdm[None]] = {}

    def show(stage: str, done: int, everything: int) -> None:
        if stage not in bars:
            for bar in bars.values():
                bar.close()
            bars[stage] = tqdm(desc=f"{stage:>6}", total=everything, unit="", leave=True)
        bars[stage].total = everything
        bars[stage].update(done - bars[stage].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()

"""What a Markdown file says about itself: YAML between lines of three dashes at its beginning."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, cast

import yaml

from qa.errors import MetadataError

_FRONT = re.compile(r"---[ \t]*(?:\r\n?|\n)")
_CLOSE = re.compile(r"(?:^|(?<=[\r\n]))(?:---|\.\.\.)[ \t]*(?:\r\n?|\n|\Z)")
_KEY = re.compile(r"[A-Za-z_]+:(?:\s|\Z)")
_LARGEST: Final = 64_000  # characters
_REMEDY: Final = "Correct the lines between the two '---' at the top of the file."


class _Loader(yaml.SafeLoader):
    """The safe loader, without anchors and aliases (a few lines of them can stand for gigabytes) or repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave the parser's methods untyped
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.constructor.ConstructorError(
                None, None, "anchors (&) and aliases (*) are not allowed", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        keys: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is there twice", key.start_mark)
                keys.add(key.value)
        return cast("dict[object, object]", super().construct_mapping(node, deep))


def split_front_matter(raw: str, path: Path) -> tuple[dict[str, object], int]:
    """What the front matter says, and where the text begins; nothing, and 0, without front matter.

    Raises `MetadataError`, with the line where that is known.
    """
    opening = _FRONT.match(raw)
    closing = _CLOSE.search(raw, opening.end()) if opening else None
    if opening is None:
        return {}, 0
    if closing is None:
        if _KEY.match(raw, opening.end()):
            raise _unreadable(path, "no line '---' that ends it")
        return {}, 0
    block = raw[opening.end() : closing.start()]
    if len(block) > _LARGEST:
        raise MetadataError(
            "the front matter is too long",
            path=path,
            found=f"{len(block):,} characters",
            expected=f"at most {_LARGEST:,}",
            remedy=_REMEDY,
        )
    try:
        loaded: object = yaml.load(block, Loader=_Loader)  # noqa: S506  # a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise _unreadable(path, f"on line {line}: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        raise _unreadable(path, f"the character {error.character!r}") from error
    except RecursionError as error:
        raise _unreadable(path, "values nested too deep") from error
    except ValueError as error:  # a date such as 2026-02-30, or a number beyond all bounds
        raise _unreadable(path, str(error)) from error
    if loaded is None:
        return {}, closing.end()
    if not isinstance(loaded, dict) or not all(isinstance(key, str) for key in loaded):
        found = "names that are not text" if isinstance(loaded, dict) else f"a {type(loaded).__name__}"
        raise MetadataError(
            "the front matter is no list of names and values",
            path=path,
            found=found,
            expected="lines such as 'audience: patient'",
            remedy=_REMEDY,
        )
    return cast("dict[str, object]", loaded), closing.end()


def _unreadable(path: Path, found: str) -> MetadataError:
    return MetadataError(
        "the front matter is not valid YAML",
        path=path,
        found=found,
        expected="lines such as 'audience: patient'",
        remedy=_REMEDY,
    )

"""What a Markdown file says about itself: YAML between lines of three dashes at its beginning."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from qa.errors import MetadataError
from qa.plain_yaml import parse_mapping

_FRONT = re.compile(r"---[ \t]*(?:\r\n?|\n)")
_CLOSE = re.compile(r"(?:^|(?<=[\r\n]))(?:---|\.\.\.)[ \t]*(?:\r\n?|\n|\Z)")
_KEY = re.compile(r"[A-Za-z_]+:(?:\s|\Z)")
_LARGEST: Final = 64_000  # characters
_REMEDY: Final = "Correct the lines between the two '---' at the top of the file."


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
    return parse_mapping(block, path=path, name="front matter", first_line=2), closing.end()


def _unreadable(path: Path, found: str) -> MetadataError:
    return MetadataError(
        "the front matter is not valid YAML",
        path=path,
        found=found,
        expected="lines such as 'audience: patient'",
        remedy=_REMEDY,
    )

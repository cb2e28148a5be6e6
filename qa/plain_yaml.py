"""YAML as people write labels in it: keys and values, every value text as it stands (`1.10` stays "1.10").

Nothing is converted and nothing is made: no dates, numbers, tags or objects, and no anchors, with which a few lines
could stand for gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from qa.errors import MetadataError

_DEEPEST = 8  # levels of lists and mappings; labels have one
_EMPTY = {"", "~", "null", "Null", "NULL"}
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the former where libyaml is there: ten times as fast


def parse_mapping(text: str, *, path: Path, name: str, first_line: int = 1) -> dict[str, object]:
    """The keys and values of `text`; values are text, lists, mappings, or None where nothing stands.

    `name` says in errors what the text is ("label"), and `first_line` where it begins in its file. Raises MetadataError
    for what is not YAML, not one mapping, too deep, or uses anchors or a key twice. Text without any content is empty.
    """
    reader = _Reader(path, name, first_line)
    try:
        return reader.mapping_of(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "characters that YAML does not allow"
        # What is cut off is noticed on the line after the last.
        line = min(mark.line, len(text.splitlines()) - 1) if mark is not None else None
        raise reader.unusable(f"YAML trouble: {problem}", line) from error


class _Reader:
    def __init__(self, path: Path, name: str, first_line: int) -> None:
        self._path = path
        self._name = name
        self._first_line = first_line

    def mapping_of(self, text: str) -> dict[str, object]:
        events = iter(yaml.parse(text, Loader=_LOADER))
        started = [event for event in (next(events), next(events)) if isinstance(event, yaml.DocumentStartEvent)]
        if not started:
            return {}
        value = self._value(events, next(events), 0)
        further: list[Any] = [event for event in events if isinstance(event, yaml.DocumentStartEvent)]
        if further:
            raise self.unusable("more than one YAML document", further[0].start_mark.line)
        if not isinstance(value, dict):
            found = {str: "text", list: "a list", type(None): "nothing"}[type(value)]
            raise MetadataError(
                f"the {self._name} holds no keys and values",
                path=self._path,
                found=found,
                expected="lines such as audience: patient",
            )
        return value

    def _value(self, events: Iterator[Any], event: Any, depth: int) -> Any:  # noqa: ANN401 - PyYAML's events
        """The value that starts with `event`."""
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self.unusable("an anchor (& or *)", event.start_mark.line)
        if isinstance(event, yaml.ScalarEvent):
            return None if event.implicit[0] and event.value in _EMPTY else event.value
        if depth >= _DEEPEST:
            raise self.unusable(f"more than {_DEEPEST} levels", event.start_mark.line)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                items.append(self._value(events, event, depth + 1))
            return items
        mapping: dict[str, object] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or event.value in mapping:
                is_text = isinstance(event, yaml.ScalarEvent)
                twice = f"the key {event.value!r} twice" if is_text else "a key that is no text"
                raise self.unusable(twice, event.start_mark.line)
            mapping[event.value] = self._value(events, next(events), depth + 1)
        return mapping

    def unusable(self, found: str, line: int | None) -> MetadataError:
        """The error for `line`, counted from 0 as PyYAML does."""
        where = f", line {line + self._first_line}" if line is not None else ""
        return MetadataError(
            f"the {self._name} cannot be used{where}", path=self._path, found=found, remedy="Mend that line."
        )

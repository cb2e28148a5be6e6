"""HTML for documents that contradict each other, for staff: all sides beside each other, the newest first."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

from qa.messages import Messages
from qa.models import CitedPassage, Disagreement
from qa.web.markup import heading, quiet_line


def both_sides(
    found: Sequence[Disagreement], messages: Messages, draw: Callable[[CitedPassage], str], number: int | None
) -> str:
    """All disagreements under one heading. `draw` draws a passage; `number` is the reply's, as in `markup.answer`."""
    reply = f' data-reply="{number}"' if number is not None else ""
    groups = "".join(_sides(each, messages, draw) for each in found)
    return (
        f'<section class="cq-disagree"{reply}>{heading(messages.desk_disagree)}'
        f"{quiet_line(messages.desk_disagree_means)}{groups}</section>"
    )


def _sides(disagreement: Disagreement, messages: Messages, draw: Callable[[CitedPassage], str]) -> str:
    sides = (
        f'<div><p class="cq-said">{html.escape(messages.desk_disagree_said.format(said=said))}</p>{draw(side)}</div>'
        for side, said in zip(disagreement.sides, disagreement.said, strict=True)
    )
    return f'<div class="cq-sides">{"".join(sides)}</div>'

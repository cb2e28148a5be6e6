"""What HTML's elements mean to a reader of the text."""

from __future__ import annotations

from typing import Final

HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
LISTS: Final = frozenset({"ul", "ol", "menu", "dir"})
TABLE_PARTS: Final = frozenset({"table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"})
BLOCKS: Final = (
    frozenset(
        "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer "
        "form head header hgroup html legend li main nav optgroup p pre search section summary".split()
    )
    | HEADINGS.keys()
    | LISTS
    | TABLE_PARTS
)
VOID: Final = frozenset(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
DROPPED: Final = frozenset(
    "head script style template noscript nav svg math canvas audio video object iframe noembed noframes xmp "
    "button select textarea datalist".split()
)
DROPPED_ROLES: Final = frozenset({"navigation", "banner", "contentinfo", "search"})
IN_HEAD: Final = frozenset("base basefont bgsound link meta noscript script style template title".split())
SECTIONS: Final = ("main", "article", "section")

# What a start tag closes that was left open, and the elements beyond which it closes nothing.
IMPLIED_ENDS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "li": (frozenset({"li"}), LISTS),
    "option": (frozenset({"option"}), frozenset({"select", "optgroup", "datalist"})),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "tr": (frozenset({"tr", "caption"}), frozenset({"table"})),
    "td": (frozenset({"td", "th"}), frozenset({"table", "tr"})),
    "th": (frozenset({"td", "th"}), frozenset({"table", "tr"})),
    "thead": (frozenset({"thead", "tbody", "tfoot", "caption"}), frozenset({"table"})),
    "tbody": (frozenset({"thead", "tbody", "tfoot", "caption"}), frozenset({"table"})),
    "tfoot": (frozenset({"thead", "tbody", "tfoot", "caption"}), frozenset({"table"})),
}
P_CLOSED_BY: Final = BLOCKS - TABLE_PARTS | {"table", "hr"}
CELL_EDGES: Final = frozenset({"td", "th", "caption", "table"})
HEADING_CLOSED_BY: Final = frozenset({"p", "table", "section", "article", "main"}) | HEADINGS.keys() | LISTS

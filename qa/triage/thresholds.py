"""How probable danger, or advice, must be. docs/triage.md says how these were chosen."""

from typing import Final

LEAST_DANGER: Final = 0.25  # of a text as a whole
LEAST_DANGER_ALONE: Final = 0.33  # the same, by words alone
LEAST_DANGER_IN_PART: Final = 0.97  # of one part of a long text, of which there are many
LEAST_ADVICE: Final = 0.5

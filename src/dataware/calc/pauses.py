"""How long to wait between two looks at something that takes long."""

from __future__ import annotations

from collections.abc import Iterator

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0


def growing_pauses() -> Iterator[float]:
    """Seconds to wait, longer and longer, so that what is quick is seen soon and what is slow is
    not asked for all the time."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 1.5, LONGEST_PAUSE)

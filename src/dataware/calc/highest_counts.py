"""The highest counts that a migration has reported, over all of its rounds; pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class HighestCounts:
    """What was told so far: records copied, batches, records compared.

    A round that starts again counts from zero. What is told never goes down, so it reports nothing
    lower than these.
    """

    copied: int = 0
    batches: int = 0
    compared: int = 0

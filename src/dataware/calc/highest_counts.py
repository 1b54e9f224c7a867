"""The highest counts that a migration has told of, over all of its rounds; pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class HighestCounts:
    """What was told so far: records copied, batches, records compared.

    A round that begins anew counts from zero. What is told never goes down, so it tells of nothing
    lower than these.
    """

    copied: int = 0
    batches: int = 0
    compared: int = 0

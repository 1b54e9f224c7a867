"""What people ask of a migration while it runs: a pause, or another rate; pure.

It stands in the record of the migration, so that it reaches the run from any machine, and the next
run if this one is killed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RunControl:
    """A pause and a rate, as they hold now.

    `paused_at` is when a person paused the migration, in seconds since the epoch. `max_rate`, in
    items or objects a second, takes the place of the rate with which the run was started. `by` is
    the machine on which the last of these was asked for.
    """

    paused_at: float | None = None
    max_rate: float | None = None
    by: str = ""

    @property
    def is_paused(self) -> bool:
        """Whether nothing is to be copied now."""
        return self.paused_at is not None

    def to_json(self) -> dict[str, Any]:
        """What stands in the record; nothing where nothing is asked."""
        if self.paused_at is None and self.max_rate is None:
            return {}
        return {"paused_at": self.paused_at, "max_rate": self.max_rate, "by": self.by}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> RunControl:
        """What `to_json` wrote. Raises ValueError for what asks for nothing that can be done."""
        paused_at, rate = data.get("paused_at"), data.get("max_rate")
        if rate is not None and not (rate > 0 and math.isfinite(rate)):
            raise ValueError(f"{rate} is no rate")
        by = data.get("by", "")
        return RunControl(paused_at, rate, by) if paused_at or rate else NO_CONTROL


NO_CONTROL = RunControl()
"""Nobody has asked for anything."""


def read_no_control() -> RunControl:
    """What is asked where nobody can ask."""
    return NO_CONTROL

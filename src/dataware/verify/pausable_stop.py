"""A stop request that is asked between two reads, and is not answered during a pause."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class PausableStop:
    """Whether to stop; who asks during a pause waits for its end, and so reads nothing meanwhile.

    For threads. Who must not wait, because it passes both on, asks `is_stopped` and `is_paused`.
    """

    is_stopped: Callable[[], bool]
    is_paused: Callable[[], bool]

    def __call__(self) -> bool:
        """Wait for the end of a pause, or of all work."""
        while self.is_paused() and not self.is_stopped():
            time.sleep(LOOK_SECONDS)
        return self.is_stopped()

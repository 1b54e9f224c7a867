"""For how long a run surely has its lock: nothing is sent beyond that.

A process may stand still at any place, for any time: stopped by a signal, asleep with its machine,
or with a virtual machine whose clocks stand still as well. What shows it is the time since the
machine began to run, which counts sleep; the time of day, which others may put right; and the time
in the answers of AWS, which goes on in any case.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import partial
from math import inf

from dataware.core.errors import IncompleteError

SILENT_SECONDS = 30.0
"""Without a heartbeat for so long nothing is sent: half of the time after which another run may
begin."""

STOOD_STILL_SECONDS = 15.0
"""By how much the time of AWS may run ahead before it is clear that the clocks here stood still."""

LOOK_SECONDS = 0.05

NO_HEARTBEAT = (
    f"this run sent no heartbeat for {SILENT_SECONDS:.0f} s and stops: check the network and "
    "ssm:PutParameter, and run the same command again to resume"
)


def _clock_of_boot() -> Callable[[], float]:
    """The clock of this system; a call in between would count, so often is it asked."""
    if sys.platform == "linux":
        return partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    return time.monotonic


since_boot = _clock_of_boot()
"""Seconds that never go back, and that go on while the machine sleeps where it counts them.

The same in every process of the machine. On macOS CLOCK_MONOTONIC counts sleep and Python's own
monotonic clock does not (clock_gettime(3)).
"""


class LeaseTerm:
    """The time for which a lock is surely held; each heartbeat that got through renews it.

    `on_clock_stop` is called when answers of AWS show that the clocks here stood still.
    """

    def __init__(
        self,
        beat: float,
        beat_at: float,
        *,
        seconds: Callable[[], float] = since_boot,
        now: Callable[[], float] = time.time,
        on_clock_stop: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin with a heartbeat: `beat` is its `seconds`, `beat_at` its time of day."""
        self._seconds = seconds
        self._now = now
        self._on_clock_stop = on_clock_stop
        self._earliest_beat = -inf
        self._error: Exception | None = None
        self._date = ""
        self._ahead = inf
        self._hold(beat, beat_at)

    @property
    def current(self) -> bool:
        """Whether the lock is surely held now; asked whenever something may be sent."""
        return self._seconds() < self._end and self._now() < self._end_at

    @property
    def error(self) -> Exception | None:
        """Why the lock is lost for good; None if it is not."""
        return self._error

    def renew(self, beat: float, beat_at: float) -> None:
        """A heartbeat got through; one from before a on_clock_stop changes nothing."""
        if beat >= self._earliest_beat and self._error is None:
            self._hold(beat, beat_at)

    def end(self, error: Exception) -> None:
        """The lock is lost for good."""
        self._error = error
        self._hold(-inf, self.beat_at)

    def hear(self, date: str) -> None:
        """Take the time in an answer of AWS, which tells whether the clocks here stood still."""
        if date == self._date or not date:
            return
        self._date = date
        with suppress(ValueError, TypeError):
            ahead = parsedate_to_datetime(date).timestamp() - self._seconds()
            stood_still = ahead - self._ahead > STOOD_STILL_SECONDS
            self._ahead = ahead if stood_still else min(ahead, self._ahead)
            if stood_still:
                self._earliest_beat = self._seconds()
                self._hold(-inf, self.beat_at)
                self._on_clock_stop()

    def _hold(self, beat: float, beat_at: float) -> None:
        self.beat, self.beat_at = beat, beat_at
        self._end, self._end_at = beat + SILENT_SECONDS, beat_at + SILENT_SECONDS

    async def wait(self) -> None:
        """Wait until the lock is surely held. Raises what it was lost by, and Incomplete."""
        began = self._seconds()
        while not self.current:
            if self._error is not None:
                raise self._error
            if self._seconds() - began > SILENT_SECONDS:
                raise IncompleteError(NO_HEARTBEAT)
            await asyncio.sleep(LOOK_SECONDS)

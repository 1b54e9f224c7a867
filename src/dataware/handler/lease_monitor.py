"""Watches from a thread whether the execution still has the lock; writes nothing.

Once the deployment has failed, is over, or another run took over, workers must not go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from dataware.core.errors import LookupFailedError, RefusedError

EVERY_SECONDS = 15.0
LOST = (
    "the deployment no longer has the lock on the target, so nothing more is copied: it has "
    "failed, or another run took the lock; see `dataware status`"
)


class LeaseMonitor:
    """Asks `holds` at once and then every so often, while it is entered.

    A question without an answer changes nothing, because writes are guarded by conditions, too.
    """

    def __init__(self, holds: Callable[[], bool], every: float = EVERY_SECONDS) -> None:
        self._holds = holds
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="guard", daemon=True)
        self.lost = False

    def check(self) -> None:
        """Raise Refused once the lock is lost."""
        if self.lost:
            raise RefusedError(LOST)

    def __enter__(self) -> LeaseMonitor:
        self._ask()
        self.check()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join(self._every)

    def _run(self) -> None:
        while not self.lost and not self._ended.wait(self._every):
            self._ask()

    def _ask(self) -> None:
        try:
            self.lost = not self._holds()
        except LookupFailedError:
            return

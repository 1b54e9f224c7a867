"""Keeps a lease alive from a thread of its own, through creation, copy and verification."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import TracebackType

from dataware.core.errors import DatawareError, Refused
from dataware.core.ports import Lease

BEAT_SECONDS = 10.0


class Heart:
    """Beats while it is entered; what was last published travels with every beat.

    A beat that only fails is tried again; a lost lock is remembered, and `check` raises it.
    """

    def __init__(self, lease: Lease, every: float = BEAT_SECONDS) -> None:
        self._lease = lease
        self._every = every
        self._detail: Mapping[str, object] = {}
        self._ended = threading.Event()
        self._lost: DatawareError | None = None
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def publish(self, detail: Mapping[str, object]) -> None:
        """What the marker says from the next beat on; adds to what was published before."""
        self._detail = {**self._detail, **detail}

    @property
    def detail(self) -> Mapping[str, object]:
        """What was published so far."""
        return self._detail

    @property
    def lost(self) -> bool:
        """Whether another run has taken the lock."""
        return self._lost is not None

    def check(self) -> None:
        """Raise Refused once the lock is lost."""
        if self._lost is not None:
            raise self._lost

    def beat(self) -> None:
        """Renew the lock now. Raises Refused when it is lost."""
        self._lease.beat(self._detail)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            try:
                self.beat()
            except Refused as error:
                self._lost = error
                return
            except DatawareError:
                continue  # the next beat may get through; the lock outlives several misses

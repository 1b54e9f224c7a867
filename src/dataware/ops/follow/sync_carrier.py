"""Carries keys over the wire, for a caller that has no event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from dataware.core.copier import CopyOrder
from dataware.core.errors import IncompleteError
from dataware.core.follow.feed import CarryOutcome
from dataware.core.follow.following import AsyncCarrier, Following
from dataware.core.follow.written import WrittenKeys, WrittenVersion
from dataware.core.ports import StopRequest, Wire
from dataware.migrate.lease_term import LeaseTerm
from dataware.ops.context import Context

LOOK_SECONDS = 0.1
GRACE_SECONDS = 10.0
"""How long a chunk that is under way may take once a person asks to stop."""


class NothingWritten:
    """The record of a carrier whose target nobody else writes to."""

    def find_written(self, _keys: Collection[bytes]) -> Mapping[bytes, WrittenVersion]:
        """Nothing is on record."""
        return {}

    def save_written(self, _versions: Mapping[bytes, WrittenVersion]) -> None:
        """Nothing is recorded."""

    def forget_written(self, _keys: Collection[bytes]) -> None:
        """Nothing is recorded."""


class SyncCarrier:
    """The Carrier port over a type's own carrier, on one event loop for all its chunks.

    Nothing is sent beyond the `term` of the lock. `throttled` is why the service last asked to slow
    down, empty before.
    """

    def __init__(
        self,
        context: Context,
        following: Following,
        order: CopyOrder,
        written: WrittenKeys,
        term: LeaseTerm | None,
        stop: StopRequest,
    ) -> None:
        self._context = context
        self._following = following
        self._order = order
        self._written = written
        self._term = term
        self._stop = stop
        self._runner = asyncio.Runner()
        self._wires: list[Wire] = []
        self._carrier: AsyncCarrier | None = None
        self.throttled = ""

    def carry(self, keys: Collection[bytes], _now: float) -> CarryOutcome:
        """Read `keys` in the source, and put or delete them in the target.

        Raises IncompleteError where it takes too long after a person asked to stop.
        """
        return self._runner.run(self._carry(keys))

    def close(self) -> None:
        """Release connections."""
        for wire in self._wires:
            self._runner.run(wire.close())
        self._runner.close()

    async def _carry(self, keys: Collection[bytes]) -> CarryOutcome:
        task = asyncio.ensure_future(self._open().carry(keys))
        grace = GRACE_SECONDS
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
                if self._stop():
                    grace -= LOOK_SECONDS
                if grace <= 0:
                    raise IncompleteError("stopped before some keys were carried")
            return task.result()
        finally:
            task.cancel()

    def _open(self) -> AsyncCarrier:
        if self._carrier is None:
            aws, source = self._context.aws, self._order.source
            reader = self._context.open_profile(source.profile) if source.profile else aws
            reading, writing = (one.wire(self._on_throttle) for one in (reader, aws))
            self._wires = [reading, writing]
            reading.permit = writing.permit = self._term
            self._carrier = self._following.make_carrier(
                reading, writing, self._order, self._written
            )
        return self._carrier

    def _on_throttle(self, reason: str) -> None:
        self.throttled = reason

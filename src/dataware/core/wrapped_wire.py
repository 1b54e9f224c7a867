"""What every wire has in common that sends over another one."""

from __future__ import annotations

from dataware.core.ports import Permit, Wire


class WrappedWire:
    """All of the Wire port but `send`, by the wire that it wraps."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @property
    def permit(self) -> Permit | None:
        """What says before each request whether it may be sent at all."""
        return self._wire.permit

    @permit.setter
    def permit(self, permit: Permit | None) -> None:
        self._wire.permit = permit

    @property
    def retries(self) -> int:
        """How many requests were sent again so far."""
        return self._wire.retries

    async def close(self) -> None:
        """Release connections and threads."""
        await self._wire.close()

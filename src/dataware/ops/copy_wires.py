"""The transports of one copy: one for both sides, or one for each where the source has its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dataware.core.copier import CopyTools
from dataware.core.ports import Aws, Clock, Permit, Wire
from dataware.core.run_control import RunControl
from dataware.migrate.pausable_wire import PausableWire


@dataclass(frozen=True, slots=True)
class CopyWires:
    """`writing` goes with the credentials of the run; `reading` with those of the source, if any.

    Without `reading` the service copies by itself, or the same credentials see both sides.
    """

    writing: Wire
    reading: Wire | None = None

    @staticmethod
    def open(
        target: Aws, source: Aws | None, on_throttle: Callable[[str], None], permit: Permit | None
    ) -> CopyWires:
        """New transports; nothing is sent without the `permit`, be it read or written."""
        wires = CopyWires(
            target.wire(on_throttle), None if source is None else source.wire(on_throttle)
        )
        for wire in wires.all:
            wire.permit = permit
        return wires

    @property
    def all(self) -> tuple[Wire, ...]:
        """One or both."""
        return (self.writing,) if self.reading is None else (self.writing, self.reading)

    @property
    def retries(self) -> int:
        """How many requests of both were sent again so far."""
        return sum(wire.retries for wire in self.all)

    def tools(
        self,
        aws: Aws,
        clock: Clock,
        on_throttle: Callable[[str], None],
        read_control: Callable[[], RunControl],
    ) -> CopyTools:
        """What a copier works with; `aws` is the control plane of the target.

        Both wires wait while a person has the run wait.
        """
        reading = self.reading and PausableWire(self.reading, read_control)
        writing = PausableWire(self.writing, read_control)
        return CopyTools(aws, writing, clock, on_throttle, reading)

    async def close(self) -> None:
        """Release connections and threads."""
        for wire in self.all:
            await wire.close()

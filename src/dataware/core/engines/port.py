"""What an engine brings that makes a full target, or fills one that the run made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from dataware.core.copier import CopyOrder
from dataware.core.model import Location
from dataware.core.ports import Clock, Journal

Record = Mapping[str, Any]
"""What a record keeps of an engine: JSON, from which another run goes on with the same work."""


class MakerProgress(NamedTuple):
    """How far a target is: whether it is there, and whether it is whole."""

    exists: bool
    done: bool


class TargetMaker(Protocol):
    """Makes a target that is full already, by a service of AWS that goes on by itself."""

    def find_problem(self, source: Location, properties: Mapping[str, Any]) -> str:
        """What stands against it, in a clause; empty if nothing does. Raises LookupFailedError."""
        ...

    def find_request(self, source: Location, since: float, before: Record) -> Record | None:
        """What to ask for and to keep on record first; None while it cannot be asked for yet.

        Changes of the source up to `since` should be in it. `before` is the record of an earlier
        run, whose request may have got through. Raises RefusedError and LookupFailedError.
        """
        ...

    def begin(
        self, record: Record, source: Location, target: Location, properties: Mapping[str, Any]
    ) -> None:
        """Ask for the target; again is harmless. Raises LookupFailedError."""
        ...

    def look(self, record: Record, target: Location) -> MakerProgress:
        """How far it is. Raises RefusedError where something else stands under that name."""
        ...

    def repair(self, target: Location, properties: Mapping[str, Any]) -> Sequence[str]:
        """Set what the service does not bring along, as declared; the names of what was set.

        Raises IncompleteError where something is not as declared afterwards.
        """
        ...

    def describe(self, record: Record) -> str:
        """Of when the target's data is, for people."""
        ...


class FillerProgress(NamedTuple):
    """How far a service is with filling a target; `problem` says why it ended early.

    It `waits` while it does nothing until it is confirmed.
    """

    done: int
    total: int
    ended: bool
    problem: str = ""
    state: str = ""
    waits: bool = False


class TargetFiller(Protocol):
    """Copies into a target that the run made, by a service of AWS that goes on by itself."""

    def plan(self, run: str, target: Location, before: Record) -> Record:
        """What to keep on record before anything is asked for; another one after a failed try."""
        ...

    def list_work(
        self, record: Record, order: CopyOrder, clock: Clock, check: Callable[[], None]
    ) -> Record:
        """Write down what is to be copied; the record with that. `check` raises what ends a run."""
        ...

    def begin(self, record: Record, order: CopyOrder) -> Record:
        """Ask for it, again is harmless; the record with what it is called."""
        ...

    def still_fits(self, record: Record, order: CopyOrder, check: Callable[[], None]) -> bool:
        """Whether the target holds what it held before the work was listed."""
        ...

    def confirm(self, record: Record) -> None:
        """Let it begin; again is harmless. Raises LookupFailedError."""
        ...

    def cancel(self, record: Record) -> None:
        """End what was asked for; harmless where it has ended, or nothing was asked for."""
        ...

    def list_parts(self, record: Record) -> Sequence[str]:
        """What stands in the account only because of it, by name."""
        ...

    def look(self, record: Record) -> FillerProgress:
        """How far it is. Raises LookupFailedError."""
        ...

    def read_result(
        self, record: Record, journal: Journal, check: Callable[[], None]
    ) -> tuple[int, int]:
        """Read what became of it into the journal: how many were copied, and how many not."""
        ...

    def clean(self, record: Record) -> None:
        """Remove what only the work needed; harmless if it is gone."""
        ...

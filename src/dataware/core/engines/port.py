"""What an engine brings that makes a target which is full already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from dataware.core.model import Location

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

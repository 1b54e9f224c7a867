"""What a resource type brings to be copied: the protocol of a copier, and what it handles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from dataware.calc.multiset_digest import NO_RECORDS, MultisetDigest
from dataware.core.model import Location, OnConflict, Size
from dataware.core.object_headers import NO_HEADERS, ObjectHeaders
from dataware.core.ports import Aws, Clock, Wire

Payload = TypeVar("Payload")
"""What one piece of writing consists of: known to the copier alone, opaque to the engine."""


class SkipReason(StrEnum):
    """Why one key was not copied; the value stands in reports and never changes meaning."""

    CONFLICT = "conflict"
    ARCHIVED = "archived"
    DENIED = "denied"
    LOST_KEY = "lost-key"
    CHANGED = "source-changed"
    TOO_LARGE = "too-large"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SkippedKey:
    """A key that was skipped: `key` as people write it, `detail` in a clause."""

    key: str
    reason: SkipReason
    detail: str


class CopyOutcome(NamedTuple):
    """What became of a unit: `copied` were written now, `same` were already there.

    `tally` is that of both, digested as the source sent them, where a copier has their content.
    """

    copied: int = 0
    same: int = 0
    bytes: int = 0
    skipped: tuple[SkippedKey, ...] = ()
    tally: MultisetDigest = NO_RECORDS


class Unit(NamedTuple, Generic[Payload]):
    """The smallest piece of writing (a batch of items, one object).

    `items` counts items or objects, `bytes` bounds what is in flight, `write_units` is what the
    target's capacity is charged (0 where the service has no such notion).
    """

    payload: Payload
    items: int
    bytes: int
    write_units: float = 0.0


@dataclass(frozen=True, slots=True)
class UnitPage(Generic[Payload]):
    """Units that were read together; `cursor` resumes after them, None ends the partition.

    `same` counts what the target already holds as it should be, `left` what cannot be carried,
    `read_units` what the source's capacity was charged.
    """

    units: tuple[Unit[Payload], ...]
    cursor: str | None
    same: int = 0
    skipped: tuple[SkippedKey, ...] = ()
    read_units: float = 0.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Provisioned capacity in units a second; None for what has no such limit."""

    read: float | None = None
    write: float | None = None


PageBound = Callable[[], int | None]
"""How many items or objects a page should hold at most from now on; None for as many as fit."""


def no_page_bound() -> int | None:
    """A page may hold as many as fit."""
    return None


class Copier(Protocol[Payload]):
    """Copies one resource into another; every method may be called again after a crash."""

    async def size(self) -> Size:
        """How much there is to copy; exact when that costs one request, else an estimate."""
        ...

    async def rates(self) -> Rates:
        """Provisioned read capacity of the source and write capacity of the target."""
        ...

    async def partitions(self) -> Sequence[str]:
        """Disjoint parts that cover the source; opaque, frozen in the journal at the start."""
        ...

    def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage[Payload]]:
        """The pages of a partition, from its start or after a cursor; the last has no cursor.

        A run goes on after the last page that was written whole, so a copy that is held back asks
        for small pages by `bound`; a page may exceed it by less than one unit.
        An error ends the iterator by raising; it never looks like the end of the data.
        """
        ...

    async def write(self, unit: Unit[Payload]) -> CopyOutcome:
        """Write a unit. Returns only when every key of it is accounted for."""
        ...


@dataclass(frozen=True, slots=True)
class CopyOrder:
    """Everything that tells one copy from another.

    `exclusive` says that the run created the target itself and no one else writes to it, so
    batches without conditions are safe; `made_here` that an earlier run of the same migration did.
    `multipart_threshold` and `part_size` are in bytes.
    `headers` go with every object that is written.
    """

    source: Location
    target: Location
    on_conflict: OnConflict | None = None
    exclusive: bool = False
    made_here: bool = False
    all_versions: bool = False
    multipart_threshold: int = 5 * 1024**3
    part_size: int = 512 * 1024**2
    headers: ObjectHeaders = NO_HEADERS


@dataclass(frozen=True, slots=True)
class CopyTools:
    """What a copier works with.

    `on_throttle` takes the reason of every throttled answer that did not come by the wire. A source
    with credentials of its own is read over `reading`; else `wire` serves both sides.
    """

    aws: Aws
    wire: Wire
    clock: Clock
    on_throttle: Callable[[str], None] = lambda _reason: None
    reading: Wire | None = None


class MakeCopier(Protocol):
    """How a card offers its copier."""

    def __call__(self, tools: CopyTools, order: CopyOrder) -> Copier[Any]:
        """A copier for `order`; does no I/O."""
        ...

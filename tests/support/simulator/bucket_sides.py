"""Both buckets as the parts of a migration see them: listings, comparisons, records, carrier."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from dataware.core.errors import LookupFailedError
from dataware.core.follow.feed import CarryOutcome, DifferenceResult
from dataware.core.follow.following import AsyncCarrier
from dataware.core.follow.written import TRUSTED, WrittenVersion
from support.copying import MemoryJournal
from support.simulator.buckets import Bucket, ObjectState
from support.simulator.sides import DiskDirtyKeys, DiskMemory
from support.simulator.wires import ProcessWires
from support.simulator.world import World

LISTED_TOGETHER = 8


class ObjectRecords:
    """What a follow wrote, by key, on the disk of a machine."""

    def __init__(self) -> None:
        self.rows: dict[bytes, WrittenVersion] = {}

    def list_written(self) -> Iterator[tuple[bytes, WrittenVersion]]:
        """All of it, in the order of keys."""
        return iter(sorted(self.rows.items()))


class RecordsOfProcess:
    """The WrittenKeys port of one process; who is killed writes nothing any more."""

    def __init__(self, records: ObjectRecords, wires: ProcessWires) -> None:
        self._records = records
        self._wires = wires

    def find_written(self, keys: Collection[bytes]) -> Mapping[bytes, WrittenVersion]:
        """Those that are on record."""
        rows = self._records.rows
        if not self._wires.world.rules.ledger:
            return dict.fromkeys(keys, TRUSTED)
        return {key: rows[key] for key in keys if key in rows}

    def save_written(self, versions: Mapping[bytes, WrittenVersion]) -> None:
        """Put versions on record."""
        if not self._wires.is_dead:
            self._records.rows.update(versions)

    def forget_written(self, keys: Collection[bytes]) -> None:
        """Forget keys."""
        for key in () if self._wires.is_dead else keys:
            self._records.rows.pop(key, None)


class KeptSinceSwitch:
    """What a machine keeps for the way back of the switch by `witness`."""

    def __init__(self, world: World, witness: str) -> None:
        self.witness = witness
        self.dirty, self.memory = DiskDirtyKeys(world), DiskMemory(world)
        self.records = ObjectRecords()


class BucketDisk:
    """All that a machine keeps of a followed bucket; `is_opened` says that it was opened before.

    `cursor` is where the copy goes on, and `carry_from` from when on keys may be carried once it
    has ended.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.is_opened = False
        self.records, self.journal = ObjectRecords(), MemoryJournal()
        self.kept = KeptSinceSwitch(world, "")
        self.cursor: str | None = None
        self.carry_from: float | None = None

    def open_kept(self, witness: str) -> KeptSinceSwitch:
        """What is kept for the way back of a switch; begun anew where it is that of another one."""
        if self.kept.witness != witness:
            self.kept = KeptSinceSwitch(self._world, witness)
        return self.kept


class SteppedCarrier:
    """The Carrier port over the product's own, on the loop of its process."""

    def __init__(self, wires: ProcessWires, carrier: AsyncCarrier) -> None:
        self._wires = wires
        self._carrier = carrier

    def carry(self, keys: Collection[bytes], _now: float) -> CarryOutcome:
        """Carry a chunk."""
        return self._wires.run(self._carrier.carry(sorted(keys)))


def list_tags(world: World, bucket: Bucket) -> Iterator[tuple[bytes, str]]:
    """The objects of a bucket page by page, each as it is when its page is read."""
    after = b""
    while True:
        world.tick()
        if world.happens(world.chances.fail):
            raise LookupFailedError("the bucket does not answer")
        page = sorted(key for key in bucket.items if key > after)[:LISTED_TOGETHER]
        if not page:
            return
        yield from [(key, bucket.items[key].etag) for key in page]
        after = page[-1]


def differs(one: ObjectState | None, other: ObjectState | None, *, deep: bool) -> bool:
    """Whether a verification finds that two objects differ; without `deep` equal ETags do not."""
    if one is None or other is None:
        return one is not other
    if not deep and one.etag == other.etag:
        return False
    return one[:3] != other[:3]


def _all_of(keys: Iterable[bytes]) -> frozenset[bytes]:
    return frozenset(keys)


class BucketComparison:
    """The KeyComparison and the FullDifference port: lists both sides, and looks closer then.

    `deep` says whether it looks at every object; `choose` which of the differing keys count.
    """

    def __init__(
        self,
        world: World,
        sides: tuple[Bucket, Bucket],
        *,
        deep: bool,
        choose: Callable[[Iterable[bytes]], frozenset[bytes]] = _all_of,
    ) -> None:
        self._world, self._sides = world, sides
        self._deep, self._choose = deep, choose
        self._waiting: list[bytes] = []
        self._differing: set[bytes] = set()
        self.is_under_way = False

    def start(self, keys: Collection[bytes] | None = None) -> None:
        """Begin with `keys`, or with all."""
        source, target = self._sides
        every = source.items.keys() | target.items.keys()
        self._waiting = sorted(every if keys is None else keys)
        self._differing, self.is_under_way = set(), True

    def collect(self) -> DifferenceResult | None:
        """Read some more keys, a side after the other."""
        world = self._world
        if world.happens(world.chances.fail):
            self.is_under_way = False
            raise LookupFailedError("a side does not answer")
        part, self._waiting = self._waiting[:12], self._waiting[12:]
        apart = self._compare(part)
        self._differing.update(self._compare(apart) if apart else ())
        if self._waiting:
            return None
        self.is_under_way = False
        return DifferenceResult(self._choose(self._differing))

    def _compare(self, keys: Collection[bytes]) -> list[bytes]:
        source, target = self._sides
        here = {key: source.items.get(key) for key in keys}
        self._world.tick()
        there = {key: target.items.get(key) for key in keys}
        return [key for key in keys if differs(here[key], there[key], deep=self._deep)]


class BlindBucketComparison(BucketComparison):
    """A comparison that finds nothing, so that all rests on the rules of the follow."""

    def collect(self) -> DifferenceResult | None:
        """Nothing."""
        return DifferenceResult(())


def first_page(pages: Any) -> Any:
    """The next page of a copy as a coroutine."""

    async def read() -> Any:
        return await anext(pages, None)

    return read()

"""A world in memory for the use cases: resources are dictionaries, and a process can be killed.

`World.moment` is called at every step that a real run would make outside of its own memory; a test
sets `kill_at` to end the "process" right there.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import ModuleType
from typing import Any, Self

import pytest

from dataware.core.copier import (
    CopyOrder,
    CopyOutcome,
    CopyTools,
    PageBound,
    Rates,
    SkippedKey,
    SkipReason,
    Unit,
    UnitPage,
    no_page_bound,
)
from dataware.core.engines.card import LEFTOVERS
from dataware.core.engines.unfinished_work import list_leftovers
from dataware.core.errors import DatawareError, NotFoundError, RefusedError
from dataware.core.kind import Copying, Kind, Names, Permissions, Template
from dataware.core.model import (
    NO_MARKER,
    UNMANAGED,
    Content,
    Existence,
    Facts,
    Location,
    Marker,
    MarkerState,
    OnConflict,
    Owner,
    Size,
    Wanted,
    absent,
)
from dataware.core.ports import Aws
from dataware.core.reader import Evidence, FingerprintPage, KeyFingerprint, Reader
from dataware.core.run_control import NO_CONTROL
from dataware.ops.context import Context, CreationWatch, TargetToMake
from support.copying import Events, Killed, LoopClock, MemoryJournal


def do_nothing(_what: str) -> None:
    """Nobody meddles."""


@dataclass
class World:
    """Everything outside of a run; it survives the run's death."""

    boxes: dict[str, dict[str, str]] = field(default_factory=dict)
    identities: dict[str, int] = field(default_factory=dict)
    markers: dict[str, Marker] = field(default_factory=dict)
    journals: dict[str, MemoryJournal] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    events: Events = field(default_factory=Events)
    owners: dict[str, Owner] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    changing: dict[str, int] = field(default_factory=dict)
    taken_over: bool = False
    kill_at: int | None = None
    kill_on: str = ""
    meddle: Callable[[str], None] = do_nothing

    def moment(self, what: str) -> None:
        """One step in the outside world; the place to die, and for others to `meddle`.

        Who dies by `kill_on` has done that step before, and dies once.
        """
        if self.kill_at is not None:
            if self.kill_at == 0:
                raise Killed(what)
            self.kill_at -= 1
        self.log.append(what)
        if what == self.kill_on:
            self.kill_on = ""
            raise Killed(what)
        self.meddle(what)

    def make(self, name: str) -> None:
        """Create an empty box, with an identity of its own."""
        if name in self.boxes:
            raise RefusedError(f"{name} exists")
        self.boxes[name] = {}
        self.identities[name] = len(self.log) + 1

    def facts(self, name: str) -> Facts:
        """What a probe sees."""
        if name not in self.boxes:
            return replace(absent(name), marker=self.markers.get(name, NO_MARKER))
        content = Content.DATA if self.boxes[name] else Content.EMPTY
        return Facts(
            name,
            Existence.EXISTS,
            content,
            marker=self.markers.get(name, NO_MARKER),
            identity=str(self.identities[name]),
            size=Size(len(self.boxes[name]), 0),
        )

    def context(self, stop: Callable[[], bool] = lambda: False) -> Context:
        """A context for one run."""
        return Context(
            aws=WorldAws(self),
            markers=WorldMarkers(self),
            clock=LoopClock(),
            emit=self.events,
            hold=WorldHold(self),
            journals=WorldJournals(self),
            stop=stop,
        )


class NoWire:
    """A transport that nobody needs here."""

    retries = 0
    permit = None

    async def send(self, request: object) -> Any:
        """Never called."""
        raise AssertionError(request)

    async def close(self) -> None:
        """Nothing to release."""


@dataclass(frozen=True)
class WorldAws:
    """The control plane of the world."""

    world: World
    account: str = "111122223333"
    region: str = "eu-central-1"
    partition: str = "aws"

    def for_region(self, _region: str) -> Self:
        """The same world."""
        return self

    def wire(self, _report: object) -> NoWire:
        """One that is never used."""
        return NoWire()

    def owner_of(self, _types: Collection[str], physical_id: str) -> Owner:
        """The owner that the test has set."""
        return self.world.owners.get(physical_id, UNMANAGED)

    def stack_template(self, stack: str) -> Any:
        """No template is kept here."""
        raise NotFoundError(f"no stack {stack}")


@dataclass(frozen=True)
class WorldJournals:
    """Journals that outlive a run."""

    world: World

    def open(self, _kind: str, target: str) -> MemoryJournal:
        """The one of a target."""
        return self.world.journals.setdefault(target, MemoryJournal())

    def read(self, _kind: str, _target: str) -> Sequence[Mapping[str, Any]]:
        """Nothing that a status would show."""
        return ()


@dataclass(frozen=True)
class WorldHold:
    """Creates boxes."""

    world: World

    def create(self, _kind: Kind, wanted: Wanted) -> None:
        """Create the preferred box."""
        self.world.moment("create")
        if wanted.preferred not in self.world.boxes:
            self.world.make(wanted.preferred)
        self.world.moment("created")

    def create_together(
        self, targets: Sequence[TargetToMake], watch: CreationWatch, *, filled: bool
    ) -> None:
        """Create one box after another, each for itself."""
        del filled
        made = []
        for kind, wanted in targets:
            try:
                self.create(kind, wanted)
            except DatawareError as error:
                watch.report_failed(wanted, error)
                continue
            watch.report_made(wanted)
            made.append(wanted)
        watch.await_recorded(made)

    def release(self, _kind: Kind, name: str) -> bool:
        """Nothing is left over here."""
        return False


@dataclass(frozen=True)
class WorldMarkers:
    """Markers whose locks die with their run."""

    world: World

    def get(self, _kind: str, target: str) -> Marker:
        """The record of a target."""
        return self.world.markers.get(target, NO_MARKER)

    def begin(
        self, _kind: str, target: str, marker: Marker, _seen: Marker | None = None
    ) -> WorldLease:
        """Write "running"."""
        self.world.moment("begin")
        if self.get("", target).alive:
            raise RefusedError("another run is alive")
        self.world.markers[target] = marker
        return WorldLease(self.world, target)

    def amend(self, _kind: str, target: str, _run: str | None, detail: Mapping[str, Any]) -> None:
        """Replace the progress of a complete one."""
        self.world.markers[target] = replace(self.world.markers[target], detail=dict(detail))

    def remove(
        self, _kind: str, target: str, _seen: Marker, keep: Callable[[Mapping[str, Any]], None]
    ) -> None:
        """Delete a record."""
        self.world.moment("forget")
        keep({})
        del self.world.markers[target]

    def all(self) -> list[tuple[str, str, Marker]]:
        """Every record."""
        return [("memory-box", target, marker) for target, marker in self.world.markers.items()]


@dataclass(frozen=True)
class WorldLease:
    """A held marker; as with a real one, no heartbeat of its thread comes after its end."""

    world: World
    target: str
    unsettled_seconds = 0.0
    service_time = 0.0
    control = NO_CONTROL
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)
    _ended: threading.Event = field(init=False, default_factory=threading.Event)

    def send_heartbeat(self, detail: Mapping[str, Any]) -> None:
        """Store progress."""
        self.world.moment("beat")
        if self.world.taken_over:
            raise RefusedError("another run took the lock")
        with self._lock:
            if not self._ended.is_set():
                self._write(MarkerState.RUNNING, detail)

    def complete(self, detail: Mapping[str, Any]) -> None:
        """Write "complete"."""
        self.world.moment("complete")
        left = list_leftovers(self.world.markers[self.target].detail)
        more = {LEFTOVERS: left} if left else {}
        self._finish(MarkerState.COMPLETE, {**detail, **more})

    def delay_next_run(self, seconds: float) -> None:
        """Nothing arrives late here."""

    def release(self, detail: Mapping[str, Any]) -> None:
        """Leave it at "running"."""
        self.world.moment("release")
        self._finish(MarkerState.RUNNING, detail)

    def _finish(self, state: MarkerState, detail: Mapping[str, Any]) -> None:
        with self._lock:
            self._ended.set()
            self._write(state, detail)

    def _write(self, state: MarkerState, detail: Mapping[str, Any]) -> None:
        marker = self.world.markers[self.target]
        self.world.markers[self.target] = replace(marker, state=state, detail=dict(detail))


@dataclass(frozen=True)
class BoxCopier:
    """Copies a box in two partitions, pages of three, units of one; never overwrites."""

    world: World
    order: CopyOrder

    async def size(self) -> Size:
        """How much there is."""
        return Size(len(self.world.boxes[self.order.source.name]), 0)

    async def rates(self) -> Rates:
        """Nothing is provisioned."""
        return Rates()

    async def partitions(self) -> Sequence[str]:
        """Even and odd."""
        return ("0", "1")

    async def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage]:
        """Keys in order, after the cursor."""
        keys = sorted(self.world.boxes[self.order.source.name])[int(partition) :: 2]
        keys = [key for key in keys if after is None or key > after]
        while True:
            page, keys = keys[:3], keys[3:]
            units = tuple(Unit(key, 1, 1) for key in page)
            yield UnitPage(units, page[-1] if keys else None)
            if not keys:
                return

    async def write(self, unit: Unit) -> CopyOutcome:
        """Write one key."""
        key: str = unit.payload
        self.world.moment(f"write {key}")
        if (skipped := self._skip(key)) is not None:
            return CopyOutcome(skipped=(skipped,))
        source, target = (
            self.world.boxes[place.name] for place in (self.order.source, self.order.target)
        )
        if key in self.world.dropped:
            self.world.dropped.discard(key)
            return CopyOutcome(copied=1)
        if key in target and target[key] == source[key]:
            return CopyOutcome(same=1)
        if key in target and self.order.on_conflict is not OnConflict.SOURCE:
            return CopyOutcome(
                skipped=(SkippedKey(key, SkipReason.CONFLICT, "the target has its own"),)
            )
        target[key] = source[key]
        return CopyOutcome(copied=1)

    def _skip(self, key: str) -> SkippedKey | None:
        """Why a key is not copied, if something is in the way."""
        if key in self.world.archived:
            return SkippedKey(key, SkipReason.ARCHIVED, "it is archived")
        if self.world.changing.get(key, 0) > 0:
            self.world.changing[key] -= 1
            return SkippedKey(key, SkipReason.CHANGED, "it has changed")
        if key in self.world.denied:
            return SkippedKey(key, SkipReason.DENIED, "it needs box:Put")
        return None


@dataclass
class BoxReader(Reader):
    """Reads a box in order."""

    world: World
    place: Location

    def parts(self) -> Sequence[str]:
        """One part."""
        return ("",)

    def pages(self, part: str, after: str | None = None) -> Iterator[FingerprintPage]:
        """Every key with its value, at once."""
        del part
        self.world.moment(f"verify {self.place.name}")
        box = self.world.boxes[self.place.name]
        records = [(key.encode(), value.encode()) for key, value in sorted(box.items())]
        yield FingerprintPage([each for each in records if each[0] > bytes.fromhex(after or "")])

    def entry(self, record: Any) -> KeyFingerprint:
        """A key with its value as the digest."""
        return KeyFingerprint(*record, record[0].decode())

    def digest_raw(self, record: Any) -> bytes:
        """A box is merged."""
        raise AssertionError

    digest_canonical = digest_raw

    def find(self, keys: Sequence[KeyFingerprint]) -> Mapping[bytes, KeyFingerprint]:
        """The entries under some keys."""
        wanted = {entry.key for entry in keys}
        return {
            entry.key: entry
            for page in self.pages("")
            for entry in map(self.entry, page.records)
            if entry.key in wanted
        }

    def same(
        self, _mine: KeyFingerprint, _other: Reader, _theirs: KeyFingerprint
    ) -> Evidence | None:
        """Digests are conclusive here."""
        raise AssertionError


def box_kind(world: World) -> Kind:
    """The card of a box."""

    def probe(_aws: Aws, name: str) -> Facts:
        return world.facts(name)

    def copier(_tools: CopyTools, order: CopyOrder) -> BoxCopier:
        return BoxCopier(world, order)

    def reader(_aws: Aws, place: Location, *, all_versions: bool, deep: bool) -> BoxReader:
        del all_versions, deep
        return BoxReader(world, place)

    return Kind(
        cfn_type="Memory::Box",
        names=Names("memory-box", "memory box", "box", "key", lambda _name: None),
        template=Template(identifier="Name"),
        access=Permissions(phases={}, arns=lambda *_where: ()),
        probe=probe,
        copying=Copying("box", copier, reader, batch=2),
    )


PARTS = {"names": Names, "template": Template, "access": Permissions, "copying": Copying}


def change_card(kind: Kind, **changes: Any) -> Kind:
    """The card with other values, each in the part that has a field of that name."""
    for part, made in PARTS.items():
        here = {one.name for one in fields(made)} & changes.keys()
        some = {name: changes.pop(name) for name in here}
        if some:
            kind = replace(kind, **{part: replace(getattr(kind, part), **some)})
    return replace(kind, **changes)


def install(monkeypatch: pytest.MonkeyPatch, world: World, **changes: Any) -> Kind:
    """Put the box into the catalogue, as one more resource type."""
    kind = change_card(box_kind(world), **changes)
    module = ModuleType("dataware.kinds.memory_box")
    module.__dict__["KIND"] = kind
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("dataware.kinds.CATALOGUE", {kind.cfn_type: "memory_box"})
    return kind

"""Boxes in memory that are followed, cut over and gone back from, by the use cases themselves.

Everything outside of a run is a dictionary, but for the file of the follow, which is the real one.
Nothing waits for longer than a few hundredths of a second, and the lock and the record lie in a
Parameter Store in memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, cast

import pytest

from dataware.core.copier import CopyOrder, CopyOutcome, CopyTools, Unit
from dataware.core.errors import IncompleteError, LookupFailedError
from dataware.core.events import Event
from dataware.core.follow import cutover_loop, loop
from dataware.core.follow.cutover import CutoverRecord
from dataware.core.follow.feed import CarryOutcome, ChangeFeed, Conflict, FeedRound
from dataware.core.follow.following import AsyncCarrier, Following
from dataware.core.follow.forecast import FollowForecast
from dataware.core.follow.written import NOT_WRITTEN, WrittenKeys, WrittenVersion
from dataware.core.kind import Kind
from dataware.core.model import UNMANAGED, Location, Marker, Owner
from dataware.core.ports import Aws, Wire
from dataware.core.reader import Evidence, KeyFingerprint, Reader
from dataware.ops.context import Context, CopySettings
from dataware.ops.follow import difference, follow_run, remote_cutover, request_cutover
from dataware.ops.follow.cut_over import cut_over
from dataware.ops.follow.cutover_run import CutoverSettings
from dataware.ops.follow.follow import follow
from dataware.ops.follow.undo import find_undoable, undo
from dataware.ops.follow.undo_run import UndoConflict
from dataware.state import ParameterMarkers
from dataware.state.cutover_records import read_cutover
from dataware.state.follow_records import CutoverRecordFactory, FollowFiles
from dataware.state.holder import Holder
from support.copying import MemoryJournal
from support.follow_memory import LogFeed
from support.parameters import FakeParameters
from support.transports import ManualClock
from support.world import BoxCopier, BoxReader, NoWire, World, WorldHold, install

FOLLOW = CopySettings(follow=True)
TYPE, SLUG = "Memory::Box", "memory-box"


class RunningClock(ManualClock):
    """A clock that goes on by itself, and may be set forward."""

    def now(self) -> float:
        """The time of day."""
        return self.time + time.monotonic() % 100_000

    monotonic = now


class BoxAws(FakeParameters):
    """The control plane: a Parameter Store, and who owns what."""

    def __init__(self, boxes: FollowedBoxes) -> None:
        super().__init__()
        self.clock = RunningClock()
        self.boxes = boxes
        self.pauses: list[float] = []
        self._turn = threading.Lock()

    def put_parameter(self, **given: Any) -> Mapping[str, Any]:
        """Write; the service gives each version once."""
        with self._turn:
            return super().put_parameter(**given)

    def for_region(self, _region: str) -> Self:
        """The same."""
        return self

    def owner_of(self, types: Collection[str], physical_id: str) -> Owner:
        """The owner that the test has set."""
        return self.boxes.owner_of(types, physical_id)

    def wire(self, on_throttle: Callable[[str], None]) -> Wire:
        """One that nobody uses."""
        del on_throttle
        return cast("Wire", NoWire())

    def pause(self, seconds: float) -> None:
        """Wait less than that."""
        self.pauses.append(seconds)
        time.sleep(min(seconds, 0.001))


class KeptJournals:
    """Journals that outlive a run, and that others may read."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], MemoryJournal] = {}

    def open(self, kind: str, target: str) -> MemoryJournal:
        """The one of a target."""
        return self.kept.setdefault((kind, target), MemoryJournal())

    def read(self, kind: str, target: str) -> Sequence[Mapping[str, Any]]:
        """Its records."""
        return list(self.open(kind, target).records())


class AlikeReader(BoxReader):
    """Reads a box, and compares two values that it gives."""

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
        """Equal values are equal."""
        del other
        return Evidence.CONTENT if mine.digest == theirs.digest else None


class BoxFeed(LogFeed):
    """The log of a box as a feed, with the gaps that the test has put into it."""

    def __init__(self, boxes: FollowedBoxes, name: str) -> None:
        super().__init__(boxes.logs.setdefault(name, []))
        self.boxes, self.name = boxes, name

    def poll(self, now: float) -> FeedRound:
        """The next page."""
        self.gaps, self.boxes.gaps[self.name] = self.boxes.gaps[self.name], []
        return super().poll(now)


class BoxCarrier:
    """Carries keys between two boxes; a `guarded` one replaces only what the follow wrote.

    The value of a key is its tag, too.
    """

    def __init__(
        self, boxes: FollowedBoxes, order: CopyOrder, written: WrittenKeys, *, guarded: bool
    ) -> None:
        self.boxes, self.order, self.written, self.guarded = boxes, order, written, guarded

    async def carry(self, keys: Collection[bytes]) -> CarryOutcome:
        """Put what the source has, delete what it has not."""
        found = self.written.find_written(keys)
        outcomes = [self._carry(key, found.get(key, NOT_WRITTEN)) for key in sorted(keys)]
        self.boxes.chunks.append(tuple(sorted(keys)))
        return CarryOutcome.join(outcomes)

    def _carry(self, key: bytes, version: WrittenVersion) -> CarryOutcome:
        source, target = (
            self.boxes.boxes[place.name] for place in (self.order.source, self.order.target)
        )
        name = key.decode()
        value, there = source.get(name), target.get(name)
        if name in self.boxes.refused:
            return CarryOutcome(conflicts=(Conflict(key, "it is not taken", is_refused=True),))
        if self.guarded and there not in (None, value) and not version.explains(str(there)):
            return CarryOutcome(conflicts=(Conflict(key, "somebody else wrote it"),))
        if value != there:
            self.boxes.put(self.order.target.name, name, value)
        if value is None:
            self.written.forget_written([key])
        else:
            self.written.save_written({key: WrittenVersion(value, value)})
        return CarryOutcome(carried=frozenset({key}))


@dataclass(frozen=True)
class RecordingCopier(BoxCopier):
    """Copies a box, and records what it writes."""

    written: WrittenKeys | None = None

    async def write(self, unit: Unit) -> CopyOutcome:
        """Write one key."""
        outcome = await super().write(unit)
        value = self.world.boxes[self.order.source.name][unit.payload]
        if self.written is not None and not outcome.skipped:
            self.written.save_written({unit.payload.encode(): WrittenVersion(value, value)})
        return outcome


class Terminal:
    """What somebody types: hooks and a gate, which run what the test wants."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.on_freeze: Callable[[], None] = lambda: None
        self.on_thaw: Callable[[], None] = lambda: None
        self.opened = True

    def freeze(self) -> None:
        """Stop the writers."""
        self.calls.append("freeze")
        self.on_freeze()

    def thaw(self) -> None:
        """Let them go on."""
        self.calls.append("thaw")
        self.on_thaw()

    def is_requested(self) -> bool:
        """Somebody asks."""
        return True

    def is_open(self, _now: float) -> bool:
        """As the test says."""
        return self.opened

    def settings(self, limit: float = 300.0, watch: float = 0.05, **more: bool) -> CutoverSettings:
        """How they want to cut over."""
        return CutoverSettings(self, self, limit, watch, **more)


@dataclass
class FollowedBoxes(World):
    """Boxes with a log of their changes each; `streams` are those whose log can be read."""

    logs: dict[str, list[tuple[float, bytes]]] = field(default_factory=dict)
    streams: set[str] = field(default_factory=set)
    gaps: dict[str, list[Any]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    chunks: list[tuple[bytes, ...]] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    kept: KeptJournals = field(default_factory=KeptJournals)
    on_event: dict[str, Callable[[], None]] = field(default_factory=dict)
    kind: Kind | None = None

    def __post_init__(self) -> None:
        self.aws = BoxAws(self)
        for name in ("old", "new"):
            self.make(name)
        self.streams.add("old")

    def owner_of(self, _types: Collection[str], physical_id: str) -> Owner:
        """The owner that the test has set."""
        return self.owners.get(physical_id, UNMANAGED)

    def put(self, box: str, key: str, value: str | None) -> None:
        """Write or delete a key, of which the log of the box tells."""
        if value is None:
            self.boxes[box].pop(key, None)
        else:
            self.boxes[box][key] = value
        self.logs.setdefault(box, []).append((self.aws.clock.now(), key.encode()))

    def fill(self, keys: int) -> None:
        """Put keys into the old box."""
        for number in range(keys):
            self.put("old", f"k{number:03}", "0")

    def markers_of(self, host: str = "") -> ParameterMarkers:
        """The records, as a process on some host has them."""
        holder = Holder(host, f"a boot of {host}", 7, "1") if host else None
        return ParameterMarkers(cast("Aws", self.aws), self.aws.clock, holder)

    def context(self, stop: Callable[[], bool] = lambda: False, host: str = "") -> Context:
        """The outside of one run."""
        markers, aws = self.markers_of(host), cast("Aws", self.aws)
        return Context(
            aws=aws,
            markers=markers,
            clock=self.aws.clock,
            emit=self.hear,
            hold=WorldHold(self),
            journals=self.kept,
            follow_states=FollowFiles(aws),
            cutover_records=CutoverRecordFactory(markers),
            stop=stop,
        )

    def hear(self, happened: Event) -> None:
        """Keep what is told, and do what the test wants to happen then, once."""
        self.events(happened)
        self.on_event.pop(happened.code, lambda: None)()

    @property
    def marker(self) -> Marker:
        """The record of the migration into the new box."""
        return self.markers_of().get(SLUG, "new")

    @property
    def record(self) -> CutoverRecord:
        """What it says of the cut-over."""
        return read_cutover(self.marker.detail)

    @property
    def codes(self) -> list[str]:
        """What was told."""
        return [one.code for one in self.events]

    def texts(self, *codes: str) -> list[str]:
        """What was told in words."""
        return [one.text() for one in self.events if one.code in codes]

    def stop_after(self, code: str, looks: int = 20) -> Callable[[], bool]:
        """A person who asks to stop some time after something was told.

        A comparison that closes a gap has a thread of its own, so it may take many looks.
        """
        left, seen = [100 * looks], len(self.codes)

        def stop() -> bool:
            told = self.codes[seen:]
            if code in told:
                is_comparing = told.count("feed-gap") > told.count("feed-gap-closed")
                left[0] -= 1 if is_comparing else 100
            return left[0] < 0

        return stop


def places() -> tuple[Location, Location]:
    """Both boxes."""
    old, new = (Location(name, FakeParameters.account, FakeParameters.region) for name in BOXES)
    return old, new


BOXES = ("old", "new")


def follow_for_a_while(boxes: FollowedBoxes, settings: CopySettings = FOLLOW) -> None:
    """Follow until the copy is done and what has changed is carried."""
    context = boxes.context(boxes.stop_after("following"))
    with pytest.raises(IncompleteError, match="stopped following"):
        follow(context, TYPE, *places(), settings)


def switch(boxes: FollowedBoxes, watch: float = 0.05, **more: bool) -> Terminal:
    """Cut over, and give the terminal in which that was typed."""
    terminal = Terminal()
    cut_over(boxes.context(), TYPE, places(), FOLLOW, terminal.settings(watch=watch, **more))
    return terminal


def go_back(
    boxes: FollowedBoxes, on_conflict: UndoConflict | None = None, **more: bool
) -> Terminal:
    """Undo the cut-over, and give the terminal in which that was typed."""
    terminal, context = Terminal(), boxes.context()
    found = find_undoable(context, "new")
    undo(context, found, places(), terminal.settings(**more), FOLLOW, on_conflict)
    return terminal


def _refuse_to_foresee(*asked: object) -> FollowForecast:
    raise AssertionError(f"nothing is planned here: {asked}")


def _following(boxes: FollowedBoxes, *, has_feed: bool) -> Following:
    def find(_aws: Aws, name: str) -> str | None:
        return f"stream-of-{name}" if has_feed and name in boxes.streams else None

    def enable(_aws: Aws, name: str) -> str:
        boxes.streams.add(name)
        return f"stream-of-{name}"

    def disable(_aws: Aws, name: str, feed: str) -> bool:
        was_on = name in boxes.streams and feed == f"stream-of-{name}"
        boxes.streams.discard(name)
        return was_on

    def make_feed(_aws: Aws, name: str) -> ChangeFeed:
        if name in boxes.silent:
            raise LookupFailedError(f"no answer about {name}")
        boxes.gaps.setdefault(name, [])
        return BoxFeed(boxes, name)

    def make_carrier(
        _reading: Wire, _writing: Wire, order: CopyOrder, written: WrittenKeys
    ) -> AsyncCarrier:
        return BoxCarrier(boxes, order, written, guarded=not has_feed)

    def make_guarded(
        _reading: Wire, _writing: Wire, order: CopyOrder, written: WrittenKeys
    ) -> AsyncCarrier:
        return BoxCarrier(boxes, order, written, guarded=True)

    def make_copier(_tools: CopyTools, order: CopyOrder, written: WrittenKeys) -> BoxCopier:
        return RecordingCopier(boxes, order, written)

    def list_tags(_aws: Aws, place: Location) -> Iterable[tuple[bytes, str]]:
        return sorted((key.encode(), value) for key, value in boxes.boxes[place.name].items())

    return Following(
        feed_noun="stream" if has_feed else "",
        find_feed=find,
        enable_feed=enable,
        disable_feed=disable,
        make_feed=make_feed,
        make_carrier=make_carrier,
        find_expired=lambda _source, _target, _keys, _now: frozenset(),
        make_copier=None if has_feed else make_copier,
        list_tags=None if has_feed else list_tags,
        guarded_carrier=make_guarded,
        guarded_copier=make_copier,
        forecast=_refuse_to_foresee,
    )


def follow_boxes(monkeypatch: pytest.MonkeyPatch, *, has_feed: bool = True) -> FollowedBoxes:
    """Both boxes, of a type that can be followed; nothing is waited for."""
    boxes = FollowedBoxes()

    def reader(_aws: Aws, place: Location, *, all_versions: bool, deep: bool) -> BoxReader:
        del all_versions, deep
        return AlikeReader(boxes, place)

    following = _following(boxes, has_feed=has_feed)
    boxes.kind = install(
        monkeypatch, boxes, reader=reader, following=lambda: following, scheme="box"
    )
    for module in (follow_run, loop):
        monkeypatch.setattr(module, "UNKNOWN_OUTCOME_SECONDS", 0.0)
    monkeypatch.setattr(follow_run, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(cutover_loop, "LEAST_SETTLE_SECONDS", 0.02)
    monkeypatch.setattr(difference, "LEAST_PAUSE", 0.005)
    monkeypatch.setattr(remote_cutover, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(remote_cutover, "ANSWER_SECONDS", 0.0)
    monkeypatch.setattr(request_cutover, "LOOK_SECONDS", 0.001)
    return boxes

"""Both sides of a migration as its parts see them: the copy, the carrier, the comparison, disks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from dataware.core.errors import LookupFailedError
from dataware.core.follow.feed import (
    UNKNOWN_OUTCOME_SECONDS,
    CarryOutcome,
    Conflict,
    DifferenceResult,
    Gap,
)
from support.follow_memory import MemoryDirtyKeys, MemoryFollow
from support.simulator.tables import Table, differing_keys
from support.simulator.world import World

TOOL, STRANGER, RUDE = "dataware", "stranger", "a writer that nobody knows of"
MISSING = -1
"""What a condition says of a key that is not there."""


class Outcomes:
    """Writes that are made, that fail, whose answers are lost, and that arrive later or never.

    `check` says before each write that the process may still write, as the permit of the wire does.
    With `guarded` a write holds on the condition that the target has what was read, so that nothing
    of a stranger is overwritten.
    """

    def __init__(
        self, world: World, target: Table, check: Callable[[], None], *, guarded: bool
    ) -> None:
        self.world, self.target = world, target
        self._check = check
        self.guarded = guarded

    def write(self, key: bytes, value: int | None, seen: int) -> str:
        """Write; "done", "failed", "conflict" or "unknown"."""
        world = self.world
        self._check()
        signed = world.now
        if world.random.random() < 0.3:
            world.tick()
        left = 300 - (world.now - signed)
        if left < 0 or world.happens(world.chances.fail):
            return "failed"  # AWS refuses what was signed more than five minutes ago
        if world.happens(world.chances.unknown):
            if world.random.random() < 0.8:
                delay = min(left, world.random.random() ** 2 * (UNKNOWN_OUTCOME_SECONDS - 5))
                world.later(delay, lambda: self._apply(key, value, seen))
            return "unknown"
        return "done" if self._apply(key, value, seen) else "conflict"

    def _apply(self, key: bytes, value: int | None, seen: int) -> bool:
        if self.guarded and self.target.items.get(key, MISSING) != seen:
            return self.target.items.get(key) == value
        self.target.write(key, value, TOOL)
        return True


class SimulatedCarrier:
    """The Carrier port: reads the source as it is, and brings the target to it."""

    def __init__(self, source: Table, outcomes: Outcomes) -> None:
        self._source = source
        self._outcomes = outcomes

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """Carry a chunk; a part of it may fail."""
        world, target = self._outcomes.world, self._outcomes.target
        world.tick()
        found: dict[str, set[bytes]] = {"done": set(), "failed": set(), "unknown": set()}
        conflicts = []
        read = {}
        for key in keys:
            if world.happens(world.chances.fail):
                found["failed"].add(key)  # UnprocessedKeys
            else:
                read[key] = self._source.items.get(key)
        for key, value in read.items():
            seen = target.items.get(key, MISSING)
            if self._outcomes.guarded and seen != MISSING and target.authors[key] == STRANGER:
                conflicts.append(Conflict(key, "the target has another value"))
                continue
            outcome = self._outcomes.write(key, value, seen)
            found["failed" if outcome == "conflict" else outcome].add(key)
        return CarryOutcome(
            frozenset(found["done"]),
            frozenset(found["failed"]),
            frozenset(found["unknown"]),
            tuple(conflicts),
        )


def copy_table(source: Table, outcomes: Outcomes, page: int = 5) -> Iterator[bool]:
    """Copy page by page, a page behind the reads; whether an answer was lost, at each step."""
    world, waiting = outcomes.world, []
    for key in [*sorted(source.items), None]:
        if key is not None:
            waiting.append((key, source.items.get(key)))
        if len(waiting) < page and key is not None:
            continue
        for _ in range(world.random.choice((1, 2, 12))):
            yield False
        for one, value in waiting:
            while value is not None:
                outcome = outcomes.write(one, value, MISSING)
                if outcome == "unknown":
                    yield True
                if outcome in ("done", "conflict"):
                    break
        waiting = []
        world.tick()


class SimulatedComparison:
    """The KeyComparison and the FullDifference port: reads both sides key by key, in steps."""

    def __init__(self, world: World, source: Table, target: Table) -> None:
        self._world = world
        self._source, self._target = source, target
        self._waiting: list[bytes] = []
        self._differing: set[bytes] = set()

    def start(self, keys: Collection[bytes] | None = None) -> None:
        """Begin with `keys`, or with all."""
        every = self._source.items.keys() | self._target.items.keys()
        self._waiting = sorted(every if keys is None else keys)
        self._differing = set()

    def collect(self) -> DifferenceResult | None:
        """Read some more keys, a side after the other."""
        world = self._world
        if world.happens(world.chances.fail):
            raise LookupFailedError("a side does not answer")
        part, self._waiting = self._waiting[:12], self._waiting[12:]
        here = {key: self._source.items[key] for key in part if key in self._source.items}
        world.tick()
        there = {key: self._target.items[key] for key in part if key in self._target.items}
        self._differing |= differing_keys(here, there)
        return None if self._waiting else DifferenceResult(self._differing)


class BlindComparison(SimulatedComparison):
    """A comparison that finds nothing, so that all rests on the rules of the follow."""

    def collect(self) -> DifferenceResult | None:
        """Nothing."""
        return DifferenceResult(())


class DiskDirtyKeys(MemoryDirtyKeys):
    """Dirty keys on the disk of a machine; who is killed while it writes has written a part."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def add(self, keys: Iterable[bytes], since: float) -> int:
        """Add keys one after another."""
        whole = sorted(keys)
        half = self._world.random.randrange(len(whole) + 1) if whole else 0
        first = super().add(whole[:half], since)
        self._world.tick()
        return first + super().add(whole[half:], since)

    def take(self, limit: int, now: float) -> tuple[bytes, ...]:
        """Lend keys."""
        taken = super().take(limit, now)
        self._world.tick()
        return taken

    def settle(self, keys: Collection[bytes]) -> None:
        """Forget keys."""
        self._world.tick()
        super().settle(keys)

    def put_back(self, keys: Collection[bytes], not_before: float) -> None:
        """End the loan of keys."""
        self._world.tick()
        super().put_back(keys, not_before if self._world.rules.not_before else 0.0)


class DiskMemory(MemoryFollow):
    """What a follow remembers on the disk of a machine."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def save_position(self, position: Mapping[str, Any]) -> None:
        """Save a position."""
        self._world.tick()
        super().save_position(position)
        self._world.tick()

    def add_gaps(self, gaps: Collection[Gap]) -> None:
        """Remember gaps."""
        self._world.tick()
        super().add_gaps(gaps)

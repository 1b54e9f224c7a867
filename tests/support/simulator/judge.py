"""What must never happen, looked for at every write and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataware.core.follow.cutover_loop import LEAST_SETTLE_SECONDS
from dataware.core.model import MarkerState
from dataware.state.marker_value import CUTOVER, MarkerValue, parameter_name
from dataware.state.parameter_store import ParameterStore
from support.simulator.process import KIND, TARGET, Process
from support.simulator.sides import RUDE, STRANGER, TOOL
from support.simulator.tables import differing_keys
from support.simulator.world import World

if TYPE_CHECKING:
    from support.simulator.people import People


class BrokenPromiseError(Exception):
    """A promise of the product was broken."""


class Judge:
    """Watches every write. `strays` are the keys that were named, `unwatched` that some may not be.

    `behind` are the keys that somebody wrote to the source behind the switch, or that differed at
    it: each of them has to be named.
    """

    def __init__(self, world: World, people: People) -> None:
        self.world, self.people = world, people
        self.completed_at: float | None = None
        self.strays: set[bytes] = set()
        self.undo_wrote: set[bytes] = set()
        self.known_strays: set[bytes] = set()
        self.kept: set[bytes] = set()
        self.behind: set[bytes] = set()
        self.unwatched = self.thawed_late = self.is_undone = False
        people.source.judge = people.target.judge = self.hear_write
        people.store.on_write = self.hear_marker

    def hear_write(self, table: Any, key: bytes, author: str) -> None:
        """Somebody writes."""
        people = self.people
        if author == TOOL:
            if table is people.source:
                self._judge_undo(key)
            elif self.completed_at is not None:
                self.break_off("dataware wrote to the target after the switch")
            if key in table.items and table.authors[key] == STRANGER:
                self.break_off("a stranger's value was overwritten")
        elif table is people.source and self.completed_at is not None:
            self.behind.add(key)

    def _judge_undo(self, key: bytes) -> None:
        """dataware writes to the source, which it may only to undo, and never over a stray."""
        people = self.people
        if self.completed_at is None or not people.wants_undo:
            self.break_off("dataware wrote to the source")
        known = people.source.authors.get(key) == RUDE and key in self.known_strays
        if known and key not in self.undo_wrote and people.decide() != "replace":
            self.break_off("a stray's value was overwritten")
        self.undo_wrote.add(key)

    def hear_thaw_new(self, process: Process) -> None:
        """A process lets the app write to the target again."""
        if process.is_silent:
            self.thawed_late = True
        elif self.is_undone:
            self.break_off("the target was thawed after the way back")

    def _hear_undo(self, value: str) -> None:
        """ "following" after the switch opens the source again."""
        if '"state":"following"' not in value:
            return
        stored = self._look()
        if stored is None or stored.state is not MarkerState.RUNNING:
            return
        if stored.detail.get(CUTOVER, {}).get("state") != "following":
            return
        people = self.people
        self.world.say("FOLLOWING counts")
        if not people.is_new_frozen and not self.thawed_late:
            self.break_off("undone, but the target is open")
        differing = self.find_differing()
        # A record that came late looks like a stray's, and a person may have kept what is there.
        unexplained = differing - self.behind - self.strays - self.kept
        if unexplained and not people.has_rude_writer:
            self.break_off(f"undone, but {sorted(unexplained)} differ")
        self.is_undone, self.completed_at = True, None
        people.is_frozen = False
        self.behind.clear()

    def _look(self) -> MarkerValue | None:
        store = self.people.store
        between, store.between = store.between, lambda: None
        try:
            looked = ParameterStore(store, store.clock).look(parameter_name(KIND, TARGET))  # type: ignore[arg-type] # the calls that markers make
        finally:
            store.between = between
        return None if looked.stored is None else looked.stored.value

    def hear_marker(self, value: str) -> None:
        """A value of the marker arrived; it counts or not."""
        if self.completed_at is not None:
            self._hear_undo(value)
        if self.completed_at is not None or '"state":"complete"' not in value:
            return
        people, stored = self.people, self._look()
        if stored is None or stored.state is not MarkerState.COMPLETE:
            return
        self.world.say("COMPLETE counts")
        self.completed_at, self.is_undone = self.world.now, False
        if not people.is_frozen and not self.thawed_late:
            self.break_off("complete, but the source is open")
        differing = {
            key for key in self.find_differing() if people.target.authors.get(key) != STRANGER
        }
        # What nobody could know of in time has to be named afterwards; all else is a lie.
        if differing and not people.has_rude_writer and people.delay < LEAST_SETTLE_SECONDS:
            self.break_off(f"complete, but {sorted(differing)} differ")
        self.behind |= differing

    def find_differing(self) -> set[bytes]:
        """The keys under which both sides differ."""
        return differing_keys(self.people.source.items, self.people.target.items)

    def hear_thaw(self, process: Process) -> None:
        """A process lets the app write to the source again."""
        if process.is_silent:
            # It stood still between its last look at the lock and the thaw, so nothing can hold it
            # back; whoever writes to the source then is a stray.
            self.thawed_late = True
        elif self.completed_at is not None:
            self.break_off("the source was thawed after the switch")

    def judge_end(self) -> None:
        """Nothing happens any more."""
        missed = self.find_unnamed()
        if missed and not self.unwatched:
            self.break_off(f"nobody was told of {sorted(missed)}, written behind the switch")

    def find_unnamed(self) -> set[bytes]:
        """The keys that somebody wrote behind the switch, and of which nobody was told."""
        return self.behind - self.strays

    def break_off(self, what: str) -> None:
        """A promise was broken."""
        raise BrokenPromiseError(f"SEED={self.world.seed}: {what}")

"""The progress of a run of several resources: events in, lines out; pure.

    for each event   progress.take(event, seconds)
    at any moment    progress.lines(seconds, width, most)

Events of several resources may come in any order between each other: each names the resource
that its `name` says, and its `kind` where it has one (`event_sampler.migration_of`). A resource is
known from its first `phase` or progress on, so that one which waits counts in the total.

No count goes down. Within a phase that an earlier round was in before, the highest figures stay;
a total that is an estimate grows where it was too low. Only the end of a copy, which knows how many
there were, replaces it, and the line of the whole run keeps its own highest figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from dataware.calc.measures import volume
from dataware.calc.rate import rough
from dataware.core.events import Event
from dataware.core.printable import escape_unprintable
from dataware.report.bar import Row, bar_lines, cut_text, number_of, overall_line, overall_parts
from dataware.report.event_sampler import BARS, ENDS, LOOK, PHASE, migration_of
from dataware.report.resource_labels import ResourceLabels

WAITING: Final = "waiting"
COPYING: Final = "copying"
SUCCESSES: Final = frozenset({"migrated", "migrated-partly", "verified", "migration-completed"})
"""Codes after which a resource is done; after other ends it is not."""


@dataclass(slots=True)
class ResourceProgress:
    """What is known of one resource: its latest figures, and the highest ones of the copy."""

    row: dict[str, object] = field(default_factory=dict)
    since: float = 0.0
    taken: float = 0.0
    copied: int = 0
    bytes: int = 0
    total: int = 0
    exact: bool = True
    rate: float = 0.0
    ended: bool = False
    done: bool = False
    highest: dict[str, tuple[int, int]] = field(default_factory=dict)

    def take(self, data: Mapping[str, object], now: float) -> None:
        """Progress, or the beginning of a phase, of which only the time is known yet."""
        row = {**data, "name": escape_unprintable(str(data.get("name", "")))}
        phase = str(row.get("phase") or "")
        if not self.row or phase != self.row.get("phase"):
            self.since = now
        self.taken, self.ended, self.done = now, False, False
        if "done" in row:
            self._raise_counts(phase, row)
        self.row = row

    def _raise_counts(self, phase: str, row: dict[str, object]) -> None:
        done, total = number_of(row, "done"), number_of(row, "total")
        done_before, total_before = self.highest.get(phase, (0, 0))
        done = row["done"] = max(done, done_before)
        if total and not row.get("exact", True):
            total = row["total"] = max(total, total_before, done)
        elif total:
            total = row["total"] = max(total, done)
        self.highest[phase] = done, max(total, total_before)
        if phase == COPYING:
            rate = row.get("rate", 0)
            self.rate = float(rate) if isinstance(rate, int | float) else 0.0
            self.copied, self.total = max(self.copied, done), max(self.total, total)
            self.bytes = max(self.bytes, number_of(row, "bytes"))
            self.exact = bool(row.get("exact", True))

    def end(self, *, done: bool) -> None:
        """It makes no more progress; whether it is `done`, or somebody has to go on with it."""
        self.ended, self.done = True, self.done or done

    def row_at(self, now: float) -> Row:
        """The row, in which figures of elsewhere grow old, and a phase without any shows time."""
        row = self.row
        if isinstance(age := row.get("age"), int):
            row = {**row, "age": age + int(now - self.taken)}
        if "done" in row or row.get("phase") == WAITING:
            return row
        return {**row, "elapsed": now - self.since}


class RunProgress:
    """All resources of a run, and the whole of them."""

    def __init__(self) -> None:
        self._resources: dict[str, ResourceProgress] = {}
        self._copied = self._total = self._bytes = self._ended = 0
        self._rate = 0.0
        self._look = ""
        self._labels = ResourceLabels()

    def take(self, happened: Event, now: float) -> None:
        """What happened at a moment, in seconds that never go back."""
        key = self._key_of(happened)
        self._look = happened.text() if happened.code == LOOK else ""
        if happened.code in BARS or happened.code == PHASE:
            self._resources.setdefault(key, ResourceProgress()).take(happened.data, now)
            self._labels.note(happened.data)
        elif happened.code in ENDS and key in self._resources:
            self._resources[key].end(done=happened.code in SUCCESSES)
        else:
            return
        self._raise_whole()

    def _key_of(self, happened: Event) -> str:
        """The resource; one event may name the kind of what another names without it."""
        key = migration_of(happened)
        if key in self._resources or "kind" in happened.data:
            return key
        alike = [one for one in self._resources if one.partition("/")[2] == key]
        return alike[0] if len(alike) == 1 else key

    def _raise_whole(self) -> None:
        each = self._resources.values()
        self._copied = max(self._copied, sum(one.copied for one in each))
        self._total = max(self._total, self._copied, sum(one.total for one in each))
        self._bytes = max(self._bytes, sum(one.bytes for one in each))
        self._ended = max(self._ended, sum(one.done for one in each))
        busy = [one.rate for one in each if not one.ended and one.row.get("phase") == COPYING]
        self._rate = sum(busy) or self._rate

    def __bool__(self) -> bool:
        """Whether any resource makes progress, or will, or names are being looked at."""
        return bool(self._look) or any(not one.ended for one in self._resources.values())

    def clear(self) -> None:
        """Nothing makes progress any more."""
        self._look = ""
        self._resources.clear()

    def lines(self, now: float, width: int, most: int) -> Iterator[tuple[str, bool]]:
        """At most `most` lines, none wider than `width`; each with whether it only waits."""
        if self._look:
            most = max(1, most - 1)
            yield cut_text(self._look, width), False
        live = [
            self._with_label(one.row_at(now)) for one in self._resources.values() if not one.ended
        ]
        live.sort(key=lambda row: row.get("phase") == WAITING)
        whole = len(self._resources) > 1 and most > 2 and self._copies_several()
        room = most - whole
        rows = live if len(live) <= room else live[: max(1, room - 1)]
        for row, text in zip(rows, bar_lines(rows, width), strict=True):
            yield text, row.get("phase") == WAITING
        if len(live) > len(rows):
            yield cut_text(f"… and {len(live) - len(rows):,} more", width), True
        if whole:
            yield overall_line(self.whole(), width), False

    def _with_label(self, row: Row) -> Row:
        """A row under what its resource is called among the others."""
        return {**row, "name": self._labels.full_label(row)}

    def sum_up(self) -> str:
        """How far the whole run is, for a line of its own; empty for one resource, and at the end.

        As on a terminal, a run that only watches others has no such line.
        """
        if len(self._resources) < 2 or not self or not self._copies_several():
            return ""
        return ", ".join(overall_parts(self.whole()))

    def _copies_several(self) -> bool:
        """Whether this run copies; one that watches others has no sum."""
        return not any("age" in one.row for one in self._resources.values())

    def whole(self) -> dict[str, object]:
        """The figures of the run: resources, what was copied, rate, and time left if known."""
        each = self._resources.values()
        unknown = any(not one.total for one in each if not one.done)
        exact = not unknown and all(one.exact for one in each)
        items_left = self._total - self._copied
        is_known = items_left > 0 and self._rate > 0 and not unknown
        return {
            "resources_done": self._ended,
            "resources": len(each),
            "done": self._copied,
            "total": self._total,
            "exact": exact,
            "more": unknown,
            "bytes": volume(self._bytes) if self._bytes else "",
            "rate": self._rate,
            "left": rough(items_left / self._rate) if is_known else "",
        }

"""Keeps a long copy from becoming a long log.

`EventSampler` lets through at most one line of progress per migration and period, the last batch
when the migration ends, and only a sample of a long list of keys. It never sleeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from dataware.core.events import FEW_BATCHES, Event, Level, event

LISTED = frozenset({"skipped", "difference"})
"""Codes that come once for each key."""

ENDS = frozenset(
    {"migrated", "migrated-partly", "verified", "incomplete", "stopped", "differences", "deferred"}
    | {"migration-completed", "migration-ended", "failure"}
)
"""Codes after which a migration makes no more progress."""

PHASE = "phase"
"""The code of what a live display and a script are told, and nobody needs a line for."""

LOOK = "look-progress"
"""The code of what tells a person that a plan is being made; no one else needs it."""

BARS = frozenset({"progress", "verify-progress", "watch-progress"})
"""Codes that tell how far a migration is."""


class EventSampler:
    """Decides which events deserve a line; `period` is in seconds, `sample` in lines a list."""

    def __init__(self, now: Callable[[], float], *, period: float, sample: int | None) -> None:
        self._now = now
        self._period = period
        self._sample = sample
        self._last: dict[str, float] = {}
        self._held_back: dict[str, Event] = {}
        self._listed: Counter[tuple[str, str]] = Counter()

    def admit(self, happened: Event) -> Iterator[Event]:
        """What is to be shown now that this has happened."""
        name = migration_of(happened)
        if happened.code in ENDS | {"verifying"} and name in self._held_back:
            yield self._held_back.pop(name)
        if self._deserves_line(happened, name):
            self._held_back.pop(name, None)
            yield happened
        elif happened.code == "batch":
            # The number of batches may be an estimate, so only the end tells which is the last.
            self._held_back[name] = happened

    def rest(self) -> Iterator[Event]:
        """What is to be shown at the very end: batches held back, and which lists were cut."""
        yield from self._held_back.values()
        for (code, name), count in self._listed.items():
            if self._sample is not None and count > self._sample:
                of = f" of {name.rpartition('/')[2]}" if name else ""
                more = f"{count - self._sample:,} more lines like these{of} are not shown"
                yield event("warning", text=f"{more}; `--format json` lists all", about=code)

    def _deserves_line(self, happened: Event, name: str) -> bool:
        if happened.code in LISTED:
            self._listed[happened.code, name] += 1
            return self._sample is None or self._listed[happened.code, name] <= self._sample
        hidden = happened.code == LOOK and self._sample is None
        if hidden or happened.message.level is Level.DETAIL:
            return False
        if happened.code == PHASE:
            return self._sample is None
        if happened.message.level is not Level.PROGRESS or is_one_of_few(happened):
            return True
        if happened.code == "watch-progress" and name not in self._last:
            self._last[name] = self._now()
            return True
        return self._is_due(name)

    def _is_due(self, name: str) -> bool:
        now = self._now()
        if now - self._last.setdefault(name, now) < self._period:
            return False
        self._last[name] = now
        return True


def is_one_of_few(happened: Event) -> bool:
    """Whether this is a batch of a copy that has few of them."""
    batches = happened.data.get("batches")
    return happened.code == "batch" and isinstance(batches, int) and batches <= FEW_BATCHES


def migration_of(happened: Event) -> str:
    """What tells migrations apart: the target's name, and its kind where the event has one.

    Empty where the event has no name. In a fleet the same name stands in several places.
    """
    name, kind = str(happened.data.get("name", "")), happened.data.get("kind")
    of_kind = f"{kind}/{name}" if kind else name
    place = happened.data.get("target")
    return f"{place}/{of_kind}" if place and of_kind else of_kind

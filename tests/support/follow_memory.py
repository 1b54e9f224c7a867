"""Fakes of what a follow works with: dirty keys, memory, a feed and both sides, in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from dataware.core.follow.feed import CarryOutcome, FeedRound, Gap


class MemoryDirtyKeys:
    """The DirtyKeys port in a dictionary: key -> since, not before, lent, changed while lent."""

    def __init__(self) -> None:
        self.rows: dict[bytes, list[Any]] = {}

    def add(self, keys: Iterable[bytes], since: float) -> int:
        """Add keys; a lent one is marked as changed again."""
        before = len(self.rows)
        for key in keys:
            row = self.rows.setdefault(key, [since, 0.0, False, False])
            row[0], row[3] = min(row[0], since), row[2]
        return len(self.rows) - before

    def take(self, limit: int, now: float) -> tuple[bytes, ...]:
        """Lend keys that are due."""
        for row in self.rows.values():
            row[1] = 0.0 if row[1] <= now else row[1]
        due = [key for key, row in self.rows.items() if not row[2] and row[1] <= now][:limit]
        for key in due:
            self.rows[key][2] = True
        return tuple(due)

    def settle(self, keys: Collection[bytes]) -> None:
        """Forget keys, but for those that changed again."""
        for key in keys:
            if self.rows[key][3]:
                self.rows[key][2:] = [False, False]
            else:
                del self.rows[key]

    def put_back(self, keys: Collection[bytes], not_before: float) -> None:
        """End the loan of keys."""
        for key in keys:
            row = self.rows[key]
            row[1:] = [max(row[1], not_before), False, False]

    def end_loans(self, not_before: float) -> int:
        """End every loan, and let what waits go on waiting."""
        for row in self.rows.values():
            row[1] = max(row[1], not_before) if row[1] else 0.0
        lent = [key for key, row in self.rows.items() if row[2]]
        self.put_back(lent, not_before)
        return len(lent)

    def count(self) -> int:
        """How many there are."""
        return len(self.rows)

    def oldest(self) -> float | None:
        """The oldest `since`."""
        return min((row[0] for row in self.rows.values()), default=None)

    def next_due(self) -> float | None:
        """When the next key is due."""
        return min((row[1] for row in self.rows.values() if not row[2]), default=None)


class MemoryFollow:
    """The FollowMemory port in fields."""

    def __init__(self) -> None:
        self.saved: Mapping[str, Any] | None = None
        self.gaps: list[Gap] = []

    def position(self) -> Mapping[str, Any] | None:
        """The position that was saved."""
        return self.saved

    def save_position(self, position: Mapping[str, Any]) -> None:
        """Save a position."""
        self.saved = position

    def open_gaps(self) -> tuple[Gap, ...]:
        """The gaps that are open."""
        return tuple(self.gaps)

    def add_gaps(self, gaps: Collection[Gap]) -> None:
        """Remember gaps."""
        self.gaps += [gap for gap in gaps if gap not in self.gaps]

    def close_gaps(self, gaps: Collection[Gap]) -> None:
        """Forget gaps."""
        self.gaps = [gap for gap in self.gaps if gap not in gaps]


class LogFeed:
    """A feed over a list of (time, key) that is read from a position on, `page` at a time."""

    def __init__(self, log: list[tuple[float, bytes]], page: int = 1000) -> None:
        self.log, self.page, self.at = log, page, 0
        self.gaps: list[Gap] = []

    def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """Go on after a position, or from the present end."""
        self.at = len(self.log) if position is None else position["at"]
        return {"at": self.at}

    def poll(self, now: float) -> FeedRound:
        """The next page."""
        part = self.log[self.at : self.at + self.page]
        self.at += len(part)
        gaps, self.gaps = tuple(self.gaps), []
        times = [at for at, _ in part]
        keys = frozenset(key for _, key in part)
        return FeedRound(
            keys,
            {"at": self.at},
            min(times, default=None),
            max(times, default=None),
            gaps,
            self.at == len(self.log),
        )


class SideCarrier:
    """A carrier between two dictionaries; `answers` may spoil what becomes of the next chunks."""

    def __init__(self, source: dict[bytes, Any], target: dict[bytes, Any]) -> None:
        self.source, self.target = source, target
        self.chunks: list[tuple[bytes, ...]] = []

    def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
        """Put what the source has, delete what it has not."""
        self.chunks.append(tuple(keys))
        for key in keys:
            if key in self.source:
                self.target[key] = self.source[key]
            else:
                self.target.pop(key, None)
        return CarryOutcome(carried=frozenset(keys))

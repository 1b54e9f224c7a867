"""Which pages of a partition are fully acknowledged, so that a checkpoint may pass them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from dataware.core.copier import SkippedKey
from dataware.migrate.copy_state import Counts


@dataclass(slots=True)
class PendingPage:
    """A page whose units are being written; `cursor` is where a run goes on after it."""

    cursor: str | None
    pending: int
    counts: Counts = field(default_factory=Counts)
    skipped: list[SkippedKey] = field(default_factory=list)


class PageWindow:
    """The open pages of one partition, in the order of reading.

    A page is settled when it and every page before it have no unit pending.
    """

    def __init__(self, partition: str) -> None:
        self.partition = partition
        self._open: deque[PendingPage] = deque()

    def open_page(self, cursor: str | None, units: int) -> PendingPage:
        """A page of `units` units was read."""
        page = PendingPage(cursor, units)
        self._open.append(page)
        return page

    def pop_settled(self) -> Iterator[PendingPage]:
        """Take out the pages that a checkpoint may pass now, oldest first."""
        while self._open and self._open[0].pending == 0:
            yield self._open.popleft()

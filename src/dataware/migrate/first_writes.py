"""The first writes of a copy, which show whether writing is allowed at all.

Where every one of them is denied, the rest would be denied too: the copy ends after a few, and
nothing of them is on record, so that the same command begins with them once they are allowed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dataware.core.copier import CopyOutcome, SkipReason
from dataware.core.errors import WriteDeniedError
from dataware.migrate.page_window import PageWindow, PendingPage

FEW = 20
"""Writes that are made, and may be denied, before a copy ends."""

PATIENCE_SECONDS = 1.0
"""How long further writes wait for the first of these; a large object takes longer than this."""


class WrittenUnit(NamedTuple):
    """What became of a unit, with the page that it settles and the window of that page."""

    window: PageWindow
    page: PendingPage
    outcome: CopyOutcome


@dataclass(slots=True)
class FirstWrites:
    """Holds back what is denied until a write succeeds; for one event loop."""

    held: list[WrittenUnit] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def admit(
        self, window: PageWindow, page: PendingPage, outcome: CopyOutcome
    ) -> Iterator[WrittenUnit]:
        """What may be accounted for now. Raises WriteDeniedError once `FEW` writes were denied."""
        if outcome.copied:
            yield from self.release()
        elif outcome.skipped and all(skip.reason is SkipReason.DENIED for skip in outcome.skipped):
            self.held.append(WrittenUnit(window, page, outcome))
            if len(self.held) >= FEW:
                raise self.denial_error()
            return
        yield WrittenUnit(window, page, outcome)

    def release(self) -> Iterator[WrittenUnit]:
        """End the trial; answers with what it held back."""
        self.over.set()
        writes, self.held = self.held, []
        yield from writes

    def denial_error(self) -> WriteDeniedError:
        """The error of a copy of which every write was denied."""
        skipped_keys = [one for write in self.held for one in write.outcome.skipped]
        ((why, _),) = Counter(one.detail for one in skipped_keys).most_common(1)
        return WriteDeniedError(why, attempts=len(self.held))

"""What is accounted for, and which of it is on record: settled pages become checkpoints.

Checkpoints are gathered for a moment and written together, because each writing waits for the
disk; what a dead run has not written yet is read and compared again, which loses nothing.
"""

from __future__ import annotations

from dataware.core.copier import CopyOutcome
from dataware.core.events import event
from dataware.migrate.copy_state import Counts, skipped_json
from dataware.migrate.page_window import PageWindow, PendingPage
from dataware.migrate.run_tools import RunTools

CHECKPOINT_SECONDS = 0.25
"""How long a settled page waits at most for its checkpoint, while the copy runs."""


class CheckpointWriter:
    """Counts outcomes page by page, and keeps the journal and the progress up to date."""

    def __init__(self, tools: RunTools) -> None:
        self._tools = tools
        self._settled: dict[str, PageWindow] = {}
        self._written = tools.clock.monotonic()

    def open_page(
        self, pages: PageWindow, cursor: str | None, units: int, outcome: CopyOutcome
    ) -> PendingPage:
        """A page was read: `units` of it are to be written, `outcome` is known already."""
        page = pages.open_page(cursor, units)
        self._count(page, outcome)
        if units == 0:
            self._settled[pages.partition] = pages
        return page

    def count_written(self, pages: PageWindow, page: PendingPage, outcome: CopyOutcome) -> None:
        """A unit of a page is accounted for."""
        self._count(page, outcome)
        page.pending -= 1
        if page.pending == 0:
            self._settled[pages.partition] = pages

    def tick(self) -> None:
        """Write the checkpoints that are due."""
        if self._tools.clock.monotonic() - self._written >= CHECKPOINT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write every checkpoint that can be written. Raises Incomplete when that fails."""
        settled, self._settled = self._settled, {}
        records = [record for pages in settled.values() if (record := _checkpoint(pages))]
        if records:
            self._tools.journal.append(*records)
            for record in records:
                self._tools.state.take(record)
        self._written = self._tools.clock.monotonic()

    def _count(self, page: PendingPage, outcome: CopyOutcome) -> None:
        counts = page.counts
        counts.copied += outcome.copied
        counts.same += outcome.same
        counts.bytes += outcome.bytes
        if outcome.tally.records:
            counts.tally = counts.tally.plus(outcome.tally)
        if outcome.skipped:
            counts.skipped += len(outcome.skipped)
            page.skipped.extend(outcome.skipped)
            for skip in outcome.skipped:
                words = self._tools.progress.words
                self._tools.emit(event("skipped", **skipped_json(skip), **words))
        copied = outcome.copied + outcome.same
        self._tools.progress.count(copied, len(outcome.skipped), outcome.bytes)


def _checkpoint(pages: PageWindow) -> dict[str, object] | None:
    """The record that passes every settled page; None if the oldest page is not settled."""
    settled = list(pages.pop_settled())
    if not settled:
        return None
    counts = Counts()
    for page in settled:
        counts.add(page.counts)
    return {
        "type": "checkpoint",
        "partition": pages.partition,
        "cursor": settled[-1].cursor,
        "skipped_keys": [skipped_json(skip) for page in settled for skip in page.skipped],
        **counts.to_json(),
    }

"""What the runs of all engines of the account have in common: work that goes on by itself.

    on record ── asked for ── watched, with growing pauses ── result read ── removed

The work is on record before it is asked for, so whoever goes on after a kill watches the same work.
A stop ends the watching, and says what goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from dataware.calc.pauses import growing_pauses
from dataware.core.engines.card import ENGINE, EngineName
from dataware.core.engines.port import JobProgress, Record
from dataware.core.errors import IncompleteError
from dataware.core.events import event
from dataware.ops.run_migration import MigrationRun

TELL_SECONDS = 10.0

Seen = TypeVar("Seen")


class EngineRun(MigrationRun):
    """The steps of one migration whose data an engine of the account brings."""

    _engine: EngineName
    _record: Record

    @property
    def _begun(self) -> Record:
        """What an earlier run has put on record; empty without one."""
        before = self._migration.marker.detail.get(ENGINE)
        return before if isinstance(before, Mapping) else {}

    def _keep(self, record: Record) -> Record:
        """Have it on record before anything is asked for."""
        self._record = {**record, "name": self._engine.value}
        self._publish_record()
        return self._record

    def _publish_record(self) -> None:
        self._keeper.publish({ENGINE: self._record or None})
        self._keeper.send_heartbeat()

    def _observe(
        self, look: Callable[[], Seen], tell: Callable[[Seen], None] = lambda _seen: None
    ) -> Iterator[Seen]:
        """Look again and again, and `tell` now and then that it goes on; the caller ends it."""
        clock = self._context.clock
        told = clock.monotonic()
        for seconds in growing_pauses():
            seen = look()
            yield seen
            self._keeper.check()
            if clock.monotonic() - told >= TELL_SECONDS:
                told = clock.monotonic()
                tell(seen)
            self._context.aws.pause(seconds)

    @contextmanager
    def _explain_stop(self, explain: Callable[[], IncompleteError]) -> Iterator[None]:
        """Say what goes on where a person ends the watching."""
        try:
            yield
        except IncompleteError as error:
            if not self._context.stop():
                raise
            raise explain() from error

    def _tell_job(self, progress: JobProgress, unit: str) -> None:
        numbers = {"done": progress.done, "total": progress.total, "unit": unit}
        self._emit("job-progress", state=progress.state, **numbers)

    def _note(self, text: str) -> None:
        self._emit("note", text=text)

    def _warn(self, text: str) -> None:
        self._emit("warning", text=text)

    def _emit(self, code: str, **fields: object) -> None:
        self._context.emit(event(code, **{**fields, **self._migration.words()}))

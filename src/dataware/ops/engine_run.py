"""What the runs of all engines of the account have in common: work that goes on by itself.

    on record ── asked for ── watched, with growing pauses ── result read ── removed

The work is on record before it is asked for, so whoever goes on after a kill watches the same work.
A stop ends the watching, and says what goes on. What the service says of its work is on record,
too, so that `dataware status` shows it anywhere. A pause holds back what this machine would do
next; what it does to the work, which may go on, its card says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, TypeVar

from dataware.calc.pauses import growing_pauses
from dataware.calc.rate import RateEstimator
from dataware.core.engines.card import ENGINE, EngineName
from dataware.core.engines.choice import EngineTable
from dataware.core.engines.port import WORK, JobProgress, Record, WorkFigures
from dataware.core.errors import IncompleteError
from dataware.core.events import event
from dataware.ops.run_migration import MigrationRun

TELL_SECONDS = 10.0

Seen = TypeVar("Seen")


class Work(Protocol):
    """What is seen of work that goes on."""

    @property
    def figures(self) -> WorkFigures:
        """What its service tells."""
        ...


AnyWork = TypeVar("AnyWork", bound=Work)


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
        self, look: Callable[[], Seen], tell: Callable[[Seen], None] = lambda _work: None
    ) -> Iterator[Seen]:
        """Look again and again, and `tell` now and then that it goes on; the caller ends it."""
        clock = self._context.clock
        reported_at = clock.monotonic()
        for seconds in growing_pauses():
            work = look()
            yield work
            self._keeper.check()
            self._check_beside()
            if clock.monotonic() - reported_at >= TELL_SECONDS:
                reported_at = clock.monotonic()
                tell(work)
            self._context.aws.pause(seconds)

    def _check_beside(self) -> None:
        """Raise IncompleteError where what goes on beside the work has ended; nothing does here."""

    def _watch_work(
        self, look: Callable[[], AnyWork], unit: str, tell: Callable[[AnyWork], None]
    ) -> Iterator[AnyWork]:
        """Look at work that counts in `unit`, and have its figures on record."""
        rate = RateEstimator(self._context.clock.monotonic())
        for work in self._observe(look, tell):
            self._publish_work(work.figures, unit, rate)
            yield work

    def _publish_work(
        self, figures: WorkFigures, unit: str, rate: RateEstimator | None = None
    ) -> None:
        numbers = {name: value for name, value in figures._asdict().items() if value}
        if rate is not None:
            rate.observe(self._context.clock.monotonic(), figures.items or figures.done)
            numbers["rate"] = round(rate.rate, 1)
        self._keeper.publish({WORK: {**numbers, "unit": unit}})

    def describe_pause_effect(self) -> str:
        """What it does to the work under way."""
        if not self._keeper.detail.get(WORK):
            return ""
        card = EngineTable(self._migration.kind.require_copying().engines()).find(self._engine)
        return card.pause if card else ""

    def _enter(self, phase: str) -> None:
        super()._enter(phase)
        self._keeper.publish({WORK: None})

    @contextmanager
    def _explain_stop(self, explain: Callable[[], IncompleteError]) -> Iterator[None]:
        """Say what goes on where a person ends the watching."""
        try:
            yield
        except IncompleteError as error:
            if not self._context.stop():
                raise
            raise explain() from error

    def _report_job(self, progress: JobProgress, unit: str) -> None:
        numbers = {"done": progress.done, "total": progress.total, "unit": unit}
        self._emit("job-progress", state=progress.state, **numbers)

    def _note(self, text: str) -> None:
        self._emit("note", text=text)

    def _warn(self, text: str) -> None:
        self._emit("warning", text=text)

    def _emit(self, code: str, **fields: object) -> None:
        self._context.emit(event(code, **{**fields, **self._migration.words()}))

"""The record of a comparison by workers, as long as anything of them is in the account.

It lies beside those of migrations, under a kind of its own, and is called as its workers are: so
`dataware status` shows it, `dataware forget` stops and removes them, and of two commands that
compare the same pair the second is refused. With the workers it goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from dataware.core.engines.card import ENGINE, EngineName
from dataware.core.engines.port import WORK, JobProgress
from dataware.core.engines.unfinished_work import COMPARED, COMPARISON
from dataware.core.errors import DatawareError, RefusedError
from dataware.core.events import event
from dataware.core.model import Marker, MarkerState
from dataware.migrate.lease_term import since_boot
from dataware.ops.context import ComparisonSpec, Context
from dataware.ops.failure_summary import ending
from dataware.ops.lease_keeper import LeaseKeeper, keep_alive


class ComparisonRecord:
    """The record of one pair, called `name`; entered by `hold`."""

    def __init__(self, context: Context, pair: ComparisonSpec, name: str, unit: str) -> None:
        self._context = context
        self._pair = pair
        self._name = name
        self._unit = unit
        self._keeper: LeaseKeeper | None = None
        self._is_done = False

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Have the record for as long as this is entered, and delete it if nothing is left then.

        Raises RefusedError while another command compares this pair, and LookupFailedError.
        """
        markers, asked_at = self._context.markers, since_boot()
        marker = markers.get(COMPARISON, self._name)
        if marker.alive:
            raise RefusedError(
                f"{self._words} are being compared by run {marker.shown_run} on "
                f"{marker.detail.get('holder', 'another machine')}; wait until it ends, or, if it "
                "was killed, for a minute, and run the same command again"
            )
        lease = markers.begin(COMPARISON, self._name, self._begin(), marker)
        with keep_alive(lease, asked_at, lambda _before, _now: None, at_once=1) as keeper:
            self._keeper = keeper
            keeper.publish(self._begin().detail)
            try:
                yield
            except BaseException as error:
                keeper.publish({"failure": ending(error)})
                raise
            finally:
                # Without an answer the next command gets in when the last heartbeat is old.
                with suppress(DatawareError):
                    (lease.complete if self._is_done else lease.release)(keeper.detail)
        if self._is_done:
            self._delete()

    def check(self) -> None:
        """Raise what ends this command where it does not hold the record any more."""
        if self._keeper is not None:
            self._keeper.check()

    def confirm(self) -> None:
        """Ask whether this command still holds the record. Raises what `check` raises."""
        if self._keeper is None:
            return
        try:
            self._keeper.send_heartbeat()
        except RefusedError:
            raise
        except DatawareError:
            self._keeper.check()

    def keep_execution(self, name: str) -> None:
        """Have on record which execution is begun next. Raises what says that it is not."""
        self._publish({ENGINE: {"name": EngineName.MAP, "execution": name}})
        if self._keeper is not None:
            self._keeper.send_heartbeat()

    def publish_progress(self, progress: JobProgress) -> None:
        """Have on record how far the workers are, from the next heartbeat on."""
        figures = {name: part for name, part in progress.figures._asdict().items() if part}
        self._publish({WORK: {**figures, "unit": self._unit}})

    def end_progress(self) -> None:
        """Have on record that no workers are under way."""
        self._publish({WORK: None})

    def keep_failure(self, error: DatawareError) -> None:
        """Have on record why something of the workers stays."""
        self._publish({"failure": ending(error), WORK: None})

    def conclude(self) -> None:
        """Say that nothing of the workers is left, so that the record may go."""
        self._is_done = True

    @property
    def _words(self) -> str:
        return f"{self._pair.source.name} and {self._pair.target.name}"

    def _begin(self) -> Marker:
        run = self._context.command_run
        detail = {
            "phase": "comparing",
            COMPARED: self._pair.target.name,
            ENGINE: {"name": EngineName.MAP},
            **({"command_run": run} if run else {}),
        }
        return Marker(MarkerState.RUNNING, self._pair.source.name, self._name, detail=detail)

    def _publish(self, detail: Mapping[str, object]) -> None:
        if self._keeper is not None:
            self._keeper.publish(detail)

    def _delete(self) -> None:
        """Delete the record, or say that it stays, which takes nothing from the verdict."""
        markers = self._context.markers
        try:
            marker = markers.get(COMPARISON, self._name)
            markers.remove(COMPARISON, self._name, marker, lambda _parameter: None)
        except DatawareError as error:
            text = f"the record {self._name} stays ({error}); `dataware forget {self._name}`"
            self._context.emit(event("warning", text=f"{text} deletes it", name=self._name))

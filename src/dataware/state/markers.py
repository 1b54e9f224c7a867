"""Markers in SSM Parameter Store: the record of each migration, and the lock on its target.

The lock rests on the versions of a parameter (see `parameter_store`): Parameter Store cannot write
on a condition, but every write gets the next version number. So each value says after which version
it was written, and a value counts only if it is the very next one. Of all runs that have seen the
same version, one writes the next; the others see a gap between their number and what they had seen.

How it works, when run B takes over from A, which was killed:

    version  written by  after   counts   what it says
    7        A           6       yes      running, lease A; A is killed here
    8        B           7       yes      running, lease B: B saw 7, silent for more than 60 s
    9        C           7       no       C saw 7 as well; 9 is not the next after 7, so C stops
    10       A           7       no       a heartbeat of A that was on the wire for minutes
    11       B           8       no       B's heartbeat; 11 is not next after 8, so B reads,
                                          finds that its value at 8 counts, and writes again
    12       B           11      yes      running, lease B

So "complete" is left only by a run that has read it and was told to begin again, and never by a
write that comes late. A run is alive while its last write is younger than `ALIVE_SECONDS` by the
service's own clock; no other clock is trusted. Only on the machine where it ran can a run be seen
to have ended earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from shlex import quote
from typing import Any
from uuid import uuid4

from dataware.core.engines.card import ENGINE
from dataware.core.engines.unfinished_work import describe_change
from dataware.core.errors import LookupFailedError, NotFoundError, RefusedError
from dataware.core.model import NO_MARKER, Marker, MarkerState
from dataware.core.ports import Aws, Clock
from dataware.core.run_control import RunControl
from dataware.state.holder import Holder, shares_clock, this_process
from dataware.state.lease import ParameterLease, own_detail
from dataware.state.marker_value import (
    ASKED,
    CONTROL,
    CUTOVER,
    HEARD_AT,
    MarkerValue,
    control_in,
    is_undone,
    kind_of,
    parameter_name,
    target_of,
)
from dataware.state.parameter_store import (
    LIST,
    READ,
    WRITE,
    ParameterStore,
    StoredValue,
    WriteAnswer,
    age_of,
)

ALIVE_SECONDS = 60.0
"""How long a run counts as alive after its last write; beats come several times as often."""

SETTLED_SECONDS = 360.0
"""How long after the last heartbeat of a run something may arrive that it sent.

A request must reach AWS within five minutes of the time stamp in it (AWS Identity and Access
Management User Guide, "Elements of an AWS API request signature"). A run signs nothing once its
last heartbeat is older than half a minute, by a clock that may have stood still since.
"""

ASK_TRIES = 8
"""How often a request is written again because the run that it is for wrote in between."""

PERMISSIONS = (READ, LIST, WRITE)


class ParameterMarkers:
    """The Markers port over one account and region; `holder` tells people where this run lives."""

    def __init__(
        self,
        aws: Aws,
        clock: Clock,
        holder: Holder | None = None,
        alive_seconds: float = ALIVE_SECONDS,
    ) -> None:
        self._store = ParameterStore(aws, clock)
        self._region = aws.region
        self._clock = clock
        self._holder = holder or this_process()
        self._alive_seconds = alive_seconds

    def get(self, kind: str, target: str) -> Marker:
        """The record of `target`; NO_MARKER if there is none. Raises LookupFailedError.

        Its detail also names the `holder` and when the migration `started`.
        """
        name = parameter_name(kind, target)
        stored = self._store.look(name).stored
        return NO_MARKER if stored is None else self._marker(name, stored)

    def begin(
        self, kind: str, target: str, marker: Marker, expected: Marker | None = None
    ) -> ParameterLease:
        """Write "running" and take the lock. Raises Refused while another run is alive.

        With `expected`, the record as it was read, also if it says something else by now.
        """
        value = self._fresh(target, marker)
        name = parameter_name(kind, target)
        if expected is None or expected.state is MarkerState.NONE:
            answer = self._store.create(name, value)
            if answer is not None:
                return self._lease(name, value, answer)
        return self._take_over(name, value, expected)

    def holds(self, kind: str, target: str) -> bool:
        """Whether this very holder locks `target`; writes nothing. Raises LookupFailedError."""
        return self.read_held(kind, target) is not None

    def read_held(self, kind: str, target: str) -> RunControl | None:
        """What is asked of the run, if this very holder locks `target`, else None; writes nothing.

        Raises LookupFailedError.
        """
        stored = self._store.look(parameter_name(kind, target)).stored
        if stored is None or not self._is_held(stored) or not stored.alive(self._alive_seconds):
            return None
        return control_in(stored.value.detail)

    def read_work(self, kind: str, target: str, execution: str) -> RunControl | None:
        """What is asked of the run, if its record says that `execution` works for it, else None.

        The execution goes on when the command that began it has ended, so no lock has to be held.
        Writes nothing. Raises LookupFailedError.
        """
        stored = self._store.look(parameter_name(kind, target)).stored
        if stored is None or stored.value.state is not MarkerState.RUNNING:
            return None
        engine = stored.value.detail.get(ENGINE)
        if not isinstance(engine, Mapping) or engine.get("execution") != execution:
            return None
        return control_in(stored.value.detail)

    def rejoin(self, kind: str, target: str) -> ParameterLease:
        """The lease that an earlier process of this holder took. Raises Refused when it is lost.

        A lock that has been silent for long is still held until another run has taken it.
        """
        name = parameter_name(kind, target)
        look = self._store.look(name)
        stored = look.stored
        if stored is None or not self._is_held(stored):
            raise RefusedError(
                f"nothing more is written, because {self._holder} lost the lock on {target} to "
                "another run, or its record was removed; see `dataware status`"
            )
        return self._lease(name, stored.value, WriteAnswer(look.newest, stored.at - stored.age))

    def all(self) -> list[tuple[str, str, Marker]]:
        """Every record as (kind, target, marker). Raises LookupFailedError.

        One that cannot be read hides no other: it is unknown, and its `problem` says why.
        """
        markers = (self._read_listed(parameter, now) for parameter, now in self._store.every())
        return [record for record in markers if record is not None]

    def remove(
        self, kind: str, target: str, expected: Marker, keep: Callable[[Mapping[str, Any]], None]
    ) -> None:
        """Delete the record of `target`, once `keep` has been given it as it is stored.

        Raises RefusedError while a run is alive, or if the record is no longer the one that was
        `expected`; LookupFailedError when it cannot be read or deleted.
        """
        name = parameter_name(kind, target)
        try:
            parameter, age = self._store.read_whole(name)
        except NotFoundError:
            raise RefusedError(f"no migration into {target} is recorded any more") from None
        try:
            stored = self._store.look(name).stored
        except LookupFailedError:
            if expected.state is not MarkerState.UNKNOWN:
                raise
            # What cannot be read may come from a run of a newer version that is alive.
            if age < self._alive_seconds:
                raise RefusedError(
                    f"the record of the migration into {target} was written {age:.0f} s ago, maybe "
                    "by a live run: wait until it ends"
                ) from None
        else:
            if stored is not None and stored.alive(self._alive_seconds):
                raise self._busy(stored)
            self._check_unchanged(target, expected, stored)
        keep(parameter)
        self._store.delete(name)

    def amend(self, kind: str, target: str, run: str | None, detail: Mapping[str, Any]) -> None:
        """Replace the progress in the record of a complete migration.

        Raises RefusedError where the record says something else by now, and LookupFailedError when
        it is not known whether the change counts.
        """
        name = parameter_name(kind, target)
        look = self._store.look(name)
        stored = look.stored
        if stored is None or (stored.value.state, stored.value.run) != (MarkerState.COMPLETE, run):
            raise RefusedError(
                f"the record of the migration into {target} no longer says that run {run} is "
                "complete; see `dataware status`"
            )
        value = replace(stored.value, detail=own_detail(detail))
        if self._store.write(name, value, look.newest).version != look.newest + 1:
            raise LookupFailedError(
                f"the marker {name} could not be changed, because others write to it as well"
            )

    def ask(self, kind: str, target: str, topic: str, request: Mapping[str, Any] | None) -> None:
        """Ask something of the run that goes on: put `request` under `topic` of its record.

        None takes it back. The lock stays whose it is, and its run gains no life. Raises
        RefusedError where no run is alive, and LookupFailedError when it is not known whether the
        request counts.
        """
        name = parameter_name(kind, target)
        for _ in range(ASK_TRIES):
            look = self._store.look(name)
            stored = look.stored
            if stored is None or not stored.alive(self._alive_seconds):
                raise RefusedError(f"no run of the migration into {target} is alive")
            topics = {**stored.value.detail.get(ASKED, {}), topic: request}
            requests = {one: what for one, what in topics.items() if what is not None}
            requests[HEARD_AT] = stored.at - stored.age
            value = replace(stored.value, detail={**stored.value.detail, ASKED: requests})
            if self._store.write(name, value, look.newest).version == look.newest + 1:
                return
        raise LookupFailedError(
            f"the marker {name} could not be changed, because others write to it as well"
        )

    def _take_over(self, name: str, value: MarkerValue, expected: Marker | None) -> ParameterLease:
        """Replace the record of a run that has ended; of several that try, one wins."""
        look = self._store.look(name)
        stored = look.stored
        if stored is not None and look.newest == 1 and stored.value.lease == value.lease:
            # The first write did succeed; only its answer was lost and the SDK asked again.
            return self._lease(name, stored.value, WriteAnswer(stored.version, stored.at))
        if stored is not None and stored.alive(self._alive_seconds):
            raise self._busy(stored)
        if expected is not None:
            self._check_unchanged(value.target, expected, stored)
        if stored is not None and stored.value.state is MarkerState.RUNNING:
            settled = self._settle_time(stored)
            value = replace(value, started=stored.value.started, settled=settled)
            if is_undone(stored.value.detail) and not is_undone(value.detail):
                raise RefusedError(
                    f"nothing is written to {value.target}, because its cut-over is being undone: "
                    f"finish that with `dataware undo {value.target}`"
                )
            # The run that was here may have gone on since its record was read.
            value = replace(value, detail={**value.detail, **_kept_parts(stored.value)})
        answer = self._store.write(name, value, look.newest)
        if answer.version != look.newest + 1:
            now = self._store.look(name)
            if now.stored is None or now.stored.value.lease != value.lease:
                raise self._race_error(value.target)
            answer = WriteAnswer(now.newest, answer.at)
        return self._lease(name, value, answer)

    def _check_unchanged(self, target: str, expected: Marker, stored: StoredValue | None) -> None:
        """What was decided rests on the record, so it has to be the same still."""
        now = NO_MARKER
        if stored is not None:
            value = stored.value
            now = Marker(value.state, run=value.run, detail=value.detail)
        if change := describe_change(expected, now):
            raise RefusedError(
                f"nothing was changed, because the record of the migration into {target} has "
                f"changed since the plan ({change}): run the same command again"
            )

    def _settle_time(self, stored: StoredValue) -> float:
        """When nothing that earlier runs sent without conditions can arrive any more."""
        value = stored.value
        # A process of this boot cannot believe in its lock by a clock that stood still.
        silent = value.batches and not value.released and not shares_clock(value.token)
        last = stored.at - stored.age + SETTLED_SECONDS
        return max(value.settled, last) if silent else value.settled

    def _lease(self, name: str, value: MarkerValue, written: WriteAnswer) -> ParameterLease:
        return ParameterLease(self._store, name, value, written, self._alive_seconds / 2)

    def _read_listed(
        self, parameter: Mapping[str, Any], now: float
    ) -> tuple[str, str, Marker] | None:
        """A record among others; the parameter's name tells whose it is where its value cannot."""
        name = parameter["Name"]
        try:
            stored = self._store.read_listed(parameter, now).stored
        except LookupFailedError as error:
            age = age_of(parameter, now)
            unseen = Marker(MarkerState.UNKNOWN, heartbeat_age=age, problem=error.problem)
            return kind_of(name), target_of(name), unseen
        if stored is None:
            return None
        return kind_of(name), stored.value.target, self._marker(name, stored)

    def _marker(self, name: str, stored: StoredValue) -> Marker:
        value = stored.value
        return Marker(
            state=value.state,
            source=value.source,
            run=value.run,
            identity=value.identity,
            created=value.created,
            alive=stored.alive(self._alive_seconds),
            heartbeat_age=stored.age,
            detail={**value.detail, "holder": value.holder, "started": value.started},
            batches=value.batches,
            removal=f"dataware forget {quote(value.target)} --region {self._region}",
        )

    def _fresh(self, target: str, marker: Marker) -> MarkerValue:
        return MarkerValue(
            state=MarkerState.RUNNING,
            target=target,
            source=marker.source,
            run=marker.run,
            identity=marker.identity,
            created=marker.created,
            started=datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="seconds"),
            holder=str(self._holder),
            token=self._holder.token,
            detail=own_detail(marker.detail),
            lease=uuid4().hex[:12],
            batches=marker.batches,
        )

    def _busy(self, stored: StoredValue) -> RefusedError:
        value = stored.value
        return RefusedError(
            f"{value.target} is being migrated by run {_shown_run(value)} on {value.holder} (last "
            f"heartbeat {stored.age:.0f} s ago): wait until it ends; if it crashed, run again in "
            f"{max(1.0, self._alive_seconds - stored.age):.0f} s"
        )

    def _race_error(self, target: str) -> RefusedError:
        return RefusedError(
            f"another run has just started to migrate {target}: wait until it ends, then run "
            "the same command again"
        )

    def _is_held(self, stored: StoredValue) -> bool:
        value = stored.value
        running = value.state is MarkerState.RUNNING and not value.released
        return running and value.token == self._holder.token


def _kept_parts(value: MarkerValue) -> dict[str, Any]:
    """What of a run's progress holds for the next one as well, however the run ended."""
    control = control_in(value.detail).to_json()
    parts = {CUTOVER: value.detail[CUTOVER]} if CUTOVER in value.detail else {}
    return {**parts, ASKED: {CONTROL: control}} if control else parts


def _shown_run(value: MarkerValue) -> str:
    """The id by which `status` and `report` know the run that holds the lock."""
    return str(value.detail.get("command_run") or value.run)

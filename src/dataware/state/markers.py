"""Markers in SSM Parameter Store: the record of each migration, and the lock on its target.

The lock rests on two facts of the service. Creating a parameter without Overwrite succeeds for one
caller only. Overwriting answers with the new version, so whoever read version n and was answered
n + 1 knows that nobody wrote in between. A run is alive while its last write is younger than
`ALIVE_SECONDS` by the service's own clock; no other clock is trusted. Only on the machine where it
ran can a run be seen to have ended earlier.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from dataware.core.errors import CannotSee, NotThere, Refused
from dataware.core.model import NO_MARKER, Marker, MarkerState, Problem
from dataware.core.ports import Aws, Clock
from dataware.state.holder import Holder, has_ended, this_process
from dataware.state.value import (
    ROOT,
    NewerValueError,
    Value,
    decode,
    encode,
    kind_of,
    parameter_name,
    target_of,
)

ALIVE_SECONDS = 60.0
"""How long a run counts as alive after its last write; beats come several times as often."""

READ, LIST, WRITE = "ssm:GetParameter", "ssm:GetParametersByPath", "ssm:PutParameter"
PERMISSIONS = (READ, LIST, WRITE)


@dataclass(frozen=True, slots=True)
class Stored:
    """A marker as it was read: value and version of the parameter, the service's time, its age."""

    value: Value
    version: int
    at: float
    age: float

    def alive(self, alive_seconds: float) -> bool:
        """Whether the run that wrote it still works on the target."""
        running = self.value.state is MarkerState.RUNNING and not self.value.released
        return running and self.age < alive_seconds and not has_ended(self.value.token)


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a write: the parameter's new version, and the service's time."""

    version: int
    at: float


class ParameterMarkers:
    """The Markers port over one account and region; `holder` tells people where this run lives."""

    def __init__(
        self,
        aws: Aws,
        clock: Clock,
        holder: Holder | None = None,
        alive_seconds: float = ALIVE_SECONDS,
    ) -> None:
        self._aws = aws
        self._clock = clock
        self._holder = holder or this_process()
        self._alive_seconds = alive_seconds

    def get(self, kind: str, target: str) -> Marker:
        """The record of `target`; NO_MARKER if there is none. Raises CannotSee.

        Its detail also names the `holder` and when the migration `started`.
        """
        stored = self.read(parameter_name(kind, target))
        return NO_MARKER if stored is None else self._marker(stored)

    def begin(self, kind: str, target: str, marker: Marker) -> ParameterLease:
        """Write "running" and take the lock. Raises Refused while another run is alive."""
        value = self._fresh(target, marker)
        name = parameter_name(kind, target)
        written = self._create(name, value)
        if written is None:
            written = self._take_over(name, value)
        return ParameterLease(self, name, value, written)

    def holds(self, kind: str, target: str) -> bool:
        """Whether this very holder has the lock on `target`; writes nothing. Raises CannotSee."""
        stored = self.read(parameter_name(kind, target))
        return stored is not None and self._is_held(stored) and stored.alive(self._alive_seconds)

    def rejoin(self, kind: str, target: str) -> ParameterLease:
        """The lease that an earlier process of this holder took. Raises Refused when it is lost.

        A lock that has been silent for long is still held until another run has taken it.
        """
        name = parameter_name(kind, target)
        stored = self.read(name)
        if stored is None or not self._is_held(stored):
            raise Refused(
                f"{self._holder} no longer has the lock on {target}, because another run took over"
                " or its record was removed: nothing more is written; look at `dataware status`"
            )
        return ParameterLease(
            self, name, stored.value, Written(stored.version, stored.at - stored.age)
        )

    def all(self) -> list[tuple[str, str, Marker]]:
        """Every record as (kind, target, marker). Raises CannotSee.

        One that cannot be read hides no other: it is unknown, and its `problem` says why.
        """
        found = []
        pages = self._ssm().get_paginator("get_parameters_by_path")
        with self._aws.looking_at("the migration markers", LIST):
            for page in pages.paginate(Path=ROOT, Recursive=True, MaxResults=10):
                now = self._service_time(page)
                found += [self._listed(parameter, now) for parameter in page["Parameters"]]
        return found

    def write(self, name: str, value: Value, *, overwrite: bool = True) -> Written:
        """Write a value; the answer tells whether somebody else wrote in between."""
        with self._aws.looking_at(f"the marker {name}", WRITE):
            answer = self._ssm().put_parameter(
                Name=name, Value=encode(value), Type="String", Tier="Standard", Overwrite=overwrite
            )
        return Written(int(answer["Version"]), self._service_time(answer))

    def silent(self, since: float, now: float) -> bool:
        """Whether another run may have taken over between two moments without a write.

        A run that came too late leaves a write behind, too; but nobody takes over before
        `alive_seconds` have passed without a write. Half of that allows for slow answers.
        """
        return now - since >= self._alive_seconds / 2

    def now(self) -> float:
        """This machine's time, which also passes while the machine sleeps."""
        return self._clock.now()

    def _create(self, name: str, value: Value) -> Written | None:
        """Write a first marker; None if there is one."""
        try:
            return self.write(name, value, overwrite=False)
        except CannotSee as error:
            if error.problem is None or error.problem.code != "ParameterAlreadyExists":
                raise
            return None

    def _take_over(self, name: str, value: Value) -> Written:
        """Replace a marker whose run has ended; of several that try, one wins.

        What a loser wrote stands until the winner writes again, so the first write names no
        process: the loser's end is soon seen, and the winner would be taken for dead with it.
        """
        stored = self.read(name)
        if stored is None:
            raise self._raced(value.target)
        if stored.version == 1 and self._is_own(stored.value, value):
            # The first write did succeed; only its answer was lost and the SDK asked again.
            return Written(stored.version, stored.at)
        if stored.alive(self._alive_seconds):
            raise self._busy(stored)
        if stored.value.state is MarkerState.RUNNING:
            value = replace(value, started=stored.value.started)
        written = self.write(name, replace(value, token=""))
        if written.version != stored.version + 1:
            raise self._raced(value.target)
        return self.write(name, value)

    def read(self, name: str) -> Stored | None:
        """What a parameter holds now; None if there is none. Raises CannotSee."""
        try:
            with self._aws.looking_at(f"the marker {name}", READ):
                answer = self._ssm().get_parameter(Name=name)
        except NotThere:
            return None
        return self._stored(answer["Parameter"], self._service_time(answer))

    def _stored(self, parameter: Mapping[str, Any], now: float) -> Stored:
        try:
            value = decode(parameter["Value"])
        except ValueError as error:
            text = _unreadable(parameter["Name"], error)
            raise CannotSee(
                text, Problem("GetParameter", "UnreadableMarker", None, text)
            ) from error
        return Stored(value, int(parameter["Version"]), now, _age(parameter, now))

    def _listed(self, parameter: Mapping[str, Any], now: float) -> tuple[str, str, Marker]:
        """A record among others; the parameter's name tells whose it is where its value cannot."""
        name = parameter["Name"]
        try:
            stored = self._stored(parameter, now)
        except CannotSee as error:
            age = _age(parameter, now)
            unseen = Marker(MarkerState.UNKNOWN, heartbeat_age=age, problem=error.problem)
            return kind_of(name), target_of(name), unseen
        return kind_of(name), stored.value.target, self._marker(stored)

    def _marker(self, stored: Stored) -> Marker:
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
        )

    def _fresh(self, target: str, marker: Marker) -> Value:
        return Value(
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
        )

    def _service_time(self, answer: Mapping[str, Any]) -> float:
        """The service's time of an answer; this machine's only where the answer has none."""
        date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
        return parsedate_to_datetime(date).timestamp() if date else self._clock.now()

    def _ssm(self) -> Any:
        return self._aws.client("ssm")

    def _busy(self, stored: Stored) -> Refused:
        value = stored.value
        return Refused(
            f"{value.target} is being migrated by run {value.run} on {value.holder}, which gave a"
            f" sign of life {stored.age:.0f} s ago: wait until it ends; if it was killed, run the"
            f" same command again in {max(1.0, self._alive_seconds - stored.age):.0f} s"
        )

    def _raced(self, target: str) -> Refused:
        return Refused(
            f"another run has just begun to migrate {target}: wait until it ends, then run the"
            " same command again"
        )

    def _is_held(self, stored: Stored) -> bool:
        value = stored.value
        running = value.state is MarkerState.RUNNING and not value.released
        return running and value.token == self._holder.token

    @staticmethod
    def _is_own(stored: Value, mine: Value) -> bool:
        return (stored.run, stored.token) == (mine.run, mine.token) and mine.run is not None


class ParameterLease:
    """The Lease port: a held marker, which each write renews.

    Beats come from a thread of their own. They and the end exclude each other, and after the end
    nothing is written, because a late "running" would undo "complete".
    """

    def __init__(
        self, markers: ParameterMarkers, name: str, value: Value, written: Written
    ) -> None:
        self._markers = markers
        self._name = name
        self._value = value
        self._last = written
        self._written_at = markers.now()
        self._ended = False
        self._lock = threading.Lock()

    @property
    def detail(self) -> Mapping[str, Any]:
        """The progress that was on record when the lease was taken."""
        return self._value.detail

    def beat(self, detail: Mapping[str, Any]) -> None:
        """Renew the heartbeat and store progress. Raises Refused when the lock is lost."""
        with self._lock:
            if not self._ended:
                self._write(replace(self._value, detail=own_detail(detail)))

    def complete(self, detail: Mapping[str, Any]) -> None:
        """Write "complete" and release the lock."""
        self._finish(replace(self._value, state=MarkerState.COMPLETE, detail=own_detail(detail)))

    def release(self, detail: Mapping[str, Any]) -> None:
        """Leave the record at "running", but let the next run in at once."""
        self._finish(replace(self._value, released=True, detail=own_detail(detail)))

    def _finish(self, value: Value) -> None:
        """Write the last value, after a beat that shows that the lock is still ours."""
        with self._lock:
            self._write(replace(self._value, detail=value.detail))
            self._ended = True
            self._write(value)

    def _write(self, value: Value) -> None:
        self._look_first()
        written = self._markers.write(self._name, value)
        self._check_held(written, self._last.version + 1)
        self._last, self._written_at = written, self._markers.now()

    def _look_first(self) -> None:
        """After a silence, look before writing: an heir may have completed the job."""
        if self._markers.silent(self._written_at, self._markers.now()):
            stored = self._markers.read(self._name)
            if stored is not None:
                self._check_held(Written(stored.version, stored.at), self._last.version)

    def _check_held(self, seen: Written, version: int) -> None:
        """Raise Refused if another run may have written since our last write."""
        if self._markers.silent(self._last.at, seen.at) and seen.version != version:
            raise Refused(
                f"this run gave no sign of life for {seen.at - self._last.at:.0f} s and another"
                f" run took over the migration into {self._value.target}: nothing more is written;"
                " look at `dataware status`"
            )


def _unreadable(name: str, error: ValueError) -> str:
    """Why a value cannot be read, and what to do."""
    if isinstance(error, NewerValueError):
        return (
            f"the marker {name} was written by a newer version of dataware ({error}): upgrade"
            " dataware"
        )
    return (
        f"the marker {name} cannot be read by this version of dataware ({error}): use the version"
        " that wrote it, or delete the parameter if no migration runs"
    )


def _age(parameter: Mapping[str, Any], now: float) -> float:
    """The seconds since a parameter was written."""
    return max(0.0, now - float(parameter["LastModifiedDate"].timestamp()))


def own_detail(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Progress without what `get` adds to it."""
    return {key: value for key, value in detail.items() if key not in ("holder", "started")}

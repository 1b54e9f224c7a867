"""A held lock on a target, which each write to its record renews."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from dataware.core.engines.card import LEFTOVERS
from dataware.core.engines.unfinished_work import list_leftovers
from dataware.core.errors import LookupFailedError, RefusedError
from dataware.core.model import MarkerState
from dataware.core.run_control import RunControl
from dataware.state.marker_value import (
    ASKED,
    CONTROL,
    CUTOVER,
    MarkerValue,
    control_in,
    decode,
    encode,
    requests_in,
)
from dataware.state.parameter_store import ParameterStore, StoredParameter, WriteAnswer

TRIES = 4
"""How often a write is repeated because late writes of others came in between."""


class ParameterLease:
    """The Lease port: a held marker, which each write renews.

    Beats come from a thread of their own. They and the end exclude each other, and after the end
    nothing is written. What was written before and arrives late does not count, see `records`.
    `control` is what of the `requests` is a pause or a rate.
    """

    def __init__(
        self,
        store: ParameterStore,
        name: str,
        value: MarkerValue,
        written: WriteAnswer,
        look_after: float,
    ) -> None:
        """Hold the lock with `value`; after `look_after` silent seconds look before writing."""
        self._store = store
        self._name = name
        self._value = value
        self._newest = written.version
        self._at = written.at
        self._written_at = store.clock.now()
        self._look_after = look_after
        self._hear(value.detail)
        self._latest_detail: Mapping[str, Any] = value.detail
        self._ended = False
        self._lock = threading.Lock()

    @property
    def detail(self) -> Mapping[str, Any]:
        """The progress that was on record when the lease was taken."""
        return self._value.detail

    @property
    def latest_detail(self) -> Mapping[str, Any]:
        """The progress of the last write that counts."""
        return self._latest_detail

    @property
    def requests(self) -> Mapping[str, Any]:
        """What people ask of this run, by topic, as it was last seen.

        They write it into the record between two writes of this run, which so hears of it with its
        next heartbeat, or by `read_back`.
        """
        return self._requests

    @property
    def unsettled_seconds(self) -> float:
        """For how long something may arrive yet that an earlier run sent without conditions."""
        return max(0.0, self._value.settled - self._at)

    @property
    def service_time(self) -> float:
        """The time of AWS, in seconds since the epoch, by its answer to the last write."""
        return self._at + self._store.clock.now() - self._written_at

    def delay_next_run(self, seconds: float) -> None:
        """Say from the next write on that something may arrive until `seconds` from now.

        A run that takes over, even after a release, waits for that before it relies on what it
        writes and reads.
        """
        with self._lock:
            settled = max(self._value.settled, self.service_time + seconds)
            self._value = replace(self._value, settled=settled)

    def send_heartbeat(self, detail: Mapping[str, Any]) -> None:
        """Renew the heartbeat and store progress. Raises Refused when the lock is lost."""
        with self._lock:
            if not self._ended:
                self._write(replace(self._value, detail=self._with_cutover(detail)))

    def complete(self, detail: Mapping[str, Any]) -> None:
        """Write "complete" and release the lock."""
        last = self._with_leftovers(detail)
        self._finish(replace(self._value, state=MarkerState.COMPLETE, detail=last))

    def try_complete(self, detail: Mapping[str, Any]) -> None:
        """Write "complete" and release the lock; go on to hold it where that has no answer.

        Raises LookupFailedError then: whether it counts, `read_back` says, and a later heartbeat
        that counts makes sure that it never will.
        """
        with self._lock:
            last = self._with_leftovers(detail)
            self._write(replace(self._value, state=MarkerState.COMPLETE, detail=last))
            self._ended = True

    def read_back(self) -> tuple[MarkerState, Mapping[str, Any]]:
        """What of this lease counts now: "running" or "complete", and its progress.

        Raises RefusedError when another run has the lock, and LookupFailedError.
        """
        with self._lock:
            stored = self._store.look(self._name).stored
            complete = stored is not None and stored.value.state is MarkerState.COMPLETE
            if stored is not None and complete and stored.value.lease == self._value.lease:
                self._ended = True
                return MarkerState.COMPLETE, stored.value.detail
            look = self._check_held(self._store.look(self._name))
            self._newest = look.newest
            detail = {} if look.stored is None else look.stored.value.detail
            return MarkerState.RUNNING, detail

    def release(self, detail: Mapping[str, Any]) -> None:
        """Leave the record at "running", but let the next run in at once.

        After the end nothing is left to release, least of all what is complete.
        """
        if self._ended:
            return
        self._finish(replace(self._value, released=True, detail=self._with_cutover(detail)))

    def _with_cutover(self, detail: Mapping[str, Any]) -> dict[str, Any]:
        """Progress with what an earlier run said of its cut-over, unless this run says it again.

        Without it nobody would know that the source is frozen.
        """
        cutover = {name: part for name, part in self._value.detail.items() if name == CUTOVER}
        return {**cutover, **own_detail(detail)}

    def _with_leftovers(self, detail: Mapping[str, Any]) -> dict[str, Any]:
        """Progress with what could not be removed of a service's work, which no one else knows."""
        left = list_leftovers(self._latest_detail)
        return {**own_detail(detail), **({LEFTOVERS: left} if left else {})}

    def _finish(self, value: MarkerValue) -> None:
        with self._lock:
            self._ended = True
            # What people have asked meanwhile is looked at first, which a stop would end at once.
            self._store.finish(lambda: self._write(value))

    def _write(self, value: MarkerValue) -> None:
        """Write a value so that it counts. Raises Refused when another run has the lock."""
        if self._store.clock.now() - self._written_at >= self._look_after:
            # An heir may have completed the job; a write that does not count would only confuse.
            self._newest = self._check_held(self._store.look(self._name)).newest
        for _ in range(TRIES):
            after = self._newest
            written = self._with_requests(value)
            answer = self._store.write(self._name, written, after)
            if answer.version != after + 1:
                look = self._store.look(self._name)
                if not _is_written(look, replace(written, after=after)):
                    self._newest = self._check_held(look).newest
                    continue
            self._newest, self._at = max(answer.version, after + 1), answer.at
            self._written_at = self._store.clock.now()
            self._latest_detail = value.detail
            return
        raise LookupFailedError(
            f"the marker {self._name} could not be renewed, because other runs write to it as well"
        )

    def _with_requests(self, value: MarkerValue) -> MarkerValue:
        """The value with what is asked of the run; of one that is complete no pause and no rate."""
        complete = value.state is MarkerState.COMPLETE
        requests = {
            one: what for one, what in self._requests.items() if not complete or one != CONTROL
        }
        detail = {name: part for name, part in value.detail.items() if name != ASKED}
        return replace(value, detail={**detail, ASKED: requests} if requests else detail)

    def _hear(self, detail: Mapping[str, Any]) -> None:
        """Take what people ask of this run."""
        self._requests: Mapping[str, Any] = requests_in(detail)
        # Read before each request, so it is kept as it was parsed.
        self.control: RunControl = control_in(detail)

    def _check_held(self, look: StoredParameter) -> StoredParameter:
        """What was seen, if the lock is still ours, with what it asks. Raises Refused."""
        stored = look.stored
        if stored is not None and _is_same_lease(stored.value, self._value):
            self._hear(stored.value.detail)
            return look
        if stored is not None and stored.value.state is MarkerState.COMPLETE:
            # People and other tools read the newest version, so that it says "complete" as well.
            with suppress(LookupFailedError):
                if look.newest != stored.version:
                    self._store.write(self._name, stored.value, look.newest)
        why = "its record was removed" if stored is None else "another run took it"
        raise RefusedError(
            f"nothing more is written, because this run lost the lock on {self._value.target}: "
            f"{why}; see `dataware status`"
        )


def _is_same_lease(other: MarkerValue, mine: MarkerValue) -> bool:
    """Whether the lock is held, and by the same lease."""
    running = other.state is MarkerState.RUNNING and not other.released
    return running and (other.lease, other.token) == (mine.lease, mine.token)


def _is_written(look: StoredParameter, value: MarkerValue) -> bool:
    """Whether what counts is this very write, which arrived before and was sent again.

    What was asked of this run in between has the same lease, so the whole value is compared.
    """
    return look.stored is not None and look.stored.value == decode(encode(value))


def own_detail(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Progress without what `get` adds to it."""
    return {key: value for key, value in detail.items() if key not in ("holder", "started")}

"""The record of a cut-over in the marker, written under a held lock or after the switch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dataware.core.errors import LookupFailedError, RefusedError
from dataware.core.follow.cutover import CutoverRecord, CutoverState
from dataware.core.follow.cutover_request import TOPIC as REQUEST
from dataware.core.follow.cutover_request import CutoverRequest
from dataware.core.model import MarkerState
from dataware.state.lease import ParameterLease
from dataware.state.marker_value import APPROVAL, ASKED, CUTOVER, OUTCOME, SWITCHED_ON
from dataware.state.markers import ParameterMarkers


class LeaseCutoverRecords:
    """The CutoverRecords port of the run that holds the lock.

    `publish` adds to what every heartbeat says, and `send_heartbeat` sends one now; both are those
    of whoever keeps the lock alive.
    """

    def __init__(
        self,
        lease: ParameterLease,
        publish: Callable[[Mapping[str, Any]], None],
        send_heartbeat: Callable[[], None],
        amend: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._lease = lease
        self._publish = publish
        self._send_heartbeat = send_heartbeat
        self._amend = amend
        self._counts: Mapping[str, Any] | None = None
        self._complete = False

    def read(self) -> CutoverRecord:
        """The record that counts. Raises RefusedError when another run has the lock."""
        state, detail = self._lease.read_back()
        self._complete = state is MarkerState.COMPLETE
        self._counts = detail.get(CUTOVER)
        return read_cutover(detail)

    def write(self, record: CutoverRecord) -> None:
        """Write a record; it counts when this returns."""
        if self._complete:
            self._amend({CUTOVER: record.to_json()})
            return
        self._publish({CUTOVER: record.to_json()})
        try:
            self._send_heartbeat()
        except RefusedError as error:
            raise self._own_completion() or error from error
        except LookupFailedError:
            # What later heartbeats say must not run ahead of what is believed.
            self._publish({CUTOVER: self._counts or CutoverRecord().to_json()})
            raise
        self._counts = record.to_json()

    def complete(self, record: CutoverRecord) -> None:
        """Write a record together with "complete"."""
        feeds = {
            name: part for name, part in self._lease.latest_detail.items() if name in SWITCHED_ON
        }
        detail = {**self._lease.detail, **feeds, CUTOVER: record.to_json()}
        try:
            self._lease.try_complete(detail)
        except RefusedError as error:
            raise self._own_completion() or error from error
        self._complete = True

    def _own_completion(self) -> LookupFailedError | None:
        """Where the lock was lost to this very run's "complete" that came late, say so."""
        try:
            state, _ = self._lease.read_back()
        except RefusedError:
            return None
        if state is not MarkerState.COMPLETE:
            return None
        return LookupFailedError("the record says complete, which this run had written before")


class CompleteCutoverRecords:
    """The CutoverRecords port once the migration is complete: nobody holds the lock any more."""

    def __init__(self, markers: ParameterMarkers, kind: str, target: str) -> None:
        self._markers = markers
        self._place = kind, target

    def read(self) -> CutoverRecord:
        """The record that counts. Raises RefusedError where none says that it was cut over."""
        marker = self._markers.get(*self._place)
        record = read_cutover(marker.detail)
        if marker.state is not MarkerState.COMPLETE or record.state is CutoverState.COPYING:
            raise RefusedError(f"the migration into {self._place[1]} has not been cut over")
        return record

    def write(self, record: CutoverRecord) -> None:
        """Write a record; it counts when this returns."""
        marker = self._markers.get(*self._place)
        detail = {**marker.detail, CUTOVER: record.to_json()}
        self._markers.amend(*self._place, marker.run, detail)

    def complete(self, record: CutoverRecord) -> None:
        """Refuse, because nothing is left to complete."""
        raise RefusedError(f"the migration into {self._place[1]} is complete already")


def read_cutover(detail: Mapping[str, Any]) -> CutoverRecord:
    """The record of a cut-over in a marker; one that copies where there is none.

    Raises LookupFailedError where this version cannot read it.
    """
    try:
        return CutoverRecord.from_json(detail[CUTOVER]) if CUTOVER in detail else CutoverRecord()
    except ValueError as error:
        raise LookupFailedError(
            f"the record of the cut-over cannot be read by this version of dataware ({error}): use "
            "the version that wrote it"
        ) from error


def list_token_digests(detail: Mapping[str, Any]) -> list[str]:
    """The digests of the tokens that a record waits for, by its own run or asked elsewhere."""
    request = CutoverRequest.from_json(detail.get(ASKED, {}).get(REQUEST))
    ended = detail.get(OUTCOME, {}).get("id")
    digests = [str(detail.get(APPROVAL, {}).get("token_digest", ""))]
    if request is not None and not request.withdrawn and request.id != ended:
        digests.append(request.token_digest)
    return [one for one in digests if one]

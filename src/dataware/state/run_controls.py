"""Changes what is asked of a migration, in its record, from any machine.

Whoever asks writes the value of the run again, with another control in it, as the very next
version. The run's next heartbeat is then not the next version after the one it had seen, so it
reads, finds that the value is still its own, and takes the control over (`lease`). A run of which
nothing is heard gains no life by that: the value says when the run was last heard of.

    version  written by  after   counts   what it says
    7        run         6       yes      running
    8        a person    7       yes      running, paused
    9        run         7       no       a heartbeat; 9 is not next after 7, so the run reads
    10       run         9       yes      running, paused
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from dataware.core.errors import LookupFailedError, RefusedError
from dataware.core.model import MarkerState
from dataware.core.ports import Aws, Clock
from dataware.core.run_control import RunControl
from dataware.state.lease import TRIES
from dataware.state.marker_value import (
    ASKED,
    CONTROL,
    HEARD_AT,
    MarkerValue,
    control_in,
    parameter_name,
    requests_in,
)
from dataware.state.parameter_store import ParameterStore, StoredParameter

Change = Callable[[RunControl, float], RunControl]
"""The control that follows another one; the number is the time of the service."""


class ParameterControls:
    """The controls in the records of one account and region."""

    def __init__(self, aws: Aws, clock: Clock) -> None:
        self._store = ParameterStore(aws, clock)

    def change(self, kind: str, target: str, change: Change) -> RunControl:
        """Let `change` hold for the migration into `target`; the control that holds now.

        Raises RefusedError where no migration is on record that could go on, and LookupFailedError
        when it is not known whether the change counts.
        """
        name = parameter_name(kind, target)
        for _ in range(TRIES):
            look = self._store.look(name)
            stored = look.stored
            if stored is None or stored.value.state is not MarkerState.RUNNING:
                ended = "is complete" if stored else "is not on record any more"
                raise RefusedError(
                    f"the migration into {target} {ended}, so there is nothing to pause or to "
                    "throttle; see `dataware status`"
                )
            control = change(control_in(stored.value.detail), stored.at)
            requests = {**requests_in(stored.value.detail), CONTROL: control.to_json()}
            requests = {topic: what for topic, what in requests.items() if what}
            requests[HEARD_AT] = stored.at - stored.age
            detail = {**stored.value.detail, ASKED: requests}
            answer = self._store.write(name, replace(stored.value, detail=detail), look.newest)
            if answer.version == look.newest + 1 or self._counts(name, requests):
                return control
        raise LookupFailedError(
            f"the marker {name} could not be changed, because others write to it as well; run the "
            "same command again"
        )

    def _counts(self, name: str, requests: Mapping[str, Any]) -> bool:
        """Whether the change did count, though its write got another version than the next one."""
        look = self._store.look(name)
        if look.stored is None:
            return False
        if look.stored.value.detail.get(ASKED) == requests:
            return True
        self._restore_end(name, look, look.stored.value)
        return False

    def _restore_end(self, name: str, look: StoredParameter, value: MarkerValue) -> None:
        """Write "complete" again where this change came behind it, for whoever reads by hand."""
        behind = look.stored is not None and look.newest > look.stored.version
        if value.state is MarkerState.COMPLETE and behind:
            with suppress(LookupFailedError):
                self._store.write(name, value, look.newest)

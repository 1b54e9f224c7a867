"""Opens what a follow keeps: its file on this machine, and the record of its cut-over.

Every context has these, and few runs follow, so what they open is imported when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataware.core.errors import IncompleteError
from dataware.core.ports import Aws, Lease
from dataware.state.journal import journal_path
from dataware.state.lease import ParameterLease
from dataware.state.markers import ParameterMarkers

if TYPE_CHECKING:
    from dataware.core.follow.feed import Gap
    from dataware.state.cutover_records import LeaseCutoverRecords
    from dataware.state.follow_file import FollowFile


@dataclass(frozen=True, slots=True)
class FollowFiles:
    """The FollowStates port over files beside the journals of an account and region."""

    aws: Aws

    def open(self, kind: str, target: str, run: str, lost: Collection[Gap]) -> FollowFile:
        """Go on with what the follow `run` kept; without that begin anew, with the gaps `lost`."""
        from dataware.state.follow_file import FollowFile  # noqa: PLC0415 - see above

        journal = journal_path(self.aws.account, self.aws.region, kind, target)
        return FollowFile(journal.with_suffix(".follow"), run, lost)


class CutoverRecordFactory:
    """Makes the records of the run that holds a lock on one of `markers`."""

    def __init__(self, markers: ParameterMarkers) -> None:
        self._markers = markers

    def __call__(
        self,
        marked: tuple[str, str, str],
        lease: Lease,
        publish: Callable[[Mapping[str, Any]], None],
        send_heartbeat: Callable[[], None],
    ) -> LeaseCutoverRecords:
        """The records under `lease` of what is `marked`: kind, target and run."""
        from dataware.state.cutover_records import (  # noqa: PLC0415 - see above
            LeaseCutoverRecords,
        )

        if not isinstance(lease, ParameterLease):
            raise IncompleteError("the lock of this run cannot keep the record of a cut-over")
        kind, target, run = marked

        def amend(detail: Mapping[str, Any]) -> None:
            now = self._markers.get(kind, target).detail
            self._markers.amend(kind, target, run, {**now, **detail})

        return LeaseCutoverRecords(lease, publish, send_heartbeat, amend)

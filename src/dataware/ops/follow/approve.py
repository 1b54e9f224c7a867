"""The use case "cutover --approve": say yes to a cut-over that waits for it."""

from __future__ import annotations

from dataware.core.errors import RefusedError
from dataware.core.events import event
from dataware.core.follow.approval import TOPIC, Approval
from dataware.ops.context import Context
from dataware.ops.follow.reached_goal import report_switched
from dataware.ops.follow.request_cutover import AskableMarkers
from dataware.ops.forget import find_migration
from dataware.state.cutover_records import list_token_digests


def approve(context: Context, markers: AskableMarkers, name: str, token: str, by: str) -> None:
    """Approve the cut-over to `name` that waits for `token`.

    One that is switched already needs no approval any more. Raises RefusedError where none waits,
    and for a token of another one.
    """
    if report_switched(context, name):
        return
    status, marker = find_migration(context, name)
    awaited = list_token_digests(marker.detail)
    if not marker.alive or not awaited:
        raise RefusedError(
            f"no cut-over to {status.target} waits for an approval; nothing was changed: begin one "
            "with `dataware cutover --await-approval`"
        )
    approval = Approval(str(marker.run), token)
    if not any(approval.fits(one) for one in awaited):
        raise RefusedError(
            f"the token is not that of the cut-over to {status.target} that waits now; nothing was "
            "changed: type the one that it shows"
        )
    markers.ask(status.kind, status.target, TOPIC, approval.to_json(by))
    text = (
        f"Approved the cut-over to {status.target}: its writers are stopped within seconds once "
        "both sides are equal"
    )
    context.emit(event("done", text=text, name=status.target, run=status.run))

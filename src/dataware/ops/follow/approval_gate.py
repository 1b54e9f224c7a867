"""The gate of a cut-over that waits for an approval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from dataware.core.events import event
from dataware.core.follow.approval import Approval, read_approver
from dataware.core.follow.cutover_ports import CutoverGate
from dataware.core.ports import Emit


def make_approval(run: str | None) -> Approval:
    """A new approval for a cut-over of `run`, whose token nobody can guess."""
    return Approval(str(run), uuid4().hex[:16])


@dataclass(slots=True)
class ApprovalGate:
    """The CutoverGate port: shut until somebody types the token; what the `gate` says holds, too.

    `find_requests` gives what people ask of the run, and `words` are those of the migration.
    """

    gate: CutoverGate
    approval: Approval
    find_requests: Callable[[], Mapping[str, Any]]
    emit: Emit
    words: Mapping[str, object]
    _is_given: bool = field(default=False, init=False)

    def report(self) -> None:
        """Say what is waited for."""
        name, token = self.words["name"], self.approval.token
        text = f"Waiting for an approval: `dataware cutover {name} --approve {token}`"
        self.emit(event("note", text=text, **self.words))

    def is_requested(self) -> bool:
        """Whether a person asks to cut over."""
        return self.gate.is_requested()

    def is_open(self, now: float) -> bool:
        """Whether nothing postpones it; an approval holds until the cut-over ends."""
        if not self._is_given and self.approval.is_given(requests := self.find_requests()):
            self._is_given = True
            text = f"Approved on {read_approver(requests)}"
            self.emit(event("note", text=text, **self.words))
        return self._is_given and self.gate.is_open(now)

"""Looks once more at what a deployment adopted: import leaves it as it was.

Source: AWS CloudFormation User Guide, "Import AWS resources into a CloudFormation stack
automatically" (drift detection is recommended after an import), and "Using drift-aware change
sets", which bring a resource in line with a template that has not changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from dataware.core.comparison import join
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.events import event
from dataware.core.lock_file import lock_key
from dataware.core.model import Existence, ImportMode, Ownership
from dataware.core.plan import Plan
from dataware.ops.adoption import find_remaining
from dataware.ops.context import Context


def list_adopted(locked: object) -> frozenset[str]:
    """The keys of the resources that a deployment of these locked decisions adopts."""
    entries: Mapping[str, Any] = locked if isinstance(locked, Mapping) else {}
    return frozenset(
        key
        for key, entry in entries.items()
        if entry.get("import") == ImportMode.ADOPT and entry.get("exists") == Existence.EXISTS
    )


def report_remaining(context: Context, plan: Plan, adopted: Set[str]) -> list[str]:
    """Tell what of the adopted is not as the template says; answers with the names."""
    names = []
    for planned in plan.resources:
        wanted = planned.wanted
        ours = planned.preferred.owner.ownership is Ownership.THIS_STACK
        if not ours or lock_key(wanted.type, wanted.preferred) not in adopted:
            continue
        try:
            remaining = find_remaining(context, planned)
        except (LookupFailedError, NotFoundError) as error:
            text = f"whether {wanted.preferred} is as the app declares it is unknown: {error}"
        else:
            if not remaining:
                continue
            text = (
                f"{wanted.preferred} was adopted and still differs from the app "
                f"({join(remaining)}): run `cdk deploy {wanted.stack} --revert-drift`"
            )
        names.append(wanted.preferred)
        context.emit(event("warning", text=text, name=wanted.preferred))
    return names

"""What CloudFormation found in the way of a change set, before it changed anything.

Source: CloudFormation User Guide, "Validate stack deployments" (pre-deployment validation), and API
Reference, DescribeEvents.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.ports import Aws

VALIDATION = "NAME_CONFLICT_VALIDATION"
PERMISSION = "cloudformation:DescribeEvents"
SKEW = timedelta(minutes=5)
"""How far the clock of this machine may be from that of AWS, which refuses more."""


def find_name_conflicts(aws: Aws, stack: str, since: datetime) -> list[str]:
    """What a deployment since then would have created under a name that is taken, as clauses.

    Empty where CloudFormation cannot be asked: the failure itself is reported already.
    """
    try:
        with aws.translate_errors(f"the events of stack {stack}", PERMISSION):
            events = aws.client("cloudformation").describe_events(
                StackName=stack, Filters={"FailedEvents": True}
            )["OperationEvents"]
    except (LookupFailedError, NotFoundError):
        return []
    recent = [one for one in events if one["Timestamp"] >= since - SKEW]
    conflicts = [
        f"{one.get('ResourceType', 'a resource')} {one.get('LogicalResourceId', '')} of stack "
        f"{stack} has a name that is taken{_describe_reason(one)}"
        for one in recent
        if one.get("ValidationName") == VALIDATION
        and one.get("OperationId") == recent[0].get("OperationId")
    ]
    return list(dict.fromkeys(conflicts))


def _describe_reason(event: Mapping[str, Any]) -> str:
    reason = " ".join(str(event.get("ValidationStatusReason") or "").split()).rstrip(".")
    return f" ({reason})" if reason else ""

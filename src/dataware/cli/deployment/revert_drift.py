"""What `cdk deploy --revert-drift` would do to resources that hold data.

CloudFormation then also sets back what was changed outside of the template, such as the stream that
a migration follows. Source: CloudFormation User Guide, "Using drift-aware change sets".
"""

from __future__ import annotations

from dataware.cli.deployment.cdk_options import CdkArguments
from dataware.core.errors import RefusedError
from dataware.core.events import event
from dataware.core.plan import COPYING, Plan
from dataware.core.ports import Emit

OPTION = "revert-drift"


def check_revert_drift(plan: Plan, arguments: CdkArguments) -> None:
    """Refuse to set settings back while data is copied. Raises Refused."""
    if not arguments.is_set(OPTION):
        return
    copied = [one.wanted.preferred for one in plan.resources if one.decision.action in COPYING]
    if copied:
        raise RefusedError(
            f"nothing was changed, because --{OPTION} sets back settings that the migration into "
            f"{', '.join(copied)} may need; deploy without it, then once more with it"
        )


def warn_of_reverted_drift(emit: Emit, plan: Plan, arguments: CdkArguments) -> None:
    """Warn that settings that were changed outside of the template are set back."""
    if not arguments.is_set(OPTION):
        return
    adopted = [one.wanted.preferred for one in plan.resources if one.decision.import_mode]
    also = f", also of {', '.join(adopted)}, which the app imports" if adopted else ""
    emit(
        event(
            "warning",
            text=f"--{OPTION} lets CloudFormation set back every setting that was changed outside "
            f"of the template{also}; leave the option out to keep these settings",
        )
    )

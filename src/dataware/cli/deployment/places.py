"""Carries out the plans of several environments of an app, one after another."""

from __future__ import annotations

from collections.abc import Sequence

from dataware.cli.deployment.credentials import OPTION, AccountCredentials, AccountUse
from dataware.cli.guarded_plan import enter_place
from dataware.core.errors import ConflictError, DatawareError, LookupFailedError, RefusedError
from dataware.core.plan import Plan, changed_facts
from dataware.ops.apply import apply_plan
from dataware.ops.context import Context, CopySettings
from dataware.ops.plan import make_plan
from dataware.ops.run_outcome import PlaceOutcome, sum_up_places


def check_writers(context: Context, credentials: AccountCredentials, plans: Sequence[Plan]) -> None:
    """Refuse before anything is changed where who would write sees less than who looked.

    The role by which CDK deploys may read no data, unless somebody allowed it. Raises Refused.
    """
    writer = credentials.equip(context, AccountUse.WRITE)
    for plan in plans:
        account, region = plan.account, plan.region
        if account == context.aws.account:
            continue
        try:
            there = writer.in_environment(account, region)
            if credentials.is_shared(account, region):
                continue
            wanted = [one.wanted for one in plan.resources]
            fresh = make_plan(there, wanted, report=False)
        except LookupFailedError as error:
            raise RefusedError(f"nothing was changed: {error}") from error
        pairs = zip(plan.resources, fresh.resources, strict=True)
        if changes := [one for before, after in pairs for one in changed_facts(before, after)]:
            raise RefusedError(
                f"nothing was changed, because the role by which CDK deploys to account {account} "
                f"does not see what its lookup role sees ({'; '.join(changes)}): name credentials "
                f"that may copy the data with {OPTION} {account}=PROFILE"
            )


def apply_each_place(
    context: Context, plans: Sequence[Plan], settings: CopySettings, *, saved: bool = True
) -> None:
    """Create, copy and verify in every environment, also after one in which that fails.

    A conflict ends them. Raises what `sum_up_places` makes of the errors.
    """
    outcomes = []
    for plan in plans:
        there = enter_place(context, (plan.account, plan.region), alone=len(plans) == 1)
        try:
            apply_plan(there, plan, settings, saved=saved, sums_up=False)
            outcomes.append(PlaceOutcome(begun=plan.changes))
        except DatawareError as error:
            outcomes.append(PlaceOutcome(error))
            if isinstance(error, ConflictError):
                break
    sum_up_places(outcomes)

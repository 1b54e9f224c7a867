"""Carries out the plans of several environments of an app, side by side.

Each environment has its own credentials, records, locks and journals, and fails or is complete by
itself. What is bounded for a run (resources at once, rate, memory, processes) is shared by all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import replace
from threading import Event as Flag
from typing import TypeVar

from dataware.aws.daemon_pool import DaemonPool
from dataware.cli.deployment.credentials import OPTION, AccountCredentials, AccountUse
from dataware.cli.environment_plans import enter_place
from dataware.core.errors import ConflictError, DatawareError, LookupFailedError, RefusedError
from dataware.core.fleet.waves import MAX_CONCURRENT
from dataware.core.plan import Plan, changed_facts
from dataware.ops.apply import apply_plan
from dataware.ops.cancel_deletions import list_restored
from dataware.ops.context import Context, CopySettings
from dataware.ops.plan import make_plan
from dataware.ops.run_bounds import RunBounds
from dataware.ops.run_outcome import EnvironmentOutcome, sum_up_environments
from dataware.ops.run_summary import AdoptionMethod
from dataware.ops.side_by_side import halting, wait_for

T = TypeVar("T")


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
            fresh = make_plan(there, wanted, report=False, restores=list_restored(plan))
        except LookupFailedError as error:
            raise RefusedError(f"nothing was changed: {error}") from error
        pairs = zip(plan.resources, fresh.resources, strict=True)
        if changes := [one for before, after in pairs for one in changed_facts(before, after)]:
            raise RefusedError(
                f"nothing was changed, because the role that deploys to account {account} does not "
                f"see what its lookup role sees ({'; '.join(changes)}): name a profile with "
                f"{OPTION} {account}=PROFILE"
            )


def apply_each_place(
    context: Context,
    plans: Sequence[Plan],
    settings: CopySettings,
    *,
    saved: bool = True,
    sums_up: bool = False,
    adoption: AdoptionMethod = AdoptionMethod.EITHER,
) -> None:
    """Create, copy and verify in every environment, also beside one in which that fails.

    After a conflict none begins. Raises what `sum_up_environments` makes of the errors.
    """
    conflict = Flag()
    bounds = RunBounds(settings.max_parallel)

    def apply_one(there: Context, plan: Plan) -> EnvironmentOutcome | None:
        if conflict.is_set():
            return None
        if len(plans) > 1:
            there = replace(there, bounds=bounds)
        try:
            apply_plan(there, plan, settings, saved=saved, sums_up=sums_up, adoption=adoption)
        except DatawareError as error:
            if isinstance(error, ConflictError):
                conflict.set()
            return EnvironmentOutcome(error)
        return EnvironmentOutcome(begun=plan.changes)

    sum_up_environments([*filter(None, work_in_environments(context, plans, apply_one))])


def work_in_environments(
    context: Context, plans: Sequence[Plan], work: Callable[[Context, Plan], T]
) -> list[T]:
    """What `work` answers for each plan in its environment, some of them at the same time.

    All are entered before the first begins. Raises DatawareError where no credentials fit.
    """
    alone = len(plans) == 1
    places = [enter_place(context, (plan.account, plan.region), alone=alone) for plan in plans]
    if alone:
        return [work(places[0], plans[0])]
    halted = Flag()
    places = [replace(one, stop=lambda: halted.is_set() or context.stop()) for one in places]
    with DaemonPool(min(MAX_CONCURRENT, max(1, len(plans))), "environment") as pool:
        ended: list[Future[T]] = []

        def halt() -> None:
            """After a second Ctrl-C nothing begins any more, and nobody waits for what hangs."""
            halted.set()
            pool.shutdown(cancel_futures=True)

        with halting(ended, halt):
            for there, plan in zip(places, plans, strict=True):
                ended.append(pool.submit(copy_context().run, work, there, plan))
            wait_for(ended)
        return [one.result() for one in ended]

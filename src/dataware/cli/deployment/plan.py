"""The plan of one deployment, guarded, and the decisions that the lock file keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dataware.cli.deployment.cdk_options import CdkArguments
from dataware.cli.environment_plans import CopyTerms, plan_environments
from dataware.cli.guarded_plan import guarded_app_plan
from dataware.cli.settings import GuardOptions
from dataware.core.app_plan import AppPlan
from dataware.core.change_set import ChangeSetUse
from dataware.core.errors import LookupFailedError, RefusedError
from dataware.core.estimate import Prices
from dataware.core.events import event
from dataware.core.model import Wanted
from dataware.core.parameters import GivenParameters, parse_parameters
from dataware.core.plan import Plan
from dataware.ops.cancel_deletions import ANY_NAME
from dataware.ops.context import Context, CopySettings
from dataware.ops.inputs.files import LOCK, save_lock
from dataware.ops.inputs.wanted import App


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment: how to copy, what may be lost; `yes` asks nobody.

    `allow_unseen` goes on where the guard cannot look into a stack. With `folds` the last line
    alone reports many resources that the stack keeps. `restores` cancels deletions.
    """

    settings: CopySettings
    prices: Prices
    guarding: GuardOptions
    yes: bool
    allow_unseen: bool
    folds: bool = False
    restores: bool = False


def given_parameters(arguments: CdkArguments) -> GivenParameters:
    """What CDK is told about the parameters of the stacks."""
    parameter = arguments.value("parameters")
    words = arguments.texts("parameters") or ([parameter] if isinstance(parameter, str) else [])
    keeps = arguments.value("previous-parameters") is not False
    rolls_back = arguments.value("rollback") is not False and not arguments.is_set("R")
    given = parse_parameters(words, keeps_others=keeps)
    return replace(given, for_cdk=True, rolls_back=rolls_back)


def plan_deployment(
    context: Context, app: App, deployment: Deployment, parameters: GivenParameters
) -> AppPlan:
    """The plans of the stacks that are deployed, guarded. Raises Refused."""
    _refuse_unreachable(context, app, deployment)
    return guarded_app_plan(
        context,
        app,
        deployment.guarding,
        CopyTerms(
            deployment.prices,
            deployment.settings.all_versions,
            restores=ANY_NAME if deployment.restores else (),
        ),
        deploys=not deployment.allow_unseen,
        parameters=parameters,
        change_sets=ChangeSetUse.WHERE_CHANGED,
    )


def plan_each(
    context: Context, wanted: Sequence[Wanted], *, all_versions: bool = False
) -> list[Plan]:
    """What is decided now on resources of several environments, a plan for each; tells nothing."""
    terms = CopyTerms(all_versions=all_versions)
    return list(plan_environments(context, wanted, terms, report=False).plans)


def save_decisions(context: Context, plans: Sequence[Plan]) -> None:
    """Write the lock file with the decisions of the plans, and say so."""
    for plan in plans:
        save_lock(plan)
    context.emit(event("saved", what="the decisions", path=str(LOCK)))


def _refuse_unreachable(context: Context, app: App, deployment: Deployment) -> None:
    """Refuse stacks into whose accounts no credentials lead. Raises Refused.

    One in which nothing opts in may be deployed unseen, where a person said so.
    """
    planned = {one.account for one in app.wanted}
    for stack in app.stacks:
        if deployment.allow_unseen and stack.account not in planned:
            continue
        try:
            context.in_environment(stack.account, stack.region)
        except LookupFailedError as error:
            raise RefusedError(
                f"nothing was changed, because stack {stack.name} goes to account {stack.account}, "
                f"which the credentials of {context.aws.account} cannot read: {error}, or deploy "
                "it separately"
            ) from error

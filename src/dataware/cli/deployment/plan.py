"""The plan of one deployment, guarded, and the decisions that the lock file keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dataware.cli.deployment.cdk_options import CdkArguments
from dataware.cli.guarded_plan import guarded_plan
from dataware.cli.settings import GuardOptions
from dataware.core.change_set import ChangeSetUse
from dataware.core.errors import RefusedError
from dataware.core.estimate import Prices
from dataware.core.events import event
from dataware.core.parameters import GivenParameters, parse_parameters
from dataware.core.plan import Plan
from dataware.ops.context import Context, CopySettings
from dataware.ops.inputs import App
from dataware.ops.inputs.files import LOCK, save_lock


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment: how to copy, what may be lost; `yes` asks nobody.

    `allow_unseen` goes on where the guard cannot look into a stack.
    """

    settings: CopySettings
    prices: Prices
    guarding: GuardOptions
    yes: bool
    allow_unseen: bool


def given_parameters(arguments: CdkArguments) -> GivenParameters:
    """What CDK is told about the parameters of the stacks."""
    parameter = arguments.value("parameters")
    words = arguments.texts("parameters") or ([parameter] if isinstance(parameter, str) else [])
    keeps = arguments.value("previous-parameters") is not False
    return replace(parse_parameters(words, keeps_others=keeps), for_cdk=True)


def plan_deployment(
    context: Context, app: App, deployment: Deployment, parameters: GivenParameters
) -> Plan:
    """The plan of the stacks that are deployed, guarded. Raises Refused."""
    _refuse_strangers(context, app)
    return guarded_plan(
        context,
        app,
        deployment.guarding,
        deployment.prices,
        deploys=not deployment.allow_unseen,
        parameters=parameters,
        all_versions=deployment.settings.all_versions,
        change_sets=ChangeSetUse.WHERE_CHANGED,
    )


def save_decisions(context: Context, plan: Plan) -> None:
    """Write the lock file with the decisions of a plan, and say so."""
    save_lock(plan)
    context.emit(event("saved", what="the decisions", path=str(LOCK)))


def _refuse_strangers(context: Context, app: App) -> None:
    """Refuse stacks into which these credentials cannot look. Raises Refused."""
    strangers = [one for one in app.stacks if one.account not in {None, context.aws.account}]
    if strangers:
        raise RefusedError(
            f"nothing was changed, because stack {strangers[0].name} is meant for account "
            f"{strangers[0].account}, into which the credentials of {context.aws.account} "
            "cannot read: deploy it separately, with credentials of its account"
        )

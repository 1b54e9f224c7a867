"""`dataware deploy`: plan, apply, then `cdk deploy` with adoption."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from dataware.cli.cdk_cli import cdk_environ, check_arguments, find_cdk, names_app
from dataware.cli.jobs import app_of, guarded_plan, settings_of, tell_plan
from dataware.cli.notify import Listener, notifying
from dataware.cli.options import AppOptions, CopyOptions, GuardOptions, Outside
from dataware.cli.outside import outside
from dataware.core.errors import BadInput, Refused
from dataware.core.estimate import Prices
from dataware.core.events import event
from dataware.core.guard import ALLOWED, is_retained
from dataware.core.model import Existence, ImportMode, Wanted
from dataware.core.plan import COPYING, Plan, Planned
from dataware.ops.announce import announce
from dataware.ops.apply import apply_plan
from dataware.ops.context import Context, CopySettings
from dataware.ops.inputs import App
from dataware.ops.inputs.files import LOCK, save_lock
from dataware.ops.inputs.prices import read_prices
from dataware.ops.plan import make_plan

DONE = 0


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment: how to copy, what may be lost, what to hand to CDK; `yes` asks nobody."""

    settings: CopySettings
    prices: Prices
    guarding: GuardOptions
    arguments: tuple[str, ...]
    yes: bool


def run_deploy(
    out: Outside,
    app: AppOptions,
    copy: CopyOptions,
    guarding: GuardOptions,
    *,
    prices: Path | None,
    yes: bool,
    arguments: Sequence[str],
) -> int:
    """Bring the data in place, then deploy so that the stack adopts it."""
    handed_on = (*_stacks(app), *arguments)
    deployment = Deployment(settings_of(copy), read_prices(prices), guarding, handed_on, yes)
    with notifying("deploy", out, copy.notify) as listener:
        _deploy(out, app, deployment, arguments, listener)
    return DONE


def _deploy(
    out: Outside,
    app: AppOptions,
    deployment: Deployment,
    arguments: Sequence[str],
    listener: Listener,
) -> None:
    folder = Path.cwd()
    check_arguments(arguments, folder)
    if not names_app(folder):
        raise BadInput(f"there is no cdk.json that names an app in {folder}; go to the CDK project")
    environ = cdk_environ(profile=out.profile, region=out.region, endpoint_url=out.endpoint_url)
    cdk = find_cdk(folder, {**environ, ALLOWED: ",".join(deployment.guarding.allow_loss)})
    with TemporaryDirectory(prefix="dataware-deploy-") as assembly:
        cdk.synth(Path(assembly), _context_of(arguments))
        loaded = app_of(out, replace(app, app=Path(assembly)), guarding=True)
    with outside(out, copies=True, strict=app.strict, listener=listener) as context:
        listener.at(context.aws)
        later = _before(context, loaded, deployment)
    cdk.deploy(deployment.arguments)
    with outside(out, copies=True, strict=app.strict, listener=listener) as context:
        _after(context, loaded.wanted, later, deployment)


def _before(context: Context, app: App, deployment: Deployment) -> list[Wanted]:
    """Create, copy and verify; answers with what can only be filled once it is deployed."""
    plan = guarded_plan(context, app, deployment.guarding, deployment.prices)
    tell_plan(context, plan)
    if plan.stops or plan.losses:
        stopped = [planned.wanted.preferred for planned in plan.stops]
        names = ", ".join(dict.fromkeys([*stopped, *(loss.name for loss in plan.losses)]))
        raise Refused(f"nothing was changed, because of {names}; see the reasons above")
    _check_adoption(app, plan)
    _ask(context, plan, deployment)
    later = [planned for planned in plan.resources if _waits(planned)]
    now = tuple(planned for planned in plan.resources if planned.changes and not _waits(planned))
    if now:
        apply_plan(context, replace(plan, resources=now), deployment.settings, saved=True)
    _lock(context, app.wanted)
    return [planned.wanted for planned in later]


def _after(
    context: Context, wanted: Sequence[Wanted], later: Sequence[Wanted], deployment: Deployment
) -> None:
    """Fill what the deployment has created, and keep the decisions as they are now."""
    if later:
        apply_plan(context, make_plan(context, later, tell=False), deployment.settings)
    plan = _lock(context, wanted)
    for planned in plan.resources:
        announce(context.emit, planned)
    context.emit(event("done", text="Deployed: the data is where it belongs"))


def _waits(planned: Planned) -> bool:
    """Whether only the stack can create the target, so that the copy follows the deployment."""
    return planned.decision.action in COPYING and bool(planned.wanted.unresolved)


def _check_adoption(app: App, plan: Plan) -> None:
    """Refuse what CloudFormation would not take into the stack. Raises Refused.

    Source: AWS CloudFormation User Guide, "Import AWS resources into a CloudFormation stack
    automatically".
    """
    deleted = {
        (stack.name, logical_id)
        for stack in app.stacks
        for logical_id, resource in stack.resources.items()
        if not is_retained(resource.deletion_policy)
    }
    unfit = [
        planned.wanted.preferred
        for planned in plan.resources
        if _is_adopted(planned) and (planned.wanted.stack, planned.wanted.logical_id) in deleted
    ]
    if unfit:
        raise Refused(
            f"nothing was changed, because of {', '.join(unfit)}: CloudFormation takes into a "
            "stack only what outlives it; set the removal policy to RETAIN_ON_UPDATE_OR_DELETE or "
            "RETAIN, or import by reference"
        )


def _is_adopted(planned: Planned) -> bool:
    """Whether the resource stands before the stack is deployed, and is to become the stack's."""
    stands = planned.preferred.existence is Existence.EXISTS or planned.creates
    return stands and planned.decision.import_mode is ImportMode.ADOPT


def _ask(context: Context, plan: Plan, deployment: Deployment) -> None:
    if deployment.yes or not plan.changes:
        return
    if not sys.stdin.isatty():
        raise BadInput(
            "nobody is there to ask, and the plan above would change something; say --yes"
        )
    if not click.confirm("Carry this out, and deploy?", err=True):
        raise Refused("nothing was changed, because the answer was no")
    context.emit(event("note", text="Carrying the plan out"))


def _lock(context: Context, wanted: Sequence[Wanted]) -> Plan:
    plan = make_plan(context, wanted, tell=False)
    save_lock(plan)
    context.emit(event("saved", what="the decisions", path=str(LOCK)))
    return plan


def _stacks(app: AppOptions) -> tuple[str, ...]:
    return (app.stack,) if app.stack else ()


def _context_of(arguments: Sequence[str]) -> list[str]:
    """The context values and app among CDK's arguments, which its synth has to know too."""
    names = ("--context", "-c", "--app", "-a", "--profile")
    chosen: list[str] = []
    for position, argument in enumerate(arguments):
        if argument in names:
            chosen += arguments[position : position + 2]
        elif argument.startswith(tuple(f"{name}=" for name in names)):
            chosen.append(argument)
    return chosen

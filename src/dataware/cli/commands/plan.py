"""`dataware plan`: look and decide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.options import (
    app_options,
    change_set_option,
    credentials_option,
    deep_option,
    engine_options,
    every_option,
    follow_options,
    full_option,
    guard_options,
    only_option,
    plan_outside_options,
    prices_option,
    restore_option,
    saving_options,
)
from dataware.cli.settings import (
    AppOptions,
    AwsOptions,
    GuardOptions,
    PlanOptions,
    check_feed_options,
    pick,
)
from dataware.cli.source_profile import (
    check_source_profile,
    engine_option,
    source_profile_option,
)
from dataware.core.errors import InputError, SidesDifferError
from dataware.core.events import event

if TYPE_CHECKING:
    from dataware.cli.app_credentials import LoadedApp
    from dataware.core.app_plan import AppPlan
    from dataware.core.estimate import Prices
    from dataware.core.plan import Plan
    from dataware.core.stack_template import StackTemplate
    from dataware.ops.context import Context
    from dataware.ops.inputs.wanted import App

DONE, CHANGES = 0, SidesDifferError.exit_code


@click.command(cls=SectionedCommand, short_help="Show what would happen; change nothing.")
@app_options
@every_option
@only_option
@guard_options
@change_set_option
@saving_options
@full_option
@engine_options
@follow_options
@deep_option
@prices_option
@restore_option
@credentials_option
@source_profile_option
@plan_outside_options
def plan(**arguments: Any) -> int:
    """Look and decide; changes nothing. The stacks of an app may go to several environments.

    APP is a cloud assembly folder (cdk.out), a CloudFormation template, or a dataware.toml.
    Without it the app that cdk.json names is run, or else ./dataware.toml is read. With --follow it
    says where changes would come from, what would be switched on, and what would go unseen.

    \b
    Examples:
      dataware plan
      dataware plan cdk.out --stack Spaceport-prod --out plan.json
      dataware plan dataware.toml --profile prod --detailed-exitcode
      dataware plan cdk.out --follow --out plan.json
      dataware plan --format markdown > plan.md
      dataware plan --format html > plan.html
    """
    return run_plan(
        pick(AwsOptions, arguments),
        pick(AppOptions, arguments),
        pick(PlanOptions, arguments),
        pick(GuardOptions, arguments),
        prices=arguments["prices"],
        only=arguments["only"],
    )


def run_plan(
    out: AwsOptions,
    app: AppOptions,
    saving: PlanOptions,
    guarding: GuardOptions,
    *,
    prices: Path | None,
    only: tuple[str, ...] = (),
) -> int:
    """Look, decide, guard, save."""
    from dataware.cli.app_credentials import load_with_credentials
    from dataware.cli.guarded_plan import report_plan
    from dataware.ops.inputs.prices import read_prices
    from dataware.ops.inputs.resource_filter import choose_resources

    check_feed_options(saving)
    options = {"--follow": saving.follow, **engine_option(saving.engine)}
    check_source_profile(out, options)
    priced = read_prices(prices)
    _check_saving(saving, only)
    whole = load_with_credentials(out, app, guarding=True)
    if saving.change_set and not whole.app.stacks:
        raise InputError(
            "--change-set asks CloudFormation about a stack, and none is known: name that of a "
            "template with --stack, or leave out --change-set"
        )
    loaded, left_out = choose_resources(whole.app, only)
    with whole.credentials.outside(strict=app.strict, brief=True) as context:
        loaded.check_pin(context.aws.account, context.aws.region)
        if left_out:
            context.emit(event("note", text=left_out))
        app_plan = _make_plan(context, loaded, app, saving, guarding, priced)
        report_plan(context, app_plan)
        _save(context, whole, app_plan, saving)
        plan, code = app_plan.join(), app_plan.exit_code
        if plan.changes and not code:
            context.emit(event("next", command=_next_command(app, saving.out, whole.app)))
    if code:
        return code
    return CHANGES if saving.detailed_exitcode and (plan.changes or plan.attention) else DONE


def _make_plan(
    context: Context,
    loaded: App,
    app: AppOptions,
    saving: PlanOptions,
    guarding: GuardOptions,
    prices: Prices,
) -> AppPlan:
    from dataware.cli.app import parameters_of
    from dataware.cli.environment_plans import CopyTerms
    from dataware.cli.guarded_plan import guarded_app_plan
    from dataware.core.change_set import ChangeSetUse
    from dataware.ops.cancel_deletions import ANY_NAME
    from dataware.ops.context import CopySettings
    from dataware.ops.engine_choice import EngineDemand

    settings = CopySettings(
        follow=saving.follow,
        enable_feed=saving.enable_stream,
        export_to=(saving.export_to or "").removeprefix("s3://"),
        deep=saving.deep,
        engine=saving.engine,
        service_role=saving.batch_role,
    )
    return guarded_app_plan(
        context,
        loaded,
        guarding,
        CopyTerms(
            prices,
            engines=EngineDemand.of(settings),
            follow=settings if saving.follow else None,
            restores=ANY_NAME if saving.restore_secrets else (),
        ),
        parameters=parameters_of(app),
        change_sets=ChangeSetUse.ALWAYS if saving.change_set else ChangeSetUse.NEVER,
    )


def _save(context: Context, loaded: LoadedApp, app_plan: AppPlan, saving: PlanOptions) -> None:
    """Write what is to be kept of the plan, and say so."""
    from dataware.cli.app_document import save_app_plan

    if saving.out:
        home = (context.aws.account, context.aws.region)
        save_app_plan(app_plan, loaded.credentials, home, saving.out)
        context.emit(event("saved", what="the plan", path=str(saving.out)))
    if saving.lock:
        _save_decisions(context, loaded.app, app_plan, prune=saving.prune)


def _next_command(app: AppOptions, saved: Path | None, whole: App) -> str:
    """The command that carries the plan out: of a CDK project without a saved plan, `deploy`."""
    from dataware.cli.commands.apply import apply
    from dataware.cli.commands.deploy import deploy
    from dataware.cli.next_command import apply_command, deploy_command
    from dataware.cli.project import runs_project

    if saved is None and runs_project(app):
        return deploy_command(deploy, apply, [stack.key for stack in whole.stacks])
    return apply_command(apply, saved)


def _check_saving(saving: PlanOptions, only: tuple[str, ...]) -> None:
    """Raise InputError for what cannot be saved, before anything is asked."""
    from dataware.ops.inputs.files import check_writable, read_environments

    if saving.prune and not saving.lock:
        raise InputError("--prune removes entries from the lock file: add --lock")
    if saving.lock and only:
        raise InputError("--lock holds the decisions of a whole app: leave out --only")
    if saving.out:
        check_writable(saving.out)
    if saving.lock:
        read_environments()


def _save_decisions(context: Context, app: App, app_plan: AppPlan, *, prune: bool) -> None:
    """Write the lock file, and name the entries that the app no longer declares."""
    from dataware.ops.inputs.files import LOCK, save_lock

    stale = []
    for plan in app_plan.plans:
        stacks = [one.name for one in app.stacks if _goes_to(one, context, plan)]
        stale += save_lock(plan, stacks=stacks, prune=prune)
    context.emit(event("saved", what="the decisions", path=str(LOCK)))
    if not stale:
        return
    did = "Removed from" if prune else "Kept in"
    text = f"{did} {LOCK}, though this app does not declare it: {', '.join(stale)}"
    if not prune:
        text += "; if no other stage needs it, run `dataware plan --lock --prune`"
    context.emit(event("note", text=text))


def _goes_to(stack: StackTemplate, context: Context, plan: Plan) -> bool:
    """Whether a stack goes to the environment of a plan."""
    account, region = stack.account or context.aws.account, stack.region or context.aws.region
    return (account, region) == (plan.account, plan.region)

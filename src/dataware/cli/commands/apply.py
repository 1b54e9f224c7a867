"""`dataware apply`: create, copy and verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.options import (
    app_options,
    copy_options,
    credentials_option,
    engine_options,
    follow_options,
    full_option,
    guard_options,
    only_option,
    outside_options,
    parallel_option,
    restore_option,
    yes_option,
)
from dataware.cli.settings import (
    AppOptions,
    AwsOptions,
    CopyOptions,
    GuardOptions,
    check_follow_options,
    pick,
)
from dataware.cli.source_profile import (
    check_source_profile,
    engine_option,
    source_profile_option,
)
from dataware.core.errors import InputError
from dataware.core.events import event

if TYPE_CHECKING:
    from dataware.cli.notify import Listener
    from dataware.core.app_plan import AppPlan
    from dataware.ops.context import Context
    from dataware.ops.inputs.wanted import App
    from dataware.ops.run_summary import AdoptionMethod


@click.command(cls=SectionedCommand, short_help="Create, copy and verify; safe to repeat.")
@yes_option
@app_options
@only_option
@full_option
@guard_options
@copy_options
@follow_options
@engine_options
@parallel_option
@click.option(
    "--rehearse",
    is_flag=True,
    help="Run every migration into a scratch resource, report its time and cost, and remove it.",
)
@credentials_option
@source_profile_option
@restore_option
@outside_options
def apply(**arguments: Any) -> int:
    """Create, copy and verify; safe to repeat, and continues where it was interrupted.

    APP is a plan that `dataware plan --out` saved, or anything that `dataware plan` takes. A
    saved plan is looked at again first, and refused if what it rests on has changed. Without one,
    on a terminal, the plan is shown and you are asked before something is changed. With --follow,
    changes of what was copied are carried, too, until Ctrl-C. With --rehearse nothing of the app is
    changed: each migration goes into a scratch resource, which is removed again.

    \b
    Examples:
      dataware apply plan.json
      dataware apply plan.json --follow
      dataware apply plan.json --rehearse
      dataware apply cdk.out --max-share 50%
      dataware apply dataware.toml --on-conflict target
    """
    return run_apply(
        pick(AwsOptions, arguments),
        pick(AppOptions, arguments),
        pick(CopyOptions, arguments),
        pick(GuardOptions, arguments),
        yes=arguments["yes"],
        only=arguments["only"],
        restores=arguments["restore_secrets"],
    )


def run_apply(
    out: AwsOptions,
    app: AppOptions,
    copy: CopyOptions,
    guarding: GuardOptions | None = None,
    *,
    yes: bool,
    only: tuple[str, ...] = (),
    restores: bool = False,
) -> int:
    """Carry out a saved plan, or a new plan of an app."""
    from dataware.cli.notify import notifying

    check_follow_options(copy)
    if copy.rehearse and (copy.follow or copy.engine is not None):
        raise click.UsageError(
            "--rehearse copies once, by this machine; leave out --follow and --engine"
        )
    options = {"--follow": copy.follow, **engine_option(copy.engine), "--rehearse": copy.rehearse}
    check_source_profile(out, options)
    with notifying("apply", out, copy.notify) as listener:
        allowed = guarding.allow_loss if guarding else ()
        demand = ApplyDemand(yes=yes, only=only, restores=restores)
        _apply(out, app, copy, allowed, listener, demand)
    return 0


CHOOSING = frozenset(
    {"stack", "exclusively", "parameter", "parameters_file", "fallback", "context", "cdk_app"}
    | {"on_fallback_data", "import_mode"}
)
"""Options that a saved plan has been made by."""


class ApplyDemand(NamedTuple):
    """What is asked for beside the app: no question, some resources alone, secrets restored."""

    yes: bool
    only: tuple[str, ...] = ()
    restores: bool = False


def _apply(
    out: AwsOptions,
    app: AppOptions,
    copy: CopyOptions,
    allowed: tuple[str, ...],
    listener: Listener,
    demand: ApplyDemand,
) -> None:
    from dataware.cli.app_apply import AppApplier
    from dataware.cli.app_credentials import load_with_credentials
    from dataware.cli.context import settings_of
    from dataware.cli.display import can_ask
    from dataware.cli.project import in_project
    from dataware.cli.rehearse_plans import rehearse_plans
    from dataware.ops.adoption import check_allowed_losses, mark_allowed_losses
    from dataware.ops.cancel_deletions import ANY_NAME
    from dataware.ops.inputs.resource_filter import choose_resources

    if _names_saved_plan(app, demand.only):
        _apply_saved(out, app, copy, listener, restores=demand.restores)
        return
    asks = not demand.yes and can_ask(out)
    out = in_project(out, app)
    whole = load_with_credentials(out, app)
    loaded, left_out = choose_resources(whole.app, demand.only)
    with whole.credentials.outside(copies=True, strict=app.strict, listener=listener) as context:
        listener.at(context.aws)
        loaded.check_pin(context.aws.account, context.aws.region)
        _report_passed_over(context, loaded, left_out)
        applier = AppApplier(context, whole.credentials, settings_of(copy), _adoption_method(app))
        wanted = mark_allowed_losses(loaded.wanted, allowed)
        app_plan = applier.plan(wanted, restores=ANY_NAME if demand.restores else ())
        plan = app_plan.join()
        check_allowed_losses(plan.resources, allowed)
        if copy.rehearse:
            rehearse_plans(context, whole.credentials, app_plan.plans, settings_of(copy))
            return
        if asks and plan.changes and not app_plan.stops:
            _ask(context, app_plan)
        applier.apply(app_plan)


def _apply_saved(
    out: AwsOptions, app: AppOptions, copy: CopyOptions, listener: Listener, *, restores: bool
) -> None:
    """Carry out a saved plan, of one environment or of several."""
    from dataware.cli.app import saved_plan
    from dataware.cli.app_apply import AppApplier
    from dataware.cli.app_document import credentials_of, read_app_plan
    from dataware.cli.context import settings_of
    from dataware.cli.deployment.credentials import AccountUse, read_credentials
    from dataware.cli.rehearse_plans import rehearse_plans
    from dataware.cli.source_profile import with_plan_profile
    from dataware.ops.apply import apply_plan
    from dataware.ops.cancel_deletions import refuse_unplanned
    from dataware.ops.fleet import check_applicable

    settings = settings_of(copy)
    plan = saved_plan(app)
    whole = read_app_plan(app.app) if plan is None and app.app else None
    plans = whole.app_plan.plans if whole else tuple(filter(None, (plan,)))
    out = with_plan_profile(out, plans)
    if restores:
        refuse_unplanned(plans)
    credentials = read_credentials(out, app.credentials)
    if whole is not None:
        check_applicable(whole.whole)
        credentials = credentials_of(whole, out, app)
    use = AccountUse.WRITE
    with credentials.outside(use=use, copies=True, strict=app.strict, listener=listener) as context:
        listener.at(context.aws)
        if copy.rehearse:
            rehearse_plans(context, credentials, plans, settings, saved=True)
        elif whole is not None:
            applier = AppApplier(context, credentials, settings, _adoption_method(app))
            applier.apply_saved(whole.app_plan)
        elif plan is not None:
            apply_plan(context, plan, settings, saved=True, adoption=_adoption_method(app))


def _adoption_method(app: AppOptions) -> AdoptionMethod:
    from dataware.cli.next_command import adoption_method
    from dataware.cli.project import runs_project

    return adoption_method(app, in_project=runs_project(app))


def _report_passed_over(context: Context, app: App, left_out: str) -> None:
    """Say what of the app is not planned, if anything is not."""
    from dataware.cli.guarded_plan import report_unplanned

    report_unplanned(context.emit, app)
    if left_out:
        context.emit(event("note", text=left_out))


def _names_saved_plan(app: AppOptions, only: tuple[str, ...]) -> bool:
    """Whether a plan is named. Raises InputError where it is asked to hold something else."""
    from dataware.cli.app_document import is_app_plan
    from dataware.ops.inputs.files import is_plan

    is_saved = app.app is not None and (is_plan(app.app) or is_app_plan(app.app))
    if is_saved and only:
        raise InputError(
            "a saved plan is carried out whole: make another with `dataware plan --only NAME --out "
            "FILE`"
        )
    if is_saved and (typed := _typed_choices()):
        raise InputError(
            f"{app.app} is a saved plan and is carried out as it was made, so {typed} would change "
            "nothing: leave it out, or make another plan with it"
        )
    return is_saved


def _typed_choices() -> str:
    """The first option that was typed and says which resources there are, and what they are."""
    from dataware.cli.run_log import typed_arguments

    context = click.get_current_context(silent=True)
    typed = typed_arguments(context, CHOOSING) if context else []
    return next((word for word in typed if word.startswith("-")), "")


def _ask(context: Context, app_plan: AppPlan) -> None:
    """Show what would be changed. Raises RefusedError unless the answer is yes."""
    from dataware.cli.question import confirm
    from dataware.kinds import unit_of_type
    from dataware.report.summary import app_plan_summary, question_of

    context.emit(app_plan_summary(app_plan, unit_of_type))
    confirm(question_of(app_plan.join(), unit_of_type))

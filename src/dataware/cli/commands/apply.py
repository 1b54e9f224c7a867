"""`dataware apply`: create, copy and verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.options import (
    app_options,
    copy_options,
    engine_option,
    follow_options,
    full_option,
    guard_options,
    only_option,
    outside_options,
    parallel_option,
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
from dataware.core.errors import InputError
from dataware.core.events import event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataware.cli.notify import Listener
    from dataware.core.model import Wanted
    from dataware.core.plan import Plan
    from dataware.ops.context import Context, CopySettings
    from dataware.ops.inputs import App
    from dataware.ops.run_summary import AdoptionWay


@click.command(cls=SectionedCommand, short_help="Create, copy and verify; safe to repeat.")
@yes_option
@app_options
@only_option
@full_option
@guard_options
@copy_options
@follow_options
@engine_option
@parallel_option
@outside_options
def apply(**given: Any) -> int:
    """Create, copy and verify; safe to repeat, and continues where it was interrupted.

    APP is a plan that `dataware plan --out` saved, or anything that `dataware plan` takes. A
    saved plan is looked at again first, and refused if what it rests on has changed. Without one,
    on a terminal, the plan is shown and you are asked before something is changed. With --follow,
    changes of what was copied are carried, too, until Ctrl-C.

    \b
    Examples:
      dataware apply plan.json
      dataware apply plan.json --follow
      dataware apply cdk.out --max-share 50%
      dataware apply dataware.toml --on-conflict target
    """
    return run_apply(
        pick(AwsOptions, given),
        pick(AppOptions, given),
        pick(CopyOptions, given),
        pick(GuardOptions, given),
        yes=given["yes"],
        only=given["only"],
    )


def run_apply(
    out: AwsOptions,
    app: AppOptions,
    copy: CopyOptions,
    guarding: GuardOptions | None = None,
    *,
    yes: bool,
    only: tuple[str, ...] = (),
) -> int:
    """Carry out a saved plan, or a new plan of an app."""
    from dataware.cli.notify import notifying

    check_follow_options(copy)
    with notifying("apply", out, copy.notify) as listener:
        allowed = guarding.allow_loss if guarding else ()
        _apply(out, app, copy, allowed, listener, yes=yes, only=only)
    return 0


def _apply(
    out: AwsOptions,
    app: AppOptions,
    copy: CopyOptions,
    allowed: tuple[str, ...],
    listener: Listener,
    *,
    yes: bool,
    only: tuple[str, ...],
) -> None:
    from dataware.cli.app import app_of, wanted_here
    from dataware.cli.context import outside, settings_of
    from dataware.cli.display import can_ask
    from dataware.cli.project import in_project
    from dataware.ops.adoption import mark_allowed_losses
    from dataware.ops.apply import apply_plan
    from dataware.ops.inputs import App
    from dataware.ops.inputs.only import choose_resources

    saved = _saved_plan(app, only)
    asks = saved is None and not yes and can_ask(out)
    out = in_project(out, app)
    loaded, left_out = choose_resources(App([]) if saved else app_of(out, app), only)
    with outside(out, copies=True, strict=app.strict, listener=listener) as context:
        listener.at(context.aws)
        _report_passed_over(context, loaded, left_out)
        settings = settings_of(copy)
        wanted = mark_allowed_losses(wanted_here(context, loaded), allowed) if not saved else ()
        plan = saved or _new_plan(context, wanted, settings)
        if asks and plan.changes and not plan.stops:
            _ask(context, plan)
        apply_plan(context, plan, settings, saved=saved is not None, adoption=_adoption_way(app))


def _new_plan(context: Context, wanted: Sequence[Wanted], settings: CopySettings) -> Plan:
    """What is decided now, told when it is carried out."""
    from dataware.ops.engine_choice import EngineDemand
    from dataware.ops.inputs.prices import read_prices
    from dataware.ops.plan import make_plan

    return make_plan(
        context,
        wanted,
        report=False,
        prices=read_prices(None),
        all_versions=settings.all_versions,
        engines=EngineDemand(settings.engine),
    )


def _adoption_way(app: AppOptions) -> AdoptionWay:
    from dataware.cli.project import runs_project
    from dataware.cli.way_on import adoption_way

    return adoption_way(app, in_project=runs_project(app))


def _report_passed_over(context: Context, app: App, left_out: str) -> None:
    """Say what of the app is not planned, if anything is not."""
    from dataware.cli.guarded_plan import report_unplanned

    report_unplanned(context.emit, app)
    if left_out:
        context.emit(event("note", text=left_out))


def _saved_plan(app: AppOptions, only: tuple[str, ...]) -> Plan | None:
    """The plan that is named, if one is. Raises InputError where only a part of it is wanted."""
    from dataware.cli.app import saved_plan

    saved = saved_plan(app)
    if saved is not None and only:
        raise InputError(
            "a saved plan is carried out whole: make another with `dataware plan --only NAME --out "
            "FILE`"
        )
    return saved


def _ask(context: Context, plan: Plan) -> None:
    """Show what would be changed. Raises RefusedError unless the answer is yes."""
    from dataware.cli.question import confirm
    from dataware.kinds import unit_of_type
    from dataware.report.summary import plan_summary, question_of

    context.emit(plan_summary(plan, unit_of_type))
    confirm(question_of(plan, unit_of_type))

"""`dataware apply`: create, copy and verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.options import app_options, copy_options, outside_options
from dataware.cli.settings import AppOptions, AwsOptions, CopyOptions, pick
from dataware.core.events import event

if TYPE_CHECKING:
    from dataware.cli.notify import Listener


@click.command(cls=SectionedCommand, short_help="Create, copy and verify; safe to repeat.")
@app_options
@copy_options
@outside_options
def apply(**given: Any) -> int:
    """Create, copy and verify; safe to repeat, and continues where it was interrupted.

    APP is a plan that `dataware plan --out` saved, or anything that `dataware plan` takes. A
    saved plan is looked at again first, and refused if what it rests on has changed.

    \b
    Examples:
      dataware apply plan.json
      dataware apply cdk.out --max-share 50%
      dataware apply dataware.toml --on-conflict target
    """
    return run_apply(pick(AwsOptions, given), pick(AppOptions, given), pick(CopyOptions, given))


def run_apply(out: AwsOptions, app: AppOptions, copy: CopyOptions) -> int:
    """Carry out a saved plan, or a new plan of an app."""
    from dataware.cli.notify import notifying

    with notifying("apply", out, copy.notify) as listener:
        _apply(out, app, copy, listener)
    return 0


def _apply(out: AwsOptions, app: AppOptions, copy: CopyOptions, listener: Listener) -> None:
    from dataware.cli.app import app_of, saved_plan, wanted_here
    from dataware.cli.context import outside, settings_of
    from dataware.cli.project import in_project
    from dataware.ops.apply import apply_plan
    from dataware.ops.inputs import App
    from dataware.ops.plan import make_plan

    saved = saved_plan(app)
    out = in_project(out, app)
    loaded = App([]) if saved else app_of(out, app)
    with outside(out, copies=True, strict=app.strict, listener=listener) as context:
        listener.at(context.aws)
        settings = settings_of(copy)
        plan = saved or make_plan(
            context,
            wanted_here(context, loaded),
            report=False,
            all_versions=settings.all_versions,
        )
        for text in plan.warnings if saved is None else ():
            context.emit(event("warning", text=text))
        apply_plan(context, plan, settings, saved=saved is not None)

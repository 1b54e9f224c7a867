"""Loads what the APP argument of a command is: a saved plan, or the resources of an app."""

from __future__ import annotations

from functools import partial

from dataware.cli.context import open_account
from dataware.cli.project import given_settings, report_running
from dataware.cli.settings import AppOptions, AwsOptions
from dataware.core.errors import DatawareError
from dataware.core.model import OnError, Wanted
from dataware.core.plan import Plan
from dataware.kinds import kinds_by_type
from dataware.ops.context import Context
from dataware.ops.inputs import App, AppRun, Overrides, StackEnvironment, load_app
from dataware.ops.inputs.assembly import Select
from dataware.ops.inputs.files import is_plan, read_plan


def app_of(
    out: AwsOptions, options: AppOptions, *, guarding: bool = False, select: Select | None = None
) -> App:
    """The app under the options of the command line; asks AWS nothing unless CDK has to run.

    `guarding` says that its stacks are of use also if no resource opts in; `select` chooses
    among them.
    """
    return load_app(
        options.app,
        kinds=kinds_by_type(),
        overrides=Overrides(
            OnError.STOP if options.strict else options.on_error,
            options.on_fallback_data,
            options.import_mode,
        ),
        stack=options.stack,
        exclusively=options.exclusively,
        select=select,
        run=AppRun(
            given_settings(options),
            lambda: _default_environment(out),
            running=partial(report_running, out),
        ),
        guarding=guarding,
    )


def _default_environment(out: AwsOptions) -> StackEnvironment:
    """What CDK takes for an app that names no environment; open, as in CDK, if it is not known."""
    try:
        account = open_account(out)
        return StackEnvironment(account.account, account.region)
    except DatawareError:
        return StackEnvironment()


def wanted_here(context: Context, app: App) -> list[Wanted]:
    """The resources of an app that belongs into this account and region."""
    app.check_environment(context.aws.account, context.aws.region)
    return app.wanted


def saved_plan(app: AppOptions) -> Plan | None:
    """The plan in the APP argument, if it is a saved plan."""
    return read_plan(app.app) if app.app is not None and is_plan(app.app) else None

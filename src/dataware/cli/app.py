"""Loads what the APP argument of a command is: a saved plan, or the resources of an app."""

from __future__ import annotations

from functools import cache, partial

from dataware.cli.context import open_account
from dataware.cli.project import given_settings, report_running
from dataware.cli.settings import AppOptions, AwsOptions
from dataware.core.errors import DatawareError
from dataware.core.model import OnError, Wanted
from dataware.core.parameters import GivenParameters
from dataware.core.plan import Plan
from dataware.core.ports import Aws
from dataware.kinds import kinds_by_type
from dataware.ops.context import Context
from dataware.ops.inputs.app import AppRun, load_app
from dataware.ops.inputs.assembly import Select
from dataware.ops.inputs.fallback_patterns import parse_patterns
from dataware.ops.inputs.files import is_plan, read_plan
from dataware.ops.inputs.parameters_file import read_parameters
from dataware.ops.inputs.read_options import ReadOptions
from dataware.ops.inputs.toml_file import project_patterns
from dataware.ops.inputs.value_sources import OpenAws, ValueSources
from dataware.ops.inputs.wanted import App, Overrides, StackEnvironment


def app_of(
    out: AwsOptions,
    options: AppOptions,
    *,
    guarding: bool = False,
    select: Select | None = None,
    parameters: GivenParameters | None = None,
    open_aws: OpenAws | None = None,
) -> App:
    """The app under the options of the command line.

    AWS is asked where CDK has to run, and where a name rests on what AWS alone knows. `guarding`
    says that its stacks are of use also if no resource opts in; `select` chooses among them;
    `parameters` are the parameters of a deployment. `open_aws` opens the account of each stack,
    without it that of the command line.
    """
    return load_app(
        options.app,
        kinds=kinds_by_type(),
        options=read_options(
            options,
            ValueSources(parameters or parameters_of(options), open_aws or _open_lazily(out)),
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


def read_options(options: AppOptions, sources: ValueSources) -> ReadOptions:
    """How the command line has an app read."""
    return ReadOptions(
        Overrides(
            OnError.STOP if options.strict else options.on_error,
            options.on_fallback_data,
            options.import_mode,
        ),
        sources,
        (*parse_patterns(options.fallback), *project_patterns()),
        options.all_stateful,
        options.only,
    )


def parameters_of(options: AppOptions) -> GivenParameters:
    """The parameters of the command line. Raises InputError."""
    return read_parameters(options.parameter, options.parameters_file)


def _open_lazily(out: AwsOptions) -> OpenAws:
    """Opens the account at the first question that is asked."""
    opened = cache(partial(open_account, out))

    def open_in(environment: StackEnvironment) -> Aws:
        account = opened()
        return account.for_region(environment.region) if environment.region else account

    return open_in


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

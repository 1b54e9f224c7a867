"""What each command does: inputs, one use case, an exit code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from dataware.aws import HOLDING_PERMISSIONS, OWNERSHIP_PERMISSIONS, STACK_PERMISSIONS
from dataware.aws.holding_stack import HOLDING_PREFIX
from dataware.cli.context import open_account, outside
from dataware.cli.notify import Listener, notifying
from dataware.cli.options import (
    AppOptions,
    AwsOptions,
    CopyOptions,
    GuardOptions,
    PairOptions,
    PlanOptions,
)
from dataware.cli.project import given_settings, in_project, report_running
from dataware.core.errors import DatawareError, InputError, RefusedError, SidesDifferError
from dataware.core.estimate import Prices
from dataware.core.events import event, format_count
from dataware.core.guard import RULE as GUARD_RULE
from dataware.core.guide import read_more
from dataware.core.kind import Kind, Location
from dataware.core.model import OnError, Wanted
from dataware.core.names import place_of
from dataware.core.parameters import GivenParameters
from dataware.core.plan import Plan
from dataware.core.ports import Aws
from dataware.kinds import kinds, load
from dataware.ops.apply import apply_plan
from dataware.ops.context import Context, CopySettings
from dataware.ops.guard import guard
from dataware.ops.inputs import (
    App,
    AppRun,
    Overrides,
    ResourceAddress,
    StackEnvironment,
    load_app,
    parse_pair,
)
from dataware.ops.inputs.addresses import check_apart
from dataware.ops.inputs.assembly import Select
from dataware.ops.inputs.files import (
    LOCK,
    check_writable,
    is_plan,
    read_environments,
    read_plan,
    save_lock,
    save_plan,
)
from dataware.ops.inputs.prices import read_prices
from dataware.ops.migrate import migrate
from dataware.ops.plan import make_plan
from dataware.ops.policy import iam_policy
from dataware.ops.verify import verify, with_real_region
from dataware.report import Format
from dataware.report.summary import plan_summary, price_notes
from dataware.state import PERMISSIONS as MARKER_PERMISSIONS
from dataware.state.marker_value import ROOT

DONE, CHANGES = 0, SidesDifferError.exit_code


def run_plan(
    out: AwsOptions,
    app: AppOptions,
    saving: PlanOptions,
    guarding: GuardOptions,
    *,
    prices: Path | None = None,
) -> int:
    """Look, decide, guard, save."""
    priced = read_prices(prices)
    if saving.prune and not saving.lock:
        raise InputError("--prune removes entries from the lock file: add --lock")
    if saving.out:
        check_writable(saving.out)
    if saving.lock:
        read_environments()
    loaded = app_of(out, app, guarding=True)
    with outside(out, strict=app.strict) as context:
        plan = guarded_plan(context, loaded, guarding, priced)
        report_plan(context, plan)
        if saving.out:
            save_plan(plan, saving.out)
            context.emit(event("saved", what="the plan", path=str(saving.out)))
        if saving.lock:
            _save_decisions(context, loaded, plan, prune=saving.prune)
    if plan.stops or plan.losses:
        return RefusedError.exit_code
    return CHANGES if saving.detailed_exitcode and (plan.changes or plan.attention) else DONE


def _save_decisions(context: Context, app: App, plan: Plan, *, prune: bool) -> None:
    """Write the lock file, and name the entries that the app no longer declares."""
    stale = save_lock(plan, stacks=[stack.name for stack in app.stacks], prune=prune)
    context.emit(event("saved", what="the decisions", path=str(LOCK)))
    if not stale:
        return
    did = "Removed from" if prune else "Kept in"
    text = f"{did} {LOCK}, though this app does not declare it: {', '.join(stale)}"
    if not prune:
        text += "; if no other stage needs it, run `dataware plan --lock --prune`"
    context.emit(event("note", text=text))


def guarded_plan(
    context: Context,
    app: App,
    guarding: GuardOptions,
    prices: Prices,
    *,
    deploys: bool = False,
    given: GivenParameters | None = None,
    all_versions: bool = False,
) -> Plan:
    """The plan of an app, with what a deployment of its stacks would lose with these parameters.

    Raises Refused where a deployment follows and not every stack can be looked into.
    """
    wanted = wanted_here(context, app)
    plan = make_plan(context, wanted, prices=prices, all_versions=all_versions)
    if not wanted:
        context.emit(event("note", text="no resource opts in: there is nothing but the guard"))
    guarded = guard(context, app, guarding.allow_loss, deploys=deploys, given=given)
    warnings = (*app.unseen, *plan.warnings, *guarded.warnings)
    return replace(plan, guard=guarded.threats, warnings=warnings)


def run_apply(out: AwsOptions, app: AppOptions, copy: CopyOptions) -> int:
    """Carry out a saved plan, or a new plan of an app."""
    with notifying("apply", out, copy.notify) as listener:
        _apply(out, app, copy, listener)
    return DONE


def _apply(out: AwsOptions, app: AppOptions, copy: CopyOptions, listener: Listener) -> None:
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


def run_policy(out: AwsOptions, app: AppOptions, *, versions: str) -> int:
    """Print the least IAM policy."""
    saved = saved_plan(app)
    out = in_project(out, app)
    loaded = App([one.wanted for one in saved.resources]) if saved else app_of(out, app)
    with outside(out) as context:
        aws = context.aws
        wanted = wanted_here(context, loaded)
        policy = policy_of(aws, wanted, all_versions=versions == "all")
        if out.format is Format.JSON:
            text = f"The least IAM policy for {format_count(len(wanted), 'resource')}"
            context.emit(event("done", text=text, policy=policy))
    if out.format is Format.TEXT:
        print(json.dumps(policy, indent=2))
    return DONE


def policy_of(
    aws: Aws, wanted: Sequence[Wanted], *, all_versions: bool = False, informing: bool = True
) -> Any:
    """The policy document for some resources, with what every run needs beside them.

    Without `informing` it leaves out what no decision rests on.
    """
    account, region, partition = aws.account, aws.region, aws.partition
    records = "arn:{}:ssm:{}:{}:parameter{}*"
    holding = f"arn:{partition}:cloudformation:{region}:{account}:stack/{HOLDING_PREFIX}*/*"
    shared: dict[str, tuple[str, ...]] = {
        records.format(partition, where, account, ROOT): MARKER_PERMISSIONS
        for where in sorted(regions_of(aws, wanted))
    }
    shared |= {holding: HOLDING_PERMISSIONS, "*": (*OWNERSHIP_PERMISSIONS, *STACK_PERMISSIONS)}
    return iam_policy(
        wanted,
        account=account,
        region=region,
        partition=partition,
        shared=shared,
        all_versions=all_versions,
        informing=informing,
    )


def regions_of(aws: Aws, wanted: Sequence[Wanted]) -> set[str]:
    """The regions in which resources of a plan are, where the records of migrations lie, too."""
    regions = {aws.region}
    for one in wanted:
        kind = load(one.type)
        for name in (one.preferred, *one.fallbacks):
            place = place_of(kind, name, aws.account, aws.region)
            regions.add((kind.locate(aws, place) if kind.locate else None) or place.region)
    return regions


def run_migrate(out: AwsOptions, pair: PairOptions, copy: CopyOptions) -> int:
    """Copy one place into another, and verify."""
    one, other = _pair(pair)
    with (
        notifying("migrate", out, copy.notify) as listener,
        outside(out, copies=True, listener=listener) as context,
    ):
        listener.at(context.aws)
        source, target = _places(context, one, other)
        # A bucket's record lies in the region of the bucket, which its name does not tell.
        target = with_real_region(context, one.kind, target)
        at_target = context.in_region(target.region)
        migrate(at_target, one.kind.cfn_type, source, target, settings_of(copy))
    return DONE


def run_verify(out: AwsOptions, pair: PairOptions, *, versions: str, deep: bool) -> int:
    """Compare two places."""
    one, other = _pair(pair)
    with outside(out) as context:
        source, target = _places(context, one, other)
        all_versions = versions == "all"
        verdict = verify(
            context, one.kind.cfn_type, source, target, all_versions=all_versions, deep=deep
        )
    return SidesDifferError.exit_code if verdict.apart else DONE


def app_of(
    out: AwsOptions, options: AppOptions, *, guarding: bool = False, select: Select | None = None
) -> App:
    """The app under the options of the command line; asks AWS nothing unless CDK has to run.

    `guarding` says that its stacks are of use also if no resource opts in; `select` chooses
    among them.
    """
    return load_app(
        options.app,
        kinds=known_kinds(),
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


def known_kinds() -> Mapping[str, Kind]:
    """Every card by its CloudFormation type."""
    return {kind.cfn_type: kind for kind in kinds()}


def settings_of(copy: CopyOptions) -> CopySettings:
    """How to copy, as the use cases take it."""
    return CopySettings(
        on_conflict=copy.on_conflict,
        all_versions=copy.versions == "all",
        accept_left=copy.accept_left,
        deep=copy.deep,
        max_rate=copy.max_rate,
        max_share=copy.max_share,
        processes=copy.processes,
        multipart_threshold=copy.multipart_threshold,
        part_size=copy.part_size,
    )


def report_plan(context: Context, plan: Plan) -> None:
    """The warnings of the whole plan, its table, and its sum."""
    for text in plan.warnings:
        context.emit(event("warning", text=text))
    for text in price_notes(plan):
        context.emit(event("note", text=text))
    context.emit(plan_summary(plan, lambda cfn_type: load(cfn_type).unit))
    if rules := {one.decision.rule for one in plan.stops} | {GUARD_RULE for _ in plan.losses}:
        text = f"{read_more(rules)} says why there is a stop, and what to do"
        context.emit(event("note", text=text))


def _pair(pair: PairOptions) -> tuple[ResourceAddress, ResourceAddress]:
    one, other = parse_pair(pair.source, pair.target, known_kinds())
    return one.owned_by(pair.source_owner), other.owned_by(pair.target_owner)


def _places(
    context: Context, one: ResourceAddress, other: ResourceAddress
) -> tuple[Location, Location]:
    account, region = context.aws.account, context.aws.region
    check_apart(one, other, account, region)
    return one.place(account, region), other.place(account, region)

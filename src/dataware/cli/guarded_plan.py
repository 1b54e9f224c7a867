"""Makes the plan that `plan` and `deploy` show: the decisions, and what a deployment would lose."""

from __future__ import annotations

from dataclasses import replace

from dataware.cli.app import wanted_here
from dataware.cli.settings import GuardOptions
from dataware.core.estimate import Prices
from dataware.core.events import event
from dataware.core.guard import RULE as GUARD_RULE
from dataware.core.guide import read_more
from dataware.core.parameters import GivenParameters
from dataware.core.plan import Plan
from dataware.kinds import load
from dataware.ops.context import Context
from dataware.ops.guard import guard
from dataware.ops.inputs import App
from dataware.ops.plan import make_plan
from dataware.report.summary import plan_summary, price_notes


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

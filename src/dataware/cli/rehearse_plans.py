"""Rehearses the plans of an app, one environment after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dataware.cli.context import go_on_after_stop
from dataware.cli.deployment.credentials import AccountCredentials, AccountUse
from dataware.cli.environment_plans import enter_place
from dataware.core.plan import Plan
from dataware.ops.apply import look_again
from dataware.ops.context import Context, CopySettings
from dataware.ops.inputs.prices import read_prices
from dataware.ops.rehearse_plan import Forget, rehearse_plan
from dataware.state import ParameterMarkers


def rehearse_plans(
    context: Context,
    credentials: AccountCredentials,
    plans: Sequence[Plan],
    settings: CopySettings,
    *,
    saved: bool = False,
) -> None:
    """Rehearse every migration of `plans`; a `saved` one is looked at again first.

    What a rehearsal has made is removed also after Ctrl-C. Raises what `rehearse_plan` raises.
    """
    writer, home = credentials.equip(context, AccountUse.WRITE), context.aws.account
    for plan in plans:
        place = (plan.account, plan.region)
        there = enter_place(writer, place, alone=len(plans) == 1)
        fresh = look_again(there, plan, settings) if saved else plan
        if plan.account == home and plan.account not in credentials.given:
            there = go_on_after_stop(there, replace(credentials.out, region=plan.region))
        rehearse_plan(there, fresh, settings, read_prices(None), make_forget)


def make_forget(context: Context) -> Forget:
    """What deletes the record of a kind and a target, once nothing is left of the rehearsal."""
    markers = ParameterMarkers(context.aws, context.clock)

    def forget(kind: str, name: str) -> None:
        markers.remove(kind, name, markers.get(kind, name), lambda _parameter: None)

    return forget

"""Applies an app: in the environment of the command, or in each of those to which its stacks go."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from dataware.cli.deployment.credentials import OPTION, AccountCredentials, AccountUse
from dataware.cli.deployment.environments import (
    apply_each_place,
    check_writers,
    work_in_environments,
)
from dataware.cli.environment_plans import (
    CopyTerms,
    check_together,
    enter_place,
    name_events,
    plan_environments,
)
from dataware.core.app_plan import AppPlan
from dataware.core.errors import DatawareError, InputError, RefusedError
from dataware.core.fleet.waves import MAX_CONCURRENT
from dataware.core.guide import read_more
from dataware.core.model import Wanted
from dataware.core.plan import Plan, copies
from dataware.ops.apply import apply_plan, check_sources, look_again
from dataware.ops.context import Context, CopySettings
from dataware.ops.decision_events import report_decision
from dataware.ops.engine_choice import EngineDemand
from dataware.ops.follow.follow_checks import check_follow
from dataware.ops.inputs.prices import read_prices
from dataware.ops.run_summary import AdoptionMethod
from dataware.ops.source_profile import check_relay


@dataclass(frozen=True, slots=True)
class AppApplier:
    """Applies plans with the settings of a command; `adoption` says how a stack takes things."""

    context: Context
    credentials: AccountCredentials
    settings: CopySettings
    adoption: AdoptionMethod

    def plan(self, wanted: Sequence[Wanted], *, restores: Container[str] = ()) -> AppPlan:
        """What is decided now. Raises DatawareError where an environment cannot be looked into."""
        app_plan = plan_environments(
            self.context,
            wanted,
            CopyTerms(
                read_prices(None),
                self.settings.all_versions,
                EngineDemand.of(self.settings),
                self.settings if self.settings.follow else None,
                restores,
            ),
            report=False,
        )
        return check_together(self.context, app_plan) if app_plan.has_several else app_plan

    def apply(self, app_plan: AppPlan) -> None:
        """Carry a plan out that was made just now. Raises RefusedError with nothing changed."""
        self._check(app_plan)
        check_writers(
            self.context, self.credentials, [one for one in app_plan.plans if one.changes]
        )
        self._apply(self.credentials.equip(self.context, AccountUse.WRITE), app_plan.plans)

    def apply_saved(self, app_plan: AppPlan) -> None:
        """Carry a saved plan out, after a look at every environment of it.

        Raises RefusedError, with nothing changed anywhere, where one is not as it was planned.
        """

        def look(there: Context, plan: Plan) -> Plan | DatawareError:
            try:
                return look_again(there, plan, self.settings)
            except RefusedError as error:
                return self._with_next_step(error, plan.account)
            except DatawareError as error:
                return error

        answers = work_in_environments(self.context, app_plan.plans, look)
        errors = [one for one in answers if not isinstance(one, Plan)]
        if errors:
            text = "; ".join(dict.fromkeys(map(str, errors)))
            raise errors[0] if len(errors) == 1 else _worst(errors)(text)
        fresh = AppPlan(tuple(one for one in answers if isinstance(one, Plan)))
        self._check(fresh)
        self._apply(self.context, fresh.plans)

    def _with_next_step(self, error: RefusedError, account: str) -> RefusedError:
        """The refusal; the role by which CDK deploys may see less than the one that looked."""
        if account in self.credentials.given or account not in self.credentials.roles:
            return error
        return RefusedError(
            f"{error}, or name credentials that may read and copy the data with {OPTION} "
            f"{account}=PROFILE"
        )

    def _check(self, app_plan: AppPlan) -> None:
        """Raise RefusedError for what no environment may be applied with."""
        if not app_plan.has_several:
            return
        if app_plan.conflicts:
            raise RefusedError(
                "nothing was changed, because environments are in each other's way: "
                f"{'; '.join(app_plan.conflicts)}"
            )
        stops = app_plan.join().stops
        for name, plan in zip(app_plan.places, app_plan.plans, strict=True):
            for planned in plan.stops:
                report_decision(name_events(self.context.emit, name), planned)
        if stops:
            names = ", ".join(dict.fromkeys(one.wanted.preferred for one in stops))
            more = read_more({one.decision.rule for one in stops})
            raise RefusedError(
                f"nothing was changed, because of {names}; see the reasons above, and {more}"
            )
        for plan in app_plan.plans:
            check_sources(plan, self.settings)
            check_relay(plan, self.settings)
        check_followed_environments(app_plan.plans, self.settings)

    def _apply(self, writer: Context, plans: Sequence[Plan]) -> None:
        if len(plans) > 1:
            apply_each_place(
                writer, plans, self.settings, saved=False, sums_up=True, adoption=self.adoption
            )
            return
        there = enter_place(writer, (plans[0].account, plans[0].region), alone=True)
        apply_plan(there, plans[0], self.settings, adoption=self.adoption)


def check_followed_environments(plans: Sequence[Plan], settings: CopySettings) -> None:
    """Raise InputError or RefusedError for environments that cannot be followed together."""
    for plan in plans:
        check_follow(plan, settings)
    count = sum(bool(copies(plan)) for plan in plans)
    if settings.follow and count > MAX_CONCURRENT:
        raise InputError(
            f"{count:,} environments would be followed at the same time, and {MAX_CONCURRENT} can "
            "be; choose some of their stacks with --stack"
        )


def _worst(errors: Sequence[DatawareError]) -> type[DatawareError]:
    refused = any(isinstance(one, RefusedError) for one in errors)
    return RefusedError if refused else type(errors[0])

"""The plan of an app's environments in one file: that of a fleet, in which each is a target.

A target names the credentials that may write there: what `--credentials` names for its account, or
the role by which CDK deploys. Where it names none, it is applied with the command's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dataware.cli.deployment.credentials import AccountCredentials, read_credentials
from dataware.cli.settings import AppOptions, AwsOptions
from dataware.core.app_plan import AppPlan, Place, UnseenEnvironment, name_environment
from dataware.core.fleet.plan import FleetPlan, TargetPlan
from dataware.core.fleet.target import FleetTarget
from dataware.core.plan import Plan
from dataware.ops.inputs.files import save_plan
from dataware.ops.inputs.fleet_plan_file import is_fleet_plan, save_fleet_plan
from dataware.ops.inputs.stack_roles import StackRole, StackRoles
from dataware.ops.saved_fleet import read_saved_fleet


@dataclass(frozen=True, slots=True)
class SavedAppPlan:
    """The plan of several environments out of a file, and what is shown of each of its plans."""

    app_plan: AppPlan
    shown: Sequence[Mapping[str, Any]]
    whole: FleetPlan


def save_app_plan(
    app_plan: AppPlan, credentials: AccountCredentials, home: Place, path: Path
) -> None:
    """Write the plan: that of `home` alone as the plan of one account, any other as a fleet's."""
    only = app_plan.plans[0]
    if not app_plan.has_several and (only.account, only.region) == home:
        save_plan(app_plan.join(), path)
    else:
        save_fleet_plan(_document_of(app_plan, credentials), path)


def is_app_plan(path: Path) -> bool:
    """Whether a file is a plan of several environments of an app."""
    return is_fleet_plan(path, of_app=True)


def read_app_plan(path: Path) -> SavedAppPlan:
    """The plan in a file, whole. Raises InputError for anything else."""
    whole, shown = read_saved_fleet(path)
    plans = [(one.target.name, one.plan) for one in whole.targets if one.plan is not None]
    unseen = tuple(
        UnseenEnvironment(one.target.account, one.target.region, one.problem, one.exit_code)
        for one in whole.targets
        if one.plan is None
    )
    app_plan = AppPlan(tuple(plan for _, plan in plans), unseen=unseen, conflicts=whole.conflicts)
    return SavedAppPlan(app_plan, [shown[name] for name, _ in plans], whole)


def credentials_of(saved: SavedAppPlan, out: AwsOptions, options: AppOptions) -> AccountCredentials:
    """The credentials that the command line names, and else those that the plan was made for."""
    named = read_credentials(out, options.credentials)
    profiles, roles = dict(named.given), dict(named.roles)
    for target in (one.target for one in saved.whole.targets):
        role = StackRole(target.role, target.external_id) if target.role else None
        if target.profile is not None:
            there = replace(out, profile=target.profile, role=target.role)
            profiles.setdefault(target.account, replace(there, external_id=target.external_id))
        elif role is not None:
            roles.setdefault(target.account, StackRoles(role, role))
    return replace(named, given=profiles, roles=roles)


def _document_of(app_plan: AppPlan, credentials: AccountCredentials) -> FleetPlan:
    """What is about the whole stands with the first environment."""
    first, *others = app_plan.plans
    first = replace(first, warnings=(*app_plan.warnings, *first.warnings))
    targets = [TargetPlan(_target_of(plan, credentials), plan) for plan in (first, *others)]
    targets += [
        TargetPlan(_target_of(one, credentials), None, one.problem, one.exit_code)
        for one in app_plan.unseen
    ]
    return FleetPlan(first.created, tuple(targets), conflicts=app_plan.conflicts, of_app=True)


def _target_of(place: Plan | UnseenEnvironment, credentials: AccountCredentials) -> FleetTarget:
    account, region = place.account, place.region
    target = FleetTarget(name_environment(account, region), account, region)
    if (options := credentials.name_writer(account)) is None:
        return target
    profile = options.profile if account in credentials.given and not options.role else None
    return replace(target, profile=profile, role=options.role, external_id=options.external_id)

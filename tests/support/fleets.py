"""Targets and their plans, as the pure parts of a fleet take them."""

from __future__ import annotations

from dataware.core.fleet.plan import TargetPlan
from dataware.core.fleet.target import FleetTarget
from dataware.core.model import Action, Decision, Existence, Facts, ImportMode, Wanted
from dataware.core.plan import Plan, Planned

BUCKET, TABLE = "AWS::S3::Bucket", "AWS::DynamoDB::Table"
ONE, TWO = "111111111111", "222222222222"


def target(name: str, account: str = ONE, region: str = "eu-west-1", **more: object) -> FleetTarget:
    """A target of a fleet."""
    return FleetTarget(name, account, region, **more)  # type: ignore[arg-type] # as the test says


def planned(
    name: str,
    action: Action = Action.CREATE,
    *,
    source: str | None = None,
    logical_id: str | None = None,
    cfn_type: str = BUCKET,
    existence: Existence = Existence.ABSENT,
    import_mode: ImportMode | None = None,
    reason: str = "as the test says",
) -> Planned:
    """A resource with a decision."""
    fallbacks = (source,) if source else ()
    return Planned(
        Wanted(logical_id or name, cfn_type, name, fallbacks, logical_id=logical_id),
        Facts(name, existence),
        tuple(Facts(one, Existence.EXISTS) for one in fallbacks),
        Decision(action, 1, reason, source=source, import_mode=import_mode),
    )


def target_plan(place: FleetTarget, *resources: Planned) -> TargetPlan:
    """A target that was looked into."""
    made = "2026-11-01T12:00:00+00:00"
    return TargetPlan(place, Plan(place.account, place.region, made, resources))

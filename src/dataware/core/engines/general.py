"""The engines that carry several types, and the needs that several engines have."""

from __future__ import annotations

from dataware.core.engines.card import (
    EngineCard,
    EngineCost,
    EngineName,
    EngineNeed,
)
from dataware.core.engines.situation import EngineSituation
from dataware.core.estimate import Prices, estimate
from dataware.core.model import Size

LONG_SECONDS = 30 * 60
"""A copy by this machine that takes longer is worth a look at other engines."""

_FREE = Prices("", "", "", "", {})


def count_local_seconds(situation: EngineSituation) -> int:
    """How long this machine copies, zero where the size was not seen."""
    if situation.size is None:
        return 0
    return estimate(situation.size, situation.charges, situation.speed, _FREE).seconds


def estimate_local(situation: EngineSituation, size: Size, prices: Prices) -> EngineCost:
    """What a copy by this machine takes."""
    cost = estimate(size, situation.charges, situation.speed, prices)
    return EngineCost(cost.seconds, cost.usd)


LOCAL = EngineCard(
    name=EngineName.LOCAL,
    summary="this machine reads and writes, with all its processors",
    runs_on="this machine",
    needs=(),
    when="no other engine is better",
    is_better=lambda _situation: True,
    estimate=estimate_local,
    limits=("one machine: up to some 100 million items or objects",),
    proven="on two emulators and a simulator of the wire, not on AWS",
    time="the slower of what this machine sends and what the service takes",
    money="one read and one write of everything, and the verification",
    formula=(
        "the slower of N by the rate of this machine and billed units by what the service takes",
        "billed units of the copy and its verification, by their price",
    ),
)

NEW_TARGET = EngineNeed(
    "the target does not exist yet",
    lambda it: it.is_new or it.begun is not None,
    lambda it: f"{it.target} exists, and this engine always makes a new one",
)
ONE_ACCOUNT = EngineNeed(
    "source and target are in one account",
    lambda it: it.same_account,
    lambda it: f"{it.source} is in another account",
)
EXPORTED_BY_OWNER = EngineNeed(
    ONE_ACCOUNT.text,
    ONE_ACCOUNT.holds,
    lambda it: (
        f"{it.source} is in another account, and an export is asked for with credentials of that "
        "account, which export-import takes with --source-profile"
    ),
)
ASKED_BY_PROFILE = EngineNeed(
    "source and target are in one account, or `--source-profile` reads the source",
    lambda it: it.same_account or it.relayed,
    lambda it: (
        f"{it.source} is in another account, whose credentials have to ask for an export: name "
        "their profile with --source-profile"
    ),
)
ONE_PARTITION = EngineNeed(
    "source and target are in one partition",
    lambda it: it.same_partition,
    lambda it: f"{it.source} is in another partition, out of which nothing is exported",
)
NOT_FOLLOWED_BY_PROFILE = EngineNeed(
    "no --follow with `--source-profile`",
    lambda it: not (it.followed and it.relayed),
    lambda _it: "--follow reads the source's stream, and takes no --source-profile",
)


def _recovery_problem(situation: EngineSituation) -> str:
    if situation.recovery is None:
        return f"whether point in time recovery of {situation.source} is on was not seen"
    return f"point in time recovery of {situation.source} is off"


RECOVERY = EngineNeed(
    "point in time recovery of the source is on",
    lambda it: bool(it.recovery),
    _recovery_problem,
)
OWN_TARGET = EngineNeed(
    "this run makes the target",
    lambda it: it.is_own,
    lambda it: f"this run did not make {it.target}, and this engine replaces what it finds",
)
NOT_FOLLOWED = EngineNeed(
    "no --follow",
    lambda it: not it.followed,
    lambda _it: "--follow copies from this machine, so that it knows what it has written",
)
NOT_EXPORTED = EngineNeed(
    "no `--export-to`",
    lambda it: not it.exported,
    lambda _it: "--export-to reads exports, which tell of a change too late for this engine",
)
ROLE = EngineNeed(
    "`--batch-role` names a role",
    lambda it: it.has_role,
    lambda _it: "no role is named that the service may assume (--batch-role ARN)",
)
NO_HEADERS = EngineNeed(
    "no `--sse`, `--acl` or `--request-payer`",
    lambda it: not it.has_headers,
    lambda _it: "a job does not write with --sse, --acl or --request-payer",
)
CURRENT = EngineNeed(
    "current versions only",
    lambda it: not it.all_versions,
    lambda _it: "a job keeps no order, so it cannot copy all versions",
)

GENERAL = (LOCAL,)
"""The engines that carry every type."""

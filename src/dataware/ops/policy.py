"""The use case "iam-policy": the least policy that a set of resources needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from dataware.core.model import ImportMode, Wanted
from dataware.core.phases import (
    ACCOUNT,
    COPIED_FROM,
    COPIED_TO,
    CREATE,
    DESCRIBE,
    PROBE,
    READ,
    VERSIONS,
)
from dataware.kinds import load

EVERYWHERE = "*"

SOURCE_PHASES = (PROBE, *COPIED_FROM)
TARGET_PHASES = (PROBE, READ, *COPIED_TO, CREATE)
"""What a run does with a preferred name, which may be the source of another run."""


def iam_policy(
    wanted: Sequence[Wanted],
    *,
    account: str,
    region: str,
    partition: str,
    shared: Mapping[str, Sequence[str]],
    all_versions: bool = False,
    informing: bool = True,
) -> dict[str, Any]:
    """An IAM policy document for planning and applying `wanted`.

    `informing` includes what only informs people, and no decision rests on. `all_versions` adds
    what copying every version of an object needs. `shared` maps a resource ARN to the actions that
    every run needs on it (markers, CloudFormation ownership and holding stacks, the caller's
    identity).
    """
    more = (VERSIONS,) if all_versions else ()
    granted: dict[str, set[str]] = defaultdict(set)
    for arn, actions in shared.items():
        granted[arn].update(actions)
    for item in wanted:
        kind = load(item.type)
        for name in (item.preferred, *item.fallbacks):
            phases = (*_phases_of(item, name), *more)
            for arn in kind.access.arns(name, account, region, partition):
                actions = [
                    action
                    for phase in phases
                    for action in kind.access.phases.get(phase, ())
                    if informing or phase != PROBE or action not in kind.access.informing
                ]
                granted[arn].update(
                    action for action in actions if kind.access.governs(action, arn)
                )
        granted[EVERYWHERE].update(kind.access.phases.get(ACCOUNT, ()))
    return {"Version": "2012-10-17", "Statement": _statements(granted)}


def _phases_of(wanted: Wanted, name: str) -> tuple[str, ...]:
    """What a run does with a name; what a stack may adopt is compared with its template first."""
    if name != wanted.preferred:
        return SOURCE_PHASES
    adopts = wanted.logical_id is not None and wanted.import_mode is ImportMode.ADOPT
    return (*TARGET_PHASES, DESCRIBE) if adopts else TARGET_PHASES


def _statements(granted: Mapping[str, set[str]]) -> list[dict[str, Any]]:
    """One statement for each set of actions, with every resource that it is granted on."""
    resources: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for arn, actions in granted.items():
        if actions:
            resources[tuple(sorted(actions))].append(arn)
    return [
        {"Effect": "Allow", "Action": list(actions), "Resource": sorted(arns)}
        for actions, arns in sorted(resources.items())
    ]

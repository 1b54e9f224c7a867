"""The plan of a fleet: the plans of all targets in one document with one hash; pure.

Schema version 1; changes only add. Like the plan of one target it holds no data and no secret.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.errors import InputError, RefusedError
from dataware.core.fleet.target import FleetTarget
from dataware.core.fleet.waves import WaveSettings, worst_exit_code
from dataware.core.plan import Plan, Planned

VERSION = 1
AGAIN = "make it again with `dataware fleet plan --out FILE`"


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """What was planned for a target; `plan` is None where it could not be looked into.

    `problem` says why then, and `exit_code` is that of the error: nothing is known of such a
    target, least of all that it is empty.
    """

    target: FleetTarget
    plan: Plan | None = None
    problem: str = ""
    exit_code: int = 0

    @property
    def is_refused(self) -> bool:
        """Whether it was looked into, and its plan refused as a whole, such as under --strict."""
        return self.plan is None and self.exit_code == RefusedError.exit_code

    @property
    def stops(self) -> bool:
        """Whether a stop rule, a loss or a refusal ends the run."""
        return self.is_refused or (
            self.plan is not None and bool(self.plan.stops or self.plan.losses)
        )

    @property
    def changes(self) -> bool:
        """Whether applying it changes anything."""
        return self.plan is not None and self.plan.changes

    def to_json(self) -> dict[str, Any]:
        """The target with its plan, as in the file."""
        return {
            "target": self.target.to_json(),
            "plan": self.plan.to_json() if self.plan else None,
            "problem": self.problem,
            "exit_code": self.exit_code,
        }


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The plans of all targets that were chosen; `created` is an ISO 8601 time in UTC.

    `conflicts` are sentences about what several targets would do to each other, for which nothing
    is applied. With `of_app` the targets are the environments of one app, which `dataware plan`
    has planned.
    """

    created: str
    targets: tuple[TargetPlan, ...]
    waves: WaveSettings = field(default_factory=WaveSettings)
    conflicts: tuple[str, ...] = ()
    of_app: bool = False

    @property
    def unknown(self) -> tuple[TargetPlan, ...]:
        """The targets that could not be looked into."""
        return tuple(one for one in self.targets if one.plan is None and not one.is_refused)

    @property
    def stops(self) -> tuple[TargetPlan, ...]:
        """The targets at which a stop ends the run."""
        return tuple(one for one in self.targets if one.stops)

    @property
    def changes(self) -> bool:
        """Whether applying the plan changes anything."""
        return any(one.changes for one in self.targets)

    @property
    def resources(self) -> tuple[Planned, ...]:
        """Every resource of every target."""
        plans = (one.plan for one in self.targets if one.plan)
        return tuple(resource for plan in plans for resource in plan.resources)

    @property
    def exit_code(self) -> int:
        """The worst of all targets."""
        refused = RefusedError.exit_code
        stops = [refused] if self.stops or self.conflicts else []
        return worst_exit_code([*stops, *(one.exit_code for one in self.targets)])

    def to_json(self) -> dict[str, Any]:
        """The content of the file, with its hash."""
        data = {
            "version": VERSION,
            "created": self.created,
            "waves": self.waves.to_json(),
            "conflicts": list(self.conflicts),
            "targets": [one.to_json() for one in self.targets],
            **({"of_app": True} if self.of_app else {}),
        }
        return {**data, "hash": hash_of(data)}

    @staticmethod
    def from_json(data: object) -> FleetPlan:
        """Read a file's content back. Raises InputError for anything else, or if it was changed."""
        if not isinstance(data, Mapping) or not isinstance(data.get("targets"), list):
            raise InputError(f"this is not the plan of a fleet; {AGAIN}")
        if data.get("version") != VERSION:
            raise InputError(f"this is not a fleet plan of version {VERSION}; {AGAIN}")
        content = {name: value for name, value in data.items() if name != "hash"}
        if data.get("hash") != hash_of(content):
            raise InputError(f"the fleet's plan was changed after it was made; {AGAIN}")
        try:
            return FleetPlan(
                created=str(data["created"]),
                targets=tuple(map(_target_from_json, data["targets"])),
                waves=WaveSettings.from_json(data["waves"]),
                conflicts=tuple(map(str, data["conflicts"])),
                of_app=data.get("of_app") is True,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"the fleet's plan is damaged ({error}); {AGAIN}") from error


def hash_of(content: Mapping[str, Any]) -> str:
    """The hash over everything that a plan says, whatever the order of its fields."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _target_from_json(data: Mapping[str, Any]) -> TargetPlan:
    target = FleetTarget.from_json(data["target"])
    plan = Plan.from_json(data["plan"]) if data["plan"] is not None else None
    if plan is not None and (plan.account, plan.region) != (target.account, target.region):
        raise InputError(f"the plan of target {target.name} is not of {target.place}; {AGAIN}")
    return TargetPlan(target, plan, str(data["problem"]), int(data["exit_code"]))

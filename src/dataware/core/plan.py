"""The plan: what was seen and what is decided, as inert data, to JSON and back.

Schema version 1; changes only add. A plan holds no data of the resources and no secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dataware.core.comparison import PropertyDifference, PropertyVerdict
from dataware.core.destructive_change import DestructiveChange
from dataware.core.engines.card import EngineName
from dataware.core.errors import InputError
from dataware.core.estimate import Estimate, Prices
from dataware.core.model import (
    Action,
    Content,
    Creator,
    Decision,
    Existence,
    Facts,
    ImportMode,
    Marker,
    MarkerState,
    OnError,
    OnFallbackData,
    Owner,
    Ownership,
    Size,
    Wanted,
)
from dataware.core.plan_shape import check_plan
from dataware.core.source_profile import SourceProfile

if TYPE_CHECKING:
    from dataware.core.engines.choice import EngineLine
    from dataware.core.follow.forecast import FollowForecast

VERSION = 1

COPYING = frozenset({Action.MIGRATE, Action.RESUME})
RUN = "DATAWARE_RUN"
"""The variable by which an app learns that dataware runs it, and what for."""

LOOKING, DEPLOYING = "look", "deploy"
"""To see what the app wants; to deploy it, after the data was brought where it belongs."""

LOOKUP_VARIABLE = "DATAWARE_LOOKUP"
"""The variable that says where the constructs of an app look for a missing decision."""

GOING_ON = frozenset({Action.RESUME, Action.IMPORT, Action.KEEP})
"""What is decided on a target once its migration has begun, or is complete."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One resource of a plan; `estimate` is None where nothing is copied.

    `differences` compare it with its template where a stack is about to adopt it. They are written
    and not read back, and so are `engines`, a line for each that could carry the data; `engine` is
    the one that does. Nor is `follow` read back, which says how a follow would read changes.
    `restores` are the names of it whose deletion is cancelled first.
    """

    wanted: Wanted
    preferred: Facts
    fallbacks: tuple[Facts, ...]
    decision: Decision
    estimate: Estimate | None = None
    differences: tuple[PropertyDifference, ...] = ()
    engine: EngineName | None = None
    engines: tuple[EngineLine, ...] = ()
    follow: FollowForecast | None = None
    restores: tuple[str, ...] = ()

    @property
    def creates(self) -> bool:
        """Whether `dataware apply` itself has to create the preferred resource first."""
        missing = self.preferred.existence is not Existence.EXISTS
        by_apply = self.wanted.creator is Creator.APPLY or self.decision.action in COPYING
        acts = self.decision.action in (Action.CREATE, *COPYING)
        return missing and acts and by_apply and not self.wanted.unresolved

    @property
    def shown_action(self) -> Action:
        """The action that people read: what would be created, and stands already, is used."""
        stands = self.preferred.existence is Existence.EXISTS
        action = self.decision.action
        return Action.IMPORT if action is Action.CREATE and stands else action

    @property
    def changes(self) -> bool:
        """Whether carrying this out changes anything."""
        acts = self.creates or self.decision.action in COPYING or self.decision.by_id
        return acts or bool(self.restores)

    @property
    def source(self) -> Facts | None:
        """What was seen of the resource that is copied or imported; None where none is."""
        return next((one for one in self.fallbacks if one.name == self.decision.source), None)

    @property
    def needs_attention(self) -> bool:
        """Whether it goes on with a warning, so that a person has to look at it."""
        return self.decision.action is not Action.STOP and bool(self.decision.warnings)

    def to_json(self) -> dict[str, Any]:
        """The resource as in the plan file."""
        decision, wanted = self.decision, self.wanted
        return {
            "id": wanted.id,
            "type": wanted.type,
            "preferred": _facts_json(self.preferred),
            "fallbacks": [_facts_json(fallback) for fallback in self.fallbacks],
            "action": decision.action.value,
            "rule": decision.rule,
            "reason": decision.reason,
            "source": decision.source,
            "import": decision.import_mode.value if decision.import_mode else None,
            "no_overwrite": decision.no_overwrite,
            **({"by_id": True} if decision.by_id else {}),
            "warnings": list(decision.warnings),
            "estimate": self.estimate.to_json() if self.estimate else None,
            **({"engine": self.engine.value} if self.engine else {}),
            **({"engines": [line.to_json() for line in self.engines]} if self.engines else {}),
            **({"follow": self.follow.to_json()} if self.follow else {}),
            **({"restores": list(self.restores)} if self.restores else {}),
            **_differences_json(self.differences),
            "wanted": _wanted_json(wanted),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """All decisions for one account and region; `created` is an ISO 8601 time in UTC.

    `guard` holds what a deployment of the app's stacks would lose. It is written and not read back:
    carrying a plan out changes no stack of the app. `prices` are those of the estimates, and
    `source_profile` reads what is copied, where the run's own credentials do not.
    """

    account: str
    region: str
    created: str
    resources: tuple[Planned, ...]
    warnings: tuple[str, ...] = ()
    guard: tuple[DestructiveChange, ...] = ()
    prices: Prices | None = None
    source_profile: SourceProfile | None = None

    @property
    def losses(self) -> tuple[DestructiveChange, ...]:
        """What a deployment would lose, and nobody allowed."""
        return tuple(threat for threat in self.guard if not threat.allowed)

    @property
    def stops(self) -> tuple[Planned, ...]:
        """The resources at which a stop rule ends the run."""
        return tuple(p for p in self.resources if p.decision.action is Action.STOP)

    @property
    def attention(self) -> int:
        """How much goes on with a warning: resources, and what is said of the plan as a whole."""
        resources = sum(planned.needs_attention for planned in self.resources)
        return resources + len(self.warnings) + len(self.guard) - len(self.losses)

    @property
    def changes(self) -> bool:
        """Whether applying the plan changes anything."""
        return any(planned.changes for planned in self.resources)

    def to_json(self) -> dict[str, Any]:
        """The plan file's content."""
        return {
            "version": VERSION,
            "account": self.account,
            "region": self.region,
            "created": self.created,
            "resources": [planned.to_json() for planned in self.resources],
            "warnings": list(self.warnings),
            "guard": [threat.to_json() for threat in self.guard],
            "prices": self.prices.to_json() if self.prices else None,
            **({"source_profile": self.source_profile.to_json()} if self.source_profile else {}),
        }

    @staticmethod
    def from_json(data: object) -> Plan:
        """Read a plan file's content back. Raises InputError for anything else."""
        if not isinstance(data, Mapping) or data.get("version") != VERSION:
            raise InputError(
                "this is not a dataware plan of version 1; make one with `dataware plan --out FILE`"
            )
        check_plan(data)
        try:
            return Plan(
                account=data["account"],
                region=data["region"],
                created=data["created"],
                resources=tuple(_planned_from_json(resource) for resource in data["resources"]),
                warnings=tuple(data["warnings"]),
                prices=Prices.from_json(data["prices"]) if data.get("prices") else None,
                source_profile=SourceProfile.from_json(data.get("source_profile")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"the plan is damaged ({error}); make it again with `dataware plan --out FILE`"
            ) from error


def changed_facts(before: Planned, after: Planned) -> list[str]:
    """What is no longer as it was planned, one clause each; empty if the plan still holds.

    What the plan itself has done since is no change, so that a plan that was interrupted, or
    carried out, can be applied again.
    """
    is_begun = _is_begun(before, after)
    old, new = _compared_facts(before, is_begun), _compared_facts(after, is_begun)
    changes = [
        f"{name} {word} was {was} and is {now}"
        for name in old.keys() | new.keys()
        for word, was, now in _differing(old.get(name), new.get(name))
    ]
    then, now_ = before.decision, after.decision
    name = after.preferred.name
    if is_begun:
        return sorted(changes)
    if (then.action, then.rule) != (now_.action, now_.rule):
        changes.append(
            f"{name} decision was {then.action} (rule {then.rule}) and is "
            f"{now_.action} (rule {now_.rule})"
        )
    elif then.source != now_.source:
        changes.append(f"{name} source was {then.source or 'none'} and is {now_.source or 'none'}")
    return sorted(changes)


def _is_begun(before: Planned, after: Planned) -> bool:
    """Whether the preferred resource is another because this plan was begun, and may go on."""
    there = after.preferred
    if before.decision.action in COPYING:
        recorded = there.marker.state in {MarkerState.RUNNING, MarkerState.COMPLETE}
        same = there.marker.source == before.decision.source
        return recorded and same and after.decision.action in GOING_ON
    if before.decision.by_id and there.owner.ownership is Ownership.THIS_STACK:
        return after.decision.action is Action.KEEP
    empty = there.existence is Existence.EXISTS and there.content is Content.EMPTY
    return before.creates and empty and after.decision.action is Action.CREATE


def _compared_facts(planned: Planned, is_begun: bool) -> dict[str, Facts]:
    compared = planned.fallbacks if is_begun else (planned.preferred, *planned.fallbacks)
    return {facts.name: facts for facts in compared}


def _differing(before: Facts | None, after: Facts | None) -> list[tuple[str, str, str]]:
    """What was seen otherwise, each with both values; what does not exist has nothing else."""
    old, new = _facts_json(before), _facts_json(after)
    words = ("exists", "content", "owner", "stack", "marker", "identity", "schema", "region")
    differing = [
        (word, str(old.get(word) or "none"), str(new.get(word) or "none"))
        for word in words
        if old.get(word) != new.get(word)
    ]
    return differing[:1] if differing and differing[0][0] == "exists" else differing


def _facts_json(facts: Facts | None) -> dict[str, Any]:
    if facts is None:
        return {}
    owner, marker, size = facts.owner, facts.marker, facts.size
    return {
        "name": facts.name,
        "exists": facts.existence.value,
        "content": facts.content.value if facts.existence is Existence.EXISTS else "unknown",
        "owner": owner.ownership.value,
        "stack": owner.stack,
        "logical_id": owner.logical_id,
        "stack_id": owner.stack_id,
        "account": facts.account,
        "region": facts.region,
        "marker": marker.state.value,
        "migrating_from": marker.source,
        "schema": facts.schema,
        "identity": facts.identity,
        **({"physical_id": facts.physical_id} if facts.physical_id else {}),
        "size": size.to_json() if size else None,
        "settings": {name: setting.label for name, setting in sorted(facts.settings.items())},
        "problems": [str(problem) for problem in facts.problems],
        "notes": list(facts.notes),
        **({"obstacle": facts.obstacle} if facts.obstacle else {}),
    }


def _differences_json(differences: Sequence[PropertyDifference]) -> dict[str, Any]:
    entries = [one.to_json() for one in differences if one.verdict is not PropertyVerdict.SAME]
    return {"differences": entries} if entries else {}


def _wanted_json(wanted: Wanted) -> dict[str, Any]:
    return {
        "fallbacks": list(wanted.fallbacks),
        "properties": {
            name: one for name, one in wanted.properties.items() if name not in wanted.hidden
        },
        **({"hidden": list(wanted.hidden)} if wanted.hidden else {}),
        "stack": wanted.stack,
        "logical_id": wanted.logical_id,
        "on_error": wanted.on_error.value,
        "on_fallback_data": wanted.on_fallback_data.value,
        "import": wanted.import_mode.value,
        "creator": wanted.creator.value,
        "unresolved": list(wanted.unresolved),
        "account": wanted.account,
        "region": wanted.region,
        "retained": wanted.retained,
        "computed_by": wanted.computed_by,
        **({"allow_loss": True} if wanted.allow_loss else {}),
        **({"names_id": True} if wanted.names_id else {}),
    }


def _planned_from_json(data: Mapping[str, Any]) -> Planned:
    rest = data["wanted"]
    wanted = Wanted(
        id=data["id"],
        type=data["type"],
        preferred=data["preferred"]["name"],
        fallbacks=tuple(rest["fallbacks"]),
        properties=rest["properties"],
        stack=rest["stack"],
        logical_id=rest["logical_id"],
        on_error=OnError(rest["on_error"]),
        on_fallback_data=OnFallbackData(rest["on_fallback_data"]),
        import_mode=ImportMode(rest["import"]),
        creator=Creator(rest["creator"]),
        unresolved=tuple(rest["unresolved"]),
        account=rest["account"],
        region=rest["region"],
        retained=rest.get("retained", True),
        computed_by=rest.get("computed_by", ""),
        allow_loss=rest.get("allow_loss", False) is True,
        names_id=rest.get("names_id", False) is True,
        hidden=tuple(map(str, rest.get("hidden", ()))),
    )
    decision = Decision(
        action=Action(data["action"]),
        rule=data["rule"],
        reason=data["reason"],
        source=data["source"],
        import_mode=ImportMode(data["import"]) if data["import"] else None,
        no_overwrite=data["no_overwrite"],
        by_id=data.get("by_id", False) is True,
        warnings=tuple(data["warnings"]),
    )
    estimate = Estimate(**data["estimate"]) if data["estimate"] else None
    fallbacks = tuple(_facts(fallback) for fallback in data["fallbacks"])
    engine = EngineName(data["engine"]) if data.get("engine") else None
    restores = tuple(map(str, data.get("restores", ())))
    preferred = _facts(data["preferred"])
    planned = Planned(wanted, preferred, fallbacks, decision, estimate, restores=restores)
    return replace(planned, engine=engine)


def _facts(data: Mapping[str, Any]) -> Facts:
    existence = Existence(data["exists"])
    return Facts(
        name=data["name"],
        existence=existence,
        content=Content.EMPTY if existence is Existence.ABSENT else Content(data["content"]),
        owner=Owner(
            Ownership(data["owner"]), data["stack"], data["logical_id"], data.get("stack_id")
        ),
        marker=Marker(MarkerState(data["marker"]), source=data["migrating_from"]),
        schema=data["schema"],
        identity=data["identity"],
        physical_id=data.get("physical_id"),
        size=Size(**data["size"]) if data["size"] else None,
        notes=tuple(data["notes"]),
        obstacle=str(data.get("obstacle", "")),
        account=data.get("account"),
        region=data.get("region"),
    )


def copies(plan: Plan) -> Sequence[Planned]:
    """The resources into which data is copied."""
    return [planned for planned in plan.resources if planned.decision.action in COPYING]

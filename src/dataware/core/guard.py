"""What an update of a stack would do to the resources that hold its data.

Pure: compares the template that is about to be deployed with the one that is deployed, and with
what the stack has. Whether a resource holds data is asked afterwards, and only about those that an
update would touch (rule 19).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from dataware.core.kind import Kind
from dataware.core.model import Content, Deployed, Existence, Facts

RULE = 19
ALLOWED = "DATAWARE_ALLOW_LOSS"
"""The variable by which a deployment tells the app's own guard which losses are allowed."""

RETAINED = frozenset({"Retain", "RetainExceptOnCreate"})
KEEP_IT = "keep it declared under that logical id (overrideLogicalId in CDK)"


class Loss(StrEnum):
    """How a stack would lose a resource; the value stands in plans and never changes meaning."""

    LEAVES = "leaves"
    MOVES = "moves"
    RENAMED = "renamed"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource of a template; the policies are None where the template says nothing."""

    type: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    deletion_policy: str | None = None
    replace_policy: str | None = None


@dataclass(frozen=True, slots=True)
class StackTemplate:
    """A stack as the app declares it.

    `nested` holds the templates of nested stacks by logical id, as far as they are at hand;
    `account` and `region` are None where the app leaves them open; `path` is the template's file.
    """

    name: str
    resources: Mapping[str, Declared]
    nested: Mapping[str, StackTemplate] = field(default_factory=dict)
    account: str | None = None
    region: str | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class Threat:
    """A resource that an update of its stack would lose.

    `outcome` is what would happen, as a clause after "it would"; `recipe` keeps the data. `content`
    is what a look at it said, and `allowed` that a person said yes to the loss.
    """

    stack: str
    logical_id: str
    type: str
    noun: str
    name: str
    loss: Loss
    outcome: str
    recipe: str
    content: Content = Content.UNKNOWN
    allowed: bool = False

    @property
    def reason(self) -> str:
        """What holds data, and what would happen to it, in one clause."""
        holds = "holds data" if self.content is Content.DATA else "may hold data (it was not seen)"
        return (
            f"{self.noun} {self.logical_id} of stack {self.stack} {holds} and would {self.outcome}"
        )

    def to_json(self) -> dict[str, Any]:
        """The threat as in the plan file."""
        return {
            "stack": self.stack,
            "logical_id": self.logical_id,
            "type": self.type,
            "name": self.name,
            "loss": self.loss.value,
            "content": self.content.value,
            "rule": RULE,
            "reason": self.reason,
            "recipe": self.recipe,
            "allowed": self.allowed,
        }


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the whole app says beside the one stack.

    `kinds` are the cards by type. `places` gives the stack and logical id that declare a literal
    name; `copied` holds the names that the app gives as fallbacks, whose data dataware carries
    over. Both go by the name of the kind, since two types may declare the same thing.
    """

    kinds: Mapping[str, Kind]
    places: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    copied: Set[tuple[str, str]] = frozenset()


def declared_in(template: Mapping[str, Any]) -> dict[str, Declared]:
    """The resources of a template document; what is no resource is passed over."""
    resources = template.get("Resources")
    found = resources.items() if isinstance(resources, Mapping) else ()
    return {
        str(logical_id): Declared(
            str(resource.get("Type")),
            _mapping(resource.get("Properties")),
            resource.get("DeletionPolicy"),
            resource.get("UpdateReplacePolicy"),
        )
        for logical_id, resource in found
        if isinstance(resource, Mapping)
    }


def places_of(
    stacks: Mapping[str, Mapping[str, Declared]], kinds: Mapping[str, Kind]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Where each literal physical name is declared, by the kind's name and it."""
    return {
        (kinds[one.type].name, name): (stack, logical_id)
        for stack, resources in stacks.items()
        for logical_id, one in resources.items()
        if one.type in kinds
        and isinstance(name := one.properties.get(kinds[one.type].identifier), str)
    }


def threats(
    outlook: Outlook,
    now: StackTemplate,
    before: Mapping[str, Declared] | None,
    deployed: Mapping[str, Deployed],
) -> Iterator[Threat]:
    """The stateful resources that the stack would lose.

    `before` is the template that is deployed, None if it cannot be seen. What it does not declare
    was made by a macro, of which the new template shows nothing either.
    """
    for logical_id, resource in deployed.items():
        kind = outlook.kinds.get(resource.type)
        if kind is None or not kind.stateful:
            continue
        if before is not None and logical_id not in before:
            continue
        one = _One(outlook, now, kind, logical_id, resource, (before or {}).get(logical_id))
        if (threat := one.threat()) is not None:
            yield threat


def judged(threat: Threat, facts: Facts) -> Threat | None:
    """The threat with what was seen; None where it was seen that there is nothing to lose."""
    if facts.existence is Existence.ABSENT or facts.content is Content.EMPTY:
        return None
    return replace(threat, content=facts.content)


@dataclass(frozen=True, slots=True)
class _One:
    """One deployed resource, with what was and what will be declared for it."""

    outlook: Outlook
    template: StackTemplate
    kind: Kind
    logical_id: str
    deployed: Deployed
    was: Declared | None

    def threat(self) -> Threat | None:
        """How it would be lost, if it would."""
        now = self.template.resources.get(self.logical_id)
        if now is None:
            return self._gone()
        if now.type not in {self.deployed.type, self.was.type if self.was else None}:
            return self._retyped(now)
        if (name := self._new_name(now)) is not None:
            return self._renamed(now, name)
        changed = self._changed(now)
        return self._replaced(now, f"its {changed} changes") if changed else None

    def _gone(self) -> Threat | None:
        name = self.deployed.physical_id
        place = self.outlook.places.get((self.kind.name, name))
        retained = self.was is not None and self.was.deletion_policy in RETAINED
        if place is not None:
            stack, logical_id = place
            there = f"as {logical_id}{f' of stack {stack}' if stack != self.template.name else ''}"
            return self._threat(
                Loss.MOVES,
                f"be declared anew {there}: CloudFormation would {_let_go(retained)}, and"
                " fail to create a second one of that name",
                f"move it with `cdk refactor`, or {KEEP_IT}",
            )
        if retained and self._is_copied():
            return None
        retain = "" if retained else "set its removal policy to RETAIN, deploy that, and then "
        return self._threat(
            Loss.LEAVES,
            f"leave the stack, and CloudFormation would {_let_go(retained)}",
            f"{KEEP_IT}; or move it with `cdk refactor` if only the construct was moved; or, to let"
            f" it go, {retain}say --allow-loss {self.logical_id}",
        )

    def _renamed(self, now: Declared, name: str) -> Threat | None:
        old = self.deployed.physical_id
        retained = self._survives_replacement(now)
        if retained and self._is_copied():
            return None
        return self._threat(
            Loss.RENAMED,
            f"be renamed to {name}: CloudFormation would create an empty {self.kind.short} of that"
            f" name, and {_let_go(retained, old)}",
            f"keep the name; or declare the new name as preferred and {old} as fallback with"
            " dataware, after a deployment that sets its removal policy to RETAIN",
        )

    def _retyped(self, now: Declared) -> Threat:
        return self._threat(
            Loss.REPLACED,
            f"become {now.type}, which CloudFormation does to no resource that it keeps",
            f"leave its type as it is; or let the stack release it (removal policy RETAIN, deployed"
            f" first, then --allow-loss {self.logical_id}) and adopt it as the new type",
        )

    def _replaced(self, now: Declared, because: str) -> Threat:
        return self._threat(
            Loss.REPLACED,
            f"be replaced by an empty {self.kind.short}, because {because}; CloudFormation would"
            f" {_let_go(self._survives_replacement(now), 'the old one')}",
            f"leave it as it is, and declare a new {self.kind.short} beside it under another name",
        )

    def _new_name(self, now: Declared) -> str | None:
        """The name it would get, if that is another one; in words if only the stack knows it."""
        if self.kind.renamed_in_place:
            return None
        name = now.properties.get(self.kind.identifier)
        if isinstance(name, str):
            return name if name != self.deployed.physical_id else None
        if self.was is None or name == self.was.properties.get(self.kind.identifier):
            return None
        return "a name that CloudFormation makes up" if name is None else "a name it resolves"

    def _changed(self, now: Declared) -> str | None:
        """The first property that changes and may not; None without the deployed template."""
        if self.was is None:
            return None
        for name in self.kind.replaced_by:
            if now.properties.get(name) != self.was.properties.get(name):
                return name
        schemas = [self.kind.declared_schema(one.properties) for one in (self.was, now)]
        return "key schema" if None not in schemas and schemas[0] != schemas[1] else None

    def _survives_replacement(self, now: Declared) -> bool:
        """Whether both templates ask to retain what is replaced."""
        before = self.was.replace_policy if self.was else None
        return {before, now.replace_policy} <= RETAINED

    def _is_copied(self) -> bool:
        return (self.kind.name, self.deployed.physical_id) in self.outlook.copied

    def _threat(self, loss: Loss, outcome: str, recipe: str) -> Threat:
        return Threat(
            self.template.name,
            self.logical_id,
            self.deployed.type,
            self.kind.noun,
            self.deployed.physical_id,
            loss,
            outcome,
            recipe,
        )


def _let_go(retained: bool, what: str = "it") -> str:
    return f"leave {what} behind without an owner" if retained else f"delete {what}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

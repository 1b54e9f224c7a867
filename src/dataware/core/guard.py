"""What an update of a stack would do to the resources that hold its data (rule 19); pure.

How it works. Three things are compared, resource by resource: what the stack has, the template it
was deployed with, and the template that is about to be deployed. For a stack that has four tables:

    stack has          deployed template         new template              what an update would do
    Orders: orders     Orders, key id            Orders, key id            nothing
    Visits: visits     Visits, key id            Visits, key day           replace it: REPLACED
    People: people     People, name people       People, name people-2     rename it: RENAMED
    Places: places     Places, Retain            (nothing)                 let it go: LEAVES

The first question that has a bad answer decides: is it declared at all (if not, does another stack
of the app declare the name: MOVES); is its type the same; may a new condition leave it out; does
its name stay; do the properties stay that cannot change in place, and the parts of the key schema;
does a new value delete data in place, such as a shorter retention (DELETES, rule 24).
Values are compared where they are known in both templates. One that is not is compared as it is
written, with all definitions that it rests on: any other text may be another value.

A fallback that is retained may leave, because dataware carries its data over. Without the deployed
template only names and types are compared. Whether a resource holds data is asked afterwards, and
only about those that an update would touch: what is empty is no loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from dataware.core.destructive_change import DestructiveChange, Loss
from dataware.core.expand import declares_transform, has_macro
from dataware.core.kind import Kind, MakingTransform
from dataware.core.model import Content, Deployed, Existence, Facts
from dataware.core.probing import distrust_estimate
from dataware.core.protection import find_deletions
from dataware.core.stack_template import (
    DeclaredResource,
    StackTemplate,
    is_changed,
    is_retained,
    may_be_left_out,
)
from dataware.core.values import NO_VALUE, as_texts, find_function, text_of

ALLOWED = "DATAWARE_ALLOW_LOSS"
"""The variable by which a deployment tells the app's own guard which losses are allowed."""

KEEP_IT = "keep its logical id (call renameLogicalId of the CDK stack before you declare it)"
KEEP_AS_WRITTEN = "keep its logical id"


@dataclass(frozen=True, slots=True)
class AppIndex:
    """What the whole app says beside the one stack.

    `kinds` are the cards by type. `places` gives the stack and logical id that declare a literal
    name; `copied` holds the names that the app gives as fallbacks, whose data dataware carries
    over. Both go by the name of the kind, since two types may declare the same thing, and hold
    what such a name means in the environment of the stack.
    """

    kinds: Mapping[str, Kind]
    places: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    copied: Set[tuple[str, str]] = frozenset()


def places_of(
    stacks: Mapping[str, Mapping[str, DeclaredResource]], kinds: Mapping[str, Kind]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Where each literal physical name is declared, by the kind's name and it."""
    return {
        (kind.names.slug, name): (stack, logical_id)
        for stack, some in stacks.items()
        for logical_id, one in some.items()
        if (kind := kinds.get(one.type))
        and isinstance(name := one.value(kind.template.identifier), str)
    }


def threats(
    outlook: AppIndex,
    now: StackTemplate,
    before: Mapping[str, DeclaredResource] | None,
    deployed: Mapping[str, Deployed],
    unseen: Mapping[str, Any] | None = None,
    document: Mapping[str, Any] | None = None,
) -> Iterator[DestructiveChange]:
    """The stateful resources that the stack would lose.

    `before` is the template that is deployed, None if it cannot be seen, `unseen` holds its
    parts that may declare unseen resources, and `document` is the whole of it. What these
    made, or a macro, is lost unless what they made it of stays as it is.
    """
    parts = _UnseenParts(before or {}, unseen or {}, document, deployed)
    as_before = parts.stays_as_before(now)
    for logical_id, resource in deployed.items():
        kind = outlook.kinds.get(resource.type)
        if kind is None or not kind.template.stateful:
            continue
        made_unseen = before is not None and not (
            logical_id in before or logical_id in now.resources
        )
        if made_unseen and (as_before or parts.makes_again(now, logical_id, kind.template.made_by)):
            continue
        was = (before or {}).get(logical_id)
        one = _ResourceChange(outlook, now, kind, logical_id, resource, was)
        yield from filter(None, [one.threat()])


@dataclass(frozen=True, slots=True)
class _UnseenParts:
    """The parts of a deployed template that made resources of which it does not tell."""

    resources: Mapping[str, DeclaredResource]
    unseen: Mapping[str, Any]
    document: Mapping[str, Any] | None
    deployed: Mapping[str, Deployed]

    def stays_as_before(self, now: StackTemplate) -> bool:
        """Whether all that made something is as it was.

        A macro may make it of the whole template (User Guide, "Perform custom processing on
        CloudFormation templates with template macros").
        """
        absent = self.resources.keys() - self.deployed.keys()
        made_from = {one for one in absent if self.resources[one].exists() is not False}
        if not (self.unseen or made_from) or self.unseen != now.unseen:
            return False
        if has_macro(now.unseen) and self.document not in (None, now.document):
            return False
        return all(now.resources.get(one) == self.resources[one] for one in made_from)

    def makes_again(
        self, now: StackTemplate, logical_id: str, transform: MakingTransform | None
    ) -> bool:
        """Whether a transform of AWS makes a resource again, because its sources ask for it."""
        if transform is None or now.unseen or not declares_transform(now.document, transform.name):
            return False
        sources = [one for one in self.resources if logical_id.startswith(one)]
        return bool(sources) and all(
            _asks_for_same(self.resources[one], now.resources.get(one), transform.properties)
            for one in sources
        )


def _asks_for_same(
    was: DeclaredResource, now: DeclaredResource | None, names: Sequence[str]
) -> bool:
    """Whether a resource still asks for what is made of some of its properties."""
    if now is None or (was.type, was.condition) != (now.type, now.condition):
        return False
    return not any(is_changed(was, now, name) for name in names)


def with_content(threat: DestructiveChange, facts: Facts) -> DestructiveChange | None:
    """The threat with what was seen; None where it was seen that there is nothing to lose.

    What a service only estimates to be empty may hold data.
    """
    if facts.existence is Existence.ABSENT:
        return None
    content = distrust_estimate(facts).content
    return None if content is Content.EMPTY else replace(threat, content=content)


@dataclass(frozen=True, slots=True)
class _ResourceChange:
    """One deployed resource, with what was and what will be declared for it."""

    outlook: AppIndex
    template: StackTemplate
    kind: Kind
    logical_id: str
    deployed: Deployed
    was: DeclaredResource | None

    @property
    def _name(self) -> str:
        """The name that templates and fallbacks call it by, as far as its physical id says it."""
        physical_id = self.deployed.physical_id
        return self.kind.template.name_of(physical_id) or physical_id

    def threat(self) -> DestructiveChange | None:
        """How it would be lost, if it would."""
        now = self.template.resources.get(self.logical_id)
        if now is None:
            return self._gone()
        if now.type not in {self.deployed.type, self.was.type if self.was else None} - {""}:
            return self._type_change_threat(now)
        if may_be_left_out(self.was, now):
            return self._left_out(now)
        if (name := self._new_name(now)) is not None:
            return self._renaming_threat(now, name)
        if (replacement := self._replacement(now)) is not None:
            return replacement
        effects = [*find_deletions(self.kind, self.was, now)] if self.was else []
        return self._deletion_threat(effects) if effects else None

    def _replacement(self, now: DeclaredResource) -> DestructiveChange | None:
        """That another one takes its place, because a property changes that may not."""
        if changed := self._first_changed_property(now):
            return self._replacement_threat(now, f"its {changed} changes")
        if (switched := self._first_without_switch(now)) is None:
            return None
        name, switch = switched
        because = f"its {name} changes and {switch} is not true in its UpdatePolicy"
        other = f"set {switch} to true in its UpdatePolicy, or "
        return self._replacement_threat(now, because, other)

    def _gone(self) -> DestructiveChange | None:
        name = self._name
        place = self.outlook.places.get((self.kind.names.slug, name))
        retained = self._is_retained()
        if place is not None:
            stack, logical_id = place
            elsewhere = stack != self.template.key
            there = f"as {logical_id}{f' of stack {stack}' if elsewhere else ''}"
            back = f"move the {self._declaration} back" if elsewhere else self._keep_it
            return self._threat(
                Loss.MOVES,
                f"be declared again {there}: CloudFormation would {_let_go(retained)}, and fail "
                "to create a second one of that name",
                f"move it with {self._refactor}, or {back}",
            )
        if retained and self._is_copied():
            return None
        return self._leaves(f"leave the stack, and CloudFormation would {_let_go(retained)}")

    def _leaves(self, outcome: str, stay: str = "") -> DestructiveChange:
        """A loss of what is declared no more; `stay` keeps it, else its logical id does."""
        retained = self._is_retained()
        retain = "" if retained else "set its removal policy to RETAIN, deploy that, and then "
        unseen = ", ".join(self.template.unseen)
        moved = f"; or move it with {self._refactor} if only the {self._declaration} was moved"
        return self._threat(
            Loss.LEAVES,
            outcome,
            f"{stay or self._keep_it + moved}; or, to let it go, {retain}pass --allow-loss "
            f"{self.logical_id}"
            + (f"; or, if {unseen} declares it, write it out" if unseen else ""),
        )

    @property
    def _is_of_cdk(self) -> bool:
        """Whether the stack is one of an assembly; a template by itself is called by words."""
        return bool(self.template.id)

    @property
    def _keep_it(self) -> str:
        return KEEP_IT if self._is_of_cdk else KEEP_AS_WRITTEN

    @property
    def _refactor(self) -> str:
        return "`cdk refactor`" if self._is_of_cdk else "a stack refactor of CloudFormation"

    @property
    def _declaration(self) -> str:
        return "construct" if self._is_of_cdk else "declaration"

    def _left_out(self, now: DeclaredResource) -> DestructiveChange | None:
        retained = self._is_retained()
        if retained and self._is_copied():
            return None
        named = now.condition if isinstance(now.condition, str) else "of it"
        if now.exists() is False:
            return self._leaves(
                f"leave the stack, because condition {named} is false: CloudFormation would"
                f" {_let_go(retained)}",
                f"keep condition {named} true (give the values that it rests on by --parameter)",
            )
        return self._leaves(
            f"leave the stack if condition {named}, which is new or changed, is false:"
            f" CloudFormation would then {_let_go(retained)}",
            f"keep condition {named} as it was deployed",
        )

    def _renaming_threat(self, now: DeclaredResource, name: str) -> DestructiveChange | None:
        old = self.deployed.physical_id
        retained = self._survives_replacement(now)
        first = "" if retained else "deploy the removal policy RETAIN, then "
        beside = f", with {old} as its fallback"
        if self.kind.copying is None:
            first, beside = "", f", and leave {old} as it is: dataware cannot copy what it holds"
        function = find_function(now.value(self.kind.template.identifier))
        keep = f" ({function} computes it: give its values by --parameter)" if function else ""
        return self._threat(
            Loss.RENAMED,
            f"be renamed to {name}: CloudFormation would create an empty {self.kind.short} of that"
            f" name, and {_let_go(retained, old)}",
            f"keep the name{keep}; or {first}declare the new name under a new construct id{beside}",
        )

    def _type_change_threat(self, now: DeclaredResource) -> DestructiveChange:
        return self._threat(
            Loss.REPLACED,
            f"become {now.type or 'a resource whose type is not literal'}, which CloudFormation "
            "never does to a resource that it keeps",
            "leave its type as it is; or release it (deploy removal policy RETAIN, then pass "
            f"--allow-loss {self.logical_id}) and adopt it as the new type",
        )

    def _first_without_switch(self, now: DeclaredResource) -> tuple[str, str] | None:
        """A property that changes and may only under a switch that is not on, with the switch."""
        for name, switch in self.kind.template.replaced_without.items():
            if self.was and is_changed(self.was, now, name) and not now.allows_update(switch):
                return name, switch
        return None

    def _replacement_threat(
        self, now: DeclaredResource, because: str, other: str = ""
    ) -> DestructiveChange:
        return self._threat(
            Loss.REPLACED,
            f"be replaced by an empty {self.kind.short}, because {because}; CloudFormation would"
            f" {_let_go(self._survives_replacement(now), 'the old one')}",
            f"{other}leave it as it is, and declare a new {self.kind.short} beside it under another"
            " name",
        )

    def _deletion_threat(self, effects: Sequence[str]) -> DestructiveChange:
        return self._threat(
            Loss.DELETES,
            f"stay without a part of it: {'; '.join(effects)}",
            "declare what it was deployed with, or, if old data may go, pass "
            f"--allow-loss {self.logical_id}",
        )

    def _new_name(self, now: DeclaredResource) -> str | None:
        """The name it would get, if that is another one; in words if only the stack knows it."""
        if self.kind.template.renamed_in_place:
            return None
        name = now.known_value(self.kind.template.identifier)
        had = self.kind.template.name_of(self.deployed.physical_id)
        if (text := text_of(name)) is not None and had is not None:
            return text if text != had else None
        if self.was is None or not is_changed(self.was, now, self.kind.template.identifier):
            return None
        if name is None:
            return "a name that CloudFormation generates"
        if text is not None:
            return text
        function = find_function(name)
        return f"a name that only CloudFormation resolves ({function})" if function else "no text"

    def _first_changed_property(self, now: DeclaredResource) -> str | None:
        """The first property that changes and may not; None without the deployed template."""
        if self.was is None:
            return None
        for name in self.kind.template.replaced_by:
            if is_changed(self.was, now, name):
                return name
        for name in self.kind.template.replaced_once_set:
            had = self.was.known_values().get(name)
            if had not in (None, NO_VALUE) and is_changed(self.was, now, name):
                return name
        values = self.was.known_values(), now.known_values()
        for name, stays in self.kind.template.replaced_unless.items():
            if is_changed(self.was, now, name) and not stays(*values):
                return name
        fixed = self.kind.template.fixed_parts
        parts = [fixed(one.known_values()) for one in (self.was, now)]
        if any(map(find_function, parts)):
            parts = [fixed(one.values()) for one in (self.was, now)]
        return "key schema" if _differ(*map(as_texts, parts)) else None

    def _is_retained(self) -> bool:
        """Whether the deployed template keeps the resource for certain when it leaves."""
        return self.was is not None and is_retained(self.was.evaluate(self.was.deletion_policy))

    def _survives_replacement(self, now: DeclaredResource) -> bool:
        """Whether both templates ask to retain what is replaced."""
        both = (self.was, now)
        return all(one and is_retained(one.evaluate(one.replace_policy)) for one in both)

    def _is_copied(self) -> bool:
        named = (self.kind.names.slug, self._name) in self.outlook.copied
        return named and self.kind.copying is not None

    def _threat(self, loss: Loss, outcome: str, recipe: str) -> DestructiveChange:
        return DestructiveChange(
            self.template.name,
            self.logical_id,
            self.deployed.type,
            self.kind.noun,
            self.deployed.physical_id,
            loss,
            outcome,
            recipe,
        )


def _differ(old: Any, new: Any) -> bool:
    """Whether a part that both have is another one, or it cannot be told which they have."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return any(old[name] != new[name] for name in old.keys() & new.keys())
    return bool(old != new)


def _let_go(retained: bool, what: str = "it") -> str:
    return f"leave {what} unmanaged" if retained else f"delete {what}"

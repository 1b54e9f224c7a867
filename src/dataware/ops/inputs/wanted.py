"""From a checked section of a file to a wanted resource, and what a whole app comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from dataware.calc.suggest import SLIP, nearest
from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import ImportMode, OnError, OnFallbackData, Wanted
from dataware.core.names import NameFields, find_mistake, find_shared_name
from dataware.core.stack_template import StackTemplate
from dataware.ops.inputs.reading import InputSection

FIELDS = NameFields("preferred name", "fallback name", "the fallback names")

Kinds = Mapping[str, Kind]
"""The known resource types, by CloudFormation type."""


@dataclass(frozen=True, slots=True)
class StackEnvironment:
    """Where a stack goes; None for what the app leaves open."""

    account: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        """The environment in the words of an app that may leave parts of it open."""
        return ", ".join(filter(None, (self.account, self.region))) or "any account and region"

    def allows(self, account: str, region: str) -> bool:
        """Whether it is this account and region, or leaves open what is not."""
        return self.account in {None, account} and self.region in {None, region}


@dataclass(frozen=True, slots=True)
class Overrides:
    """Settings from the command line, which win over those in the app; None leaves the app's."""

    on_error: OnError | None = None
    on_fallback_data: OnFallbackData | None = None
    import_mode: ImportMode | None = None


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A stateful resource of an app about which nothing is decided, and why, as a clause."""

    id: str
    type: str
    stack: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A resource that nobody asked for by name, and the sentence why its name is unknown."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class App:
    """The wanted resources of an app, and the environments of their stacks.

    `environments` go by the id of a stack within the app, because two stacks of one name may go to
    two regions. `stacks` holds the whole templates, also those in which nothing opts in; it is
    empty where the names of the stacks are not known. `unseen` warns of what was not
    looked into, `notes` say what else was left out, and `unplanned` are stateful resources that
    were to be planned and cannot be; `unnamed` are others than those that were asked for, whose
    names are unknown. `lookups` are permissions that were needed to compute values, by ARN. `pin`
    is the only environment in which the app may be used.
    """

    wanted: list[Wanted]
    environments: Mapping[str, StackEnvironment] = field(default_factory=dict)
    stacks: tuple[StackTemplate, ...] = ()
    unseen: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unplanned: tuple[Unplanned, ...] = ()
    lookups: Mapping[str, Set[str]] = field(default_factory=dict)
    pin: StackEnvironment = StackEnvironment()
    unnamed: tuple[Unnamed, ...] = ()

    def check_environment(self, account: str, region: str) -> None:
        """Raise InputError when the app or a stack is meant for another account or region."""
        self.check_pin(account, region)
        for stack, place in self.environments.items():
            if not place.allows(account, region):
                there = f"account {place.account or account}, {place.region or region}"
                raise InputError(
                    f"Stack {self._stack_name(stack)} is meant for {there}, but this run is in "
                    f"account {account}, {region}: choose them with --profile and --region, or "
                    "other stacks with --stack"
                )

    def check_pin(self, account: str, region: str) -> None:
        """Raise InputError when the app says by itself that it belongs elsewhere."""
        pin = self.pin
        if not pin.allows(account, region):
            raise InputError(
                f"nothing was looked at, because [app] says account {pin.account or account}, "
                f"{pin.region or region}, but this run is in account {account}, {region}: choose "
                "them with --profile and --region"
            )

    def _stack_name(self, stack_id: str) -> str:
        """The name of a stack, with its id in the app where that tells more."""
        names = {stack.key: stack.name for stack in self.stacks}
        name = names.get(stack_id, stack_id)
        same = sum(other == name for other in names.values()) > 1
        return f"{name} ({stack_id})" if same else name


@dataclass(frozen=True, slots=True)
class FieldNames:
    """The fields of a section in the spelling of its file format."""

    fallback: str
    on_error: str
    on_fallback_data: str
    import_mode: str

    @property
    def all(self) -> tuple[str, ...]:
        """Every field."""
        return (self.fallback, self.on_error, self.on_fallback_data, self.import_mode)


@dataclass(frozen=True, slots=True)
class ResourceChoices:
    """What a section says beside type and preferred name."""

    fallbacks: tuple[str, ...]
    on_error: OnError
    on_fallback_data: OnFallbackData
    import_mode: ImportMode


def read_choices(section: InputSection, words: FieldNames, overrides: Overrides) -> ResourceChoices:
    """The fallbacks and settings of a section, under those of the command line."""
    on_error = section.choice(words.on_error, OnError)
    on_fallback_data = section.choice(words.on_fallback_data, OnFallbackData)
    import_mode = section.choice(words.import_mode, ImportMode)
    return ResourceChoices(
        section.texts(words.fallback),
        overrides.on_error or on_error or OnError.SAFE,
        overrides.on_fallback_data or on_fallback_data or OnFallbackData.MIGRATE,
        overrides.import_mode or import_mode or ImportMode.ADOPT,
    )


def known_kind(section: InputSection, cfn_type: str, kinds: Kinds) -> Kind:
    """The card of a CloudFormation type."""
    if cfn_type in kinds:
        return kinds[cfn_type]
    slip = nearest(cfn_type, kinds, SLIP)
    supported = f"did you mean {slip}?" if slip else f"which supports {', '.join(sorted(kinds))}"
    raise section.bad(f"type {cfn_type} is unknown to dataware, {supported}")


def check_properties(section: InputSection, kind: Kind, properties: Mapping[str, Any]) -> None:
    """Refuse properties that the service would refuse, as far as they are literal."""
    if problem := kind.template.check_properties(properties):
        raise section.bad(problem)


def check_names(
    section: InputSection, kind: Kind, preferred: str, fallbacks: Sequence[str]
) -> None:
    """Refuse names that the service would refuse, and fallbacks that are none."""
    if mistake := find_mistake(kind, preferred, fallbacks, FIELDS):
        raise section.bad(mistake)


def check_together(file: str, wanted: Sequence[Wanted], kinds: Kinds) -> None:
    """Refuse two resources that claim one name or one id in the same environment."""
    if (clash := find_shared_name((kinds[one.type], one) for one in wanted)) is not None:
        raise InputError(f"{file}: {_clash(*clash)}")
    ids: set[tuple[str | None, ...]] = set()
    for one in wanted:
        identity = (one.account, one.region, one.stack, one.id)
        if identity in ids:
            raise InputError(f"{file}: two resources have the id {one.id}: rename one of them")
        ids.add(identity)


def _clash(one: Wanted, other: Wanted) -> str:
    """That two resources prefer one name, with their stacks where these can be chosen from."""
    apart = (one.account, one.region, one.stack) != (other.account, other.region, other.stack)
    both = " and ".join(f"{each.id}{_stack_of(each) if apart else ''}" for each in (one, other))
    next_step = "; choose one of the stacks with --stack, or rename one" if apart else ""
    return (
        f"{both} have the same preferred name {other.preferred}: two resources cannot share a "
        f"name{next_step}"
    )


def _stack_of(wanted: Wanted) -> str:
    if wanted.stack is None:
        return ""
    place = ", ".join(filter(None, (wanted.account, wanted.region)))
    return f" of stack {wanted.stack}{f' ({place})' if place else ''}"

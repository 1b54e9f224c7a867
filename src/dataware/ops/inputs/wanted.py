"""From a checked section of a file to a wanted resource, and what a whole app comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataware.core.errors import BadInput
from dataware.core.guard import StackTemplate
from dataware.core.kind import Kind
from dataware.core.model import ImportMode, OnError, OnFallbackData, Wanted
from dataware.core.near import SLIP, nearest
from dataware.ops.inputs.reading import Section

Kinds = Mapping[str, Kind]
"""The known resource types, by CloudFormation type."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a stack goes; None for what the app leaves open."""

    account: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Overrides:
    """Settings from the command line, which win over those in the app; None leaves the app's."""

    on_error: OnError | None = None
    on_fallback_data: OnFallbackData | None = None
    import_mode: ImportMode | None = None


@dataclass(frozen=True, slots=True)
class App:
    """The wanted resources of an app, and the environments of their stacks by stack name.

    `stacks` holds the whole templates, also those in which nothing opts in; it is empty where the
    names of the stacks are not known. `unseen` warns of what was not looked into.
    """

    wanted: list[Wanted]
    environments: Mapping[str, Environment] = field(default_factory=dict)
    stacks: tuple[StackTemplate, ...] = ()
    unseen: tuple[str, ...] = ()

    def check_environment(self, account: str, region: str) -> None:
        """Raise BadInput when a stack is meant for another account or region."""
        for stack, meant in self.environments.items():
            if meant.account not in {None, account} or meant.region not in {None, region}:
                there = f"account {meant.account or account}, {meant.region or region}"
                raise BadInput(
                    f"Stack {stack} is meant for {there}, but the credentials and region are those "
                    f"of account {account}, {region}: choose them with --profile and --region, or "
                    "choose other stacks with --stack"
                )


@dataclass(frozen=True, slots=True)
class Words:
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
class Choices:
    """What a section says beside type and preferred name."""

    fallbacks: tuple[str, ...]
    on_error: OnError
    on_fallback_data: OnFallbackData
    import_mode: ImportMode


def read_choices(section: Section, words: Words, overrides: Overrides) -> Choices:
    """The fallbacks and settings of a section, under those of the command line."""
    on_error = section.choice(words.on_error, OnError)
    on_fallback_data = section.choice(words.on_fallback_data, OnFallbackData)
    import_mode = section.choice(words.import_mode, ImportMode)
    return Choices(
        section.texts(words.fallback),
        overrides.on_error or on_error or OnError.SAFE,
        overrides.on_fallback_data or on_fallback_data or OnFallbackData.MIGRATE,
        overrides.import_mode or import_mode or ImportMode.ADOPT,
    )


def known_kind(section: Section, cfn_type: str, kinds: Kinds) -> Kind:
    """The card of a CloudFormation type."""
    if cfn_type in kinds:
        return kinds[cfn_type]
    slip = nearest(cfn_type, kinds, SLIP)
    supported = f"did you mean {slip}?" if slip else f"which supports {', '.join(sorted(kinds))}"
    raise section.bad(f"type {cfn_type} is unknown to dataware, {supported}")


def check_properties(section: Section, kind: Kind, properties: Mapping[str, Any]) -> None:
    """Refuse properties that the service would refuse, as far as they are literal."""
    if problem := kind.check_properties(properties):
        raise section.bad(problem)


def check_names(section: Section, kind: Kind, preferred: str, fallbacks: Sequence[str]) -> None:
    """Refuse names that the service would refuse, and fallbacks that are none."""
    for role, name in [("preferred", preferred), *(("fallback", name) for name in fallbacks)]:
        if problem := kind.problem_of_name(name):
            raise section.bad(f"{role} name {name} is no {kind.noun} name: {problem}")
    if preferred in fallbacks:
        raise section.bad(f"{preferred} is both preferred and fallback: remove one of the two")
    if len(set(fallbacks)) != len(fallbacks):
        raise section.bad("a fallback is listed twice: remove one of the two")


def check_together(file: str, wanted: Sequence[Wanted]) -> None:
    """Refuse two resources that claim one name or one id."""
    names: dict[tuple[str, str], str] = {}
    ids: set[tuple[str | None, str]] = set()
    for one in wanted:
        key = (one.type, one.preferred)
        if key in names:
            raise BadInput(
                f"{file}: {names[key]} and {one.id} have the same preferred name {one.preferred}: "
                "two resources cannot share a name"
            )
        if (one.stack, one.id) in ids:
            raise BadInput(f"{file}: two resources have the id {one.id}: rename one of them")
        names[key] = one.id
        ids.add((one.stack, one.id))

"""Reads a cloud assembly: the folder that CDK's synth writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from dataware.core.errors import InputError
from dataware.core.expand import expand
from dataware.core.model import Wanted
from dataware.core.names import is_regional
from dataware.core.stack_template import StackTemplate
from dataware.core.values import mapping_of
from dataware.ops.inputs.manifest import read_manifest
from dataware.ops.inputs.opted_in import Source
from dataware.ops.inputs.parameters_file import check_parameters
from dataware.ops.inputs.read_options import ReadOptions
from dataware.ops.inputs.stack_resources import StackReading, read_stack_resources
from dataware.ops.inputs.stack_roles import NO_ROLES, StackRoles, read_roles
from dataware.ops.inputs.template import parse_template, read_stack
from dataware.ops.inputs.undeclared_resources import (
    constructed_resources,
    errors_of,
    referred_resources,
)
from dataware.ops.inputs.value_sources import Exports, StackValues, exports_of
from dataware.ops.inputs.wanted import App, Kinds, Overrides, StackEnvironment, check_together

MANIFEST = "manifest.json"
UNKNOWN = ("unknown-account", "unknown-region", "")


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of an assembly: its artifact id, CloudFormation name, template and environment.

    `referred` are the resources that it refers to, by the logical id that each would have, and
    `constructed` the ids of those that constructs declare; `depends_on` are the ids of the stacks
    that CDK deploys before it; `staged` says that it stands in a stage, and `errors` are those that
    the app itself has found in it. `uploaded_to` is where CDK uploads the template, and `roles` are
    those that it assumes for it.
    """

    id: str
    name: str
    template: Path
    environment: StackEnvironment
    referred: Mapping[str, dict[str, Any]]
    depends_on: tuple[str, ...] = ()
    staged: bool = False
    errors: tuple[str, ...] = ()
    uploaded_to: str = ""
    roles: StackRoles = NO_ROLES
    constructed: frozenset[str] = frozenset()


Select = Callable[[Sequence[Stack]], Sequence[Stack]]


def read_stacks(folder: Path) -> list[Stack]:
    """Every stack of an assembly, and of the assemblies (stages) inside it."""
    return list(_stacks(folder))


def lacks_context(folder: Path) -> bool:
    """Whether an assembly is not whole yet, or no app has written there: CDK decides what then."""
    path = folder / MANIFEST
    return not path.is_file() or bool(parse_template(path).get("missing"))


def read_declarations(
    folder: Path, kinds: Kinds, overrides: Overrides, *, incomplete: bool = False
) -> list[tuple[StackEnvironment, list[Wanted]]]:
    """The resources of every stack with the environment it is meant for, unchecked together.

    `incomplete` takes an assembly that lacks context: CDK writes such a one first, to learn what
    it has to look up.
    """
    options = ReadOptions(overrides)
    stacks = list(_stacks(folder, incomplete=incomplete))
    return [
        (one.environment, _read_resources(one, stacks, kinds, options).wanted) for one in stacks
    ]


def read_logical_ids(
    folder: Path, *, incomplete: bool = False
) -> list[tuple[StackEnvironment, str, frozenset[str]]]:
    """The environment, the name and the logical ids of every stack whose template has them all.

    A transform may declare more than can be seen here.
    """
    templates = [
        (one, parse_template(one.template)) for one in _stacks(folder, incomplete=incomplete)
    ]
    return [
        (one.environment, one.name, frozenset(template.get("Resources", {})))
        for one, template in templates
        if "Transform" not in template
    ]


def _read_resources(
    stack: Stack, stacks: Sequence[Stack], kinds: Kinds, options: ReadOptions
) -> StackReading:
    """What is to be planned of a stack; `stacks` are all of the app, which may export values."""
    source = Source(
        stack.template,
        kinds,
        options.overrides,
        stack.name,
        stack.referred,
        synthesized=True,
        constructed=stack.constructed,
        values=_values_of(stack, stacks, kinds, options),
        patterns=options.patterns,
        every=options.every,
        only=options.only,
    )
    reading = read_stack_resources(source)
    environment = stack.environment
    reading.wanted = [
        replace(one, account=environment.account, region=environment.region, cdk_stack=stack.id)
        for one in reading.wanted
    ]
    return reading


def _values_of(
    stack: Stack, stacks: Sequence[Stack], kinds: Kinds, options: ReadOptions
) -> StackValues:
    """What the values of a stack rest on, the exports of the other stacks among it."""

    @cache
    def exports() -> Exports:
        beside = [
            (one, parse_template(one.template))
            for one in stacks
            if one.id != stack.id and one.environment == stack.environment
        ]
        return exports_of(
            (document, _values_of(one, (), kinds, options).evaluator(document, kinds))
            for one, document in beside
        )

    return StackValues(
        options.sources, stack.name, stack.environment, exports=exports, path=stack.template
    )


def read_assembly(
    folder: Path, kinds: Kinds, options: ReadOptions, select: Select | None = None
) -> App:
    """The resources of all stacks, or of those that `select` chooses."""
    stacks = read_stacks(folder)
    if not stacks:
        raise InputError(f"{folder} holds no stack: is it the output folder of the app?")
    chosen = select(stacks) if select else stacks
    if options.sources.parameters.values:
        templates = [(one.name, parse_template(one.template)) for one in stacks]
        check_parameters(templates, options.sources.parameters)
    whole = StackReading()
    environments = {}
    for one in chosen:
        reading = _read_resources(one, stacks, kinds, options)
        whole.add(reading)
        if reading.wanted:
            environments[one.id] = one.environment
    check_together(str(folder), whole.wanted, kinds)
    acting = [*_list_acting(whole.wanted, stacks, kinds, options)]
    return App(
        [_with_effects_of_others(one, acting, kinds) for one in whole.wanted],
        environments,
        tuple(_read_stack(one, stacks, kinds, options) for one in chosen),
        tuple(whole.unseen),
        tuple(whole.notes),
        tuple(whole.unplanned),
        options.sources.lookups,
        unnamed=tuple(whole.unnamed),
    )


@dataclass(frozen=True, slots=True)
class ActingResource:
    """A resource of a stack that acts on the data of one that may be in another stack.

    `effects` holds, by the type that it acts on, the name of what it acts on, and a clause.
    """

    stack: Stack
    logical_id: str
    effects: Mapping[str, tuple[Any, str]]


def _list_acting(
    wanted: Sequence[Wanted], stacks: Sequence[Stack], kinds: Kinds, options: ReadOptions
) -> Iterator[ActingResource]:
    """What acts on resources of the types that are wanted, in all stacks of the app."""
    rules = {one.type: kinds[one.type].template.effects for one in wanted}
    types = {type_name for rule in rules.values() for type_name in rule}
    for stack in stacks if types else ():
        document = parse_template(stack.template)
        evaluator = None
        for logical_id, body in mapping_of(document.get("Resources")).items():
            named = mapping_of(body).get("Type")
            if not isinstance(named, str) or named not in types:
                continue
            evaluator = evaluator or _values_of(stack, stacks, kinds, options).evaluator(
                document, kinds
            )
            properties = mapping_of(body.get("Properties"))
            effects = {
                cfn_type: (evaluator.evaluate(effect[0]), effect[1])
                for cfn_type, rule in rules.items()
                if named in rule and (effect := rule[named](properties))
            }
            yield ActingResource(stack, str(logical_id), effects)


def _with_effects_of_others(
    wanted: Wanted, acting: Sequence[ActingResource], kinds: Kinds
) -> Wanted:
    """A resource, with what other stacks of the app do to its data; its own are known by then."""
    place = StackEnvironment(wanted.account, wanted.region)
    everywhere = not is_regional(kinds[wanted.type])
    effects = [
        f"{one.logical_id} of stack {one.stack.id} {one.effects[wanted.type][1]}"
        for one in acting
        if one.stack.id != wanted.cdk_stack
        and (everywhere or one.stack.environment == place)
        and one.effects.get(wanted.type, (None, ""))[0] == wanted.preferred
    ]
    return replace(wanted, effects=(*wanted.effects, *effects))


def _read_stack(
    stack: Stack, stacks: Sequence[Stack], kinds: Kinds, options: ReadOptions
) -> StackTemplate:
    """The stack with all its resources, also those of loops over what its parameters say."""
    document = parse_template(stack.template)
    resolve = _values_of(stack, stacks, kinds, options).evaluator(document, kinds).evaluate
    expanded = expand(document, kinds, resolve)
    template = read_stack(stack.name, stack.template, kinds, template=expanded)
    template = replace(template, uploaded_to=stack.uploaded_to)
    return _with_environment(template, stack.environment, stack.id)


def read_whole(stack: Stack, kinds: Kinds) -> StackTemplate:
    """The stack with all its resources."""
    template = read_stack(stack.name, stack.template, kinds)
    return _with_environment(template, stack.environment, stack.id)


def _with_environment(template: StackTemplate, place: StackEnvironment, key: str) -> StackTemplate:
    """A stack and its nested ones, with where they go and what tells them apart."""
    nested = {
        logical_id: _with_environment(inner, place, f"{key}/{logical_id}")
        for logical_id, inner in template.nested.items()
    }
    return replace(template, nested=nested, account=place.account, region=place.region, id=key)


def _stacks(folder: Path, *, incomplete: bool = False, staged: bool = False) -> Iterator[Stack]:
    manifest = read_manifest(folder / MANIFEST)
    if manifest.get("missing") and not incomplete:
        raise InputError(
            f"{folder} lacks context that CDK has to look up first: run `cdk synth` once"
        )
    for artifact_id, artifact in manifest["artifacts"].items():
        properties = artifact.get("properties", {})
        if artifact.get("type") == "aws:cloudformation:stack":
            environment = _environment(artifact.get("environment", ""))
            yield Stack(
                artifact.get("displayName", artifact_id),
                properties.get("stackName", artifact_id),
                folder / properties["templateFile"],
                environment,
                referred_resources(folder, artifact),
                tuple(_dependencies(artifact, manifest["artifacts"])),
                staged,
                tuple(errors_of(folder, artifact)),
                str(properties.get("stackTemplateAssetObjectUrl") or ""),
                read_roles(properties, environment),
                constructed_resources(folder, artifact),
            )
        elif artifact.get("type") == "cdk:cloud-assembly":
            inner = folder / properties["directoryName"]
            yield from _stacks(inner, incomplete=incomplete, staged=True)


def _dependencies(artifact: Mapping[str, Any], artifacts: Mapping[str, Any]) -> Iterator[str]:
    """The ids of the stacks that an artifact depends on."""
    for other_id in artifact.get("dependencies") or []:
        other = artifacts.get(other_id) if isinstance(other_id, str) else None
        if other is not None and other.get("type") == "aws:cloudformation:stack":
            yield other.get("displayName", other_id)


def _environment(address: str) -> StackEnvironment:
    """The environment in ``aws://account/region``."""
    account, _, region = address.removeprefix("aws://").partition("/")
    return StackEnvironment(
        None if account in UNKNOWN else account, None if region in UNKNOWN else region
    )

"""Reads a cloud assembly: the folder that CDK's synth writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dataware.core.errors import InputError
from dataware.core.guard import StackTemplate
from dataware.core.model import Wanted
from dataware.ops.inputs.manifest import check_manifest
from dataware.ops.inputs.referred import errors_of, referred_resources
from dataware.ops.inputs.template import (
    NESTED,
    Source,
    asset_of,
    parse_template,
    read_stack,
    resources_of,
    template_resources,
    warn_of_unseen_parts,
)
from dataware.ops.inputs.wanted import App, Kinds, Overrides, StackEnvironment, check_together

MANIFEST = "manifest.json"
UNKNOWN = ("unknown-account", "unknown-region", "")


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of an assembly: its artifact id, CloudFormation name, template and environment.

    `referred` are the resources that it refers to, by the logical id that each would have;
    `depends_on` are the ids of the stacks that CDK deploys before it; `staged` says that it stands
    in a stage, and `errors` are those that the app itself has found in it.
    """

    id: str
    name: str
    template: Path
    environment: StackEnvironment
    referred: Mapping[str, dict[str, Any]]
    depends_on: tuple[str, ...] = ()
    staged: bool = False
    errors: tuple[str, ...] = ()


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
    return [
        (stack.environment, _resources(stack, kinds, overrides))
        for stack in _stacks(folder, incomplete=incomplete)
    ]


def _resources(stack: Stack, kinds: Kinds, overrides: Overrides) -> list[Wanted]:
    source = Source(stack.template, kinds, overrides, stack.name, stack.referred, synthesized=True)
    meant = stack.environment
    return [
        replace(one, account=meant.account, region=meant.region)
        for one in template_resources(source)
    ]


def read_assembly(
    folder: Path, kinds: Kinds, overrides: Overrides, select: Select | None = None
) -> App:
    """The resources of all stacks, or of those that `select` chooses."""
    stacks = read_stacks(folder)
    if not stacks:
        raise InputError(f"{folder} holds no stack: is it the output folder of the app?")
    chosen = select(stacks) if select else stacks
    wanted: list[Wanted] = []
    environments = {}
    for one in chosen:
        resources = _resources(one, kinds, overrides)
        _refuse_nested(one.template)
        if resources:
            wanted += resources
            environments[one.id] = one.environment
    check_together(str(folder), wanted, kinds)
    unseen = [text for one in chosen for text in warn_of_unseen_parts(one.template)]
    return App(wanted, environments, tuple(map(read_whole, chosen)), tuple(unseen))


def read_whole(stack: Stack) -> StackTemplate:
    """The stack with all its resources."""
    meant = stack.environment
    template = read_stack(stack.name, stack.template)
    return _with_environment(template, meant, stack.id)


def _with_environment(template: StackTemplate, meant: StackEnvironment, key: str) -> StackTemplate:
    """A stack and its nested ones, with where they go and what tells them apart."""
    nested = {
        logical_id: _with_environment(inner, meant, f"{key}/{logical_id}")
        for logical_id, inner in template.nested.items()
    }
    return replace(template, nested=nested, account=meant.account, region=meant.region, id=key)


def _stacks(folder: Path, *, incomplete: bool = False, staged: bool = False) -> Iterator[Stack]:
    manifest = parse_template(folder / MANIFEST)
    check_manifest(manifest, folder / MANIFEST)
    if manifest.get("missing") and not incomplete:
        raise InputError(
            f"{folder} lacks context that CDK has to look up first: run `cdk synth` once"
        )
    for artifact_id, artifact in manifest["artifacts"].items():
        properties = artifact.get("properties", {})
        if artifact.get("type") == "aws:cloudformation:stack":
            yield Stack(
                artifact.get("displayName", artifact_id),
                properties.get("stackName", artifact_id),
                folder / properties["templateFile"],
                _environment(artifact.get("environment", "")),
                referred_resources(folder, artifact),
                tuple(_dependencies(artifact, manifest["artifacts"])),
                staged,
                tuple(errors_of(folder, artifact)),
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


def _refuse_nested(template: Path) -> None:
    """Complain about opted-in resources in nested stacks, whose stack names are not known."""
    for resource in resources_of(template, synthesized=True).values():
        asset = asset_of(resource)
        if resource.get("Type") != NESTED or asset is None:
            continue
        nested = template.parent / asset
        for logical_id, inner in resources_of(nested, synthesized=True).items():
            metadata = inner.get("Metadata")
            if isinstance(metadata, dict) and "Dataware" in metadata:
                raise InputError(
                    f"{nested}, resource {logical_id}: dataware cannot read nested "
                    "stacks: move the resource to the stack itself"
                )
        _refuse_nested(nested)

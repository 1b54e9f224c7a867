"""Reads a cloud assembly: the folder that CDK's synth writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataware.core.errors import BadInput
from dataware.core.model import Wanted
from dataware.ops.inputs.reading import did_you_mean
from dataware.ops.inputs.template import OPT_IN, Source, parse_template, template_resources
from dataware.ops.inputs.wanted import App, Environment, Kinds, Overrides, check_together

MANIFEST = "manifest.json"
UNKNOWN = ("unknown-account", "unknown-region", "")
NESTED = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of an assembly: its artifact id, CloudFormation name, template and environment."""

    id: str
    name: str
    template: Path
    environment: Environment


def read_assembly(
    folder: Path, kinds: Kinds, overrides: Overrides, stack: str | None = None
) -> App:
    """The resources of all stacks, or of the one stack that has `stack` as its name or id."""
    stacks = list(_stacks(folder))
    if not stacks:
        raise BadInput(f"{folder} holds no stack: is it the output folder of the app?")
    chosen = [one for one in stacks if stack in {None, one.name, one.id}]
    if not chosen:
        near = did_you_mean(str(stack), {one.name for one in stacks})
        raise BadInput(f"{folder} holds no stack {stack}, {near}")
    wanted: list[Wanted] = []
    environments = {}
    for one in chosen:
        resources = template_resources(Source(one.template, kinds, overrides, one.name))
        _refuse_nested(one.template)
        if resources:
            wanted += resources
            environments[one.name] = one.environment
    if not wanted:
        raise BadInput(f"{folder}: no resource opts in: {OPT_IN}")
    check_together(str(folder), wanted)
    return App(wanted, environments)


def _stacks(folder: Path) -> Iterator[Stack]:
    """Every stack of an assembly, and of the assemblies (stages) inside it."""
    manifest = parse_template(folder / MANIFEST)
    artifacts = manifest.get("artifacts")
    if not isinstance(artifacts, dict):
        raise BadInput(f"{folder / MANIFEST} is no manifest of a cloud assembly: run `cdk synth`")
    if manifest.get("missing"):
        raise BadInput(
            f"{folder} lacks context that CDK has to look up first: run `cdk synth` once"
        )
    for artifact_id, artifact in artifacts.items():
        properties = artifact.get("properties", {})
        if artifact.get("type") == "aws:cloudformation:stack":
            yield Stack(
                artifact.get("displayName", artifact_id),
                properties.get("stackName", artifact_id),
                folder / properties["templateFile"],
                _environment(artifact.get("environment", "")),
            )
        elif artifact.get("type") == "cdk:cloud-assembly":
            yield from _stacks(folder / properties["directoryName"])


def _environment(address: str) -> Environment:
    """The environment in ``aws://account/region``."""
    account, _, region = address.removeprefix("aws://").partition("/")
    return Environment(
        None if account in UNKNOWN else account, None if region in UNKNOWN else region
    )


def _refuse_nested(template: Path) -> None:
    """Complain about opted-in resources in nested stacks, whose stack names are not known."""
    for resource in parse_template(template)["Resources"].values():
        asset = _asset(resource)
        if resource.get("Type") != NESTED or asset is None:
            continue
        nested = template.parent / asset
        for logical_id, inner in parse_template(nested).get("Resources", {}).items():
            if "Dataware" in (inner.get("Metadata") or {}):
                raise BadInput(
                    f"{nested}, resource {logical_id}: dataware cannot see into nested stacks: "
                    "move the resource to the stack itself"
                )
        _refuse_nested(nested)


def _asset(resource: dict[str, Any]) -> str | None:
    path = (resource.get("Metadata") or {}).get("aws:asset:path")
    return path if isinstance(path, str) else None

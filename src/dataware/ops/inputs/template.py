"""Reads a CloudFormation template, JSON or YAML, whose resources opt in by metadata.

Metadata: {Dataware: {Fallback: [name, …]}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from dataware.core.errors import BadInput
from dataware.core.guard import StackTemplate, declared_in
from dataware.core.kind import Kind
from dataware.core.model import Creator, Wanted
from dataware.core.near import nearest
from dataware.ops.inputs.reading import Section, read_text
from dataware.ops.inputs.references import unresolved
from dataware.ops.inputs.wanted import (
    App,
    Kinds,
    Overrides,
    Words,
    check_names,
    check_together,
    known_kind,
    read_choices,
)
from dataware.ops.inputs.yaml_forms import parse_yaml

WORDS = Words("Fallback", "OnError", "OnFallbackData", "Import")
OPT_IN = "add Metadata: {Dataware: {Fallback: [name]}} to each resource that dataware should see"
KEY = "Dataware"
ALIKE = 0.85
"""How like `KEY` another key has to be to be taken for a slip: keys of other tools are fine."""
NESTED = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a template stands, and what its resources are read with.

    `referred` are resources that the app refers to, by the logical id each would have here.
    `synthesized` says that CDK wrote the template, which leaves out a section that is empty.
    """

    path: Path
    kinds: Kinds
    overrides: Overrides
    stack: str | None
    referred: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    synthesized: bool = False


def read_template(path: Path, kinds: Kinds, overrides: Overrides, stack: str | None = None) -> App:
    """The resources of a template that opt in; `stack` is the name of the stack it describes."""
    wanted = template_resources(Source(path, kinds, overrides, stack))
    check_together(str(path), wanted)
    return App(wanted, stacks=(read_stack(stack, path),) if stack else ())


def template_resources(source: Source) -> list[Wanted]:
    """The wanted resources of one template; empty if none opts in."""
    document = parse_template(source.path)
    resources = document.get("Resources", {} if source.synthesized else None)
    if not isinstance(resources, dict) or not all(isinstance(r, dict) for r in resources.values()):
        raise BadInput(f"{source.path} is no CloudFormation template: it has no Resources")
    declared = [
        _wanted(source, logical_id, resource)
        for logical_id, resource in resources.items()
        if _opts_in(source, logical_id, resource)
    ]
    # Of what is only referred to, name and keys are known: too little to create it elsewhere.
    referred = [
        replace(_wanted(source, logical_id, resource), unresolved=("Properties",))
        for logical_id, resource in source.referred.items()
        if logical_id not in resources
    ]
    return declared + referred


def read_stack(name: str, path: Path) -> StackTemplate:
    """A stack with all its resources, and those of the nested stacks whose templates are files."""
    document = parse_template(path)
    inner = {
        logical_id: path.parent / asset
        for logical_id, resource in document.get("Resources", {}).items()
        if resource.get("Type") == NESTED and (asset := asset_of(resource)) is not None
    }
    nested = {one: read_stack(f"{name}/{one}", at) for one, at in inner.items() if at.is_file()}
    return StackTemplate(name, declared_in(document), nested, path=str(path))


def asset_of(resource: Mapping[str, Any]) -> str | None:
    """The file of a nested stack's template, as CDK notes it."""
    path = (resource.get("Metadata") or {}).get("aws:asset:path")
    return path if isinstance(path, str) else None


def parse_template(path: Path) -> dict[str, Any]:
    """The document in a JSON or YAML file. Raises BadInput with the line of the mistake."""
    text = read_text(path)
    try:
        is_json = path.suffix == ".json" or text.lstrip().startswith("{")
        document = json.loads(text) if is_json else parse_yaml(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"{path} is not valid JSON: line {error.lineno}: {error.msg}") from error
    except yaml.MarkedYAMLError as error:
        at = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise BadInput(f"{path} is not valid YAML: {at}{error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        what = " ".join(str(error).split())
        raise BadInput(f"{path} cannot be parsed: {what}") from error
    if not isinstance(document, dict):
        raise BadInput(f"{path} is no CloudFormation template: it has no Resources")
    return document


def _opts_in(source: Source, logical_id: str, resource: dict[str, Any]) -> bool:
    """Whether a resource opts in. Raises BadInput for a key that nearly says so."""
    metadata = _metadata(resource)
    if KEY in metadata:
        return True
    for key in metadata:
        if nearest(str(key), [KEY], ALIKE):
            where = f"{source.path}, resource {logical_id}, Metadata"
            raise BadInput(f"{where}: unknown field {key}, did you mean {KEY}?")
    return False


def _metadata(resource: dict[str, Any]) -> dict[str, Any]:
    metadata = resource.get("Metadata")
    return metadata if isinstance(metadata, dict) else {}


def _wanted(source: Source, logical_id: str, resource: dict[str, Any]) -> Wanted:
    declared = Section(f"{source.path}, resource {logical_id}", resource)
    kind = known_kind(declared, declared.required("Type"), source.kinds)
    properties = declared.mapping("Properties")
    preferred = _literal_name(declared, kind)
    metadata = _metadata(resource)
    section = Section(f"{declared.where}, Metadata.Dataware", metadata[KEY])
    if not isinstance(section.data, dict):
        raise declared.bad("Metadata.Dataware has to be a mapping such as {Fallback: [name]}")
    section.only(WORDS.all)
    choices = read_choices(section, WORDS, source.overrides)
    check_names(section, kind, preferred, choices.fallbacks)
    conditional = ("Condition",) if "Condition" in resource else ()
    return Wanted(
        id=_path_of(metadata) or logical_id,
        type=kind.cfn_type,
        preferred=preferred,
        fallbacks=choices.fallbacks,
        properties=properties,
        stack=source.stack,
        logical_id=logical_id,
        on_error=choices.on_error,
        on_fallback_data=choices.on_fallback_data,
        import_mode=choices.import_mode,
        creator=Creator.DEPLOYMENT,
        unresolved=(*conditional, *unresolved(properties)),
    )


def _literal_name(declared: Section, kind: Kind) -> str:
    name = declared.mapping("Properties").get(kind.identifier)
    if name is None:
        raise declared.bad(f"Properties.{kind.identifier} is missing: give the preferred name")
    if not isinstance(name, str):
        raise declared.bad(
            f"Properties.{kind.identifier} is not a literal name: write it out, because the data "
            "is looked at before CloudFormation resolves anything"
        )
    return name


def _path_of(metadata: dict[str, Any]) -> str | None:
    """The construct path, without the parts that CDK adds for the resource itself."""
    path = metadata.get("aws:cdk:path")
    if not isinstance(path, str) or not path:
        return None
    return path.removesuffix("/Resource").removesuffix("/Default")

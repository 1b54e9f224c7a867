"""Reads a CloudFormation template, JSON or YAML, whose resources opt in by metadata.

Metadata: {Dataware: {Fallback: [name, …]}}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from dataware.calc.suggest import nearest
from dataware.core.errors import InputError
from dataware.core.expand import expand, warn_of_unseen
from dataware.core.guard import StackTemplate, is_retained, read_declared
from dataware.core.kind import Kind
from dataware.core.model import Creator, Wanted
from dataware.core.names import is_arn, parse_stack
from dataware.core.values import find_function, is_function
from dataware.ops.inputs.reading import (
    InputSection,
    check_depth,
    cure,
    describe_value,
    hint_of_braces,
    parse_json,
    read_text,
)
from dataware.ops.inputs.references import unresolved_properties
from dataware.ops.inputs.wanted import (
    App,
    FieldNames,
    Kinds,
    Overrides,
    StackEnvironment,
    check_names,
    check_properties,
    check_together,
    known_kind,
    read_choices,
)
from dataware.ops.inputs.yaml_forms import describe_mistake, parse_yaml

WORDS = FieldNames("Fallback", "OnError", "OnFallbackData", "Import")
OPT_IN = "add Metadata: {Dataware: {Fallback: [name]}} to each resource that dataware should see"
KEY = "Dataware"
ALIKE = 0.85
"""How like `KEY` another key has to be to be taken for a slip: keys of other tools are fine."""
YAML = frozenset({".yaml", ".yml"})
NESTED = "AWS::CloudFormation::Stack"

Readers = Mapping[str, tuple[Mapping[str, Any], Callable[[], Wanted]]]


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
    """The resources of a template that opt in; `stack` is the name or ARN of its stack."""
    # A pipe that the shell hands on can be read only once.
    document = parse_template(path)
    name, account, region = parse_stack(stack) if stack else (None, None, None)
    wanted = template_resources(Source(path, kinds, overrides, name), document)
    check_together(str(path), wanted, kinds)
    stacks = (read_stack(name, path, document=document),) if name else ()
    environments = {name: StackEnvironment(account, region)} if name else {}
    return App(wanted, environments, stacks, warn_of_unseen_parts(path, document))


def warn_of_unseen_parts(path: Path, document: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """A warning for each part of a template that may declare resources nobody sees."""
    document = parse_template(path) if document is None else document
    return tuple(warn_of_unseen(str(path), expand(document).unseen))


def template_resources(source: Source, document: Mapping[str, Any] | None = None) -> list[Wanted]:
    """The wanted resources of one template, which may be parsed already; empty if none opts in."""
    document = parse_template(source.path) if document is None else document
    resources = _resources_in(document, source.path, synthesized=source.synthesized)
    declared = [read() for _, read in _readers(source, resources).values()]
    # Of what is only referred to, name and keys are known: too little to create it elsewhere.
    referred = [
        replace(_read_resource(source, logical_id, resource), unresolved=("Properties",))
        for logical_id, resource in source.referred.items()
        if logical_id not in resources
    ]
    return declared + referred


def template_readers(source: Source, document: Mapping[str, Any]) -> Readers:
    """What opts in, by logical id: the resource, and what reads it or raises InputError."""
    return _readers(source, _resources_in(document, source.path, synthesized=source.synthesized))


def _readers(source: Source, resources: Mapping[str, dict[str, Any]]) -> Readers:
    return {
        logical_id: (resource, partial(_read_resource, source, logical_id, resource))
        for logical_id, resource in resources.items()
        if _opts_in(source, logical_id, resource)
    }


def resources_of(path: Path, *, synthesized: bool = False) -> dict[str, dict[str, Any]]:
    """The plain resources of a template, its loops written out.

    Raises InputError for a file without `Resources`, which only CDK leaves out where there are
    none.
    """
    return _resources_in(parse_template(path), path, synthesized=synthesized)


def _resources_in(
    document: Mapping[str, Any], path: Path, *, synthesized: bool
) -> dict[str, dict[str, Any]]:
    found = document.get("Resources", {} if synthesized else None)
    if not isinstance(found, dict):
        raise InputError(
            f"{path} is not a CloudFormation template: it has no Resources{_hint(document)}"
        )
    resources = expand(document).document["Resources"] if found else {}
    return {one: dict(body) for one, body in resources.items()}


def _hint(document: Mapping[str, Any]) -> str:
    """What to name instead of the file of another tool."""
    if "service" in document and "provider" in document:
        return (
            "; for the Serverless Framework run `serverless package`, and name "
            ".serverless/cloudformation-template-update-stack.json"
        )
    return ""


def read_stack(
    name: str,
    path: Path,
    above: frozenset[Path] = frozenset(),
    document: Mapping[str, Any] | None = None,
) -> StackTemplate:
    """A stack with all its resources, and those of the nested stacks whose templates are files.

    `above` holds the templates in which it is nested.
    """
    document = parse_template(path) if document is None else document
    seen = above | {path.resolve()}
    inner = {
        logical_id: path.parent / asset
        for logical_id, resource in _resources_in(document, path, synthesized=True).items()
        if resource.get("Type") == NESTED and (asset := asset_of(resource)) is not None
    }
    nested = {
        one: read_stack(f"{name}/{one}", at, seen)
        for one, at in inner.items()
        if at.is_file() and at.resolve() not in seen
    }
    return replace(read_declared(name, document, str(path)), nested=nested)


def asset_of(resource: Mapping[str, Any]) -> str | None:
    """The file of a nested stack's template, as CDK notes it."""
    path = _metadata(resource).get("aws:asset:path")
    return path if isinstance(path, str) else None


def parse_template(path: Path) -> dict[str, Any]:
    """The document in a JSON or YAML file. Raises InputError with the line of the mistake."""
    text = read_text(path)
    flow = path.suffix in YAML or not text.lstrip().startswith("{")
    if path.suffix == ".json" or not flow or _is_json(text):
        document = parse_json(text, path)
    else:
        document = _parsed_yaml(text, path)
    if not isinstance(document, dict):
        raise InputError(f"{path} is not a CloudFormation template: it has no Resources")
    return document


def _is_json(text: str) -> bool:
    """Whether a text is JSON, whatever its file is called: YAML refuses its tabs."""
    try:
        return text.lstrip().startswith("{") and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _parsed_yaml(text: str, path: Path) -> object:
    try:
        document = parse_yaml(text)
    except yaml.YAMLError as error:
        what = f"{describe_mistake(error)}{hint_of_braces(text)}"
        raise InputError(f"{path} is not valid YAML: {what}") from error
    check_depth(document, path)
    return document


def _opts_in(source: Source, logical_id: str, resource: dict[str, Any]) -> bool:
    """Whether a resource opts in. Raises InputError for a key that nearly says so."""
    metadata = _metadata(resource)
    if KEY in metadata:
        return True
    if is_function(resource.get("Metadata")) and _type_of(resource) in source.kinds:
        text = describe_value(resource["Metadata"])
        raise InputError(
            f"{source.path}, resource {logical_id}: Metadata is {text}, so that it is unknown "
            "whether it opts in: write it out"
        )
    for key in metadata:
        if nearest(str(key), [KEY], ALIKE):
            where = f"{source.path}, resource {logical_id}, Metadata"
            raise InputError(f"{where}: unknown field {key}, did you mean {KEY}?")
    return False


def _type_of(resource: Mapping[str, Any]) -> str:
    named = resource.get("Type")
    return named if isinstance(named, str) else ""


def _metadata(resource: Mapping[str, Any]) -> dict[str, Any]:
    metadata = resource.get("Metadata")
    return metadata if isinstance(metadata, dict) else {}


def _read_resource(source: Source, logical_id: str, resource: dict[str, Any]) -> Wanted:
    declared = InputSection(f"{source.path}, resource {logical_id}", resource)
    kind = known_kind(declared, declared.required_text("Type"), source.kinds)
    if is_function(resource):
        raise declared.bad(f"a part of it is {describe_value(resource)}{cure(resource)}")
    properties = declared.mapping("Properties")
    preferred = _literal_name(declared, kind)
    metadata = _metadata(resource)
    if is_function(metadata[KEY]):
        raise declared.bad(
            f"Metadata.{KEY} is {describe_value(metadata[KEY])}{cure(metadata[KEY])}"
        )
    section = InputSection(f"{declared.where}, Metadata.Dataware", metadata[KEY])
    if not isinstance(section.data, dict):
        raise declared.bad("Metadata.Dataware must be a mapping such as {Fallback: [name]}")
    section.only(WORDS.all)
    choices = read_choices(section, WORDS, source.overrides)
    check_names(section, kind, preferred, choices.fallbacks)
    check_properties(declared, kind, properties)
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
        unresolved=(*conditional, *unresolved_properties(properties)),
        where=declared.where,
        retained=is_retained(resource.get("DeletionPolicy")),
    )


def _literal_name(declared: InputSection, kind: Kind) -> str:
    properties = declared.mapping("Properties")
    name = properties.get(kind.template.identifier, properties if is_function(properties) else None)
    where = f"Properties.{kind.template.identifier}"
    if name is None:
        raise declared.bad(f"{where} is missing: give the preferred name")
    if find_function(name) is not None:
        raise declared.bad(
            f"{where} is not a literal name but {describe_value(name)}{cure(name)}; or give the "
            "output of `cdk synth`, where it is literal"
        )
    if not isinstance(name, str):
        raise declared.bad(f"{where} must be a string, not {describe_value(name)}{cure(name)}")
    if is_arn(name):
        raise declared.bad(
            f"{where} is an ARN, which CloudFormation does not accept as a name: give the name "
            f"of the {kind.noun} alone"
        )
    return name


def _path_of(metadata: dict[str, Any]) -> str | None:
    """The construct path, without the parts that CDK adds for the resource itself."""
    path = metadata.get("aws:cdk:path")
    if not isinstance(path, str) or not path:
        return None
    return path.removesuffix("/Resource").removesuffix("/Default")

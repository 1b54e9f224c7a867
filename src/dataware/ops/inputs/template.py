"""Reads a CloudFormation template, JSON or YAML, and the stack that it describes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from dataware.core.errors import InputError
from dataware.core.expand import ExpandedTemplate, expand
from dataware.core.stack_template import StackTemplate, read_declared
from dataware.ops.inputs.reading import check_depth, hint_of_braces, parse_json, read_text
from dataware.ops.inputs.wanted import Kinds
from dataware.ops.inputs.yaml_forms import describe_mistake, parse_yaml

YAML = frozenset({".yaml", ".yml"})
NESTED = "AWS::CloudFormation::Stack"


def resources_of(path: Path, kinds: Kinds) -> Mapping[str, dict[str, Any]]:
    """The plain resources of a template that CDK wrote, its loops written out."""
    document = parse_template(path)
    check_resources(document, path, synthesized=True)
    return expand(document, kinds).resources


def check_resources(document: Mapping[str, Any], path: Path, *, synthesized: bool) -> None:
    """Raise InputError for a document without `Resources`, which CDK alone leaves out."""
    resources = document.get("Resources", {} if synthesized else None)
    if not isinstance(resources, dict):
        raise InputError(
            f"{path} is not a CloudFormation template: it has no Resources{_hint(document)}"
        )


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
    kinds: Kinds,
    above: frozenset[Path] = frozenset(),
    template: ExpandedTemplate | None = None,
) -> StackTemplate:
    """A stack with all its resources, and those of the nested stacks whose templates are files.

    `above` holds the templates in which it is nested; `template` is its own, if it is written out
    already.
    """
    template = expand(parse_template(path), kinds) if template is None else template
    check_resources(template.document, path, synthesized=True)
    around = above | {path.resolve()}
    inner = {
        logical_id: at
        for logical_id, resource in template.resources.items()
        if (at := find_nested_template(resource, path)) is not None
    }
    nested = {
        one: read_stack(f"{name}/{one}", at, kinds, around)
        for one, at in inner.items()
        if at.resolve() not in around
    }
    declared = read_declared(name, template, str(path))
    # A pipe, such as a shell hands on, can be read only once.
    text = read_text(path) if path.is_file() else ""
    return replace(declared, nested=nested, text=text)


def find_nested_template(resource: Mapping[str, Any], path: Path) -> Path | None:
    """The file of a nested stack's template, where a resource of a template at `path` is one.

    CDK notes it in the metadata; what `aws cloudformation package` uploads is named by a path.
    """
    if resource.get("Type") != NESTED:
        return None
    metadata, properties = resource.get("Metadata"), resource.get("Properties")
    named = metadata.get("aws:asset:path") if isinstance(metadata, Mapping) else None
    if not isinstance(named, str):
        named = properties.get("TemplateURL") if isinstance(properties, Mapping) else None
    if not isinstance(named, str) or "://" in named:
        return None
    file = path.parent / named
    return file if file.is_file() else None


def parse_template(path: Path) -> dict[str, Any]:
    """The document in a JSON or YAML file. Raises InputError with the line of the mistake."""
    return parse_template_text(read_text(path), path)


def parse_template_text(text: str, path: Path) -> dict[str, Any]:
    """The document in a text out of the file `path`. Raises InputError."""
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

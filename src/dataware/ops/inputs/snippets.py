"""Resources as people write them down: a dataware.toml, a template, lines of a CDK app; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pprint import pformat
from typing import Any

import yaml

BARE = re.compile(r"[A-Za-z0-9_-]+")


class SnippetFormat(StrEnum):
    """What `init` writes."""

    TOML = "toml"
    CFN = "cfn"
    CDK_PY = "cdk-py"
    CDK_TS = "cdk-ts"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A resource to be declared; `identifier` is the property that holds its name."""

    type: str
    preferred: str
    identifier: str
    properties: Mapping[str, Any]
    fallbacks: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def logical_id(self) -> str:
        """A logical id like the name: letters and digits alone."""
        words = re.findall(r"[A-Za-z0-9]+", self.preferred)
        name = "".join(word[:1].upper() + word[1:] for word in words)
        return name if name[:1].isalpha() else f"Resource{name}"

    @property
    def named(self) -> dict[str, Any]:
        """The properties with the name, as a template has them."""
        return {self.identifier: self.preferred, **self.properties}


def write_declarations(form: SnippetFormat, declared: Sequence[Declaration]) -> str:
    """The text in a format."""
    return "\n".join(_WRITERS[form](declared)) + "\n"


def _toml(declared: Sequence[Declaration]) -> Iterator[str]:
    for at, one in enumerate(declared):
        if at:
            yield ""
        yield from _comments(one, "#")
        yield "[[resource]]"
        yield f"type = {toml_value(one.type)}"
        yield f"preferred = {toml_value(one.preferred)}"
        if one.fallbacks:
            yield f"fallback = {toml_value(list(one.fallbacks))}"
        yield "[resource.properties]"
        for name, value in one.properties.items():
            yield f"{_key(name)} = {toml_value(value)}"


def _cfn(declared: Sequence[Declaration]) -> Iterator[str]:
    yield "Resources:"
    for one in declared:
        yield from (f"  {line}" for line in _comments(one, "#"))
        body = {
            "Type": one.type,
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
            "Metadata": {"Dataware": {"Fallback": list(one.fallbacks)}},
            "Properties": one.named,
        }
        text = yaml.safe_dump({one.logical_id: body}, sort_keys=False, allow_unicode=True)
        yield from (f"  {line}" for line in text.splitlines())


def _cdk_py(declared: Sequence[Declaration]) -> Iterator[str]:
    yield "# In a Stack; it begins with: from aws_cdk import CfnResource, RemovalPolicy"
    for one in declared:
        yield from _comments(one, "#")
        properties = pformat(one.named, sort_dicts=False, width=88).replace("\n", "\n    ")
        yield f"resource = CfnResource(\n    self,\n    {one.logical_id!r},"
        yield f"    type={one.type!r},\n    properties={properties},\n)"
        yield "resource.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)"
        yield f'resource.add_metadata("Dataware", {{"Fallback": {list(one.fallbacks)!r}}})'


def _cdk_ts(declared: Sequence[Declaration]) -> Iterator[str]:
    yield "// In a Stack; it begins with: import { CfnResource, RemovalPolicy } from 'aws-cdk-lib';"
    for one in declared:
        name = one.logical_id[:1].lower() + one.logical_id[1:]
        yield from _comments(one, "//")
        properties = json.dumps(one.named, indent=2, ensure_ascii=False).replace("\n", "\n  ")
        yield f"const {name} = new CfnResource(this, {json.dumps(one.logical_id)}, {{"
        yield f"  type: {json.dumps(one.type)},\n  properties: {properties},\n}});"
        yield f"{name}.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);"
        fallback = json.dumps(list(one.fallbacks), ensure_ascii=False)
        yield f"{name}.addMetadata('Dataware', {{ Fallback: {fallback} }});"


_WRITERS: Mapping[SnippetFormat, Callable[[Sequence[Declaration]], Iterator[str]]] = {
    SnippetFormat.TOML: _toml,
    SnippetFormat.CFN: _cfn,
    SnippetFormat.CDK_PY: _cdk_py,
    SnippetFormat.CDK_TS: _cdk_ts,
}


def _comments(one: Declaration, mark: str) -> Iterator[str]:
    """What is not declared, where people read it again."""
    for text in one.left_out:
        yield f"{mark} Not declared: {text}"


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else toml_value(name)


def toml_value(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(name)} = {toml_value(inner)}" for name, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    # TOML forbids this one character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

"""Writes out what a template only says in short: loops, and tables of the serverless model; pure.

Sources: CloudFormation Template Reference, "Fn::ForEach"; AWS SAM Developer Guide,
"AWS::Serverless::SimpleTable" and "Generated CloudFormation resources".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.values import FUNCTION, Scope, find_function, is_function, text_of

LOOP = "Fn::ForEach::"
MOST_COPIES = 5_000
"""More than a template can hold (500 resources), with room for loops inside of properties."""

SIMPLE_TABLE = "AWS::Serverless::SimpleTable"
TABLE = "AWS::DynamoDB::Table"
_TYPES = {"String": "S", "Number": "N", "Binary": "B"}
_KNOWN_TRANSFORMS = (
    "AWS::CodeDeployBlueGreen",
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
    "AWS::Serverless-2016-10-31",
    "AWS::ServiceCatalog",
)
"""Transforms of AWS that add no bucket and no table beyond what is written out here (Template
Reference, "Transform reference")."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """A template written out; `unseen` holds by name what may declare resources nobody sees."""

    document: Mapping[str, Any]
    unseen: Mapping[str, Any] = field(default_factory=dict)


Resolve = Callable[[Any], Any]
"""Answers with the value of an expression, which holds a function where that is unknown."""


def _leave(expression: Any) -> Any:
    return expression


def expand(document: Mapping[str, Any], resolve: Resolve = _leave) -> Expanded:
    """The template with its loops and its simple tables written out.

    `resolve` evaluates the lists of loops; without it only a literal list is written out.
    """
    resources = document.get("Resources")
    if not isinstance(resources, Mapping):
        return Expanded(document, _macros(document))
    copies = _Copies(resolve)
    written = copies.expand_mapping(resources, {})
    shared = _shared_settings(document)
    seen = {
        one: _as_table(body, shared)
        for one, body in written.items()
        if isinstance(body, Mapping)
        and not one.startswith(FUNCTION)
        and ("Type" in body or not is_function(body))
    }
    unseen = {one: body for one, body in written.items() if one not in seen}
    # Bound to the definitions they rest on, so that two are equal only where these are, too.
    bound = {one: Scope(document).evaluate(body) for one, body in unseen.items()}
    others = {
        name: copies.expand_mapping(section, {})
        for name in ("Conditions", "Outputs")
        if isinstance(section := document.get(name), Mapping)
    }
    return Expanded({**document, **others, "Resources": seen}, {**bound, **_macros(document)})


def warn_of_unseen(where: str, unseen: Mapping[str, Any]) -> list[str]:
    """A warning for each part of a template that may declare resources nobody sees."""
    return [_warning(where, name, part) for name, part in unseen.items()]


def _warning(where: str, name: str, part: Any) -> str:
    if name.startswith(LOOP):
        what, how = "its list is not known", "write the list out"
    elif name.startswith("Transform "):
        what, how = "a macro may add resources", "process the template first"
    elif name.startswith(FUNCTION) or find_function(part):
        function = "" if name.startswith(FUNCTION) else f" ({find_function(part)})"
        what, how = f"only CloudFormation resolves it{function}", "write its resources out"
    else:
        what = f"it is {'empty' if part is None else 'no resource'}"
        how = "give it a Type and Properties, or remove it"
    return f"{where}: {name} is not inspected, because {what}; {how}"


def _macros(document: Mapping[str, Any]) -> dict[str, Any]:
    """The transforms that may add any resource, each under a name of its own."""
    each: list[Any] = []
    for key in ("Transform", f"{FUNCTION}Transform"):
        declared = document.get(key)
        each += declared if isinstance(declared, list) else [declared]
    names = {_macro_name(one): one for one in each if one is not None}
    return {
        f"Transform {name}": one for name, one in names.items() if name not in _KNOWN_TRANSFORMS
    }


def _macro_name(one: object) -> str:
    named = one.get("Name") if isinstance(one, Mapping) else one
    return named if isinstance(named, str) else "of a computed name"


@dataclass(frozen=True, slots=True)
class _Loop:
    identifier: str
    items: list[str]
    body: Mapping[str, Any]


@dataclass(slots=True)
class _Copies:
    """Writes loops out, up to a bound on all copies together."""

    resolve: Resolve
    made: int = 0

    def expand_mapping(
        self, mapping: Mapping[str, Any], values: Mapping[str, str]
    ) -> dict[str, Any]:
        """A mapping with its loops written out; a loop over what is not literal stays."""
        found: dict[str, Any] = {}
        for key, body in mapping.items():
            name = str(key)
            loop = self._loop_in(name, body, values)
            if loop is None or self.made + len(loop.items) > MOST_COPIES:
                found[_substitute_loop_values(name, values)] = self._expand(body, values)
                continue
            for item in loop.items:
                self.made += 1
                found.update(self.expand_mapping(loop.body, {**values, loop.identifier: item}))
        return found

    def _loop_in(self, name: str, body: Any, values: Mapping[str, str]) -> _Loop | None:
        """The loop that an entry of a mapping is, if its list is known."""
        if not name.startswith(LOOP) or not isinstance(body, list) or len(body) != 3:
            return None
        identifier, listed, inner = body
        if not (isinstance(identifier, str) and isinstance(inner, Mapping)):
            return None
        items = self.resolve(self._expand(listed, values))
        if not isinstance(items, list):
            return None
        texts = [text for one in items if (text := text_of(one)) is not None]
        return None if len(texts) < len(items) else _Loop(identifier, texts, inner)

    def _expand(self, value: Any, values: Mapping[str, str]) -> Any:
        if isinstance(value, list):
            return [self._expand(one, values) for one in value]
        if isinstance(value, str):
            return _substitute_loop_values(value, values)
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" and isinstance(argument, str) and argument in values:
                return values[argument]
        written = self.expand_mapping(value, values)
        return _fold_literal(written) if values else written


def _substitute_loop_values(text: str, values: Mapping[str, str]) -> str:
    """A text with the values of loops in place; ``&{X}`` leaves out all but letters and digits."""
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
        text = text.replace(f"&{{{name}}}", re.sub(r"[^A-Za-z0-9]", "", value))
    return text


def _fold_literal(value: dict[str, Any]) -> Any:
    """The literal that a function over literal texts comes to."""
    if value.keys() == {"Fn::Sub"} and isinstance(text := value["Fn::Sub"], str):
        return value if "${" in text else text
    if value.keys() == {"Fn::Join"} and isinstance(parts := value["Fn::Join"], list):
        return _join_literals(parts) or value
    return value


def _join_literals(parts: list[Any]) -> str | None:
    if len(parts) != 2 or not isinstance(parts[0], str) or not isinstance(parts[1], list):
        return None
    texts = [one for one in parts[1] if isinstance(one, str)]
    return parts[0].join(texts) if len(texts) == len(parts[1]) else None


def _shared_settings(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `Globals` says of every simple table."""
    found = document.get("Globals")
    shared = found.get("SimpleTable") if isinstance(found, Mapping) else None
    return shared if isinstance(shared, Mapping) else {}


def _as_table(resource: Mapping[str, Any], shared: Mapping[str, Any]) -> Mapping[str, Any]:
    """A resource, and in place of a simple table the table that SAM makes of it."""
    if resource.get("Type") != SIMPLE_TABLE:
        return resource
    properties = resource.get("Properties")
    if properties is not None and not isinstance(properties, Mapping):
        return {**resource, "Type": TABLE}
    kept = dict(_table_properties({**shared, **(properties or {})}))
    return {**resource, "Type": TABLE, "Properties": kept}


def _table_properties(given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    key = given.pop("PrimaryKey", {"Name": "id", "Type": "String"})
    tags = given.pop("Tags", None)
    if isinstance(key, Mapping) and key.keys() <= {"Name", "Type"}:
        name, kind = key.get("Name"), key.get("Type")
        of_type = _TYPES.get(kind, kind) if isinstance(kind, str) else kind
        yield "AttributeDefinitions", [{"AttributeName": name, "AttributeType": of_type}]
        yield "KeySchema", [{"AttributeName": name, "KeyType": "HASH"}]
    else:
        yield "KeySchema", key
    if "ProvisionedThroughput" not in given:
        yield "BillingMode", "PAY_PER_REQUEST"
    if isinstance(tags, Mapping) and not any(str(one).startswith(FUNCTION) for one in tags):
        yield "Tags", [{"Key": one, "Value": value} for one, value in tags.items()]
    elif tags is not None:
        yield "Tags", tags
    yield from given.items()

"""Whether a value of a template is literal, and if not, what computes it; pure.

This is the one place that tells a literal from a function. Whatever CloudFormation alone can
resolve becomes a `Computed`, which equals no literal, so that nothing takes it for one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_LEVELS = 100
"""How deep a document may be nested; nothing that is written for AWS comes near it."""

SHORTEST_PART = 3
"""Characters of a part of a hidden text that is hidden by itself; shorter ones stand anywhere."""

FUNCTION = "Fn::"
DEFINITIONS = ("Parameters", "Mappings", "Conditions", "Resources")

ANSWERING = (
    "AWS::CloudFormation::CustomResource",
    "AWS::CloudFormation::Stack",
    "Custom::",
)
"""Types whose answers (`Ref`, `Fn::GetAtt`) may change with any of their properties."""

ADDRESS = "TemplateURL"
"""The property of a nested stack that changes with whatever changes in its template, most of which
changes no output."""

NAMING = ("Identifier", "Name", "Namespace", "Prefix", "Value")
"""The ends of properties that hold a name, a part of one, or the value that others are named by."""

NO_VALUE = {"Ref": "AWS::NoValue"}
"""Stands for a property that is left out (Template Reference, "Pseudo parameters reference")."""

_DYNAMIC = re.compile(r"\{\{resolve:[^}]*\}\}")
_VARIABLE = re.compile(r"\$\{(?!!)([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Computed:
    """A value that CloudFormation computes.

    Two are equal where the expression and every definition of the template that it rests on are.
    `given` holds these definitions by name; `reason` says why a run does not know the value, and
    what would make it known.
    """

    expression: Any
    given: Mapping[str, Any] = field(default_factory=dict)
    reason: str = field(default="", compare=False)

    def __str__(self) -> str:
        """The function, for people."""
        return find_function(self.expression) or "a function"


def find_function(value: object) -> str | None:
    """The first function in a value, such as ``Ref: Stage`` or ``Fn::If``; None in a literal."""
    return next(_functions(value), None)


def is_function(value: object) -> bool:
    """Whether a value is a function itself, rather than a list or mapping that holds one."""
    return own_name(value) is not None


def _functions(value: object) -> Iterator[str]:
    if (name := own_name(value)) is not None:
        yield name
    elif isinstance(value, list):
        for one in value:
            yield from _functions(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _functions(one)


def own_name(value: object) -> str | None:
    """The function that a value is, in the words of a template."""
    if isinstance(value, Computed):
        return str(value)
    if isinstance(value, str):
        match = _DYNAMIC.search(value)
        return match.group() if match else None
    if not isinstance(value, Mapping):
        return None
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref" or (name == "Condition" and isinstance(argument, str)):
            return f"{name}: {argument}" if isinstance(argument, str) else str(name)
    return next((str(key) for key in value if str(key).startswith(FUNCTION)), None)


@dataclass(frozen=True, slots=True)
class Scope:
    """The definitions of a template that its functions rest on.

    `changed` are the parameters that a deployment sets to another value than the stack has.
    """

    document: Mapping[str, Any]
    changed: frozenset[str] = frozenset()

    def evaluate(self, value: object) -> Any:
        """The value, with a `Computed` in the place of every function."""
        if value == NO_VALUE:
            return None
        if is_function(value):
            return Computed(value, self._definitions(value))
        if isinstance(value, list):
            return [self.evaluate(one) for one in value]
        if isinstance(value, Mapping):
            return {name: self.evaluate(one) for name, one in value.items()}
        return value

    def condition(self, name: object) -> Computed | None:
        """The condition under which a resource exists; None where it always does."""
        return None if name is None else self.evaluate({"Condition": str(name)})

    def _definitions(self, value: object) -> dict[str, Any]:
        """What the template defines under the names that a function mentions, theirs included."""
        definitions: dict[str, Any] = {}
        waiting = list(_mentioned_names(value))
        while waiting:
            name = waiting.pop()
            if name in definitions:
                continue
            definitions[name] = [
                _essence(kind, section[name])
                for kind in DEFINITIONS
                if isinstance(section := self.document.get(kind), Mapping) and name in section
            ]
            if definitions[name] and name in self.changed:
                definitions[name].append("changed by this deployment")
            waiting += _mentioned_names(definitions[name])
        return {name: defined for name, defined in definitions.items() if defined}


def _mentioned_names(value: object) -> Iterator[str]:
    """Every text in a value that may be the name of a definition."""
    if isinstance(value, str):
        yield value
        yield value.partition(".")[0]
        for variable in _VARIABLE.findall(value):
            yield variable.strip().partition(".")[0]
    elif isinstance(value, list):
        for one in value:
            yield from _mentioned_names(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _mentioned_names(one)


def _essence(kind: str, definition: Any) -> Any:
    """What of a definition a value rests on: of a parameter not, say, its description.

    What a resource is called changes with its type and its name, and with little else; what others
    answer with is what they are given.
    """
    if kind == "Parameters" and isinstance(definition, Mapping):
        return {name: definition.get(name) for name in ("Type", "Default")}
    if kind == "Resources" and isinstance(definition, Mapping):
        parts = {name: definition.get(name) for name in ("Type", "Condition")}
        if str(parts["Type"]).startswith(ANSWERING):
            properties = definition.get("Properties")
            others = {name: one for name, one in mapping_of(properties).items() if name != ADDRESS}
            return parts | {"Properties": others or properties}
        named = mapping_of(definition.get("Properties")).items()
        return parts | {str(name): value for name, value in named if str(name).endswith(NAMING)}
    return definition


def mapping_of(value: object) -> Mapping[str, Any]:
    """The mapping that a value is; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def text_of(value: object) -> str | None:
    """The text that CloudFormation takes a literal scalar for; None for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def as_texts(value: Any) -> Any:
    """The value with every scalar as text, so that ``true`` and ``"true"`` are the same."""
    if isinstance(value, list):
        return [as_texts(one) for one in value]
    if isinstance(value, Mapping):
        return {name: as_texts(one) for name, one in value.items()}
    text = text_of(value)
    return value if text is None else text


def count_levels(value: object) -> int:
    """How many mappings and lists stand inside one another; counts no further than one too many."""
    level, levels = [value], 0
    while levels <= MOST_LEVELS and (level := [one for each in level for one in _inside(each)]):
        levels += 1
    return levels


def _inside(value: object) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []


def list_hidden_texts(properties: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    """Every text that must not be shown in some properties, the longest first.

    A text that is JSON itself stands for each text in it, too, because a service may repeat a part.
    """
    texts = set(list_texts([properties.get(name) for name in names]))
    for text in list(texts):
        try:
            texts |= {part for part in list_texts(json.loads(text)) if len(part) >= SHORTEST_PART}
        except ValueError:
            continue
    return tuple(sorted(filter(None, texts), key=len, reverse=True))


def mask_texts(reason: str, hidden: Iterable[str]) -> str:
    """A service's words without the texts that must not be shown, be they escaped or wrapped."""
    for text in hidden:
        for form in (text, json.dumps(text)[1:-1]):
            if parts := form.split():
                reason = re.sub(r"\s+".join(map(re.escape, parts)), "***", reason)
    return reason


def list_texts(value: Any) -> Iterator[str]:
    """Every text that a value holds, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from list_texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from list_texts(one)

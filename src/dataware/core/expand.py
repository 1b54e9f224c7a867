"""Writes out what a template only says in short: loops, and the short forms of the cards; pure.

Source: CloudFormation Template Reference, "Fn::ForEach".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dataware.core.kind import Kind
from dataware.core.nested_application import NESTED_APPLICATION, write_out_application
from dataware.core.values import FUNCTION, Scope, find_function, is_function, mapping_of, text_of

LOOP = "Fn::ForEach::"
MOST_COPIES = 5_000
"""More than a template can hold (500 resources), with room for loops inside of properties."""

MACRO = "Transform "
"""What the name of a macro is told behind."""

_HARMLESS_TRANSFORMS = (
    "AWS::CodeDeployBlueGreen",
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
    "AWS::ServiceCatalog",
)
"""Transforms of AWS that add nothing which holds data (Template Reference, "Transform
reference"), beside those of the short forms."""


@dataclass(frozen=True)
class ExpandedTemplate:
    """A template written out; `unseen` holds by name what may declare unseen resources.

    The resources are read once, because each resource of a template asks for all of them.
    """

    document: Mapping[str, Any]
    unseen: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def resources(self) -> Mapping[str, dict[str, Any]]:
        """The plain resources by logical id."""
        resources = self.document.get("Resources")
        if not isinstance(resources, Mapping):
            return {}
        return {one: dict(body) for one, body in resources.items() if isinstance(body, Mapping)}

    @cached_property
    def ids_by_type(self) -> Mapping[str, Sequence[str]]:
        """The logical ids of the plain resources by type, in the order of the template."""
        ids: dict[str, list[str]] = {}
        for logical_id, body in self.resources.items():
            if isinstance(named := body.get("Type"), str):
                ids.setdefault(named, []).append(logical_id)
        return ids


Resolve = Callable[[Any], Any]
"""Answers with the value of an expression, which holds a function where that is unknown."""


def _leave(expression: Any) -> Any:
    return expression


def expand(
    document: Mapping[str, Any], kinds: Mapping[str, Kind], resolve: Resolve = _leave
) -> ExpandedTemplate:
    """The template with its loops and the short forms of `kinds` written out.

    `resolve` evaluates the lists of loops; without it only a literal list is written out.
    """
    cards = {form.type: kind for kind in kinds.values() if (form := kind.template.short_form)}
    macros = _macros(document, cards.values())
    resources = document.get("Resources")
    if not isinstance(resources, Mapping):
        return ExpandedTemplate(document, macros)
    copies = _Copies(resolve)
    written = copies.expand_mapping(resources, {})
    readable = {
        one: _write_out(body, cards, document.get("Globals"))
        for one, body in written.items()
        if isinstance(body, Mapping)
        and not one.startswith(FUNCTION)
        and ("Type" in body or not is_function(body))
    }
    unseen = {
        one: body
        for one, body in written.items()
        if one not in readable or _is_module(readable[one])
    }
    # Bound to the definitions they rest on, so that two are equal only where these are, too.
    bound = {one: Scope(document).evaluate(body) for one, body in unseen.items()}
    others = {
        name: copies.expand_mapping(section, {})
        for name in ("Conditions", "Outputs")
        if isinstance(section := document.get(name), Mapping)
    }
    return ExpandedTemplate({**document, **others, "Resources": readable}, {**bound, **macros})


def has_macro(unseen: Mapping[str, Any]) -> bool:
    """Whether a macro, which reads the whole template, is among what nobody sees."""
    return any(name.startswith(MACRO) for name in unseen)


def declares_transform(document: Mapping[str, Any], name: str) -> bool:
    """Whether a template names a transform."""
    declared = document.get("Transform")
    return name in (declared if isinstance(declared, list) else [declared])


def warn_of_unseen(where: str, unseen: Mapping[str, Any]) -> list[str]:
    """A warning for each part of a template that may declare unseen resources."""
    return [_warning(where, name, part) for name, part in unseen.items()]


def _warning(where: str, name: str, part: Any) -> str:
    if name.startswith(LOOP):
        what, how = "its list is not known, or gives a name twice", "write the list out"
    elif name.startswith(MACRO):
        what, how = "a macro may add resources", "process the template first"
    elif _is_module(part):
        what, how = "a module stands for resources of its own", "write its resources out"
    elif name.startswith(FUNCTION) or find_function(part):
        function = "" if name.startswith(FUNCTION) else f" ({find_function(part)})"
        what, how = f"only CloudFormation resolves it{function}", "write its resources out"
    else:
        what = f"it is {'empty' if part is None else 'no resource'}"
        how = "give it a Type and Properties, or remove it"
    return f"{where}: {name} is not inspected, because {what}; {how}"


def _is_module(resource: Any) -> bool:
    """Whether a module stands for resources of its own (User Guide, "CloudFormation modules")."""
    return str(mapping_of(resource).get("Type")).endswith("::MODULE")


def _macros(document: Mapping[str, Any], cards: Iterable[Kind]) -> dict[str, Any]:
    """The transforms that may add any resource, each under a name of its own."""
    forms = (kind.template.short_form for kind in cards)
    harmless = {*_HARMLESS_TRANSFORMS, *(form.transform for form in forms if form)}
    each: list[Any] = []
    for key in ("Transform", f"{FUNCTION}Transform"):
        declared = document.get(key)
        each += declared if isinstance(declared, list) else [declared]
    names = {_macro_name(one): one for one in each if one is not None}
    return {f"{MACRO}{name}": one for name, one in names.items() if name not in harmless}


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
        expanded: dict[str, Any] = {}
        for key, body in mapping.items():
            name = str(key)
            loop = self._loop_in(name, body, values)
            if loop is None or self.made + len(loop.items) > MOST_COPIES:
                expanded[_substitute_loop_values(name, values)] = self._expand(body, values)
                continue
            copies = self._list_copies(loop, values)
            if len({one for one, _ in copies}) < len(copies):
                # CloudFormation refuses two copies of one name, so none of them is for certain.
                expanded[name] = body
            else:
                expanded.update(copies)
        return expanded

    def _list_copies(self, loop: _Loop, values: Mapping[str, str]) -> list[tuple[str, Any]]:
        """What a loop comes to, copy by copy."""
        copies: list[tuple[str, Any]] = []
        for item in loop.items:
            self.made += 1
            copies += self.expand_mapping(loop.body, {**values, loop.identifier: item}).items()
        return copies

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


def _write_out(
    resource: Mapping[str, Any], cards: Mapping[str, Kind], shared: Any
) -> Mapping[str, Any]:
    """A resource, and in place of a short form what it stands for.

    `shared` is the section that says what all resources of a short form have.
    """
    named = resource.get("Type")
    kind = cards.get(named) if isinstance(named, str) else None
    if named == NESTED_APPLICATION:
        return write_out_application(resource)
    if kind is None or kind.template.short_form is None:
        return resource
    form, properties = kind.template.short_form, resource.get("Properties")
    full = {**resource, "Type": kind.cfn_type}
    if properties is not None and not isinstance(properties, Mapping):
        return full
    defaults = mapping_of(mapping_of(shared).get(form.type.rpartition("::")[2]))
    return {**full, "Properties": dict(form.write_out({**defaults, **(properties or {})}))}

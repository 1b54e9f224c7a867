"""The values of parameters, and which of them a deployment changes; pure.

A name, a key or a condition that rests on a changed parameter is another one, although the template
says the same.

Source: AWS CDK documentation, "cdk deploy" (`--parameters`, `--previous-parameters`);
CloudFormation User Guide, "Parameters", and "Specify existing resources at runtime with
CloudFormation-supplied parameter types".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from dataware.core.errors import InputError
from dataware.core.evaluation import NotKnownError
from dataware.core.stack_template import DeclaredResource, StackTemplate
from dataware.core.values import Computed, Scope, as_texts, find_function, mapping_of, text_of

STORED = re.compile(r"AWS::\w+::Parameter::Value<(.*)>")
"""A type whose value is the name of an SSM parameter, which holds the value that is meant."""

EVERY = ""
"""Stands for every stack where a parameter is given without the name of one."""


@dataclass(frozen=True, slots=True)
class GivenParameters:
    """What a deployment says of parameters: values by the name of the stack.

    `keeps_others` says that what is not given keeps the value that the stack has. `for_cdk` says
    that they go to CDK, which passes over those of a stack that the app does not have, and
    `rolls_back` that it rolls a stack back whose last deployment failed.
    """

    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    keeps_others: bool = True
    for_cdk: bool = False
    rolls_back: bool = True

    def values_for(self, stack: str) -> dict[str, str]:
        """The values for a stack; its own go before those for every stack."""
        return {**self.values.get(EVERY, {}), **self.values.get(stack, {})}

    def concerns(self, stack: str) -> bool:
        """Whether it can change a parameter of a stack."""
        return not self.keeps_others or bool(self.values_for(stack))


def parse_parameters(words: Sequence[str], *, keeps_others: bool) -> GivenParameters:
    """The parameters in words such as ``KEY=VALUE`` and ``STACK:KEY=VALUE``, as CDK reads them.

    CDK keeps what is for every stack under ``*``, so that a word may name that in place of a stack.
    Raises InputError for a word whose stack is empty, which CDK gives to none.
    """
    values: dict[str, dict[str, str]] = {}
    for word in words:
        name, _, value = word.partition("=")
        stack, colon, key = name.partition(":")
        if colon and not stack:
            raise InputError(f"the parameter {word} names no stack: leave out its colon")
        every = not colon or stack == "*"
        values.setdefault(EVERY if every else stack, {})[key if colon else stack] = value
    return GivenParameters(values, keeps_others)


def find_changed(
    parameters: GivenParameters, template: StackTemplate, deployed: Mapping[str, str] | None
) -> frozenset[str]:
    """The parameters that get another value; all in question where `deployed` is not known."""
    given_values = parameters.values_for(template.name)
    declared = declared_parameters(template.document)
    values = {name: given_values.get(name) for name in declared if name in given_values}
    if not parameters.keeps_others:
        defaults = {name: text_of(one.get("Default")) for name, one in declared.items()}
        values = {**defaults, **values}
    return frozenset(
        name for name, value in values.items() if deployed is None or deployed.get(name) != value
    )


def has_new_default(template: StackTemplate, before: StackTemplate, given: GivenParameters) -> bool:
    """Whether a parameter may keep the value that it has, or get another default than before."""
    if not given.keeps_others:
        return False
    named, was = given.values_for(template.name), declared_parameters(before.document)
    return any(
        name in was and name not in named and one.get("Default") != was[name].get("Default")
        for name, one in declared_parameters(template.document).items()
        if one.get("Default") is not None
    )


def declared_parameters(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The parameters that a template defines."""
    named = mapping_of(document.get("Parameters")).items()
    return {str(name): one for name, one in named if isinstance(one, Mapping)}


def mark_changed(template: StackTemplate, names: Set[str]) -> StackTemplate:
    """The template, in which no function that rests on one of these parameters is as before."""
    if not names:
        return template
    changed = frozenset(names)
    resources = {
        logical_id: replace(one, scope=Scope(one.scope.document, changed))
        for logical_id, one in template.resources.items()
    }
    # What is made of an unseen part may rest on any parameter.
    unseen = {name: [part, sorted(changed)] for name, part in template.unseen.items()}
    return replace(template, resources=resources, unseen=unseen)


def find_changed_parameters(was: DeclaredResource | None, now: DeclaredResource) -> frozenset[str]:
    """The parameters of a nested stack that its parent sets to something else than before."""
    passed, before = now.value("Parameters"), was.value("Parameters") if was else None
    if was is None or not isinstance(passed, Mapping):
        return frozenset()
    earlier = mapping_of(before)
    known, known_before = now.known_value("Parameters"), was.known_value("Parameters")
    return frozenset(
        str(name)
        for name, one in passed.items()
        if earlier.get(name) != one and not _is_same_known(name, known, known_before)
    )


def _is_same_known(name: str, one: Any, other: Any) -> bool:
    """Whether both sides know a value, and it is the same."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return False
    values = [as_texts(each.get(name)) for each in (one, other)]
    return not find_function(values) and bool(values[0] == values[1])


@dataclass(frozen=True, slots=True)
class ParameterValues:
    """The values that the parameters of one stack get.

    `given` are those of the command line, or of the stack in which this one is nested; `deployed`
    answers with those that the deployed stack has, empty without one, and raises NotKnownError
    where it cannot be seen; `stored` answers for SSM parameters. `keeps_others` as in
    `GivenParameters`. `hint` is what else would make a value known.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    deployed: Callable[[], Mapping[str, str]] = dict
    stored: Callable[[str], str] = lambda name: name
    keeps_others: bool = True
    hint: str = ""

    def value(self, name: str, definition: Mapping[str, Any]) -> Any:
        """The value of a parameter, a list where its type is one. Raises NotKnownError.

        A secret (`NoEcho`) stays unknown, whoever says it.
        """
        if text_of(definition.get("NoEcho")) == "true":
            raise NotKnownError(f"parameter {name} is a secret (NoEcho), which is never read")
        text = self._text(name, definition)
        kind = str(definition.get("Type"))
        if stored := STORED.fullmatch(kind):
            kind, text = stored[1], self.stored(text)
        listed = kind == "CommaDelimitedList" or kind.startswith("List<")
        return [one.strip() for one in text.split(",")] if listed else text

    def _text(self, name: str, definition: Mapping[str, Any]) -> str:
        value: Any = self.given.get(name)
        if isinstance(value, Computed):
            raise NotKnownError(value.reason or f"parameter {name} is computed ({value})")
        if value is None and self.keeps_others:
            value = self.deployed().get(name)
        if isinstance(value, list):
            value = ",".join(map(str, value))
        text = text_of(definition.get("Default") if value is None else value)
        if text is None:
            raise NotKnownError(
                f"parameter {name} has no value: pass --parameter {name}=VALUE{self.hint}"
            )
        return text


def list_parameter_problems(definition: Mapping[str, Any], value: str) -> Iterator[str]:
    """What CloudFormation would refuse of the value of a parameter, a clause each.

    Patterns are left to CloudFormation, which reads them as Java does.
    """
    allowed = definition.get("AllowedValues")
    if isinstance(allowed, list) and value not in {text_of(one) for one in allowed}:
        yield f"it takes one of {', '.join(str(text_of(one)) for one in allowed)}"
    if definition.get("Type") == "Number":
        number = _number(value)
        if number is None:
            yield "it takes a number"
            return
        yield from _outside(definition, "Value", number)
    else:
        yield from _outside(definition, "Length", len(value), " characters")


def _outside(
    definition: Mapping[str, Any], what: str, size: float, unit: str = ""
) -> Iterator[str]:
    least, most = (_number(text_of(definition.get(f"{end}{what}"))) for end in ("Min", "Max"))
    if least is not None and size < least:
        yield f"it takes {least:g}{unit} or more"
    if most is not None and size > most:
        yield f"it takes {most:g}{unit} or less"


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class UpdatedParameters:
    """The values that the parameters of a deployed stack get with its next deployment.

    What is given holds. What is not keeps the value that the stack has, unless its default is
    another one than in the deployed template: then the new default counts, because whoever deploys
    may hand nothing on, and the guard looks at both. `before` are the parameters of the deployed
    template, None where that is not seen: then a value is kept.
    """

    values: ParameterValues
    before: Mapping[str, Mapping[str, Any]] | None = None

    def value(self, name: str, definition: Mapping[str, Any]) -> Any:
        """The value of a parameter, a list where its type is one. Raises NotKnownError."""
        was = (self.before or {}).get(name)
        if was is None or name in self.values.given:
            return self.values.value(name, definition)
        if text_of(was.get("NoEcho")) == "true":
            raise NotKnownError(f"parameter {name} is a secret (NoEcho), which is never read")
        default = text_of(definition.get("Default"))
        if default is not None and default != text_of(was.get("Default")):
            return replace(self.values, deployed=dict).value(name, definition)
        return self.values.value(name, definition)

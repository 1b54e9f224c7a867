"""Which parameters of a stack a deployment sets to another value than they have; pure.

A name, a key or a condition that rests on such a parameter is another one, although the template
says the same.

Source: AWS CDK documentation, "cdk deploy" (`--parameters`, `--previous-parameters`);
CloudFormation User Guide, "Parameters".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from dataware.core.guard import DeclaredResource, StackTemplate
from dataware.core.values import Scope, text_of

EVERY = ""
"""Stands for every stack where a parameter is given without the name of one."""


@dataclass(frozen=True, slots=True)
class GivenParameters:
    """What a deployment says of parameters: values by the name of the stack.

    `keeps_others` says that what is not given keeps the value that the stack has.
    """

    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    keeps_others: bool = True

    def values_for(self, stack: str) -> dict[str, str]:
        """The values for a stack; its own go before those for every stack."""
        return {**self.values.get(EVERY, {}), **self.values.get(stack, {})}

    def concerns(self, stack: str) -> bool:
        """Whether it can change a parameter of a stack."""
        return not self.keeps_others or bool(self.values_for(stack))


def parse_parameters(words: Sequence[str], *, keeps_others: bool) -> GivenParameters:
    """The parameters in words such as ``KEY=VALUE`` and ``STACK:KEY=VALUE``, as CDK reads them."""
    values: dict[str, dict[str, str]] = {}
    for word in words:
        name, _, value = word.partition("=")
        stack, colon, key = name.partition(":")
        values.setdefault(stack if colon else EVERY, {})[key if colon else stack] = value
    return GivenParameters(values, keeps_others)


def find_changed(
    given: GivenParameters, template: StackTemplate, deployed: Mapping[str, str] | None
) -> frozenset[str]:
    """The parameters that get another value; all in question where `deployed` is not known."""
    given_values = given.values_for(template.name)
    declared = _declared_parameters(template)
    values = {name: given_values.get(name) for name in declared if name in given_values}
    if not given.keeps_others:
        defaults = {name: text_of(one.get("Default")) for name, one in declared.items()}
        values = {**defaults, **values}
    return frozenset(
        name for name, value in values.items() if deployed is None or deployed.get(name) != value
    )


def _declared_parameters(template: StackTemplate) -> dict[str, Mapping[str, Any]]:
    for one in template.resources.values():
        found = one.scope.document.get("Parameters")
        named = found.items() if isinstance(found, Mapping) else ()
        return {str(name): one for name, one in named if isinstance(one, Mapping)}
    return {}


def mark_changed(template: StackTemplate, names: Set[str]) -> StackTemplate:
    """The template, in which no function that rests on one of these parameters is as before."""
    if not names:
        return template
    changed = frozenset(names)
    resources = {
        logical_id: replace(one, scope=Scope(one.scope.document, changed))
        for logical_id, one in template.resources.items()
    }
    return replace(template, resources=resources)


def find_changed_parameters(was: DeclaredResource | None, now: DeclaredResource) -> frozenset[str]:
    """The parameters of a nested stack that its parent sets to something else than before."""
    passed, before = now.value("Parameters"), was.value("Parameters") if was else None
    if was is None or not isinstance(passed, Mapping):
        return frozenset()
    earlier = before if isinstance(before, Mapping) else {}
    return frozenset(str(name) for name, one in passed.items() if earlier.get(name) != one)

"""A change of what is deployed that CloudFormation refuses, so that the deployment fails; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dataware.core.kind import Kind
from dataware.core.stack_template import DeclaredResource, StackTemplate, is_changed


@dataclass(frozen=True, slots=True)
class RefusedUpdate:
    """A property that a template changes, and that nothing can change."""

    stack: str
    logical_id: str
    noun: str
    short: str
    name: str

    def __str__(self) -> str:
        """What would happen, and what to do, in one sentence."""
        return (
            f"the deployment of stack {self.stack} would fail, because CloudFormation cannot "
            f"change {self.name} of {self.noun} {self.logical_id}; leave it as it is, or declare "
            f"a new {self.short} under another name"
        )


def find_refused_updates(
    kinds: Mapping[str, Kind], now: StackTemplate, before: Mapping[str, DeclaredResource]
) -> Iterator[RefusedUpdate]:
    """The changes that CloudFormation refuses, among the resources that a stack keeps.

    A value that is left out is the default of the service, which each kind's form of it knows.
    """
    for logical_id, was in before.items():
        kind, declared = kinds.get(was.type), now.resources.get(logical_id)
        if kind is None or declared is None or declared.type != was.type:
            continue
        forms = kind.comparison.forms if kind.comparison else {}
        for name in kind.template.unchangeable:
            form = forms.get(name, lambda value: value)
            known = [form(one.known_values().get(name)) for one in (was, declared)]
            if is_changed(was, declared, name) and known[0] != known[1]:
                yield RefusedUpdate(now.name, logical_id, kind.noun, kind.short, name)

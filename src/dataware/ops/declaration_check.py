"""Checks what is declared of a resource against what is there, before anything is decided on it.

A mistake in a file is told as one, and never as a missing permission.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Action, Creator, Decision, Existence, Facts, Wanted
from dataware.core.plan import COPYING
from dataware.core.situation import source_of
from dataware.core.values import find_function
from dataware.ops.inputs.snippets import toml_value

NOT_SEEN = 14


def check_declared(
    kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts, fallbacks: Sequence[Facts]
) -> Decision:
    """The decision, whose reason names the function that hides what it rests on.

    Raises InputError where the preferred resource has to be created and cannot be as it is
    declared.
    """
    if preferred.existence is not Existence.ABSENT:
        return decision
    is_made = decision.action in (Action.CREATE, *COPYING)
    if is_made and (problem := kind.names.check(wanted.preferred)):
        raise InputError(
            f"{_where(wanted)}: {wanted.preferred} does not exist, and cannot be created, "
            f"because it is not a valid {kind.noun} name: {problem}"
        )
    if kind.template.declared_schema(wanted.properties) is not None:
        return decision
    is_seen = not any(facts.unseen for facts in (preferred, *fallbacks))
    hidden = decision.action is Action.STOP and decision.rule == NOT_SEEN and is_seen
    source = source_of(preferred, fallbacks)
    if function := _function_in_keys(kind, wanted.properties):
        reason = (
            f"only CloudFormation resolves the key schema of {wanted.preferred} ({function}), so "
            f"it cannot be compared with that of {source.name if source else 'a fallback'}: write "
            "it out"
        )
        return replace(decision, reason=reason) if hidden else decision
    if is_made or hidden:
        raise InputError(_no_keys(kind, wanted, source))
    return decision


def _function_in_keys(kind: Kind, properties: Mapping[str, Any]) -> str | None:
    """The function that hides the key schema, if one does."""
    rests_on = [properties.get(name) for name in kind.template.replacing]
    return find_function([*rests_on, kind.template.fixed_parts(properties)]) or find_function(
        {name: value for name, value in properties.items() if name.startswith("Fn::")}
    )


def _no_keys(kind: Kind, wanted: Wanted, source: Facts | None) -> str:
    """That the keys are missing, and what to add, as the older resource has it."""
    says = (
        f"{_where(wanted)}: {kind.noun} {wanted.preferred} declares no key schema, so it cannot be "
        "created"
    )
    added = kind.template.properties_like(source) if source else {}
    if source is None or not added:
        return f"{says}; add its CloudFormation properties"
    if wanted.creator is Creator.APPLY:
        block = f"properties = {toml_value(added)}"
    else:
        block = ", ".join(f"{name}: {json.dumps(value)}" for name, value in added.items())
    return f"{says}; {source.name} has {source.schema}; add to it: {block}"


def _where(wanted: Wanted) -> str:
    return wanted.where or wanted.id

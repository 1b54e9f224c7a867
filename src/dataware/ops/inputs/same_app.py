"""Whether an app that was run twice declares the same data both times.

What is looked at and guarded is one run of an app, and what CDK deploys is another one, after the
data was brought in place. An app may answer to the time, a variable or an edit meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from dataware.core.stack_template import DeclaredResource, StackTemplate
from dataware.ops.inputs.assembly import Stack, read_stacks, read_whole
from dataware.ops.inputs.opted_in import KEY
from dataware.ops.inputs.template import resources_of
from dataware.ops.inputs.wanted import Kinds


def find_differences(
    guarded: Path, deployed: Path, stack_ids: Collection[str], cards: Kinds
) -> Iterator[str]:
    """What of the stacks that are deployed was declared otherwise when it was guarded.

    Both folders are cloud assemblies. Raises InputError for what CDK has not written like that.
    """
    before = {stack.id: stack for stack in read_stacks(guarded)}
    now = {stack.id: stack for stack in read_stacks(deployed)}
    for stack_id in stack_ids:
        if stack_id not in now or not _is_same_stack(before[stack_id], now[stack_id]):
            yield f"stack {stack_id}"
            continue
        opted = set(_opted_in(before[stack_id], cards))
        one, other = (read_whole(each[stack_id], cards) for each in (before, now))
        yield from _compare(one, other, cards, opted)


def _is_same_stack(one: Stack, other: Stack) -> bool:
    return (one.name, one.environment) == (other.name, other.environment)


def _opted_in(stack: Stack, cards: Kinds) -> Iterator[str]:
    """The resources that constructs may turn into references, which then are declared no more."""
    for logical_id, resource in resources_of(stack.template, cards).items():
        metadata = resource.get("Metadata")
        if isinstance(metadata, Mapping) and KEY in metadata:
            yield logical_id


def _compare(
    before: StackTemplate, now: StackTemplate, cards: Kinds, opted: Collection[str]
) -> Iterator[str]:
    for logical_id in dict.fromkeys([*before.resources, *now.resources]):
        one, other = before.resources.get(logical_id), now.resources.get(logical_id)
        if any(each is not None and each.is_own for each in (one, other)):
            continue
        types = {each.type for each in (one, other) if each is not None}
        if not any(name in cards and cards[name].template.stateful for name in types):
            continue
        decided = logical_id in opted
        if other is None and decided:
            continue
        if _essence(one, cards, decided=decided) != _essence(other, cards, decided=decided):
            yield f"{logical_id} of stack {now.name}"
    if before.unseen != now.unseen:
        yield f"{', '.join({**before.unseen, **now.unseen})} of stack {now.name}"
    for logical_id in dict.fromkeys([*before.nested, *now.nested]):
        empty = StackTemplate(f"{now.name}/{logical_id}", {})
        one_inner, other_inner = (side.nested.get(logical_id, empty) for side in (before, now))
        yield from _compare(one_inner, other_inner, cards, ())


def _essence(one: DeclaredResource | None, cards: Kinds, *, decided: bool) -> Any:
    """What of a resource the guard and the decision rest on; how an import is written is not."""
    if one is None or one.type not in cards:
        return one and one.type
    card = cards[one.type]
    values = [one.value(name) for name in (card.template.identifier, *card.template.replacing)]
    policies = None if decided else (one.deletion_policy, one.replace_policy)
    condition = one.scope.condition(one.condition)
    return one.type, values, card.template.fixed_parts(one.values()), condition, policies

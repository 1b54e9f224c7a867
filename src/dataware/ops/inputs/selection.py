"""Which stacks of an assembly a command means: those that `cdk deploy` deploys, for the same words.

CDK selects among the paths of all stacks by patterns, or takes the stacks outside of stages with
`--all`, or else the only one there is; then it adds what the selected ones depend on, unless told
to go by the words alone. This module does the same to the stacks of an assembly.

Source: AWS CDK documentation, "cdk deploy"; its behaviour in detail is asked of the command line
itself by the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dataware.calc.suggest import did_you_mean
from dataware.core.errors import InputError
from dataware.core.names import parse_stack
from dataware.ops.inputs.assembly import Stack

LITERAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_/.: -]*")
"""What every version of CDK takes for the path of a stack and for nothing else."""

Matcher = Callable[[Sequence[Stack], Sequence[str]], list[Stack]]
"""Answers which of the stacks fit the patterns, dependencies left out."""


@dataclass(frozen=True, slots=True)
class StackSelection:
    """The stacks that a command names, as the CDK command line takes them."""

    patterns: tuple[str, ...] = ()
    all: bool = False
    exclusively: bool = False


def select_stacks(
    stacks: Sequence[Stack], selection: StackSelection, match: Matcher
) -> list[Stack]:
    """The stacks that CDK deploys for a selection, in the order of the assembly.

    `match` is asked where a pattern is more than the path of a stack. Raises InputError where CDK
    refuses the selection.
    """
    outside = [stack for stack in stacks if not stack.staged]
    if selection.all and selection.patterns:
        raise InputError("name stacks or pass --all, not both: --all deploys every stack anyway")
    if selection.all:
        if not outside:
            raise InputError(
                "--all means the stacks outside of stages, and this app has none: name the stacks, "
                f"such as '{stacks[0].id.split('/')[0]}/*'"
            )
        chosen = outside
    elif selection.patterns:
        chosen = _match_patterns(stacks, selection.patterns, match)
    elif len(outside) == 1:
        return outside
    elif not outside:
        raise InputError(
            "all stacks of the app are in stages: name those to deploy, as in "
            f"`dataware deploy -- '{stacks[0].id.split('/')[0]}/*'`; there are "
            f"{_list_stacks(stacks)}"
        )
    else:
        raise InputError(
            f"the app has several stacks ({_list_stacks(stacks)}): name some, or pass --all for "
            "all outside of stages, as in `dataware deploy -- --all`"
        )
    return chosen if selection.exclusively else _with_dependencies(stacks, chosen)


def _with_dependencies(stacks: Sequence[Stack], chosen: Sequence[Stack]) -> list[Stack]:
    """The chosen stacks with all that they depend on, in the order of the assembly."""
    by_id = {stack.id: stack for stack in stacks}
    ids: set[str] = set()
    waiting = [stack.id for stack in chosen]
    while waiting:
        stack_id = waiting.pop()
        if stack_id in by_id and stack_id not in ids:
            ids.add(stack_id)
            waiting += by_id[stack_id].depends_on
    return [stack for stack in stacks if stack.id in ids]


def stacks_named(stacks: Sequence[Stack], name: str, *, exclusively: bool = False) -> list[Stack]:
    """The stack that has `name` as its path, name or ARN, with what it depends on.

    The path goes first, because that is what the CDK command line takes. Raises InputError if there
    is none, or several have that name.
    """
    by_path = [stack for stack in stacks if stack.id == name]
    plain, account, region = parse_stack(name)
    chosen = by_path or [
        stack
        for stack in stacks
        if stack.name == plain
        and stack.environment.account in {None, account or stack.environment.account}
        and stack.environment.region in {None, region or stack.environment.region}
    ]
    if len(chosen) > 1:
        paths = " or ".join(f"--stack {stack.id} ({stack.environment})" for stack in chosen)
        raise InputError(f"the app has {len(chosen)} stacks of the name {name}: choose {paths}")
    if not chosen:
        names = {stack.name for stack in stacks}
        choices = names if len(names) == len(stacks) else {stack.id for stack in stacks}
        raise InputError(f"the app has no stack {name}, {did_you_mean(name, choices)}")
    return chosen if exclusively else _with_dependencies(stacks, chosen)


def is_literal(pattern: str) -> bool:
    """Whether a pattern can only be the path of one stack."""
    return LITERAL.fullmatch(pattern) is not None


def _match_patterns(
    stacks: Sequence[Stack], patterns: Sequence[str], match: Matcher
) -> list[Stack]:
    if all(map(is_literal, patterns)):
        chosen = [stack for stack in stacks if stack.id in patterns]
    else:
        chosen = match(stacks, patterns)
    if not chosen:
        words = {stack.id for stack in stacks}
        named = next((stack for stack in stacks if stack.name in patterns), None)
        near = f"did you mean {named.id}?" if named else did_you_mean(patterns[0], words)
        raise InputError(f"no stack of the app matches {' '.join(patterns)}, {near}")
    return chosen


def _list_stacks(stacks: Sequence[Stack]) -> str:
    return ", ".join(stack.id for stack in stacks)

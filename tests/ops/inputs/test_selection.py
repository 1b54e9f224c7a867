"""Which stacks a deployment means, and what is said where that has to be named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from dataware.core.errors import InputError
from dataware.ops.inputs.assembly import Stack
from dataware.ops.inputs.selection import StackSelection, select_stacks
from dataware.ops.inputs.wanted import StackEnvironment


def stack(name: str, *, staged: bool) -> Stack:
    """A stack of an app, inside of a stage or not."""
    return Stack(name, name, Path("x"), StackEnvironment(None, None), {}, staged=staged)


def chosen(stacks: Sequence[Stack], *patterns: str) -> list[str]:
    """The ids of the stacks that are selected."""

    def match(some: Sequence[Stack], given: Sequence[str]) -> list[Stack]:
        return [one for one in some if one.id in given]

    return [one.id for one in select_stacks(stacks, StackSelection(patterns), match)]


def test_one_stack_in_a_stage_is_not_called_several() -> None:
    """It has to be named, by a command that CDK takes."""
    only = [stack("Prod/App", staged=True)]
    with pytest.raises(InputError) as raised:
        chosen(only)
    said = str(raised.value)
    assert "several" not in said
    assert "--all" not in said
    assert "`dataware deploy -- 'Prod/*'`" in said
    assert chosen(only, "Prod/App") == ["Prod/App"]


def test_the_one_stack_outside_of_stages_needs_no_name() -> None:
    """As for CDK."""
    both = [stack("Prod/App", staged=True), stack("Pipeline", staged=False)]
    assert chosen(both) == ["Pipeline"]
    with pytest.raises(InputError, match="the app has several stacks"):
        chosen([*both, stack("Other", staged=False)])

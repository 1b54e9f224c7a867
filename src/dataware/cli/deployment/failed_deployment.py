"""What is still done, and said, when CDK has not deployed every stack.

A stack that was deployed before another one failed is live: what it has created is filled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from dataware.cli.deployment.cdk_cli import CdkDeployError
from dataware.cli.deployment.credentials import AccountUse
from dataware.cli.deployment.environments import apply_each_place
from dataware.cli.deployment.plan import plan_each
from dataware.cli.deployment.stacks import ChosenStacks
from dataware.core.errors import DatawareError
from dataware.core.model import Existence, Wanted
from dataware.core.plan import COPYING, Planned
from dataware.ops.context import Context, CopySettings

WayIn = Callable[..., AbstractContextManager[Context]]
"""Opens the accounts of credentials."""


@contextmanager
def fill_after_failure(fill: Callable[[], Sequence[str]]) -> Iterator[None]:
    """`fill` what was deployed all the same; it answers with the names of what is not filled.

    Raises DatawareError, which says whether all data is in place.
    """
    try:
        yield
    except CdkDeployError as error:
        waiting = list(fill())
        state = "all data is in place"
        if waiting:
            state = f"{', '.join(waiting)} {'is' if len(waiting) == 1 else 'are'} not filled yet"
        raise DatawareError(
            f"{error}, and {state}: read its message, fix the cause and run `dataware deploy` again"
        ) from error


def fill_what_exists(
    enter: WayIn,
    chosen: ChosenStacks,
    later: Sequence[Wanted],
    settings: CopySettings,
) -> list[str]:
    """Fill what waited for its deployment and exists now; the names of all the rest.

    What fails is not filled: why the deployment failed is what a person has to know first.
    """
    if not later:
        return []
    try:
        with enter(chosen.credentials) as context:
            plans = plan_each(context, later, all_versions=settings.all_versions)
            some = [replace(one, resources=(*filter(_is_there, one.resources),)) for one in plans]
            writer = chosen.credentials.equip(context, AccountUse.WRITE)
            there = [plan for plan in some if plan.resources]
            apply_each_place(writer, there, settings, saved=False)
    except DatawareError:
        return [one.preferred for one in later]
    filled = {_place_of(one.wanted) for plan in some for one in plan.resources}
    return [one.preferred for one in later if _place_of(one) not in filled]


def _place_of(wanted: Wanted) -> tuple[str | None, ...]:
    """What tells a resource of the app from all others."""
    return (wanted.account, wanted.region, wanted.stack, wanted.id)


def _is_there(planned: Planned) -> bool:
    exists = planned.preferred.existence is Existence.EXISTS
    return exists and planned.decision.action in COPYING

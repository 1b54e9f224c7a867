"""Explains a deployment that fails because a name is taken, which CDK reports in other words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from dataware.cli.deployment.stacks import ChosenStacks
from dataware.core.errors import DatawareError
from dataware.ops.name_conflicts import find_name_conflicts


@contextmanager
def explain_conflicts(chosen: ChosenStacks) -> Iterator[None]:
    """Add to a failed deployment which names are taken. Raises DatawareError."""
    since = datetime.now(UTC)
    try:
        yield
    except DatawareError as error:
        conflicts = _find(chosen, since)
        if not conflicts:
            raise
        raise DatawareError(
            f"{error}; CloudFormation found before it began that {'; '.join(conflicts)}: run "
            "`dataware plan` to see who owns it"
        ) from error


def _find(chosen: ChosenStacks, since: datetime) -> list[str]:
    with chosen.credentials.outside() as context:
        return [
            conflict
            for stack in chosen.app.stacks
            for conflict in find_name_conflicts(
                context.in_environment(stack.account, stack.region).aws, stack.name, since
            )
        ]

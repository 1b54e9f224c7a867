"""Fallbacks that the stack itself has, which it lets go once the app no longer declares them.

CloudFormation then does what the deletion policy of the deployed template says (CloudFormation
Template Reference, "DeletionPolicy attribute"), so that is what has to be right before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.model import Facts, Ownership
from dataware.core.plan import Planned
from dataware.core.stack_template import is_retained
from dataware.core.values import mapping_of
from dataware.ops.context import Context
from dataware.ops.deployed_template import read_deployed

OURS = frozenset({Ownership.THIS_STACK, Ownership.MOVED})


def warn_of_owned_fallbacks(context: Context, planned: Sequence[Planned]) -> tuple[Planned, ...]:
    """The decisions, with a warning where the stack has a fallback and may delete it.

    A deployed template that cannot be seen is none that retains; each is asked for once.
    """

    @cache
    def list_retained(stack: str) -> frozenset[str]:
        try:
            document = read_deployed(context.aws, stack)
        except (LookupFailedError, NotFoundError):
            return frozenset()
        resources = mapping_of(mapping_of(document).get("Resources"))
        return frozenset(
            str(logical_id)
            for logical_id, one in resources.items()
            if is_retained(mapping_of(one).get("DeletionPolicy"))
        )

    def warn(one: Planned) -> Iterator[str]:
        for fallback in one.fallbacks:
            stack = fallback.owner.stack_id or fallback.owner.stack
            if fallback.owner.ownership not in OURS:
                continue
            if stack is None or fallback.owner.logical_id not in list_retained(stack):
                yield _describe(fallback)

    return tuple(_with_warnings(one, tuple(warn(one))) for one in planned)


def _describe(fallback: Facts) -> str:
    return (
        f"{fallback.name} still belongs to this stack (as {fallback.owner.logical_id}), and may "
        "leave it only once a deletion and update-replace policy of Retain is deployed"
    )


def _with_warnings(planned: Planned, texts: tuple[str, ...]) -> Planned:
    if not texts:
        return planned
    warnings = dict.fromkeys((*planned.decision.warnings, *texts))
    return replace(planned, decision=replace(planned.decision, warnings=tuple(warnings)))

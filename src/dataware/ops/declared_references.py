"""What a plan refers to although a template declares it, so that its deployment cannot refer to it.

Only a construct that follows the decision declares nothing then. CloudFormation creates whatever
else a template declares: a deployment with ``--import-existing-resources`` adopts what no stack
has, and any other fails at a name that is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dataware.core.model import Action, ImportMode, Owner, Ownership, Wanted
from dataware.core.plan import Planned
from dataware.core.refused_update import DeclaredReference
from dataware.core.stack_template import StackTemplate
from dataware.core.values import text_of
from dataware.kinds import load
from dataware.ops.adoption_check import stands


def find_declared_references(
    resources: Iterable[Planned], stacks: Sequence[StackTemplate], home: tuple[str, str]
) -> Iterator[DeclaredReference]:
    """The resources that a deployment of the stacks cannot refer to as their plan says.

    What another of these stacks releases is its own to declare. `home` stands for the account and
    region that an app leaves open.
    """
    for one in resources:
        wanted, owner = one.wanted, one.preferred.owner
        if not _is_declared_reference(one):
            continue
        other = owner.stack if owner.ownership is Ownership.OTHER_STACK else None
        if other and any(_releases(stack, wanted, owner, home) for stack in stacks):
            continue
        yield DeclaredReference(
            str(wanted.stack), str(wanted.logical_id), one.preferred.name, other
        )


def _is_declared_reference(one: Planned) -> bool:
    wanted, decision = one.wanted, one.decision
    if not (wanted.is_written and wanted.stack and wanted.logical_id):
        return False
    is_reference = decision.import_mode is ImportMode.REFERENCE
    return (
        is_reference
        and decision.action is not Action.STOP
        and stands(wanted, decision, one.preferred)
    )


def _releases(stack: StackTemplate, wanted: Wanted, owner: Owner, home: tuple[str, str]) -> bool:
    """Whether a stack of the app is the owner, and its template has the name no longer."""
    place = (stack.account or home[0], stack.region or home[1])
    if stack.name != owner.stack or owner.environment not in (None, place):
        return False
    declared = stack.resources.get(owner.logical_id or "")
    if declared is None:
        return True
    return text_of(declared.known_value(load(wanted.type).template.identifier)) != wanted.preferred

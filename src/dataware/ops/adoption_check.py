"""Checks whether CloudFormation can adopt what a plan lets a stack adopt, and by which way.

By its name it imports only what is retained and named literally; what it knows by a read-only id is
taken in by a change set of its own (`dataware.ops.import_by_id`). Sources: AWS CloudFormation User
Guide, "Import AWS resources into a CloudFormation stack automatically" and "Import AWS resources
into a CloudFormation stack manually".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dataware.calc.words import with_article
from dataware.core.comparison import HIDDEN
from dataware.core.kind import Kind
from dataware.core.model import (
    Action,
    Creator,
    Decision,
    Existence,
    Facts,
    ImportMode,
    Wanted,
)
from dataware.core.plan import COPYING
from dataware.core.values import NO_VALUE, find_function

NO_WAY, NOT_RETAINED, COMPUTED_NAME, NOT_USABLE = 20, 21, 22, 25


def check_adoption(
    kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts, region: str
) -> Decision:
    """The decision with the way in which the stack adopts, or a stop where there is none.

    `region` is that of the stack.
    """
    if reason := _find_missing(kind, wanted, decision, preferred):
        return decision.stop(NOT_USABLE, reason)
    if reason := _find_twin(kind, wanted, decision, preferred):
        return decision.stop(NO_WAY, reason)
    decision = _choose_way(kind, wanted, decision, preferred)
    decision = _adopt_in_own_region(kind, wanted, decision, preferred, region)
    decision = _retain_what_is_adopted(wanted, decision, preferred)
    decision = _adopt_under_literal_names(wanted, decision, preferred)
    return _import_as_declared(kind, wanted, decision)


def note_of_import(kind: Kind, decision: Decision) -> tuple[str, ...]:
    """What an import by id does beside, as a note of the resource."""
    note = kind.template.import_note
    return (note,) if decision.by_id and note else ()


def stop_at_obstacle(decision: Decision, preferred: Facts, fallbacks: Sequence[Facts]) -> Decision:
    """Stop at what would be gone, or cannot change, under the app that uses it."""
    if decision.action is Action.STOP:
        return decision
    makes = decision.action in (Action.CREATE, *COPYING)
    used = [preferred, *(one for one in fallbacks if makes or one.name == decision.source)]
    for facts in used:
        if facts.obstacle and facts.existence is Existence.EXISTS:
            return decision.stop(NOT_USABLE, explain_obstacle(facts))
    return decision


def explain_obstacle(facts: Facts) -> str:
    """Why something cannot be used, as the reason of a stop."""
    return f"{facts.name} {facts.obstacle}"


def _choose_way(kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts) -> Decision:
    """By name, by id, or by a reference; stop where a second, empty one would be created."""
    if decision.import_mode is not ImportMode.ADOPT or decision.action is Action.STOP:
        return decision
    if kind.template.adoptable and not wanted.names_id:
        return decision
    nested = "/" in (wanted.stack or "")
    if kind.template.is_adoptable and wanted.logical_id and wanted.stack and not nested:
        made = wanted.creator is Creator.APPLY and decision.action is Action.CREATE
        return replace(decision, by_id=made or stands(wanted, decision, preferred))
    if stands(wanted, decision, preferred) and wanted.logical_id is not None:
        return decision.stop(NO_WAY, _explain_no_way(kind, wanted, preferred, nested=nested))
    return replace(decision, import_mode=ImportMode.REFERENCE)


def _find_missing(kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts) -> str:
    """Why what is not there cannot be made under the id that is given; empty where it can."""
    if decision.action is not Action.CREATE or preferred.existence is Existence.EXISTS:
        return ""
    if wanted.names_id:
        has = f"has the id {preferred.name} that the app gives {wanted.logical_id or wanted.id}"
        return _describe_unseen(kind, has, preferred) or (
            f"no {kind.noun} {has}: correct it, or leave it out and a deployment creates one"
        )
    if not kind.template.has_name and wanted.creator is Creator.APPLY:
        has = f"is called {preferred.name}"
        return _describe_unseen(kind, has, preferred) or (
            f"no {kind.noun} {has}, and only a stack's deployment can create one: correct the "
            "name, or declare it in a template"
        )
    return ""


def _describe_unseen(kind: Kind, has: str, facts: Facts) -> str:
    """That it is not known whether something `has` a name; empty where it is known."""
    if facts.existence is not Existence.UNKNOWN:
        return ""
    why = "; ".join(map(str, facts.problems)) or "no answer"
    return f"whether {with_article(kind.noun)} {has} is not seen: {why}"


def _find_twin(kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts) -> str:
    """Why the deployment would create an empty one beside what is referred to; empty if not.

    A template declares the resource all the same, unless a construct follows the decision. Where
    its name is unique, the deployment adopts it or fails; any other is created a second time.
    """
    if decision.import_mode is not ImportMode.REFERENCE or not wanted.is_written:
        return ""
    imported = None if decision.action in COPYING else decision.source
    used = imported or preferred.name
    is_another = used != preferred.name and preferred.existence is Existence.ABSENT
    clashes = kind.names.are_unique and kind.template.has_name and not wanted.names_id
    if not is_another and (clashes or preferred.existence is not Existence.EXISTS):
        return ""
    return (
        f"the template declares {wanted.logical_id}, which the deployment would create empty "
        f"beside {used}: remove {wanted.logical_id} from the template and refer to "
        f"{used if is_another else preferred.physical_id or used}"
    )


def _explain_no_way(kind: Kind, wanted: Wanted, preferred: Facts, *, nested: bool) -> str:
    exists = preferred.existence is Existence.EXISTS
    there = f"{wanted.preferred} {'exists and belongs' if exists else 'would belong'} to no stack"
    if kind.template.is_adoptable and not nested:
        return (
            f"{there}, and a stack adopts {with_article(kind.noun)} only by its id, before the "
            "deployment would create a second one: name the stack with --stack"
        )
    around = ""
    if kind.template.is_adoptable:
        # AWS CloudFormation User Guide, "Import AWS resources into a CloudFormation stack
        # automatically" (nested stacks from their root, without read-only ids); "Nesting an
        # existing stack" (only a stack that stands alone is nested by an import). A change set of
        # type IMPORT is refused with IncludeNestedStacks, and no page tells of another way.
        root = str(wanted.stack).partition("/")[0]
        around = f"declare {wanted.logical_id} in stack {root} itself, which adopts it, or "
    return (
        f"{there}; CloudFormation cannot adopt a {kind.noun}{' in a nested stack' * nested} and "
        f"would create a second, empty one: {around}remove {wanted.logical_id} from the template "
        f"and refer to {preferred.physical_id or preferred.name}"
    )


def _adopt_in_own_region(
    kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts, region: str
) -> Decision:
    """Stop where what a stack would adopt is in another region than the stack.

    Source: CloudFormation Template Reference, AWS::S3::Bucket ("in the same AWS Region where you
    create the AWS CloudFormation stack"); only the name of a bucket means the same in both.
    """
    if decision.import_mode is not ImportMode.ADOPT or wanted.logical_id is None:
        return decision
    if preferred.existence is not Existence.EXISTS or preferred.region in {None, region}:
        return decision
    return decision.stop(
        NOT_USABLE,
        f"{wanted.preferred} is in {preferred.region}, and a stack of {region} has no {kind.short} "
        f"elsewhere: choose another name, {_or_refer(wanted)}",
    )


def _retain_what_is_adopted(wanted: Wanted, decision: Decision, preferred: Facts) -> Decision:
    """Stop before a copy into what the stack could not adopt; warn if the stack is not known."""
    if wanted.retained or decision.import_mode is not ImportMode.ADOPT:
        return decision
    if not stands(wanted, decision, preferred):
        return decision
    reason = (
        f"{wanted.preferred} would be deleted with its stack, so CloudFormation cannot adopt it: "
        f"set removal policy RETAIN_ON_UPDATE_OR_DELETE or RETAIN, {_or_refer(wanted)}"
    )
    if wanted.stack is None:
        return replace(decision, warnings=(*decision.warnings, reason))
    return decision.stop(NOT_RETAINED, reason)


def _adopt_under_literal_names(wanted: Wanted, decision: Decision, preferred: Facts) -> Decision:
    """Stop before a copy into what the stack could not adopt by its name; warn without a stack.

    Source: "The resource must have a static custom name".
    """
    if not wanted.computed_by or decision.import_mode is not ImportMode.ADOPT or decision.by_id:
        return decision
    if not stands(wanted, decision, preferred):
        return decision
    reason = (
        f"{wanted.preferred} is named by a function ({wanted.computed_by}), and CloudFormation "
        f"adopts only literal names: write the name out, {_or_refer(wanted)}"
    )
    if wanted.stack is None:
        return replace(decision, warnings=(*decision.warnings, reason))
    return decision.stop(COMPUTED_NAME, reason)


def _import_as_declared(kind: Kind, wanted: Wanted, decision: Decision) -> Decision:
    """Stop where what an import cannot leave to the next update is not known before it."""
    if not decision.by_id:
        return decision
    for name in list_fixed(kind):
        value = wanted.properties.get(name)
        if value in (None, NO_VALUE, HIDDEN) or not (function := find_function(value)):
            continue
        reason = (
            f"{wanted.preferred} is imported before its deployment, which resolves its {name} "
            f"({function}) and may then replace it: write the value out, {_or_refer(wanted)}"
        )
        return decision.stop(NOT_USABLE, reason)
    return decision


def _or_refer(wanted: Wanted) -> str:
    """The other way: a construct follows a reference, whatever else a template declares stays."""
    if wanted.is_written:
        return f"or remove {wanted.logical_id} from the template and refer to {wanted.preferred}"
    return "or import by reference"


def list_fixed(kind: Kind) -> tuple[str, ...]:
    """The properties that an import by id has to have exactly as they are declared."""
    template = kind.template
    named = template.identifier
    return tuple(n for n in (*template.replacing, *template.import_whole) if n != named)


def stands(wanted: Wanted, decision: Decision, preferred: Facts) -> bool:
    """Whether a resource stands under the preferred name before its stack is deployed."""
    return preferred.existence is Existence.EXISTS or (
        decision.action in COPYING and not wanted.unresolved
    )

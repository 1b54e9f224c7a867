"""Finds the decision for a construct, and tells of it by annotations.

The lock file answers first. Only without a fitting entry is `dataware.cdk.lookup` imported, which
asks AWS. Whatever cannot be decided is declared, never referenced, and stands as an error on the
construct: the CDK command line then refuses to deploy, and no resource can drop out of a stack.
"""

from __future__ import annotations

import os
from enum import StrEnum

from aws_cdk import Annotations, CfnResource, Stack
from constructs import Construct

from dataware.cdk.asked import Asked, is_token
from dataware.cdk.lock import FILE, Entry, Environment, Lock, read_lock
from dataware.core.errors import BadInput, DatawareError
from dataware.core.events import event
from dataware.core.model import Action, Decision, ImportMode

LOOKUP, IMPORT = "dataware:lookup", "dataware:import"
"""Context keys: how to find a missing decision, and how an app imports by default."""

VARIABLE = "DATAWARE_LOOKUP"
"""Wins over the context; it also keeps an app that was run to collect from running itself."""

UNDECIDED = 0
"""Stands in place of a rule where nothing was decided."""

RENEW = f"run `dataware plan --lock` and commit {FILE}"


class Lookup(StrEnum):
    """What happens when the lock file has no decision; `collect` asks for none at all."""

    AUTO = "auto"
    NEVER = "never"
    COLLECT = "collect"


def settle(construct: Construct, asked: Asked) -> Entry:
    """The decision for one construct; an undecided one is an error annotation on it."""
    mode = lookup_mode(construct)
    if mode is Lookup.COLLECT:
        reason = "not looked at: the app was run to collect what it wants"
        return Entry(asked.preferred, Decision(Action.CREATE, UNDECIDED, reason))
    try:
        entry = _entry(construct, asked, mode)
    except DatawareError as error:
        entry = Entry(asked.preferred, Decision(Action.STOP, UNDECIDED, str(error)))
    _tell(construct, entry)
    return entry


def lookup_mode(construct: Construct) -> Lookup:
    """The mode that the environment or the context asks for. Raises ValueError."""
    value = os.environ.get(VARIABLE) or construct.node.try_get_context(LOOKUP) or Lookup.AUTO
    try:
        return Lookup(value)
    except ValueError:
        known = ", ".join(Lookup)
        raise ValueError(f"{LOOKUP} cannot be {value!r}: choose from {known}") from None


def import_default(construct: Construct) -> ImportMode | None:
    """How the app imports where a construct does not say; None leaves it open."""
    value = construct.node.try_get_context(IMPORT)
    try:
        return ImportMode(value) if value else None
    except ValueError:
        known = " or ".join(ImportMode)
        raise ValueError(f"{IMPORT} cannot be {value!r}: choose {known}") from None


def environment_of(stack: Stack, lock: Lock) -> Environment:
    """Where a stack goes: what it says, else CDK's defaults, else the lock file's only place."""
    known = lock.only_environment
    account, region = stack.account, stack.region
    if is_token(account):
        account = os.environ.get("CDK_DEFAULT_ACCOUNT") or (known.account if known else "")
    if is_token(region):
        region = os.environ.get("CDK_DEFAULT_REGION") or (known.region if known else "")
    if not (account and region):
        raise BadInput(
            f"it is not known which account and region stack {stack.stack_name} goes to: give the "
            "stack an env, run the app by the CDK or dataware command line, or set "
            "CDK_DEFAULT_ACCOUNT and CDK_DEFAULT_REGION"
        )
    return Environment(account, region)


def declared_id(construct: Construct, stack: Stack, cfn_type: str) -> str:
    """The logical id that the declared resource has, or would have.

    Only CDK can tell (stacks rename ids, apps change the naming), and only for an element that
    stands in its place; so one is put there for a moment.
    """
    element = CfnResource(construct, "Resource", type=cfn_type)
    try:
        return str(stack.resolve(element.logical_id))
    finally:
        construct.node.try_remove_child("Resource")


def _entry(construct: Construct, asked: Asked, mode: Lookup) -> Entry:
    stack = Stack.of(construct)
    lock, name = read_lock(), stack.stack_name
    environment = environment_of(stack, lock)
    entry = lock.entry(environment, asked.kind.cfn_type, asked.preferred)
    if entry and entry.referenced and (entry.fallbacks, entry.stack) == (asked.fallbacks, name):
        return entry
    logical_id = declared_id(construct, stack, asked.kind.cfn_type)
    outdated = _outdated(entry, asked, environment, name, logical_id)
    if entry and outdated is None:
        return entry
    if mode is Lookup.NEVER:
        raise BadInput(f"{outdated}; {RENEW}")
    # Imports the AWS SDK, which a synth with a full lock file does without.
    from dataware.cdk.lookup import look_up  # noqa: PLC0415 - on demand, see above

    otherwise = import_default(construct) or ImportMode.REFERENCE
    return look_up(asked.wanted(name, logical_id, otherwise), environment, lock)


def _outdated(
    entry: Entry | None, asked: Asked, environment: Environment, stack: str, logical_id: str
) -> str | None:
    """Why an entry says nothing about this declaration; None if it does."""
    what = f"{asked.kind.noun} {asked.preferred}"
    if entry is None:
        return f"{FILE} has no entry for the {what} in {environment}"
    if entry.fallbacks != asked.fallbacks:
        return f"the entry of the {what} in {FILE} was made for other fallback names"
    if entry.stack is not None and (entry.stack, entry.logical_id) != (stack, logical_id):
        return (
            f"the entry of the {what} in {FILE} was made for {entry.logical_id} of stack "
            f"{entry.stack}, and the app now declares {logical_id} of stack {stack}"
        )
    return None


def _tell(construct: Construct, entry: Entry) -> None:
    decision = entry.decision
    if decision.action is Action.STOP:
        annotations = Annotations.of(construct)
        if decision.rule == UNDECIDED:
            annotations.add_error(decision.reason)
        else:
            words = {"name": entry.preferred, "rule": decision.rule, "reason": decision.reason}
            annotations.add_error(event("stopped", **words).text())
    for text in decision.warnings:
        Annotations.of(construct).add_warning_v2(f"dataware:rule-{decision.rule}", text)

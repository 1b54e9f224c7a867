"""Finds the decision for a construct, and reports it by annotations.

The lock file answers first. Only without a fitting entry is `dataware.cdk.lookup` imported, which
asks AWS. Whatever cannot be decided is declared, never referenced, and stands as an error on the
construct: the CDK command line then refuses to deploy, and no resource can drop out of a stack.
"""

from __future__ import annotations

import os
from dataclasses import replace

from aws_cdk import Annotations, CfnResource, Stack
from constructs import Construct

from dataware.cdk.lock import read_lock
from dataware.cdk.lookup_mode import LookupMode, lookup_mode
from dataware.cdk.request import ResourceRequest, is_token
from dataware.cdk.stack_scope import IMPORT, LOOKUP, StackScope
from dataware.cdk.versions import add_warning
from dataware.core.errors import DatawareError, InputError
from dataware.core.events import event
from dataware.core.lock_file import FILE, Environment, LockEntry, LockFile
from dataware.core.model import Action, Decision, ImportMode
from dataware.core.plan import DEPLOYING, LOOKING, RUN

NO_WAY = 20
UNDECIDED = 0
"""Stands in place of a rule where nothing was decided."""

RENEW = f"run `dataware plan --lock` and commit {FILE}"


BY_MISTAKE = (
    f"{LOOKUP}=collect reads no data, so nothing can be deployed with it: leave it to `dataware "
    f"plan` and `dataware deploy`, and take {LOOKUP}=auto"
)


def find_decision(
    construct: Construct, request: ResourceRequest, home: StackScope, logical_id: str | None = None
) -> LockEntry:
    """The decision for one construct; a stop of rule 0 where nothing can be decided.

    The logical id is compared once it is given; before, an entry of the lock file is taken at its
    word.
    """
    mode = lookup_mode(home)
    if mode is LookupMode.COLLECT:
        reason = "not inspected: the app ran only to collect what it declares"
        return LockEntry(request.preferred, Decision(Action.CREATE, UNDECIDED, reason))
    try:
        return _refuse_twin(_entry(construct, request, home, logical_id))
    except DatawareError as error:
        return LockEntry(request.preferred, Decision(Action.STOP, UNDECIDED, str(error)))


def _refuse_twin(entry: LockEntry) -> LockEntry:
    """Stop where what an import by id has to take in first would be created once more."""
    if not (entry.decision.by_id and entry.exists):
        return entry
    reason = (
        f"{entry.preferred} exists, and only `dataware deploy` lets a stack adopt it, by its id: "
        'run that once, or set import_mode to "reference"'
    )
    return replace(entry, decision=entry.decision.stop(NO_WAY, reason))


def report(
    construct: Construct, entry: LockEntry, home: StackScope, *, silent: bool = False
) -> None:
    """Annotate a construct with what stops it, and with what was warned of.

    `silent` keeps from people a decision that is not carried out.
    """
    decision = entry.decision
    if lookup_mode(home) is LookupMode.COLLECT and os.environ.get(RUN) != LOOKING:
        Annotations.of(construct).add_error(BY_MISTAKE)
    if entry.report_decision is not None and not silent:
        entry.report_decision()
    if decision.action is Action.STOP:
        annotations = Annotations.of(construct)
        if decision.rule == UNDECIDED:
            annotations.add_error(decision.reason)
        else:
            words = {"name": entry.preferred, "rule": decision.rule, "reason": decision.reason}
            annotations.add_error(event("stopped", **words).text())
    for text in decision.warnings:
        add_warning(construct, f"dataware:rule-{decision.rule}", text)


def is_data_first() -> bool:
    """Whether `dataware deploy` runs the app, which has just decided and copied."""
    return os.environ.get(RUN) == DEPLOYING


def import_default(home: StackScope) -> ImportMode | None:
    """How the app imports where a construct does not say; None leaves it open."""
    try:
        return ImportMode(str(home.import_mode)) if home.import_mode else None
    except ValueError:
        modes = " or ".join(ImportMode)
        raise ValueError(f"{IMPORT} cannot be {home.import_mode!r}: choose {modes}") from None


def _environment_of(home: StackScope, lock: LockFile) -> Environment:
    """Where a stack goes: what it says, else CDK's defaults, else the lock file's only place."""
    place = lock.only_environment
    account, region = home.account, home.region
    if is_token(account):
        account = os.environ.get("CDK_DEFAULT_ACCOUNT") or (place.account if place else "")
    if is_token(region):
        region = os.environ.get("CDK_DEFAULT_REGION") or (place.region if place else "")
    if not (account and region):
        raise InputError(
            f"the account and region of stack {home.stack} are not known: give it an env, run the "
            "app with `cdk` or `dataware`, or set CDK_DEFAULT_ACCOUNT and CDK_DEFAULT_REGION"
        )
    return Environment(account, region)


def declared_id(construct: Construct, cfn_type: str) -> str:
    """The logical id that the declared resource has, or would have.

    Only CDK can tell (stacks rename ids, apps change the naming), and only for an element that
    stands in its place; so one is put there for a moment.
    """
    element = CfnResource(construct, "Resource", type=cfn_type)
    try:
        logical_id: str = Stack.of(construct).get_logical_id(element)
        return logical_id
    finally:
        construct.node.try_remove_child("Resource")


def _entry(
    construct: Construct, request: ResourceRequest, home: StackScope, logical_id: str | None
) -> LockEntry:
    lock = read_lock()
    environment = _environment_of(home, lock)
    request = request.in_environment(environment.account, environment.region)
    entry = lock.entry(environment, request.kind, request.preferred)
    outdated = _why_outdated(entry, request, environment, home.stack, logical_id)
    current = entry if outdated is None else None
    never = lookup_mode(home) is LookupMode.NEVER
    if current and (current.is_settled or is_data_first()):
        return current
    if current and never:
        return replace(current, is_current=False)
    if never:
        raise InputError(f"{outdated}; {RENEW}")
    # Imports the AWS SDK, which a synth with a full lock file does without.
    from dataware.cdk.lookup import look_up  # noqa: PLC0415 - on demand, see above

    declared = logical_id or declared_id(construct, request.kind.cfn_type)
    otherwise = import_default(home) or ImportMode.REFERENCE
    try:
        live = look_up(request.to_wanted(home.stack, declared, otherwise), environment, lock)
    except DatawareError:
        if current is None:
            raise
        return replace(current, is_current=False)
    if current and _sees_less(live, current, request):
        return replace(current, is_current=False)
    return live


def _sees_less(live: LockEntry, locked: LockEntry, request: ResourceRequest) -> bool:
    """Whether a look from here cannot see the source of the lock file, which is still to be copied.

    Who made the lock file read another account: here a plain name means another resource, or none.
    """
    if locked.decision.action is not Action.MIGRATE:
        return False
    begins = live.decision.action in {Action.CREATE, Action.MIGRATE} or not live.has_data
    elsewhere = locked.decision.source not in request.fallbacks
    return elsewhere and begins and live.decision.action is not Action.STOP


def _local_fallbacks(
    entry: LockEntry, request: ResourceRequest, environment: Environment
) -> tuple[str, ...]:
    """The fallbacks of an entry, which may hold ARNs of the environment itself."""
    here = replace(request, fallbacks=entry.fallbacks)
    return here.in_environment(environment.account, environment.region).fallbacks


def _why_outdated(
    entry: LockEntry | None,
    request: ResourceRequest,
    environment: Environment,
    stack: str,
    logical_id: str | None,
) -> str | None:
    """Why an entry says nothing about this declaration; None if it does."""
    what = f"{request.kind.noun} {request.preferred}"
    if entry is None:
        return f"{FILE} has no entry for the {what} in {environment}"
    if entry.referenced and not request.kind.template.adoptable and entry.physical_id is None:
        return f"the entry of the {what} in {FILE} does not say its id"
    if _local_fallbacks(entry, request, environment) != request.fallbacks:
        return f"the entry of the {what} in {FILE} was made for other fallback names"
    moved = logical_id is not None and entry.logical_id != logical_id
    if entry.stack is not None and (moved or entry.stack != stack):
        here = f"{logical_id} of stack {stack}" if logical_id else f"it in stack {stack}"
        return (
            f"the entry of the {what} in {FILE} was made for {entry.logical_id} of stack "
            f"{entry.stack}, and the app now declares {here}"
        )
    return None

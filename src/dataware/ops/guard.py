"""The use case "guard": would a deployment of these stacks lose a resource that holds data?

Looks at what the deployed stacks have, and at the content of nothing but what an update would
touch. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Protocol

from dataware.calc.suggest import suggestion_for
from dataware.core.change_set import ChangeSetUse, list_looked_up
from dataware.core.destructive_change import DestructiveChange
from dataware.core.errors import DatawareError, InputError, RefusedError
from dataware.core.events import event
from dataware.core.guard import AppIndex, places_of, with_content
from dataware.core.kind import Kind
from dataware.core.model import Wanted
from dataware.core.names import is_regional, place_of, plain_name
from dataware.core.parameters import GivenParameters
from dataware.core.ports import Aws, Emit
from dataware.core.protection import WeakerProtection
from dataware.core.refused_update import Refusal, SharedStackName
from dataware.core.stack_template import StackTemplate
from dataware.kinds import guarded_kinds, load
from dataware.ops.change_set import ChangeSetCheck
from dataware.ops.context import Context
from dataware.ops.inputs.wanted import App
from dataware.ops.probe import PROBES_AT_ONCE, probe_name
from dataware.ops.source_profile import name_fallbacks
from dataware.ops.stack_review import StackReview, StackReviewer


class OtherAccountAws(Protocol):
    """Opens another account in a region."""

    def __call__(self, account: str, region: str) -> Aws:
        """Raises DatawareError where no credentials fit."""
        ...


@dataclass(slots=True)
class GuardFindings:
    """What stacks would lose or protect less, and what could not be looked at, in sentences.

    `refused` are changes with which the deployment would fail.
    `absent` are the names of stacks that are not deployed, and `remarks` say what CloudFormation
    could not be asked.
    """

    threats: list[DestructiveChange] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    weakened: list[WeakerProtection] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def __add__(self, other: GuardFindings) -> GuardFindings:
        """Both."""
        return GuardFindings(
            self.threats + other.threats,
            self.unseen + other.unseen,
            self.weakened + other.weakened,
            self.refused + other.refused,
            self.absent + other.absent,
            self.remarks + other.remarks,
        )


@dataclass(frozen=True, slots=True)
class GuardReport:
    """What a deployment would lose, and what else a person should know before it."""

    threats: tuple[DestructiveChange, ...] = ()
    warnings: tuple[str, ...] = ()


def guard(
    context: Context,
    app: App,
    allow: Sequence[str] = (),
    *,
    deploys: bool = False,
    parameters: GivenParameters | None = None,
    used: Sequence[Wanted] = (),
    refused: Sequence[Refusal] = (),
    change_sets: ChangeSetUse = ChangeSetUse.NEVER,
) -> GuardReport:
    """What a deployment of the app would lose; tells of it. `allow` names what may be lost.

    `used` are resources of which a name allows something else than a loss, and `refused` what the
    plan shows that CloudFormation would refuse. `parameters` are the parameters that the deployment
    is given. `deploys` says that a deployment follows, for which every stack has to be seen. Raises
    InputError for an ambiguous `allow`, and RefusedError if not every stack can be looked at where
    that is needed or any doubt is a stop, or then if a resource would be protected less than it is
    deployed.
    """
    # A fallback that another profile reads is none of what a stack of here may let go.
    app = replace(app, wanted=name_fallbacks(context, app.wanted))
    open_account = partial(_open_account, context)
    findings = losses(context.aws, app, parameters, change_sets, open_account)
    findings.refused += refused
    for remark in findings.remarks:
        context.emit(event("note", text=remark))
    _refuse(context, findings, deploys=deploys)
    marked = mark_allowed(findings.threats, allow, used)
    for threat in marked:
        _report(context.emit, threat)
    absent = [*map(_describe_absent, findings.absent)]
    # Where nothing opts in either, nothing at all was looked into, which nobody takes for success.
    doubts = absent if not app.wanted else []
    for text in absent if not doubts else []:
        context.emit(event("note", text=text))
    if deploys:
        _refuse_unseen(findings)
    texts = [*findings.unseen, *map(str, (*findings.weakened, *findings.refused)), *doubts]
    return GuardReport(marked, (*texts, *_report_unused(marked, used, allow)))


def _describe_absent(name: str) -> str:
    return f"stack {name} is not deployed here, so the guard has nothing to compare it with"


def _refuse_unseen(findings: GuardFindings) -> None:
    """Raise RefusedError where a deployment may lose what was not looked at."""
    if doubts := "; ".join(findings.unseen):
        raise RefusedError(
            "nothing was changed, because it is unknown what this deployment would lose: "
            f"{doubts}; grant the permissions, or deploy anyway with --allow-unseen"
        )


def _refuse(context: Context, findings: GuardFindings, *, deploys: bool) -> None:
    """Raise RefusedError for what nobody may allow: a failing deployment, a doubt if it stops."""
    weakened, refused = [*map(str, findings.weakened)], [*map(str, findings.refused)]
    if findings.unseen and context.strict:
        doubts = "; ".join(findings.unseen)
        raise RefusedError(f"on_error is stop, and the guard could not check everything: {doubts}")
    if weakened and context.strict:
        raise RefusedError(f"nothing was changed: {'; '.join(weakened)}, or run without --strict")
    if refused and (deploys or context.strict):
        raise RefusedError(f"nothing was changed: {'; '.join(refused)}")


def losses(
    here: Aws,
    app: App,
    parameters: GivenParameters | None = None,
    change_sets: ChangeSetUse = ChangeSetUse.NEVER,
    open_account: OtherAccountAws | None = None,
) -> GuardFindings:
    """What a deployment of the app's stacks would lose, seen with the caller's credentials.

    `change_sets` says of which stacks CloudFormation is asked, too. `open_account` opens the
    account of a stack that goes elsewhere; without it such a stack is not seen.
    """
    check = ChangeSetCheck(change_sets, parameters or GivenParameters())
    cards = guarded_kinds()
    home = (here.account, here.region)
    outlooks = {
        there: _outlook(app, cards, home, there)
        for there in {_environment_of(stack, home) for stack in app.stacks}
    }

    def look_into(stack: StackTemplate) -> GuardFindings:
        account, region = there = _environment_of(stack, home)
        try:
            if account != here.account:
                aws = _open_other(open_account, account, region)
            else:
                aws = here.for_region(region)
        except DatawareError as error:
            return GuardFindings(unseen=[_elsewhere(stack, error)])
        reviewer = StackReviewer(aws, outlooks[there], parameters or GivenParameters())
        threats = _find_losses(reviewer.review(stack), reviewer, check)
        findings = _keep_threats_to_data(aws, cards, threats)
        apart = region if region != here.region else None
        findings.threats = [replace(one, key=stack.key, region=apart) for one in findings.threats]
        return findings

    shared = GuardFindings(refused=[*_find_shared_names(app.stacks, home)])
    with ThreadPoolExecutor(PROBES_AT_ONCE, thread_name_prefix="guard") as pool:
        return sum(pool.map(look_into, app.stacks), shared)


def _find_shared_names(
    stacks: Sequence[StackTemplate], home: tuple[str, str]
) -> Iterator[SharedStackName]:
    """The names that several of the stacks have in one environment."""
    ids: dict[tuple[str, tuple[str, str]], list[str]] = {}
    for stack in stacks:
        ids.setdefault((stack.name, _environment_of(stack, home)), []).append(stack.key)
    for (name, _), each in ids.items():
        if len(each) > 1:
            yield SharedStackName(name, tuple(each))


def _outlook(
    app: App, cards: Mapping[str, Kind], here: tuple[str, str], there: tuple[str, str]
) -> AppIndex:
    """What the whole app says of names as they are meant in one environment.

    `here` stands where the app leaves account or region open. A table of the same name in another
    environment is another table, a bucket is not.
    """
    regional = {cfn_type: card for cfn_type, card in cards.items() if is_regional(card)}
    places = {}
    for stack in _with_nested(app.stacks):
        environment = (stack.account or here[0], stack.region or here[1])
        global_cards = {one: card for one, card in cards.items() if one not in regional}
        declared = places_of(
            {stack.key: stack.resources}, cards if environment == there else global_cards
        )
        places.update(declared)
    copied = set()
    for one in app.wanted:
        kind = load(one.type)
        for name in one.fallbacks:
            place = place_of(kind, name, one.account or here[0], one.region or here[1])
            if one.type not in regional or (place.owner, place.region) == there:
                copied.add((kind.names.slug, plain_name(kind, name)))
    return AppIndex(cards, places, frozenset(copied))


def mark_allowed(
    changes: Sequence[DestructiveChange], names: Sequence[str], used: Sequence[Wanted] = ()
) -> tuple[DestructiveChange, ...]:
    """The threats, marked where a name says yes: a logical id, or STACK/LOGICAL_ID.

    The stack goes by its name or its id in the app, one inside of another by its path. Raises
    InputError where a name means resources of several stacks, be it that in one of them it is
    `used` for what an adoption deletes.
    """
    adopted = {f"{one.stack}/{one.logical_id}": str(one.logical_id) for one in used}
    for name in names:
        addresses = {one.address for one in changes if name in one.names}
        addresses |= {address for address, logical_id in adopted.items() if name == logical_id}
        if len(addresses) > 1 and name not in addresses:
            choices = ", ".join(sorted(addresses))
            raise InputError(f"{name} is in several stacks: name one of {choices}")
    return tuple(replace(one, allowed=_is_named(one, changes, names)) for one in changes)


def _is_named(
    one: DestructiveChange, changes: Sequence[DestructiveChange], names: Sequence[str]
) -> bool:
    """Whether a name says yes to a loss; an address that fits one threat means no other."""
    if one.address in names or one.logical_id in names:
        return True
    name = f"{one.stack}/{one.logical_id}"
    return name in names and name not in {other.address for other in changes}


def _report_unused(
    changes: Sequence[DestructiveChange], used: Sequence[Wanted], names: Sequence[str]
) -> Iterator[str]:
    """A sentence for each name that allows no loss, such as one that is misspelt."""
    addresses = {name for one in changes for name in one.names}
    addresses |= {str(one.logical_id) for one in used}
    addresses |= {f"{one.stack}/{one.logical_id}" for one in used}
    for name in names:
        if name not in addresses:
            yield (
                f"--allow-loss {name} allows nothing: this deployment would lose no resource of "
                f"that logical id{suggestion_for(name, addresses)}"
            )


def _report(emit: Emit, threat: DestructiveChange) -> None:
    code = "loss-allowed" if threat.allowed else "stopped-by-guard"
    emit(event(code, **threat.to_json()))


def _open_account(context: Context, account: str, region: str) -> Aws:
    return context.in_environment(account, region).aws


def _environment_of(stack: StackTemplate, home: tuple[str, str]) -> tuple[str, str]:
    """Where a stack goes; what it leaves open is as at home."""
    return (stack.account or home[0], stack.region or home[1])


def _open_other(open_account: OtherAccountAws | None, account: str, region: str) -> Aws:
    if open_account is None:
        raise InputError(f"the credentials are not those of account {account}")
    return open_account(account, region)


def _elsewhere(stack: StackTemplate, error: DatawareError) -> str:
    return (
        f"the guard cannot read stack {stack.name}, which is meant for account {stack.account} "
        f"({error}): run dataware again with the credentials of that account"
    )


def _with_nested(stacks: Sequence[StackTemplate]) -> list[StackTemplate]:
    inner = [_with_nested(list(stack.nested.values())) for stack in stacks]
    return [*stacks, *chain.from_iterable(inner)]


def _find_losses(
    review: StackReview, reviewer: StackReviewer, check: ChangeSetCheck
) -> GuardFindings:
    """What a stack and those nested in it would lose, as templates and CloudFormation say."""
    findings = GuardFindings()
    for one in review.walk():
        absent = [one.stack.name] if one.absent else []
        findings += GuardFindings(one.lost, one.unseen, one.weakened, one.refused, absent)
    further, remarks = check.find_threats(reviewer.aws, reviewer.outlook, review)
    if check.use is ChangeSetUse.NEVER:
        remarks = [*_list_looked_up(reviewer.outlook, review)]
    return findings + GuardFindings(further, remarks=remarks)


def _list_looked_up(outlook: AppIndex, review: StackReview) -> Iterator[str]:
    """A sentence for each stack of which only a change set tells whether resources stay."""
    for one in review.walk():
        if looked_up := list_looked_up(outlook, one.stack, one.deployed):
            yield (
                f"the guard does not read the stored parameters on which {', '.join(looked_up)} of "
                f"stack {one.stack.name} may rest: `dataware plan --change-set` asks CloudFormation"
            )


def _keep_threats_to_data(
    aws: Aws, cards: Mapping[str, Kind], findings: GuardFindings
) -> GuardFindings:
    """Only the threats to what holds data, or may."""
    probes = ((one, probe_name(aws, cards[one.type], one.name)) for one in findings.threats)
    return replace(findings, threats=[*filter(None, (with_content(*each) for each in probes))])

"""Checks of the permissions that the app needs: asked of IAM, or tried by harmless reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from dataware.aws import Account
from dataware.aws.caller import policy_owner
from dataware.aws.permissions import (
    IamDecision,
    NeededActions,
    lacks,
    needed_permissions,
    statements_for,
)
from dataware.aws.simulate import PERMISSION, simulate
from dataware.cli.context import make_context, with_source
from dataware.cli.doctor.finding import Finding, failure, fine, not_checked, note, warning
from dataware.cli.doctor.network import UNKNOWN_CALLER
from dataware.cli.doctor.subject import DoctorSubject
from dataware.cli.policy import policy_of
from dataware.core.errors import DatawareError, InputError, ServiceError
from dataware.core.events import Event, format_count
from dataware.core.model import Problem, Wanted
from dataware.core.phases import PolicySide
from dataware.core.plan import Plan
from dataware.core.source_profile import is_read_by_profile
from dataware.kinds import load
from dataware.ops.plan import make_plan

SHOWN = 10
UNSEEN = (
    "IAM's simulation does not see the policies of buckets, tables, keys, sessions and VPC "
    "endpoints, which may allow or deny more"
)


def permissions(subject: DoctorSubject) -> Iterator[Finding]:
    """What the plan of the app needs, and what of it is missing."""
    try:
        wanted = loaded.wanted if (loaded := subject.find_app()) else []
    except DatawareError:
        yield note("not checked, because the app does not load")
        return
    if not wanted:
        yield note("not checked, because no resource opts in")
        return
    try:
        sides = list(_list_sides(subject, wanted))
    except DatawareError:
        yield note(UNKNOWN_CALLER)
        return
    unseen: list[tuple[str, str]] = []
    for side in sides:
        needs, deciding = side.list_needs(informing=True), side.list_needs(informing=False)
        owner = policy_owner(side.aws, side.arn)
        if owner is None:
            unseen.append(("it has none to simulate for such a caller", ""))
            continue
        try:
            answers = simulate(side.aws, owner, needs)
        except ServiceError as error:
            why = f"{error.problem}" if error.problem else str(error)
            unseen.append((why, f"allow {PERMISSION} and iam:GetRole, or "))
            continue
        yield from simulated_found(owner, needs, answers, _pairs(needs) - _pairs(deciding))
    if unseen:
        # A plan reads with the credentials of both sides.
        yield from _try_plan_reads(subject, wanted, *unseen[0])


@dataclass(frozen=True, slots=True)
class CheckedSide:
    """A caller, and what it does with some resources, each by the side of a copy that it is on."""

    aws: Account
    arn: str
    work: Sequence[tuple[PolicySide, Sequence[Wanted]]]
    all_versions: bool

    def list_needs(self, *, informing: bool) -> list[NeededActions]:
        """The permissions that the caller needs."""
        return [
            need
            for side, wanted in self.work
            if wanted
            for need in needed_permissions(
                policy_of(
                    self.aws,
                    wanted,
                    all_versions=self.all_versions,
                    informing=informing,
                    side=side,
                )
            )
        ]


def _list_sides(subject: DoctorSubject, wanted: Sequence[Wanted]) -> Iterator[CheckedSide]:
    """Who needs permissions: the caller, and the profile that reads the sources, if there is one.

    Raises DatawareError for who is not known.
    """
    aws, arn, versions = subject.account(), subject.caller().arn, subject.all_versions
    if not subject.options.source_profile:
        yield CheckedSide(aws, arn, [(PolicySide.BOTH, wanted)], versions)
        return
    read = [one for one in wanted if is_read_by_profile(load(one.type))]
    own = [one for one in wanted if one not in read]
    yield CheckedSide(aws, arn, [(PolicySide.TARGET, read), (PolicySide.BOTH, own)], versions)
    if read:
        source = [(PolicySide.SOURCE, read)]
        yield CheckedSide(subject.reader(), subject.reading_caller().arn, source, versions)


def _pairs(needs: Sequence[NeededActions]) -> set[tuple[str, str]]:
    return {pair for need in needs for pair in need.pairs()}


def simulated_found(
    owner: str,
    needs: Sequence[NeededActions],
    answers: Mapping[tuple[str, str], IamDecision],
    informing: Set[tuple[str, str]] = frozenset(),
) -> Iterator[Finding]:
    """What there is to say about the answers of a simulation.

    No decision rests on the `informing` pairs of action and resource: without them a run passes.
    """
    gaps = lacks({pair: access for pair, access in answers.items() if pair not in informing})
    for lack in gaps[:SHOWN]:
        add = f"allow it to {owner}"
        if lack.access in (IamDecision.MISSING, IamDecision.CONDITIONAL):
            kind = warning if lack.access is IamDecision.CONDITIONAL else failure
            yield kind(str(lack), add)
        else:
            yield failure(str(lack), "change that policy")
    if len(gaps) > SHOWN:
        yield failure(f"{len(gaps) - SHOWN} more are missing", "`dataware iam-policy` prints all")
    skipped = lacks({pair: access for pair, access in answers.items() if pair in informing})
    for lack in skipped[:SHOWN]:
        yield warning(f"{lack}: a plan shows and compares less, and passes", f"allow it to {owner}")
    if len(statements := statements_for([*gaps, *skipped])) and len([*gaps, *skipped]) > 1:
        pasted = ", ".join(map(json.dumps, statements))
        yield note(f"to allow all that no policy allows, add to a policy of {owner}: {pasted}")
    pairs = _pairs(needs)
    if unanswered := len(pairs - answers.keys()):
        asked_in_vain = format_count(unanswered, "question")
        yield not_checked(f"{asked_in_vain} to IAM got no answer", "run this again")
    if not gaps and not skipped and not unanswered:
        actions = len({action for action, _ in pairs})
        yield fine(
            f"all {format_count(actions, 'action')} that the plan needs are allowed to {owner}"
        )
    yield note(UNSEEN)


def _try_plan_reads(
    subject: DoctorSubject, wanted: Sequence[Wanted], why: str, advice: str
) -> Iterator[Finding]:
    """Make the reads that a plan makes, where IAM cannot be asked."""
    context = make_context(subject.account(), _silent, lambda: False, strict=False)
    context = with_source(context, subject.options)
    try:
        plan = make_plan(context, wanted, report=False)
    except InputError as error:
        yield failure(str(error), "see `dataware plan`")
        return
    except DatawareError as error:
        yield not_checked(f"not checked: {error}", "run this again")
        return
    yield from tried_found(_problems_in(plan))
    yield warning(
        f"write permissions were not checked, because IAM cannot be queried ({why})",
        f"{advice}compare with what `dataware iam-policy` prints",
    )


def _problems_in(plan: Plan) -> list[tuple[str, Problem]]:
    """Every question of a plan that went unanswered, with the name it was about."""
    return [
        (facts.name, problem)
        for planned in plan.resources
        for facts in (planned.preferred, *planned.fallbacks)
        for problem in facts.problems
    ]


def tried_found(problems: Sequence[tuple[str, Problem]]) -> Iterator[Finding]:
    """What there is to say about the reads that were tried."""
    named: dict[str, list[str]] = {}
    for name, problem in problems:
        if not problem.decides:
            yield warning(
                f"{name}: {problem.consequence}: {problem}", "allow it, or continue without"
            )
        elif problem.permission:
            names = named.setdefault(problem.permission, [])
            names += [name] if name not in names else []
        else:
            yield not_checked(f"{name}: {problem}", "run this again")
    for permission, names in named.items():
        yield failure(f"{permission} on {', '.join(names)} is denied", "allow it")
    if not problems:
        yield fine("every read of the plan is allowed")


def _silent(_event: Event) -> None:
    """What a plan tells is not the matter here."""

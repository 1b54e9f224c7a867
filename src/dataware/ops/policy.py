"""The use case "iam-policy": the least policy that a set of resources needs, for one use of it.

What a use does with a name is a row of `PHASES_OF`; which actions that takes, the type says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from dataware.core.engines.card import EngineCard, EngineName, Grant, GrantPlace
from dataware.core.errors import InputError
from dataware.core.kind import Kind, Permissions
from dataware.core.model import ImportMode, Wanted
from dataware.core.names import place_of
from dataware.core.object_headers import ObjectHeaders
from dataware.core.passed_roles import PASS_ROLE, PassedRole, make_pass_statements
from dataware.core.phases import (
    ACCOUNT,
    CARRY,
    COPIED_FROM,
    COPIED_TO,
    CREATE,
    DESCRIBE,
    FOLLOW,
    IMPORT,
    PROBE,
    READ,
    RESTORE_FROM,
    RESTORE_TO,
    UNDO,
    VERIFY,
    VERSIONS,
    VERSIONS_WRITE,
    WRITE_ACL,
    PolicySide,
    PolicyUse,
)
from dataware.kinds import load

EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class UsePhases:
    """The phases of work on a fallback and on a preferred name.

    `versions` are further phases of both where every version of an object is asked for; `adopts`
    says that what a stack may adopt is compared with its template first, and `imports` that what
    has a read-only id is then taken in by it.
    """

    fallback: tuple[str, ...]
    preferred: tuple[str, ...]
    versions: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    adopts: bool = False
    imports: bool = False

    def on(self, wanted: Wanted, name: str, *, all_versions: bool) -> tuple[str, ...]:
        """The phases of work on one name of a resource."""
        first = name == wanted.preferred
        adopts = wanted.logical_id is not None and wanted.import_mode is ImportMode.ADOPT
        return (
            *(self.preferred if first else self.fallback),
            *(self.versions[first] if all_versions else ()),
            *((DESCRIBE,) if first and adopts and self.adopts else ()),
            *((IMPORT,) if first and adopts and self.imports and imports_by_id(wanted) else ()),
        )


def imports_by_id(wanted: Wanted) -> bool:
    """Whether a stack would adopt the resource by its physical id."""
    template = load(wanted.type).template
    by_id = wanted.names_id or not template.adoptable
    adopts = wanted.logical_id is not None and wanted.import_mode is ImportMode.ADOPT
    return adopts and by_id and (template.is_adoptable or wanted.names_id)


_COPIED: Final = ((VERSIONS,), (VERSIONS, VERSIONS_WRITE))
_COMPARED: Final = ((VERSIONS,), (VERSIONS,))
_FROM: Final = (PROBE, *COPIED_FROM)
_TO: Final = (PROBE, *COPIED_TO)
_BY_RESTORE: Final = (*_FROM, RESTORE_FROM), (*_TO, CREATE, RESTORE_TO)
_CARRIED_OUT: Final = UsePhases(*_BY_RESTORE, _COPIED, adopts=True, imports=True)

PHASES_OF: Final[Mapping[PolicyUse, UsePhases]] = {
    # A preferred name may be the source of another run.
    PolicyUse.ALL: UsePhases(
        _BY_RESTORE[0], (READ, *_BY_RESTORE[1]), _COPIED, adopts=True, imports=True
    ),
    PolicyUse.PLAN: UsePhases((PROBE,), (PROBE,), adopts=True),
    PolicyUse.APPLY: _CARRIED_OUT,
    PolicyUse.DEPLOY: _CARRIED_OUT,
    PolicyUse.MIGRATE: UsePhases(_FROM, _TO, _COPIED),
    PolicyUse.FOLLOW: UsePhases((*_FROM, FOLLOW), (*_TO, CARRY)),
    # It writes to the fallback, because a person asks for just that; `choose_undone` says to which.
    PolicyUse.UNDO: UsePhases((PROBE, VERIFY, FOLLOW, UNDO), (*_FROM, FOLLOW)),
    PolicyUse.VERIFY: UsePhases((VERIFY,), (VERIFY,), _COMPARED),
}


Permission: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""Actions, and the ARNs of the resources on which they are allowed."""


def list_permissions(
    access: Permissions, arns: Iterable[str], phases: Iterable[str]
) -> Iterator[Permission]:
    """What phases take of a resource: each action on those of its ARNs that it is for."""
    actions = sorted({action for phase in phases for action in access.phases.get(phase, ())})
    granted: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for arn in arns:
        if needed := tuple(action for action in actions if access.governs(action, arn)):
            granted[needed].append(arn)
    yield from ((needed, tuple(places)) for needed, places in granted.items())


def iam_policy(  # noqa: PLR0913 - each is asked for by an option, or says where
    wanted: Sequence[Wanted],
    *,
    account: str,
    region: str,
    partition: str,
    shared: Mapping[str, Sequence[str]],
    use: PolicyUse = PolicyUse.ALL,
    all_versions: bool = False,
    informing: bool = True,
    side: PolicySide = PolicySide.BOTH,
    passed: Iterable[PassedRole] = (),
) -> dict[str, Any]:
    """An IAM policy document for one `use` of `wanted`.

    `informing` includes what only informs people, and no decision rests on. `all_versions` adds
    what copying every version of an object needs. `shared` maps a resource ARN to the actions that
    every run needs on it (markers, CloudFormation ownership and holding stacks, the caller's
    identity). `side` leaves the names of the other side out; `passed` are roles for services.
    """
    granted: dict[str, set[str]] = defaultdict(set)
    granted.update({arn: set(actions) for arn, actions in shared.items()})
    roles = list(passed)
    for item in wanted:
        kind = load(item.type)
        for name in side.names_of(item.preferred, item.fallbacks):
            phases = PHASES_OF[use].on(item, name, all_versions=all_versions)
            actions = _actions_of(kind.access, phases, informing=informing)
            for arn in kind.access.arns(name, account, region, partition):
                granted[arn].update(
                    action for action in actions - {PASS_ROLE} if kind.access.governs(action, arn)
                )
            if PASS_ROLE in actions:
                role = f"arn:{partition}:iam::{account}:role/*"
                roles.append(PassedRole(role, kind.access.passes_to))
        if PROBE in PHASES_OF[use].preferred:
            granted[EVERYWHERE].update(kind.access.phases.get(ACCOUNT, ()))
    return _document([*_statements(granted), *make_pass_statements(roles)])


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _actions_of(access: Permissions, phases: Iterable[str], *, informing: bool) -> set[str]:
    """The actions of some phases."""
    return {
        action
        for phase in phases
        for action in access.phases.get(phase, ())
        if informing or phase != PROBE or action not in access.informing
    }


def choose_undone(
    wanted: Sequence[Wanted], find_source: Callable[[Kind, str], str | None]
) -> list[Wanted]:
    """The resources that can be gone back from, each with the one name to which it goes back.

    `find_source` gives the source of the migration into a name that is on record; None without one.
    Raises InputError where that is one of several fallbacks and no record says which, and where
    nothing can be undone.
    """
    chosen = []
    for item in wanted:
        kind = load(item.type)
        if kind.copying is None or kind.copying.following is None:
            continue
        source = find_source(kind, item.preferred)
        names = (source,) if source is not None else item.fallbacks
        if len(names) > 1:
            raise InputError(
                f"{item.preferred} has {len(names)} fallbacks, and no record says from which it is "
                "cut over: follow it first, or name one with --fallback"
            )
        if names:
            chosen.append(replace(item, fallbacks=names))
    if not chosen:
        raise InputError(
            "nothing of this app can be undone: nothing of it that can be followed has a fallback"
        )
    return chosen


def object_permissions(
    wanted: Iterable[Wanted], headers: ObjectHeaders, account: str, region: str, partition: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the headers of objects need beside the copy: resources by ARN, with their actions.

    Sources: Amazon S3 API Reference, PutObject (s3:PutObjectAcl for a canned ACL), and AWS KMS
    Developer Guide, "How Amazon Simple Storage Service uses AWS KMS". Of an alias the key is not
    known here, so it stands for the keys of the account and region.
    """
    kinds = [(one, load(one.type)) for one in wanted]
    written = [one for one in kinds if one[1].copying and one[1].copying.object_headers]
    if headers.acl:
        for one, kind in written:
            needed = kind.access.phases.get(WRITE_ACL, ())
            for arn in kind.access.arns(one.preferred, account, region, partition):
                if granted := tuple(each for each in needed if kind.access.governs(each, arn)):
                    yield arn, granted
    if headers.kms_key and written:
        key = headers.kms_key
        home = f"arn:{partition}:kms:{region}:{account}"
        if key.startswith("arn:") and ":alias/" in key:
            home, key = key.partition(":alias/")[0], "alias/"
        if not key.startswith("arn:"):
            key = f"{home}:key/{'*' if key.startswith('alias/') else key}"
        yield key, ("kms:Decrypt", "kms:GenerateDataKey")


def job_permissions(wanted: Iterable[Wanted], place: GrantPlace) -> Iterator[Grant]:
    """What the engines need whose service assumes a role, for each copy of the resources."""
    for one, card in _list_jobs(wanted):
        yield from card.grants(one.preferred, place) if card.grants else ()


def job_roles(wanted: Iterable[Wanted], role: str) -> Iterator[PassedRole]:
    """The `role`, as each of these engines hands it to its service."""
    for _, card in _list_jobs(wanted):
        yield PassedRole(role, card.passes_to)


def _list_jobs(wanted: Iterable[Wanted]) -> Iterator[tuple[Wanted, EngineCard]]:
    for one in wanted:
        copying = load(one.type).copying
        for card in copying.engines() if copying and one.fallbacks else ():
            if card.grants is not None:
                yield one, card


def scope_permissions(
    wanted: Iterable[Wanted],
    engine: EngineName,
    place: GrantPlace,
    side: PolicySide = PolicySide.BOTH,
) -> Iterator[Grant]:
    """What an engine needs that only runs when it is asked for, for each copy of the resources.

    A `side` is one of two that have credentials of their own.
    """
    for one in wanted:
        for name in one.fallbacks:
            yield from _list_scopes(one, name, place, lambda card: card.name is engine, side)


def check_side(wanted: Iterable[Wanted], engine: EngineName | None, side: PolicySide) -> None:
    """Raise InputError for one side of an engine whose copies have one set of credentials."""
    if engine is None or side is PolicySide.BOTH:
        return
    kinds = [load(one.type) for one in wanted]
    cards = [card for kind in kinds if kind.copying for card in kind.copying.engines()]
    named = [card for card in cards if card.name is engine]
    if named and not any(card.relayed_creator for card in named):
        raise InputError(
            f"--engine {engine} carries no copy with --source-profile, of which --side {side} is "
            "one side; leave out --side or --engine"
        )


def elsewhere_permissions(wanted: Iterable[Wanted], place: GrantPlace) -> Iterator[Grant]:
    """What the engines need that may be picked for a source in another region."""
    for one in wanted:
        for name in one.fallbacks:
            there = place_of(load(one.type), name, place.account, place.region)
            if there.owner == place.account and there.region != place.region:
                yield from _list_scopes(one, name, place, lambda card: card.elsewhere)


def _list_scopes(
    wanted: Wanted,
    source: str,
    place: GrantPlace,
    applies: Callable[[EngineCard], bool],
    side: PolicySide = PolicySide.BOTH,
) -> Iterator[Grant]:
    """The scopes of the engines that apply, for one side of one copy."""
    kind = load(wanted.type)
    account = place.account
    if side is PolicySide.SOURCE:
        # Whoever prints this with credentials of the source sees no account of the target.
        is_own = place_of(kind, source, place.account, place.region).owner == place.account
        account = EVERYWHERE if is_own else account
    for card in kind.copying.engines() if kind.copying else ():
        for scope in card.scopes if applies(card) else ():
            if side not in scope.sides:
                continue
            names = {
                "source": kind.access.arns(source, *place)[0],
                "target": kind.access.arns(wanted.preferred, *place)[0],
            }
            yield (
                scope.resource.format(**names, **{**place._asdict(), "account": account}),
                (scope.actions),
            )


def _statements(granted: Mapping[str, set[str]]) -> list[dict[str, Any]]:
    """One statement for each set of actions, with every resource that it is granted on."""
    resources: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for arn, actions in granted.items():
        if actions:
            resources[tuple(sorted(actions))].append(arn)
    return [
        {"Effect": "Allow", "Action": list(actions), "Resource": sorted(arns)}
        for actions, arns in sorted(resources.items())
    ]

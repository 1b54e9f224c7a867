"""What only the whole fleet shows: names wanted twice, chained copies, unequal decisions; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dataware.calc.words import with_article
from dataware.core.chained_copies import find_link, list_possible_sources
from dataware.core.fleet.plan import TargetPlan
from dataware.core.fleet.target import FleetTarget
from dataware.core.kind import Kind
from dataware.core.model import ImportMode
from dataware.core.names import identify_name, is_regional
from dataware.core.plan import Planned

NAMED = 3
"""Targets that a sentence names; the others are counted."""

KindOf = Callable[[str], Kind]
"""Gives the card of a CloudFormation type."""

Claim = tuple[FleetTarget, Planned, Kind]


class FindingKind(StrEnum):
    """What was found; the value stands in JSON."""

    SHARED_NAME = "shared-name"
    CHAINED_COPY = "chained-copy"
    UNEQUAL = "unequal"


@dataclass(frozen=True, slots=True)
class FleetFinding:
    """Something that the targets do to each other or differ in; with `stops` nothing is applied."""

    kind: FindingKind
    text: str
    targets: tuple[str, ...]
    stops: bool = False


def check_fleet(plans: Sequence[TargetPlan], kind_of: KindOf) -> tuple[FleetFinding, ...]:
    """Everything that the plans show together, what stops first."""
    claims = _claims_of(plans, kind_of)
    findings = [
        *_find_shared_names(claims),
        *_find_chained_copies(plans, claims, kind_of),
        *_find_unequal_decisions(plans),
    ]
    return tuple(sorted(findings, key=lambda one: not one.stops))


def _claims_of(plans: Sequence[TargetPlan], kind_of: KindOf) -> dict[tuple[str, str], list[Claim]]:
    """Who wants what for itself; what is only referred to is no one's own."""
    claims: dict[tuple[str, str], list[Claim]] = {}
    for target, planned in _resources(plans):
        if planned.decision.import_mode is ImportMode.REFERENCE:
            continue
        kind = kind_of(planned.wanted.type)
        key = identify_name(kind, planned.wanted.preferred, target.account, target.region)
        claims.setdefault(key, []).append((target, planned, kind))
    return claims


def _find_shared_names(claims: dict[tuple[str, str], list[Claim]]) -> Iterator[FleetFinding]:
    for claimed in claims.values():
        if len({target.name for target, _, _ in claimed}) < 2:
            continue
        targets = tuple(dict.fromkeys(target.name for target, _, _ in claimed))
        _, planned, kind = claimed[0]
        why = f"a name of {with_article(kind.noun)} is taken for all accounts and regions"
        if is_regional(kind):
            why = "these targets are in the same account and region"
        text = (
            f"{_list_names(targets)} want the same {kind.noun} {planned.wanted.preferred}: {why}; "
            "give each target a name of its own, such as by a parameter"
        )
        yield FleetFinding(FindingKind.SHARED_NAME, text, targets, stops=True)


def _find_chained_copies(
    plans: Sequence[TargetPlan], claims: dict[tuple[str, str], list[Claim]], kind_of: KindOf
) -> Iterator[FleetFinding]:
    """Copies whose source is what another target wants for itself, or is about to fill."""
    for target, planned in _resources(plans):
        kind = kind_of(planned.wanted.type)
        for name in list_possible_sources(planned):
            key = identify_name(kind, name, target.account, target.region)
            for other, theirs, _ in claims.get(key, ()):
                if other.name != target.name:
                    yield from _find_chain(target, planned, name, other, theirs)


def _find_chain(
    target: FleetTarget, planned: Planned, name: str, other: FleetTarget, theirs: Planned
) -> Iterator[FleetFinding]:
    """What it means that a target may copy from a name that another one wants for itself."""
    link = find_link(planned, name, theirs)
    if link is None:
        return
    mine = planned.wanted.preferred
    text = f"{target.name} {'copies' if link.copies else 'would copy'} {mine} from {name}, which "
    targets = (target.name, other.name)
    if link.is_filled:
        text += (
            f"{other.name} is about to fill: apply {other.name} alone first, then plan "
            f"{target.name} again"
        )
        yield FleetFinding(FindingKind.CHAINED_COPY, text, targets, stops=True)
    else:
        text += f"is that of {other.name}: make sure that its data belongs there"
        yield FleetFinding(FindingKind.CHAINED_COPY, text, targets)


def _find_unequal_decisions(plans: Sequence[TargetPlan]) -> Iterator[FleetFinding]:
    """Resources of one id that are not treated alike everywhere, with the odd targets."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for target, planned in _resources(plans):
        key = (planned.wanted.type, label_of(planned))
        groups.setdefault(key, {})[target.name] = planned.decision.action.value
    for (_, label), actions in groups.items():
        counts = Counter(actions.values())
        if len(counts) < 2:
            continue
        ranked = counts.most_common()
        usual = ranked[0][0] if ranked[0][1] > ranked[1][1] else None
        odd = tuple(name for name, action in actions.items() if action != usual)
        parts = [
            f"{count:,} {action}"
            + ("" if action == usual else f" ({_list_names(_those(actions, action))})")
            for action, count in ranked
        ]
        yield FleetFinding(FindingKind.UNEQUAL, f"{label}: {', '.join(parts)}", odd)


def label_of(planned: Planned) -> str:
    """What a resource is called in every target alike: its logical id, or its id."""
    return planned.wanted.logical_id or planned.wanted.id


def _resources(plans: Sequence[TargetPlan]) -> Iterator[tuple[FleetTarget, Planned]]:
    for one in plans:
        for planned in one.plan.resources if one.plan else ():
            yield one.target, planned


def _those(actions: dict[str, str], wanted: str) -> tuple[str, ...]:
    return tuple(name for name, action in actions.items() if action == wanted)


def _list_names(names: Sequence[str]) -> str:
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED:,} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

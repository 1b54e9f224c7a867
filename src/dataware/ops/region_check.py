"""Tells from what was found that a run looks in the wrong region, before it creates everything.

Names of tables mean other tables in another region, so an app that is planned in the wrong one
looks like an app of which nothing exists. Buckets give it away: their names mean the same
everywhere, and they say where they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dataware.core.events import format_count
from dataware.core.kind import Kind
from dataware.core.model import Existence, Facts, Ownership
from dataware.core.names import is_arn, is_regional
from dataware.core.plan import Planned
from dataware.kinds import load
from dataware.ops.context import Context
from dataware.ops.probe import look

LOOKED_UP = 20
"""Names that are looked up in the region in which the buckets are; some are evidence enough."""


@dataclass(frozen=True, slots=True)
class _Named:
    """A name without a region of its own, as it was seen; names in ARNs are meant as they are."""

    kind: Kind
    facts: Facts

    @property
    def exists(self) -> bool:
        return self.facts.existence is Existence.EXISTS


@dataclass(frozen=True, slots=True)
class RegionWarning:
    """Why the region is probably wrong; `certain` enough to stop a run that stops if uncertain."""

    text: str
    certain: bool


def find_wrong_region(context: Context, planned: Sequence[Planned]) -> RegionWarning | None:
    """Why the region of the run is probably not that of the app; None where it fits.

    Looks up the app's names in the region that its buckets point to. Changes nothing.
    """
    named = [
        _Named(load(one.wanted.type), facts)
        for one in planned
        for facts in (one.preferred, *one.fallbacks)
        if not is_arn(facts.name)
        and facts.owner.ownership is not Ownership.FOREIGN
        and facts.account in {None, context.aws.account}
    ]
    regional = [one for one in named if is_regional(one.kind)]
    elsewhere = _find_other_region(context, named)
    unseen = any(one.facts.existence is Existence.UNKNOWN for one in named)
    if elsewhere is None or unseen or any(one.exists for one in regional):
        return None
    here, (region, count) = context.aws.region, elsewhere
    located = _common_noun(one for one in named if not is_regional(one.kind))
    number, verb = format_count(count, located), "is" if count == 1 else "are"
    are = f"{number} of the app {verb} in {region}"
    if not regional:
        return RegionWarning(f"{are}, none in {here}: is --region right?", certain=False)
    names = f"{len(regional):,} {_common_noun(regional)} names"
    there = _count_in(context, region, regional)
    of_names = f"{there:,} of them in {region}, and " if there else ""
    text = f"none of {names} exists in {here}, but {of_names}{are}: is --region right?"
    return RegionWarning(text, certain=True)


def _common_noun(named: Iterable[_Named]) -> str:
    nouns = {one.kind.short for one in named}
    return nouns.pop() if len(nouns) == 1 else "resource"


def _find_other_region(context: Context, named: Sequence[_Named]) -> tuple[str, int] | None:
    """The region in which all that names alone find anywhere is, with its number, if another."""
    regions = Counter(
        one.facts.region
        for one in named
        if one.exists and not is_regional(one.kind) and one.facts.region
    )
    if len(regions) != 1:
        return None
    ((region, count),) = regions.items()
    return (region, count) if region != context.aws.region else None


def _count_in(context: Context, region: str, named: Sequence[_Named]) -> int:
    """How many of the names exist in another region; what cannot be seen is no evidence."""
    there = context.in_region(region)
    facts = [look(there, one.kind, one.facts.name) for one in named[:LOOKED_UP]]
    return sum(one.existence is Existence.EXISTS for one in facts)

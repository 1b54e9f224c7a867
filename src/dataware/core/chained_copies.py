"""Copies whose source is what another resource is about to fill (rule 26); pure.

How it works, for an app with two tables, in which only `orders` exists, with data:

    resource   prefers     falls back to   decision alone
    Archive    orders-2    orders-1        create it, empty: there is no orders-1 yet
    Orders     orders-1    orders          copy orders to orders-1

A moment later orders-1 holds data, which Archive was meant to copy. Whichever is carried out first,
one of them begins from what is not whole, so that Archive is a stop until orders-1 is filled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dataware.core.kind import Kind
from dataware.core.model import Action, Content, ImportMode
from dataware.core.names import identify_name
from dataware.core.plan import COPYING, Planned

RULE = 26


@dataclass(frozen=True, slots=True)
class ChainLink:
    """That a resource copies, or would copy, from a name that another one wants for itself.

    `copies` says that it does so now, and `is_filled` that the other is about to fill the name.
    """

    name: str
    copies: bool
    is_filled: bool


def list_possible_sources(planned: Planned) -> tuple[str, ...]:
    """The source, and the fallbacks that would be it instead, once they hold data.

    Without data under the preferred name these are all that are preferred to the source, and the
    ones that do not exist yet above all: who looks too early makes an empty resource.
    """
    fallbacks = planned.wanted.fallbacks
    if len(planned.fallbacks) >= len(fallbacks):
        # Facts have the names as they are said here, where another profile reads them.
        fallbacks = tuple(one.name for one in planned.fallbacks[: len(fallbacks)])
    source = planned.decision.source
    now = (source,) if source is not None else ()
    if planned.decision.action is Action.RESUME or planned.preferred.content is Content.DATA:
        return now
    return (*now, *(fallbacks[: fallbacks.index(source)] if source in fallbacks else fallbacks))


def find_link(planned: Planned, name: str, theirs: Planned) -> ChainLink | None:
    """What it means that a resource may copy from a name that another one wants for itself."""
    copies = name == planned.decision.source and planned.decision.action in COPYING
    is_filled = theirs.changes if copies else theirs.decision.action in COPYING
    return ChainLink(name, copies, is_filled) if copies or is_filled else None


def stop_chained_copies(
    planned: Sequence[Planned], kind_of: Callable[[str], Kind], account: str, region: str
) -> tuple[Planned, ...]:
    """The same resources of one environment, those stopped whose source another one would fill."""

    def identify(one: Planned, name: str) -> tuple[str, str]:
        return identify_name(kind_of(one.wanted.type), name, account, region)

    owners = {
        identify(one, one.wanted.preferred): one
        for one in planned
        if one.decision.import_mode is not ImportMode.REFERENCE
    }

    def check(one: Planned) -> Planned:
        if one.decision.action is Action.STOP:
            return one
        for name in list_possible_sources(one):
            theirs = owners.get(identify(one, name))
            if theirs is None or theirs is one:
                continue
            link = find_link(one, name, theirs)
            if link is not None and link.is_filled:
                decision = one.decision.stop(RULE, _explain(one, link, theirs))
                return replace(one, decision=decision, estimate=None)
        return one

    return tuple(map(check, planned))


def _explain(planned: Planned, link: ChainLink, theirs: Planned) -> str:
    copies = "copies" if link.copies else "would copy"
    mine, other = planned.wanted.preferred, theirs.wanted
    return (
        f"{mine} {copies} from {link.name}, which {other.id} is about to fill; run `dataware apply "
        f"--only {other.preferred}` first, then plan again"
    )

"""Whether the decisions in the lock file are those of a plan, and leave nothing to carry out; pure.

The constructs make a template from the entries of the lock file, so the same entries make the same
template. Where a plan comes to the same ones and has nothing to carry out, what was synthesized
before is what would be synthesized again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dataware.core.lock_file import LockedDecisions, lock_entries, lock_key
from dataware.core.model import Action
from dataware.core.plan import COPYING, Plan

UNFIT = frozenset(action.value for action in (*COPYING, Action.STOP))
"""The decisions with which the app is synthesized again in any case."""


WORDS = frozenset({"reason", "warnings"})
"""What an entry says to people, with figures that change every day; no template rests on it."""


def may_hold(locked: LockedDecisions, stacks: Collection[str] | None) -> bool:
    """Whether the decisions of a lock file may be those of the next plan.

    `stacks` are the names of the stacks that will be deployed, None where they are not known.
    """
    entries = [entry for each in locked.values() for entry in each.values()]
    return bool(locked) and not any(_is_unfit(entry, stacks) for entry in entries)


def _is_unfit(entry: Any, stacks: Collection[str] | None) -> bool:
    if not isinstance(entry, Mapping):
        return True
    concerned = stacks is None or entry.get("stack") in {None, *stacks}
    return concerned and entry.get("action") in UNFIT


def find_new_decisions(plan: Plan, locked: LockedDecisions) -> Iterator[str]:
    """The names that are decided otherwise than in the lock file, to be carried out, or in danger.

    Without any, nothing has to be done before a deployment.
    """
    here = locked.get(f"{plan.account}/{plan.region}", {})
    entries = lock_entries(plan)
    for planned in plan.resources:
        key = lock_key(planned.wanted.type, planned.wanted.preferred)
        stops = planned.decision.action is Action.STOP
        if stops or planned.changes or not _is_same(here.get(key), entries[key]):
            yield planned.wanted.preferred
    yield from (loss.name for loss in plan.losses)


def find_unread_sources(plan: Plan, locked: LockedDecisions) -> Iterator[tuple[str, str]]:
    """The names that the lock file fills from a source that the plan did not look at, with that.

    A profile may have read it when the lock file was written, and the names of the fallbacks, which
    are the same as then, may mean other resources, or none, without it.
    """
    here = locked.get(f"{plan.account}/{plan.region}", {})
    for planned in plan.resources:
        wanted = planned.wanted
        entry = here.get(lock_key(wanted.type, wanted.preferred))
        if not isinstance(entry, Mapping) or entry.get("action") != Action.MIGRATE:
            continue
        readable = {*wanted.fallbacks, *(one.name for one in planned.fallbacks)}
        source, names = entry.get("source"), entry.get("fallbacks")
        begins = planned.decision.action in {Action.CREATE, Action.MIGRATE}
        is_unread = isinstance(source, str) and source not in readable
        if begins and is_unread and names == [*wanted.fallbacks]:
            yield wanted.preferred, str(source)


def _is_same(locked: Any, entry: Mapping[str, Any]) -> bool:
    if not isinstance(locked, Mapping):
        return False
    fields = {*locked, *entry} - WORDS
    return all(name in locked and name in entry and locked[name] == entry[name] for name in fields)

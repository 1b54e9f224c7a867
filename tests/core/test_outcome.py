"""The last line of a deployment says what is true then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataware.core.model import (
    Action,
    Content,
    Decision,
    Existence,
    Facts,
    ImportMode,
    Marker,
    MarkerState,
    Owner,
    Ownership,
    Size,
    Wanted,
    absent,
)
from dataware.core.outcome import PlanOutcome, join_outcomes, judge_outcome
from dataware.core.plan import Planned

OURS = Owner(Ownership.THIS_STACK, "App", "Table")


def facts(name: str, content: Content, items: int | None = None, *, exact: bool = True) -> Facts:
    """What exists under a name."""
    size = None if items is None else Size(items, 0, exact)
    return Facts(name, Existence.EXISTS, content, OURS, size=size)


def planned(preferred: Facts, *fallbacks: Facts, action: Action = Action.KEEP) -> Planned:
    """A resource after the deployment."""
    names = tuple(one.name for one in fallbacks)
    wanted = Wanted("App/Table", "T", preferred.name, names, stack="App", logical_id="Table")
    return Planned(wanted, preferred, fallbacks, Decision(action, 6, "why"))


def text(*plan: Planned) -> str:
    """The last line."""
    return judge_outcome(plan, lambda _: "item").text


FULL, EMPTY = facts("new", Content.DATA, 78), facts("new", Content.EMPTY, 0)
OLD = facts("old", Content.DATA, 78)
MIGRATED = replace(FULL, marker=Marker(MarkerState.COMPLETE, source="old"))


def test_what_holds_data_and_what_is_empty_is_named() -> None:
    """By name while there are few, by number when there are many."""
    assert text() == "Deployed; no resource opts in"
    assert text(planned(FULL)) == "Deployed: new holds data"
    empty = planned(replace(EMPTY, name="other"))
    assert text(planned(FULL), empty) == "Deployed: new holds data; other is empty"
    many = [planned(replace(FULL, name=f"t{number}")) for number in range(9)]
    assert text(*many) == "Deployed: 9 resources hold data"


def test_data_that_was_carried_over_is_not_told_as_left() -> None:
    """The source of a complete migration still holds its data, by name or by ARN."""
    assert text(planned(MIGRATED, OLD)) == "Deployed: new holds data"
    by_arn = replace(OLD, name="arn:aws:dynamodb:eu-west-1:111122223333:table/old")
    assert text(planned(MIGRATED, by_arn)) == "Deployed: new holds data"


@pytest.mark.parametrize("preferred", [EMPTY, FULL, replace(MIGRATED, marker=FULL.marker)])
def test_data_under_an_old_name_is_told(preferred: Facts) -> None:
    """Whatever the preferred one holds, unless the record says that it came from there."""
    assert text(planned(preferred, OLD)) == "Deployed, but 78 items are still in old"
    roughly = facts("old", Content.DATA, 1, exact=False)
    assert text(planned(preferred, roughly)) == "Deployed, but about 1 item is still in old"
    unknown = facts("old", Content.DATA)
    assert text(planned(preferred, unknown)) == "Deployed, but data is still in old"


def test_a_fallback_that_is_itself_in_use_is_no_leftover() -> None:
    """An app that imports the older resource uses its data where it is."""
    one = planned(absent("new"), OLD, action=Action.IMPORT)
    imported = replace(one, decision=replace(one.decision, source="old"))
    assert text(imported) == "Deployed: old holds data"


def test_what_was_not_looked_into_is_told() -> None:
    """Unknown is neither empty nor in place."""
    hidden = facts("old", Content.UNKNOWN)
    assert text(planned(FULL, hidden)) == "Deployed, but old was not inspected"
    nothing = Facts("older", Existence.UNKNOWN)
    assert text(planned(facts("new", Content.UNKNOWN), hidden, nothing)) == (
        "Deployed, but new, old and older were not inspected"
    )


def test_what_is_missing_stopped_or_of_no_stack_is_told() -> None:
    """A command that ended is no resource that stands."""
    assert text(planned(absent("new"))) == "Deployed, but new does not exist"
    assert text(planned(FULL, action=Action.STOP)) == "Deployed, but new is stopped by rule 6"
    alone = planned(replace(FULL, owner=Owner(Ownership.UNMANAGED)), action=Action.IMPORT)
    adopted = replace(alone, decision=replace(alone.decision, import_mode=ImportMode.ADOPT))
    assert text(adopted) == "Deployed, but new still belongs to no stack"
    referred = replace(alone, decision=replace(alone.decision, import_mode=ImportMode.REFERENCE))
    assert text(referred) == "Deployed: new holds data"


def test_several_environments_are_told_in_one_line() -> None:
    """What is as it should be by environment, or only what is not; one alone needs no name."""
    good, empty = PlanOutcome(("a", "b"), (), ()), PlanOutcome((), ("c",), ())
    bad, none = PlanOutcome(("d",), (), ("5 items are still in old",)), PlanOutcome((), (), ())
    assert join_outcomes({"1/us": good}) == "Deployed: a and b hold data"
    assert join_outcomes({"1/us": good, "1/eu": empty, "2/us": none}) == (
        "Deployed: in 1/us a and b hold data; in 1/eu c is empty"
    )
    assert join_outcomes({"1/us": good, "1/eu": bad}) == (
        "Deployed, but in 1/eu 5 items are still in old"
    )

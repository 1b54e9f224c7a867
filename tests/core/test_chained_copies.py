"""Whose data would come from what another resource of the app is about to fill."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dataware.core.chained_copies import RULE, stop_chained_copies
from dataware.core.model import Action, Content, Existence, Facts, ImportMode
from dataware.core.plan import COPYING, Planned
from dataware.kinds import load
from support.fleets import BUCKET, ONE, TABLE, planned

REGION = "eu-west-1"


def check(*resources: Planned) -> list[Planned]:
    """The resources with what they do to each other."""
    return [*stop_chained_copies(resources, load, ONE, REGION)]


def falling_back(one: Planned, *names: str) -> Planned:
    """The resource with these fallbacks."""
    return replace(one, wanted=replace(one.wanted, fallbacks=names))


def test_an_absent_fallback_that_another_resource_fills_is_a_stop() -> None:
    """Otherwise it is made empty, a moment before its data is there."""
    early = falling_back(planned("archive"), "orders-prod")
    filled = planned("orders-prod", Action.MIGRATE, source="orders")
    stopped, other = check(early, filled)
    assert (stopped.decision.action, stopped.decision.rule) == (Action.STOP, RULE)
    assert "`dataware apply --only orders-prod`" in stopped.decision.reason
    assert other == filled
    assert [one.decision.action for one in check(filled, early)] == [Action.MIGRATE, Action.STOP]


def test_a_fallback_that_goes_before_the_source_is_a_stop() -> None:
    """The data would come from elsewhere than the app says."""
    copied = falling_back(planned("a", Action.MIGRATE, source="old"), "b", "old")
    (stopped, _) = check(copied, planned("b", Action.MIGRATE, source="c"))
    assert stopped.decision.rule == RULE
    later = falling_back(planned("a", Action.MIGRATE, source="old"), "old", "b")
    assert check(later, planned("b", Action.MIGRATE, source="c"))[0] == later


def test_what_is_at_rest_is_no_stop() -> None:
    """A source that another resource keeps, or data that is there already."""
    copied = planned("a", Action.MIGRATE, source="b")
    kept = planned("b", Action.KEEP, existence=Existence.EXISTS)
    assert check(copied, kept) == [copied, kept]
    full = replace(
        falling_back(planned("a", Action.IMPORT), "b"),
        preferred=Facts("a", Existence.EXISTS, Content.DATA),
    )
    assert check(full, planned("b", Action.MIGRATE, source="c"))[0] == full


def test_a_name_of_another_kind_or_of_nobody_is_no_chain() -> None:
    """A table is not the bucket of its name, and what is referred to is not filled here."""
    early = falling_back(planned("archive", cfn_type=TABLE), "orders")
    bucket = planned("orders", Action.MIGRATE, source="old", cfn_type=BUCKET)
    assert check(early, bucket)[0] == early
    referred = planned(
        "orders", Action.MIGRATE, source="x", cfn_type=TABLE, import_mode=ImportMode.REFERENCE
    )
    assert check(early, referred)[0] == early


NAMES = [f"n{number}" for number in range(5)]
ACTIONS = st.sampled_from([Action.CREATE, Action.MIGRATE, Action.KEEP])


@given(st.lists(st.tuples(ACTIONS, st.permutations(NAMES), st.integers(0, 3)), max_size=5))
def test_no_copy_that_is_left_begins_from_what_another_one_fills(
    wants: list[tuple[Action, list[str], int]],
) -> None:
    """Whatever an app wants: what is not stopped has no source that is still to be filled."""
    resources = []
    for name, (action, order, count) in zip(NAMES, wants, strict=False):
        fallbacks = [one for one in order if one != name][:count]
        source = fallbacks[-1] if fallbacks and action in COPYING else None
        taken = action if source or action not in COPYING else Action.CREATE
        one = planned(name, taken, existence=Existence.EXISTS)
        decision = replace(one.decision, source=source)
        resources.append(falling_back(replace(one, decision=decision), *fallbacks))
    filled = {one.wanted.preferred for one in resources if one.decision.action in COPYING}
    for before, after in zip(resources, check(*resources), strict=True):
        early = before.wanted.fallbacks
        if before.decision.source:
            early = early[: early.index(before.decision.source) + 1]
        assert (after.decision.rule == RULE) == bool(filled & {*early})

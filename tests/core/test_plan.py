"""The plan as JSON: complete, stable, readable back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import InputError
from dataware.core.estimate import Estimate, Prices
from dataware.core.lock_file import lock_entries, lock_key
from dataware.core.model import (
    Action,
    Content,
    Creator,
    Decision,
    Existence,
    Facts,
    ImportMode,
    Marker,
    MarkerState,
    OnError,
    OnFallbackData,
    Owner,
    Ownership,
    Size,
    Wanted,
    absent,
)
from dataware.core.plan import Plan, Planned, changed_facts

words = st.text(max_size=8)
sizes = st.builds(Size, st.integers(0), st.integers(0), st.booleans())


def _facts() -> st.SearchStrategy[Facts]:
    return st.builds(
        Facts,
        name=words,
        existence=st.sampled_from([Existence.EXISTS, Existence.UNKNOWN]),
        content=st.just(Content.UNKNOWN),
        owner=st.builds(Owner, st.sampled_from(Ownership), st.none() | words, st.none() | words),
        marker=st.builds(Marker, st.sampled_from(MarkerState), source=st.none() | words),
        schema=st.none() | words,
        identity=st.none() | words,
        size=st.none() | sizes,
        notes=st.lists(words, max_size=2).map(tuple),
    )


planned = st.builds(
    Planned,
    wanted=st.builds(
        Wanted,
        words,
        words,
        st.just("preferred"),
        st.lists(words, max_size=2).map(tuple),
        properties=st.dictionaries(words, words, max_size=2),
        stack=st.none() | words,
        logical_id=st.none() | words,
        on_error=st.sampled_from(OnError),
        on_fallback_data=st.sampled_from(OnFallbackData),
        import_mode=st.sampled_from(ImportMode),
        creator=st.sampled_from(Creator),
        unresolved=st.lists(words, max_size=2).map(tuple),
    ),
    preferred=_facts().map(lambda facts: replace(facts, name="preferred")),
    fallbacks=st.lists(_facts(), max_size=2).map(tuple),
    decision=st.builds(
        Decision,
        st.sampled_from(Action),
        st.integers(1, 18),
        words,
        source=st.none() | words,
        import_mode=st.none() | st.sampled_from(ImportMode),
        no_overwrite=st.booleans(),
        warnings=st.lists(words, max_size=2).map(tuple),
    ),
    estimate=st.none()
    | st.builds(
        Estimate, st.integers(0), st.integers(0), st.integers(0), st.floats(0, 1e6), st.booleans()
    ),
)


prices = st.builds(
    Prices,
    *([words] * 4),
    usd=st.dictionaries(words, st.floats(0, 1), max_size=2),
    filled=st.lists(words, max_size=2).map(tuple),
)


@given(st.lists(planned, max_size=3), st.none() | prices)
def test_a_plan_survives_its_file(resources: list[Planned], priced: Prices | None) -> None:
    """Writing a plan and reading it back changes nothing."""
    plan = Plan(
        "111122223333",
        "eu-central-1",
        "2026-01-01T00:00:00+00:00",
        tuple(resources),
        ("w",),
        prices=priced,
    )
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_the_documented_fields_are_there() -> None:
    """Schema version 1 has the names that documents and scripts use."""
    wanted = Wanted("Demo/Waitlist", "AWS::DynamoDB::Table", "Waitlist-prod", ("Waitlist",))
    decision = Decision(Action.MIGRATE, 3, "because", "Waitlist", ImportMode.ADOPT)
    fallback = Facts("Waitlist", Existence.EXISTS, Content.DATA)
    one = Planned(
        wanted, absent("Waitlist-prod"), (fallback,), decision, Estimate(78, 1, 2, 0.1, True)
    )
    data = one.to_json()
    assert {"id", "type", "preferred", "fallbacks", "action", "rule", "reason"} <= data.keys()
    assert {"source", "import", "estimate"} <= data.keys()
    assert {
        "exists": "no",
        "content": "unknown",
        "owner": "no stack",
        "marker": "none",
    }.items() <= data["preferred"].items()
    assert {"exists": "yes", "content": "data"}.items() <= data["fallbacks"][0].items()
    assert (data["action"], data["rule"], data["import"]) == ("migrate", 3, "adopt")


def test_a_plan_without_prices_is_read() -> None:
    """A plan of before there were prices in it is still one."""
    data = Plan("1", "r", "t", ()).to_json()
    del data["prices"]
    assert Plan.from_json(data).prices is None


@pytest.mark.parametrize("data", [None, [], {}, {"version": 2}, {"version": 1, "account": "1"}])
def test_anything_else_is_not_a_plan(data: object) -> None:
    """A file that is no plan is bad input, in one sentence."""
    with pytest.raises(InputError, match="dataware plan"):
        Plan.from_json(data)


def test_a_changed_fact_is_named() -> None:
    """What differs from the plan is told by name, fact, and both values."""
    wanted = Wanted("Demo/Uploads", "AWS::S3::Bucket", "uploads-prod")
    decision = Decision(Action.CREATE, 5, "because")
    before = Planned(wanted, absent("uploads-prod"), (), decision)
    there = Facts("uploads-prod", Existence.EXISTS, Content.DATA)
    after = Planned(wanted, there, (), Decision(Action.IMPORT, 1, "because"))
    assert changed_facts(before, after) == [
        "uploads-prod decision was create (rule 5) and is import (rule 1)",
        "uploads-prod exists was no and is yes",
    ]
    assert changed_facts(before, before) == []


NEW, OLD = "Waitlist-prod", Facts("Waitlist", Existence.EXISTS, Content.DATA, identity="1")
MIGRATION = Planned(
    Wanted("Demo/Waitlist", "AWS::DynamoDB::Table", NEW, (OLD.name,)),
    absent(NEW),
    (OLD,),
    Decision(Action.MIGRATE, 3, "because", OLD.name),
)


def begun(state: MarkerState, source: str = OLD.name, action: Action = Action.RESUME) -> Planned:
    """The migration, looked at after somebody has begun one into its target."""
    target = Facts(NEW, Existence.EXISTS, Content.DATA, marker=Marker(state, source=source))
    return replace(MIGRATION, preferred=target, decision=Decision(action, 7, "because", source))


@pytest.mark.parametrize("action", [Action.RESUME, Action.IMPORT, Action.KEEP])
@pytest.mark.parametrize("state", [MarkerState.RUNNING, MarkerState.COMPLETE])
def test_what_a_plan_has_begun_is_no_change(state: MarkerState, action: Action) -> None:
    """The same migration on record, running or complete, is the plan itself at work."""
    assert changed_facts(MIGRATION, begun(state, action=action)) == []


@pytest.mark.parametrize(
    "after",
    [
        begun(MarkerState.NONE),
        begun(MarkerState.UNKNOWN),
        begun(MarkerState.RUNNING, source="another"),
        begun(MarkerState.COMPLETE, action=Action.STOP),
        begun(MarkerState.COMPLETE, action=Action.MIGRATE),
    ],
)
def test_what_somebody_else_has_begun_is_a_change(after: Planned) -> None:
    """Without the plan's own record, or where the record leads to a stop, the plan is stale."""
    assert any("exists was no and is yes" in change for change in changed_facts(MIGRATION, after))


def test_a_source_that_changed_under_a_begun_plan_is_a_change() -> None:
    """Only the target may be another; a source that was made anew is not the reviewed one."""
    after = begun(MarkerState.RUNNING)
    other = replace(after, fallbacks=(replace(OLD, identity="2"),))
    assert changed_facts(MIGRATION, other) == ["Waitlist identity was 1 and is 2"]


def test_what_a_plan_has_created_is_no_change_while_it_is_empty() -> None:
    """A plan that creates may be applied again; data that came since was not in the plan."""
    decision = Decision(Action.CREATE, 5, "because")
    before = Planned(Wanted("B", "AWS::S3::Bucket", "b"), absent("b"), (), decision)
    there = Facts("b", Existence.EXISTS, Content.EMPTY)
    after = replace(before, preferred=there, decision=replace(decision, rule=12))
    assert changed_facts(before, after) == []
    filled = replace(there, content=Content.DATA)
    assert changed_facts(before, replace(after, preferred=filled)) != []


def test_another_source_of_the_same_decision_is_named() -> None:
    """What was and what is differ in the sentence, too."""
    other = replace(MIGRATION, decision=replace(MIGRATION.decision, source="elsewhere"))
    assert changed_facts(MIGRATION, other) == [f"{NEW} source was {OLD.name} and is elsewhere"]


def test_lock_entries_are_keyed_by_type_and_name() -> None:
    """A lock file finds a decision by what the app declares."""
    wanted = Wanted("Demo/Uploads", "AWS::S3::Bucket", "uploads-prod")
    one = Planned(wanted, absent("uploads-prod"), (), Decision(Action.CREATE, 5, "because"))
    entries = lock_entries(Plan("1", "r", "t", (one,)))
    entry = entries[lock_key("AWS::S3::Bucket", "uploads-prod")]
    assert (entry["action"], entry["reason"], entry["exists"]) == ("create", "because", "no")

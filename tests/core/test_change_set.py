"""The verdict of a change set beside that of the guard: the stricter one holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.change_set import (
    PlannedChange,
    changes_data,
    find_further_threats,
    holds_data,
)
from dataware.core.destructive_change import DestructiveChange, Loss
from dataware.core.expand import expand
from dataware.core.guard import AppIndex, threats
from dataware.core.model import Deployed
from dataware.core.stack_template import StackTemplate, read_declared
from dataware.kinds import kinds

TABLE, QUEUE = "AWS::DynamoDB::Table", "AWS::SNS::Topic"
CARDS = {kind.cfn_type: kind for kind in kinds()}
HELD = {"Orders": Deployed(TABLE, "orders"), "Jobs": Deployed(QUEUE, "jobs")}
INDEX = AppIndex(CARDS)
COPIED = AppIndex(CARDS, copied=frozenset({("dynamodb-table", "orders")}))

CHANGES = st.lists(
    st.builds(
        PlannedChange,
        st.sampled_from(["Orders", "Jobs", "Unknown"]),
        st.sampled_from(["Add", "Modify", "Remove", "Import", "Dynamic", "SyncWithActual"]),
        st.sampled_from(["True", "False", "Conditional"]),
        st.sampled_from(["", "Delete", "Retain", "ReplaceAndDelete", "ReplaceAndRetain"]),
    ),
    max_size=5,
)
PROPERTIES = st.fixed_dictionaries(
    {"TableName": st.sampled_from(["orders", "other"])},
    optional={"BillingMode": st.sampled_from(["PAY_PER_REQUEST", "PROVISIONED"])},
)
TEMPLATES = st.dictionaries(
    st.sampled_from(["Orders", "Later"]),
    st.builds(lambda found: {"Type": TABLE, "Properties": found}, PROPERTIES),
)


def stack(resources: Mapping[str, Any], **sections: Any) -> StackTemplate:
    """A stack of a template."""
    return read_declared("App", expand({"Resources": resources, **sections}, CARDS))


def further(
    changes: list[PlannedChange],
    index: AppIndex = INDEX,
    known: list[DestructiveChange] | None = None,
) -> list[DestructiveChange]:
    """What a change set adds to an unchanged template."""
    return list(find_further_threats(index, stack({}), HELD, changes, known or []))


@given(TEMPLATES, CHANGES, st.booleans())
def test_neither_verdict_weakens_the_other(
    now: dict[str, Any], changes: list[PlannedChange], copied: bool
) -> None:
    """Every resource that one of the two would lose is a threat, each once; nothing else is."""
    index = COPIED if copied else INDEX
    before = stack({"Orders": {"Type": TABLE, "Properties": {"TableName": "orders"}}}).resources
    known = list(threats(index, stack(now), before, HELD))
    added = list(find_further_threats(index, stack(now), HELD, changes, known))
    names = [one.logical_id for one in (*known, *added)]
    assert len(names) == len({*names})
    lost = {
        one.logical_id
        for one in changes
        if (
            one.action == "Remove" and not (copied and one.policy in {"Retain", "ReplaceAndRetain"})
        )
        or (one.action == "Modify" and one.replacement != "False")
    }
    assert {*names} == {one.logical_id for one in known} | (lost & {"Orders"})


@pytest.mark.parametrize(
    ("change", "loss", "words"),
    [
        (PlannedChange("Orders", "Remove", policy="Delete"), Loss.LEAVES, "would delete it"),
        (PlannedChange("Orders", "Remove"), Loss.LEAVES, "would delete it"),
        (PlannedChange("Orders", "Remove", policy="Retain"), Loss.LEAVES, "leave it unmanaged"),
        (
            PlannedChange("Orders", "Modify", "True", "ReplaceAndDelete"),
            Loss.REPLACED,
            "would replace it, and delete the old one",
        ),
        (
            PlannedChange("Orders", "Modify", "Conditional", "ReplaceAndRetain"),
            Loss.REPLACED,
            "may replace it, and leave the old one unmanaged",
        ),
    ],
)
def test_a_threat_says_what_cloudformation_says(
    change: PlannedChange, loss: Loss, words: str
) -> None:
    """What would happen to the data follows from the policy in the change set."""
    (found,) = further([change])
    assert (found.loss, found.name) == (loss, "orders")
    assert words in found.outcome
    assert "a change set says that CloudFormation" in found.reason


@pytest.mark.parametrize(
    ("replacement", "recreating", "lost"),
    [
        ("Conditional", ("MultiAZ",), False),
        ("Conditional", ("MultiAZ", "StorageType"), False),
        ("Conditional", ("MultiAZ", "Engine"), True),
        ("Conditional", ("", "MultiAZ"), True),
        ("Conditional", (), True),
        ("True", ("MultiAZ",), True),
    ],
)
def test_what_cloudformation_calls_conditional_and_never_replaces_is_no_loss(
    replacement: str, recreating: tuple[str, ...], lost: bool
) -> None:
    """Only where every property of the verdict is one that is updated in place."""
    database = "AWS::RDS::DBInstance"
    change = PlannedChange("Db", "Modify", replacement, recreating=recreating)
    held = {"Db": Deployed(database, "db")}
    found = find_further_threats(INDEX, StackTemplate("App", {}), held, [change], [])
    assert bool([*found]) is lost


def test_what_is_retained_and_copied_may_leave() -> None:
    """As for the guard, a rename that carries the data over is no loss; one that deletes is."""
    retained = PlannedChange("Orders", "Remove", policy="Retain")
    assert further([retained], COPIED) == []
    assert further([replace(retained, policy="Delete")], COPIED) != []


PARAMETERS = {"Stage": {"Type": "AWS::SSM::Parameter::Value<String>"}}
LITERAL = {"Orders": {"Type": TABLE, "Properties": {"TableName": "orders"}}}


INCLUDE = {"Name": "AWS::Include", "Parameters": {"Location": "s3://parts/table.yaml"}}


@pytest.mark.parametrize(
    ("was", "now", "asks"),
    [
        (LITERAL, LITERAL, False),
        (LITERAL, {}, True),
        (LITERAL, {"Orders": {**LITERAL["Orders"], "DeletionPolicy": "Retain"}}, True),
        (LITERAL, {"Orders": {"Type": TABLE, "Properties": {"TableName": "other"}}}, True),
        (LITERAL, {**LITERAL, "More": {"Type": QUEUE}}, False),
        (None, LITERAL, True),
        *(
            ({"Orders": one}, {"Orders": one}, asks)
            for one, asks in (
                ({"Type": TABLE, "Properties": {"TableName": {"Ref": "Stage"}}}, True),
                (
                    {"Type": TABLE, "Properties": {"TableName": {"Fn::ImportValue": "a"}}},
                    True,
                ),
                ({"Type": TABLE, "Properties": {"TableName": "{{resolve:ssm:a}}"}}, True),
                ({**LITERAL["Orders"], "Condition": "Stays"}, True),
                (
                    {
                        "Type": TABLE,
                        "Properties": {"TableName": "orders", "Fn::Transform": INCLUDE},
                    },
                    True,
                ),
                ({"Type": TABLE, "Properties": {"TableName": {"Ref": "Other"}}}, False),
            )
        ),
    ],
)
def test_cloudformation_is_asked_where_data_may_be_touched(
    was: dict[str, Any] | None, now: dict[str, Any], asks: bool
) -> None:
    """A change, or a value that CloudFormation looks up anew although no template changes."""
    sections = {
        "Parameters": {**PARAMETERS, "Other": {"Type": "String"}},
        "Conditions": {"Stays": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
    }
    before = None if was is None else stack(was, **sections).resources
    held = {"Orders": HELD["Orders"]}
    assert changes_data(INDEX, stack(now, **sections), before, held) is asks
    assert not changes_data(INDEX, stack(now), before, {"Jobs": HELD["Jobs"]})


def test_cloudformation_is_asked_wherever_a_macro_may_write_something_else() -> None:
    """The same text becomes another template once the macro, or the file it includes, changes."""
    now = stack(LITERAL, Transform=["Tables"])
    before = stack(LITERAL, Transform=["Tables"]).resources
    assert changes_data(INDEX, now, before, {"Orders": HELD["Orders"]})
    assert not changes_data(INDEX, now, before, {"Jobs": HELD["Jobs"]})
    serverless = stack(LITERAL, Transform="AWS::Serverless-2016-10-31")
    assert not changes_data(INDEX, serverless, before, {"Orders": HELD["Orders"]})


def test_cloudformation_is_asked_about_what_a_failed_deployment_left() -> None:
    """Its template says what was tried, and not what the stack has."""
    before = stack(LITERAL).resources
    held = {"Orders": replace(HELD["Orders"], is_unsettled=True)}
    assert changes_data(INDEX, stack(LITERAL), before, held)


def test_a_stack_without_data_is_never_asked_about() -> None:
    """It has nothing to lose."""
    assert holds_data(INDEX, HELD)
    assert not holds_data(INDEX, {"Jobs": HELD["Jobs"]})

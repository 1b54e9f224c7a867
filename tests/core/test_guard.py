"""What an update of a stack would lose, by comparison alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.destructive_change import DestructiveChange, Loss
from dataware.core.expand import expand
from dataware.core.guard import AppIndex, places_of, threats, with_content
from dataware.core.model import Content, Deployed, Existence, Facts, Size, absent
from dataware.core.stack_template import DeclaredResource, StackTemplate, read_declared
from dataware.kinds import kinds

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
GLOBAL = "AWS::DynamoDB::GlobalTable"
CARDS = {kind.cfn_type: kind for kind in kinds()}
HELD = {"Orders": Deployed(TABLE, "orders")}


def keyed(name: str | None = "orders", key: str = "pk", kind: str = "S", **more: Any) -> Any:
    """The properties of a table."""
    named = {} if name is None else {"TableName": name}
    return {
        **named,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": kind}],
        **more,
    }


def table(
    properties: Any = None, policy: str | None = None, of_type: str = TABLE
) -> DeclaredResource:
    """A table of a template."""
    return DeclaredResource(of_type, keyed() if properties is None else properties, policy, policy)


def lost(
    before: Mapping[str, DeclaredResource] | None,
    now: Mapping[str, DeclaredResource],
    held: Mapping[str, Deployed] = HELD,
    *,
    copied: frozenset[tuple[str, str]] = frozenset(),
    elsewhere: Mapping[str, Mapping[str, DeclaredResource]] | None = None,
    key: str = "",
) -> list[DestructiveChange]:
    """The threats to a stack App, which has the id `key` in a CDK app."""
    places = places_of({"App": now, **(elsewhere or {})}, CARDS)
    stack = StackTemplate("App", now, id=key)
    return list(threats(AppIndex(CARDS, places, copied), stack, before, held))


BEFORE = {"Orders": table()}
GENERATED = {"Orders": Deployed(TABLE, "App-Orders-1ABC")}
COPIED = frozenset({("dynamodb-table", "orders")})


@pytest.mark.parametrize(
    ("before", "now", "loss", "says"),
    [
        ({"Orders": table()}, {}, Loss.LEAVES, "would delete it"),
        ({"Orders": table(policy="Retain")}, {}, Loss.LEAVES, "leave it unmanaged"),
        ({"Orders": table()}, {"Other": table()}, Loss.MOVES, "be declared again as Other:"),
        ({"Orders": table()}, {"Other": table(of_type=GLOBAL)}, Loss.MOVES, "as Other:"),
        ({"Orders": table()}, {"Orders": table(keyed("x"))}, Loss.RENAMED, "renamed to x:"),
        ({"Orders": table()}, {"Orders": table(keyed(None))}, Loss.RENAMED, "generates"),
        (
            {"Orders": table()},
            {"Orders": table(keyed(TableName={"Ref": "Name"}))},
            Loss.RENAMED,
            "resolves",
        ),
        ({"Orders": table()}, {"Orders": table(of_type=GLOBAL)}, Loss.REPLACED, "become AWS::"),
        ({"Orders": table()}, {"Orders": table(keyed(key="id"))}, Loss.REPLACED, "KeySchema"),
        ({"Orders": table()}, {"Orders": table(keyed(kind="N"))}, Loss.REPLACED, "key schema"),
        (
            {"Orders": table()},
            {"Orders": table(keyed(ImportSourceSpecification={"InputFormat": "CSV"}))},
            Loss.REPLACED,
            "ImportSourceSpecification",
        ),
        (None, {}, Loss.LEAVES, "would delete it"),
        (None, {"Orders": table(keyed("x"))}, Loss.RENAMED, "renamed to x:"),
    ],
)
def test_each_way_to_lose_a_table_is_seen(
    before: Mapping[str, DeclaredResource] | None,
    now: Mapping[str, DeclaredResource],
    loss: Loss,
    says: str,
) -> None:
    """Leaving, moving, renaming, replacing: each is told apart, with what would happen."""
    (threat,) = lost(before, now)
    assert (threat.loss, threat.stack, threat.logical_id, threat.name) == (
        loss,
        "App",
        "Orders",
        "orders",
    )
    assert says in threat.outcome
    assert threat.recipe


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (BEFORE, BEFORE),
        (BEFORE, {"Orders": table(keyed(BillingMode="PAY_PER_REQUEST"), "Retain")}),
        (BEFORE, {**BEFORE, "New": table(keyed("new"))}),
        ({"Orders": table(keyed(TableName={"Ref": "Name"}))}, BEFORE),
        (None, {"Orders": table(keyed(None, key="id"))}),
        ({"Tables": DeclaredResource("My::Macro")}, {"Tables": DeclaredResource("My::Macro")}),
    ],
)
def test_what_stays_is_no_threat(
    before: Mapping[str, DeclaredResource] | None, now: Mapping[str, DeclaredResource]
) -> None:
    """The same name and key under the same logical id, and what a macro makes, pass."""
    assert lost(before, now) == []


def test_a_serverless_table_is_compared_with_what_was_sent() -> None:
    """A type that a transform expands is no change of type."""
    simple = {"Orders": DeclaredResource("AWS::Serverless::SimpleTable", {"TableName": "orders"})}
    assert lost(simple, simple) == []


def test_a_generated_name_stays_unless_a_name_is_given() -> None:
    """Without a declared name, before and after, nothing is renamed."""
    unnamed = {"Orders": table(keyed(None))}
    assert lost(unnamed, unnamed, GENERATED) == []
    (threat,) = lost(unnamed, BEFORE, GENERATED)
    assert threat.loss is Loss.RENAMED


def test_a_move_to_another_stack_names_it() -> None:
    """The new place is told with its stack."""
    (threat,) = lost(BEFORE, {}, elsewhere={"Data": {"Table": table()}}, key="App")
    assert threat.loss is Loss.MOVES
    assert "as Table of stack Data" in threat.outcome
    assert threat.recipe == "move it with `cdk refactor`, or move the construct back"


@pytest.mark.parametrize("elsewhere", [None, {"Data": {"Table": table()}}])
def test_a_template_by_itself_is_told_nothing_of_cdk(
    elsewhere: Mapping[str, Mapping[str, DeclaredResource]] | None,
) -> None:
    """Whoever writes templates by hand has no construct to rename."""
    (threat,) = lost(BEFORE, {}, elsewhere=elsewhere)
    (of_app,) = lost(BEFORE, {}, elsewhere=elsewhere, key="App")
    for word in ("cdk refactor", "construct" if elsewhere else "renameLogicalId"):
        assert word in of_app.recipe
        assert word not in threat.recipe
    # A logical id is that of one stack.
    keep = "move the declaration back" if elsewhere else "keep its logical id"
    assert keep in threat.recipe


def test_what_a_condition_leaves_out_is_kept_by_the_condition() -> None:
    """Its logical id stays as it is, so the recipe names the condition."""
    declared = table()
    for condition in ("IsProd", {"Fn::Equals": [1, 2]}):
        (threat,) = lost(BEFORE, {"Orders": replace(declared, condition=condition)}, key="App")
        assert "keep condition" in threat.recipe
        assert "logical id" not in threat.recipe


@pytest.mark.parametrize("now", [{}, {"Orders2": table(keyed("new"), "Retain")}])
def test_the_recipe_itself_passes(now: Mapping[str, DeclaredResource]) -> None:
    """What is retained, and carried over by dataware because it is a fallback, is not lost."""
    retained = {"Orders": table(policy="Retain")}
    assert lost(retained, now, copied=COPIED) == []
    assert lost(retained, now) != []
    assert lost(BEFORE, now, copied=COPIED) != []


@pytest.mark.parametrize(("policy", "first"), [("Retain", False), (None, True)])
def test_a_rename_in_place_is_a_threat_although_it_is_copied(
    policy: str | None, first: bool
) -> None:
    """CloudFormation cannot import under a logical id that it has, so the copy would be in vain."""
    before = {"Orders": table(policy=policy)}
    now = {"Orders": table(keyed("new"), policy)}
    (threat,) = lost(before, now, copied=COPIED)
    assert threat.loss is Loss.RENAMED
    assert "under a new construct id, with orders as its fallback" in threat.recipe
    assert ("deploy the removal policy RETAIN, then" in threat.recipe) is first


@pytest.mark.parametrize("cfn_type", sorted(CARDS))
def test_nothing_is_said_to_be_copied_of_a_kind_that_is_never_copied(cfn_type: str) -> None:
    """A fallback of such a kind keeps its data: renaming and letting go leave it behind."""
    kind = CARDS[cfn_type]
    if not kind.template.stateful:
        return
    old, new = (
        {"Old": DeclaredResource(cfn_type, {kind.template.identifier: name}, "Retain", "Retain")}
        for name in ("old-name", "new-name")
    )
    held = {"Old": Deployed(cfn_type, "old-name")}
    copied = frozenset({(kind.names.slug, "old-name")})
    assert bool(lost(old, {}, held, copied=copied)) is (kind.copying is None)
    for threat in lost(old, new, held):
        if threat.loss is Loss.RENAMED:
            assert ("as its fallback" in threat.recipe) is (kind.copying is not None)
            assert ("leave old-name as it is" in threat.recipe) is (kind.copying is None)


def test_what_holds_no_data_by_its_nature_is_left_alone() -> None:
    """A parameter's value stands in the template, a function holds none."""
    held = {"P": Deployed("AWS::SSM::Parameter", "/p"), "F": Deployed("AWS::Lambda::Function", "f")}
    assert lost({one: DeclaredResource("") for one in held}, {}, held) == []


def test_a_domain_whose_encryption_was_set_is_deleted_when_it_changes() -> None:
    """CloudFormation deletes and makes it again, unless nothing was declared before."""
    domain = "AWS::OpenSearchService::Domain"
    held = {"Search": Deployed(domain, "search")}
    on, off = ({"EncryptionAtRestOptions": {"Enabled": one}} for one in (True, False))

    def threat(before: Any, now: Any) -> list[Loss]:
        both = [{"Search": DeclaredResource(domain, one)} for one in (before, now)]
        return [one.loss for one in lost(*both, held)]

    assert threat(off, on) == threat(on, {}) == [Loss.REPLACED]
    assert threat({}, on) == threat(on, on) == []


@pytest.mark.parametrize(
    ("facts", "stops"),
    [
        (Facts("orders", Existence.EXISTS, Content.EMPTY, size=Size(0, 0, exact=False)), False),
        (Facts("orders", Existence.EXISTS, Content.EMPTY, is_estimate=True), True),
        (absent("orders"), False),
        (Facts("orders", Existence.EXISTS, Content.EMPTY), False),
        (Facts("orders", Existence.EXISTS, Content.DATA), True),
        (Facts("orders", Existence.EXISTS, Content.UNKNOWN), True),
        (Facts("orders"), True),
    ],
)
def test_only_what_was_seen_to_be_empty_may_go(facts: Facts, stops: bool) -> None:
    """Data and doubt stop; emptiness that was seen does not."""
    (threat,) = lost(BEFORE, {})
    found = with_content(threat, facts)
    assert (found is not None) is stops
    if found:
        seen = facts.content is Content.DATA
        assert ("holds data and would" if seen else "may hold data (not readable") in found.reason
        assert found.to_json()["rule"] == 19


def test_a_template_that_is_none_declares_nothing() -> None:
    """Odd documents are read as empty, not as an error."""
    odd = {"Resources": {"A": 1, "B": {"Type": BUCKET, "Properties": []}}}
    assert read_declared("App", expand({}, CARDS)).resources == {}
    assert read_declared("App", expand(odd, CARDS)).resources == {"B": DeclaredResource(BUCKET)}


NAMES = st.sampled_from(["a", "b", "c"])
DECLARED = st.builds(
    DeclaredResource,
    st.sampled_from([TABLE, BUCKET, GLOBAL, "AWS::SNS::Topic"]),
    st.builds(
        lambda name, key: {**keyed(name, key), "BucketName": name},
        st.none() | NAMES,
        st.sampled_from(["x", "y"]),
    ),
    st.sampled_from([None, "Delete", "Retain"]),
    st.sampled_from([None, "Delete", "Retain"]),
)
TEMPLATES = st.dictionaries(st.sampled_from(["A", "B", "C"]), DECLARED)


def deployed_from(template: Mapping[str, DeclaredResource]) -> dict[str, Deployed]:
    """What CloudFormation makes of a template."""
    return {
        one: Deployed(each.type, each.properties.get("TableName") or f"App-{one}-1A")
        for one, each in template.items()
    }


@given(TEMPLATES)
def test_an_unchanged_template_loses_nothing(template: dict[str, DeclaredResource]) -> None:
    """The second deployment of the same thing is never stopped."""
    assert lost(template, template, deployed_from(template)) == []
    assert lost(None, template, deployed_from(template)) == []


@given(TEMPLATES, TEMPLATES)
def test_only_what_is_deployed_and_stateful_can_be_lost(
    before: dict[str, DeclaredResource], now: dict[str, DeclaredResource]
) -> None:
    """No stop without a deployed resource that can hold data; each is told of once."""
    held = deployed_from(before)
    found = lost(before, now, held)
    assert {(one.logical_id, one.name) for one in found} <= {
        (one, each.physical_id) for one, each in held.items() if each.type in CARDS
    }
    assert len({one.logical_id for one in found}) == len(found)
    assert lost(before, now, {}) == []
    for gone in before.keys() - now.keys():
        assert (before[gone].type in CARDS) is (gone in {one.logical_id for one in found})

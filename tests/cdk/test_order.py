"""Who waits for a migration: all that uses the target, and nothing that the migration needs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataware.cdk.order import Node, Order

POLICY = "AWS::S3::BucketPolicy"


def node(*references: str, text: str = "", name: str | None = None, cfn_type: str = "T") -> Node:
    """A resource that refers to others."""
    return Node(cfn_type, frozenset(references), frozenset(), text, name)


def edges(nodes: dict[str, Node], target: str = "new-one") -> set[tuple[str, str]]:
    """What waits for the migration ``PendingCopy``."""
    return set(Order(nodes).wait_for("Copy", target, {POLICY}))


def test_references_and_names_are_uses() -> None:
    """A function that is given the name as text waits like one that refers to the table."""
    nodes = {
        "Copy": node(),
        "Table": node(name="new-one"),
        "Refers": node("Table"),
        "Named": node(text="new-one"),
        "Arn": node(text="arn:aws:dynamodb:eu-central-1:111122223333:table/new-one"),
        "Objects": node(text="arn:aws:s3:::new-one/*"),
        "Longer": node(text="new-one-archive"),
        "Prefixed": node(text="brand.new-one"),
        "Other": node("Refers"),
    }
    waiting = {later for first, later in edges(nodes) if first == "Copy"}
    assert waiting == {"Refers", "Named", "Arn", "Objects"}
    assert ("Table", "Copy") in edges(nodes), "what declares the name comes first"


def test_a_target_without_a_name_is_known_by_its_id() -> None:
    """Where CloudFormation chooses the name, references are all there is."""
    nodes = {"Copy": node("Table"), "Table": node(), "Refers": node("Table"), "Not": node()}
    assert edges(nodes, "Table") == {("Table", "Copy"), ("Copy", "Refers")}


def test_what_the_migration_needs_does_not_wait_for_it() -> None:
    """A key whose policy names the bucket would close a circle."""
    nodes = {
        "Copy": node("Function"),
        "Function": node("Policy"),
        "Policy": node("Key"),
        "Key": node(text="arn:aws:s3:::new-one"),
        "Bucket": node("Key", name="new-one"),
    }
    assert edges(nodes) == {("Bucket", "Copy")}


def test_a_bucket_policy_is_in_force_before_there_is_data() -> None:
    """Unless it needs something that has to wait, as one that names a distribution does."""
    nodes = {
        "Copy": node(),
        "Bucket": node(name="new-one"),
        "Policy": node("Bucket", cfn_type=POLICY),
    }
    assert ("Policy", "Copy") in edges(nodes)
    nodes["Distribution"] = node("Bucket")
    nodes["Policy"] = node("Bucket", "Distribution", cfn_type=POLICY)
    assert {("Copy", "Policy"), ("Copy", "Distribution")} <= edges(nodes)


IDS = [f"R{n}" for n in range(8)]


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Node]:
    """Resources of which each refers to earlier ones; two are migrations, two are targets."""
    nodes: dict[str, Node] = {}
    for position, id in enumerate(IDS):
        references = draw(st.sets(st.sampled_from(IDS[:position]))) if position else set()
        text = draw(st.sampled_from(["", "one", "two"]))
        cfn_type = draw(st.sampled_from(["T", POLICY]))
        nodes[id] = Node(cfn_type, frozenset(references), frozenset(), text)
    for id, name in zip(draw(st.permutations(IDS))[:2], ("one", "two"), strict=True):
        nodes[id] = Node("T", nodes[id].references, frozenset(), "", name)
    return nodes


@given(templates(), st.permutations(IDS))
def test_no_circle_ever_arises(nodes: dict[str, Node], chosen: list[str]) -> None:
    """And whoever uses a target waits, or is needed by the migration itself."""
    order = Order(nodes)
    added = [
        *order.wait_for(chosen[0], "one", {POLICY}),
        *order.wait_for(chosen[1], "two", {POLICY}),
    ]
    before = {id: set(node.references) for id, node in nodes.items()}
    for first, later in added:
        before[later].add(first)
    while ready := [id for id, needs in before.items() if not needs]:
        for id in ready:
            del before[id]
        for needs in before.values():
            needs.difference_update(ready)
    assert before == {}
    for migration, name in zip(chosen[:2], ("one", "two"), strict=True):
        for id, node in nodes.items():
            if node.text == name and node.cfn_type != POLICY:
                assert migration in order.closure(id) or id in order.closure(migration)

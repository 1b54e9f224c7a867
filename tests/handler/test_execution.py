"""A whole migration through the handlers: every state, every loop, and every end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataware.handler import finish
from dataware.migrate.copy_state import CopyState
from dataware.verify.merge import DifferenceKind, KeyDifference
from dataware.verify.verdict import Verdict
from support.deployments import (
    BUCKET,
    TABLE,
    Execution,
    begin,
    properties,
    record,
    until_written,
)
from support.servers import FaultProxy, Forward, Reply, Seen, json_error
from support.worlds import (
    client,
    items_of,
    make_bucket,
    make_table,
    objects_of,
    varied_items,
    varied_objects,
)

pytestmark = pytest.mark.usefixtures("machine")


def reason(ended: dict[str, Any]) -> str:
    """Why an execution failed."""
    return str(json.loads(ended["cause"])["reason"])


def test_little_data_takes_one_call() -> None:
    """A small table is copied and verified by the first state; no worker is started."""
    make_table("old-one", varied_items(60))
    make_table("new-one")
    _, given = begin(properties())
    execution = Execution()
    assert execution.run(given) == {"outcome": "done", "verified": 60, "unit": "item"}
    assert execution.calls == 0
    assert items_of("new-one") == items_of("old-one")


def test_a_bucket_is_migrated_like_a_table() -> None:
    """The same handlers copy objects, with their metadata and tags."""
    make_bucket("old-one", varied_objects(30))
    make_bucket("new-one")
    _, given = begin(properties(BUCKET))
    assert Execution().run(given) == {"outcome": "done", "verified": 30, "unit": "object"}
    assert objects_of("new-one") == objects_of("old-one")


def test_a_prefix_goes_to_a_prefix() -> None:
    """A part of a bucket has a record of its own."""
    make_bucket(
        "old-one", ({"Key": f"{part}/{n}", "Body": b"x"} for part in "ab" for n in range(3))
    )
    make_bucket("new-one")
    about = properties(BUCKET, SourcePrefix="a/", TargetPrefix="z/")
    _, given = begin(about)
    assert Execution().run(given)["verified"] == 3
    assert set(objects_of("new-one")) == {"z/0", "z/1", "z/2"}


def test_a_shard_goes_on_in_the_next_call_when_its_time_is_up() -> None:
    """Many short calls copy everything once, and the verification agrees."""
    make_table("old-one", varied_items(300, size=30_000))
    make_table("new-one")
    # Several pages a shard, at a rate at which a page takes longer than a look at the time.
    _, given = begin(properties(MaxRate="100"))
    execution = Execution(time=lambda: until_written("new-one"))
    assert execution.run(given)["verified"] == 300
    assert execution.calls > 4, "four shards of one call each would prove nothing"
    assert execution.outcomes == ["copy", "done"]
    assert items_of("new-one") == items_of("old-one")


def test_what_is_in_the_target_already_is_never_replaced() -> None:
    """A conflict fails the migration, is named, and both sides stay as they are."""
    make_table("old-one", varied_items(40))
    key = {"pk": {"S": "000007 é \U0001f680"}}
    make_table("new-one", [{**key, "mine": {"S": "precious"}}])
    _, given = begin(properties())
    ended = Execution().run(given)
    assert ended["outcome"] == "failed"
    assert "1 item not copied to new-one (1 conflict), such as " in reason(ended)
    assert "000007" in reason(ended)
    mine = client("dynamodb").get_item(TableName="new-one", Key=key)["Item"]
    assert mine == {**key, "mine": {"S": "precious"}}
    assert len(items_of("old-one")) == 40


@pytest.mark.parametrize("choice", [{"OnConflict": "target"}, {"AllowSkipped": "true"}])
def test_a_conflict_may_be_accepted(choice: dict[str, str]) -> None:
    """With the word for it the migration ends well, and the target's item stays."""
    make_table("old-one", varied_items(40))
    key = {"pk": {"S": "000007 é \U0001f680"}}
    make_table("new-one", [key])
    _, given = begin(properties(**choice))
    assert Execution().run(given)["outcome"] == "done"
    assert client("dynamodb").get_item(TableName="new-one", Key=key)["Item"] == key


def write_late(call: int) -> None:
    """Forty items that arrive after their page was read."""
    if call == 4:
        for number in range(40):
            item = {"pk": {"S": f"late-{number}"}}
            client("dynamodb").put_item(TableName="old-one", Item=item)


def test_what_changes_meanwhile_is_copied_in_another_round() -> None:
    """Items that arrive after their page was read are found by the verification and copied."""
    make_table("old-one", varied_items(400, size=3000))
    make_table("new-one")
    _, given = begin(properties())

    execution = Execution(before=write_late)
    assert execution.run(given)["outcome"] == "done"
    assert execution.outcomes == ["copy", "again", "copy", "done"]
    assert items_of("new-one") == items_of("old-one")


def test_a_source_that_never_rests_fails_with_what_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After three rounds the differences are named, and nothing says "verified"."""
    make_table("old-one", varied_items(10))
    make_table("new-one")

    def differs(*_: object, **__: object) -> Verdict:
        verdict = Verdict(compared=10)
        verdict.counts[DifferenceKind.MISSING] = 1
        verdict.listed.append(KeyDifference(DifferenceKind.MISSING, "the one that moves"))
        return verdict

    monkeypatch.setattr(finish, "compare", differs)
    _, given = begin(properties())
    execution = Execution()
    ended = execution.run(given)
    assert execution.outcomes == ["again", "again", "failed"]
    assert "still differ after 3 copies (1 missing: missing: the one that moves)" in reason(ended)


def test_a_deadline_ends_in_order_and_the_next_run_goes_on() -> None:
    """What was copied by then is in the checkpoint, and is not read again."""
    make_table("old-one", varied_items(500, size=4000))
    make_table("new-one")
    _, given = begin(properties())
    first = Execution(late=3).run(given)
    assert "the time of the deployment is up" in reason(first)
    assert "dataware migrate dynamodb://old-one dynamodb://new-one" in reason(first)
    arrived = len(items_of("new-one"))
    assert 0 < arrived < 500
    _, given = begin(properties(), number=1)
    cause = json.loads(first["cause"])
    second = Execution()
    assert second.run({**given, "checkpoint": cause["checkpoint"]})["verified"] == 500
    assert second.calls == 2, "the two shards that were done are not copied again"
    assert items_of("new-one") == items_of("old-one")


@pytest.fixture
def much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is so little that one call verifies it."""
    monkeypatch.setattr(finish, "LITTLE", 0)


@pytest.mark.usefixtures("much")
@pytest.mark.parametrize("kind", [TABLE, BUCKET])
def test_much_data_is_verified_by_many_calls(kind: str, fault_proxy: FaultProxy) -> None:
    """No call reads more than a page, and what they found adds up to the same verdict."""

    def small(seen: Seen, forward: Forward) -> Reply:
        return forward(seen.with_body(json.dumps({**seen.json(), "Limit": 9}).encode()))

    fault_proxy.add(small, operation="Scan")
    if kind == TABLE:
        make_table("old-one", varied_items(48))
        make_table("new-one")
    else:
        make_bucket("old-one", varied_objects(60))
        make_bucket("new-one")
    _, given = begin(properties(kind))
    execution = Execution(pages=1)
    assert execution.run(given)["verified"] == (48 if kind == TABLE else 60)
    assert execution.outcomes[-2:] == ["verify", "done"]
    assert execution.verifying > (8 if kind == TABLE else 1)
    assert execution.largest < 200_000


@pytest.mark.usefixtures("much")
def test_a_sharded_verification_finds_what_is_missing() -> None:
    """What is missing after the copy is named by a second step, and copied in another round."""
    make_table("old-one", varied_items(300, size=3000))
    make_table("new-one")
    _, given = begin(properties())

    execution = Execution(before=write_late)
    assert execution.run(given)["verified"] == 340
    first, last = execution.outcomes.index("again"), len(execution.outcomes)
    assert "verify" in execution.outcomes[:first]
    assert "verify" in execution.outcomes[first:last]
    assert items_of("new-one") == items_of("old-one")


@pytest.mark.usefixtures("much")
def test_a_task_of_the_verification_that_fails_is_told(fault_proxy: FaultProxy) -> None:
    """Everything is copied, the reason names the call, and the next run only verifies."""
    make_table("old-one", varied_items(50))
    make_table("new-one")
    _, given = begin(properties())

    def deny(call: int) -> None:
        if call == 5:
            fault_proxy.add(json_error("AccessDeniedException"), operation="Scan")

    ended = Execution(before=deny).run(given)
    assert "everything is copied to new-one, but not verified" in reason(ended)
    assert "dynamodb:Scan" in reason(ended)
    checkpoint = json.loads(ended["cause"])["checkpoint"]
    assert CopyState.of([CopyState.snapshot_of(checkpoint)]).finished


def test_the_record_is_alive_while_the_states_run() -> None:
    """From the first event on the record says "running", in the name of the execution."""
    make_table("old-one", varied_items(5))
    make_table("new-one")
    answer, _ = begin(properties())
    stored = record(TABLE)
    assert stored["state"] == "running"
    assert stored["holder"] == f"execution {answer['Execution'].rpartition(':')[2]}"
    assert not stored["released"]

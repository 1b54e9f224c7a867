"""The custom resource's events: what starts a copy, what does not, and the id that never moves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataware.aws import SystemClock
from dataware.core.model import Marker, MarkerState
from dataware.handler import on_event
from dataware.ops.migration_policy import FOLLOWED
from dataware.state import ParameterMarkers
from dataware.state.holder import Holder
from support.accounts import open_account
from support.deployments import BUCKET, Time, begin, properties, record, request
from support.servers import FaultProxy, json_error
from support.worlds import client, items_of, make_bucket, make_table, varied_items

ID = "dataware:dynamodb-table:new-one"


@pytest.fixture
def tables(machine: str) -> str:
    """Ten items to copy, and an empty target; the ARN of the state machine."""
    make_table("old-one", varied_items(10))
    make_table("new-one")
    return machine


def executions(machine: str) -> list[str]:
    """The names of all executions."""
    found = client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return [str(one["name"]) for one in found]


def write_record(**changes: Any) -> None:
    """Write the record anew with some fields changed."""
    name = "/dataware/markers/dynamodb-table/new-one"
    version = client("ssm").get_parameter(Name=name)["Parameter"]["Version"]
    value = {**record(), **changes, "after": version}
    client("ssm").put_parameter(Name=name, Value=json.dumps(value), Overwrite=True)


def test_create_takes_the_lock_and_starts_an_execution(tables: str) -> None:
    """The execution has the name of the request, and its input tells what to copy."""
    answer, given = begin(properties(OnConflict="target", MaxRate="50"))
    assert answer["PhysicalResourceId"] == ID
    assert executions(tables) == ["dataware-request-1"]
    assert given["job"]["source"]["name"] == "old-one"
    assert (given["job"]["on_conflict"], given["job"]["max_rate"]) == ("target", 50.0)
    assert record()["state"] == "running"


def test_the_same_event_twice_is_one_execution(tables: str) -> None:
    """Lambda may deliver an event again; the second answer is that of the first."""
    first, _ = begin(properties())
    again, _ = begin(properties())
    assert again == first
    assert executions(tables) == ["dataware-request-1"]


def test_delete_answers_and_does_nothing(tables: str) -> None:
    """No call is made, so nothing can be deleted, and the id is the one it came with."""
    event = request("Delete", properties(), PhysicalResourceId="whatever it was")
    assert on_event.handler(event, Time()) == {"PhysicalResourceId": "whatever it was"}
    assert executions(tables) == []
    assert len(items_of("old-one")) == 10


@pytest.mark.parametrize(
    ("about", "words"),
    [
        (properties(Source="nowhere"), "there is no DynamoDB table nowhere in account"),
        (properties(Source="other-keys"), "other-keys has the key schema"),
        (properties(BUCKET), "there is no S3 bucket old-one"),
        (properties(OnConflict="maybe"), "'maybe' is not a valid OnConflict"),
    ],
    ids=["absent", "schema", "bucket", "bug"],
)
def test_what_cannot_be_copied_is_refused_in_a_sentence(
    tables: str, about: dict[str, str], words: str
) -> None:
    """The refusal travels on, because an error here would take the id away."""
    schema = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
    }
    make_table("other-keys", **schema)
    answer, given = begin(about)
    assert words in answer["Refusal"]
    assert answer["PhysicalResourceId"] == on_event.physical_id(about)
    assert given is None
    assert executions(tables) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "new-one follows old-one (run run-of-the-service)"),
        (
            {"Carrier": "arn:aws:lambda:us-east-1:1:function:Follow"},
            "new-one is being migrated by run run-of-the-service",
        ),
    ],
)
def test_a_deployment_is_refused_while_a_follow_service_works(
    tables: str, more: dict[str, str], words: str
) -> None:
    """A copy beside it could bring back what it deletes; it keeps its lock, and nothing starts."""
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    client("dynamodb").update_table(TableName="old-one", StreamSpecification=stream)
    account = open_account()
    elsewhere = Holder("a container", "a boot of its own", 9, "1")
    markers = ParameterMarkers(account, SystemClock(), elsewhere)
    followed = Marker(
        MarkerState.RUNNING,
        "old-one",
        "run-of-the-service",
        detail={FOLLOWED: True, "phase": "following"},
    )
    lease = markers.begin("dynamodb-table", "new-one", followed)
    if not more:
        client("dynamodb").put_item(TableName="new-one", Item={"pk": {"S": "carried"}})
    before = items_of("new-one")
    answer, given = begin(properties(**more))
    assert words in answer["Refusal"]
    assert (given, executions(tables)) == (None, [])
    assert record()["run"] == "run-of-the-service"
    assert record()["detail"][FOLLOWED] is True
    lease.send_heartbeat({FOLLOWED: True, "phase": "following"})
    assert items_of("new-one") == before


def test_another_run_is_not_disturbed(tables: str) -> None:
    """While another execution, or a command line, is alive, nothing is started."""
    begin(properties())
    answer, _ = begin(properties(), number=2)
    assert "new-one is being migrated by run" in answer["Refusal"]
    assert executions(tables) == ["dataware-request-1"]


@pytest.mark.usefixtures("tables")
def test_an_unfinished_run_is_resumed_with_its_checkpoint() -> None:
    """What is on record of the very same target goes into the new execution."""
    begin(properties())
    before = record()
    write_record(released=True, detail={"checkpoint": "as far as it came"})
    answer, given = begin(properties(), number=2)
    assert "Refusal" not in answer
    assert given["checkpoint"] == "as far as it came"
    assert record()["run"] == before["run"]
    assert record()["holder"] == "execution dataware-request-2"


@pytest.mark.usefixtures("tables")
def test_a_checkpoint_of_another_target_is_void() -> None:
    """A target that was made again under the same name has nothing of what is on record."""
    begin(properties())
    write_record(released=True, identity="an earlier table", detail={"checkpoint": "far"})
    _, given = begin(properties(), number=2)
    assert given["checkpoint"] is None


def test_verified_data_is_not_copied_again(tables: str) -> None:
    """An update of a finished migration would bring back what the app has deleted since."""
    begin(properties())
    write_record(state="complete")
    old = {"OldResourceProperties": properties()}
    answer, _ = begin(properties(Workers="9"), "Update", number=2, **old)
    assert answer == {"PhysicalResourceId": ID}
    assert executions(tables) == ["dataware-request-1"]


def test_verified_data_needs_no_source_any_more(tables: str) -> None:
    """Whoever has deleted the old table can deploy as before."""
    begin(properties())
    write_record(state="complete")
    client("dynamodb").delete_table(TableName="old-one")
    answer, _ = begin(properties(), number=2)
    assert answer == {"PhysicalResourceId": ID}
    assert len(executions(tables)) == 1


def test_an_empty_source_is_no_migration_on_record(machine: str) -> None:
    """Nothing is copied, and data that comes later is not taken for copied already."""
    make_table("old-one")
    make_table("new-one")
    answer, _ = begin(properties())
    assert answer == {"PhysicalResourceId": ID}
    assert executions(machine) == []
    client("dynamodb").put_item(TableName="old-one", Item={"pk": {"S": "late"}})
    answer, _ = begin(properties(), number=2)
    assert "Execution" in answer


@pytest.mark.parametrize(
    ("source", "target", "copies"),
    [(None, 0, False), (0, 0, False), (10, 3, False), (10, 0, True)],
    ids=["absent", "empty", "filled-already", "needed"],
)
def test_what_is_copied_only_if_needed(
    machine: str, source: int | None, target: int, copies: bool
) -> None:
    """Where no synth could look, the deployment does: data under the old name comes over."""
    if source is not None:
        make_table("old-one", varied_items(source))
    make_table("new-one", varied_items(target))
    answer, _ = begin(properties(IfNeeded="true"))
    assert "Refusal" not in answer
    assert (len(executions(machine)) == 1) == ("Execution" in answer) == copies


@pytest.mark.usefixtures("tables")
def test_what_was_begun_if_needed_goes_on() -> None:
    """A target that holds a part of the data is no target with data of its own."""
    begin(properties(IfNeeded="true"))
    write_record(released=True)
    client("dynamodb").put_item(TableName="new-one", Item={"pk": {"S": "a part"}})
    answer, _ = begin(properties(IfNeeded="true"), number=2)
    assert "Execution" in answer


def test_a_target_that_was_made_again_is_filled_again(tables: str) -> None:
    """The record of a table that is gone says nothing of its successor."""
    begin(properties())
    write_record(state="complete", identity="an earlier table")
    answer, _ = begin(properties(), number=2)
    assert "Execution" in answer
    assert len(executions(tables)) == 2


def test_the_rollback_of_an_update_starts_nothing(tables: str) -> None:
    """CloudFormation sends the earlier properties; the update's unfinished copy is left alone."""
    begin(properties())
    write_record(released=True)
    make_table("before", varied_items(3))
    old = {"OldResourceProperties": properties()}
    answer, _ = begin(properties(Source="before"), "Update", number=2, **old)
    assert answer == {"PhysicalResourceId": ID}
    assert len(executions(tables)) == 1
    assert record()["source"] == "old-one"


def test_a_renamed_target_is_not_filled_from_the_earlier_source(tables: str) -> None:
    """The app has written to the earlier target since, which the source knows nothing of."""
    begin(properties())
    write_record(state="complete")
    make_table("newest")
    old = {"OldResourceProperties": properties()}
    answer, _ = begin(properties(Target="newest"), "Update", number=2, **old)
    assert "name new-one as its source" in answer["Refusal"]
    assert len(executions(tables)) == 1
    chained = properties(Target="newest", Source="newer")
    make_table("newer", varied_items(1))
    answer, _ = begin(chained, "Update", number=3, **old)
    assert "Execution" in answer


def test_the_rollback_of_a_renamed_target_passes(tables: str) -> None:
    """What is verified already is not refused, or the stack could not go back."""
    begin(properties())
    write_record(state="complete")
    old = {"OldResourceProperties": properties(Target="newest")}
    answer, _ = begin(properties(), "Update", number=2, **old)
    assert answer == {"PhysicalResourceId": ID}
    assert len(executions(tables)) == 1


def test_an_update_to_another_source_is_refused_while_one_is_unfinished(tables: str) -> None:
    """Two half copies in one target would be nobody's data."""
    begin(properties())
    write_record(released=True, source="somewhere")
    answer, _ = begin(properties(), number=2)
    assert "a migration from somewhere into new-one is unfinished" in answer["Refusal"]


def test_the_lock_is_released_when_nothing_could_be_started(
    machine: str, fault_proxy: FaultProxy
) -> None:
    """Otherwise the next deployment would wait for a run that never was."""
    make_table("old-one", varied_items(10))
    make_table("new-one")
    fault_proxy.add(json_error("StateMachineDeleting"), operation="StartExecution")
    answer, _ = begin(properties())
    assert "StateMachineDeleting" in answer["Refusal"]
    assert record()["released"]


@pytest.mark.usefixtures("machine")
def test_a_bucket_has_an_id_of_its_own() -> None:
    """The id names the kind, the target and its prefix."""
    make_bucket("old-one", [{"Key": "a/1", "Body": b"x"}])
    make_bucket("new-one")
    answer, _ = begin(properties(BUCKET, SourcePrefix="a/", TargetPrefix="b/"))
    assert answer["PhysicalResourceId"] == "dataware:s3-bucket:new-one/b/"

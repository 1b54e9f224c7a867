"""The poll: it keeps the lock, writes the verdict, and fails with the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataware.core.errors import IncompleteError, RefusedError
from dataware.embedded import EmbeddedAws
from support.deployments import begin, make_machine, one_state, poll, properties, record
from support.servers import FaultProxy, json_error
from support.worlds import client, make_table, varied_items

VERDICT = {"outcome": "done", "verified": 10, "unit": "item"}


@pytest.fixture(autouse=True)
def tables(aws_server: EmbeddedAws) -> None:
    """Ten items to copy, and an empty target."""
    make_table("old-one", varied_items(10))
    make_table("new-one")


def ended(monkeypatch: pytest.MonkeyPatch, **state: Any) -> dict[str, Any]:
    """What `on_event` answers where the execution is this one state, once that has ended."""
    monkeypatch.setenv("STATE_MACHINE", make_machine(one_state(**state), name="ends"))
    answer, _ = begin(properties())
    states = client("stepfunctions")
    while states.describe_execution(executionArn=answer["Execution"])["status"] == "RUNNING":
        pass
    return dict(answer)


@pytest.mark.usefixtures("machine")
def test_a_running_execution_is_waited_for_and_its_lock_renewed() -> None:
    """Every poll is a sign of life."""
    answer, _ = begin(properties())
    name = "/dataware/markers/dynamodb-table/new-one"
    before = client("ssm").get_parameter(Name=name)["Parameter"]["Version"]
    assert poll(answer) == {"IsComplete": False}
    assert client("ssm").get_parameter(Name=name)["Parameter"]["Version"] == before + 1
    assert record()["holder"] == "execution dataware-request-1"


@pytest.mark.usefixtures("machine")
def test_a_poll_survives_a_beat_that_fails(
    fault_proxy: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lock outlives several misses; the log tells of it."""
    answer, _ = begin(properties())
    fault_proxy.add(json_error("AccessDeniedException"), operation="PutParameter")
    assert poll(answer) == {"IsComplete": False}
    assert "AccessDenied" in capsys.readouterr().out


@pytest.mark.usefixtures("machine")
def test_a_lost_lock_fails_the_deployment() -> None:
    """Another run that took over is not disturbed by a late sign of life."""
    answer, _ = begin(properties())
    name, value = "/dataware/markers/dynamodb-table/new-one", record()
    taken = {"token": "another run", "run": "other", "after": value["after"] + 1}
    other = json.dumps({**value, **taken})
    client("ssm").put_parameter(Name=name, Value=other, Overwrite=True)
    with pytest.raises(RefusedError, match="lost the lock on new-one"):
        poll(answer)
    assert record()["run"] == "other"


def test_a_verdict_is_put_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only now does the record say "complete", with what was verified; asking twice is fine."""
    answer = ended(monkeypatch, Type="Pass", Result=VERDICT, End=True)
    assert poll(answer) == {"IsComplete": True}
    assert (record()["state"], record()["detail"]) == (
        "complete",
        {"verified": 10, "unit": "item"},
    )
    assert poll(answer) == {"IsComplete": True}


def test_a_failure_says_why_and_lets_the_next_run_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The record stays "running", released, with the checkpoint."""
    cause = json.dumps({"reason": "2 items are in the way", "checkpoint": "half"})
    answer = ended(monkeypatch, Type="Fail", Error="Incomplete", Cause=cause)
    with pytest.raises(IncompleteError, match=r"^2 items are in the way$"):
        poll(answer)
    stored = record()
    assert (stored["state"], stored["released"]) == ("running", True)
    assert stored["detail"]["checkpoint"] == "half"
    assert stored["detail"]["failure"] == {"exit_code": 4, "reason": "2 items are in the way"}


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (
            '{"errorMessage": "cannot access table old-one", "errorType": "LookupFailedError"}',
            "^cannot access",
        ),
        ("no JSON", "ended as failed States.Timeout: no JSON"),
        ("", "ended as failed States.Timeout"),
        ("x" * 5000, "x{1000}"),
    ],
)
def test_whatever_ends_an_execution_is_told(
    monkeypatch: pytest.MonkeyPatch, cause: str, words: str
) -> None:
    """Also what Lambda or Step Functions say, in what fits into an answer to CloudFormation."""
    answer = ended(monkeypatch, Type="Fail", Error="States.Timeout", Cause=cause)
    with pytest.raises(IncompleteError, match=words) as failed:
        poll(answer)
    assert len(str(failed.value)) <= 1500
    assert record()["released"]


@pytest.mark.usefixtures("machine")
def test_a_copy_that_does_not_end_in_time_is_given_up() -> None:
    """CloudFormation gets an answer before it stops waiting, and the next run can go on."""
    answer, _ = begin(properties(Seconds="-200"))
    with pytest.raises(IncompleteError, match="did not end in time"):
        poll(answer)
    assert (record()["state"], record()["released"]) == ("running", True)

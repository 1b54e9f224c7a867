"""The function that CloudFormation calls: it answers exactly what became of the copy, in time."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from dataware.core.errors import LookupFailedError
from dataware.handler import look, reply, work
from support.deployments import Time, make_machine, one_state, properties, record, request
from support.servers import FaultProxy, json_error
from support.worlds import client, make_table, varied_items

ID = "dataware:dynamodb-table:new-one"
VERDICT = {"outcome": "done", "verified": 10, "unit": "item"}


@dataclass
class CloudFormation:
    """Takes answers at a URL; refuses the first ones with `failures`."""

    url: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)
    types: list[str | None] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    """Where answers go."""
    taken = CloudFormation()

    class Taking(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = taken.failures.pop() if taken.failures else 200
            if status == 200:
                taken.answers.append(json.loads(body))
                taken.types.append(self.headers["Content-Type"])
                assert len(body) <= 4096
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        taken.url = f"http://127.0.0.1:{server.server_port}/answer?signature=secret"
        yield taken
        server.shutdown()


@pytest.fixture
def tables(machine: str) -> str:
    """Ten items to copy, and an empty target; the ARN of the state machine."""
    make_table("old-one", varied_items(10))
    make_table("new-one")
    return machine


def call(cloudformation: CloudFormation, kind: str = "Create", **more: Any) -> dict[str, Any]:
    """Send a request, as CloudFormation does."""
    about = more.pop("about", properties())
    event = {**request(kind, about, **more), "ResponseURL": cloudformation.url}
    return look.handler(json.loads(json.dumps(event)), Time())


def started(machine: str) -> dict[str, Any]:
    """The input of the execution that watches."""
    name = f"{machine.replace(':stateMachine:', ':execution:')}:dataware-request-1-watch"
    found = client("stepfunctions").describe_execution(executionArn=name)
    return dict(json.loads(found["input"]))


def test_a_request_starts_a_copy_and_a_watch_and_answers_nothing_yet(
    tables: str, cloudformation: CloudFormation
) -> None:
    """Both have the name of the request, so that a repeated request starts nothing else."""
    call(cloudformation)
    call(cloudformation)
    found = client("stepfunctions").list_executions(stateMachineArn=tables)["executions"]
    names = sorted(one["name"] for one in found)
    assert names == ["dataware-request-1", "dataware-request-1-watch"]
    assert cloudformation.answers == []
    watch = started(tables)["watch"]
    assert (watch["id"], watch["every"]) == (ID, 10)
    assert watch["execution"].endswith(":dataware-request-1")
    assert look.handler({"watch": watch}, Time()) == {"ended": False}
    assert cloudformation.answers == []


@pytest.mark.usefixtures("tables")
def test_a_refusal_is_answered_at_once_under_the_same_id(cloudformation: CloudFormation) -> None:
    """Another id would make CloudFormation delete what it takes for another resource."""
    call(cloudformation, about=properties(Source="nowhere"))
    (answer,) = cloudformation.answers
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", ID)
    assert "there is no DynamoDB table nowhere" in answer["Reason"]
    assert answer["RequestId"] == "request-1"
    assert cloudformation.types == [""], "a presigned URL is signed for an empty content type"


@pytest.mark.usefixtures("tables")
def test_delete_is_answered_at_once_and_changes_nothing(
    cloudformation: CloudFormation, fault_proxy: FaultProxy
) -> None:
    """No call is made, so that no denial and no missing target can hold a stack up."""
    before = len(fault_proxy.seen)
    call(cloudformation, "Delete", PhysicalResourceId="whatever it was")
    (answer,) = cloudformation.answers
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "whatever it was")
    assert len(fault_proxy.seen) == before


def watched(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch, **state: Any
) -> dict[str, Any]:
    """The watch over an execution of one state, once that has ended."""
    machine = make_machine(one_state(**state), name="ends")
    monkeypatch.setenv("STATE_MACHINE", machine)
    make_table("old-one", varied_items(10))
    make_table("new-one")
    call(cloudformation)
    watch = started(machine)["watch"]
    states = client("stepfunctions")
    while states.describe_execution(executionArn=watch["execution"])["status"] == "RUNNING":
        pass
    return dict(watch)


@pytest.mark.usefixtures("aws_server")
def test_the_end_of_a_copy_is_answered_once_it_is_on_record(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFormation goes on only when the record says "complete"."""
    watch = watched(cloudformation, monkeypatch, Type="Pass", Result=VERDICT, End=True)
    cloudformation.failures = [503, 503]
    monkeypatch.setattr(reply, "time", SimpleNamespace(sleep=lambda _seconds: None))
    assert look.handler({"watch": watch}, Time()) == {"ended": True}
    (answer,) = cloudformation.answers
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", ID)
    assert record()["state"] == "complete"


@pytest.mark.usefixtures("aws_server")
def test_a_failed_copy_is_answered_with_its_reason(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the reason is longer than an answer may be, in letters beyond ASCII."""
    cause = json.dumps({"reason": "ä" * 6000, "checkpoint": "half"})
    watch = watched(cloudformation, monkeypatch, Type="Fail", Error="Incomplete", Cause=cause)
    assert look.handler({"watch": watch}, Time()) == {"ended": True}
    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("äää")
    assert record()["released"]


@pytest.mark.usefixtures("tables")
def test_a_look_that_is_not_answered_is_repeated_and_then_given_up(
    tables: str, cloudformation: CloudFormation, fault_proxy: FaultProxy
) -> None:
    """The state machine tries again; in the end the reason goes to CloudFormation."""
    call(cloudformation)
    watch = started(tables)["watch"]
    fault_proxy.add(json_error("AccessDeniedException"), operation="DescribeExecution")
    with pytest.raises(LookupFailedError):
        look.handler({"watch": watch}, Time())
    assert cloudformation.answers == []
    fault_proxy.clear()
    cause = json.dumps(
        {"errorMessage": "cannot access the execution", "errorType": "LookupFailedError"}
    )
    lost = {"Error": "LookupFailedError", "Cause": cause}
    assert look.handler({"watch": {**watch, "lost": lost}}, Time()) == {"ended": True}
    (answer,) = cloudformation.answers
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "cannot access the execution")
    assert (record()["state"], record()["released"]) == ("running", True)


@pytest.mark.usefixtures("tables")
def test_a_copy_that_nothing_watches_is_given_up(
    cloudformation: CloudFormation, fault_proxy: FaultProxy
) -> None:
    """If the second execution cannot be started, CloudFormation learns it, and the lock is free."""
    fault_proxy.add(json_error("AccessDeniedException"), operation="StartExecution", skip=1)
    call(cloudformation)
    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert "states:StartExecution" in answer["Reason"]
    assert record()["released"]


@pytest.mark.usefixtures("tables")
def test_an_answer_that_nobody_takes_tells_no_url(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The URL is a key to the stack; it stands in no error and so in no log."""
    cloudformation.failures = [403] * 10
    monkeypatch.setattr(reply, "time", SimpleNamespace(sleep=lambda _seconds: None))
    with pytest.raises(OSError, match="did not take the answer: HTTPError") as failed:
        call(cloudformation, "Delete", PhysicalResourceId="x")
    assert "secret" not in str(failed.value)
    assert failed.value.__cause__ is None


def test_variables_of_a_migration_are_gone_after_its_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process works for several migrations, each with variables of its own."""
    monkeypatch.setenv("THEIRS", "before")
    seen: list[tuple[str | None, str | None]] = []

    def step(_event: Any, _context: Any) -> dict[str, Any]:
        seen.append((os.environ.get("OURS"), os.environ.get("THEIRS")))
        return {}

    monkeypatch.setattr(work, "STEPS", {"begin": step})
    job = {"environment": {"OURS": "now", "THEIRS": "now"}}
    work.handler({"step": "begin", "event": {"job": job}}, Time())
    work.handler({"step": "begin", "event": {"job": {}}}, Time())
    assert seen == [("now", "now"), (None, "before")]

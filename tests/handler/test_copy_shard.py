"""One call of a worker: both forms of an event, its limits, and what it does about failures."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dataware.aws import SystemClock
from dataware.core.engines.card import ENGINE
from dataware.core.model import Location, Marker, MarkerState
from dataware.embedded import EmbeddedAws
from dataware.handler import copy_shard
from dataware.handler import work as work_step
from dataware.handler.invocation import SeenLock
from dataware.migrate.engine import EngineSettings
from dataware.ops.context import CopySettings
from dataware.ops.migration_job import MigrationJob
from dataware.state import ParameterMarkers
from dataware.state.marker_value import CONTROL
from dataware.verify.steps import VerifyStep, VerifyTask
from dataware.verify.task_state import TaskState
from support.accounts import open_account
from support.deployments import TABLE, Time, begin, properties, record
from support.servers import FaultProxy, json_error
from support.worlds import client, items_of, make_table, varied_items


@pytest.fixture
def job(machine: str) -> dict[str, Any]:
    """Thirty items to copy by a job that has the lock."""
    make_table("old-one", varied_items(30))
    make_table("new-one")
    _, given = begin(properties())
    return dict(given["job"])


def test_one_shard_is_answered_by_the_shard(job: dict[str, Any]) -> None:
    """Partition, cursor, done and counts are what the next state looks at."""
    answer = copy_shard.handler({"job": job, "shard": {"partition": "0/1"}}, Time())
    assert (answer["partition"], answer["cursor"]) == ("0/1", None)
    assert (answer["done"], answer["ended"], answer["failed"]) == (True, True, None)
    assert answer["counts"]["copied"] == 30
    assert items_of("new-one") == items_of("old-one")


def test_a_batch_is_answered_by_a_batch(job: dict[str, Any]) -> None:
    """The form of Distributed Map's ItemBatcher, with one shard that had ended before."""
    before = {"partition": "1/2", "done": True, "counts": {"copied": 7}}
    items = [{"partition": "0/2"}, before]
    answer = copy_shard.handler({"BatchInput": {"job": job}, "Items": items}, Time())
    assert answer["ended"]
    assert answer["BatchInput"] == {"job": job}
    assert [one["partition"] for one in answer["Items"]] == ["0/2", "1/2"]
    assert answer["Items"][1]["counts"]["copied"] == 7
    assert 0 < answer["Items"][0]["counts"]["copied"] < 30


def test_without_time_nothing_is_begun(job: dict[str, Any]) -> None:
    """A batch of many shards stops in order; the rest is as it was, and not ended."""
    items = [{"partition": f"{n}/2"} for n in range(2)]
    answer = copy_shard.handler({"BatchInput": {"job": job}, "Items": items}, Time(lambda: True))
    assert not answer["ended"]
    assert [(one["done"], one["ended"]) for one in answer["Items"]] == [(False, False)] * 2
    assert items_of("new-one") == {}


def test_a_worker_without_the_lock_copies_nothing(job: dict[str, Any]) -> None:
    """Once the deployment has failed or another run took over, nothing more is written."""
    client("ssm").delete_parameter(Name="/dataware/markers/dynamodb-table/new-one")
    answer = copy_shard.handler({"job": job, "shard": {"partition": "0/1"}}, Time())
    assert "lost the lock" in answer["failed"]
    assert answer["ended"]
    assert items_of("new-one") == {}


def test_a_failure_is_noted_in_its_shard(
    machine: str, fault_proxy: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other shards go on, and the reason names the call and the missing permission."""
    make_table("old-one", varied_items(30))
    make_table("new-one")
    _, given = begin(properties())
    fault_proxy.add(json_error("AccessDeniedException"), operation="PutItem")
    answer = copy_shard.handler({"job": given["job"], "shard": {"partition": "0/1"}}, Time())
    assert not answer["done"]
    assert "AccessDenied" in answer["failed"]
    assert record()["state"] == "running"
    assert items_of("new-one") == {}


def test_progress_is_told_as_json_lines(
    job: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudWatch Logs gets the events of the command line, one object a line, and no values."""
    copy_shard.handler({"job": job, "shard": {"partition": "0/1", "items": 30}}, Time())
    lines = capsys.readouterr().out.splitlines()
    assert any('"code": "batch"' in line for line in lines)
    assert all(line.startswith("{") for line in lines)
    assert "fraction" not in "".join(lines)


def test_a_rate_is_shared_out_among_the_workers(
    job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four workers of 100 a second are a quarter each."""
    seen: list[Any] = []
    make = copy_shard.Engine

    def engine(copier: Any, tools: Any, settings: EngineSettings) -> Any:
        seen.append((settings.max_rate, settings.parts))
        return make(copier, tools, settings)

    monkeypatch.setattr(copy_shard, "Engine", engine)
    shard = {"partition": "0/1"}
    copy_shard.handler({"job": {**job, "max_rate": 10_000.0}, "shard": shard}, Time())
    assert seen == [(2500.0, 4)]


def test_a_worker_of_a_command_works_while_the_record_names_its_execution(
    aws_server: EmbeddedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command may be gone; a rate that people asked for reaches the worker by the record."""
    make_table("old-one", varied_items(30))
    make_table("new-one")
    here = (aws_server.account, aws_server.region)
    places = [Location(name, *here) for name in ("old-one", "new-one")]
    job = MigrationJob(TABLE, *places, CopySettings(), "run-1", time.time() + 900, by_command=True)
    markers = ParameterMarkers(open_account(), SystemClock())
    work = {ENGINE: {"name": "map", "execution": "run-1"}}
    marker = Marker(MarkerState.RUNNING, "old-one", "run", detail=work)
    lease = markers.begin(*job.record, marker)
    markers.ask(*job.record, CONTROL, {"max_rate": 9.0, "paused_at": None, "by": "host"})
    lock = SeenLock(markers, job)
    assert lock.look()
    assert lock.read_control().max_rate == 9.0
    markers.ask(*job.record, CONTROL, None)
    request = {"BatchInput": {"job": job.to_json()}, "Items": [{"partition": "0/1"}]}
    answer = work_step.handler({"step": "work", "event": request}, Time())
    assert answer["ended"], answer
    assert items_of("new-one") == items_of("old-one")
    lease.send_heartbeat({ENGINE: {"name": "map", "execution": None}})
    assert not lock.look()
    again = work_step.handler({"step": "work", "event": request}, Time())
    assert "lost the lock" in again["Items"][0]["failed"]


def test_work_that_only_compares_needs_no_record_and_copies_nothing(machine: str) -> None:
    """Neither a lock nor a record lets anybody take it away; a shard of a copy is refused."""
    make_table("old-one", varied_items(30))
    make_table("new-one")
    sides = [Location(name, "000000000000", "us-east-1") for name in ("old-one", "new-one")]
    made = MigrationJob(TABLE, *sides, CopySettings(), "v1-1", time.time() + 60, compares_only=True)
    given = made.to_json()
    assert MigrationJob.from_json(given) == made
    task = TaskState(VerifyTask(VerifyStep.DIGEST, "0 of 1"), 100).to_json()
    items = [task, {"partition": "0/1"}]
    answer = copy_shard.handler({"BatchInput": {"job": given}, "Items": items}, Time())
    compared, copied = answer["Items"]
    assert compared["done"] and TaskState.from_json(compared).result.slots is not None
    assert copied["failed"] == "nothing was copied, because this work only compares"
    assert items_of("new-one") == {}

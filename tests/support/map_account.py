"""The services that workers of a `World` need, in memory: a bucket, a stack and a state machine.

An execution copies boxes as workers would, once it was looked at often enough; its results are
files as Step Functions writes them.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from dataware.aws.errors import translate_errors
from dataware.core.copier import CopyOrder
from dataware.core.errors import IncompleteError
from dataware.core.model import Location
from dataware.migrate.copy_state import skipped_json
from dataware.migrate.shard import Shard
from dataware.verify.steps import Readers, carry_out
from dataware.verify.task_state import TaskState
from support.world import BoxCopier, BoxReader, World, WorldAws


def refusal(code: str, call: str, message: str = "no") -> ClientError:
    """The error that an SDK raises for an answer."""
    status = {"HTTPStatusCode": 404 if code.startswith("NoSuch") else 400}
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": status},  # type: ignore[typeddict-item]  # what is read
        call,
    )


@dataclass
class MemoryObjects:
    """A bucket's calls; `buckets` maps names to objects."""

    world: World
    buckets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    parts: dict[str, bytes] = field(default_factory=dict)

    def create_bucket(self, **given: Any) -> None:
        """Make it, once."""
        self.world.moment("bucket")
        if given["Bucket"] in self.buckets:
            raise refusal("BucketAlreadyOwnedByYou", "CreateBucket")
        self.buckets[given["Bucket"]] = {}

    def create_multipart_upload(self, **given: Any) -> Mapping[str, Any]:
        """Begin an upload, which its key names."""
        return {"UploadId": given["Key"]}

    def upload_part(self, **given: Any) -> Mapping[str, Any]:
        """Take the only part."""
        self.parts[given["UploadId"]] = given["Body"]
        return {"ETag": "1"}

    def complete_multipart_upload(self, **given: Any) -> Mapping[str, Any]:
        """Make the object."""
        self.world.moment(f"put {given['Key']}")
        self.buckets[given["Bucket"]][given["Key"]] = self.parts.pop(given["UploadId"])
        return {"ETag": "1"}

    def get_object(self, **given: Any) -> Mapping[str, Any]:
        """Read it."""
        body = self.buckets[given["Bucket"]].get(given["Key"])
        if body is None:
            raise refusal("NoSuchKey", "GetObject")
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}

    def list_objects_v2(self, **given: Any) -> Mapping[str, Any]:
        """Every key."""
        if given["Bucket"] not in self.buckets:
            raise refusal("NoSuchBucket", "ListObjectsV2")
        keys = self.buckets[given["Bucket"]]
        return {"Contents": [{"Key": key, "ETag": '"1"'} for key in keys]}

    def list_multipart_uploads(self, **_given: Any) -> Mapping[str, Any]:
        """None is left."""
        return {}

    def delete_object(self, **given: Any) -> None:
        """Delete one."""
        del self.buckets[given["Bucket"]][given["Key"]]

    def delete_bucket(self, **given: Any) -> None:
        """Delete an empty bucket."""
        self.world.moment("delete bucket")
        assert not self.buckets.pop(given["Bucket"])


@dataclass
class MemoryStacks:
    """CloudFormation's calls on one stack after another; `refused` is why the next one fails."""

    world: World
    stacks: dict[str, str] = field(default_factory=dict)
    templates: list[str] = field(default_factory=list)
    refused: str = ""
    stays: bool = False

    def describe_stacks(self, **given: Any) -> Mapping[str, Any]:
        """The status of a stack."""
        name = given["StackName"]
        if name not in self.stacks:
            raise refusal(
                "ValidationError", "DescribeStacks", f"Stack with id {name} does not exist"
            )
        return {"Stacks": [{"StackId": name, "StackStatus": self.stacks[name]}]}

    def create_stack(self, **given: Any) -> Mapping[str, Any]:
        """Make it, or fail for the reason that is set."""
        self.world.moment("create stack")
        assert given["Capabilities"] == ["CAPABILITY_IAM"]
        assert given["StackName"] not in self.stacks
        self.templates.append(given["TemplateBody"])
        self.stacks[given["StackName"]] = "ROLLBACK_COMPLETE" if self.refused else "CREATE_COMPLETE"
        return {"StackId": given["StackName"]}

    def delete_stack(self, **given: Any) -> None:
        """Delete it, unless something keeps it."""
        self.world.moment("delete stack")
        if self.stays:
            self.stacks[given["StackName"]] = "DELETE_FAILED"
        else:
            del self.stacks[given["StackName"]]

    def get_paginator(self, _call: str) -> MemoryStacks:
        """For the events."""
        return self

    def paginate(self, **_given: Any) -> list[Mapping[str, Any]]:
        """One event that failed."""
        one = {
            "LogicalResourceId": "Work",
            "ResourceStatus": "CREATE_FAILED",
            "ResourceStatusReason": self.refused or "a bucket is in use",
        }
        return [{"StackEvents": [one]}]


@dataclass
class MemoryStates:
    """Executions that copy boxes; `broken` names partitions whose batch fails, and why.

    An execution ends at its look number `looks`, at the time `ended_at`, and answers tell the time
    `told_at`, if that is set. Whoever compares reads
    what `read_sides` gives; `unreported` tasks leave no result, as if nobody had begun them.
    """

    world: World
    objects: MemoryObjects
    looks: int = 1
    broken: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    lost: str = ""
    ended_at: float = 0.0
    told_at: float | None = None
    unreported: set[str] = field(default_factory=set)
    read_sides: Callable[[Mapping[str, Any]], Readers] | None = None
    executions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def start_execution(self, **given: Any) -> None:
        """Begin one of a new name."""
        self.world.moment("start")
        arn = given["stateMachineArn"].replace(":stateMachine:", ":execution:")
        arn = f"{arn}:{given['name']}"
        assert arn not in self.executions
        self.executions[arn] = {
            "status": "RUNNING",
            "input": json.loads(given["input"]),
            "looks": 0,
            "bucket": given["stateMachineArn"].rpartition("-map-")[2],
        }

    def describe_execution(self, **given: Any) -> Mapping[str, Any]:
        """Its status, after it may have gone on."""
        one = self._find(given["executionArn"], "DescribeExecution")
        one["looks"] += 1
        if one["status"] == "RUNNING" and one["looks"] >= self.looks:
            one["status"] = "FAILED" if self.lost else "SUCCEEDED"
            if not self.lost:
                self._work(one)
        why: dict[str, Any] = {}
        if one["status"] == "FAILED":
            why = {"error": "States.Timeout", "cause": self.lost}
        if one["status"] != "RUNNING":
            why["stopDate"] = datetime.fromtimestamp(self.ended_at, UTC)
        if self.told_at is not None:
            headers = {"date": formatdate(self.told_at, usegmt=True)}
            why["ResponseMetadata"] = {"HTTPHeaders": headers}
        return {"status": one["status"], **why}

    def list_map_runs(self, **given: Any) -> Mapping[str, Any]:
        """One for each execution that got as far as that."""
        self._find(given["executionArn"], "ListMapRuns")
        arn = given["executionArn"]
        earlier = {"mapRunArn": f"{arn}/S:earlier", "startDate": 1}
        return {
            "mapRuns": [] if self.lost else [earlier, {"mapRunArn": f"{arn}/S:run", "startDate": 2}]
        }

    def describe_map_run(self, **given: Any) -> Mapping[str, Any]:
        """How many parts are done."""
        one = self._find(given["mapRunArn"].removesuffix("/S:run"), "DescribeMapRun")
        ended, failed = one["status"] != "RUNNING", len(self.broken)
        counts = {"succeeded": (2 - failed) * ended, "failed": failed * ended}
        return {"itemCounts": {**counts, "total": 2, "running": not ended}}

    def stop_execution(self, **given: Any) -> None:
        """End it after its first part."""
        one = self._find(given["executionArn"], "StopExecution")
        if one["status"] != "RUNNING":
            raise refusal("ValidationException", "StopExecution")
        self.world.moment("stop")
        one["status"] = "ABORTED"
        self._work(one, parts=1)

    def _find(self, arn: str, call: str) -> dict[str, Any]:
        if arn not in self.executions:
            raise refusal("ExecutionDoesNotExist", call)
        return self.executions[arn]

    def _work(self, one: Mapping[str, Any], parts: int = 99) -> None:
        """Workers die of nothing that ends a command."""
        kill_at, self.world.kill_at = self.world.kill_at, None
        self._work_through(one, parts)
        self.world.kill_at = kill_at

    def _work_through(self, one: Mapping[str, Any], parts: int) -> None:
        given = one["input"]
        ((name, stored),) = self.objects.buckets.items()
        shards = json.loads(stored[given["shards"]])
        rows: dict[str, list[Mapping[str, Any]]] = {"SUCCEEDED": [], "FAILED": []}
        for data in shards[:parts]:
            name = data["task"]["part"] if "task" in data else data["partition"]
            if why := self.broken.get(name):
                rows["FAILED"].append({"Status": "FAILED", "Error": "Lambda", "Cause": why})
            elif name not in self.unreported:
                done = self._carry_out(given["job"], data)
                rows["SUCCEEDED"].append({"Output": json.dumps([done])})
        files = {}
        for outcome, listed in rows.items():
            key = f"{given['results']}/run/{outcome}_0.json"
            stored[key] = json.dumps(listed).encode()
            files[outcome] = [{"Key": key, "Size": len(stored[key])}]
        manifest = {"DestinationBucket": name, "MapRunArn": "run", "ResultFiles": files}
        stored[f"{given['results']}/run/manifest.json"] = json.dumps(manifest).encode()

    def _carry_out(self, job: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
        if not TaskState.is_one(data):
            return self._copy(job, Shard.from_json(data)).to_json()
        state = TaskState.from_json(data)
        if why := self.held.get(state.task.part):
            state.fail(why)
        else:
            read_sides = self.read_sides or self._read_boxes
            carry_out(state.task, read_sides(job), state.result, lambda: False)
        return state.to_json()

    def _read_boxes(self, job: Mapping[str, Any]) -> Readers:
        source, target = (Location(**job[side]) for side in ("source", "target"))
        return Readers(BoxReader(self.world, source), BoxReader(self.world, target))

    def _copy(self, job: Mapping[str, Any], shard: Shard) -> Shard:
        if why := self.held.get(shard.partition):
            shard.fail(why)
            return shard
        assert job["by_command"]
        order = CopyOrder(Location(**job["source"]), Location(**job["target"]))
        copier = BoxCopier(self.world, order)

        async def copy() -> None:
            async for page in copier.read(shard.partition, shard.cursor):
                for unit in page.units:
                    outcome = await copier.write(unit)
                    shard.counts.copied += outcome.copied
                    shard.counts.same += outcome.same
                    shard.counts.skipped += len(outcome.skipped)
                    for skip in map(skipped_json, outcome.skipped):
                        shard.skip_reasons[skip["reason"]] += 1
                        shard.note(skip)

        asyncio.run(copy())
        shard.done = True
        return shard


@dataclass(frozen=True)
class MapAccount(WorldAws):
    """The control plane of a world with workers; `stop` is whether a person asks to stop."""

    objects: MemoryObjects = field(kw_only=True)
    stacks: MemoryStacks = field(kw_only=True)
    states: MemoryStates = field(kw_only=True)
    stop: Callable[[], bool] = field(default=lambda: False, kw_only=True)

    @staticmethod
    def of(world: World, stop: Callable[[], bool] = lambda: False) -> MapAccount:
        """An account without any workers yet."""
        objects = MemoryObjects(world)
        states = MemoryStates(world, objects)
        return MapAccount(
            world, objects=objects, stacks=MemoryStacks(world), states=states, stop=stop
        )

    def client(self, service: str) -> Any:
        """The service of that name."""
        services = {
            "s3": self.objects,
            "cloudformation": self.stacks,
            "stepfunctions": self.states,
        }
        return services[service]

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        """As for real answers."""
        return translate_errors(what, permission)

    def pause(self, _seconds: float) -> None:
        """Take no time; raise once a person asks to stop."""
        if self.stop():
            raise IncompleteError("stopped")

    def left_over(self) -> Iterator[str]:
        """What the workers have left."""
        yield from self.stacks.stacks
        yield from self.objects.buckets

"""Executions of the workers' state machine: started, watched, stopped, and their results read.

Source: AWS Step Functions API Reference, StartExecution (idempotent by name and input while it
runs), DescribeExecution, ListMapRuns, DescribeMapRun, StopExecution.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dataware.core.answer_time import read_answer_time
from dataware.core.engines.port import JobProgress
from dataware.core.engines.work_bucket import WorkBucket
from dataware.core.errors import NotFoundError, ServiceError
from dataware.core.ports import Aws
from dataware.migrate.shard import WORDS, Shard
from dataware.ops.map_engine.results import MapResults, read_results, read_tasks
from dataware.ops.map_engine.template import WorkersLocation
from dataware.verify.task_state import TaskState

RUNNING = frozenset({"RUNNING", "PENDING_REDRIVE"})
ENDED_WELL = "SUCCEEDED"
NOT_RUNNING = "ValidationException"
ALREADY_STARTED = "ExecutionAlreadyExists"


class WorkOrder(NamedTuple):
    """What an execution is to do: shards, and what was done `before`."""

    before: Mapping[str, Any]
    shards: Sequence[Shard]
    job: Mapping[str, Any]


class MapExecution:
    """One execution, by its name."""

    def __init__(self, aws: Aws, place: WorkersLocation, name: str) -> None:
        self._aws = aws
        self._place = place
        self._name = name
        self._api = aws.client("stepfunctions")
        self._arn = place.execution(name)
        self._bucket = WorkBucket(aws, place.bucket)

    @property
    def name(self) -> str:
        """What it is called within its state machine."""
        return self._name

    def start(self, order: WorkOrder) -> None:
        """Write down what is to be copied, and start. Raises LookupFailedError."""
        batch = max(1, -(-len(order.shards) // (4 * int(order.job["workers"]))))
        room = WORDS // batch
        shards = [{**shard.to_json(), "room": room} for shard in order.shards]
        self.start_items(order.before, shards, order.job, batch)

    def start_items(
        self,
        before: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]],
        job: Mapping[str, Any],
        batch: int = 1,
    ) -> None:
        """Write down what was `before` and what is to be done, and start it in batches.

        Raises LookupFailedError.
        """
        self._put("before.json", before)
        self._put("shards.json", items)
        given = {
            "shards": self._key("shards.json"),
            "results": self._key("results"),
            "batch": batch,
            "job": job,
        }
        try:
            with self._aws.translate_errors("the state machine", "states:StartExecution"):
                self._api.start_execution(
                    stateMachineArn=self._place.machine, name=self._name, input=json.dumps(given)
                )
        except ServiceError as error:
            # An execution that has ended is refused to a second try, whose first had no answer.
            if error.code != ALREADY_STARTED:
                raise

    def look(self) -> JobProgress | None:
        """How far it is, in parts of the data; None where it was never started.

        Raises LookupFailedError.
        """
        try:
            with self._aws.translate_errors("the execution", "states:DescribeExecution"):
                answer = self._api.describe_execution(executionArn=self._arn)
        except NotFoundError:
            return None
        state, problem = str(answer["status"]), ""
        if state not in RUNNING and state != ENDED_WELL:
            words = (state.lower(), answer.get("error"), answer.get("cause"))
            problem = ": ".join(str(word) for word in words if word)
        counts = self._count_items()
        failed = sum(counts.get(one, 0) for one in ("failed", "timedOut", "aborted"))
        return JobProgress(
            counts.get("succeeded", 0) + failed,
            counts.get("total", 0),
            ended=state not in RUNNING,
            problem=problem,
            state=state,
            failed=failed,
            running=counts.get("running", 0),
        )

    def find_age(self, now: float) -> float | None:
        """For how many seconds it has been over; None while it has not ended.

        By the time that the answer tells, because a clock that is slow makes old results look new,
        and by `now` where it tells none. Raises LookupFailedError.
        """
        with self._aws.translate_errors("the execution", "states:DescribeExecution"):
            answer = self._api.describe_execution(executionArn=self._arn)
        ended = answer.get("stopDate")
        return None if ended is None else read_answer_time(answer, now) - float(ended.timestamp())

    def stop(self) -> None:
        """Stop it; harmless where it has ended, or never began. Raises LookupFailedError.

        Nothing is looked at first, because nobody waits for a look who wants to stop.
        """
        try:
            with self._aws.translate_errors("the execution", "states:StopExecution"):
                self._api.stop_execution(
                    executionArn=self._arn, error="Stopped", cause="dataware was stopped"
                )
        except NotFoundError:
            return
        except ServiceError as error:
            if error.code != NOT_RUNNING:
                raise

    def read_before(self) -> Mapping[str, Any]:
        """What was done before it began. Raises LookupFailedError."""
        before: Mapping[str, Any] = json.loads(self._read(self._key("before.json")))
        return before

    def read_results(self) -> MapResults:
        """What became of its shards, as far as it was written. Raises LookupFailedError."""
        manifest = self._read_manifest()
        return MapResults() if manifest is None else read_results(manifest, self._read)

    def read_tasks(self, take: Callable[[TaskState], None]) -> list[str]:
        """Give every task that came back to `take`; why others did not.

        Raises LookupFailedError.
        """
        manifest = self._read_manifest()
        return [] if manifest is None else read_tasks(manifest, self._read, take)

    def _read_manifest(self) -> bytes | None:
        """What names its result files; None before they are written."""
        arn = self._find_map_run()
        if arn is None:
            return None
        run = arn.rpartition(":")[2]
        try:
            return self._read(f"{self._key('results')}/{run}/manifest.json")
        except NotFoundError:
            return None

    def _count_items(self) -> Mapping[str, int]:
        arn = self._find_map_run()
        if arn is None:
            return {}
        with self._aws.translate_errors("the map run", "states:DescribeMapRun"):
            run = self._api.describe_map_run(mapRunArn=arn)
        counts: Mapping[str, int] = run["itemCounts"]
        return counts

    def _find_map_run(self) -> str | None:
        """The newest one, because a retry of the state makes another; None before the first.

        None, too, where the execution is gone: what it brought is not known then.
        """
        try:
            with self._aws.translate_errors("the map run", "states:ListMapRuns"):
                runs = self._api.list_map_runs(executionArn=self._arn)["mapRuns"]
        except NotFoundError:
            return None
        newest = max(runs, key=lambda run: run["startDate"], default=None)
        return None if newest is None else str(newest["mapRunArn"])

    def _key(self, name: str) -> str:
        return f"{self._name}/{name}"

    def _put(self, name: str, content: object) -> None:
        parts = self._bucket.open(self._key(name))
        parts.put(1, json.dumps(content, separators=(",", ":")).encode())
        parts.complete()

    def _read(self, key: str) -> bytes:
        return b"".join(self._bucket.read(key))

"""A wish to stop (Ctrl-C, SIGTERM): obeyed within two seconds, whatever the service is busy with.

The two seconds are shown in virtual time. Of real processes only that they do not wait for a
service that never answers.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from dataware.core.errors import IncompleteError
from dataware.core.ports import Response
from dataware.migrate.copy_state import CopyState
from dataware.migrate.engine import EngineSettings
from support.accounting import check_identity, check_sums, journal_of
from support.cli import interrupted, launch, run
from support.dynamo import refuse
from support.memory_aws import Call, Fault, Forward, saying
from support.memory_buckets import fault as s3_fault
from support.memory_jobs import Job, filled
from support.migrations import MIGRATIONS
from support.servers import FaultProxy, delay

ASKED_AT, WITHIN = 0.3, 2.0
WAYS = {
    "batches": {"kind": "table"},
    "conditional puts": {"kind": "table", "exclusive": False},
    "conditional copies": {"kind": "bucket"},
    "copies in parts": {
        "kind": "bucket",
        "size": 5000,
        "multipart_threshold": 4999,
        "part_size": 2000,
    },
}


async def silent(_call: Call, _forward: Forward) -> Response:
    """A service that takes a request and never answers."""
    await asyncio.sleep(10**6)
    raise AssertionError


async def slow(call: Call, forward: Forward) -> Response:
    """A service that takes its time."""
    await asyncio.sleep(4)
    return forward(call)


TROUBLES = ("silent", "slow", "throttled", "failing")


def trouble_of(name: str, kind: str) -> Fault:
    """A trouble in the words of the service."""
    throttled = refuse("ThrottlingException") if kind == "table" else s3_fault(503, "SlowDown")
    said = {"throttled": saying(throttled), "failing": saying(Response(500, {}, b""))}
    return {"silent": silent, "slow": slow, **said}[name]


def stopped(job: Job, trouble: Fault, *operations: str) -> None:
    """A run into some trouble that is asked to stop; fails unless it stops in time."""

    def stop() -> bool:
        try:
            return asyncio.get_running_loop().time() >= ASKED_AT
        except RuntimeError:
            return False

    job.stop = stop
    job.aws.add(trouble, *operations, skip=3)
    with pytest.raises(IncompleteError, match="run the same command again"):
        job.run()
    assert job.seconds <= ASKED_AT + WITHIN
    check_sums(job.journal.kept, 400)
    job.aws.heal()
    job.stop = lambda: False
    job.run()
    job.check_whole()


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("way", WAYS)
def test_a_copy_stops_within_two_seconds(way: str, trouble: str) -> None:
    """Whatever the writes are waiting for, the run ends, and the next one ends the job."""
    writes = ("BatchWriteItem", "PutItem", "CopyObject", "UploadPartCopy", "AbortMultipartUpload")
    job = filled(count=400, **WAYS[way])  # type: ignore[arg-type]  # by name
    job.aws.tables.page = job.aws.buckets.page = 100
    stopped(job, trouble_of(trouble, job.kind), *writes)


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("way", ["batches", "conditional copies"])
def test_a_copy_that_waits_for_a_page_stops_within_two_seconds(way: str, trouble: str) -> None:
    """Reading is given up as soon as writing."""
    job = filled(count=400, **WAYS[way])  # type: ignore[arg-type]  # by name
    stopped(job, trouble_of(trouble, job.kind), "Scan", "ListObjectsV2")


RATE = 150.0


@pytest.mark.parametrize("asked_at", [0.5, 4.3, 21.0])
@pytest.mark.parametrize("way", ["batches", "conditional puts", "conditional copies"])
def test_of_a_copy_at_a_bounded_rate_little_is_repeated(way: str, asked_at: float) -> None:
    """What the target has beyond the record is a second's work at most, and the rest follows."""
    count = 6000
    job = filled(count=count, engine=EngineSettings(max_rate=RATE), **WAYS[way])  # type: ignore[arg-type]  # by name
    job.aws.tables.page = job.aws.buckets.page = 1000

    def stop() -> bool:
        try:
            return asyncio.get_running_loop().time() >= asked_at
        except RuntimeError:
            return False

    job.stop = stop
    with pytest.raises(IncompleteError, match="run the same command again"):
        job.run()
    assert job.seconds <= asked_at + WITHIN
    recorded = CopyState.of(job.journal.records()).counts.in_target
    there = len(job.content("new"))
    assert RATE * (asked_at - 1) <= there <= RATE * (asked_at + WITHIN)
    assert there - recorded <= RATE
    job.stop, job.engine = (lambda: False), EngineSettings()
    job.run()
    job.check_whole()
    assert sum(job.written.values()) - count <= RATE


LONG = 60
"""Seconds for which a service says nothing: far longer than any test waits."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
@pytest.mark.parametrize("kind", MIGRATIONS)
def test_one_signal_ends_a_run_that_waits_for_a_silent_service(
    kind: str,
    number: signal.Signals,
    fault_proxy: FaultProxy,
    tmp_path: Path,
    clean_environment: Path,
) -> None:
    """Exit 4 long before the service would answer; the same command completes the migration."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    fault_proxy.add(delay(LONG), operation=migration.write, skip=3)
    process = launch("apply", app)
    interrupted(process, number, lambda: fault_proxy.count(migration.write) > 3, LONG / 4)
    fault_proxy.clear()
    planned = len(migration.content("old-one"))
    check_sums(journal_of(clean_environment), planned)
    again = run("apply", app)
    assert again.code == 0, again
    assert migration.arrived()
    check_identity(journal_of(clean_environment), planned)

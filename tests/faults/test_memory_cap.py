"""Memory that does not grow with the data, and queues that do not grow when one side stalls.

Millions of keys are measured in `tests/bench`; here a process of its own copies some ten thousand
virtual ones, and may not take more memory in the second half than in the first.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dataware.core.ports import Response
from dataware.migrate.engine import EngineSettings
from support.memory_aws import Call, Forward
from support.memory_jobs import KINDS, WRITES, filled

GROWTH_KB = 4 * 1024
"""What the allocator and the growth of counters may take between a quarter and the whole."""


@pytest.mark.parametrize("kind", KINDS)
def test_memory_does_not_grow_with_the_keys(kind: str) -> None:
    """From a quarter of the keys to all of them the process takes no more memory."""
    if sys.platform != "linux":
        pytest.skip("the resident memory of a process is read from /proc")
    ended = subprocess.run(
        [sys.executable, "-m", "support.virtual_source", kind],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert ended.returncode == 0, ended.stderr
    quarter, whole = map(int, ended.stdout.split())
    assert whole - quarter < GROWTH_KB, (quarter, whole)


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_that_stalls_holds_the_reading_back(kind: str) -> None:
    """No more pages are read than fit into what may be in flight, however long it takes."""
    settings = EngineSettings(readers=4, writers=8)
    job = filled(kind, 600, engine=settings)
    job.aws.tables.page = job.aws.buckets.page = 10
    read: list[int] = []

    async def stall(call: Call, forward: Forward) -> Response:
        await asyncio.sleep(30)
        read.append(sum(job.aws.asked[name] for name in ("Scan", "ListObjectsV2")))
        return forward(call)

    # The first looks count what there is; from then on every page is one of the copy.
    job.aws.add(stall, *WRITES[kind], times=8)
    job.run()
    job.check_whole()
    pages = job.aws.asked["Scan"] + job.aws.asked["ListObjectsV2"]
    assert max(read) < pages / 2


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_in_flight_are_a_bound(kind: str) -> None:
    """A small budget makes a slow copy and not a larger process; nothing waits for ever."""
    job = filled(kind, 100, engine=EngineSettings(bytes_in_flight=1))
    job.run()
    job.check_whole()

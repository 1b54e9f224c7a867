"""Processes that verify: the verdict of threads, errors that arrive, and an end in time."""

from __future__ import annotations

import multiprocessing
import time
from functools import partial

import pytest

from dataware.aws import Account, ClientSettings, SystemClock
from dataware.cli.context import open_again
from dataware.cli.process import verify_pool
from dataware.cli.process.verify_pool import ProcessPool
from dataware.cli.settings import AwsOptions
from dataware.core.errors import IncompleteError, LookupFailedError
from dataware.core.model import Location
from dataware.kinds import load
from dataware.ops.context import ComparisonSpec, reach
from dataware.ops.verify import sides_of
from dataware.report import Format
from dataware.verify.progress import VerifyProgress
from dataware.verify.run import Stop, ThreadRunner, compare
from dataware.verify.verdict import Verdict
from support.dynamo import account, make_table, put
from support.killing import end_at_once
from support.servers import FaultProxy, Gate, json_error

OPTIONS = AwsOptions(None, None, None, Format.TEXT, plain=True, debug=False)


@pytest.fixture
def aws(fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account with two tables that differ in an item, whose tasks are worth processes."""
    monkeypatch.setattr(verify_pool, "MANY_TASKS", 1)
    aws = account()
    for name in ("one-table", "two-table"):
        make_table(aws, name)
        put(aws, name, [{"pk": {"S": f"{name if n == 7 else n}"}} for n in range(60)])
    return aws


def verdict(
    aws: Account, stop: Stop = lambda: False, measure: VerifyProgress | None = None
) -> Verdict:
    """What a comparison by processes finds."""
    source, target = (
        Location(name, aws.account, aws.region) for name in ("one-table", "two-table")
    )
    pair = ComparisonSpec("AWS::DynamoDB::Table", source, target)
    sides = sides_of(load(pair.type_name), pair, partial(reach, aws))
    processes = ProcessPool(partial(open_again, OPTIONS), pair, ThreadRunner(sides))
    return compare(
        sides.source,
        sides.target,
        ordered=False,
        stop=stop,
        runner=processes,
        progress=measure,
    )


def test_processes_find_what_threads_find(aws: Account) -> None:
    """A verdict does not depend on who reads, and no process stays behind."""
    found = verdict(aws)
    assert (found.compared, found.summary()) == (60, "1 missing, 1 extra")
    assert sorted(one.label for one in found.listed) == [
        '{"pk":{"S":"one-table"}}',
        '{"pk":{"S":"two-table"}}',
    ]
    assert multiprocessing.active_children() == []


def test_what_the_processes_read_is_counted_as_they_go(aws: Account) -> None:
    """A verification by processes shows how far it is, as one by threads does."""
    begun, counted = list[int](), list[int]()

    class Counting(VerifyProgress):
        def begin(self, sides: int) -> None:
            begun.append(sides)

        def read(self, count: int) -> None:
            counted.append(count)

    verdict(aws, measure=Counting({}, "item", None, SystemClock(), lambda _event: None))
    # Each step reads both sides once more.
    assert sum(counted) == 120 * begun.count(2) > 0


def test_an_error_in_a_process_is_the_error_of_the_verification(
    aws: Account, fault_proxy: FaultProxy
) -> None:
    """It arrives with the call and the permission that it names."""
    fault_proxy.add(json_error("AccessDeniedException"), operation="Scan", skip=2)
    with pytest.raises(LookupFailedError, match="dynamodb:Scan") as caught:
        verdict(aws)
    assert caught.value.problem is not None
    assert caught.value.problem.code == "AccessDeniedException"


def test_a_wish_to_stop_reaches_the_processes(aws: Account, fault_proxy: FaultProxy) -> None:
    """Once somebody asked to stop there is no verdict, and no process stays behind."""
    with pytest.raises(IncompleteError):
        verdict(aws, stop=lambda: fault_proxy.count("Scan") > 2)
    assert multiprocessing.active_children() == []


def test_a_process_that_waits_for_a_silent_service_stops(
    aws: Account, fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on without the answer, long before the SDK would give the request up."""
    monkeypatch.setattr(verify_pool, "cores", lambda: 2)
    gate = Gate()
    fault_proxy.add(gate, operation="Scan", skip=2)
    asked = list[float]()

    def stop() -> bool:
        if gate.reached.is_set():
            asked.append(time.monotonic())
        return bool(asked)

    try:
        with pytest.raises(IncompleteError, match="run the same command again"):
            verdict(aws, stop=stop)
    finally:
        gate.open()
    assert time.monotonic() - asked[0] < ClientSettings().read_seconds / 2
    assert multiprocessing.active_children() == []


def test_a_process_that_is_killed_leaves_no_verdict(
    aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not read is never taken for equal, and one sentence says what happened."""
    monkeypatch.setattr(verify_pool, "_carry_out", end_at_once)
    with pytest.raises(IncompleteError, match="was killed, perhaps out of memory"):
        verdict(aws)

"""A wish to stop in every phase of a run; of the copy `test_stopping.py` tells more.

A service takes a request and never answers, and one signal has to end the command long before the
SDK would give the request up, after 55 seconds for the first time.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.cli import interrupted, launch, run
from support.command_process import CommandProcess
from support.migrations import MIGRATIONS, Migration
from support.servers import DroppedError, Fault, FaultProxy, Forward, Reply, Seen, trickle

LONG = 55
"""Seconds after which the SDK takes silence for a failure, and asks again."""

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
KINDS = pytest.mark.parametrize("kind", MIGRATIONS)

LISTING = {"table": "Scan", "bucket": "ListObjectsV2"}
SCHEME = {"table": "dynamodb", "bucket": "s3"}


class Silence:
    """A fault that takes a request and never answers; until it is broken, nobody is let go."""

    def __init__(self) -> None:
        self._broken = threading.Event()

    def __call__(self, _seen: Seen, _forward: Forward) -> Reply:
        """Wait; what nobody waits for any more never reaches the server."""
        self._broken.wait()
        raise DroppedError

    def end(self) -> None:
        """Let go of every connection."""
        self._broken.set()


@pytest.fixture
def silence() -> Iterator[Silence]:
    """A silence that ends with the test."""
    silence = Silence()
    yield silence
    silence.end()


@dataclass
class Trouble:
    """A fault that tells when it has met a request."""

    fault: Fault
    met: bool = False

    def __call__(self, seen: Seen, forward: Forward) -> Reply:
        self.met = True
        return self.fault(seen, forward)


def stops(process: CommandProcess, trouble: Trouble, number: signal.Signals) -> None:
    """Send one signal to a command that has met the trouble, and see how it ends."""
    interrupted(process, number, lambda: trouble.met, LONG / 4)


def goes_on(migration: Migration, proxy: FaultProxy, app: Path) -> None:
    """Once the service answers again, the same command completes the migration at once."""
    proxy.clear()
    again = run("apply", app)
    assert again.code == 0, again
    assert migration.arrived()


def verifying(proxy: FaultProxy, migration: Migration, operation: str) -> Callable[[Seen], bool]:
    """Whether a request is one of the verification: by the SDK, and after the first write."""

    def when(seen: Seen) -> bool:
        by_sdk = "amz-sdk-invocation-id" in seen.headers
        return by_sdk and seen.operation == operation and proxy.count(migration.write) > 0

    return when


LOOKS = {
    "plan, the caller's identity": ("plan", "GetCallerIdentity"),
    "plan, a name": ("plan", "DescribeTable"),
    "plan, an owner": ("plan", "DescribeStackResources"),
    "plan, a record": ("plan", "GetParameter"),
    "status": ("status", "GetParametersByPath"),
    "apply, the caller's identity": ("apply", "GetCallerIdentity"),
    "apply, a name": ("apply", "DescribeTable"),
    "apply, a record": ("apply", "GetParameter"),
    "apply, the lock": ("apply", "PutParameter"),
    "apply, the creation": ("apply", "CreateStack"),
    "apply, a look at the creation": ("apply", "DescribeStacks"),
    "apply, the end of the creation": ("apply", "DeleteStack"),
}


@SIGNALS
@pytest.mark.parametrize("look", LOOKS)
def test_one_signal_ends_a_command_that_waits_for_a_silent_service(
    look: str, number: signal.Signals, fault_proxy: FaultProxy, tmp_path: Path, silence: Silence
) -> None:
    """Whatever is asked first and never answered; afterwards nothing is in the way."""
    migration, (command, operation) = MIGRATIONS["table"], LOOKS[look]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    fault_proxy.add(trouble := Trouble(silence), operation=operation)
    stops(launch(command, *([] if command == "status" else [app])), trouble, number)
    goes_on(migration, fault_proxy, app)


def test_one_signal_ends_a_plan_that_waits_for_buckets(
    fault_proxy: FaultProxy, tmp_path: Path, silence: Silence
) -> None:
    """Calls to S3 end like any other."""
    migration = MIGRATIONS["bucket"]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    fault_proxy.add(trouble := Trouble(silence), operation="ListBuckets")
    stops(launch("plan", app), trouble, signal.SIGINT)
    goes_on(migration, fault_proxy, app)


@pytest.mark.parametrize("how", ["silent", "trickling", "all silent"])
@KINDS
def test_one_signal_ends_the_verification_of_a_migration(
    kind: str, how: str, fault_proxy: FaultProxy, tmp_path: Path, silence: Silence
) -> None:
    """The run lets its lock go if it can, and ends in time also if it cannot."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    trouble = Trouble(trickle(LONG / 10) if how == "trickling" else silence)
    when = verifying(fault_proxy, migration, LISTING[kind])
    fault_proxy.add(trouble, when=when)
    if how == "all silent":
        fault_proxy.add(silence, when=lambda seen: trouble.met or when(seen))
    process = launch("apply", app)
    stops(process, trouble, signal.SIGINT)
    fault_proxy.clear()
    if how != "all silent":
        assert "incomplete" in run("status").out
    goes_on(migration, fault_proxy, app)


@pytest.mark.parametrize("options", [[], ["--processes", "2"]], ids=["alone", "crew"])
@KINDS
def test_one_signal_ends_a_copy_at_an_aws_that_is_silent_as_a_whole(
    kind: str, options: list[str], fault_proxy: FaultProxy, tmp_path: Path, silence: Silence
) -> None:
    """Neither what is being written nor the lock keeps the run, which goes on later."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    trouble = Trouble(silence)
    fault_proxy.add(trouble, when=lambda seen: trouble.met or seen.operation == migration.write)
    stops(launch("apply", app, *options), trouble, signal.SIGTERM)
    goes_on(migration, fault_proxy, app)


@pytest.mark.parametrize("options", [[], ["--deep"]], ids=["listing", "content"])
@SIGNALS
def test_one_signal_ends_a_verification(
    options: list[str], number: signal.Signals, fault_proxy: FaultProxy, silence: Silence
) -> None:
    """A listing that does not come, and content that comes byte by byte and never ends."""
    migration = MIGRATIONS["bucket"]
    migration.fill()
    migration.make("new-one")
    assert run("migrate", "s3://old-one", "s3://new-one").code == 0
    fault_proxy.clear()
    fault = trickle(LONG / 100) if options else silence
    trouble = Trouble(fault)
    fault_proxy.add(trouble, operation="GetObject" if options else "ListObjectsV2")
    process = launch("verify", "s3://old-one", "s3://new-one", *options)
    stops(process, trouble, number)


def test_one_signal_ends_the_wait_for_cloudformation(
    fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    """A creation that goes on and on is asked after again and again, with pauses between."""
    migration = MIGRATIONS["table"]
    migration.fill()
    app = migration.write_app(tmp_path)

    def busy(seen: Seen, forward: Forward) -> Reply:
        body = forward(seen).body.replace(b"CREATE_COMPLETE", b"CREATE_IN_PROGRESS")
        return Reply.of(200, body, {"Content-Type": "text/xml"})

    fault_proxy.clear()
    fault_proxy.add(trouble := Trouble(busy), operation="DescribeStacks", skip=1)
    stops(launch("apply", app), trouble, signal.SIGTERM)
    goes_on(migration, fault_proxy, app)

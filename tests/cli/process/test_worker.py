"""A process that helps to copy has no life of its own: without its leader it ends at once."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, NoReturn

import pytest

from dataware.cli.context import open_account
from dataware.cli.process import worker as module
from dataware.cli.process.worker import LEFT_ALONE, LeadingProcess
from dataware.cli.process.workers import ProcessWorkers
from dataware.cli.settings import AwsOptions
from dataware.core.copier import CopyOrder
from dataware.core.errors import IncompleteError, RefusedError
from dataware.core.model import Location
from dataware.migrate.engine import EngineSettings
from dataware.migrate.lease_term import LeaseTerm, since_boot
from dataware.migrate.worker_task import WorkerTask, error_json
from dataware.report import Format
from dataware.state import FileJournal
from support.copying import MemoryJournal
from support.processes import gone, lives

SECONDS = 60.0
PLACES = [Location(name, "111122223333", "eu-central-1") for name in ("old", "new")]
ASSIGNMENT = WorkerTask("AWS::DynamoDB::Table", CopyOrder(*PLACES), EngineSettings())
OPTIONS = AwsOptions(
    None, "eu-central-1", "http://127.0.0.1:9", Format.TEXT, plain=True, debug=False
)
WORKERS = ProcessWorkers(OPTIONS, partial(open_account, OPTIONS))


class Gone(BaseException):
    """Ends the thread that left."""


class Left:
    """Stands for the end of the process: remembers it, and ends the thread that asked for it."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def __call__(self) -> NoReturn:
        self.event.set()
        raise Gone


@pytest.fixture
def pipes(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """What the worker hears, and what the leader says into it; its threads end with the test."""
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: None)
    before = set(threading.enumerate())
    hear, say = os.pipe()
    with os.fdopen(hear, "rb") as heard:
        with os.fdopen(say, "wb", buffering=0) as said:
            yield heard, said
        monkeypatch.setattr(module, "SILENT_SECONDS", -1)
        for thread in set(threading.enumerate()) - before:
            thread.join()


async def until(event: threading.Event) -> bool:
    """Whether something happens."""
    return await asyncio.to_thread(event.wait, SECONDS)


def test_messages_reach_the_loop(pipes: tuple[BinaryIO, BinaryIO]) -> None:
    """What the leader says is handed on, in its order."""
    hear, say = pipes

    async def hears() -> list[object]:
        came: asyncio.Queue[object] = asyncio.Queue()
        LeadingProcess(hear, say, Left()).follow(came.put_nowait)
        say.write(b'{"type": "lease", "partition": "a"}\n{"type": ')
        say.write(b'"stop"}\n')
        return [await came.get(), await came.get()]

    assert asyncio.run(hears()) == [{"type": "lease", "partition": "a"}, {"type": "stop"}]


@pytest.mark.parametrize("rest", [b"", b'{"type": "lea'], ids=["between", "within a message"])
def test_the_end_of_the_pipe_is_the_end(pipes: tuple[BinaryIO, BinaryIO], rest: bytes) -> None:
    """Without a leader the process ends at once, also in the middle of a message."""
    hear, say = pipes
    left = Left()

    async def follows() -> bool:
        LeadingProcess(hear, say, left).follow(lambda _message: None)
        say.write(rest)
        say.close()
        return await until(left.event)

    assert asyncio.run(follows())


def test_a_leader_that_stands_still_is_left(
    pipes: tuple[BinaryIO, BinaryIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is suspended keeps no lock alive, so its silence ends the process."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.05)
    left = Left()

    async def follows() -> bool:
        LeadingProcess(*pipes, left).follow(lambda _message: None)
        return await until(left.event)

    assert asyncio.run(follows())


def test_a_leader_that_is_heard_is_followed(
    pipes: tuple[BinaryIO, BinaryIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each word begins the silence anew, however long the work takes."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(module, "SILENT_SECONDS", 1.0)
    hear, say = pipes
    left = Left()

    async def follows() -> bool:
        LeadingProcess(hear, say, left).follow(lambda _message: None)
        for _ in range(30):
            say.write(b'{"type": "alive"}\n')
            await asyncio.sleep(0.05)
        return left.event.is_set()

    assert not asyncio.run(follows())


def test_nobody_to_tell_is_the_end(pipes: tuple[BinaryIO, BinaryIO]) -> None:
    """A record that nobody takes ends the process."""
    hear, say = pipes
    left = Left()
    hear.close()
    with pytest.raises(Gone):
        LeadingProcess(hear, say, left).send({"type": "want"})
    assert left.event.is_set()


def process(parent: int) -> subprocess.Popen[bytes]:
    """A worker process that takes some process for its leader."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "dataware.cli.process.worker", str(parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_process_without_a_leader_does_nothing() -> None:
    """Its input has ended, or its parent is another one: it leaves without a word."""
    without_input, orphan = process(os.getpid()), process(1)
    assert without_input.stdin is not None
    without_input.stdin.close()
    without_input.stdin = None
    for one in (without_input, orphan):
        out, err = one.communicate(timeout=SECONDS)
        assert (one.returncode, out, err) == (LEFT_ALONE, b"", b"")


def test_what_goes_wrong_before_the_copy_is_told() -> None:
    """An account that cannot be used arrives as the error that it is."""
    one = process(os.getpid())
    options = {"profile": "nobody", "region": None, "endpoint_url": None, "debug": False}
    options |= {"role": None, "external_id": None}
    first = {"assignment": ASSIGNMENT.to_json(), "options": options}
    assert one.stdin is not None
    assert one.stdout is not None
    one.stdin.write(json.dumps(first).encode() + b"\n")
    one.stdin.flush()
    told = json.loads(one.stdout.readline())
    one.communicate(timeout=SECONDS)
    assert (told["type"], told["error"]) == ("failed", "InputError")
    assert "nobody" in told["text"]


def test_a_journal_stays_locked_while_a_worker_lives(tmp_path: Path) -> None:
    """Another run gets at the journal only when the last process that writes is gone."""
    path = tmp_path / "a.journal"

    async def locked() -> None:
        journal = FileJournal(path)
        worker = WORKERS.start(ASSIGNMENT, journal)
        journal.close()
        assert lives(worker.pid)
        with pytest.raises(RefusedError, match="another run has the journal"):
            FileJournal(path)
        assert worker.end() == "signal 9"
        assert gone(worker.pid)
        FileJournal(path).close()

    asyncio.run(locked())


def test_a_worker_that_is_gone_is_seen() -> None:
    """Its end is the end of its messages, and what it is told meanwhile goes nowhere."""

    async def seen() -> None:
        worker = WORKERS.start(ASSIGNMENT, MemoryJournal())
        os.kill(worker.pid, 9)
        while await worker.receive() is not None:
            pass
        worker.send({"type": "stop"})
        assert worker.end() == "signal 9"

    asyncio.run(seen())


def test_a_system_without_room_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process can be started: the run can be repeated with one."""

    def full(*_arguments: object, **_settings: object) -> NoReturn:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", full)
    with pytest.raises(IncompleteError, match=r"Resource temporarily.*--processes 1"):
        WORKERS.start(ASSIGNMENT, MemoryJournal())


def test_a_worker_sends_nothing_beyond_the_term_of_its_leader(
    pipes: tuple[BinaryIO, BinaryIO],
) -> None:
    """Only a newer sign of life renews it, and a lock that is lost ends it for good."""
    hear, say = pipes
    asked = since_boot()

    async def follows() -> None:
        term = LeaseTerm(-math.inf, -math.inf)
        heard = asyncio.Event()
        LeadingProcess(hear, say, Left()).follow(lambda _message: heard.set(), term)

        async def told(**message: object) -> None:
            heard.clear()
            say.write(json.dumps({"type": "alive", **message}).encode() + b"\n")
            assert await asyncio.wait_for(heard.wait(), SECONDS)

        await told(term=None, lost=None)
        assert not term.current
        await told(term=[asked - 60, time.time() - 60], lost=None)
        assert not term.current, "nobody renewed it while both stood still"
        await told(term=[asked, time.time()], lost=None)
        assert term.current
        await told(term=None, lost=error_json(RefusedError("another run took the lock")))
        assert not term.current
        with pytest.raises(RefusedError, match="took the lock"):
            await term.wait()

    asyncio.run(follows())

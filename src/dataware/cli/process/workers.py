"""Starts the processes that help to copy, and speaks with them: JSON lines over their pipes.

Each of them finds its account and its credentials by itself, as this process did; what it is told
holds no secret. `cli/process/worker.py` is what runs there.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dataware.cli.process.cpu_count import cores
from dataware.cli.process.open_account import OpenAccount
from dataware.cli.settings import AwsOptions
from dataware.core.errors import IncompleteError
from dataware.core.ports import Journal
from dataware.migrate.worker_task import WorkerTask, error_json
from dataware.ops.context import ComparisonSpec
from dataware.state import FileJournal

if TYPE_CHECKING:
    from dataware.migrate.lease_term import LeaseTerm
    from dataware.verify.run import TaskRunner

ALIVE_SECONDS = 1.0
"""How often a worker is told that this process runs; without that it ends by itself."""

INBOX = 64
"""Messages of a worker that wait to be taken; beyond that it has to wait itself."""

END_SECONDS = 5.0


class ProcessWorkers:
    """Starts workers with the account, region and address of a command.

    `open_account` opens the account again, in each process that compares.
    """

    def __init__(self, options: AwsOptions, open_account: OpenAccount) -> None:
        self._options = options
        self._open_account = open_account

    @property
    def cores(self) -> int:
        """How many processes can run at the same time here."""
        return cores()

    def start(
        self, assignment: WorkerTask, journal: Journal, term: LeaseTerm | None = None
    ) -> ProcessWorker:
        """Start one, which sends nothing beyond the `term` of the lock.

        Raises Incomplete when the system starts no more processes."""
        names = ("profile", "region", "endpoint_url", "debug", "role", "external_id")
        options = {name: getattr(self._options, name) for name in names}
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "dataware.cli.process.worker", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=_inherited_descriptors(journal),
            )
        except OSError as error:
            raise IncompleteError(
                f"no further process that copies could be started ({error.strerror}): run the same"
                " command again with --processes 1"
            ) from error
        worker = ProcessWorker(process, term)
        order = {"options": options, "assignment": assignment.to_json()}
        worker.send({**order, **worker.describe_term()})
        return worker

    def task_runner(self, pair: ComparisonSpec, threads: TaskRunner) -> TaskRunner:
        """The processes of a comparison, or `threads` where it is small."""
        from dataware.cli.process.verify_pool import ProcessPool  # noqa: PLC0415 - slow to import

        return ProcessPool(self._open_account, pair, threads)


def _inherited_descriptors(journal: Journal) -> tuple[int, ...]:
    """What a worker inherits: the descriptor of the journal, which keeps the file locked.

    So no other run gets at the journal before the last worker is gone.
    """
    if isinstance(journal, FileJournal) and os.name == "posix":
        return (journal.fileno(),)
    return ()


class ProcessWorker:
    """One worker; made and used in an event loop, which its thread hands the messages to."""

    def __init__(self, process: subprocess.Popen[bytes], term: LeaseTerm | None = None) -> None:
        self._process = process
        self._term = term
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue(INBOX)
        self._writing = threading.Lock()
        self._ended = threading.Event()
        for job in (self._listen, self._beat):
            threading.Thread(target=job, name=f"worker {process.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def describe_term(self) -> dict[str, object]:
        """When the last heartbeat was asked for, and what the lock was lost by, if it was."""
        if self._term is None:
            return {}
        beat, beat_at, error = self._term.beat, self._term.beat_at, self._term.error
        term = [beat, beat_at] if math.isfinite(beat) else None
        return {"term": term, "lost": error_json(error) if error else None}

    def send(self, message: Mapping[str, Any]) -> None:
        """Tell it something; one that is gone hears nothing."""
        line = json.dumps(message).encode() + b"\n"
        pipe = self._process.stdin
        with self._writing, suppress(OSError, ValueError):
            if pipe is not None:
                pipe.write(line)
                pipe.flush()

    async def receive(self) -> Mapping[str, Any] | None:
        """What it tells next; None once it is gone."""
        return await self._inbox.get()

    def end(self) -> str:
        """End it at once, and say how it ended."""
        self._ended.set()
        if self._process.poll() is None:
            self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        with self._writing, suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        code = self._process.returncode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def _listen(self) -> None:
        """Hand on what it says, no faster than that is taken; its end is the end of the pipe."""
        for line in self._process.stdout or ():
            if not self._hand_on(json.loads(line)):
                return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self._hand_on(None)

    def _hand_on(self, message: Mapping[str, Any] | None) -> bool:
        """Whether somebody is there to take it."""
        putting = self._inbox.put(message)
        try:
            asyncio.run_coroutine_threadsafe(putting, self._loop).result()
        except (RuntimeError, CancelledError):
            putting.close()  # the loop has ended
            return False
        return True

    def _beat(self) -> None:
        """From a thread of its own: it says that this process runs, whatever the loop waits for."""
        while not self._ended.wait(ALIVE_SECONDS):
            self.send({"type": "alive", **self.describe_term()})

"""A process that helps to copy: `python -m dataware.cli.process.worker`, started by
`cli/process/workers.py`.

It has no life of its own. When the process that leads it is gone, however that ended, another run
may begin at any moment, so this one ends at once and finishes nothing: the system kills it where
it can (Linux); its standard input ends; and if the leading process only stands still, so that
nobody keeps the lock of the migration alive, it is not heard of any more.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import math
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, NoReturn

from dataware.aws import Account, AssumedRole, SystemClock
from dataware.cli.process.gc import relaxed_gc
from dataware.cli.process.open_account import open_source
from dataware.cli.settings import AwsOptions
from dataware.cli.transport import make_wire
from dataware.kinds import load
from dataware.migrate.lease_term import LeaseTerm
from dataware.migrate.worker import Message, Worker
from dataware.migrate.worker_task import WorkerTask, error_of
from dataware.ops.context import reach
from dataware.ops.copy_wires import CopyWires

SILENT_SECONDS = 15.0
"""Without a word for so long this process ends: well before another run may begin."""

LOOK_SECONDS = 0.5
NEVER = (-math.inf, -math.inf)
LEFT_ALONE = 1
SET_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


class LeadingProcess:
    """The process that leads, on two pipes; this process ends as soon as it is gone."""

    def __init__(self, hear: BinaryIO, say: BinaryIO, leave: Callable[[], NoReturn]) -> None:
        self._hear = hear
        self._say = say
        self._leave = leave
        self._looks = 0

    def first(self) -> Message:
        """Its first message; leaves without one."""
        return self._message(self._hear.readline())

    def send(self, message: Message) -> None:
        """Tell it something. Leaves if it is gone."""
        try:
            self._say.write(json.dumps(message).encode() + b"\n")
            self._say.flush()
        except OSError:
            self._leave()

    def follow(self, take: Callable[[Message], None], term: LeaseTerm | None = None) -> None:
        """From now on hand its messages to `take`, on the running loop.

        Its heartbeats renew the `term`, also while the loop is busy.
        """
        loop = asyncio.get_running_loop()

        def listen() -> None:
            while True:
                message = self._message(self._hear.readline())
                self._looks = 0
                if term is not None:
                    _renew(term, message)
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(take, message)

        for job in (listen, self._look):
            threading.Thread(target=job, daemon=True).start()

    def _message(self, line: bytes) -> Message:
        if not line.endswith(b"\n"):
            self._leave()
        message: Message = json.loads(line)
        return message

    def _look(self) -> None:
        """Silence counts only while this process runs, because both may have stood still."""
        parent = os.getppid()
        while True:
            time.sleep(LOOK_SECONDS)
            self._looks += 1
            if self._looks * LOOK_SECONDS > SILENT_SECONDS or os.getppid() != parent:
                self._leave()


def leave(code: int = LEFT_ALONE) -> NoReturn:
    """End this process now; what it has under way is not finished."""
    os._exit(code)


def main(parent: int) -> NoReturn:
    """Work for the process `parent` until it is done, or gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A terminal interrupts every process of a command; the leading one says what to do.
        signal.signal(number, signal.SIG_IGN)
    _die_with(parent)
    leader = LeadingProcess(sys.stdin.buffer, _own_output(), leave)
    order = leader.first()
    with relaxed_gc():
        asyncio.run(_work(leader, order))
    # A thread waits for the next message, and would hold up a slower end.
    leave(0)


async def _work(leader: LeadingProcess, order: Message) -> None:
    worker = Worker(leader.send, SystemClock())
    assignment, options = WorkerTask.from_json(order["assignment"]), order["options"]
    term = LeaseTerm(*(order["term"] or NEVER)) if "term" in order else None
    leader.follow(worker.handle_message, term)
    try:
        await _copy(worker, assignment, options, term)
    except Exception as error:
        if options["debug"]:
            traceback.print_exception(error)
        worker.report_failure(error)
    else:
        worker.done()


def _renew(term: LeaseTerm, message: Message) -> None:
    """Take what the leading process says of the lock."""
    if lost := message.get("lost"):
        term.end(error_of(lost))
    elif renewal := message.get("term"):
        term.renew(*renewal)


async def _copy(
    worker: Worker, assignment: WorkerTask, options: Mapping[str, Any], term: LeaseTerm | None
) -> None:
    kind, order = load(assignment.type_name), assignment.order
    account = Account.open(
        make_wire,
        profile=options["profile"],
        region=options["region"],
        endpoint_url=options["endpoint_url"],
        role=AssumedRole(options["role"], options["external_id"]) if options.get("role") else None,
    )
    source = None
    if order.source.profile:
        names = ("region", "endpoint_url")
        aws_options = AwsOptions(**{name: options[name] for name in names})
        source = reach(open_source(aws_options, order.source.profile), order.source)
    wires = CopyWires.open(account, source, worker.slow_down, term)
    there, clock = reach(account, order.target), SystemClock()
    tools = wires.tools(there, clock, worker.slow_down, worker.read_control)
    try:
        copier = kind.require_copying().copier(tools, order)
        await worker.run(copier, assignment.settings, lambda: wires.retries)
    finally:
        await wires.close()


def _die_with(parent: int) -> None:
    """Ask the system to end this process together with its parent, where it does that."""
    if os.name != "posix":
        return
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        leave()  # it was gone before that was asked


def _own_output() -> BinaryIO:
    """Standard output for messages alone; whatever else is printed goes to standard error."""
    own = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return own


if __name__ == "__main__":
    main(int(sys.argv[1]))

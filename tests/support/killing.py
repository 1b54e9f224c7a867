"""Ends or disturbs a running command at the n-th request that it makes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from support.cli import Ran, ended, launch
from support.command_process import CommandProcess
from support.servers import DroppedError, Fault, FaultProxy, Forward, Reply, Seen


class Strike:
    """A fault that signals a process at its n-th request.

    With `answered` the server does its work first. `jitter` seconds pass before the signal, so
    that it also lands between requests. The request itself gets no answer from a killed client's
    point of view; other signals let it through.
    """

    def __init__(
        self,
        at: int,
        *,
        answered: bool = False,
        jitter: float = 0.0,
        number: signal.Signals = signal.SIGKILL,
    ) -> None:
        self._left = at
        self._answered = answered
        self._jitter = jitter
        self._number = number
        self._lock = threading.Lock()
        self._process: CommandProcess | None = None
        self.struck = False

    def aim(self, process: CommandProcess) -> None:
        """Say which process is meant."""
        self._process = process

    def __call__(self, seen: Seen, forward: Forward) -> Reply:
        """Count, and strike when it is time to."""
        with self._lock:
            self._left -= 1
            now = self._left == 0
        if not now:
            return forward(seen)
        reply = forward(seen) if self._answered else None
        if self._jitter:
            threading.Timer(self._jitter, self._strike).start()
            return reply or forward(seen)
        self._strike()
        if self._number is signal.SIGKILL:
            raise DroppedError
        return reply or forward(seen)

    def _strike(self) -> None:
        while self._process is None:
            time.sleep(0.001)
        self.struck = True
        self._process.send_signal(self._number)


def struck_run(
    proxy: FaultProxy,
    strike: Strike,
    *arguments: object,
    operation: str | None = None,
    when: Callable[[Seen], bool] | None = None,
    faults: Mapping[Fault, str] | None = None,
) -> Ran:
    """Run a command through the proxy and strike it.

    `operation` and `when` say which requests count; `faults`, each of one operation, are there
    until the command has ended.
    """
    proxy.clear()
    for fault, of in (faults or {}).items():
        proxy.add(fault, operation=of)
    proxy.add(strike, operation=operation, when=when)
    process = launch(*arguments)
    strike.aim(process)
    ran = ended(process)
    proxy.clear()
    return ran


def journals(home: Path) -> list[Path]:
    """The journals that commands have left in the home of a test."""
    return sorted((home / "state" / "dataware").rglob("*.journal"))


def end_at_once(*_: object) -> None:
    """End this process as a kill does, without a word."""
    os._exit(137)

"""A command in a process of its own, forked where everything is imported already."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

TESTS = Path(__file__).resolve().parents[1]


@cache
def command_server() -> socket.socket:
    """The connection to the process that forks, which ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-m", "support.command_server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(TESTS), "PYTHONUTF8": "1"},
        )
    atexit.register(server.wait)
    atexit.register(ours.close)
    return ours


class CommandProcess:
    """What a command does as a process: the part of `subprocess.Popen` that the tests use."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.returncode: int | None = None
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        self._told, theirs = socket.socketpair()
        request = {"arguments": arguments, "environ": dict(os.environ), "folder": str(Path.cwd())}
        with theirs:
            files = [theirs.fileno(), self._out.fileno(), self._err.fileno()]
            socket.send_fds(command_server(), [json.dumps(request).encode()], files)
        self._lines = self._told.makefile()
        self.pid = int(self._lines.readline())

    def poll(self) -> int | None:
        """The exit code, as of a `Popen`; None while the process runs."""
        if self.returncode is None and self._has_ended(0):
            self.returncode = int(self._lines.readline())
        return self.returncode

    def _has_ended(self, timeout: float | None) -> bool:
        waiting = select.poll()
        waiting.register(self._told, select.POLLIN)
        return bool(waiting.poll(None if timeout is None else timeout * 1000))

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code. Raises subprocess.TimeoutExpired."""
        if self.returncode is None and not self._has_ended(timeout):
            raise subprocess.TimeoutExpired("dataware", timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def printed(self) -> str:
        """What stands on standard output by now."""
        return _written(self._out)

    def noted(self) -> str:
        """What stands on standard error by now."""
        return _written(self._err)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End the process at once."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end, and read both outputs. Raises subprocess.TimeoutExpired."""
        self.wait(timeout)
        texts = []
        for file in (self._out, self._err):
            file.seek(0)
            texts.append(file.read().decode())
        return texts[0], texts[1]


def _written(file: IO[bytes]) -> str:
    """What stands in a file that another process appends to."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()

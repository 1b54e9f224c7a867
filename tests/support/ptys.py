"""A program on a pseudo-terminal, as a person sees it."""

from __future__ import annotations

import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from fcntl import ioctl
from pathlib import Path

SECONDS = 60
IDLE = 20
"""Looks in a row, a hundredth of a second apart, in which a program does nothing."""


class Terminal:
    """A program whose three streams are one terminal of some size; a context manager."""

    def __init__(self, arguments: Sequence[object], *, columns: int = 80, lines: int = 24) -> None:
        self._leader, follower = pty.openpty()
        ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environ = {**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1"}
        for name in ("NO_COLOR", "CI", "COLUMNS", "LINES"):
            environ.pop(name, None)
        self._program = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=environ,
            start_new_session=True,
        )
        os.close(follower)
        self.written = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._program.poll() is None:
            self._program.kill()
        self._program.wait()
        os.close(self._leader)

    def until(self, text: str) -> str:
        """Read until the text was written, and answer with everything so far."""
        while text not in self.written:
            if not (chunk := self._read()):
                raise AssertionError(f"{text!r} never came: {self.written}")
            self.written += chunk
        return self.written

    def until_idle(self) -> None:
        """Wait until the program waits for what a person types.

        A signal that comes while Python prepares to read is noticed with the next line alone
        (CPython, `Parser/myreadline.c`: signals are looked for before the waiting begins). Nobody
        presses a key that soon.
        """
        deadline, quiet = time.monotonic() + SECONDS, 0
        while quiet < IDLE:
            if time.monotonic() > deadline:
                raise AssertionError(f"never waits after: {self.written}")
            time.sleep(0.01)
            quiet = quiet + 1 if self._is_asleep() else 0

    def _is_asleep(self) -> bool:
        """Whether the main thread waits; so it counts where the system does not tell."""
        stat = Path(f"/proc/{self._program.pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "S"

    def type(self, text: str) -> None:
        """Type some text."""
        os.write(self._leader, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C, which is a signal to everything in the foreground."""
        os.killpg(self._program.pid, signal.SIGINT)

    def ended(self) -> int:
        """Read to the end, and answer with the exit code."""
        while chunk := self._read():
            self.written += chunk
        return self._program.wait()

    def _read(self) -> str:
        if not select.select([self._leader], [], [], SECONDS)[0]:
            raise AssertionError(f"silent for {SECONDS} s after: {self.written}")
        try:
            return os.read(self._leader, 65536).decode(errors="replace")
        except OSError:
            return ""

"""Ctrl-C and SIGTERM: once to finish what is in flight, twice to stop now."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Self

NOTE = (
    "Stopping after the requests in flight. Press Ctrl-C again to stop now. You can resume "
    "either way."
)

JOIN_SECONDS = 1.0


class StopSignal:
    """Turns true when a person or the system asks to stop; a context manager over the signals."""

    def __init__(self, *, graceful: bool, report: Callable[[str], None] | None = None) -> None:
        """`graceful` says that the command copies, so that the first signal only asks.

        `tell` shows the note about that; without it, it goes to standard error.
        """
        self._asked = not graceful
        self._noting = False
        self._report = report
        self._noted = threading.Event()
        self._reporter = threading.Thread(target=self._note, name="stop", daemon=True)
        self._previous: dict[signal.Signals, Any] = {}
        self._signalled = False

    def __call__(self) -> bool:
        """Whether to stop."""
        return self._signalled

    def __enter__(self) -> Self:
        """Take the signals over."""
        if self._report is not None:
            self._reporter.start()
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_error: object) -> None:
        """Give the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._noted.set()
        if self._report is not None:
            self._reporter.join(JOIN_SECONDS)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        now, self._asked = self._asked, True
        self._signalled = True
        if now:
            raise KeyboardInterrupt
        self._noting = True
        # A handler may interrupt a renderer, so it bypasses every buffer and lock.
        if self._report is None:
            with suppress(OSError):  # nobody is there to read it
                os.write(2, f"\n{NOTE}\n".encode())
        self._noted.set()

    def _note(self) -> None:
        """Show the note from a thread of its own, which may wait for a renderer."""
        self._noted.wait()
        if self._noting and self._report is not None:
            self._report(NOTE)

"""Ctrl-C and SIGTERM: once to finish what is in flight, twice to stop now."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Self

ENDING = (signal.SIGINT, signal.SIGTERM)
"""The signals by which a person or the system ends a command."""

NOTE = (
    "Stopping after the requests in flight. Press Ctrl-C again to stop now. You can resume "
    "either way."
)

JOIN_SECONDS = 1.0


class StopSignal:
    """Turns true when a person or the system asks to stop; a context manager over the signals."""

    def __init__(self, *, graceful: bool, report: Callable[[str], None] | None = None) -> None:
        """`graceful` says that the command copies, so that the first signal only asks.

        `report` shows the note about that; without it, it goes to standard error.
        """
        self._stops_at_once = not graceful
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
        for number in ENDING:
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
        now, self._stops_at_once = self._stops_at_once, True
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


class CommandSignals:
    """The signals of a command, outside of what takes them over; a context manager over them.

    They interrupt the command until its exit code is settled. From then on its code stays what it
    is: what is left to do takes a moment, and is not broken off.
    """

    def __init__(self) -> None:
        self._is_settled = False
        self._code: int | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def take(self) -> None:
        """Take the signals over, but those that are ignored, as in the background of a shell."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in ENDING:
            if (before := signal.getsignal(number)) is not signal.SIG_IGN:
                self._previous[number] = before
                signal.signal(number, self._handle)

    def settle(self) -> None:
        """The exit code is known: nothing interrupts from now on."""
        self._is_settled = True

    def end(self, code: int) -> None:
        """The process ends with `code`, at the next signal at once; nothing is restored."""
        self._code = code
        # The interpreter gives a handler up before its end, but never what is ignored.
        atexit.register(self._ignore)

    def _ignore(self) -> None:
        for number in self._previous:
            signal.signal(number, signal.SIG_IGN)

    def __enter__(self) -> Self:
        """Take the signals over."""
        self.take()
        return self

    def __exit__(self, *_error: object) -> None:
        """Give the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._code is not None:
            os._exit(self._code)
        if not self._is_settled:
            raise KeyboardInterrupt

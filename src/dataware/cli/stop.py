"""Ctrl-C and SIGTERM: once to finish what is in flight, twice to stop now."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any, Self

NOTE = b"\nStopping: finishing what is in flight; once more stops now. Both can be resumed.\n"


class Stop:
    """Turns true when a person or the system asks to stop; a context manager over the signals."""

    def __init__(self, *, graceful: bool) -> None:
        """`graceful` says that the command copies, so that the first signal only asks."""
        self._asked = not graceful
        self._previous: dict[signal.Signals, Any] = {}
        self._signalled = False

    def __call__(self) -> bool:
        """Whether to stop."""
        return self._signalled

    def __enter__(self) -> Self:
        """Take the signals over."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_error: object) -> None:
        """Give the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = self._signalled = True
        # A handler may interrupt a renderer, so it bypasses every buffer and lock.
        os.write(2, NOTE)

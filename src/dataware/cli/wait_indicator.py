"""Shows that a command waits for another program: the seconds, on standard error.

Running the CDK app … 8 s          on a terminal, in one line that is rewritten and then erased
Running the CDK app … 10 s so far  elsewhere, once, after ten seconds
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Self, TextIO

from dataware.cli.display import is_watched
from dataware.cli.settings import AwsOptions
from dataware.report import Format

TICK_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
ERASE = "\r\x1b[K"


def show_waiting(options: AwsOptions, text: str) -> AbstractContextManager[object]:
    """Show the seconds while the context lasts; nothing to a script, which reads objects."""
    if options.format is not Format.TEXT:
        return nullcontext()
    live = not options.plain and is_watched(sys.stderr, os.environ)
    return WaitIndicator(text, live=live, patience=PATIENCE_SECONDS)


class WaitIndicator:
    """Tells the seconds since it was entered; `live` rewrites a line of a terminal."""

    def __init__(
        self,
        text: str,
        *,
        live: bool,
        stream: TextIO | None = None,
        tick: float = TICK_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._text = text
        self._live = live
        self._stream = stream or sys.stderr
        self._tick = tick
        self._patience = patience
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, name="wait indicator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _show(self) -> None:
        try:
            if self._live:
                self._rewrite()
            elif not self._ended.wait(self._patience):
                self._write(f"{self._text} … {self._patience:.0f} s so far\n")
        except (OSError, ValueError):
            return  # whoever read the lines is gone, which is no reason to stop the work

    def _rewrite(self) -> None:
        began, shown = time.monotonic(), False
        while not self._ended.wait(self._tick):
            shown = True
            line = f"{self._text} … {time.monotonic() - began:.0f} s"
            self._write(f"{ERASE}{line[: self._columns() - 1]}")
        if shown:
            self._write(ERASE)

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _write(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()

"""A stream whose reader may leave.

Once a pipe is broken, everything else is dropped: losing the reader of the lines is no reason to
leave a copy half done. The exit code still tells how it ended.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TextIO

from dataware.report.line import encodable


class Output:
    """Writes whole lines to a text stream and survives a broken pipe."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.broken = False

    def write(self, text: str) -> None:
        """Write one line and flush it, so that a reader sees it when it happens."""
        if self.broken:
            return
        try:
            self._stream.write(encodable(text, self._stream) + "\n")
            self._stream.flush()
        except OSError:
            self.give_up()

    def give_up(self) -> None:
        """Drop everything from now on, the interpreter's flush at exit included."""
        self.broken = True
        with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())

"""Standard streams that may be closed, and outputs that may be full or without a reader.

Whatever becomes of the output, a command does its work: losing the lines is no reason to leave a
copy half done. A reader that leaves wants no more of them; any other failure is told at the end.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

STANDARD = (0, 1, 2)


class _TolerantOutput(io.FileIO):
    """A descriptor whose output is dropped from the first failure on, which `error` remembers.

    A reader that left is no failure.
    """

    error: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write, or drop everything from now on."""
        try:
            return super().write(data) or 0
        except BlockingIOError:
            raise
        except OSError as error:
            if not isinstance(error, ConnectionError):
                self.error = error
            with suppress(OSError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self.fileno())
                os.close(nowhere)
            return memoryview(data).nbytes


@contextmanager
def forgiving_streams() -> Iterator[None]:
    """Let nothing that is written to standard output or error raise, also where they are closed.

    Closed standard input is empty.
    """
    _open_closed()
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.stdout = _forgiving(sys.stdout, 1, sys.__stdout__)
    sys.stderr = _forgiving(sys.stderr, 2, sys.__stderr__)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        sys.stdin, sys.stdout, sys.stderr = before


def find_lost_output(stream: TextIO) -> OSError | None:
    """Why something that was written to a stream is lost; None where nothing is."""
    with suppress(OSError, ValueError):
        stream.flush()
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.error if isinstance(raw, _TolerantOutput) else None


def _open_closed() -> None:
    """Put nothing in the place of closed descriptors, so that no file of ours gets their number."""
    for number in STANDARD:
        try:
            os.fstat(number)
        except OSError:
            mode = os.O_RDONLY if number == 0 else os.O_WRONLY
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)


def _forgiving(stream: TextIO | None, number: int, original: TextIO | None) -> TextIO:
    """The stream of a descriptor, which does not raise; one that was replaced stays as it is."""
    if stream is None:
        return _open_stream(number, "utf-8", "backslashreplace", buffered=True)
    if stream is not original or not isinstance(stream, io.TextIOWrapper):
        return stream
    with suppress(OSError, ValueError):
        stream.flush()
    return _open_stream(
        number, stream.encoding, stream.errors or "strict", buffered=not _is_live(stream)
    )


def _is_live(stream: io.TextIOWrapper) -> bool:
    """Whether somebody sees each line, or each character, when it is written."""
    return stream.line_buffering or stream.write_through


def _open_stream(number: int, encoding: str, errors: str, *, buffered: bool) -> TextIO:
    raw = _TolerantOutput(number, "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding, errors, line_buffering=not buffered or number != 1
    )

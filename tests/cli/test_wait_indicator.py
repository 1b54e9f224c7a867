"""Whoever waits for another program sees that it still runs; a script sees nothing of it."""

from __future__ import annotations

import io
import threading
from contextlib import nullcontext

import pytest

from dataware.cli.settings import AwsOptions
from dataware.cli.wait_indicator import WaitIndicator, show_waiting
from dataware.report import Format
from support.processes import PATIENCE
from support.ptys import Terminal

SHOW = """
import sys, time, types
from dataware.cli import wait_indicator
seconds = []
def monotonic():
    seconds.append(len(seconds))
    return seconds[-1]
wait_indicator.time = types.SimpleNamespace(monotonic=monotonic)
with wait_indicator.WaitIndicator('Running the CDK app', live=True, stream=sys.stdout, tick=0.01):
    while len(seconds) < 4:
        time.sleep(0.01)
print('after')
"""
"""Of the clock of the indicator each look is a second later than the one before."""


class NotedText(io.StringIO):
    """A text that says when somebody wrote into it, or tried to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def write(self, text: str) -> int:
        """Take the text. Raises ValueError where it is closed."""
        try:
            return super().write(text)
        finally:
            self.written.set()


def test_on_a_terminal_one_line_is_rewritten_and_erased() -> None:
    """Its seconds count, and nothing of it stays."""
    with Terminal(("-c", SHOW), columns=80) as terminal:
        assert terminal.ended() == 0
    written = terminal.written
    seconds = [f"\r\x1b[KRunning the CDK app … {number} s" for number in (1, 2)]
    assert written.startswith("".join(seconds))
    assert written.rpartition("\x1b[K")[2].strip() == "after"
    assert written.partition("after")[0].count("\n") == 0


def test_a_narrow_terminal_never_wraps_it() -> None:
    """A wrapped line could not be erased."""
    with Terminal(("-c", SHOW), columns=12) as terminal:
        assert terminal.ended() == 0
    assert "Running the" in terminal.written
    assert "Running the C" not in terminal.written


def test_a_pipe_gets_one_line_and_only_after_a_while() -> None:
    """What ends soon needs no line."""
    quick, slow = io.StringIO(), NotedText()
    with WaitIndicator("Installing", live=False, stream=quick, patience=600.0):
        pass
    with WaitIndicator("Installing", live=False, stream=slow, patience=0.02):
        assert slow.written.wait(PATIENCE)
    assert quick.getvalue() == ""
    assert slow.getvalue() == "Installing … 0 s so far\n"


@pytest.mark.parametrize("format", [one for one in Format if one is not Format.TEXT])
def test_a_script_is_shown_nothing(format: Format) -> None:
    """In every format but text."""
    assert isinstance(show_waiting(AwsOptions(format=format), "Waiting"), nullcontext)


def test_a_stream_that_is_gone_is_no_reason_to_stop() -> None:
    """The program that is waited for goes on."""
    closed = NotedText()
    closed.close()
    with WaitIndicator("Waiting", live=True, stream=closed, tick=0.01):
        assert closed.written.wait(PATIENCE)

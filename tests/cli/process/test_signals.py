"""The note of a wish to stop: shown at once, and never in the middle of what is drawn."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from dataware.cli.errors import INTERRUPTED
from dataware.cli.process.signals import NOTE, CommandSignals, StopSignal


def test_a_note_among_live_bars_is_shown_by_who_draws_them() -> None:
    """A renderer may be at work when the signal comes, so the note waits for it."""
    told: list[str] = []
    shown, drawing = threading.Event(), threading.Lock()

    def tell(text: str) -> None:
        with drawing:
            told.append(text)
        shown.set()

    with StopSignal(graceful=True, report=tell) as stop:
        with drawing:
            signal.raise_signal(signal.SIGINT)
            assert stop()
            assert told == []
        assert shown.wait(10)
    assert told == [NOTE]


def test_without_a_signal_nothing_is_noted() -> None:
    """The thread that would tell ends with the block."""
    told: list[str] = []
    with StopSignal(graceful=True, report=told.append):
        pass
    assert told == []
    assert "stop" not in [thread.name for thread in threading.enumerate()]


def test_the_first_signal_ends_a_command_that_only_looks_and_what_it_waits_for() -> None:
    """It is raised at once, and threads that wait for a service hear of it, too; no note."""
    told: list[str] = []
    with StopSignal(graceful=False, report=told.append) as stop:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert stop()
    assert told == []


# A signal comes at one moment of a process that runs a command.
LAST_MOMENTS = """
import atexit, os, signal, sys
from dataware.cli import run, run_command

# The shell that runs these tests in the background ignores Ctrl-C for all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
name, moment = sys.argv[1:]
sys.argv[1:] = ["explain", "9"]

def interrupt(*_, **how):
    os.kill(os.getpid(), getattr(signal, name))

if moment == "in the command":
    run_command.dataware.main = interrupt
elif moment == "while its output is written":
    lost = run_command._report_lost_output
    run_command._report_lost_output = lambda *given: interrupt() or lost(*given)
elif moment == "as the process ends":
    real, sys.exit = sys.exit, lambda code: interrupt() or real(99)
elif moment == "in the last handler":
    atexit.register(interrupt)
run()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    "moment", ["while its output is written", "as the process ends", "in the last handler"]
)
def test_a_signal_after_the_end_of_a_command_changes_nothing(name: str, moment: str) -> None:
    """All is done and told, so the exit code is that of what was done."""
    ended = run_until(name, moment)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Rule 9")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_outside_of_what_takes_it_over_interrupts_in_one_sentence(name: str) -> None:
    """Also the commands that only answer."""
    ended = run_until(name, "in the command")
    assert ended.returncode == 4
    assert ended.stderr == f"❌ {INTERRUPTED}\n"


def run_until(name: str, moment: str) -> subprocess.CompletedProcess[str]:
    """Run a command that gets a signal at a moment."""
    command = [sys.executable, "-c", LAST_MOMENTS, name, moment]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_signals_are_given_back_and_ignored_ones_stay_ignored() -> None:
    """A shell ignores Ctrl-C for what it runs in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with CommandSignals():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)
    with CommandSignals() as signals:
        signals.settle()
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before

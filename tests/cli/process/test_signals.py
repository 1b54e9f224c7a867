"""The note of a wish to stop: shown at once, and never in the middle of what is drawn."""

from __future__ import annotations

import signal
import threading

import pytest

from dataware.cli.process.signals import NOTE, StopSignal


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

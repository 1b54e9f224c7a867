"""The monitor: whoever has lost the lock stops."""

from __future__ import annotations

import time

import pytest

from dataware.core.errors import LookupFailedError, RefusedError
from dataware.ops.lease_keeper import LeaseMonitor


def test_without_the_lock_nothing_begins() -> None:
    """The first question is asked at once."""
    with pytest.raises(RefusedError, match="lost the lock"), LeaseMonitor(lambda: False):
        pytest.fail("this must not run")


def test_a_lock_that_is_lost_later_is_seen() -> None:
    """The questions go on while the work does."""
    answers = iter([True, True])
    with LeaseMonitor(lambda: next(answers, False), every=0.01) as monitor:
        ends = time.monotonic() + 10
        while not monitor.lost and time.monotonic() < ends:
            time.sleep(0.01)
        with pytest.raises(RefusedError):
            monitor.check()


def test_a_question_without_an_answer_changes_nothing() -> None:
    """Writes are guarded by conditions, so a store that does not answer stops nothing."""

    def unseen() -> bool:
        raise LookupFailedError("no answer")

    with LeaseMonitor(unseen, every=0.01) as monitor:
        time.sleep(0.05)
        monitor.check()

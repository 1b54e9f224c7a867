"""Who asks whether to stop during a pause waits, and reads nothing meanwhile."""

from __future__ import annotations

import threading
import time

import pytest

from dataware.verify.pausable_stop import PausableStop

WAIT = 60.0


@pytest.mark.parametrize("end", ["resume", "stop"])
def test_the_answer_comes_with_the_end_of_the_pause_or_of_all_work(end: str) -> None:
    """A stop is not held back by a pause."""
    paused, stopped, answers = threading.Event(), threading.Event(), list[bool]()
    stop = PausableStop(stopped.is_set, paused.is_set)
    assert not stop()
    paused.set()
    asking = threading.Thread(target=lambda: answers.append(stop()))
    asking.start()
    time.sleep(0.15)
    assert not answers
    (paused.clear if end == "resume" else stopped.set)()
    asking.join(WAIT)
    assert answers == [end == "stop"]

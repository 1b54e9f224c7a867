"""The pool of threads runs what it is given, and never outlives the process."""

import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError

import pytest

from dataware.aws.daemon_pool import DaemonPool

PATIENCE = 60.0


def test_calls_run_and_answer() -> None:
    """Results and errors arrive where they were asked for, from more calls than threads."""
    pool = DaemonPool(3, "test")
    futures = [pool.submit(divmod, 100, number) for number in range(20)]
    assert [future.result(PATIENCE) for future in futures[1:]] == [
        divmod(100, n) for n in range(1, 20)
    ]
    with pytest.raises(ZeroDivisionError):
        futures[0].result(PATIENCE)
    pool.shutdown()


def test_no_more_threads_than_allowed_and_as_many_as_needed() -> None:
    """Calls wait for a free thread; an idle one is used again before another is started."""
    pool = DaemonPool(2, "bounded")
    gate = threading.Event()
    futures = [pool.submit(gate.wait, PATIENCE) for _ in range(5)]
    time.sleep(0.05)
    mine = [each for each in threading.enumerate() if each.name.startswith("bounded-")]
    assert len(mine) == 2
    assert all(each.daemon for each in mine)
    gate.set()
    assert all(future.result(PATIENCE) for future in futures)
    pool.shutdown()
    for each in mine:
        each.join(PATIENCE)
        assert not each.is_alive()


def test_what_has_not_begun_can_be_dropped() -> None:
    """A shutdown cancels the calls that wait, and lets the running one end."""
    pool = DaemonPool(1, "dropped")
    begun, gate = threading.Event(), threading.Event()

    def run() -> bool:
        begun.set()
        return gate.wait(PATIENCE)

    running, waiting = pool.submit(run), pool.submit(gate.wait, PATIENCE)
    assert begun.wait(PATIENCE)
    pool.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(CancelledError):
        waiting.result(PATIENCE)
    gate.set()
    assert running.result(PATIENCE) is True


def test_a_busy_thread_does_not_hold_the_process() -> None:
    """The interpreter ends at once although a call is still under way."""
    script = (
        "import time; from dataware.aws.daemon_pool import DaemonPool;"
        "DaemonPool(1, 'x').submit(time.sleep, 60); time.sleep(0.1)"
    )
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
    assert time.monotonic() - began < 25

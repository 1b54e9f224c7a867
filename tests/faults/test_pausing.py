"""A copy that is paused or throttled while it goes on: what is sent when, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.errors import IncompleteError
from dataware.core.ports import Request, Response
from dataware.core.run_control import NO_CONTROL, RunControl
from dataware.migrate.engine import EngineSettings
from support.copying import Events
from support.memory_jobs import KINDS, Job, filled

PAUSED, RATE = RunControl(1.0), 100.0


def loop_time() -> float:
    """Virtual seconds; zero outside of a run."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return 0.0


def watch_sending(job: Job) -> list[float]:
    """When each request of a job is sent, from now on."""
    sent, exchange = list[float](), job.aws.exchange

    async def noted(request: Request) -> Response:
        sent.append(loop_time())
        await asyncio.sleep(0.01)
        return await exchange(request)

    job.aws.exchange = noted  # type: ignore[method-assign] # it looks on
    return sent


@pytest.mark.parametrize("kind", KINDS)
def test_during_a_pause_nothing_is_sent_and_nothing_is_lost(kind: str) -> None:
    """Neither reads nor writes; afterwards it goes on where it was, and once."""
    job = filled(kind, count=2000, engine=EngineSettings(max_rate=RATE))
    sent = watch_sending(job)
    job.read_control = lambda: PAUSED if 3.0 <= loop_time() < 900.0 else NO_CONTROL
    job.run()
    job.check_whole()
    assert any(at < 3.0 for at in sent)
    assert not [at for at in sent if 3.5 <= at < 900.0]
    assert set(job.written.values()) == {1}
    slow = {one.data["slow"] for one in job.events if one.code == "progress"}
    assert ", paused by `dataware pause`" in slow


@pytest.mark.parametrize("kind", KINDS)
def test_a_paused_copy_stops_at_once_and_the_next_one_ends_the_job(kind: str) -> None:
    """A pause is no reason to wait for its end."""
    job = filled(kind, count=500)
    job.read_control = lambda: PAUSED if loop_time() >= 0.05 else NO_CONTROL
    watch_sending(job)
    job.stop = lambda: loop_time() > 60.0
    with pytest.raises(IncompleteError, match="run the same command again"):
        job.run()
    assert job.seconds < 63.0
    job.stop, job.read_control = (lambda: False), lambda: NO_CONTROL
    job.run()
    job.check_whole()


@pytest.mark.parametrize("own", [None, 20.0, 400.0])
def test_a_rate_that_is_asked_for_replaces_that_of_the_command_until_it_ends(
    own: float | None,
) -> None:
    """Be it lower or higher; `off` brings the command's own back."""
    job = filled("table", count=4000, engine=EngineSettings(max_rate=own))
    watch_sending(job)
    job.read_control = lambda: RunControl(None, RATE)
    job.stop = lambda: loop_time() > 20.0
    with pytest.raises(IncompleteError):
        job.run()
    assert RATE * 17 <= len(job.content("new")) <= RATE * 23
    texts = {one.data["slow"] for one in job.events if one.code == "progress"}
    assert ", held at 100/s by `dataware throttle`" in texts
    job.stop, job.events = (lambda: False), Events()
    job.read_control = lambda: NO_CONTROL
    left = 4000 - len(job.content("new"))
    job.run()
    job.check_whole()
    assert job.seconds == pytest.approx(left / own, rel=0.2) if own else job.seconds < 10


def test_of_several_processes_each_keeps_its_part_of_the_rate() -> None:
    """The rate is that of the whole copy."""
    part = replace(EngineSettings(max_rate=1000.0), parts=4)
    job = filled("table", count=1000, engine=part)
    job.read_control = lambda: RunControl(None, RATE)
    job.run()
    assert job.seconds == pytest.approx(1000 / (RATE / 4), rel=0.2)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 8.0), st.sampled_from([None, 30.0, 300.0]))))
def test_whatever_is_asked_and_when_all_is_copied_once(
    asked: list[tuple[float, float | None]],
) -> None:
    """Pauses and rates in any order; a None is a pause."""
    ends, at = [], 0.0
    for seconds, rate in asked:
        at += seconds
        ends.append((at, PAUSED if rate is None else RunControl(None, rate)))
    job = filled("bucket", count=300)
    job.read_control = lambda: next((one for end, one in ends if loop_time() < end), NO_CONTROL)
    watch_sending(job)
    job.run()
    job.check_whole()
    assert set(job.written.values()) == {1}

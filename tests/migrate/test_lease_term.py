"""The term of a lock: a pause ends it, and only a sign of life from after that renews it."""

from __future__ import annotations

import asyncio
from email.utils import formatdate

import pytest

from dataware.core.errors import IncompleteError, RefusedError
from dataware.migrate.lease_term import SILENT_SECONDS, STOOD_STILL_SECONDS, LeaseTerm

SERVICE = 1_800_000_000.0


class Clocks:
    """The clocks of a machine, and that of AWS."""

    def __init__(self) -> None:
        self.boot, self.wall, self.service = 50.0, 1_700_000_000.0, SERVICE

    def sleep(self, seconds: float) -> None:
        """The machine sleeps; its time of day is put right later."""
        self.boot += seconds
        self.service += seconds

    def stand_still(self, seconds: float) -> None:
        """The machine is paused from outside, with all of its clocks."""
        self.service += seconds

    @property
    def date(self) -> str:
        """The header of an answer."""
        return formatdate(self.service, usegmt=True)


@pytest.fixture
def clocks() -> Clocks:
    """Clocks that a test moves."""
    return Clocks()


def term(clocks: Clocks) -> LeaseTerm:
    """A term that begins now."""
    return LeaseTerm(clocks.boot, clocks.wall, seconds=lambda: clocks.boot, now=lambda: clocks.wall)


@pytest.mark.parametrize("clock", ["boot", "wall"])
def test_a_term_ends_by_whichever_clock_moves(clocks: Clocks, clock: str) -> None:
    """A process that stood still, a machine that slept, a time of day that was put right."""
    held = term(clocks)
    setattr(clocks, clock, getattr(clocks, clock) + SILENT_SECONDS - 1)
    assert held.current
    setattr(clocks, clock, getattr(clocks, clock) + 1)
    assert not held.current
    held.renew(clocks.boot, clocks.wall)
    assert held.current


def test_the_time_of_aws_ends_it_where_no_clock_here_moved(clocks: Clocks) -> None:
    """Only a sign of life that was asked for after the pause renews it."""
    held, asked = term(clocks), (clocks.boot, clocks.wall)
    held.hear(clocks.date)
    clocks.boot += 5
    clocks.stand_still(STOOD_STILL_SECONDS + 10)
    held.hear(clocks.date)
    assert not held.current
    held.renew(*asked)
    assert not held.current, "it was asked for before the pause"
    clocks.boot += 1
    held.renew(clocks.boot, clocks.wall)
    held.hear(clocks.date)
    assert held.current


def test_many_short_pauses_count_as_one_long_one(clocks: Clocks) -> None:
    """None of them is seen alone, and together they outlast the lock."""
    held = term(clocks)
    for _ in range(10):
        held.hear(clocks.date)
        clocks.stand_still(STOOD_STILL_SECONDS / 5)
        clocks.boot += 0.1
    assert not held.current


@pytest.mark.parametrize("wrong", [-4000.0, 0.0, 4000.0])
def test_a_clock_that_is_wrong_but_runs_ends_nothing(clocks: Clocks, wrong: float) -> None:
    """Only time that passed there and not here counts; so does a date that cannot be read not."""
    clocks.service += wrong
    held = term(clocks)
    for _ in range(100):
        held.hear(clocks.date)
        held.hear("soon")
        clocks.service += 20
        clocks.boot += 20
        clocks.wall += 20
        held.renew(clocks.boot, clocks.wall)
        assert held.current


def test_a_doubt_asks_for_a_sign_of_life(clocks: Clocks) -> None:
    """The next beat need not wait for its time."""
    asked: list[bool] = []
    held = LeaseTerm(
        clocks.boot,
        clocks.wall,
        seconds=lambda: clocks.boot,
        now=lambda: clocks.wall,
        on_clock_stop=lambda: asked.append(True),
    )
    held.hear(clocks.date)
    clocks.stand_still(100)
    held.hear(clocks.date)
    assert asked == [True]


def test_who_waits_learns_that_the_lock_is_lost(clocks: Clocks) -> None:
    """Waiting ends with the term that comes, with the loss, or when nothing comes."""
    held = term(clocks)
    clocks.sleep(SILENT_SECONDS)

    async def waiting() -> None:
        waits = asyncio.create_task(held.wait())
        await asyncio.sleep(0.1)
        assert not waits.done()
        held.renew(clocks.boot, clocks.wall)
        await waits
        clocks.sleep(SILENT_SECONDS)
        waits = asyncio.create_task(held.wait())
        await asyncio.sleep(0.1)
        clocks.sleep(SILENT_SECONDS + 1)
        with pytest.raises(IncompleteError, match="sent no heartbeat"):
            await waits
        held.end(RefusedError("another run took the lock"))
        held.renew(clocks.boot, clocks.wall)
        with pytest.raises(RefusedError, match="took the lock"):
            await held.wait()

    asyncio.run(waiting())

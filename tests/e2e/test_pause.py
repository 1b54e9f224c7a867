"""A run is paused, throttled and let go on by other processes; its death ends no pause."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from support.cli import ended, launch, run
from support.worlds import items_of, make_table, varied_items

SECONDS = 60


def until(what: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline, run("status").out
        time.sleep(0.1)


def count() -> int:
    """How many items the target holds."""
    return len(items_of("new-one"))


def settled() -> int:
    """How many items the target holds once what was under way has arrived."""
    counts = [count()]
    while counts[-4:] != [counts[-1]] * 4:
        time.sleep(0.2)
        counts.append(count())
    return counts[-1]


@pytest.mark.usefixtures("aws_server")
def test_a_pause_outlives_kill_9_and_nothing_is_written_meanwhile() -> None:
    """The next run says that it is paused, keeps its lock, and ends the job after `resume`."""
    make_table("old-one", varied_items(400))
    make_table("new-one")
    command = ("migrate", "dynamodb://old-one", "dynamodb://new-one", "--format", "json")
    first = launch(*command, "--max-rate", "20")
    until(lambda: count() > 20)
    assert run("pause", "new-one").code == 0
    until(lambda: '"paused"' in first.printed())
    before = settled()
    time.sleep(1.5)
    assert count() == before
    told = run("status", "new-one")
    assert "running: copying" in told.out
    assert "paused since" in told.out
    assert "`dataware resume new-one` continues it" in told.out
    first.kill()
    codes = [json.loads(line)["code"] for line in ended(first).lines]
    assert "paused" in codes

    second = launch(*command)
    until(lambda: "running" in run("status", "new-one").out)
    time.sleep(1.5)
    assert (count(), second.poll()) == (before, None)
    assert run(*command).code == 3
    assert run("throttle", "new-one", "300").code == 0
    assert run("resume", "new-one").code == 0
    ran = ended(second)
    codes = [json.loads(line)["code"] for line in ran.lines]
    assert ran.code == 0
    assert codes.index("paused") < codes.index("resumed") < codes.index("migrated")
    assert "throttled" in codes
    assert items_of("new-one") == items_of("old-one")
    assert run("pause", "new-one").code == 3
    assert run("throttle", "new-one", "0").code == 1


@pytest.mark.usefixtures("aws_server")
def test_where_nothing_is_on_record_nothing_can_be_asked() -> None:
    """The name is wrong, or its migration has not begun."""
    for words in (("pause", "new-one"), ("resume", "new-one"), ("throttle", "new-one", "off")):
        ran = run(*words)
        assert (ran.code, "no migration into new-one is recorded" in ran.err) == (1, True)

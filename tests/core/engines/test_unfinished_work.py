"""What a record says of an engine that began a migration, and what nobody else may do then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataware.core.engines.card import ENGINE, EngineName
from dataware.core.engines.unfinished_work import (
    describe_change,
    find_unfinished_work,
    is_made_by_service,
    refuse_service_work,
    without_service_work,
)
from dataware.core.errors import RefusedError
from dataware.core.model import Content, Existence, Facts, Marker, MarkerState, Problem

WORK = {ENGINE: {"name": "restore", "restore_time": 1}}
RUNNING = Marker(MarkerState.RUNNING, "Orders", detail=WORK)


def test_only_an_unfinished_record_names_work() -> None:
    """What is complete, or was begun by this machine, names none."""
    assert find_unfinished_work(RUNNING) == WORK
    assert not find_unfinished_work(Marker(MarkerState.COMPLETE, "Orders", detail=WORK))
    assert not find_unfinished_work(Marker(MarkerState.RUNNING, "Orders", detail={ENGINE: None}))


def test_a_copy_beside_the_work_of_a_service_is_refused() -> None:
    """By hand, with a follow and in a deployment: only its own command ends it."""
    with pytest.raises(
        RefusedError, match=r"the engine restore already migrates.*`dataware apply`"
    ):
        refuse_service_work(RUNNING, "Orders", "Orders-prod")
    refuse_service_work(Marker(MarkerState.RUNNING, "Orders"), "Orders", "Orders-prod")


def test_workers_go_on_where_they_are_asked_for() -> None:
    """Another command by hand names the engine; they made no target of their own."""
    workers = Marker(MarkerState.RUNNING, "Orders", detail={ENGINE: {"name": "map"}})
    assert not is_made_by_service(workers)
    assert is_made_by_service(RUNNING)
    with pytest.raises(RefusedError, match=r"engine map.*`dataware apply`, or with --engine map"):
        refuse_service_work(workers, "Orders", "Orders-prod")
    refuse_service_work(workers, "Orders", "Orders-prod", EngineName.MAP)
    with pytest.raises(RefusedError):
        refuse_service_work(RUNNING, "Orders", "Orders-prod", EngineName.MAP)


def test_what_a_service_still_makes_is_no_doubt() -> None:
    """It cannot be read yet; a missing permission stays a problem."""
    busy = Problem("Scan", "CREATING")
    denied = Problem("DescribeTable", "AccessDenied", "dynamodb:DescribeTable")
    facts = Facts("Orders-prod", Existence.EXISTS, problems=(busy, denied), marker=RUNNING)
    seen = without_service_work(facts)
    assert (seen.content, seen.problems) == (Content.EMPTY, (denied,))
    alone = Facts("Orders-prod", Existence.EXISTS, problems=(busy,))
    assert without_service_work(alone) is alone


def test_a_record_by_which_another_run_went_on_is_not_the_one_that_was_seen() -> None:
    """Its state, its run and the work of its engine; progress beside that changes all the time."""
    seen = Marker(MarkerState.RUNNING, run="r", detail={ENGINE: {"name": "batch"}, "done": 1})
    assert describe_change(seen, replace(seen, detail={**seen.detail, "done": 7})) == ""
    other = replace(seen, state=MarkerState.COMPLETE)
    assert describe_change(seen, other) == "it was running and is complete"
    for changed in (
        replace(seen, run="r2"),
        replace(seen, detail={ENGINE: {"name": "batch", "job": "1"}}),
        replace(seen, detail={}),
    ):
        assert "another run" in describe_change(seen, changed)

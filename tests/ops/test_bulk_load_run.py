"""A target that a service fills by replacing: what others have written is not replaced."""

from __future__ import annotations

import pytest

from dataware.core.errors import IncompleteError
from dataware.core.model import MarkerState
from ops.test_creator_run import run, service_of
from support.copying import Killed
from support.world import do_nothing


def test_what_others_write_while_it_is_prepared_is_not_replaced() -> None:
    """The target is looked at again right before the request, which may come hours later."""
    service = service_of(loads=True)
    there = service.world

    def meddle(what: str) -> None:
        if what == "exported":
            there.boxes["new"]["k00"] = "theirs"

    there.meddle = meddle
    with pytest.raises(IncompleteError, match="new may no longer be empty"):
        run(service)
    assert there.boxes["new"] == {"k00": "theirs"}
    assert not service.jobs
    there.meddle = do_nothing
    with pytest.raises(IncompleteError, match="1 conflict"):
        run(service)
    assert there.boxes["new"]["k00"] == "theirs"


def test_what_others_write_while_an_earlier_run_fills_it_is_not_deleted() -> None:
    """The table stood before this run, so nobody knows that nobody uses it."""
    service = service_of(loads=True, slow=3)
    there = service.world

    def die(what: str) -> None:
        if what == "look" and service.jobs:
            raise Killed(what)

    there.meddle = die
    with pytest.raises(Killed):
        run(service)
    there.meddle = do_nothing
    there.boxes["new"] |= {"k00": "theirs", "added": "theirs"}
    with pytest.raises(IncompleteError, match="1 conflict"):
        run(service)
    assert there.boxes["new"]["k00"] == there.boxes["new"]["added"] == "theirs"
    assert there.markers["new"].state is MarkerState.RUNNING

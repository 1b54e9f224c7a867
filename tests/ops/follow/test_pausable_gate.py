"""A pause holds a cut-over back until its writers are stopped, and never after that."""

from __future__ import annotations

import pytest

from dataware.core.follow.cutover import STATES, CutoverState
from dataware.ops.follow.cutover_run import MAY_PAUSE, PausableGate


class Gate:
    """What people say about when to cut over."""

    def __init__(self, *, opened: bool) -> None:
        self.opened = opened

    def is_requested(self) -> bool:
        """A person asks."""
        return True

    def is_open(self, _now: float) -> bool:
        """As the test says."""
        return self.opened


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize("paused", [True, False])
def test_during_a_pause_the_gate_is_shut_and_the_request_stands(opened: bool, paused: bool) -> None:
    """Nobody is stopped; after the pause the cut-over goes on by itself."""
    gate = PausableGate(Gate(opened=opened), lambda: paused)
    assert gate.is_requested()
    assert gate.is_open(0.0) == (opened and not paused)


def test_a_pause_holds_only_where_one_side_is_open_to_its_writers() -> None:
    """Between a freeze and the switch people wait, and once both are done nothing is copied."""
    assert CutoverState.FOLLOWING in MAY_PAUSE
    for state in MAY_PAUSE:
        assert STATES[state].source_open != STATES[state].target_open

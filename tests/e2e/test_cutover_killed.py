"""kill -9 at every state that a cut-over and its undo write: the next command goes on or goes back.

A process dies right after its record of a state counts, before anything follows from that. What it
would do in its death, such as to let go of the lock, is not done. Real signals, in the middle of a
command of people, are sent in `test_cutover`, `test_undo` and `test_cutover_elsewhere`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import IncompleteError, RefusedError
from dataware.core.follow.cutover import STATES, CutoverRecord, CutoverState
from dataware.core.follow.cutover_table import BACK, FORTH
from dataware.core.model import MarkerState
from dataware.ops import run_migration
from dataware.ops.follow.undo_run import UndoConflict
from dataware.state.cutover_records import LeaseCutoverRecords, read_cutover
from dataware.state.markers import ParameterMarkers
from support.live_tables import Live, live, server

__all__ = ["live", "server"]

ALIVE = 1.0
"""Seconds after which a run counts as dead."""


class KilledError(BaseException):
    """The process is dead."""


@pytest.fixture(autouse=True)
def _short_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a minute until a lock runs out."""
    monkeypatch.setattr(ParameterMarkers.__init__, "__defaults__", (None, ALIVE))


@contextmanager
def killed_at(live: Live, state: CutoverState) -> Iterator[None]:
    """Within it, a process dies once the record says `state`."""

    def kill_after(act: Any) -> Any:
        def write(self: LeaseCutoverRecords, record: CutoverRecord) -> None:
            act(self, record)
            if record.state is state and not record.back:
                raise KilledError

        return write

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_migration, "_release", lambda *_: None)
        for name in ("write", "complete"):
            patch.setattr(LeaseCutoverRecords, name, kill_after(getattr(LeaseCutoverRecords, name)))
        with pytest.raises(KilledError):
            yield
    while live.marker().alive:
        time.sleep(0.1)


def check_sides(live: Live, state: CutoverState) -> None:
    """The record says `state`, and nobody writes to a side that it calls closed."""
    marker = live.marker()
    assert read_cutover(marker.detail).state is state
    is_complete = state in (CutoverState.SWITCHED, CutoverState.REVERSIBLE)
    assert (marker.state is MarkerState.COMPLETE) == is_complete
    if not STATES[state].source_open and state not in (CutoverState.FROZEN,):
        assert live.frozen.exists()
    if state in (CutoverState.UNDO_DRAINED, CutoverState.UNDO_VERIFIED, CutoverState.FOLLOWING):
        assert live.new_frozen.exists()


def test_the_same_command_goes_on_from_every_state(live: Live) -> None:
    """Forth and back, killed again and again, nothing is lost and nobody is let go too early."""
    for state in (FORTH.gated, *FORTH.freeze, CutoverState.SWITCHED):
        with killed_at(live, state):
            live.cut_over(enable_undo=True)
        check_sides(live, state)
    assert live.thaws == 0
    live.assert_switched()
    with pytest.raises(RefusedError, match="is complete"):
        live.cut_over()
    live.client.put_item(TableName=live.target, Item={"pk": {"S": "new"}, "v": {"N": "1"}})
    for state in (*BACK.freeze, CutoverState.FOLLOWING):
        with killed_at(live, state):
            live.undo()
        check_sides(live, state)
    assert live.content(live.source) == live.content(live.target)
    assert "new" in live.content(live.source)


def test_another_machine_goes_back_from_the_first_and_the_last_state_of_a_freeze(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows nothing of the changed keys; what it cannot know it compares, and says."""

    def move(number: int) -> None:
        monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / f"machine-{number}"))

    for number, state in enumerate((FORTH.frozen, FORTH.verified)):
        with killed_at(live, state):
            live.cut_over(enable_undo=True)
        move(number)
        with pytest.raises(IncompleteError, match="open to its writers again"):
            live.cut_over()
        assert not live.frozen.exists()
    live.cut_over(enable_undo=True)
    live.assert_switched()
    live.client.put_item(TableName=live.target, Item={"pk": {"S": "new"}, "v": {"N": "1"}})
    for number, state in enumerate((BACK.frozen, BACK.verified), 2):
        with killed_at(live, state):
            live.undo(UndoConflict.REPLACE)
        move(number)
        with pytest.raises(IncompleteError, match="is open to its writers"):
            live.undo(UndoConflict.REPLACE)
        assert not live.new_frozen.exists()
        assert live.marker().state is MarkerState.COMPLETE
    live.undo(UndoConflict.REPLACE)
    assert live.content(live.source) == live.content(live.target)
    assert "new" in live.content(live.source)
    assert [one for one in live.events if one.code == "stray-gap"]

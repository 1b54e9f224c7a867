"""A command that ends while the writers of a side may be stopped says so, and never twice."""

from __future__ import annotations

import pytest

from dataware.core.errors import IncompleteError, LookupFailedError, RefusedError
from dataware.core.follow.cutover import STATES, CutoverRecord, CutoverState
from dataware.ops.follow.freeze_warning import GivenUpError, warn_of_freeze
from support.world import World


def ended_by(error: BaseException | None, state: CutoverState) -> list[str]:
    """What is told where a command ends by an error while the record says so."""
    world = World()
    record = CutoverRecord(state, freeze_began=1.0)
    context = world.context()

    def end() -> None:
        with warn_of_freeze(context, "new", "target", lambda: record):
            if error is not None:
                raise error

    if error is None:
        end()
    else:
        with pytest.raises(type(error)) as raised:
            end()
        assert raised.value is error
    return [one.text() for one in world.events]


ERRORS = [
    LookupFailedError("no answer"),
    RefusedError("another run took the lock"),
    IncompleteError("disk full"),
    KeyboardInterrupt(),
    RuntimeError("a defect"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("state", CutoverState)
def test_both_sides_are_never_closed_without_a_word(
    error: BaseException, state: CutoverState
) -> None:
    """Whatever ended it; where one side is open nobody waits, and nothing is said."""
    told = ended_by(error, state)
    if not STATES[state].back:
        assert told == []
        return
    (line,) = told
    assert line.startswith("the writers of new may still be stopped; ")
    assert ("`dataware status target`" in line) is isinstance(error, RefusedError)
    assert "run the same command again" in line


def test_what_says_so_itself_is_not_told_twice_and_success_tells_nothing() -> None:
    """Its error has the reason, too."""
    assert ended_by(GivenUpError("could not thaw new"), CutoverState.UNDO_FROZEN) == []
    assert ended_by(None, CutoverState.UNDO_FROZEN) == []

"""How a run ended goes on record: short, and without what it read."""

from __future__ import annotations

import pytest

from dataware.core.errors import (
    ConflictError,
    IncompleteError,
    InputError,
    RefusedError,
    ServiceError,
)
from dataware.ops.failure_summary import WHY_LENGTH, carry_over, ending, state_of


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (IncompleteError("later"), "incomplete"),
        (RefusedError("never"), "stopped"),
        (InputError("wrong"), "failed"),
        (ServiceError("down"), "failed"),
        (ValueError("x"), "failed"),
        (KeyboardInterrupt(), "incomplete"),
    ],
)
def test_the_state_follows_the_exit_code(error: BaseException, state: str) -> None:
    """What a script sees as an exit code, an operator sees as a word."""
    assert state_of(ending(error)["exit_code"]) == state


def test_what_nobody_expected_is_named_by_its_class_alone() -> None:
    """Its text may hold what was read."""
    assert ending(ValueError("secret item"))["reason"] == "unexpected error, ValueError"


def test_no_key_of_the_data_goes_on_record() -> None:
    """Under --on-conflict stop the text names a key, which only the output of the run shows."""
    why = str(ending(ConflictError("table new holds another item under a@example.com"))["reason"])
    assert "a@example.com" not in why
    assert "--on-conflict is stop" in why


def test_a_long_reason_is_cut() -> None:
    """The record has to fit its parameter."""
    why = str(ending(IncompleteError("x" * 5000))["reason"])
    assert len(why) == WHY_LENGTH
    assert why.endswith("…")


def test_a_next_run_takes_over_what_it_goes_on_with() -> None:
    """How the last run ended, and how fast it was, is not true of the next one."""
    detail = {"checkpoint": "c", "identity": "i", "done": 1, "failure": {}, "rate": 5, "phase": "p"}
    assert carry_over(detail) == {"checkpoint": "c", "identity": "i", "done": 1}

"""Commands that stop the writers and let them go on: what they leave running, and how long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dataware.cli.process.freeze_hooks import ShellHooks
from dataware.core.errors import ServiceError


def test_a_command_that_leaves_an_app_running_ends_when_it_ends(tmp_path: Path) -> None:
    """The app keeps the output open, and may write to it later on."""
    proof = tmp_path / "proof"
    app = f"(sleep 0.5; echo started && touch {proof}; sleep 1) &"
    began = time.monotonic()
    ShellHooks("true", app, 30.0).thaw()
    assert time.monotonic() - began < 0.5
    deadline = time.monotonic() + 10
    while not proof.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_began(tmp_path: Path) -> None:
    """A freeze that goes on after the thaw would stop the writers of an open source."""
    late = tmp_path / "late"
    hooks = ShellHooks(f"(sleep 1; touch {late}) & wait; true", "true", 0.3)
    with pytest.raises(ServiceError, match="took longer than"):
        hooks.freeze()
    time.sleep(1.2)
    assert not late.exists()


def test_of_a_command_that_fails_the_last_words_are_shown() -> None:
    """However much it prints, on either side, and whatever bytes."""
    loud = r"head -c 300000 /dev/zero; printf '\377 no\npermission' >&2; exit 7"
    with pytest.raises(ServiceError, match=r"ended with 7: .* no permission$") as raised:
        ShellHooks(loud, "true", 30.0).freeze()
    assert len(str(raised.value)) < 300


def test_a_command_that_cannot_be_run_has_failed() -> None:
    """Whatever the system says of it."""
    with pytest.raises(ServiceError, match="cannot run"):
        ShellHooks("a\0b", "true", 30.0).freeze()

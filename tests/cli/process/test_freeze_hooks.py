"""Commands that stop the writers and let them go on: what they leave running, and how long."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dataware.cli.process import freeze_hooks
from dataware.cli.process.freeze_hooks import ShellHooks
from dataware.core.errors import ServiceError
from support.processes import PATIENCE, await_file, gone

WAIT = "while [ ! -e {} ]; do sleep 0.05; done"
"""What goes on until a file is there."""


def test_a_command_that_leaves_an_app_running_ends_when_it_ends(tmp_path: Path) -> None:
    """The app keeps the output open, and may write to it later on."""
    proof, word = tmp_path / "proof", tmp_path / "word"
    app = f"({WAIT.format(word)}; echo started && touch {proof}) &"
    ShellHooks("true", app, PATIENCE).thaw()
    assert not proof.exists()
    word.touch()
    await_file(proof)


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A freeze that goes on after the thaw would stop the writers of an open source."""
    begun, word = tmp_path / "begun", tmp_path / "word"

    class Begun(subprocess.Popen[bytes]):
        def wait(self, timeout: float | None = None) -> int:
            """Let the time begin with the command's own child."""
            await_file(begun)
            return super().wait(timeout)

    monkeypatch.setattr(freeze_hooks.subprocess, "Popen", Begun)
    write = f"echo $! > {begun}.part; mv {begun}.part {begun}"
    hooks = ShellHooks(f"({WAIT.format(word)}) & {write}; wait; true", "true", 0.1)
    with pytest.raises(ServiceError, match="took longer than"):
        hooks.freeze()
    assert gone(int(begun.read_text()))


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

"""Holders: a death on this machine is seen, and any doubt counts as life."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dataware.state import holder as module
from dataware.state.holder import execution, has_ended, this_process

ECHO = "from dataware.state.holder import this_process; print(this_process().token)"


def test_this_process_has_not_ended() -> None:
    """A living process is alive."""
    assert not has_ended(this_process().token)


def test_a_process_that_ended_here_is_seen_to_be_gone() -> None:
    """The token of a process that has ended on this machine tells so at once."""
    token = subprocess.run(
        [sys.executable, "-c", ECHO], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert has_ended(token)


def test_another_use_of_the_same_process_id_is_another_process() -> None:
    """A process id that was given out again does not keep its former holder alive."""
    assert has_ended(replace(this_process(), born="1").token)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("hidden", ["absent", "empty", "odd"])
def test_a_process_that_is_hidden_counts_as_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    """Of another user's process /proc may show nothing; a signal still tells that it is there."""
    token, real = this_process().token, Path("/proc")
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    boot = "sys/kernel/random/boot_id"
    (tmp_path / boot).write_text((real / boot).read_text())
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/pid").symlink_to((real / "self/ns/pid").readlink())
    if hidden != "absent":
        (tmp_path / str(os.getpid())).mkdir()
        (tmp_path / str(os.getpid()) / "stat").write_text("" if hidden == "empty" else "1 (x) S")
    monkeypatch.setattr(module, "_PROC", tmp_path)
    assert not has_ended(token)


def test_another_machine_counts_as_alive() -> None:
    """What cannot be seen from here is not taken for dead."""
    assert not has_ended(replace(this_process(), place="elsewhere", pid=1).token)


def test_a_marker_without_a_token_counts_as_alive() -> None:
    """An unreadable token is a doubt."""
    assert not has_ended("")
    assert not has_ended("rubbish")


def test_an_execution_lives_on_no_machine() -> None:
    """Only its silence tells of its end, and people see its name alone."""
    holder = execution("copy-1")
    assert not has_ended(holder.token)
    assert str(holder) == "execution copy-1"


def test_where_there_is_no_proc_the_host_tells_places_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a process began cannot be seen there, so one that runs counts as alive."""
    monkeypatch.setattr(module, "_PROC", tmp_path / "none")
    holder = this_process()
    assert holder.born == ""
    assert holder.place.startswith(f"{holder.host}/")
    assert not has_ended(holder.token)
    assert str(holder) == f"{holder.host}, process {os.getpid()}"


@pytest.mark.parametrize(
    ("error", "ended"), [(ProcessLookupError(), True), (PermissionError(), False)]
)
def test_a_process_of_another_user_is_there(
    monkeypatch: pytest.MonkeyPatch, error: OSError, *, ended: bool
) -> None:
    """It may not be sent a signal; only one that is not there has ended."""

    def kill(_pid: int, _signal: int) -> None:
        raise error

    monkeypatch.setattr(module.os, "kill", kill)
    assert has_ended(this_process().token) is ended


def test_a_process_that_its_parent_does_not_know_to_have_ended_has_ended() -> None:
    """It is a zombie until it is waited for."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    token = replace(this_process(), pid=child.pid, born="7").token
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert has_ended(token)
    child.wait()


def test_only_processes_of_this_boot_share_its_clock() -> None:
    """Elsewhere the seconds since the boot mean something else."""
    here = this_process()
    assert module.shares_clock(here.token) == (sys.platform == "linux")
    assert not module.shares_clock(replace(here, place="elsewhere").token)
    assert not module.shares_clock("")

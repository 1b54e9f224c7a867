"""The number of cores that are of use: those of the machine, within the quota of a container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dataware.cli.process.cpu_count import cores


def group(tmp_path: Path, place: str, **quotas: str) -> tuple[Path, Path]:
    """A tree of control groups, and the file that says which of them is ours."""
    groups, own = tmp_path / "groups", tmp_path / "own"
    groups.mkdir()
    for name, quota in quotas.items():
        folder = groups / name.replace("_", "/").removeprefix("root")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(quota)
    own.write_text(f"1:cpu:/old\n0::{place}\n")
    return groups, own


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with eight cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False)


def test_without_a_quota_it_is_every_core(tmp_path: Path) -> None:
    """A machine without control groups, or without a limit, offers all that it has."""
    assert cores(tmp_path / "no", tmp_path / "no") == 8
    assert cores(*group(tmp_path, "/", root="max 100000")) == 8


def test_the_quota_of_a_container_counts(tmp_path: Path) -> None:
    """In a container the quota stands at the root of what it sees."""
    assert cores(*group(tmp_path, "/", root="250000 100000")) == 2


def test_a_quota_below_a_core_is_one_process(tmp_path: Path) -> None:
    """There is always one."""
    assert cores(*group(tmp_path, "/", root="50000 100000")) == 1


def test_the_least_quota_above_counts(tmp_path: Path) -> None:
    """Groups lie within each other, and each of them is a bound."""
    there = group(tmp_path, "/a/b", a="300000 100000", a_b="max 100000", c="100000 100000")
    assert cores(*there) == 3


def test_a_system_without_affinity_tells_its_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a process cannot be bound to cores, they all count."""
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert cores(tmp_path / "no", tmp_path / "no") == 5

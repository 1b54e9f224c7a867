"""The processes that a command has started, as Linux shows them."""

from __future__ import annotations

import time
from pathlib import Path

PATIENCE = 60.0


def children_of(pid: int) -> list[int]:
    """The live children of a process."""
    return [int(stat.parent.name) for stat in Path("/proc").glob("[0-9]*/stat") if _is(stat, pid)]


def _is(stat: Path, parent: int) -> bool:
    try:
        state, found, *_ = stat.read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return False
    return int(found) == parent and state != "Z"


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be asked how it ended does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(*pids: int) -> bool:
    """Whether all of some processes end, within what a busy machine may take."""
    until = time.monotonic() + PATIENCE
    while any(map(lives, pids)):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def await_file(path: Path) -> None:
    """Wait until a file is there."""
    until = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < until, path
        time.sleep(0.01)

"""How many processes can run at the same time here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUP = Path("/proc/self/cgroup")


def cores(groups: Path = GROUPS, own: Path = OWN_GROUP) -> int:
    """The cores that this process may use, and no more than the quota of its container."""
    if hasattr(os, "sched_getaffinity"):
        usable = len(os.sched_getaffinity(0))
    else:
        usable = os.cpu_count() or 1
    return max(1, min([usable, *map(int, quotas(groups, own))]))


def quotas(groups: Path, own: Path) -> Iterator[float]:
    """The processor time that each control group above this process may use, in cores.

    ``cpu.max`` holds a quota, or "max", and a period (Linux, Control Group v2).
    """
    try:
        place = next(line[3:] for line in own.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return
    folder = groups / place.strip("/")
    for group in (folder, *folder.parents):
        if group.is_relative_to(groups):
            try:
                quota, period = (group / "cpu.max").read_text().split()
                yield int(quota) / int(period)
            except (OSError, ValueError):
                continue

"""Which cores the measured program and the servers that answer it run on.

The servers get one core and the measured program another one, so that neither takes the other's
time. On a machine with a single core, or a system that cannot pin, both run anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_ALL = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
SERVERS = frozenset(_ALL[:1]) if len(_ALL) > 1 else frozenset()
CLIENT = frozenset(_ALL[1:2]) if len(_ALL) > 1 else frozenset()
ALL = frozenset(_ALL)


def told() -> str:
    """A sentence about it."""
    if not SERVERS:
        return "Programs and servers share all cores: this machine cannot keep them apart."
    return (
        f"Each measured program is pinned to core {min(CLIENT)}, the servers that answer it to "
        f"core {min(SERVERS)}: every figure is of one core, where a section does not say otherwise."
    )


@contextmanager
def running_on(cores: frozenset[int]) -> Iterator[None]:
    """Run the block, and what it starts, on some cores."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)

"""Lets all threads of this process share the memory that one of them has freed."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

MOST_ARENAS = -8
"""M_ARENA_MAX of mallopt(3)."""


def limit_malloc_arenas() -> None:
    """Keep to one arena; for the start of a process, before it has threads.

    By default glibc gives each thread an arena of its own, so what the copy has freed is of no use
    to the threads that verify. Arenas spare threads the waiting for each other, and the
    interpreter lets one at a time run anyway. Other C libraries do without.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(MOST_ARENAS, 1)

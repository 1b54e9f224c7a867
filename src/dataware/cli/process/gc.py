"""Lets the garbage collector of a command rest."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (100_000, 20, 20)
"""New objects before a collection of the youngest (the default is in the hundreds), and how many of
those before an older generation is looked at."""


@contextmanager
def relaxed_gc() -> Iterator[None]:
    """Look for cycles seldom: a copy makes millions of objects, and next to none is in a cycle.

    Counting references frees them at once; looking for cycles among them again and again takes a
    sixth of the time of a listing, and a tenth of that of a start, which loads hundreds of modules
    that all stay. What is loaded by now is not looked at meanwhile.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()

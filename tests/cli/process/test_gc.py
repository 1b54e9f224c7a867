"""The garbage collector rests while a copy runs, still works, and wakes up again."""

from __future__ import annotations

import gc
import weakref

import pytest

from dataware.cli.process.gc import THRESHOLDS, relaxed_gc


def test_cycles_are_looked_for_seldom_and_still_found() -> None:
    """What was there is not looked at, and a new cycle is freed by a collection."""

    class Node:
        me: Node

    with relaxed_gc():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == THRESHOLDS
        node = Node()
        node.me, gone = node, weakref.ref(node)
        del node
        gc.collect()
        assert gone() is None


def test_the_collector_is_as_before_when_the_copy_has_ended() -> None:
    """Also after an error, because the process may go on."""
    before = gc.get_threshold()
    with pytest.raises(OSError, match="gone"), relaxed_gc():
        raise OSError("gone")
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0

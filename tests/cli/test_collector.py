"""The garbage collector of a copying process rests, and still works."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from dataware.cli import collector


@pytest.fixture
def thresholds() -> Iterator[None]:
    """The collector of this process as it was."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("thresholds")
def test_cycles_are_looked_for_seldom_and_still_found() -> None:
    """What was there is not looked at again, and a new cycle is freed by a collection."""
    collector.rest()
    assert gc.get_freeze_count() > 0

    class Node:
        me: Node

    node = Node()
    node.me, gone = node, weakref.ref(node)
    del node
    gc.collect()
    assert gone() is None
    assert gc.get_threshold() == collector.THRESHOLDS

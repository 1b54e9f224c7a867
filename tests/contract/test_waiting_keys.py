"""Keys that wait for what may arrive yet, and a process that dies meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataware.core.follow.feed import DirtyKeys
from dataware.state.follow_file import FollowFile
from support.follow_memory import MemoryDirtyKeys


@pytest.fixture(params=["disk", "memory"])
def dirty(request: pytest.FixtureRequest, tmp_path: Path) -> DirtyKeys:
    """Either set."""
    on_disk = request.param == "disk"
    return FollowFile(tmp_path / "follow", "run") if on_disk else MemoryDirtyKeys()


def test_the_end_of_loans_makes_what_waits_wait_anew(dirty: DirtyKeys) -> None:
    """The clock of the run that died may have been behind this one's, so its times are void."""
    dirty.add([b"lent", b"waits", b"ready"], 1.0)
    dirty.put_back([*dirty.take(3, 1.0)][1:], 30.0)
    dirty.end_loans(90.0)
    assert dirty.take(9, 89.0) == ()
    assert len(dirty.take(9, 90.0)) == 3


def test_what_is_due_is_not_held_back_by_the_end_of_loans(dirty: DirtyKeys) -> None:
    """A key that nobody has sent is carried at once."""
    dirty.add([b"ready"], 1.0)
    dirty.end_loans(90.0)
    assert dirty.take(9, 1.0) == (b"ready",)

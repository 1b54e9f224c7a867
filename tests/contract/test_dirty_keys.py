"""What every set of dirty keys does: the one on disk, and the fake that other tests use."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.follow_memory import MemoryDirtyKeys, MemoryFollow

from dataware.core.errors import IncompleteError
from dataware.core.follow.feed import DirtyKeys, FollowMemory, Gap, GapCause
from dataware.state.follow_file import FollowFile


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file lies, in a folder for state."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    return tmp_path / "000000000000" / "target.follow"


@pytest.fixture(params=["disk", "memory"])
def dirty(request: pytest.FixtureRequest, path: Path) -> DirtyKeys:
    """An empty set."""
    return FollowFile(path, "run") if request.param == "disk" else MemoryDirtyKeys()


@pytest.fixture(params=["disk", "memory"])
def memory(request: pytest.FixtureRequest, path: Path) -> FollowMemory:
    """A memory of nothing."""
    return FollowFile(path, "run") if request.param == "disk" else MemoryFollow()


def test_a_key_is_there_once_and_is_given_once(dirty: DirtyKeys) -> None:
    """However often it is added; any bytes are a key."""
    keys = [b"", b"a", b"\0", bytes(range(256)), b"x" * 3000]
    assert dirty.add([*keys, b"a"], 5.0) == 5
    assert dirty.add(keys, 6.0) == 0
    assert (dirty.count(), dirty.oldest()) == (5, 5.0)
    assert sorted(dirty.take(10, 7.0)) == sorted(keys)
    assert dirty.take(10, 7.0) == ()
    assert dirty.count() == 5
    dirty.settle(keys)
    assert (dirty.count(), dirty.oldest(), dirty.next_due()) == (0, None, None)


def test_no_more_is_lent_than_asked_for_and_each_key_has_its_turn(dirty: DirtyKeys) -> None:
    """Keys that come all the time keep none from being carried."""
    dirty.add([b"%03d" % number for number in range(100)], 1.0)
    seen: set[bytes] = set()
    for _ in range(20):
        chunk = dirty.take(10, 1.0)
        assert len(chunk) <= 10
        seen.update(chunk)
        dirty.settle(chunk)
        dirty.add([b"000", *chunk[:3]], 2.0)
    assert len(seen) == 100


def test_a_key_that_changes_while_it_is_lent_is_given_again(dirty: DirtyKeys) -> None:
    """What was carried may have been read before the change."""
    dirty.add([b"a", b"b"], 1.0)
    dirty.take(2, 1.0)
    assert dirty.add([b"a"], 2.0) == 0
    dirty.settle([b"a", b"b"])
    assert dirty.count() == 1
    assert dirty.take(2, 2.0) == (b"a",)


def test_what_is_put_back_waits_for_its_time_also_where_it_changes_again(dirty: DirtyKeys) -> None:
    """A later change does not shorten the wait for what may still arrive."""
    dirty.add([b"a"], 1.0)
    dirty.put_back(dirty.take(1, 1.0), 61.0)
    dirty.add([b"a"], 2.0)
    assert dirty.take(1, 60.0) == ()
    assert (dirty.next_due(), dirty.count(), dirty.oldest()) == (61.0, 1, 1.0)
    assert dirty.take(1, 61.0) == (b"a",)
    dirty.settle([b"a"])
    assert dirty.count() == 0


def test_loans_of_a_run_that_died_end_and_wait(dirty: DirtyKeys) -> None:
    """Their writes may be on the way."""
    dirty.add([b"a", b"b", b"c"], 1.0)
    lent = dirty.take(2, 1.0)
    assert dirty.end_loans(100.0) == 2
    (left,) = dirty.take(3, 99.0)
    assert left not in lent
    assert sorted(dirty.take(3, 100.0)) == sorted(lent)
    assert dirty.count() == 3


def test_the_next_key_is_due_at_once_where_one_is_ready(dirty: DirtyKeys) -> None:
    """Whatever waits beside it."""
    dirty.add([b"a", b"b"], 1.0)
    dirty.put_back(dirty.take(1, 1.0), 50.0)
    due = dirty.next_due()
    assert due is not None
    assert due <= 1.0


@pytest.mark.parametrize("seed", range(4))
def test_the_set_on_disk_does_what_the_one_in_memory_does(seed: int, path: Path) -> None:
    """Any order of calls, and files that are closed and opened between them."""
    order = random.Random(seed)
    disk, memory = FollowFile(path, "run"), MemoryDirtyKeys()
    now = 0.0
    for _ in range(60):
        now += order.uniform(0, 3)
        keys = [b"k%d" % order.randrange(30) for _ in range(order.randrange(6))]
        assert disk.add(keys, now) == memory.add(keys, now)
        chunk = disk.take(order.randrange(1, 8), now)
        assert memory.take(0, now) == ()
        assert all(memory.rows[key][1] <= now and not memory.rows[key][2] for key in chunk)
        for key in chunk:
            memory.rows[key][2] = True
        more = [key for key in keys if key in chunk or order.random() < 0.2]
        assert disk.add(more, now) == memory.add(more, now)
        done, back = chunk[::2], chunk[1::2]
        if order.random() < 0.1:
            disk.close()
            disk = FollowFile(path, "run")
            assert disk.end_loans(now + 9) == memory.end_loans(now + 9) == len(chunk)
        else:
            for each in (disk, memory):
                each.settle(done)
                each.put_back(back, now + 5)
        assert (disk.count(), disk.oldest()) == (memory.count(), memory.oldest())
    disk.close()


def test_positions_and_gaps_are_remembered(memory: FollowMemory) -> None:
    """A gap is remembered once, until it is closed."""
    gaps = [Gap(GapCause.TRIMMED, 5.0, "a"), Gap(GapCause.OTHER_STREAM)]
    assert (memory.position(), memory.open_gaps()) == (None, ())
    memory.save_position({"stream": "é", "shards": {"a": ["7", None]}})
    memory.add_gaps(gaps)
    memory.add_gaps(gaps[:1])
    assert memory.position() == {"stream": "é", "shards": {"a": ["7", None]}}
    assert memory.open_gaps() == tuple(gaps)
    memory.close_gaps(gaps[:1])
    assert memory.open_gaps() == (gaps[1],)


def test_everything_is_there_again_for_the_same_run_and_nothing_for_another(path: Path) -> None:
    """The file of another migration into the same name tells nothing of this one."""
    file = FollowFile(path, "run")
    assert file.is_new
    file.add([b"a"], 1.0)
    file.save_position({"at": 1})
    file.close()
    again = FollowFile(path, "run")
    assert (again.is_new, again.count(), again.position()) == (False, 1, {"at": 1})
    again.close()
    other = FollowFile(path, "other")
    assert (other.is_new, other.count(), other.position()) == (True, 0, None)
    other.close()


@pytest.mark.skipif(os.name != "posix", reason="other systems have other rights")
def test_only_its_user_may_read_it(path: Path) -> None:
    """Keys are a part of the data."""
    file = FollowFile(path, "run")
    file.add([b"a"], 1.0)
    for each in path.parent.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    file.close()


def test_a_file_that_is_none_of_ours_is_a_sentence(path: Path) -> None:
    """It names the file and says what to do."""
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else" * 1000)
    path.chmod(0o600)
    with pytest.raises(
        IncompleteError,
        match=r"cannot keep the changed keys .*target\.follow .* the same command",
    ):
        FollowFile(path, "run")


WRITER = """
import os, signal
from pathlib import Path
from dataware.state.follow_file import FollowFile
file = FollowFile(Path({path!r}), "run")
for number in range(100):
    file.add([b"%d" % number], float(number))
file.save_position({{"at": 100}})
file.take(10, 100.0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_added_survives_a_kill(path: Path) -> None:
    """Each call has it on disk when it returns, loans included."""
    script = textwrap.dedent(WRITER).format(path=str(path))
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == -signal.SIGKILL
    file = FollowFile(path, "run")
    assert (file.count(), file.oldest(), file.position()) == (100, 0.0, {"at": 100})
    assert file.end_loans(200.0) == 10
    file.close()


def test_a_transaction_is_flushed_to_the_disk(path: Path) -> None:
    """The settings that make a returned call durable are those of the file."""
    file = FollowFile(path, "run")
    settings = [
        file._base.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "locking_mode")
    ]
    assert settings == ["wal", 2, "exclusive"]
    file.close()


def test_memory_stays_flat_however_many_keys_there_are(path: Path) -> None:
    """Twice as many keys need no more memory of this process."""
    file = FollowFile(path, "run")

    def grow(start: int) -> int:
        file.add((b'{"pk":{"S":"key-%09d"}}' % (start + n) for n in range(100_000)), float(start))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = grow(0)
    assert grow(100_000) - before < 8_000
    assert file.count() == 200_000
    file.close()


@pytest.mark.parametrize("make", [sqlite3.OperationalError, sqlite3.DatabaseError])
def test_a_disk_that_is_full_ends_the_run_so_that_it_goes_on(
    make: Callable[[str], sqlite3.Error], path: Path
) -> None:
    """No key is believed to be kept that is not."""
    file = FollowFile(path, "run")

    class Full:
        def execute(self, *_: object) -> None:
            raise make("database or disk is full")

    base, file._base = file._base, Full()  # type: ignore[assignment] # a disk that is full
    with pytest.raises(IncompleteError, match="disk is full"):
        file.add([b"a"], 1.0)
    base.close()

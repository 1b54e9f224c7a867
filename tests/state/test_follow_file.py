"""What a follow wrote is on disk by key, in order, and nothing is half written."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dataware.core.errors import IncompleteError
from dataware.core.follow.feed import Gap, GapCause
from dataware.core.follow.written import WrittenVersion
from dataware.core.ports import Aws
from dataware.state import follow_file
from dataware.state.follow_file import FollowFile
from dataware.state.follow_records import FollowFiles

LOST = Gap(GapCause.STATE_LOST)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file lies, in a folder for state."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    return tmp_path / "000000000000" / "target.follow"


@pytest.fixture
def file(path: Path) -> FollowFile:
    """A file of nothing."""
    return FollowFile(path, "run")


def test_what_was_written_is_found_replaced_and_forgotten_by_key(file: FollowFile) -> None:
    """Any bytes are a key, and no key is found that is not there."""
    first, second = WrittenVersion("s", "t", "i"), WrittenVersion("s2")
    file.save_written({b"": first, b"\xff": first})
    file.save_written({b"\xff": second})
    file.save_written({})
    assert file.find_written([b"", b"\xff", b"x"]) == {b"": first, b"\xff": second}
    file.forget_written([b"", b"x"])
    assert file.find_written([b"", b"\xff"]) == {b"\xff": second}
    file.close()


@pytest.mark.parametrize("keys", [0, 1, 2, 3, 4, 6, 7])
def test_all_that_was_written_is_listed_in_order_page_by_page(
    file: FollowFile, monkeypatch: pytest.MonkeyPatch, keys: int
) -> None:
    """Also where the last page is full, and while some of it is forgotten meanwhile."""
    monkeypatch.setattr(follow_file, "LISTED_TOGETHER", 3)
    rows = {b"k%d" % number: WrittenVersion(str(number)) for number in range(keys)}
    file.save_written(dict(reversed(rows.items())))
    assert list(file.list_written()) == list(rows.items())
    seen = []
    for key, _ in file.list_written():
        seen.append(key)
        file.forget_written([key])
    assert seen == list(rows)
    assert list(file.list_written()) == []
    file.close()


def test_another_run_finds_nothing_of_it_and_the_gaps_that_this_leaves(path: Path) -> None:
    """Written versions of another migration would explain what is somebody else's."""
    file = FollowFile(path, "run")
    file.save_written({b"k": WrittenVersion("s")})
    file.add([b"k"], 1.0)
    file.close()
    again = FollowFile(path, "run", (LOST,))
    assert (again.is_new, again.open_gaps()) == (False, ())
    assert list(again.list_written()) != []
    again.close()
    other = FollowFile(path, "another", (LOST,))
    assert (other.is_new, other.open_gaps(), other.count()) == (True, (LOST,), 0)
    assert list(other.list_written()) == []
    other.close()


def test_a_lot_that_cannot_be_written_whole_is_not_written_at_all(file: FollowFile) -> None:
    """Whatever interrupts it."""

    def keys() -> object:
        yield b"a"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        file.add(keys(), 1.0)  # type: ignore[arg-type] # keys that are interrupted
    assert (file.count(), file.next_due()) == (0, None)
    with pytest.raises(KeyError):
        file.settle([b"never lent"])
    file.add([b"a"], 1.0)
    assert file.take(9, 1.0) == (b"a",)
    file.close()


def test_a_folder_that_cannot_be_made_is_a_sentence(path: Path) -> None:
    """It names the file, and says what to do."""
    path.parent.write_bytes(b"a file where the folder has to be")
    with pytest.raises(
        IncompleteError,
        match=r"cannot keep the changed keys in .*target\.follow .* the same command",
    ):
        FollowFile(path, "run")


def test_the_files_of_an_account_lie_apart_by_kind_and_target(path: Path) -> None:
    """Beside the journals."""
    aws = cast("Aws", SimpleNamespace(account="111122223333", region="eu-central-1"))
    files = FollowFiles(aws)
    one = files.open("dynamodb-table", "new", "run", ())
    one.add([b"k"], 1.0)
    one.close()
    for kind, target, count in (("dynamodb-table", "new", 1), ("s3-bucket", "new", 0)):
        other = files.open(kind, target, "run", ())
        assert other.count() == count
        other.close()
    assert len(list(path.parents[1].rglob("*.follow"))) == 2

"""The rules of the journal: what is appended is there, whatever happens in between."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.errors import IncompleteError, InputError, RefusedError
from dataware.state import FileJournal, journal, journal_path, read_records
from dataware.state.journal_line import decode, encode

CURSORS = st.none() | st.text()
CHECKPOINTS = st.builds(
    lambda partition, cursor: {"type": "checkpoint", "partition": partition, "cursor": cursor},
    st.sampled_from("abc"),
    CURSORS,
)
RECORDS = st.lists(CHECKPOINTS | st.builds(lambda key: {"type": "left", "key": key}, st.text()))


def checkpoint(partition: str, cursor: str | None) -> dict[str, Any]:
    """A record that moves one partition on."""
    return {"type": "checkpoint", "partition": partition, "cursor": cursor}


def written(path: Path, records: Iterable[Mapping[str, Any]]) -> list[int]:
    """Append records to a new journal; the file's length after each, the header first."""
    book = FileJournal(path)
    ends = [path.stat().st_size]
    for record in records:
        book.append(record)
        ends.append(path.stat().st_size)
    book.close()
    return ends


def reopened(path: Path) -> list[Mapping[str, Any]]:
    """What a later run sees."""
    book = FileJournal(path)
    try:
        return list(book.records())
    finally:
        book.close()


def test_a_new_journal_is_empty(tmp_path: Path) -> None:
    """Without records there is nothing to go on from."""
    assert reopened(tmp_path / "deep" / "new.journal") == []


@settings(max_examples=60, deadline=None)
@given(records=RECORDS, cut=st.floats(0, 1), junk=st.binary(max_size=20))
def test_any_torn_end_leaves_the_longest_valid_prefix(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, Any]],
    cut: float,
    junk: bytes,
) -> None:
    """Cut at any byte, with any half-written bytes after it, the whole records count."""
    path = tmp_path_factory.mktemp("journal") / "j"
    ends = written(path, records)
    at = int(ends[-1] * cut)
    path.write_bytes(path.read_bytes()[:at] + junk.replace(b"\n", b""))
    kept = records[: max(0, sum(end <= at for end in ends) - 1)]
    assert reopened(path) == kept
    assert path.read_bytes().endswith(b"\n"), "the torn end is cut off"


@settings(max_examples=30, deadline=None)
@given(RECORDS, RECORDS)
def test_appending_after_reopening_continues(
    tmp_path_factory: pytest.TempPathFactory,
    first: list[dict[str, Any]],
    second: list[dict[str, Any]],
) -> None:
    """Two runs write one history."""
    path = tmp_path_factory.mktemp("journal") / "j"
    written(path, first)
    written(path, second)
    assert reopened(path) == first + second


def test_a_damaged_record_before_others_is_refused(tmp_path: Path) -> None:
    """Damage in the middle is no torn end; the sentence names file and line."""
    path = tmp_path / "j"
    written(path, [checkpoint("a", "1"), checkpoint("a", "2")])
    text = path.read_bytes()
    path.write_bytes(text.replace(b'"1"', b'"9"'))
    with pytest.raises(InputError, match=r"j is damaged at line 2: move it away"):
        FileJournal(path)


def test_a_journal_of_another_format_is_refused(tmp_path: Path) -> None:
    """A future format is never read as if it were this one."""
    path = tmp_path / "j"
    path.write_bytes(encode({"type": "journal", "format": 2}))
    with pytest.raises(InputError, match="of another version"):
        FileJournal(path)
    assert path.read_bytes() == encode({"type": "journal", "format": 2})


def test_two_runs_cannot_share_a_journal(tmp_path: Path) -> None:
    """The second one is refused, and let in once the first has ended."""
    first = FileJournal(tmp_path / "j")
    with pytest.raises(RefusedError, match="another run has the journal"):
        FileJournal(tmp_path / "j")
    first.close()
    FileJournal(tmp_path / "j").close()


ENDLESS = """
import sys, pathlib
from dataware.state import FileJournal
book = FileJournal(pathlib.Path(sys.argv[1]))
for number in range(1_000_000):
    book.append({"type": "checkpoint", "partition": "a", "cursor": str(number)})
"""


def test_a_killed_run_leaves_journal_and_lock_usable(tmp_path: Path) -> None:
    """After kill -9 in the middle of appending, the next run takes over at once."""
    path = tmp_path / "j"
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)])
    while not path.exists() or path.stat().st_size < 2000:
        time.sleep(0.01)
        assert process.poll() is None
    process.kill()
    process.wait()
    records = reopened(path)
    assert records == [checkpoint("a", str(number)) for number in range(len(records))]


@pytest.mark.parametrize(
    ("number", "cure"), [(errno.ENOSPC, "free some space"), (errno.EIO, "make it writable")]
)
def test_a_full_disk_is_incomplete_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, cure: str
) -> None:
    """A record that could not be written is told of, and so is every one after it."""
    book = FileJournal(tmp_path / "j")
    book.append(checkpoint("a", "1"))

    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(IncompleteError, match=cure):
            book.append(checkpoint("a", "2"))
    with pytest.raises(IncompleteError, match=cure):
        book.append(checkpoint("a", "3"))
    book.close()
    records = reopened(tmp_path / "j")
    assert records in ([checkpoint("a", "1")], [checkpoint("a", "1"), checkpoint("a", "2")])


def test_partial_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that takes a few bytes at a time still gets whole records."""

    class Slow:
        """Takes three bytes of each write."""

        def __init__(self) -> None:
            self.taken = b""

        def write(self, data: memoryview) -> int:
            self.taken += data[:3]
            return len(data[:3])

    slow = Slow()
    journal._write_all(slow, b"whole record\n")  # type: ignore[arg-type]  # a file in part
    assert slow.taken == b"whole record\n"


def test_an_unusable_folder_is_one_sentence(tmp_path: Path) -> None:
    """A folder that cannot be made says so, and says which setting moves it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(IncompleteError, match="DATAWARE_STATE"):
        FileJournal(tmp_path / "file" / "j")


def test_restart_forgets_everything(tmp_path: Path) -> None:
    """A new migration into the same target does not go on from an old one."""
    book = FileJournal(tmp_path / "j")
    book.append(checkpoint("a", None))
    book.restart()
    book.append(checkpoint("b", "1"))
    book.close()
    assert reopened(tmp_path / "j") == [checkpoint("b", "1")]


def test_records_of_any_type_come_back_in_order(tmp_path: Path) -> None:
    """The journal does not know what its records say."""
    book = FileJournal(tmp_path / "j")
    records = [{"type": "plan", "n": 1}, checkpoint("a", "x"), {"type": "plan", "n": 2}]
    for record in records:
        book.append(record)
    assert list(book.records()) == records
    book.close()


@given(st.binary())
def test_no_garbage_is_a_record(line: bytes) -> None:
    """Bytes without a fitting checksum are never taken for a record."""
    assert decode(line) is None or encode(decode(line) or {}) == line


@given(st.tuples(st.text(min_size=1), st.text(min_size=1)))
def test_targets_have_files_of_their_own(targets: tuple[str, str]) -> None:
    """Any two targets get two safe file names, on file systems without case too."""
    folder = {"DATAWARE_STATE": "/state"}
    first, second = (journal_path("1", "r", "k", each, folder) for each in targets)
    assert (str(first).lower() == str(second).lower()) == (targets[0] == targets[1])
    for path in (first, second):
        assert path.parent == Path("/state/1/r/k")
        assert len(path.name) < 120
        assert path.name.isascii()


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"DATAWARE_STATE": "/own", "XDG_STATE_HOME": "/xdg"}, "/own"),
        ({"XDG_STATE_HOME": "/xdg"}, "/xdg/dataware"),
        ({}, str(Path.home() / ".local/state/dataware")),
    ],
)
def test_the_folder_follows_the_variables(environ: dict[str, str], folder: str) -> None:
    """DATAWARE_STATE goes before the user's folder for state, which goes before the default."""
    home = Path.home()
    path = journal_path("1", "eu-x", "s3-bucket", "b", environ)
    assert str(path).startswith(folder if environ else str(home / ".local/state/dataware"))


def test_a_journal_can_be_read_while_a_run_has_it_open(tmp_path: Path) -> None:
    """`status` looks at what is there, takes no lock, and changes nothing."""
    path = tmp_path / "t.journal"
    book = FileJournal(path)
    book.append(checkpoint("a", "1"))
    try:
        assert list(read_records(path)) == [checkpoint("a", "1")]
    finally:
        book.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b"torn")
    assert list(read_records(path)) == [checkpoint("a", "1")]
    assert path.read_bytes() == whole + b"torn"


@pytest.mark.parametrize("content", [None, b"", b"no journal\n"])
def test_what_is_no_journal_says_nothing(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing or of somebody else is no error for who only looks."""
    path = tmp_path / "t.journal"
    if content is not None:
        path.write_bytes(content)
    assert list(read_records(path)) == []

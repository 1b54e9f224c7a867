"""A lock on an open file: one holder at a time, and it ends with whoever has it."""

from __future__ import annotations

import importlib.util
import sys
from errno import EACCES, ENOLCK
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dataware.core.errors import IncompleteError
from dataware.state import FileJournal, lock
from dataware.state.lock import try_lock


def test_one_of_two_that_open_a_file_has_its_lock(tmp_path: Path) -> None:
    """The other one is told so at once, and may try again later."""
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with path.open("rb+") as first, path.open("rb+") as second:
        first.seek(3)
        assert try_lock(first)
        assert first.tell() == 3
        assert not try_lock(second)
        assert second.read() == b"content"
        first.close()
        assert try_lock(second)


def test_locks_of_two_files_have_nothing_to_do_with_each_other(tmp_path: Path) -> None:
    """Each migration has its own."""
    with (tmp_path / "a").open("wb") as first, (tmp_path / "b").open("wb") as second:
        assert try_lock(first)
        assert try_lock(second)


def test_a_file_system_without_locks_is_no_other_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy without a lock could be made twice, so it ends, and says why."""

    def refuse(*_: object) -> None:
        raise OSError(ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with (tmp_path / "file").open("wb") as file, pytest.raises(OSError, match="No locks"):
        try_lock(file)
    with pytest.raises(IncompleteError, match="No locks available"):
        FileJournal(tmp_path / "journal")


class ByteLocks(ModuleType):
    """The module `msvcrt` of Windows, which locks bytes from where the file is."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.files: dict[int, Any] = {}
        self.locked: dict[str, int] = {}

    def locking(self, descriptor: int, mode: int, count: int) -> None:
        """Lock one byte, or fail because another process has it."""
        assert (mode, count) == (self.LK_NBLCK, 1)
        file = self.files[descriptor]
        assert self.locked.setdefault(file.name, file.tell()) == file.tell()
        if any(one != descriptor and other.name == file.name for one, other in self.files.items()):
            raise OSError(EACCES, "Permission denied")


def test_windows_locks_one_byte_that_nobody_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Far beyond the data; whoever has it or not reads on where it was."""
    locks = ByteLocks()
    monkeypatch.setitem(sys.modules, "msvcrt", locks)
    monkeypatch.setattr(sys, "platform", "win32")
    spec = importlib.util.spec_from_file_location("lock_of_windows", str(lock.__file__))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with path.open("rb+") as first, path.open("rb+") as second:
        locks.files[first.fileno()] = first
        first.seek(3)
        assert module.try_lock(first)
        assert first.tell() == 3
        locks.files[second.fileno()] = second
        second.seek(1)
        assert not module.try_lock(second)
        assert second.read() == b"ontent"
        assert locks.locked == {str(path): module.LOCKED_BYTE}
        assert module.LOCKED_BYTE > 10**12

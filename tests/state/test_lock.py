"""A lock on an open file: one holder at a time, and it ends with whoever has it."""

from __future__ import annotations

from pathlib import Path

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

"""What is kept on this machine is this user's alone, and no link leads out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataware.core.errors import IncompleteError
from dataware.state import FileJournal, journal_path, read_records
from dataware.state.runs import RunFile, new_run, runs_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX has owners, modes and links")


@pytest.fixture(params=[0o022, 0o000, 0o077])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder, which is not there yet."""
    folder = tmp_path / "state"
    monkeypatch.setenv("DATAWARE_STATE", str(folder))
    return folder


def path() -> Path:
    """The journal of a target."""
    return journal_path("111122223333", "eu-central-1", "s3-bucket", "photos")


@pytest.mark.usefixtures("_umask")
def test_folders_and_files_are_closed_to_others(state: Path) -> None:
    """Whatever the umask is, and also where a folder was open before."""
    (state / "111122223333").mkdir(parents=True)
    FileJournal(path()).close()
    RunFile(runs_folder(), new_run(0)).close()
    below = list(state.rglob("*"))
    assert {each.stat().st_mode & 0o777 for each in below if each.is_dir()} == {0o700}
    assert {each.stat().st_mode & 0o777 for each in below if each.is_file()} == {0o600}


def test_a_new_state_folder_is_closed_to_others(state: Path) -> None:
    """Also what is made above it."""
    FileJournal(path()).close()
    assert state.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("how", ["symbolic", "dangling", "hard", "pipe"])
def test_nothing_but_a_file_of_ones_own_is_taken_for_a_journal(
    state: Path, tmp_path: Path, how: str
) -> None:
    """The file behind a link keeps what it holds, and is not read either."""
    journal, precious = path(), tmp_path / "precious"
    precious.write_text("mine\n")
    journal.parent.mkdir(parents=True)
    if how == "pipe":
        os.mkfifo(journal)
    elif how == "hard":
        journal.hardlink_to(precious)
    else:
        journal.symlink_to(precious if how == "symbolic" else tmp_path / "new")
    with pytest.raises(IncompleteError, match=r"not yours|link"):
        FileJournal(journal)
    assert list(read_records(journal)) == []
    assert precious.read_text() == "mine\n"
    assert not (tmp_path / "new").exists()
    assert state.is_dir()


@pytest.mark.parametrize("level", [0, 1, 2])
def test_no_folder_below_the_state_folder_is_a_link(
    state: Path, tmp_path: Path, level: int
) -> None:
    """A link on the way leads the journal to a place that somebody else chose."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = [path().parents[number] for number in range(3)][level]
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere)
    with pytest.raises(IncompleteError, match="link"):
        FileJournal(path())
    assert list(elsewhere.rglob("*")) == []
    assert state.is_dir()


def test_a_link_in_place_of_the_records_is_not_followed(state: Path, tmp_path: Path) -> None:
    """A run goes on without a record, and says so."""
    state.mkdir()
    runs_folder().symlink_to(tmp_path)
    with pytest.raises(OSError, match="link"):
        RunFile(runs_folder(), new_run(0))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_what_belongs_to_another_user_is_refused(state: Path) -> None:
    """Whoever made the folder could read and change what is in it."""
    state.mkdir()
    os.chown(state, 12345, 12345)
    with pytest.raises(IncompleteError, match="another user"):
        FileJournal(path())

"""Records of runs: private, bounded, and readable whatever ended them."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import InputError
from dataware.state.runs import SUFFIX, RunFile, find_run, kept_runs, new_run, prune


def begun(folder: Path, run: str, command: str = "migrate") -> RunFile:
    """A record that has begun."""
    file = RunFile(folder, run)
    file.write({"record": 1, "run": run, "command": command})
    return file


def ended(folder: Path, now: float) -> str:
    """A record that has ended, of a run that began at `now`."""
    run = new_run(now)
    file = begun(folder, run)
    file.write({"at": 0.1, "code": "end", "data": {"exit_code": 0}})
    file.close()
    return run


@given(st.lists(st.integers(0, 4_000_000_000_000), min_size=2, max_size=2, unique=True))
def test_ids_sort_by_time(milliseconds: list[int]) -> None:
    """A run that begins later has an id that sorts after."""
    earlier, later = sorted(milliseconds)
    assert new_run(earlier / 1000 + 0.0002) < new_run(later / 1000 + 0.0002)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    """Every record comes back as it was, whatever is in a key."""
    run = ended(tmp_path, 1.0)
    found = find_run(tmp_path, None)
    assert (found.run, found.beginning["command"], found.alive) == (run, "migrate", False)
    assert list(found.records()) == [{"at": 0.1, "code": "end", "data": {"exit_code": 0}}]
    assert found.last() == {"at": 0.1, "code": "end", "data": {"exit_code": 0}}


def test_a_record_is_private(tmp_path: Path) -> None:
    """Only its owner may read a record, because it holds keys."""
    ended(tmp_path / "state" / "runs", 1.0)
    folder = tmp_path / "state" / "runs"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]


def test_a_torn_record_is_read_up_to_its_end(tmp_path: Path) -> None:
    """A killed run leaves what it had written."""
    file = begun(tmp_path, new_run(1.0))
    file.write({"at": 0.5, "code": "found", "data": {}})
    file.write({"at": 0.9, "code": "progress", "data": {"done": 7}})
    file.close()
    file.path.write_bytes(file.path.read_bytes()[:-9])
    found = find_run(tmp_path, None)
    assert [record["code"] for record in found.records()] == ["found"]
    assert found.last() is None


def test_a_run_that_goes_on_is_known(tmp_path: Path) -> None:
    """As long as a process writes the record, the run is alive."""
    file = begun(tmp_path, new_run(1.0))
    file.flush()
    assert find_run(tmp_path, None).alive
    file.close()
    assert not find_run(tmp_path, None).alive


def test_a_run_is_found_by_the_start_of_its_id_and_by_its_file(tmp_path: Path) -> None:
    """A prefix that fits one run is enough, and a file may lie anywhere."""
    older, newer = ended(tmp_path, 1.0), ended(tmp_path, 100_000.0)
    assert find_run(tmp_path, None).run == newer
    assert find_run(tmp_path, older[:9]).run == older
    assert find_run(tmp_path / "nowhere", str(tmp_path / f"{older}{SUFFIX}")).run == older


def test_an_unknown_run_is_told_with_what_there_is(tmp_path: Path) -> None:
    """One sentence names what was asked for and the runs on record."""
    with pytest.raises(InputError, match="no run record in "):
        find_run(tmp_path, None)
    runs = [ended(tmp_path, float(n)) for n in range(7)]
    with pytest.raises(
        InputError, match=f"no run begins with x; the newest are {runs[-1]}.*2 more"
    ):
        find_run(tmp_path, "x")
    with pytest.raises(InputError, match="7 runs begin with 1970"):
        find_run(tmp_path, "1970")
    (tmp_path / "other").write_text("{}")
    with pytest.raises(InputError, match="is not a run record"):
        find_run(tmp_path, str(tmp_path / "other"))


@pytest.mark.parametrize(("runs", "size", "left"), [(3, 10**9, 3), (100, 600, 3), (100, 1, 1)])
def test_the_oldest_records_go_first(tmp_path: Path, runs: int, size: int, left: int) -> None:
    """Beyond a number or a size the oldest are removed, and the newest is kept in any case."""
    written = [ended(tmp_path, float(n)) for n in range(6)]
    for run in written:
        path = tmp_path / f"{run}{SUFFIX}"
        path.write_bytes(path.read_bytes().ljust(200))
    (tmp_path / "notes.jsonl").write_text("mine")
    prune(tmp_path, runs, size)
    assert [run.run for run in kept_runs(tmp_path)] == written[::-1][:left]
    assert (tmp_path / "notes.jsonl").exists()


def test_a_record_that_is_written_is_not_removed(tmp_path: Path) -> None:
    """A copy of days keeps its record, however many runs come after it."""
    file = begun(tmp_path, new_run(1.0))
    later = [ended(tmp_path, float(n)) for n in range(2, 5)]
    prune(tmp_path, 1)
    assert {path.stem for path in tmp_path.iterdir()} == {file.path.stem, later[-1]}
    file.close()


def test_a_line_is_plain_json(tmp_path: Path) -> None:
    """Any tool can read a record, and no key can break a line."""
    file = begun(tmp_path, new_run(1.0))
    file.write(
        {"at": 1, "code": "compared-different", "data": {"keys": ["a\nb", "\ud800", "</script>"]}}
    )
    file.close()
    (_, line) = file.path.read_text(encoding="ascii").splitlines()
    assert json.loads(line)["data"]["keys"] == ["a\nb", "\ud800", "</script>"]
    assert re.fullmatch(r"\{.*\}", line)


def test_a_run_is_found_by_what_it_tells_of(tmp_path: Path) -> None:
    """By the id of a migration that `status` shows, by a name or an address; the newest first."""
    for number in (1, 2):
        file = RunFile(tmp_path, new_run(number))
        file.write({"record": 1, "run": new_run(number), "command": "migrate"})
        data = {"name": "new", "source": "old", "migration": "3bc31eb482a6"}
        file.write({"at": 0.5, "code": "phase", "data": data})
        file.close()
    newest = kept_runs(tmp_path)[0].run
    for wanted in ("3bc31eb482a6", "3bc31", "new", "old", "dynamodb://new", "s3://old"):
        assert find_run(tmp_path, wanted).run == newest
    for wanted in ("3b", "ne", "nobody"):
        with pytest.raises(InputError, match="no run begins with"):
            find_run(tmp_path, wanted)


@pytest.mark.skipif(os.name != "posix", reason="POSIX has pipes among its files")
@pytest.mark.parametrize("sort", ["pipe", "link", "folder", "deep", "torn"])
def test_what_is_no_record_is_passed_over(tmp_path: Path, sort: str) -> None:
    """A pipe would never answer, a link leads elsewhere, and no content ends in an error."""
    kept = ended(tmp_path, 1.0)
    odd = tmp_path / f"{new_run(2.0)}{SUFFIX}"
    if sort == "pipe":
        os.mkfifo(odd)
    elif sort == "link":
        odd.symlink_to(tmp_path / f"{kept}{SUFFIX}")
    elif sort == "folder":
        odd.mkdir()
    else:
        odd.write_text("[" * 100_000 if sort == "deep" else '{"record": 1, "ru')
    assert [run.run for run in kept_runs(tmp_path)] == [kept]
    assert find_run(tmp_path, None).run == kept
    prune(tmp_path, runs=1)

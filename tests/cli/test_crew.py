"""Real processes that copy together: whatever ends one of them, nothing is lost and none stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dataware.embedded import EmbeddedAws
from support.accounting import check_identity, checkpoints, journal_of
from support.cli import ended, run
from support.killing import journals
from support.migrations import MIGRATIONS, Migration
from support.processes import PATIENCE, children_of, gone, lives
from support.servers import FaultProxy, Gate, json_error
from support.worlds import client, make_bucket, make_table, varied_items

ITEMS, OBJECTS = 600, 1200
SLOWLY = ("--processes=2", "--max-rate=40")

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the processes of a command are looked up in /proc"
)


def filled(folder: Path) -> tuple[Migration, Path]:
    """A table of four partitions with a few pages each, and the app that wants its data."""
    make_table("old-one", varied_items(ITEMS, size=20_000))
    return MIGRATIONS["table"], MIGRATIONS["table"].write_app(folder)


@dataclass
class Scene:
    """A migration that is held in its middle, and what is needed to go on with it."""

    proxy: FaultProxy
    home: Path
    migration: Migration
    app: Path
    gate: Gate = field(default_factory=Gate)

    def begun(self) -> tuple[subprocess.Popen[str], list[int]]:
        """A run by two processes, in a group of its own, held after its first checkpoint."""
        process = subprocess.Popen(
            [sys.executable, "-m", "dataware.cli", "apply", self.app, *SLOWLY],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUTF8": "1"},
            start_new_session=True,
        )
        until = time.monotonic() + PATIENCE
        while not any(b'"checkpoint"' in path.read_bytes() for path in journals(self.home)):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until, "the copy does not get going"
            time.sleep(0.02)
        self.proxy.add(self.gate, operation=self.migration.write)
        workers = children_of(process.pid)
        assert len(workers) == 2
        return process, workers

    def check_continued(self) -> None:
        """The next run goes on from the record, ends verified, and accounts for each item once."""
        self.proxy.clear()
        self.gate.open()
        assert checkpoints(journal_of(self.home)), "what was on record before is kept"
        again = run("apply", self.app, "--processes", 2)
        assert again.code == 0, again
        assert "Continuing after" in again.out
        assert "✅ Verified 600 items" in again.out
        assert self.migration.arrived()
        check_identity(journal_of(self.home), ITEMS)


@pytest.fixture
def scene(fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path) -> Iterator[Scene]:
    """A filled source, before any run."""
    there = Scene(fault_proxy, clean_environment, *filled(tmp_path))
    yield there
    there.gate.open()


def test_two_processes_copy_a_table(
    aws_server: EmbeddedAws, tmp_path: Path, clean_environment: Path
) -> None:
    """Every item, verified, each of them once in the one journal."""
    migration, app = filled(tmp_path)
    ran = run("apply", app, "--processes", 2)
    assert ran.code == 0, ran
    assert "Copying with 2 processes" in ran.out
    assert "✅ Verified 600 items" in ran.out
    assert migration.arrived()
    assert check_identity(journal_of(clean_environment), ITEMS).counts.copied == ITEMS


def test_two_processes_copy_a_bucket(aws_server: EmbeddedAws, clean_environment: Path) -> None:
    """Every object, verified; what the target holds already counts as the same."""
    make_bucket("old", ({"Key": f"{n:04} +é", "Body": b"%d" % n} for n in range(OBJECTS)))
    make_bucket("new", [{"Key": "0007 +é", "Body": b"7"}])
    ran = run("migrate", "s3://old", "s3://new", "--processes", 2)
    assert ran.code == 0, ran
    assert "Copying with 2 processes" in ran.out
    assert "✅ Verified 1,200 objects" in ran.out
    assert listed("new") == listed("old")
    counts = check_identity(journal_of(clean_environment), OBJECTS).counts
    assert (counts.copied, counts.same) == (OBJECTS - 1, 1)


def listed(bucket: str) -> dict[str, str]:
    """Every key of a bucket, with its ETag."""
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {one["Key"]: one["ETag"] for page in pages for one in page["Contents"]}


@pytest.mark.parametrize("processes", [1, 2])
def test_what_is_denied_reads_the_same_with_and_without_a_crew(
    fault_proxy: FaultProxy, tmp_path: Path, processes: int
) -> None:
    """A failing process ends the command with the sentence and the exit code of a single one."""
    migration, app = filled(tmp_path)
    fault_proxy.add(json_error("AccessDeniedException"), operation=migration.write)
    ran = run("apply", app, "--processes", processes)
    assert ran.code == 1, ran
    assert "nothing was copied to" in ran.err
    assert f"{migration.write} returned AccessDeniedException" in ran.err
    assert ("Copying with 2 processes" in ran.out) is (processes == 2)
    assert not migration.arrived()


def test_a_killed_worker_ends_the_run_and_nothing_is_lost(scene: Scene) -> None:
    """kill -9 of one process: exit 4, one sentence, the other is gone, and the next run ends it."""
    process, workers = scene.begun()
    os.kill(workers[0], signal.SIGKILL)
    ran = ended(process)
    assert ran.code == 4, ran
    assert "one of the 2 copy processes ended too early" in ran.err
    assert "(signal 9)" in ran.err
    assert "Traceback" not in ran.err
    assert not any(map(lives, workers))
    scene.check_continued()


def test_workers_do_not_outlive_a_killed_command(scene: Scene) -> None:
    """kill -9 of the command: its workers end with it, and the next run goes on at once."""
    process, workers = scene.begun()
    process.kill()
    process.wait()
    assert gone(*workers)
    process.communicate()
    scene.check_continued()


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_ctrl_c_ends_all_of_them_in_good_order(times: int, scene: Scene) -> None:
    """It reaches every process of a terminal; the leading one decides, and nothing is lost."""
    process, workers = scene.begun()
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2)
    ran = ended(process)
    assert ran.code == 4, ran
    assert "run the same command again" in ran.err
    assert "Traceback" not in ran.err
    assert "KeyboardInterrupt" not in ran.err
    assert not any(map(lives, workers))
    scene.check_continued()

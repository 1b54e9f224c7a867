"""Ctrl-C, two runs at once, a lost journal, a target that was made anew."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.cli import Ran, ended, launch, run
from support.command_process import CommandProcess
from support.killing import Strike, journals, struck_run
from support.migrations import MIGRATIONS, Migration
from support.servers import FaultProxy, Gate, delay
from support.worlds import make_table, stacks, varied_items

EVERY_KIND = pytest.mark.parametrize("kind", MIGRATIONS)
SLOWLY = {"table": ("--max-rate", "60"), "bucket": ("--max-rate", "10")}
LONG = 120
"""Seconds for which a service says nothing: far longer than a run may take to end."""

WRITTEN_BEFORE = 3
"""Writes before a run is disturbed, so that much is left whatever the machine is busy with."""


def interrupted(kind: str, proxy: FaultProxy, folder: Path) -> tuple[Migration, Path, Ran]:
    """A migration that one Ctrl-C has stopped in the middle of its copy."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(folder)
    strike = Strike(WRITTEN_BEFORE, number=signal.SIGINT)
    ran = struck_run(proxy, strike, "apply", app, *SLOWLY[kind], operation=migration.write)
    assert not migration.arrived(), ran
    return migration, app, ran


def check_completed(migration: Migration, ran: Ran) -> None:
    """The run has ended with exactly the source's data, and said that it has checked."""
    assert ran.code == 0, ran
    assert "Successfully migrated data to new-one" in ran.out
    assert "✅ Verified" in ran.out
    assert migration.arrived()
    assert stacks() == []


@EVERY_KIND
def test_ctrl_c_once_saves_and_says_how_to_resume(
    kind: str, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    """Exit 4 and a sentence; what was copied is not copied again, and status tells how far."""
    migration, app, ran = interrupted(kind, fault_proxy, tmp_path)
    assert ran.code == 4
    assert "Stopping after the requests in flight" in ran.err
    assert "run the same command again" in ran.err
    assert "Traceback" not in ran.err
    copied = len(migration.content("new-one"))
    assert copied
    status = run("status").out
    assert "old-one → new-one: incomplete: " in status
    assert "the copy was stopped before it finished" in status
    fault_proxy.clear()
    check_completed(migration, resumed := run("apply", app))
    assert "Resuming the migration: old-one → new-one" in resumed.out
    if kind == "bucket":
        rest = len(migration.content("old-one")) - copied
        assert fault_proxy.count("CopyObject") == rest


@EVERY_KIND
def test_ctrl_c_twice_stops_now(kind: str, fault_proxy: FaultProxy, tmp_path: Path) -> None:
    """The second one does not wait for the service; the run can be resumed all the same."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    fault_proxy.add(delay(LONG), operation=migration.write, skip=WRITTEN_BEFORE)
    process = launch("apply", app)
    wait_until(lambda: fault_proxy.count(migration.write) > WRITTEN_BEFORE, process)
    process.send_signal(signal.SIGINT)
    # Two signals of which nobody has taken the first one yet are one.
    wait_until(lambda: "Press Ctrl-C again" in process.noted(), process)
    process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    ran = ended(process)
    assert time.monotonic() - asked < LONG / 2
    assert ran.code == 4, ran
    assert "Traceback" not in ran.err
    fault_proxy.clear()
    check_completed(migration, run("apply", app))


def wait_until(happened: Callable[[], bool], process: CommandProcess) -> None:
    """Wait for a moment in the life of a process."""
    while not happened():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


@EVERY_KIND
def test_of_two_runs_at_once_one_is_refused(
    kind: str, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    """Exit 3 and the reason; the other one is not disturbed."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    gate = Gate()
    fault_proxy.clear()
    fault_proxy.add(gate, operation=migration.write, skip=WRITTEN_BEFORE)
    first = launch("apply", app)
    wait_until(lambda: fault_proxy.count(migration.write) > WRITTEN_BEFORE, first)
    second = run("apply", app)
    assert second.code == 3, second
    assert "new-one is being migrated by run" in second.err
    assert first.poll() is None, "the first run has to be alive for this to prove anything"
    gate.open()
    check_completed(migration, ended(first))


def test_without_its_journal_it_goes_on_from_the_record(
    fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """A stopped run leaves its checkpoint in the marker, for the next machine."""
    make_table("old-one", varied_items(1000, size=5000))
    migration = MIGRATIONS["table"]
    app = migration.write_app(tmp_path)
    strike = Strike(25, number=signal.SIGINT)
    slowly = ("--max-rate", "150")
    struck_run(fault_proxy, strike, "apply", app, *slowly, operation="BatchWriteItem")
    (journal,) = journals(clean_environment)
    journal.unlink()
    fault_proxy.clear()
    ran = run("apply", app)
    check_completed(migration, ran)
    assert "that an earlier run copied" in ran.out
    assert fault_proxy.count("BatchWriteItem") < 40


@EVERY_KIND
def test_killed_and_without_its_journal_it_ends_right(
    kind: str, fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """With nothing but the marker of a killed run, the copy finds out what is there."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    struck_run(fault_proxy, Strike(WRITTEN_BEFORE), "apply", app, operation=migration.write)
    (journal,) = journals(clean_environment)
    journal.unlink()
    check_completed(migration, run("apply", app))


@pytest.mark.parametrize("again", [True, False], ids=["made anew", "gone"])
@EVERY_KIND
def test_no_checkpoint_outlives_its_target(
    kind: str, again: bool, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    """A target that was deleted has lost what was copied, whatever journal and marker say."""
    migration, app, _ = interrupted(kind, fault_proxy, tmp_path)
    migration.drop("new-one")
    if again:
        time.sleep(1)  # a bucket is told apart by the second in which it was made
        migration.make("new-one")
    ran = run("apply", app)
    check_completed(migration, ran)
    assert "Resuming the migration" in ran.out
    assert "that an earlier run copied" not in ran.out


def test_a_damaged_journal_is_named(
    fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """Damage in the middle is never skipped over; with the file away, the copy ends right."""
    migration, app, _ = interrupted("table", fault_proxy, tmp_path)
    (journal,) = journals(clean_environment)
    lines = journal.read_bytes().split(b"\n")
    journal.write_bytes(b"\n".join([lines[0], b"damaged", *lines[2:]]))
    ran = run("apply", app)
    assert ran.code == 4
    assert f"{journal} is damaged at line 2" in ran.err
    journal.unlink()
    check_completed(migration, run("apply", app))

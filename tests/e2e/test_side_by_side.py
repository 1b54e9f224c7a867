"""Twenty resources in one run: created together, copied side by side, interrupted and finished."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from support.cli import run
from support.killing import Strike, struck_run
from support.many import (
    TARGETS,
    complete_targets,
    count,
    differing,
    fill_many,
    write_many,
    written_targets,
)
from support.servers import FaultProxy, Seen, json_error
from support.worlds import stacks


def check_next_run(proxy: FaultProxy, app: Path) -> None:
    """It finishes the rest, creates nothing twice, and touches nothing that was complete."""
    done = complete_targets()
    proxy.clear()
    again = run("apply", app)
    assert again.code == 0, again
    assert differing() == []
    assert complete_targets() == set(TARGETS)
    assert stacks() == []
    assert not done & set(written_targets(proxy.seen))
    assert count(proxy.seen, "PutParameter") > 0 or len(done) == len(TARGETS)
    proxy.clear()
    last = run("apply", app)
    assert last.lines[-1].startswith("✅ Nothing to copy"), last
    assert not list(written_targets(proxy.seen))


def test_twenty_are_made_by_one_stack(fault_proxy: FaultProxy, tmp_path: Path) -> None:
    """One creation and one removal for all; each line says whose it is."""
    fill_many()
    app = write_many(tmp_path)
    ran = run("apply", app, "--plain")
    assert ran.code == 0, ran
    assert differing() == []
    assert [count(fault_proxy.seen, name) for name in ("CreateStack", "DeleteStack")] == [1, 1]
    assert stacks() == []
    for target in TARGETS:
        assert f"ok: Successfully migrated data to {target}" in ran.lines
        assert any(line.startswith(f"ok: {target}: Verified 4") for line in ran.lines)
    assert run("apply", app).lines[-1].startswith("✅ Nothing to copy")


MOMENTS = [("CreateStack", 1, True), ("CopyObject", 9, False), ("DeleteStack", 1, False)]


@pytest.mark.parametrize(("operation", "at", "answered"), MOMENTS)
def test_killed_in_the_middle_the_next_run_finishes(
    operation: str, at: int, answered: bool, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    """While they are created, copied, or let go."""
    fill_many()
    app = write_many(tmp_path)
    strike = Strike(at, answered=answered)
    killed = struck_run(fault_proxy, strike, "apply", app, operation=operation)
    assert (strike.struck, killed.code) == (True, -signal.SIGKILL)
    check_next_run(fault_proxy, app)


def completes(seen: Seen) -> bool:
    """Whether a request puts a target's record to "complete"."""
    if seen.operation != "PutParameter":
        return False
    return bool(json.loads(str(seen.json()["Value"]))["state"] == "complete")


def test_ctrl_c_ends_them_all_in_order(fault_proxy: FaultProxy, tmp_path: Path) -> None:
    """What is in flight is finished; what was complete by then is not touched again."""
    fill_many(items=12)
    app = write_many(tmp_path)
    strike = Strike(1, answered=True, number=signal.SIGINT)
    slowly = ("--max-rate", 60, "--max-parallel", 3)
    stopped = struck_run(fault_proxy, strike, "apply", app, *slowly, when=completes)
    assert stopped.code == 4, stopped
    assert 0 < len(complete_targets()) < len(TARGETS)
    check_next_run(fault_proxy, app)


def test_a_denied_permission_holds_up_no_other(fault_proxy: FaultProxy, tmp_path: Path) -> None:
    """Nineteen are complete; once it is granted, the next run writes into the one alone."""
    fill_many()
    app = write_many(tmp_path)
    fault_proxy.add(
        json_error("AccessDeniedException", 400, "not authorized to perform: dynamodb:BatchWrite"),
        operation="BatchWriteItem",
        when=lambda seen: b"table-4-prod" in seen.body,
    )
    denied = run("apply", app)
    assert denied.code == 4, denied
    assert "table-4-prod" in denied.lines[-1] + denied.err
    assert complete_targets() == set(TARGETS) - {"table-4-prod"}
    check_next_run(fault_proxy, app)

"""kill -9 at any moment of a migration: the next apply ends with exactly the source's data.

The moments are random but seeded, one in each twentieth of the requests that a whole run makes,
so that they lie before the marker, in the creation, in the copy, in the verification, and after.
"""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.cli import run
from support.killing import Strike, struck_run
from support.migrations import CHANGING, MIGRATIONS, Migration
from support.servers import FaultProxy, Seen
from support.worlds import stacks

MOMENTS = 20
SEED = 20260301


def strike_in(migration: Migration, moment: int) -> Strike:
    """A kill in the given twentieth of a run."""
    chance = random.Random(f"{SEED} {migration.requests} {moment}")
    at = 1 + int(migration.requests * (moment + chance.random()) / MOMENTS)
    jitter = chance.choice([0.0, 0.0, chance.random() * 0.02])
    return Strike(at, answered=chance.random() < 0.5, jitter=jitter)


def check_recovery(migration: Migration, proxy: FaultProxy, app: Path) -> None:
    """The next apply completes the migration, and those after it do nothing."""
    whole_before = migration.arrived()
    second = run("apply", app)
    assert second.code == 0, second
    assert migration.arrived()
    begun = "creating preferred and migrating" in second.out or "migrating into" in second.out
    resumed = "Resuming the migration" in second.out
    if begun or resumed:
        assert "Successfully migrated data to new-one" in second.out
        assert "✅ Verified" in second.out
    else:
        assert whole_before, "a part of the data was imported as if it were all of it"
        assert "Importing existing" in second.out
    for _ in range(2):
        proxy.clear()
        again = run("apply", app)
        assert again.code == 0
        assert again.lines[-1].startswith("✅ Nothing to copy")
        assert not {seen.operation for seen in proxy.seen} & CHANGING
    assert stacks() == []


@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("kind", MIGRATIONS)
def test_killed_at_any_moment_it_ends_right(
    kind: str, moment: int, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    """After kill -9 the next apply makes source = target, verified; those after it do nothing."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    struck_run(fault_proxy, strike_in(migration, moment), "apply", app)
    check_recovery(migration, fault_proxy, app)


def marker_in(seen: Seen) -> dict[str, Any]:
    """The marker that a request writes."""
    marker: dict[str, Any] = json.loads(str(seen.json()["Value"]))
    return marker


def names_the_target(seen: Seen) -> bool:
    """Whether a marker knows the identity of the target that its run has made."""
    return "identity" in marker_in(seen)["detail"]


STEPS: dict[str, tuple[str, Callable[[Seen], bool]]] = {
    "the marker begins": ("PutParameter", lambda _seen: True),
    "the target is created": ("CreateStack", lambda _seen: True),
    "the target is let go": ("DeleteStack", lambda _seen: True),
    "the target is recorded": (
        "PutParameter",
        names_the_target,
    ),
    "the marker is complete": ("PutParameter", lambda seen: marker_in(seen)["state"] == "complete"),
}


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", MIGRATIONS)
def test_killed_around_each_step_it_ends_right(
    kind: str, step: str, answered: bool, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    """No step of a migration is one after which the next run goes astray or leaves a stack."""
    migration = MIGRATIONS[kind]
    migration.fill()
    operation, when = STEPS[step]
    strike = Strike(1, answered=answered)
    app = migration.write_app(tmp_path)
    killed = struck_run(fault_proxy, strike, "apply", app, operation=operation, when=when)
    assert (strike.struck, killed.code) == (True, -signal.SIGKILL)
    check_recovery(migration, fault_proxy, app)


@pytest.mark.parametrize("operation", ["CreateStack", "DeleteStack"])
@pytest.mark.parametrize("kind", MIGRATIONS)
def test_a_killed_creation_leaves_no_holding_stack(
    kind: str, operation: str, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    """The run after a killed creation lets the resource go, so that a stack can adopt it."""
    app = MIGRATIONS[kind].write_app(tmp_path)
    strike = Strike(1, answered=operation == "CreateStack")
    struck_run(fault_proxy, strike, "apply", app, operation=operation)
    assert len(stacks()) == 1
    again = run("apply", app)
    assert again.code == 0
    assert again.lines[-1].startswith("✅ Nothing to copy")
    assert stacks() == []

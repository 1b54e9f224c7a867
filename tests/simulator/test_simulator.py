"""Whole runs by seed: no promise is broken, and each rule of the product is needed for that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.simulator.run import APPLIES, BUCKETS, TABLES, run_seed
from support.simulator.world import Chances, Rules

SEEDS = int(os.environ.get("DATAWARE_SEEDS", "2000"))
SHARES = {TABLES: SEEDS * 50 // 100, BUCKETS: SEEDS * 35 // 100, APPLIES: SEEDS * 15 // 100}
"""How many of the seeds are those of what."""

CHUNK = 100
TESTS = Path(__file__).resolve().parent.parent
ENOUGH = 400
"""Seeds within which a rule that is switched off is missed; most are missed within 50."""


@pytest.mark.parametrize(
    ("of", "first"), [(of, at) for of, seeds in SHARES.items() for at in range(0, seeds, CHUNK)]
)
def test_no_seed_breaks_a_promise(of: str, first: int) -> None:
    """Nothing is lost, revived or overwritten, "complete" is true, and every run ends."""
    broken = [run_seed(seed, of=of).broken for seed in range(first, first + CHUNK)]
    assert [one for one in broken if one] == []


@pytest.mark.parametrize("of", [TABLES, BUCKETS])
def test_the_rules_of_the_follow_need_no_verification(of: str) -> None:
    """Where the comparison finds nothing whatever there is, nothing is lost either."""
    broken = [run_seed(seed, Rules(verify=False), of=of).broken for seed in range(150)]
    assert [one for one in broken if one] == []


@pytest.mark.parametrize(
    ("rules", "chances"),
    [
        (Rules(verify=False, gap_rule=False), Chances(kill=0.03, fail=0.02)),
        (Rules(verify=False, phase_fence=False), Chances()),
        (Rules(verify=False, not_before=False), Chances(unknown=0.15)),
        (Rules(verify=False, dirty_first=False), Chances(kill=0.02)),
        (
            Rules(verify=False, wait_for_silent_runs=False),
            Chances(unknown=0.1, pause=0.01, stop=0.02, other=0.1),
        ),
        (Rules(settle=False), Chances()),
        (Rules(verify=False, undo_window=False), Chances()),
    ],
    ids=[
        *("gap rule", "phase fence", "not before", "dirty first", "wait for silent runs", "settle"),
        "way back before the switch",
    ],
)
def test_without_a_rule_data_is_lost(rules: Rules, chances: Chances) -> None:
    """Each rule is needed: the simulator finds what happens without it."""
    broken = (run_seed(seed, rules, chances).broken for seed in range(ENOUGH))
    found = next((one for one in broken if one), "")
    assert "differ" in found or "nobody was told" in found or "after the switch" in found


@pytest.mark.parametrize(
    ("rules", "promise"),
    [
        (Rules(swap=False), "a stranger's object was overwritten"),
        (Rules(ledger=False), "a stranger's object was overwritten"),
        (Rules(verify=False, settle=False), "differ"),
        (Rules(deep_on_record=False), "differ"),
    ],
    ids=["compare and swap", "ledger", "settle", "depth on record"],
)
def test_without_a_rule_objects_are_lost(rules: Rules, promise: str) -> None:
    """Each rule of buckets is needed, too."""
    broken = (run_seed(seed, rules, Chances(), of=BUCKETS).broken for seed in range(ENOUGH))
    assert promise in next((one for one in broken if one), "")


@pytest.mark.parametrize(
    ("rules", "chances", "promise"),
    [
        (Rules(verify=False), Chances(fail=0.1), "complete, but"),
        (
            Rules(wait_for_silent_runs=False),
            Chances(pause=0.03, other=0.1),
            "wrote after",
        ),
    ],
    ids=["verification", "nothing is sent without the lock"],
)
def test_without_a_rule_an_apply_breaks_a_promise(
    rules: Rules, chances: Chances, promise: str
) -> None:
    """So the simulator can tell."""
    broken = (run_seed(seed, rules, chances, of=APPLIES).broken for seed in range(ENOUGH))
    assert promise in next((one for one in broken if one), "")


@pytest.mark.parametrize("of", [TABLES, BUCKETS, APPLIES])
def test_a_seed_does_the_same_in_every_process_to_the_letter(of: str) -> None:
    """So what a seed has found can be looked at again, whatever order sets have there."""
    for seed in (2, 4):
        here = run_seed(seed, tracing=True, of=of)
        assert len(here.trace) > 50
        command = [sys.executable, "-m", "support.simulator", "--seed", str(seed), "--of", of]
        there = {
            subprocess.run(
                command,
                env={**os.environ, "PYTHONPATH": str(TESTS), "PYTHONHASHSEED": order},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for order in ("1", "2")
        }
        kept = f"SEED={seed}: every promise was kept"
        assert there == {"\n".join([*here.trace, kept, ""])}

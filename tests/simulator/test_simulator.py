"""Whole runs by seed: no promise is broken, and each rule of the product is needed for that."""

from __future__ import annotations

import os

import pytest

from support.simulator.run import run_seed

SEEDS = int(os.environ.get("DATAWARE_SEEDS", "2000"))
CHUNK = 100


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_seed_breaks_a_promise(first: int) -> None:
    """Nothing is lost, revived or overwritten, "complete" is true, and every run ends."""
    broken = [run_seed(seed).broken for seed in range(first, first + CHUNK)]
    assert [one for one in broken if one] == []


def test_a_seed_always_does_the_same_to_the_letter() -> None:
    """So what a seed has found can be looked at again."""
    for seed in (2, 3):
        one, other = (run_seed(seed, tracing=True) for _ in range(2))
        assert len(one.trace) > 100
        assert one == other

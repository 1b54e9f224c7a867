"""Waves: a canary alone, then region by region, and no further than failures are tolerated."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import InputError
from dataware.core.fleet.waves import (
    WORST_FIRST,
    WaveSettings,
    drop_absent_canary,
    make_waves,
    should_stop,
    worst_exit_code,
)
from support.fleets import target

REGIONS = st.lists(st.sampled_from(["eu-west-1", "us-east-1", "ap-south-1"]), max_size=40)


@given(REGIONS, st.integers(1, 7), st.integers(0, 39))
def test_waves_hold_every_target_once(regions: list[str], most: int, first: int) -> None:
    """The canary is alone, no wave is larger than the bound, and regions follow each other."""
    targets = [target(f"t{n}", region=region) for n, region in enumerate(regions)]
    canary = f"t{first}" if first < len(targets) else None
    waves = make_waves(targets, WaveSettings(most, canary=canary))
    assert sorted(one.name for wave in waves for one in wave) == sorted(t.name for t in targets)
    if targets:
        assert [one.name for one in waves[0]] == [canary or "t0"]
    for wave in waves[1:]:
        assert 1 <= len(wave) <= most
        assert len({one.region for one in wave}) == 1
    order = [wave[0].region for wave in waves]
    assert len({*order}) == sum(a != b for a, b in pairwise(["", *order]))


def test_a_canary_that_is_no_target_is_an_error() -> None:
    """Otherwise another one would go first."""
    with pytest.raises(InputError, match="did you mean test-eu"):
        make_waves([target("test-eu"), target("prod")], WaveSettings(canary="test-us"))


def test_a_choice_without_the_canary_lets_another_go_ahead() -> None:
    """What was named for the whole fleet is no mistake where it is left out of it."""
    test, prod = target("test"), target("prod")
    settings = WaveSettings(2, 1, canary="test")
    assert drop_absent_canary(settings, [test, prod], [prod]) == WaveSettings(2, 1)
    assert drop_absent_canary(settings, [test, prod], [test]) is settings
    assert drop_absent_canary(settings, [prod], [prod]) is settings


@pytest.mark.parametrize(
    ("wave", "failures", "tolerance", "stops"),
    [(0, 0, 0, False), (0, 1, 5, True), (1, 1, 0, True), (1, 1, 1, False), (2, 2, 1, True)],
)
def test_more_failures_than_are_tolerated_end_the_run(
    wave: int, failures: int, tolerance: int, stops: bool
) -> None:
    """A canary that fails always does, for that is what it is for."""
    assert should_stop(wave, failures, WaveSettings(tolerance=tolerance)) is stops


@given(st.lists(st.integers(0, 5)))
def test_the_exit_code_of_all_is_the_worst(codes: list[int]) -> None:
    """3 before 1 before 4 before 2 before 0, whatever the order and the number."""
    worst = worst_exit_code(codes)
    assert worst == worst_exit_code(reversed(codes))
    known = {code if code in WORST_FIRST else 1 for code in codes} or {0}
    assert worst in known
    assert all(WORST_FIRST.index(worst) <= WORST_FIRST.index(code) for code in known)

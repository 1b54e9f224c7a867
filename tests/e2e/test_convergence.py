"""A source that is written to all the time, followed through records that come late or never."""

from __future__ import annotations

import pytest

from dataware.embedded import EmbeddedAws
from support.convergence import LEAST_WRITES, STREAMS, run_seed


@pytest.mark.parametrize("way", STREAMS)
def test_nothing_is_missing_extra_or_different_once_the_writers_rest(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One seed of each way; `python -m tests.bench.convergence` runs 50."""
    with EmbeddedAws(streams=STREAMS[way]) as server:
        for name, value in server.environ().items():
            monkeypatch.setenv(name, value)
        found = run_seed(way, 1, items=150, seconds=0.7)
    assert found.is_none, found
    assert found.writes > LEAST_WRITES
    assert (found.gaps > 0) == (way == "gaps")

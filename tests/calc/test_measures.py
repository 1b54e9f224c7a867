"""Sizes and spans of time in words."""

import pytest

from dataware.calc.measures import duration, volume


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2, "2 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (90061, "25 h 1 min")],
)
def test_durations(seconds: int, text: str) -> None:
    """Two units at most."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_951, "100 kB"),
        (999_960, "1.0 MB"),
        (12 * 10**12, "12.0 TB"),
        (5 * 10**18, "5,000 PB"),
    ],
)
def test_volumes(size: int, text: str) -> None:
    """Decimal units, three digits as far as there are units."""
    assert volume(size) == text

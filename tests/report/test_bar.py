"""The text of the bars: it fits, it is aligned, and no figure makes it look broken."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dataware.report.bar import Row, bar_lines, shorten_name

FAR: dict[str, object] = {
    "name": "Spaceport-Waitlist-prod",
    "done": 1234,
    "total": 100000,
    "rate": 2300.4,
}
NAMES = st.text(st.sampled_from("ab-漢字🚀é"), min_size=1, max_size=90)
ROWS = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "phase": st.sampled_from(["looking", "creating", "copying", "verifying", "waiting"]),
        "done": st.integers(0, 10**9),
        "total": st.integers(0, 10**9),
        "exact": st.booleans(),
        "rate": st.floats(0, 10**6),
        "eta": st.sampled_from(["24 s", "9 min 50 s", "unknown time"]),
        "throttled": st.integers(0, 10**6),
        "retries": st.integers(0, 10**6),
        "age": st.integers(0, 99),
        "reason": st.sampled_from(["", "BatchWriteItem returned ThrottlingException"]),
        "elapsed": st.floats(0, 1000),
    },
)


def bar_line(data: Row, width: int) -> str:
    """The bar of one migration alone."""
    return bar_lines([data], width)[0]


@given(st.lists(ROWS, max_size=6), st.integers(1, 200))
def test_no_bar_is_wider_than_the_window(rows: list[dict[str, Any]], width: int) -> None:
    """Whatever the names and figures are, wide characters included."""
    lines = bar_lines(rows, width)
    assert len(lines) == len(rows)
    assert all(cell_len(line) <= width for line in lines), lines


@given(NAMES, st.integers(8, 60))
def test_a_shortened_name_keeps_both_its_ends(name: str, space: int) -> None:
    """The end tells the environment, so the middle is left out, and never half a character."""
    short = shorten_name(name, space)
    assert cell_len(short) <= space
    if short != name:
        head, tail = short.split("…")
        assert name.startswith(head)
        assert name.endswith(tail)
        assert tail


def test_a_wide_bar_tells_everything() -> None:
    """Phase, done, total, rate, time left, throttling with its reason, and retries."""
    more = {"phase": "copying", "eta": "43 s", "throttled": 12, "retries": 3, "reason": "SlowDown"}
    text = bar_line({**FAR, **more}, 160)
    assert text.startswith("Spaceport-Waitlist-prod copying   ─")
    assert text.endswith(
        " 1,234/100,000  2,300/s  43 s left  12 throttled  3 retries  slow: SlowDown"
    )


def test_old_figures_say_so_before_anything_else() -> None:
    """A run that is seen from elsewhere and has hung may not look well in 80 columns."""
    row = {**FAR, "phase": "copying", "eta": "43 s", "rate": 2300}
    assert bar_line({**row, "age": 9}, 120).endswith("43 s left  9 s ago")
    assert "1,234/100,000  40 s ago" in bar_line({**row, "age": 40}, 80)


def test_a_narrow_bar_keeps_the_count() -> None:
    """What matters most is dropped last."""
    assert bar_line(FAR, 30).endswith("  1,234/100,000")


def test_a_bar_without_a_total_counts() -> None:
    """An unknown total is no division by zero."""
    text = bar_line({"name": "t", "done": 12, "total": 0}, 60)
    assert "12 " in text
    assert "━" not in text


def test_an_estimate_says_so_and_gives_way_to_what_is_counted() -> None:
    """Once more is done than was guessed there is no total, and no bar that is full too early."""
    guess = {**FAR, "exact": False}
    assert "/~100,000" in bar_line(guess, 80)
    over = bar_line({**guess, "done": 120_000, "total": 120_000}, 80)
    assert " 120,000 " in over
    assert "/" not in over.replace("/s", "")
    assert "━" not in over


def test_bars_are_aligned_and_stay_where_they_are() -> None:
    """Names and counts of several bars stand below each other, whatever the figures are."""
    rows = [{**FAR, "phase": "copying", "done": done, "eta": "43 s"} for done in (1, 99_999)]
    first, second = bar_lines([*rows, {"name": "b", "phase": "waiting"}], 90)[:2]
    assert first.index("/100,000") == second.index("/100,000")
    assert bar_line(rows[0], 90).index("/") == bar_line({**rows[0], "eta": "9 s"}, 90).index("/")
    unknown = bar_line({**rows[0], "eta": "unknown time"}, 90)
    assert abs(unknown.index("/") - first.index("/")) <= len("  ")


def test_a_phase_without_figures_shows_that_time_passes() -> None:
    """Creating a table takes a while, and there is nothing to count."""
    text = bar_line({"name": "new", "phase": "creating", "elapsed": 12.3}, 60)
    assert text.split() == ["new", "creating", "12", "s"]

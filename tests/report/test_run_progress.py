"""The progress of a run: whatever the order of events is, no count goes down and no line wraps."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dataware.core.events import event
from dataware.report.run_progress import RunProgress

NAMES = ["Orders-prod", "Waitlist-prod", "uploads-prod", "漢字" * 20]


def copying(name: str, done: int, total: int, **more: Any) -> Any:
    """Progress of a copy."""
    figures = {"rate": 100, "unit": "item", "eta": "9 s", "slow": "", "exact": True, **more}
    return event("progress", phase="copying", name=name, done=done, total=total, **figures)


def phase(name: str, phase: str) -> Any:
    """The beginning of a phase."""
    return event("phase", phase=phase, name=name)


def shown(progress: RunProgress, width: int = 79, most: int = 10) -> list[str]:
    """The lines at this moment."""
    return [text for text, _ in progress.lines(0.0, width, most)]


STEPS = st.one_of(
    st.builds(
        copying,
        st.sampled_from(NAMES),
        st.integers(0, 10**7),
        st.integers(0, 10**7),
        exact=st.booleans(),
        bytes=st.integers(0, 10**12),
    ),
    st.builds(phase, st.sampled_from(NAMES), st.sampled_from(["waiting", "looking", "verifying"])),
    st.builds(lambda name: event("migrated", name=name), st.sampled_from(NAMES)),
    st.builds(lambda name: event("incomplete", name=name, reason="x"), st.sampled_from(NAMES)),
)


@given(st.lists(STEPS, max_size=40), st.integers(10, 120), st.integers(1, 12))
def test_interleaved_events_never_lower_a_count(steps: list[Any], width: int, most: int) -> None:
    """Rounds, resumed copies and phases of several resources mix, and all lines fit."""
    progress, before = RunProgress(), (0, 0, 0, 0)
    for at, happened in enumerate(steps):
        progress.take(happened, float(at))
        whole = progress.whole()
        now = tuple(
            int(str(whole[one])) for one in ("resources_done", "resources", "done", "total")
        )
        assert all(new >= old for new, old in zip(now, before, strict=True))
        assert now[0] <= now[1]
        assert now[2] <= now[3]
        before = now  # type: ignore[assignment]
        lines = list(progress.lines(float(at), width, most))
        assert len(lines) <= max(most, 2)
        assert all(cell_len(text) <= width for text, _ in lines)


@given(st.lists(st.integers(0, 1000), min_size=1), st.lists(st.integers(1, 1000), min_size=1))
def test_a_second_round_does_not_lower_the_count_of_its_resource(
    dones: list[int], totals: list[int]
) -> None:
    """A copy that reads every key again keeps the highest count; so does an estimated total."""
    progress, last, most = RunProgress(), 0, 0
    for done, total in zip(dones, totals, strict=False):
        progress.take(copying("Orders", done, total, exact=False), 0.0)
        progress.take(phase("Orders", "looking"), 0.0)
        progress.take(copying("Orders", done, total, exact=False), 0.0)
        (line,) = shown(progress)
        found = re.search(r"([\d,]+)(?:/~([\d,]+))?  ", line)
        assert found
        count = int(found[1].replace(",", ""))
        assert count >= last
        if found[2]:
            guess = int(found[2].replace(",", ""))
            assert guess >= most
            most = guess
        last = count


def test_one_resource_needs_no_line_of_the_whole() -> None:
    """Its own line tells everything."""
    progress = RunProgress()
    progress.take(copying("Orders", 10, 100), 0.0)
    assert len(shown(progress)) == 1


def test_the_whole_counts_resources_records_bytes_and_the_time_left() -> None:
    """Two copies go on at once: rates add up, and the rest of both is what is left."""
    progress = RunProgress()
    progress.take(copying("Orders", 100, 1000, bytes=2_000_000), 0.0)
    progress.take(copying("Waitlist", 300, 1200, bytes=1_000_000), 0.0)
    assert shown(progress)[-1] == ("In all: 0 of 2 resources  400/2,200  200/s  9 s left  3.0 MB")
    progress.take(event("migrated", name="Orders"), 1.0)
    lines = shown(progress)
    assert lines[-1].startswith("In all: 1 of 2 resources  400/2,200  100/s")
    assert not any("Orders" in line for line in lines)


def test_what_waits_counts_as_a_resource_and_leaves_the_total_open() -> None:
    """A plus says that not everything is counted yet, and then no time is foretold."""
    progress = RunProgress()
    progress.take(phase("Waitlist", "waiting"), 0.0)
    progress.take(copying("Orders", 100, 5000), 0.0)
    assert shown(progress)[-1] == "In all: 0 of 2 resources  100/5,000+  100/s"


def test_an_estimated_whole_says_so() -> None:
    """One estimate among the totals makes the sum one."""
    progress = RunProgress()
    progress.take(copying("Orders", 100, 1000, exact=False), 0.0)
    progress.take(copying("Waitlist", 100, 1000), 0.0)
    assert "  200/~2,000  " in shown(progress)[-1]


def test_a_resource_that_ended_early_is_not_done() -> None:
    """Incomplete is an end, but no success."""
    progress = RunProgress()
    progress.take(copying("Orders", 100, 1000), 0.0)
    progress.take(copying("Waitlist", 100, 1000), 0.0)
    progress.take(event("incomplete", name="Orders", reason="x"), 0.0)
    assert progress.whole()["resources_done"] == 0
    assert progress


def test_kinds_tell_resources_of_one_name_apart() -> None:
    """And an end that does not name the kind ends the only resource of its name."""
    progress = RunProgress()
    progress.take(copying("Orders", 1, 10, kind="dynamodb-table"), 0.0)
    progress.take(copying("Orders", 1, 10, kind="s3-bucket"), 0.0)
    assert progress.whole()["resources"] == 2
    assert [line.split("  ")[0].split(" copying")[0] for line in shown(progress)[:2]] == [
        "Orders (table)",
        "Orders (bucket)",
    ]
    other = RunProgress()
    other.take(copying("Orders", 1, 10, kind="s3-bucket"), 0.0)
    other.take(event("migrated", name="Orders"), 0.0)
    assert not other


def test_a_look_has_a_line_until_something_else_is_told() -> None:
    """A plan that takes long shows that it lives, and leaves nothing behind."""
    progress = RunProgress()
    progress.take(event("look-progress", done=37, total=130, seconds=8), 8.0)
    assert shown(progress) == ["Looked at 37 of 130 names, 8 s"]
    progress.take(event("creating", noun="S3 bucket", name="uploads"), 9.0)
    assert not progress

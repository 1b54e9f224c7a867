"""The runs on a terminal: a table where it fits, paragraphs where it does not."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dataware.ops.status import MigrationStatus
from dataware.report.runs import runs_text, show_runs

COPYING = {"phase": "copying", "done": 45_000, "total": 100_000, "unit": "item", "rate": 2300.4}
HELD = {"holder": "host, process 12", "started": "2026-11-24T18:02:11+00:00"}


def run(state: str = "running", name: str = "Waitlist-prod", **detail: Any) -> MigrationStatus:
    """A run into a table."""
    return MigrationStatus("dynamodb-table", name, "Waitlist", state, "6e01504e42b4", detail, 4.0)


def lines(*runs: MigrationStatus, width: int) -> list[str]:
    """What is shown in a window of some width."""
    return [line for text in runs_text(runs, width) for line in text.plain.split("\n")]


def test_a_wide_window_gets_a_table() -> None:
    """One line for each run, every figure below its heading."""
    failed = run("failed", "Orders-prod", failure={"exit_code": 1, "reason": "access denied"})
    head, first, second, why = lines(run(**COPYING, seconds_left=24), failed, width=160)
    for title, cell in (
        ("RESOURCE", "Waitlist-prod"),
        ("STATE", "running: copying"),
        ("HOW FAR", "45,000 of 100,000 items (45 %)"),
        ("RATE", "2,300/s"),
        ("LEFT", "24 s"),
        ("SEEN", "4 s ago"),
        ("RUN", "6e01504e42b4"),
    ):
        assert head.index(title) == first.index(cell)
    assert second.split()[:3] == ["Orders-prod", "Waitlist", "failed"]
    assert why == "  why: access denied"


@pytest.mark.parametrize("width", [60, 200])
def test_what_an_engine_could_not_remove_is_told_in_any_window(width: int) -> None:
    """Also of a migration that is complete."""
    left = [{"name": "bulk", "parts": ["the bucket b"]}]
    told = " ".join(lines(run("complete", leftovers=left, verified=3), width=width))
    assert "the bucket b not removed: `dataware apply`, or `dataware forget" in " ".join(
        told.split()
    )


@pytest.mark.parametrize(
    ("state", "engine", "is_told"),
    [
        ("incomplete", {"name": "map", "attempt": 1}, True),
        ("interrupted", {"name": "bulk", "token": "t"}, True),
        ("incomplete", {"name": "map", "attempt": 1, "execution": None}, False),
        ("interrupted", {"name": "bulk"}, False),
        ("interrupted", "map", False),
        ("running", {"name": "map", "attempt": 1}, False),
        ("complete", {"name": "map", "attempt": 1}, False),
    ],
)
def test_what_an_engine_may_go_on_with_is_told_once_no_command_watches_it(
    state: str, engine: object, is_told: bool
) -> None:
    """Its stack, its bucket and its workers cost money, whatever ended the command."""
    told = " ".join(" ".join(lines(run(state, engine=engine), width=200)).split())
    assert ("has begun in AWS may go on, at a cost" in told) is is_told
    assert ("`dataware forget Waitlist-prod`" in told) is is_told


def test_a_narrow_window_gets_paragraphs() -> None:
    """Everything is told, in 80 columns, too."""
    assert lines(run(**COPYING, **HELD, seconds_left=24, retries=3), width=80) == [
        "Waitlist → Waitlist-prod",
        "  running: copying, 45,000 of 100,000 items (45 %), 2,300/s, 24 s left, 3",
        "  retries",
        "  last heartbeat 4 s ago · started 2026-11-24 18:02 UTC · run 6e01504e42b4 on",
        "  host, process 12",
    ]


@given(st.lists(st.text("a-漢", min_size=1, max_size=30), min_size=1), st.integers(40, 200))
def test_no_line_is_wider_than_the_window(names: list[str], width: int) -> None:
    """Whatever is shown, unless a single name is wider."""
    runs = [run(name=name, **COPYING, **HELD) for name in names]
    wide = [line for line in lines(*runs, width=width) if cell_len(line) > width]
    assert [line for line in wide if " → " not in line] == []


def test_a_record_that_cannot_be_read_has_a_row() -> None:
    """Without a run or a source that could be named, but with what to do."""
    unseen = MigrationStatus("k", "new", None, "unknown", None, {}, 4.0, problem="upgrade dataware")
    assert lines(unseen, width=30) == [
        "unknown → new",
        "  unknown",
        "  last written 4 s ago",
        "  why: upgrade dataware",
    ]
    assert lines(unseen, width=160)[1:] == [
        "new       unknown  unknown  4 s ago",
        "  why: upgrade dataware",
    ]


def test_colour_is_for_those_who_want_it() -> None:
    """NO_COLOR takes it away, and no text with it."""
    stream = io.StringIO()
    show_runs([run(**COPYING)], stream, color=False)
    assert "\x1b[3" not in stream.getvalue()
    assert "Waitlist-prod" in stream.getvalue()

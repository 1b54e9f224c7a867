"""Commands that are run again, as a job of CI does that is retried: 0 where the goal is reached."""

from __future__ import annotations

from dataclasses import replace

from dataware.core.model import Marker
from support.cli import run
from support.live_tables import Live, live, server

__all__ = ["live", "server"]

NEVER = ("--freeze", "exit 3", "--thaw", "exit 3")
"""Commands that would fail, so that it shows if they are run."""


def record_of(live: Live) -> Marker:
    """The record, without how old it is."""
    return replace(live.marker(), heartbeat_age=None)


def test_each_step_of_a_cut_over_ends_well_however_often_it_is_typed(live: Live) -> None:
    """The second time no writer is stopped, nothing is changed, and a line says what is in use."""
    hooks = ("--freeze", f"touch {live.frozen}", "--thaw", f"rm -f {live.frozen}")
    assert run("cutover", live.target, "--watch", "1s", "--enable-stream", *hooks).code == 0
    switched = record_of(live)
    for words in (
        ("cutover", live.target, *NEVER),
        ("cutover", live.target, "--approve", "3f2c9b1d7a604e58"),
        ("migrate", f"dynamodb://{live.source}", f"dynamodb://{live.target}", "--follow"),
    ):
        again = run(*words)
        assert again.code == 0, again
        assert f"Nothing to do: {live.target} has been in use since the cut-over" in again.out
    assert run("follow", live.target).code == 0
    assert run("resume", live.target).code == 0
    assert record_of(live) == switched

    assert run("undo", live.target, "--frozen", "--yes").code == 0
    undone = record_of(live)
    for words in ((*NEVER, "--yes"), ("--dry-run",)):
        again = run("undo", live.target, *words)
        assert again.code == 0, again
        assert f"was undone, and {live.source} has been in use since" in again.out
    assert record_of(live) == undone


def test_a_cut_over_that_is_closed_stays_done(live: Live) -> None:
    """What ends a watch that has ended asks nobody, and there is no way back to be ready for."""
    live.cut_over()
    assert run("close", live.target, "--yes").code == 0
    for words in (("close",), ("watch",), ("cutover", "--frozen")):
        again = run(words[0], live.target, *words[1:])
        assert (again.code, "Nothing to do" in again.out) == (0, True), again
    assert run("undo", live.target, "--frozen", "--yes").code == 3


def test_a_table_that_was_deleted_since_is_no_reached_goal(live: Live) -> None:
    """The record alone would let a job go on without its data."""
    live.cut_over()
    live.client.delete_table(TableName=live.target)
    for words in (("cutover", live.target, "--frozen"), ("follow", live.target)):
        ran = run(*words)
        assert (ran.code, "does not exist any more" in ran.err) == (3, True), ran

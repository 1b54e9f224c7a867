"""The last two boxes of a report: what the run costs, and until when it tells the truth."""

from __future__ import annotations

from datetime import datetime, timedelta

from dataware.report.approval import (
    COPIES,
    NOTE,
    ApprovalBox,
    approval_box,
    cost_box,
    format_moment,
    stopped_names,
)
from dataware.report.html.story import Story

BILL = "This is the estimate from before the copy; AWS's bill decides."


def cost_of_run(story: Story) -> ApprovalBox:
    """What the copies of the run were estimated to cost; a run without an estimate says so."""
    command, firsts = story.command, [one.first for one in story.decided.values()]
    box = cost_box(firsts, story.prices)
    if command == "verify":
        text = "No estimate is made of a comparison. It only reads; AWS charges for the requests."
        return ApprovalBox(box.title, NOTE, (text,))
    decided = any(one.get("action") in COPIES for one in firsts)
    if not decided and story.carried:
        return ApprovalBox(box.title, NOTE, ("No estimate was made for this copy.",))
    if decided and command != "plan":
        return ApprovalBox(box.title, box.tone, (*box.lines[:-1], BILL, box.lines[-1]))
    return box


def age_of_run(story: Story) -> ApprovalBox:
    """Until when the report tells the truth; for a plan, until when to approve it."""
    started = str(story.beginning.get("started", ""))
    if story.command == "plan" and story.decided and story.exit_code is not None:
        firsts = [one.first for one in story.decided.values()]
        stopped = bool(stopped_names(firsts) or story.stops)
        return approval_box(firsts, format_moment(started), stopped=stopped)
    return ApprovalBox("How current is this?", NOTE, tuple(_age(story, started)))


def _age(story: Story, started: str) -> list[str]:
    whole = [one for one in story.migrations.values() if one.verified or one.differences]
    if story.alive and story.exit_code is None:
        return [f"It shows the run as it was at {_moment(started, story.seconds)}."]
    lines = []
    if whole:
        until = _moment(started, max(one.ended for one in whole))
        lines.append(f"Source and target were compared until {until}.")
        lines.append("What was written to either of them later is not covered.")
    if any(not one.complete for one in story.carried):
        lines.append("No deadline to finish: the same command resumes at any time.")
    if not lines:
        lines.append(f"It shows what was there at {_moment(started, story.seconds)}.")
        lines.append("The same command looks at everything again.")
    return lines


def _moment(started: str, seconds: float) -> str:
    """The time at some seconds after the start, as far as the record says when that was."""
    try:
        begun = datetime.fromisoformat(started)
    except ValueError:
        return "the end of the run"
    return format_moment((begun + timedelta(seconds=seconds)).isoformat(timespec="seconds"))

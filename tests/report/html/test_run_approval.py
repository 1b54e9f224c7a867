"""The boxes of a report say what happened, whether data is safe, and what is left to do."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.report.approval import BAD, GOOD, NOT_INCLUDED, NOTE, WARN
from dataware.report.html.run_approval import run_boxes
from dataware.report.html.story import Story
from support.tales import COPY, apart, copied, decided, ended, facts, happened, told

DIFFER = happened(1.0, "differences", summary="2 missing", missing=2, compared=10, **COPY)
PART = {**COPY, "source": "uploads", "name": "uploads-prod", "unit": "object"}
INCOMPLETE = [
    *copied(6000),
    happened(9.0, "found", count=120, **PART),
    happened(9.5, "compared-equal", count=108, **PART),
    happened(9.6, "copy-totals", copied=108, same=0, skipped=12, bytes=9, skip_reasons={}, **PART),
    happened(9.7, "skipped", reason="archived", detail="GLACIER", keys=["k"] * 12, **PART),
    ended(12, 4, "12 objects not copied"),
]


def left(reason: str) -> dict[str, Any]:
    """A key that was skipped."""
    return happened(9.7, "skipped", reason=reason, detail="", keys=["k"], **PART)


CASES = {
    "copied": (
        told("apply", decided(0), decided(1, "keep"), *copied(), ended(9, 0)),
        ("1 resource copied and verified: orders-prod.", "1 resource needed no copy."),
        (GOOD, "Yes.", "78 items compared equal.", "The sources were only read."),
        (GOOD, "Nothing."),
    ),
    "incomplete": (
        told("apply", *INCOMPLETE),
        ("1 resource copied in part: uploads-prod.", "108 of 120 objects are in place."),
        (WARN, "12 keys skipped: still only in the source.", "6,000 items, 108 objects compared"),
        (WARN, "12 skipped keys (archived): restore them first.", "Then run the same command"),
    ),
    "a conflict and a denial": (
        told("migrate", *copied(), *(left(why) for why in ("conflict", "denied")), ended(12, 4)),
        ("1 resource copied and verified: orders-prod.",),
        (WARN, "2 keys skipped: still only in the source."),
        (
            WARN,
            "1 skipped key (conflict): choose the side that wins with --on-conflict.",
            "Look into 1 skipped key: denied.",
            "Then run the same command again.",
        ),
    ),
    "killed": (
        told("migrate", *list(copied())[:5]),
        ("1 resource copied in part: orders-prod.", "29 of 78 items are in place."),
        (WARN, "Not verified yet: orders-prod. Keep the sources until the run is complete."),
        (WARN, "Run the same command again."),
    ),
    "alive": (
        told("migrate", *list(copied())[:5], alive=True),
        ("1 resource being copied: orders-prod.",),
        (NOTE, "The sources were only read."),
        (NOTE, "Wait until the run ends."),
    ),
    "verified with differences": (
        told("verify", DIFFER, *apart("missing", ["a", "b"]), ended(3, 2)),
        ("10 items of orders compared with orders-prod.", "Nothing was changed."),
        (BAD, "Not the same: 2 missing."),
        (WARN, "Find out why the sides differ; the keys are listed below."),
    ),
    "data gone": (
        told("apply", decided(0, "stop", rule=9), ended(1, 3)),
        ("No data was copied.",),
        (BAD, "Data may have been lost before: migrated data is gone (orders-0-prod, rule 9)."),
        (WARN, "Resolve orders-0-prod: see `dataware explain 9`."),
    ),
    "two data sets": (
        told("apply", decided(0, "import", warnings=["two live data sets"]), ended(1, 0)),
        ("1 resource needed no copy.", "No data was copied."),
        (WARN, "Read the warning on orders-0-prod."),
        (WARN, "Decide about orders-0-prod."),
    ),
    "not readable": (
        told(
            "plan",
            decided(0, "create", fallbacks=[facts("old", exists="unknown", content="unknown")]),
            ended(1, 0),
        ),
        ("1 resource inspected.", "Nothing was changed."),
        (WARN, "Unknown for old: not everything could be read."),
        (WARN, "If you agree, run `dataware apply`."),
    ),
    "allowed": (
        told(
            "deploy",
            *copied(),
            happened(9, "loss-allowed", name="logs", rule=19, reason="it would be deleted"),
            happened(9, "left-to-do", text="orders-prod belongs to no stack yet"),
            ended(9, 0),
        ),
        ("1 resource copied and verified: orders-prod.",),
        (WARN, "A deployment may lose 1 resource: that was allowed."),
        (WARN, "orders-prod belongs to no stack yet."),
    ),
    "failed at once": (
        told("apply", ended(1, 1, "no answer")),
        ("No data was copied.",),
        (NOTE, "No data was copied."),
        (WARN, "Then run the same command again."),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("story", "happened", "safe", "left"), CASES.values(), ids=CASES)
def test_every_end_has_its_answers(
    story: Story, happened: tuple[str, ...], safe: tuple[str, ...], left: tuple[str, ...]
) -> None:
    """The answers fit how the run ended and what it saw; tones are those of their content."""
    what, safety, todo, _, _ = run_boxes(story)
    for box, lines in ((what, happened), (safety, safe[1:]), (todo, left[1:])):
        for line in lines:
            assert any(each.startswith(line) for each in box.lines), (line, box.lines)
    assert (safety.tone, todo.tone) == (safe[0], left[0])
    assert ("Yes." in safety.lines) == (safe[1] == "Yes.")


ESTIMATED = happened(
    0.2, "plan", text="Plan: 1 to copy", prices="list prices of us-east-1, 2026-11"
)

TERMS = {
    "planned": (
        told("plan", decided(0), ESTIMATED, ended(1, 0)),
        ("Less than $0.01 to copy and verify, at list prices of us-east-1, 2026-11.", NOT_INCLUDED),
        ("Approve by", "No deadline: a plan does not expire."),
    ),
    "planned, and stopped": (
        told("plan", decided(0, "stop", rule=9), ended(1, 3)),
        ("No data is copied, so nothing is charged for a copy.",),
        ("Approve by", "Do not approve this plan: resolve its stops, and make a new one."),
    ),
    "copied": (
        told("apply", decided(0), *copied(), ended(9, 0)),
        (
            "Less than $0.01 to copy and verify.",
            "This is the estimate from before the copy; AWS's bill decides.",
            NOT_INCLUDED,
        ),
        (
            "How current is this?",
            "Source and target were compared until 2026-11-24 18:01:10 UTC.",
            "What was written to either of them later is not covered.",
        ),
    ),
    "incomplete": (
        told("migrate", *INCOMPLETE),
        ("No estimate was made for this copy.",),
        (
            "How current is this?",
            "Source and target were compared until 2026-11-24 18:01:10 UTC.",
            "What was written to either of them later is not covered.",
            "No deadline to finish: the same command resumes at any time.",
        ),
    ),
    "alive": (
        told("migrate", *list(copied())[:5], alive=True),
        ("No estimate was made for this copy.",),
        ("How current is this?", "It shows the run as it was at 2026-11-24 18:01:05 UTC."),
    ),
    "compared": (
        told("verify", DIFFER, ended(3, 2)),
        ("No estimate is made of a comparison. It only reads; AWS charges for the requests.",),
        (
            "How current is this?",
            "Source and target were compared until 2026-11-24 18:01:03 UTC.",
            "What was written to either of them later is not covered.",
        ),
    ),
    "failed at once": (
        told("apply", ended(1, 1, "no answer")),
        ("No data is copied, so nothing is charged for a copy.",),
        (
            "How current is this?",
            "It shows what was there at 2026-11-24 18:01:03 UTC.",
            "The same command looks at everything again.",
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("story", "cost", "age"), TERMS.values(), ids=TERMS)
def test_every_run_says_what_it_costs_and_how_current_it_is(
    story: Story, cost: tuple[str, ...], age: tuple[str, ...]
) -> None:
    """A plan has a moment to approve it by; what was compared is true of one moment alone."""
    *_, costs, current = run_boxes(story)
    assert costs.lines == cost
    assert (current.title, *current.lines[: len(age) - 1]) == age


def test_a_record_without_a_moment_is_no_failure() -> None:
    """A record of another version may have no readable start."""
    story = told("apply", ended(1, 0))
    story.beginning = {"command": "apply"}
    *_, current = run_boxes(story)
    assert current.lines[0] == "It shows what was there at the end of the run."

"""The modules whose rules `support.mutation` changes, and the quick tests that must notice."""

from __future__ import annotations

from collections.abc import Mapping

_CORE, _OPS = "tests/core/follow", "tests/ops/follow"
_QUICK = tuple(
    f"--deselect={_CORE}/test_cutover.py::test_a_{name}_would_open_both_sides"
    for name in (
        "thaw_before_its_reason_is_on_record",
        "freeze_that_is_believed_and_not_repeated",
        "source_that_is_opened_before_the_target_is_frozen",
    )
)
"""These walk through the worlds of wrong rules, which takes long, and tells nothing of ours."""

_STEPS = tuple(
    f"{_CORE}/test_{name}.py"
    for name in ("cutover_loop", "cutover_waits", "cutover_errors", "stray_watch")
)
_CUTOVER = (f"{_CORE}/test_cutover_table.py", f"{_CORE}/test_cutover.py", *_QUICK)

TESTS_OF: Mapping[str, tuple[str, ...]] = {
    "core.follow.shards": (f"{_CORE}/test_gap_rules.py",),
    "core.follow.loop": (f"{_CORE}/test_loop.py", f"{_CORE}/test_killed.py"),
    "core.follow.written": (f"{_CORE}/test_written.py",),
    "core.follow.steady_time": (f"{_CORE}/test_steady_time.py",),
    "core.follow.ledger": (f"{_CORE}/test_ledger.py",),
    "core.follow.undo_ports": (f"{_CORE}/test_undo_ports.py",),
    "core.follow.feed": (f"{_CORE}/test_feed.py",),
    "core.follow.cutover_request": (f"{_CORE}/test_cutover_request.py",),
    "core.follow.cutover": _CUTOVER,
    "core.follow.cutover_table": _CUTOVER,
    "core.follow.cutover_ports": (f"{_CORE}/test_cutover_ports.py",),
    "core.follow.cutover_loop": _STEPS,
    "core.follow.tracked_wire": (f"{_CORE}/test_tracked_wire.py",),
    "core.follow.approval": (f"{_CORE}/test_approval.py", f"{_OPS}/test_approve.py"),
    "core.follow.forecast": (f"{_OPS}/test_forecast.py",),
    "ops.follow.difference": (f"{_OPS}/test_difference.py",),
    "ops.follow.key_comparison": (f"{_OPS}/test_key_comparison.py",),
    "ops.follow.approval_gate": (f"{_OPS}/test_approve.py",),
    "ops.follow.approve": (f"{_OPS}/test_approve.py",),
    "ops.follow.follow": (f"{_OPS}/test_follow_many.py", f"{_OPS}/test_follow_run.py"),
    "ops.follow.follow_checks": (f"{_OPS}/test_follow_checks.py", f"{_OPS}/test_follow_run.py"),
    "ops.follow.follow_many": (f"{_OPS}/test_follow_many.py", f"{_OPS}/test_follow_names.py"),
    "ops.follow.follow_names": (f"{_OPS}/test_follow_names.py",),
    "ops.follow.forecast": (f"{_OPS}/test_forecast.py",),
    "ops.follow.freeze_warning": (f"{_OPS}/test_freeze_warning.py",),
    "ops.follow.source_feed": (f"{_OPS}/test_source_feed.py", f"{_OPS}/test_follow_run.py"),
    "ops.follow.sync_carrier": (f"{_OPS}/test_sync_carrier.py",),
    "ops.follow.follow_run": (f"{_OPS}/test_follow_run.py",),
    "ops.follow.cutover_run": (f"{_OPS}/test_cutover_run.py",),
    "ops.follow.cut_over": (f"{_OPS}/test_cutover_run.py",),
    "ops.follow.after_switch": (f"{_OPS}/test_after_switch.py",),
    "ops.follow.reached_goal": (f"{_OPS}/test_reached_goal.py",),
    "ops.follow.undo": (f"{_OPS}/test_undo_run.py",),
    "ops.follow.undo_run": (f"{_OPS}/test_undo_run.py",),
    "ops.follow.undo_window": (f"{_OPS}/test_undo_window.py", f"{_OPS}/test_undo_run.py"),
    "ops.follow.remote_cutover": (f"{_OPS}/test_remote_cutover.py",),
    "ops.follow.request_cutover": (
        f"{_OPS}/test_request_cutover.py",
        f"{_OPS}/test_remote_cutover.py",
    ),
}
"""By the name of a module below `dataware`."""

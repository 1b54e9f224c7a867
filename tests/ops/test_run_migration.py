"""One migration from marker to verdict: whatever ends it, the next run goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.copier import CopyOrder
from dataware.core.errors import IncompleteError, RefusedError, WriteDeniedError
from dataware.core.model import Content, Location, MarkerState, OnConflict, Problem, Wanted
from dataware.ops.context import CopySettings
from dataware.ops.migration_policy import Migration
from dataware.ops.run_migration import run_migration
from dataware.verify.run import Verdict
from support.copying import Killed
from support.world import World, WorldHold, WorldJournals, box_kind

OLD = Location("old", "111122223333", "eu-central-1")
NEW = Location("new", "111122223333", "eu-central-1")
PLAIN = CopySettings()


def world(keys: int = 11) -> World:
    """A world in which only the old box holds data."""
    content = {f"k{n:02}": f"v{n}" for n in range(keys)}
    return World(boxes={"old": content}, identities={"old": 1})


def run(
    there: World, settings: CopySettings = PLAIN, stop: Callable[[], bool] = lambda: False
) -> Verdict:
    """One run, as apply would start it: create what is missing, go on with what has begun."""
    kind = box_kind(there)
    facts = there.facts("new")
    wanted = Wanted("Box", kind.cfn_type, "new", ("old",))
    missing = "new" not in there.boxes
    migration = Migration(
        kind,
        CopyOrder(OLD, NEW, on_conflict=settings.on_conflict),
        settings,
        facts.marker,
        facts,
        create=(lambda: WorldHold(there).create(kind, wanted)) if missing else None,
    )
    return run_migration(there.context(stop), migration)


def test_the_record_comes_first_and_complete_comes_last() -> None:
    """ "Running" precedes creation and every write; "complete" follows the verification."""
    there = world()
    verdict = run(there)
    assert there.log[:2] == ["begin", "create"]
    assert there.log[-3:] == ["verify old", "verify new", "complete"]
    assert there.markers["new"].state is MarkerState.COMPLETE
    assert (verdict.compared, verdict.differences) == (11, 0)


def test_nothing_is_made_where_no_progress_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that cannot be written ends the run before the target is created."""

    def refuse(*_arguments: object) -> None:
        raise IncompleteError("the journal cannot be written")

    there = world()
    with monkeypatch.context() as patch:
        patch.setattr(WorldJournals, "open", refuse)
        with pytest.raises(IncompleteError, match="the journal cannot be written"):
            run(there)
    assert "create" not in there.log
    assert "new" not in there.boxes
    run(there)
    assert there.boxes["new"] == there.boxes["old"]


def test_the_lines_are_those_that_people_know() -> None:
    """Found, batches, success, and only then what was verified."""
    there = world(5)
    run(there)
    untold = {"progress", "phase", "copy-totals"}
    shown = [code for code in there.events.codes if code not in untold]
    assert shown == ["found", "batch", "batch", "batch", "migrated", "verified"]


def test_what_it_came_to_is_left_to_the_record() -> None:
    """Counts of the copy and every difference by key go to the record, however the run ends."""
    there = world(5)
    there.make("new")
    there.boxes["new"]["own"] = "its own"
    run(there)
    assert there.events.texts("copy-totals") == ["Totals for new: 5 keys copied, 0 keys skipped"]
    assert [one.data["keys"] for one in there.events if one.code == "compared-different"] == [
        ["own"]
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 25), max_size=4))
def test_killed_anywhere_any_number_of_times_it_ends_whole(moments: list[int]) -> None:
    """Runs that die at any step leave a world in which the next run finishes the job."""
    there = world()
    source = dict(there.boxes["old"])
    for moment in moments:
        there.kill_at = moment
        try:
            run(there)
        except Killed:
            state = there.markers.get("new")
            whole = there.boxes.get("new") == source
            assert whole or not there.boxes.get("new") or state is not None
            assert state is None or state.state is MarkerState.RUNNING or whole
    there.kill_at = None
    run(there)
    assert there.boxes == {"old": source, "new": source}
    assert there.markers["new"].state is MarkerState.COMPLETE


def test_what_verification_misses_is_copied_again() -> None:
    """A write that was lost without an error is found and made good."""
    there = world()
    there.dropped = {"k03", "k08"}
    run(there)
    assert there.boxes["new"] == there.boxes["old"]


def test_a_source_that_never_holds_still_is_incomplete() -> None:
    """When both sides differ after every round, it is said, and the record stays at running."""
    there = world()
    verify = there.moment

    def write_meanwhile(what: str) -> None:
        verify(what)
        if what == "verify old":
            there.boxes["old"][f"new-{len(there.log)}"] = "v"

    there.moment = write_meanwhile
    with pytest.raises(IncompleteError, match="still differ after 3 copies"):
        run(there)
    assert there.markers["new"].state is MarkerState.RUNNING


def test_a_second_round_begins_no_count_at_zero() -> None:
    """What a script reads goes up only: records in the target, batches, and what was compared."""
    there = world()
    there.dropped = {"k03", "k08"}
    run(there)
    assert there.events.codes.count("found") == 2, "there was a second round"
    for code, field in (("progress", "done"), ("batch", "batch")):
        told = [one.data[field] for one in there.events if one.code == code]
        assert told
        assert told == sorted(told)


def test_what_is_left_behind_is_not_complete_unless_accepted() -> None:
    """Archived objects keep a run incomplete until somebody says that this is all right."""
    there = world()
    there.archived = {"k05"}
    with pytest.raises(IncompleteError, match="1 archived"):
        run(there)
    assert there.markers["new"].state is MarkerState.RUNNING
    assert there.events.texts("compared-equal") == ["Compared old → new: 10 keys the same"]
    verdict = run(there, CopySettings(allow_skipped=True))
    assert there.markers["new"].state is MarkerState.COMPLETE
    assert verdict.differences == 1
    assert "differences: 1 missing" in there.events.texts("warning")


def test_where_every_write_is_denied_nothing_is_called_copied() -> None:
    """The error is no "incomplete", names the action, and leaves nothing on record to pass over."""
    there = world(40)
    there.denied = set(there.boxes["old"])
    with pytest.raises(
        WriteDeniedError, match=r"nothing was copied to new .*it needs box:Put"
    ) as caught:
        run(there)
    assert caught.value.exit_code == 1
    assert there.markers["new"].detail["failure"]["exit_code"] == 1
    assert there.markers["new"].detail["done"] == 0
    assert not {"batch", "migrated", "skipped"} & set(there.events.codes)
    there.denied = set()
    run(there)
    assert there.boxes["new"] == there.boxes["old"]


def test_where_some_writes_are_denied_the_rest_is_copied() -> None:
    """Then it is incomplete, with the advice that fits each cause."""
    there = world(40)
    there.denied, there.archived = {"k03", "k05"}, {"k07"}
    with pytest.raises(IncompleteError, match=r"\(1 archived, 2 denied\), 37 of 40 keys") as caught:
        run(there)
    assert "archived: restore them first; denied: allow what" in str(caught.value)
    there.denied, there.archived = set(), set()
    run(there)
    assert there.boxes["new"] == there.boxes["old"]


def test_writes_that_are_denied_later_leave_what_was_copied() -> None:
    """A run that could copy nothing more is incomplete, and the next one goes on."""
    there = world(60)
    there.denied = {key for key in there.boxes["old"] if key >= "k20"}
    stops = iter([False] * 3)
    with pytest.raises(IncompleteError):
        run(there, stop=lambda: next(stops, True))
    there.denied = set()
    run(there)
    assert there.boxes["new"] == there.boxes["old"]


def test_accepting_what_was_skipped_does_not_make_nothing_a_success() -> None:
    """Where nothing was copied, because all of it is denied, the migration is not complete."""
    there = world(8)
    there.denied = set(there.boxes["old"])
    with pytest.raises(WriteDeniedError, match=r"nothing was copied to new: it needs box:Put"):
        run(there, CopySettings(allow_skipped=True))
    assert there.markers["new"].state is MarkerState.RUNNING


def test_accepting_what_was_skipped_takes_no_copy_of_nothing_for_whole() -> None:
    """Every key is archived: the data has not arrived, whatever the option accepts."""
    there = world(8)
    there.archived = set(there.boxes["old"])
    with pytest.raises(IncompleteError, match="--allow-skipped does not accept an empty copy"):
        run(there, CopySettings(allow_skipped=True))
    assert "migrated" not in there.events.codes
    assert there.markers["new"].state is MarkerState.RUNNING


def test_a_source_that_lost_its_data_since_it_was_seen_is_not_called_migrated() -> None:
    """It was decided to copy because data was there; now nothing is, on either side."""
    there = world(8)
    there.boxes["old"].clear()
    with pytest.raises(IncompleteError, match="nothing was copied to new, because old held no key"):
        run(there)
    assert "migrated" not in there.events.codes
    assert there.markers["new"].state is MarkerState.RUNNING


def test_a_target_that_keeps_its_own_under_every_key_is_told_as_such() -> None:
    """The policy is kept, and the line says that nothing was copied."""
    there = world(3)
    there.make("new")
    there.boxes["new"].update(dict.fromkeys(there.boxes["old"], "its own"))
    run(there, CopySettings(on_conflict=OnConflict.TARGET))
    assert "migrated" not in there.events.codes
    assert any("new keeps its own data for 3 " in t for t in there.events.texts("nothing-to-do"))
    assert there.markers["new"].state is MarkerState.COMPLETE


def test_a_cured_cause_is_tried_again() -> None:
    """A run after an incomplete one copies what was left behind, once it can."""
    there = world()
    there.archived = {"k05"}
    with pytest.raises(IncompleteError):
        run(there)
    there.archived.clear()
    run(there)
    assert there.boxes["new"] == there.boxes["old"]


def test_a_conflict_keeps_the_targets_own() -> None:
    """What the target holds of its own is never replaced; it is reported."""
    there = world()
    there.make("new")
    there.boxes["new"]["k04"] = "its own"
    with pytest.raises(IncompleteError, match="1 conflict"):
        run(there)
    run(there, CopySettings(on_conflict=OnConflict.TARGET))
    assert there.boxes["new"] == {**there.boxes["old"], "k04": "its own"}
    assert there.markers["new"].state is MarkerState.COMPLETE


def test_more_in_the_target_is_told_but_no_failure() -> None:
    """An app that already writes to the target does not make the migration fail."""
    there = world()
    there.make("new")
    there.boxes["new"]["z"] = "written by the app"
    run(there)
    assert "differences: 1 extra" in there.events.texts("warning")
    assert there.markers["new"].state is MarkerState.COMPLETE


def test_a_second_run_writes_nothing() -> None:
    """Running a complete migration again finds everything as it is."""
    there = world()
    run(there)
    there.log.clear()
    before = dict(there.boxes["new"])
    run(there)
    assert there.boxes["new"] == before
    assert there.events.texts("verified")[-1] == "Verified 11 keys: all by content"


def test_an_unreadable_target_is_left_alone() -> None:
    """What cannot be verified is not written, and nothing is recorded."""
    there = world()
    there.make("new")
    problem = Problem("ListObjectsV2", "AccessDenied", "s3:ListBucket")
    facts = replace(there.facts("new"), content=Content.UNKNOWN, problems=(problem,))
    migration = Migration(box_kind(there), CopyOrder(OLD, NEW), PLAIN, facts.marker, facts)
    with pytest.raises(IncompleteError, match=r"nothing was copied.*s3:ListBucket"):
        run_migration(there.context(), migration)
    assert there.log == []


def test_a_recreated_target_is_filled_from_the_start() -> None:
    """Checkpoints tell of one very target; its namesake gets everything anew."""
    there = world()
    there.kill_at = 12
    with pytest.raises(Killed):
        run(there)
    there.kill_at = None
    del there.boxes["new"]
    there.make("new")
    run(there)
    assert there.boxes["new"] == there.boxes["old"]


def test_a_lost_journal_goes_on_from_the_marker() -> None:
    """On another machine the checkpoint in the marker stands for the journal."""
    there = world(40)
    there.kill_at = 30
    with pytest.raises(Killed):
        run(there)
    there.kill_at = None
    there.journals.clear()
    run(there)
    assert there.boxes["new"] == there.boxes["old"]


def test_a_lost_lock_ends_the_run() -> None:
    """A run that another one has replaced does not write "complete"."""
    there = world()
    there.taken_over = True
    with pytest.raises(RefusedError, match="took the lock"):
        run(there)
    assert there.boxes.get("new") in (None, {})


def test_a_wish_to_stop_is_incomplete_and_lets_the_next_run_in() -> None:
    """Stopped by a person, the record says running and nobody holds the lock."""
    there = world()
    with pytest.raises(IncompleteError):
        run(there, stop=lambda: "write k03" in there.log)
    assert there.log[-1] == "release"
    run(there)
    assert there.boxes["new"] == there.boxes["old"]


def test_the_phases_are_told_here_and_on_record() -> None:
    """Creating, looking and verifying take their time, and none of them looks hung."""
    there = world()
    seen: list[object] = []
    moment = there.moment

    def note(what: str) -> None:
        moment(what)
        if what == "verify old":
            seen.append([one.data["phase"] for one in there.events if one.code == "phase"])

    there.moment = note  # type: ignore[method-assign] # to look on the way
    run(there)
    assert seen == [["creating", "looking", "verifying"]]


def test_why_a_run_ended_is_on_record_until_the_next_one() -> None:
    """An operator sees the reason without the log; a run that goes on does not inherit it."""
    there = world()
    there.archived = {"k03"}
    with pytest.raises(IncompleteError):
        run(there)
    ended = there.markers["new"].detail["failure"]
    assert ended["exit_code"] == 4
    assert "1 key not copied to new (1 archived)" in ended["reason"]
    assert there.markers["new"].detail["done"] == 10
    assert there.markers["new"].detail["skipped"] == 1
    there.archived = set()
    run(there)
    assert "failure" not in there.markers["new"].detail


def test_a_run_that_is_stopped_at_once_says_so() -> None:
    """Ctrl-C twice, or an error that nobody expected, leaves its mark, too."""
    there = world()
    moment = there.moment

    def interrupt(what: str) -> None:
        moment(what)
        if what == "write k05":
            raise KeyboardInterrupt

    there.moment = interrupt  # type: ignore[method-assign] # a person at the keyboard
    with pytest.raises(KeyboardInterrupt):
        run(there)
    ended = there.markers["new"].detail["failure"]
    assert ended == {"exit_code": 4, "reason": "stopped immediately by a person or the system"}

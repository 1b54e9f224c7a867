"""A service fills the target of a migration: whatever ends a run, nobody's data is replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.copier import CopyOrder
from dataware.core.engines.card import EngineName
from dataware.core.engines.port import JobProgress, Record
from dataware.core.errors import IncompleteError, LookupFailedError, NotFoundError
from dataware.core.model import Location, MarkerState, OnConflict, Wanted
from dataware.core.ports import Clock, Journal
from dataware.ops.context import Context, CopySettings
from dataware.ops.copy_job_run import (
    LOOKS,
    REPORT_LOOKS,
    UNKNOWN_LOOKS,
    make_copy_job_run,
)
from dataware.ops.migration_policy import Migration
from dataware.ops.run_migration import run_migration
from dataware.verify import pausable_stop
from support.asked_pause import AskedMarkers, PauseWish, note_work
from support.copying import Killed
from support.world import World, WorldAws, WorldHold, box_kind

OLD = Location("old", "111122223333", "eu-central-1")
NEW = Location("new", "111122223333", "eu-central-1")
NEVER_REPLACED = "somebody else's"


@dataclass
class BoxJobs:
    """A service that copies by jobs, and replaces what it finds, as S3 does.

    A job copies when it is looked at `patience` times after it was confirmed. `meddle` is called
    at every step with what it is.
    """

    world: World
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    meddle: Callable[[str], None] = lambda _step: None
    patience: int = 1
    broken: str = ""
    reported: list[Mapping[str, str]] = field(default_factory=list)
    cleaned: int = 0

    def _step(self, what: str) -> None:
        self.world.moment(what)
        self.meddle(what)

    def plan(self, _run: str, _target: Location, before: Record) -> Record:
        """A token for each attempt."""
        attempt = int(before.get("attempt", 0)) + 1
        return {"token": f"token-{attempt}", "attempt": attempt}

    def list_work(
        self, record: Record, _order: CopyOrder, _clock: Clock, check: Callable[[], None]
    ) -> Record:
        """The keys that the target lacks."""
        check()
        seen = dict(self.world.boxes["new"])
        keys = sorted(self.world.boxes["old"].keys() - seen.keys())
        self._step("listed")
        manifest = {"count": len(keys), "keys": keys} if keys else None
        return {**record, "seen": seen, "manifest": manifest}

    def begin(self, record: Record, _order: CopyOrder) -> Record:
        """One job for one token."""
        token = record["token"]
        self.jobs.setdefault(token, {"state": "waits", "keys": record["manifest"]["keys"]})
        self._step("asked")
        return {**record, "job": token}

    def still_fits(self, record: Record, _order: CopyOrder, _check: Callable[[], None]) -> bool:
        """Whether the target is as it was listed."""
        return bool(self.world.boxes["new"] == record["seen"])

    def confirm(self, record: Record) -> None:
        """Let it begin."""
        job = self.jobs[record["job"]]
        if job["state"] == "waits":
            job.update(state="copies", left=self.patience)
        self._step("confirmed")

    def cancel(self, record: Record) -> bool:
        """End it at once."""
        job = self.jobs.get(record.get("job", ""))
        if job and job["state"] in ("waits", "copies"):
            job["state"] = "cancelled"
        self._step("cancelled")
        return True

    def look(self, record: Record) -> JobProgress:
        """How far it is; a look is also when it copies."""
        self._step("looked")
        job = self.jobs[record["job"]]
        if job["state"] == "gone" or job.get("unseen"):
            return JobProgress(0, 0, ended=True, problem="it is gone", unknown=True)
        if job["state"] == "copies":
            job["left"] -= 1
            if job["left"] < 0:
                for key in job["keys"]:
                    if key in self.world.boxes["old"]:
                        self.world.boxes["new"][key] = self.world.boxes["old"][key]
                job["state"] = "failed" if self.broken else "done"
        ended = job["state"] in ("done", "failed", "cancelled")
        problems = {"failed": self.broken or "it failed", "cancelled": "it is cancelled"}
        problem = problems.get(job["state"], "")
        waits = job["state"] == "waits"
        return JobProgress(0, len(job["keys"]), ended, problem, job["state"], waits)

    def read_result(
        self, record: Record, journal: Journal, _check: Callable[[], None]
    ) -> tuple[int, int]:
        """Everything was copied, but what the report names."""
        if self.reported:
            journal.append({"type": "engine-failed", "keys": self.reported})
        return len(self.jobs[record["job"]]["keys"]), 0

    def clean(self, _record: Record) -> None:
        """Nothing is left."""
        self.cleaned += 1

    def list_parts(self, record: Record) -> list[str]:
        """The job."""
        return [record["job"]]


@dataclass(frozen=True)
class PausableAws(WorldAws):
    """A control plane whose pauses are ended by a wish to stop."""

    stop: Callable[[], bool] = lambda: False

    def pause(self, _seconds: float) -> None:
        """Wait no time. Raises IncompleteError on a stop."""
        if self.stop():
            raise IncompleteError("stopped")


def world(keys: int = 5) -> World:
    """A world in which only the old box holds data."""
    return World(boxes={"old": {f"k{n}": f"v{n}" for n in range(keys)}}, identities={"old": 1})


def run(
    jobs: BoxJobs,
    stop: Callable[[], bool] = lambda: False,
    on_conflict: OnConflict | None = None,
    alter: Callable[[Context], Context] = lambda context: context,
) -> None:
    """One run, as apply would start it with an engine that fills."""
    there = jobs.world
    kind, facts = box_kind(there), there.facts("new")
    wanted = Wanted("Box", kind.cfn_type, "new", ("old",))
    missing = "new" not in there.boxes
    migration = Migration(
        kind,
        CopyOrder(OLD, NEW, on_conflict=on_conflict),
        CopySettings(on_conflict=on_conflict),
        facts.marker,
        facts,
        create=(lambda: WorldHold(there).create(kind, wanted)) if missing else None,
    )
    context = replace(there.context(stop), aws=PausableAws(there, stop=stop))
    steps = make_copy_job_run(EngineName.BATCH, jobs)
    run_migration(alter(context), migration, make_run=steps)


def check_complete(jobs: BoxJobs) -> None:
    """All data is there, and the record says so."""
    there = jobs.world
    assert there.boxes["old"].items() <= there.boxes["new"].items()
    assert there.markers["new"].state is MarkerState.COMPLETE


def test_a_job_fills_and_the_record_tells_each_step_before_it_is_taken() -> None:
    """Listed, asked for, confirmed, done: then what only the work needed is removed."""
    jobs = BoxJobs(world())
    run(jobs)
    check_complete(jobs)
    assert jobs.cleaned == 1
    assert [job["state"] for job in jobs.jobs.values()] == ["done"]
    codes = jobs.world.events.codes
    assert codes.index("job-begun") < codes.index("job-ended") < codes.index("verified")
    assert "do not write to new until the job has ended" in jobs.world.events.texts("note")[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=4), st.data())
def test_killed_anywhere_nothing_that_others_wrote_meanwhile_is_replaced(
    moments: list[int], data: st.DataObject
) -> None:
    """Between two runs somebody writes under keys of the source; the job of before stays away."""
    jobs = BoxJobs(world())
    there = jobs.world
    written: dict[str, str] = {}
    for moment in moments:
        there.kill_at = moment
        try:
            run(jobs)
        except (Killed, IncompleteError):
            there.kill_at = None
        if "new" in there.boxes and not confirmed(jobs):
            absent = sorted(there.boxes["old"].keys() - there.boxes["new"].keys())
            some = data.draw(st.lists(st.sampled_from(absent), max_size=2)) if absent else []
            for key in some:
                there.boxes["new"][key] = written[key] = NEVER_REPLACED
    there.kill_at = None
    run(jobs, on_conflict=OnConflict.TARGET)
    there.boxes["old"].update(written)
    assert there.boxes["new"] == there.boxes["old"]
    assert there.markers["new"].state is MarkerState.COMPLETE


def confirmed(jobs: BoxJobs) -> bool:
    """Whether a job is at work, against which a service knows no condition."""
    return any(job["state"] == "copies" for job in jobs.jobs.values())


def test_what_appears_before_a_job_begins_is_listed_around() -> None:
    """The job that would replace it is ended, and another one has all other keys."""
    jobs = BoxJobs(world())

    def meddle(step: str) -> None:
        if step == "asked" and len(jobs.jobs) == 1:
            jobs.world.boxes["new"]["k2"] = NEVER_REPLACED

    jobs.meddle = meddle
    run(jobs, on_conflict=OnConflict.TARGET)
    assert jobs.world.boxes["new"]["k2"] == NEVER_REPLACED
    assert [job["state"] for job in jobs.jobs.values()] == ["cancelled", "done"]
    assert "k2" not in jobs.jobs["token-2"]["keys"]
    assert jobs.world.boxes["new"].keys() == jobs.world.boxes["old"].keys()
    warned = " ".join(jobs.world.events.texts("warning"))
    assert "new has changed since it was listed" in warned
    assert "holds 1 key of somebody else" in warned


def test_a_target_that_is_never_still_is_left_to_this_machine() -> None:
    """A copy with conditions replaces nothing, so no job begins."""
    jobs = BoxJobs(world())

    def meddle(step: str) -> None:
        if step == "asked":
            jobs.world.boxes["new"][f"theirs-{len(jobs.jobs)}"] = NEVER_REPLACED

    jobs.meddle = meddle
    run(jobs)
    check_complete(jobs)
    assert [job["state"] for job in jobs.jobs.values()] == ["cancelled"] * LOOKS
    assert "so this machine copies instead and replaces nothing" in " ".join(
        jobs.world.events.texts("warning")
    )


def test_a_stop_leaves_the_job_to_the_next_run() -> None:
    """It is told with what ends it, and the same command goes on with the same job."""
    jobs, asked = BoxJobs(world(), patience=10), [False]

    def meddle(step: str) -> None:
        asked[0] = asked[0] or step == "confirmed"

    jobs.meddle = meddle
    with pytest.raises(IncompleteError, match=r"goes on in AWS.*dataware forget new"):
        run(jobs, stop=lambda: asked[0])
    run(jobs)
    check_complete(jobs)
    assert len(jobs.jobs) == 1


def test_a_stop_while_the_work_is_listed_begins_no_job() -> None:
    """Nothing was asked for yet."""
    jobs = BoxJobs(world())
    with pytest.raises(IncompleteError):
        run(jobs, stop=lambda: "new" in jobs.world.boxes)
    assert not jobs.jobs


def test_how_far_a_job_is_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at every look, which come close together at first."""
    jobs = BoxJobs(world(), patience=4)
    monkeypatch.setattr("dataware.ops.engine_run.TELL_SECONDS", 0.0)
    run(jobs)
    told = [one.data["state"] for one in jobs.world.events if one.code == "job-progress"]
    assert told == ["waits", *["copies"] * 4]


def test_a_job_that_was_given_up_is_ended_before_anything_is_listed() -> None:
    """A run that is killed while it ends a job has that on record."""
    jobs = BoxJobs(world(), patience=50)

    def meddle(step: str) -> None:
        if step == "asked" and len(jobs.jobs) == 1:
            jobs.world.boxes["new"]["k2"] = NEVER_REPLACED
        if step == "cancelled" and jobs.world.kill_at is None:
            jobs.world.kill_at = 0

    jobs.meddle = meddle
    with pytest.raises(Killed):
        run(jobs)
    jobs.world.kill_at, jobs.meddle, jobs.patience = None, lambda _step: None, 1
    jobs.jobs["token-1"]["state"] = "copies"
    jobs.jobs["token-1"]["left"] = 50
    run(jobs, on_conflict=OnConflict.TARGET)
    assert jobs.world.boxes["new"]["k2"] == NEVER_REPLACED
    assert [job["state"] for job in jobs.jobs.values()] == ["cancelled", "done"]


def test_a_job_that_failed_is_followed_by_another_one() -> None:
    """The reason is told, and the same command begins anew with what is left."""
    jobs = BoxJobs(world(), broken="the role may not read")
    with pytest.raises(IncompleteError, match="the role may not read"):
        run(jobs)
    jobs.broken = ""
    jobs.world.boxes["new"].clear()
    run(jobs)
    check_complete(jobs)
    assert len(jobs.jobs) == 2


@pytest.mark.parametrize("state", ["failed", "cancelled", "gone"])
def test_a_job_that_ended_while_nobody_watched_costs_one_command(state: str) -> None:
    """Failed, ended by somebody, or deleted by its service: the next run begins another one."""
    jobs = BoxJobs(world())
    jobs.world.kill_on = "confirmed"
    with pytest.raises(Killed):
        run(jobs)
    jobs.jobs["token-1"]["state"] = state
    run(jobs)
    check_complete(jobs)
    assert len(jobs.jobs) == 2
    (told,) = jobs.world.events.texts("warning")
    assert "the job token-1 of an earlier run ended early (it " in told


def test_a_job_that_is_not_known_at_once_is_waited_for() -> None:
    """A service may not know it right after it was made."""
    jobs, unseen = BoxJobs(world()), [UNKNOWN_LOOKS - 1]

    def meddle(step: str) -> None:
        if step == "looked" and unseen[0]:
            unseen[0] -= 1
            jobs.jobs["token-1"]["unseen"] = True
        elif step == "looked":
            jobs.jobs["token-1"].pop("unseen", None)

    jobs.meddle = meddle
    run(jobs)
    check_complete(jobs)
    assert len(jobs.jobs) == 1


def test_a_pause_ends_the_job_and_another_one_copies_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A service knows no pause, and during one nothing may be copied."""
    jobs, wish, told = BoxJobs(world(), patience=3), PauseWish(), note_work(monkeypatch)

    def meddle(step: str) -> None:
        if step == "confirmed" and len(jobs.jobs) == 1:
            wish.is_paused = True

    def resume(_seconds: float) -> None:
        assert [job["state"] for job in jobs.jobs.values()] == ["cancelled"]
        assert told[-1] == ""  # what is ended is not told as under way
        wish.is_paused = False

    monkeypatch.setattr(pausable_stop, "time", SimpleNamespace(sleep=resume))
    jobs.meddle = meddle
    run(jobs, alter=lambda one: replace(one, markers=AskedMarkers(jobs.world, wish)))
    check_complete(jobs)
    assert [job["state"] for job in jobs.jobs.values()] == ["cancelled", "done"]
    assert "copies, 0 of 5 keys done" in told
    assert told[-1] == ""


@pytest.mark.parametrize("late", [2, 99])
def test_a_report_that_comes_late_or_never_keeps_no_migration_from_its_end(
    late: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is copied is decided by both listings, so a report that is gone is only told."""
    jobs = BoxJobs(world())
    there = jobs.world
    read, missing = BoxJobs.read_result, [late]

    def miss(*given: Any) -> tuple[int, int]:
        if missing[0]:
            missing[0] -= 1
            raise NotFoundError("manifest.json in the bucket does not exist")
        return read(*given)

    monkeypatch.setattr(BoxJobs, "read_result", miss)
    run(jobs)
    check_complete(jobs)
    warnings = [text for text in there.events.texts("warning") if "left no report" in text]
    assert bool(warnings) is (late > REPORT_LOOKS)


def test_a_report_that_cannot_be_read_is_told_once_and_keeps_no_migration_from_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next command would find the same report, so that nobody would ever get past it."""
    jobs = BoxJobs(world())
    reads: list[int] = []

    def fail(*_given: Any) -> tuple[int, int]:
        reads.append(1)
        raise LookupFailedError("a row of a report has 7 cells, not 8")

    monkeypatch.setattr(BoxJobs, "read_result", fail)
    run(jobs)
    check_complete(jobs)
    warnings = [text for text in jobs.world.events.texts("warning") if "7 cells, not 8" in text]
    assert (len(warnings), len(reads)) == (1, 1)
    assert "cannot be read" in warnings[0]


def test_a_target_that_somebody_put_in_the_place_of_ours_gets_no_job() -> None:
    """Neither from the next run nor from the one after it: a job replaces what it finds."""
    jobs = BoxJobs(world())
    there = jobs.world

    def die(step: str) -> None:
        if step == "listed":
            raise Killed(step)

    jobs.meddle = die
    with pytest.raises(Killed):
        run(jobs)
    jobs.meddle = lambda _step: None
    del there.boxes["new"]
    there.make("new")
    there.boxes["new"]["k1"] = NEVER_REPLACED
    for _ in range(2):
        with pytest.raises(IncompleteError, match="1 conflict"):
            run(jobs)
    assert there.boxes["new"]["k1"] == NEVER_REPLACED
    assert not jobs.jobs


def test_what_a_job_reports_is_named() -> None:
    """Some of the keys, with what the service says of them."""
    jobs = BoxJobs(world(), reported=[{"key": f"k{n}", "why": "AccessDenied"} for n in range(5)])
    run(jobs)
    check_complete(jobs)
    (warning,) = [text for text in jobs.world.events.texts("warning") if "did not copy" in text]
    assert "k0 (AccessDenied), k1 (AccessDenied), k2 (AccessDenied); this machine" in warning

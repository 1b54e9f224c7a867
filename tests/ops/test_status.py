"""The state of every migration on record, from the record alone and with the journal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dataware.core.errors import InputError, LookupFailedError
from dataware.core.events import event
from dataware.core.model import Marker, MarkerState, Problem
from dataware.ops.context import NoJournals
from dataware.ops.status import (
    MigrationStatus,
    amount,
    check_seen,
    runs_on_record,
    status,
    with_shared_names,
)
from dataware.report.runs import runs_text
from support.world import World

RUNNING: dict[str, Any] = {
    "phase": "copying",
    "done": 45_000,
    "total": 100_000,
    "unit": "item",
    "rate": 2300.4,
    "seconds_left": 24,
    "retries": 3,
    "throttled": 12,
    "reason": "Put returned SlowDown",
}


def marker(alive: bool = False, age: float = 4.0, **detail: Any) -> Marker:
    """The record of a migration from "old" that has begun."""
    return Marker(MarkerState.RUNNING, "old", "r1", alive=alive, heartbeat_age=age, detail=detail)


def told(**markers: Marker) -> list[str]:
    """The lines about some records."""
    there = World(markers=markers)
    status(there.context())
    return there.events.texts("migration-status")


def test_a_running_one_tells_everything_that_is_known() -> None:
    """Phase, how far, rate, time left, retries, throttling and why, and the sign of life."""
    assert told(new=marker(alive=True, **RUNNING)) == [
        "old → new: running: copying, 45,000 of 100,000 items (45 %), 2,300/s, 24 s left, 3 "
        "retries, throttled 12 times, slow: Put returned SlowDown; last heartbeat 4 s ago; run "
        "r1"
    ]


def test_a_bound_that_a_person_has_set_is_why_it_is_slow() -> None:
    """Also where no answer was ever throttled."""
    held = {**RUNNING, "throttled": 0, "retries": 0, "reason": "held at 500/s by --max-rate"}
    assert (
        "24 s left, slow: held at 500/s by --max-rate;" in told(new=marker(alive=True, **held))[0]
    )


def test_without_a_sign_of_life_it_is_interrupted() -> None:
    """A run that was killed could not say why; a rate of the past is not told."""
    assert told(new=marker(age=7200, done=3, total=5)) == [
        "old → new: interrupted: 3 of 5 units (60 %); last heartbeat 2 h ago; run r1"
    ]


@pytest.mark.parametrize(
    ("code", "state"), [(4, "incomplete"), (3, "stopped"), (1, "failed"), ("?", "failed")]
)
def test_a_run_that_could_say_goodbye_says_why(code: object, state: str) -> None:
    """The last run's end is the state, and its reason a part of the line."""
    ended = {"exit_code": code, "reason": "allow ssm:PutParameter."}
    assert told(new=marker(failure=ended)) == [
        f"old → new: {state}: allow ssm:PutParameter; ended 4 s ago; run r1"
    ]


def test_what_is_counted_is_known_from_the_kind() -> None:
    """A run that was killed early left no word for it in its record."""
    detail = {"done": 3, "total": 5}
    for kind, unit in (("dynamodb-table", "items"), ("s3-bucket", "objects"), ("newer", "units")):
        run = MigrationStatus(kind, "new", "old", "interrupted", "r1", detail)
        assert amount(run) == f"3 of 5 {unit} (60 %)"


def test_what_was_skipped_stands_beside_what_is_done() -> None:
    """It is no part of it, so a run that skipped something is not at its end."""
    detail = {"done": 9, "total": 12, "skipped": 3}
    assert amount(MigrationStatus("s3-bucket", "new", "old", "incomplete", "r1", detail)) == (
        "9 of 12 objects (75 %), 3 skipped"
    )


def test_a_complete_one_tells_what_was_verified() -> None:
    """Nothing else of it matters any more."""
    detail = {"verified": 5, "unit": "key"}
    whole = Marker(MarkerState.COMPLETE, "old", "r1", heartbeat_age=86400.0 * 3, detail=detail)
    assert told(new=whole) == ["old → new: complete: 5 keys verified; ended 3 days ago; run r1"]


NEWER = "the marker /m/new was written by a newer version of dataware: upgrade dataware"
UNSEEN = Marker(
    MarkerState.UNKNOWN,
    heartbeat_age=4.0,
    problem=Problem("GetParameter", "UnreadableMarker", None, NEWER),
)


def test_a_record_that_cannot_be_read_is_a_row_among_the_others() -> None:
    """It says why and what to do; the others are told as ever."""
    assert told(new=UNSEEN, other=marker(age=7200)) == [
        f"unknown → new: unknown: {NEWER}; last written 4 s ago",
        "old → other: interrupted: last heartbeat 2 h ago; run r1",
    ]


def test_who_cannot_see_everything_does_not_end_as_if() -> None:
    """The sentence of the first one that could not be read, and how many there are."""
    there = World(markers={"new": UNSEEN, "other": marker(), "third": UNSEEN})
    with pytest.raises(
        LookupFailedError, match=f"^2 of 3 records cannot be read, such as: {NEWER}$"
    ):
        check_seen(status(there.context()))
    with pytest.raises(LookupFailedError, match=f"^{NEWER}$"):
        check_seen(status(there.context(), "new"))
    check_seen(status(there.context(), "other"))


def test_an_estimate_is_told_as_one_and_no_longer_once_it_was_too_low() -> None:
    """ "100 of about 50" is no figure for people."""
    few = marker(alive=True, done=30, total=50, exact=False)
    assert "30 of about 50 units" in told(new=few)[0]
    assert "100 units" in told(new=replace(few, detail={**few.detail, "done": 100}))[0]


def test_what_runs_comes_first_and_what_is_complete_last() -> None:
    """At three in the morning the first lines are those that matter."""
    done = Marker(MarkerState.COMPLETE, "old", heartbeat_age=1.0)
    there = World(markers={"a": done, "b": marker(age=500), "c": marker(alive=True)})
    assert [run.target for run in runs_on_record(there.context())] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("arn:aws:dynamodb:eu-central-1:111122223333:table/new", True),
        ("arn:aws:s3:::new", True),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/new", False),
        ("arn:aws:dynamodb:eu-central-1:999988887777:table/new", False),
    ],
)
def test_a_target_may_be_given_by_its_arn(text: str, found: bool) -> None:
    """An ARN of this account and region means the name that the record has, and no other does."""
    context = World(markers={"new": marker(), "other": marker()}).context()
    if found:
        assert [run.target for run in runs_on_record(context, text)] == ["new"]
        return
    with pytest.raises(InputError, match="and so is the record of a migration into it, but this"):
        runs_on_record(context, text)


@pytest.mark.parametrize("name", ["new", "box://new"])
def test_one_of_them_can_be_chosen(name: str) -> None:
    """By its name or its address."""
    there = World(markers={"new": marker(), "other": marker()})
    assert [run.target for run in status(there.context(), name)] == ["new"]


def test_an_unknown_name_is_bad_input() -> None:
    """A name that was mistyped is not "nothing to do"."""
    with pytest.raises(InputError, match="no migration into nwe is recorded in account"):
        status(World(markers={"new": marker()}).context(), "nwe")


def test_without_records_it_says_so() -> None:
    """No migration is a fact worth a line."""
    there = World()
    assert status(there.context()) == []
    assert there.events.codes == ["nothing-to-do"]


def journal_of(run: str) -> list[dict[str, Any]]:
    """A journal in which one of two partitions is done, and a key was left behind."""
    left = [{"key": "k", "reason": "archived", "detail": "w"}]
    counts = {"copied": 40, "same": 2, "bytes": 1, "skipped": 1}
    return [
        {"type": "run", "run": run, "identity": None},
        {"type": "partitions", "partitions": ["0", "1"]},
        {"type": "checkpoint", "partition": "0", "cursor": None, "skipped_keys": left, **counts},
    ]


class KnownJournal(NoJournals):
    """The same journal for every target."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.records = records

    def read(self, _kind: str, _target: str) -> list[dict[str, Any]]:
        """What it says."""
        return self.records


@pytest.mark.parametrize(("run", "known"), [("r1", True), ("another", False)])
def test_a_journal_of_the_same_run_adds_what_it_knows(run: str, known: bool) -> None:
    """From where the next run goes on here; another run's journal says nothing of this one."""
    there = World(markers={"new": marker(unit="key")})
    context = replace(there.context(), journals=KnownJournal(journal_of(run)))
    (shown,) = status(context)
    text = "local checkpoint after 42 keys, 1 of 2 parts done, skipped: 1 archived"
    assert (text in there.events.texts("migration-status")[0]) is known
    assert bool(shown.local) is known


def test_the_age_of_the_figures_is_not_younger_than_the_record() -> None:
    """A sign of life may carry figures that are older than itself."""
    run = MigrationStatus("k", "new", "old", "running", "r", {"stale": 20}, age=4.0)
    assert run.figures_age == 24.0
    assert run.words()["figures_age"] == 24


@pytest.mark.parametrize("name", ["old", "s3://old", "r1", "r"])
def test_a_source_or_a_run_names_its_migrations(name: str) -> None:
    """Where no target is so named; a target that is goes first."""
    there = World(markers={"new": marker(), "other": replace(marker(), source="x", run="q9")})
    assert [run.target for run in runs_on_record(there.context(), name)] == ["new"]
    there.markers["old"] = replace(marker(), source="x", run="q8")
    found = [run.target for run in runs_on_record(there.context(), name)]
    assert found == (["old"] if "old" in name else ["new"])


@pytest.mark.parametrize("name", ["20261128-192754-941-3e", "20261128-1927", "r1"])
def test_one_id_is_shown_and_both_are_found(name: str) -> None:
    """That of the command's run, by which its report is asked for; the migration's finds it too."""
    run = "20261128-192754-941-3e"
    there = World(markers={"new": marker(command_run=run), "more": marker(command_run=run)})
    found = status(there.context(), name)
    assert [one.target for one in found] == ["more", "new"]
    assert all(text.endswith(f"run {run}") for text in there.events.texts("migration-status"))
    assert {one.words()["run"] for one in found} == {"r1"}
    assert {one.words()["command_run"] for one in found} == {run}


def test_an_id_that_no_record_names_is_resolved() -> None:
    """As that of a run whose migration a later run has continued."""
    there = World(markers={"new": marker(command_run="20261129-000000-000-00")})
    found = status(there.context(), "20261128-192754-941-3e", lambda _name: "r1")
    assert [one.target for one in found] == ["new"]


def test_two_targets_of_one_name_are_told_with_their_kinds() -> None:
    """A table and a bucket may share a name, and their lines, rows and titles differ."""
    runs = with_shared_names(
        MigrationStatus(kind, name, "old", "complete", "r1", {})
        for kind, name in (("dynamodb-table", "x"), ("s3-bucket", "x"), ("s3-bucket", "y"))
    )
    assert [run.title for run in runs] == ["x (table)", "x (bucket)", "y"]
    assert [run.words()["name"] for run in runs] == ["x", "x", "y"]
    texts = [event("migration-status", progress="", **run.words()).text() for run in runs]
    assert texts[:2] == ["old → x (table): complete", "old → x (bucket): complete"]
    table = [line.plain for line in runs_text(runs, 200)]
    assert [line.split("  ")[0] for line in table[1:]] == ["x (table)", "x (bucket)", "y"]
    narrow = [line.plain for line in runs_text(runs, 30)]
    assert "old → x (table)" in narrow


def test_a_follow_tells_of_conflicts_and_of_writers_that_may_be_stopped() -> None:
    """Both need a person, and neither shows in the keys that wait."""
    frozen = {"state": "frozen", "freeze_limit": 300.0, "freeze_began": 1.0}
    figures = {"phase": "following", "rate": 3.0, "seconds_left": 0, "lag": 2.0, "dirty": 0}
    (text,) = told(new=marker(alive=True, **figures, conflicts=2, cutover=frozen))
    assert "0 changed keys waiting, 2 conflicts kept, its writers may be stopped by" in text
    assert "left" not in text
    (text,) = told(new=marker(alive=True, **figures, cutover={**frozen, "state": "following"}))
    assert "stopped" not in text
    (text,) = told(new=marker(alive=True, **figures, cutover={"state": "of a newer version"}))
    assert "stopped" not in text


@pytest.mark.parametrize(
    ("state", "way"),
    [
        ("switched", ""),
        ("reversible", "; `dataware undo` goes back until 2025-11-29 21:00 UTC"),
        ("closed", "; closed, so it cannot be undone"),
    ],
)
def test_after_a_cut_over_it_says_until_when_there_is_a_way_back(state: str, way: str) -> None:
    """And how much somebody wrote on the old side since; both stand in the table as well."""
    until = {} if state == "switched" else {"reversible_until": 1_764_450_000.0}
    record = {"state": state, "freeze_limit": 300.0, "strays": 2, **until}
    switched = replace(marker(cutover=record), state=MarkerState.COMPLETE)
    expected = f"cut over{way}; 2 keys written in old after that"
    (text,) = told(new=switched)
    assert expected in text
    (run,) = runs_on_record(World(markers={"new": switched}).context())
    assert expected in " ".join(line.plain for line in runs_text([run], 400))
    copied = replace(
        marker(cutover={"state": "copying", "freeze_limit": 300.0}), state=MarkerState.COMPLETE
    )
    assert "cut over" not in told(new=copied)[0]


def test_a_migration_that_left_something_out_is_partial() -> None:
    """Never "complete", and with all that it left out; a table shows it like one that has ended."""
    detail = {"verified": 5, "unit": "item", "not_carried": ["passwords", "MFA secrets"]}
    record = Marker(MarkerState.COMPLETE, "old", "r1", detail=detail)
    there = World(markers={"new": record})
    (run,) = status(there.context())
    assert (run.state, amount(run)) == (
        "partial",
        "5 items verified, without passwords and MFA secrets",
    )
    assert "complete" not in " ".join(there.events.texts("migration-status"))
    for width in (60, 200):
        text = " ".join(line.plain for line in runs_text([run], width))
        assert "partial" in text
        assert "complete" not in text


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (
            {"state": "RUNNING", "done": 3, "total": 10, "unit": "part"},
            "RUNNING, 3 of 10 parts done",
        ),
        (
            {"done": 3, "total": 10, "failed": 1, "running": 2},
            "3 of 10 items done, 1 failed, 2 under way",
        ),
        (
            {"done": 1, "unit": "part", "items": 3000, "of": 9000},
            "1 part done, about 3,000 of 9,000 items",
        ),
        (
            {"state": "IN_PROGRESS", "done": 1200, "total": 90, "rate": 12.7},
            "IN_PROGRESS, 1,200 items done, 12/s",
        ),
        ({"state": 7, "done": "x", "total": None, "failed": -1, "rate": float("inf")}, ""),
        ("garbled", ""),
    ],
)
def test_work_of_a_service_is_told_as_its_service_tells_it(work: object, words: str) -> None:
    """In place of the figures of a copy; what others wrote into the record is no figure."""
    (text,) = told(new=marker(alive=True, phase="copying", unit="item", work=work))
    far = f"copying, {words}" if words else "copying"
    assert text == f"old → new: running: {far}; last heartbeat 4 s ago; run r1"

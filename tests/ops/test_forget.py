"""Forgetting a migration: only what was shown, only what is not alive, never without a copy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataware.core.copier import CopyOrder
from dataware.core.engines.card import ENGINE
from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    InputError,
    LookupFailedError,
    RefusedError,
)
from dataware.core.model import Location, Marker, MarkerState
from dataware.kinds import kinds
from dataware.kinds.dynamodb_table.export.bulk_put import TableBulkPut
from dataware.kinds.dynamodb_table.export.table_import import TableImport
from dataware.kinds.s3_bucket.batch.job import BatchCopy
from dataware.ops.context import Context
from dataware.ops.engine_leftovers import LOOKS, sweep_leftovers
from dataware.ops.forget import (
    ForgettableRecord,
    find_record,
    forget,
    give_up_work,
    report_record,
)
from dataware.state import ParameterMarkers
from dataware.state.forgotten import keep_record
from dataware.state.holder import Holder
from dataware.state.markers import ALIVE_SECONDS
from support.copying import LoopClock
from support.memory_batch import BatchAccount
from support.memory_buckets import stored
from support.memory_exports import NOON, MemoryExports, refuse
from support.parameters import FakeParameters
from support.world import World

ROLE = "arn:aws:iam::111122223333:role/batch"
TABLE, BUCKET = "dynamodb-table", "s3-bucket"


class Desk:
    """A person who forgets records of a Parameter Store."""

    def __init__(self) -> None:
        self.store, self.world = FakeParameters(), World()
        self.kept: list[Mapping[str, Any]] = []
        reader = Holder("reader", "a boot of reader", 7, "1")
        self.markers = ParameterMarkers(self.store, self.store.clock, reader)
        self.context: Context = replace(self.world.context(), markers=self.markers)

    def record(
        self,
        kind: str,
        target: str,
        *,
        complete: bool = False,
        dead: bool = True,
        run: str = "run-1",
    ) -> None:
        """Leave the record of a migration from "old"."""
        holder = Holder(f"of {target}", "a boot of its own", 9, "1")
        writer = ParameterMarkers(self.store, self.store.clock, holder)
        lease = writer.begin(kind, target, Marker(MarkerState.RUNNING, "old", run))
        if complete:
            lease.complete({"verified": 7})
        if dead:
            self.store.clock.time += ALIVE_SECONDS

    def find(self, name: str) -> ForgettableRecord:
        """The record of a name."""
        return find_record(self.context, name)

    def forget(self, record: ForgettableRecord) -> None:
        """Delete it."""
        forget(self.context, self.markers, record, self.kept.append)

    @property
    def names(self) -> list[str]:
        """What is still on record."""
        return sorted(name.rpartition("/")[2] for name in self.store.stored)


@pytest.fixture
def desk() -> Desk:
    """Nothing on record yet."""
    return Desk()


@pytest.mark.parametrize("complete", [True, False])
def test_what_is_forgotten_is_gone_and_kept(desk: Desk, complete: bool) -> None:
    """The record goes, its text is kept as it was, and no other record is touched."""
    desk.record(TABLE, "new", complete=complete)
    desk.record(TABLE, "other")
    text = desk.store.stored[f"/dataware/markers/{TABLE}/new"]["Value"]
    desk.forget(desk.find("new"))
    assert desk.names == ["other"]
    assert [one["Value"] for one in desk.kept] == [text]
    assert desk.markers.get(TABLE, "new").state is MarkerState.NONE


def test_a_complete_one_says_that_rule_9_ends(desk: Desk) -> None:
    """Before anything is asked: what the record says, and what the next run does without it."""
    desk.record(TABLE, "new", complete=True)
    report_record(desk.context, desk.find("new"))
    assert "complete: 7 items verified" in desk.world.events.texts("migration-status")[0]
    (text,) = desk.world.events.texts("warning")
    assert "rule 9" in text
    assert "copies old again" in text


def test_an_interrupted_one_says_that_a_part_counts_as_all(desk: Desk) -> None:
    """A part of the data would be imported as the data, which is what the record prevents."""
    desk.record(TABLE, "new")
    report_record(desk.context, desk.find("new"))
    assert "a partial copy counts as complete" in desk.world.events.texts("warning")[0]


def test_one_that_may_have_stopped_the_writers_says_so(desk: Desk) -> None:
    """Nothing else knows of it, so a person has to let them go on."""
    desk.record(TABLE, "new")
    record = desk.find("new")
    frozen = {"state": "frozen", "freeze_limit": 300.0, "freeze_began": 1.0}
    marker = replace(record.marker, detail={**record.marker.detail, "cutover": frozen})
    report_record(desk.context, replace(record, marker=marker))
    assert "stopped the writers of old" in desk.world.events.texts("warning")[1]


def begin_batch(desk: Desk, aws: BatchAccount) -> None:
    """Leave the record of a migration that a job of S3 carries, and what it has left."""
    aws.memory.buckets.fill("old", {b"k": stored(b"v")})
    aws.memory.buckets.fill("new")
    places = [Location(name, aws.account, aws.region) for name in ("old", "new")]
    order, copy = CopyOrder(*places), BatchCopy(aws, ROLE)  # type: ignore[arg-type]  # as above
    work = copy.list_work(copy.plan("run", places[1], {}), order, LoopClock(), lambda: None)
    record = {"name": "batch", **copy.begin(work, order)}
    desk.context = replace(desk.context, aws=aws)  # type: ignore[arg-type]  # as above
    begin_by_engine(desk, BUCKET, record)


def begin_by_engine(desk: Desk, kind: str, record: Mapping[str, Any]) -> None:
    """Leave the record of a migration that an engine has begun."""
    writer = ParameterMarkers(desk.store, desk.store.clock, Holder("other", "boot", 9, "1"))
    writer.begin(kind, "new", Marker(MarkerState.RUNNING, "old", "run", detail={ENGINE: record}))
    desk.store.clock.time += ALIVE_SECONDS


def remove_engine_work(desk: Desk) -> list[str]:
    """What is told before and while the work of an engine is removed."""
    record = desk.find("new")
    report_record(desk.context, record)
    give_up_work(desk.context, record)
    return [*desk.world.events.texts("warning"), *desk.world.events.texts("note")][1:]


def test_the_job_of_a_migration_that_is_given_up_is_ended_and_its_bucket_removed(
    desk: Desk,
) -> None:
    """Both are named before anybody is asked; nothing of the data is touched."""
    aws = BatchAccount()
    begin_batch(desk, aws)
    before = dict(aws.memory.buckets.content)
    (bucket,) = aws.work.objects
    told, done = remove_engine_work(desk)
    for text in (told, done):
        assert "job-1" in text
        assert bucket in text
    assert [one["status"] for one in aws.jobs.jobs.values()] == ["Cancelled"]
    assert aws.work.objects == {}
    assert aws.memory.buckets.content == before


@pytest.mark.parametrize("alive", [True, False])
def test_the_work_of_a_run_that_began_while_a_person_read_is_left_alone(
    desk: Desk, alive: bool
) -> None:
    """Its job goes on and its bucket stays, whether it lives or has been killed by now."""
    aws = BatchAccount()
    begin_batch(desk, aws)
    seen = desk.find("new")
    later = {**seen.marker.detail[ENGINE], "confirmed": True}
    begin_by_engine(desk, BUCKET, later)
    if alive:
        desk.store.clock.time -= ALIVE_SECONDS
    with pytest.raises(RefusedError, match="is running" if alive else "has gone on with it"):
        give_up_work(desk.context, seen)
    assert [one["status"] for one in aws.jobs.jobs.values()] != ["Cancelled"]
    assert aws.work.objects
    with pytest.raises(RefusedError):
        desk.forget(seen)


def test_a_record_that_names_a_bucket_of_somebody_else_removes_nothing(desk: Desk) -> None:
    """A record is what others can write, so a bucket counts by its name alone."""
    aws = BatchAccount()
    begin_batch(desk, aws)
    before = dict(aws.work.objects)
    record = {"name": "batch", "token": "t", "bucket": "new"}
    begin_by_engine(desk, BUCKET, record)
    with pytest.raises(RefusedError, match="bucket new, which dataware did not make"):
        remove_engine_work(desk)
    assert aws.work.objects == before


def test_what_cannot_be_read_has_no_work_to_give_up(desk: Desk) -> None:
    """Nothing is known of an engine, so nothing is removed."""
    desk.record(TABLE, "new")
    desk.store.stored[f"/dataware/markers/{TABLE}/new"]["Value"] = "{"
    give_up_work(desk.context, desk.find("new"))
    assert desk.names == ["new"]


def test_what_cannot_be_removed_of_a_job_keeps_the_record(desk: Desk) -> None:
    """Nothing else knows its name once the record is gone."""
    aws = BatchAccount()
    begin_batch(desk, aws)
    aws.jobs.refused = "AccessDenied"
    (bucket,) = aws.work.objects
    with pytest.raises(IncompleteError, match=rf"{bucket}.*s3:UpdateJobStatus.*record is kept"):
        remove_engine_work(desk)
    assert desk.names == ["new"]


def test_a_job_that_does_not_end_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, though not for ever."""
    aws = BatchAccount()
    begin_batch(desk, aws)
    monkeypatch.setattr(aws.jobs, "on_update_job_status", lambda _given: {})
    with pytest.raises(IncompleteError, match="does not end; the record is kept"):
        remove_engine_work(desk)
    assert aws.work.objects
    assert len(aws.pauses) == LOOKS


def test_what_nothing_ends_is_said_to_stay(desk: Desk) -> None:
    """A restore cannot be cancelled, and may have been refused, so nothing is claimed of it."""
    desk.context = replace(desk.context, aws=BatchAccount())  # type: ignore[arg-type]  # as above
    begin_by_engine(desk, TABLE, {"name": "restore"})
    (text,) = remove_engine_work(desk)
    begun = "if the restore into new has begun, it goes on in AWS and cannot be cancelled"
    assert f"{begun}, and new stays" in text


@pytest.mark.parametrize("denied", [True, False])
def test_the_bucket_of_an_export_is_removed_and_what_goes_on_is_named(
    desk: Desk, denied: bool
) -> None:
    """The import of it cannot be ended, so a person has to know."""
    aws = MemoryExports()
    aws.fill("old", 3)
    places = [Location(name, aws.account, aws.region) for name in ("old", "new")]
    creator = TableImport(aws)  # type: ignore[arg-type]
    record = creator.find_request(*places, NOON.timestamp(), {})
    assert record is not None
    record = creator.prepare(record, places[0]).record
    desk.context = replace(desk.context, aws=aws)  # type: ignore[arg-type]
    begin_by_engine(desk, TABLE, {"name": "export-import", **record})
    (bucket,) = aws.buckets

    def deny(what: str) -> None:
        if denied and what == "DeleteBucket asked":
            raise refuse("DeleteBucket", "AccessDenied")

    aws.moment = deny
    if denied:
        with pytest.raises(IncompleteError, match=rf"cannot remove the bucket {bucket} .* is kept"):
            remove_engine_work(desk)
        assert desk.names == ["new"]
        return
    texts = remove_engine_work(desk)
    assert bucket in texts[0]
    assert "a import into new" not in texts[0]
    assert "goes on in AWS and cannot be cancelled" in texts[0]
    assert bucket in texts[1]
    assert not aws.buckets


def test_a_bulk_put_of_a_migration_that_is_given_up_is_ended(desk: Desk) -> None:
    """Also one whose request had no answer; else it would write into a table of its own accord."""
    aws = MemoryExports(looks=99)
    aws.fill("old", 3)
    aws.fill("new", 0)
    places = [Location(name, aws.account, aws.region) for name in ("old", "new")]
    creator = TableBulkPut(aws)  # type: ignore[arg-type]
    record = creator.find_request(*places, NOON.timestamp(), {})
    assert record is not None
    while "data" not in record:
        record = creator.prepare(record, places[0]).record
    creator.begin(record, *places, {})
    desk.context = replace(desk.context, aws=aws)  # type: ignore[arg-type]
    begin_by_engine(desk, TABLE, {"name": "bulk", **record})
    told, done = remove_engine_work(desk)
    assert "if the bulk put into new has begun, it is ended, and what it has put stays" in told
    assert [one["BulkOperationStatus"] for one in aws.operations.values()] == ["CANCELLED"]
    assert done.startswith("Removed the bucket ")
    assert not aws.buckets


def complete_with_bucket(desk: Desk) -> MemoryExports:
    """Leave the record of a complete migration whose bucket could not be removed."""
    aws = MemoryExports()
    aws.fill("old", 3)
    places = [Location(name, aws.account, aws.region) for name in ("old", "new")]
    creator = TableImport(aws)  # type: ignore[arg-type]
    record = creator.find_request(*places, NOON.timestamp(), {})
    assert record is not None
    record = creator.prepare(record, places[0]).record
    desk.context = replace(desk.context, aws=aws)  # type: ignore[arg-type]
    writer = ParameterMarkers(desk.store, desk.store.clock, Holder("other", "boot", 9, "1"))
    left = [{"name": "export-import", **record, "parts": creator.list_parts(record)}]
    lease = writer.begin(TABLE, "new", Marker(MarkerState.RUNNING, "old", "run-1"))
    lease.send_heartbeat({"leftovers": left})
    lease.complete({"verified": 3, "unit": "item"})
    return aws


def test_what_could_not_be_removed_is_told_as_long_as_it_stays(desk: Desk) -> None:
    """Also of a migration that is complete; `forget` removes it, and the record with it."""
    aws = complete_with_bucket(desk)
    (bucket,) = aws.buckets
    told = remove_engine_work(desk)
    (shown,) = desk.world.events.texts("migration-status")
    assert f"complete: 3 items verified; the bucket {bucket} not removed: `dataware apply`" in shown
    assert f"removing the bucket {bucket}, which could not be removed before" in told[0]
    assert not aws.buckets


def test_the_next_run_removes_what_could_not_be_removed(desk: Desk) -> None:
    """It is off the record then, which stays complete; what stays is told, and stays on record."""
    aws = complete_with_bucket(desk)
    kind = next(one for one in kinds() if one.names.slug == TABLE)

    def sweep() -> None:
        sweep_leftovers(desk.context, kind, "new", desk.markers.get(TABLE, "new"))

    def deny(what: str) -> None:
        if what == "DeleteBucket asked":
            raise refuse("DeleteBucket", "AccessDenied")

    aws.moment = deny
    before = desk.markers.get(TABLE, "new").detail
    sweep()
    assert "the record is kept" in desk.world.events.texts("warning")[0]
    assert desk.markers.get(TABLE, "new").detail == before
    aws.moment = lambda _what: None
    sweep()
    marker = desk.markers.get(TABLE, "new")
    assert marker.state is MarkerState.COMPLETE
    assert {**marker.detail, "leftovers": before["leftovers"]} == before
    assert not aws.buckets
    sweep()
    assert len(desk.world.events.texts("note")) == 1


def test_a_living_run_is_not_forgotten(desk: Desk) -> None:
    """Neither when it is looked for nor when it came to life while a person read."""
    desk.record(TABLE, "new", dead=False)
    with pytest.raises(RefusedError, match="is running"):
        desk.find("new")
    desk.store.clock.time += ALIVE_SECONDS
    seen = desk.find("new")
    desk.record(TABLE, "new", dead=False, run="run-2")
    with pytest.raises(RefusedError, match="is being migrated by run run-2"):
        desk.forget(seen)
    assert (desk.names, desk.kept) == (["new"], [])


def test_another_record_than_the_one_that_was_shown_stays(desk: Desk) -> None:
    """It was completed, or deleted, while a person thought about it."""
    desk.record(TABLE, "new")
    seen = desk.find("new")
    desk.store.stored.clear()
    desk.store.versions.clear()
    with pytest.raises(RefusedError, match="no migration into new is recorded any more"):
        desk.forget(seen)
    desk.record(TABLE, "new", complete=True)
    with pytest.raises(RefusedError, match="has changed"):
        desk.forget(seen)
    assert desk.names == ["new"]


def test_a_name_of_two_kinds_says_which(desk: Desk) -> None:
    """A bucket and a table may share a name; an address tells them apart."""
    desk.record(TABLE, "same-name")
    desk.record(BUCKET, "same-name")
    with pytest.raises(InputError, match=r"s3://same-name"):
        desk.find("same-name")
    with pytest.raises(InputError, match=r"dynamodb://same-name"):
        desk.find("same-name")
    desk.forget(desk.find("s3://same-name"))
    assert desk.store.stored.keys() == {f"/dataware/markers/{TABLE}/same-name"}
    with pytest.raises(InputError, match="no migration into s3://same-name is recorded"):
        desk.find("s3://same-name")


@pytest.mark.parametrize("name", ["old", "run-1"])
def test_a_source_or_a_run_stands_for_its_only_record(desk: Desk, name: str) -> None:
    """As for `status`; the record that is shown says what would be deleted."""
    desk.record(TABLE, "new")
    assert desk.find(name).status.target == "new"


def test_a_record_of_odd_characters_is_forgotten_by_its_name(desk: Desk) -> None:
    """The copy of a prefix has a record whose parameter is digested."""
    desk.record(BUCKET, "uploads/2024 05/")
    desk.record(BUCKET, "uploads/2024_05/")
    desk.forget(desk.find("s3://uploads/2024 05/"))
    assert [target for _, target, _ in desk.markers.all()] == ["uploads/2024_05/"]


@pytest.mark.parametrize("text", ["{", '{"version":99}'])
def test_what_cannot_be_read_is_forgotten_once_nothing_can_run(desk: Desk, text: str) -> None:
    """Its sentence tells to; young ones may be those of a newer version that runs."""
    desk.record(TABLE, "new")
    desk.store.stored[f"/dataware/markers/{TABLE}/new"]["Value"] = text
    desk.store.clock.time -= 1
    with pytest.raises(RefusedError, match="maybe by a live run"):
        desk.forget(desk.find("new"))
    desk.store.clock.time += ALIVE_SECONDS
    desk.forget(desk.find("new"))
    assert desk.names == []
    assert [one["Value"] for one in desk.kept] == [text]


@pytest.mark.parametrize("denied", ["GetParametersByPath", "GetParameter", "DeleteParameter"])
def test_what_is_denied_is_told_and_nothing_goes(desk: Desk, denied: str) -> None:
    """The permission that is missing stands in the sentence."""
    desk.record(TABLE, "new", complete=True)
    seen = desk.find("new")
    desk.store.denied.add(denied)
    with pytest.raises(LookupFailedError, match=f"ssm:{denied}"):
        desk.forget(desk.find("new") if denied == "GetParametersByPath" else seen)
    assert desk.names == ["new"]


def test_without_a_copy_nothing_is_deleted(desk: Desk) -> None:
    """A full disk is no reason to lose the only record."""
    desk.record(TABLE, "new")

    def fail(_parameter: Mapping[str, Any]) -> None:
        raise DatawareError("the disk is full")

    with pytest.raises(DatawareError, match="the disk is full"):
        forget(desk.context, desk.markers, desk.find("new"), fail)
    assert desk.names == ["new"]


def test_the_copy_says_where_the_record_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it could be put back by hand, word for word."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "state"))
    parameter = {"Name": "/dataware/markers/x/new", "Value": "{…}", "Version": 3}
    path = keep_record(parameter, "111122223333", "eu-central-1", 0.0)
    assert path == tmp_path / "state" / "forgotten" / "19700101-000000-new.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "account": "111122223333",
        "region": "eu-central-1",
        "name": "/dataware/markers/x/new",
        "version": 3,
        "value": "{…}",
    }
    assert path.stat().st_mode & 0o077 == 0

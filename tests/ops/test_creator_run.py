"""A target that a service makes or fills: whatever ends a run, the next one goes on with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.copier import CopyOrder
from dataware.core.engines.card import ENGINE, EngineName
from dataware.core.engines.port import (
    CreationProgress,
    FailedItem,
    Preparation,
    Record,
)
from dataware.core.engines.unfinished_work import list_leftovers
from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    LookupFailedError,
    NotFoundError,
    RefusedError,
)
from dataware.core.follow.feed import CarryOutcome
from dataware.core.follow.following import Following
from dataware.core.model import Location, MarkerState, OnConflict, Wanted
from dataware.kinds.dynamodb_table.engines import EXPORT_IMPORT
from dataware.kinds.dynamodb_table.export.table_import import TableImport
from dataware.ops.bulk_load_run import BulkLoadRun
from dataware.ops.context import Context, CopySettings
from dataware.ops.creator_request import UNSEEN_LOOKS
from dataware.ops.creator_run import CreatorRun, make_creator_run
from dataware.ops.migration_policy import Migration
from dataware.ops.run_migration import run_migration
from dataware.verify import pausable_stop
from dataware.verify.verdict import Verdict
from support.asked_pause import AskedMarkers, PauseWish, note_work
from support.copying import Killed
from support.world import (
    World,
    WorldAws,
    WorldHold,
    WorldLease,
    box_kind,
    change_card,
    do_nothing,
)

OLD = Location("old", "111122223333", "eu-central-1")
NEW = Location("new", "111122223333", "eu-central-1")
WORDS = TableImport.words


@dataclass
class Service:
    """What goes on when a run dies: exports by token, and what was made of them.

    `broken` says how the next work fails, and `partial` how many keys it leaves out, `slow` how
    many looks it takes, and `unseen` how many of them do not see the target yet. `unknown` are the
    looks at which it does not know its own work yet.
    """

    world: World
    loads: bool = False
    exports: dict[str, dict[str, str]] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    bucket: bool = False
    broken: str = ""
    partial: int = 0
    refusal: str = ""
    unready: str = ""
    undeletable: bool = False
    silent: bool = False
    slow: int = 1
    unseen: int = 0
    unknown: int = 0
    latest: list[Any] = field(default_factory=list)


class BoxCreator:
    """The TargetCreator port over the service."""

    words = WORDS

    def __init__(self, service: Service) -> None:
        self.service, self.world = service, service.world

    def find_problem(self, _source: Location, _properties: Mapping[str, Any]) -> str:
        """Nothing stands against it."""
        return ""

    def find_request(
        self, _source: Location, _target: Location, _since: float, before: Record
    ) -> Record | None:
        """What was asked for, or a new token."""
        if self.service.latest:
            return self.service.latest.pop()  # type: ignore[no-any-return]
        if before.get("token") and not before.get("failed"):
            return dict(before)
        attempt = int(before.get("attempt", 0)) + 1
        return {"token": f"t{attempt}", "attempt": attempt}

    def prepare(self, record: Record, source: Location) -> Preparation:
        """An export, which is there at the second look."""
        self.world.moment("prepare")
        token, service = record["token"], self.service
        if service.refusal:
            return Preparation(record, ready=False, refusal=service.refusal)
        if service.unready:
            why, service.unready = service.unready, ""
            return Preparation(record, ready=False, problem=why)
        if token in service.exports:
            if service.unknown:
                service.unknown -= 1
                problem = "AWS does not know it any more"
                return Preparation(record, ready=False, problem=problem, unknown=True)
            return Preparation({**record, "ready": True})
        service.bucket = True
        service.exports[token] = dict(self.world.boxes[source.name])
        self.world.moment("exported")
        return Preparation({**record, "export": token}, ready=False)

    def begin(
        self, record: Record, _source: Location, target: Location, _properties: Mapping[str, Any]
    ) -> Record:
        """The same work for the same token."""
        self.world.moment("ask")
        token, service = record["token"], self.service
        if token not in service.jobs:
            if service.broken:
                service.failures[token], service.broken = service.broken, ""
            else:
                if not service.loads:
                    self.world.make(target.name)
                items = list(service.exports[token].items())
                self.world.boxes[target.name].update(items[service.partial :])
            service.jobs[token] = service.slow
        self.world.moment("asked")
        return {**record, "job": token}

    def look(self, record: Record, target: Location) -> CreationProgress:
        """Done after some looks."""
        self.world.moment("look")
        job, service = record.get("job"), self.service
        if job is None:
            return CreationProgress(exists=False, done=False)
        if job in service.failures:
            return CreationProgress(
                exists=service.loads, done=False, problem=service.failures[job], failed=True
            )
        if service.unknown:
            service.unknown -= 1
            return CreationProgress(False, False, "AWS does not know it", failed=True, unknown=True)
        if service.unseen:
            service.unseen -= 1
            return CreationProgress(exists=False, done=False)
        service.jobs[job] -= 1
        counts = {"imported": 1, "errors": service.partial}
        problem = "1 item did not fit" if service.partial else ""
        done = service.jobs[job] < 0
        exists = target.name in self.world.boxes
        return CreationProgress(exists, done and exists, problem=problem, counts=counts)

    def read_failures(self, record: Record, target: Location) -> Iterator[FailedItem]:
        """What was left out, by key."""
        if self.service.silent:
            raise NotFoundError("the log group does not exist")
        keys = list(self.service.exports[record["token"]])[: self.service.partial]
        assert target.name in self.world.boxes
        yield from (FailedItem(key.encode(), "did not fit") for key in keys)

    def repair(self, _target: Location, _properties: Mapping[str, Any]) -> Sequence[str]:
        """Tags are set each time."""
        return ("tags",)

    def cancel(self, _record: Record) -> bool:
        """Nothing ends it early."""
        return True

    def list_parts(self, _record: Record) -> Sequence[str]:
        """The bucket."""
        return ("the bucket b",) if self.service.bucket else ()

    def clean(self, _record: Record) -> None:
        """Remove it."""
        self.world.moment("clean")
        if self.service.undeletable:
            raise LookupFailedError("denied")
        self.service.bucket = False

    def describe(self, record: Record) -> str:
        """When it was."""
        return f"of {record['token']}"


@dataclass(frozen=True)
class PausingAws(WorldAws):
    """The world's control plane, in which waiting is a moment, too."""

    stop: Callable[[], bool] = lambda: False

    def pause(self, _seconds: float) -> None:
        """Wait no time."""
        self.world.moment("pause")
        if self.stop():
            raise IncompleteError("stopped while waiting for AWS")


class BoxCarrier:
    """Puts and deletes keys of a box."""

    def __init__(self, world: World, order: CopyOrder) -> None:
        self.world, self.order = world, order

    async def carry(self, keys: Collection[bytes]) -> CarryOutcome:
        """Bring keys up to date."""
        self.world.moment("carry")
        source, target = (
            self.world.boxes[place.name] for place in (self.order.source, self.order.target)
        )
        for key in (one.decode() for one in keys):
            target.pop(key, None)
            if key in source:
                target[key] = source[key]
        return CarryOutcome(carried=frozenset(keys))


def unused(*_arguments: Any, **_named: Any) -> Any:
    """Never called."""
    raise AssertionError


def service_of(keys: int = 11, **more: Any) -> Service:
    """A service beside a world in which only the old box holds data."""
    content = {f"k{n:02}": f"v{n}" for n in range(keys)}
    return Service(World(boxes={"old": content}, identities={"old": 1}), **more)


def context_of(there: World, stop: Callable[[], bool]) -> Context:
    """A context in which waiting is possible."""
    return replace(there.context(stop), aws=PausingAws(there, stop=stop))


def run(
    service: Service,
    stop: Callable[[], bool] = lambda: False,
    on_conflict: OnConflict | None = None,
    alter: Callable[[Context], Context] = lambda context: context,
) -> Verdict:
    """One run of the same command."""
    there, more = service.world, CopySettings(on_conflict=on_conflict)
    following = Following(
        feed_noun="feed",
        find_feed=unused,
        enable_feed=unused,
        disable_feed=unused,
        make_feed=unused,
        make_carrier=lambda _reading, _writing, order, _written: BoxCarrier(there, order),
        find_expired=unused,
        forecast=unused,
    )
    kind = change_card(
        box_kind(there), following=lambda: following, engines=lambda: (EXPORT_IMPORT,)
    )
    facts, wanted = there.facts("new"), Wanted("Box", kind.cfn_type, "new", ("old",))
    hold = WorldHold(there)
    create = (lambda: hold.create(kind, wanted)) if "new" not in there.boxes else None
    order = CopyOrder(OLD, NEW, on_conflict=on_conflict)
    migration = Migration(kind, order, more, facts.marker, facts, create=create)
    kind_of_run = BulkLoadRun if service.loads else CreatorRun
    steps = make_creator_run(EngineName.EXPORT_IMPORT, BoxCreator(service), wanted, kind_of_run)
    return run_migration(alter(context_of(there, stop)), migration, make_run=steps)


@pytest.mark.parametrize("loads", [False, True])
def test_the_work_is_on_record_before_it_is_asked_for(loads: bool) -> None:
    """Exported, asked for, watched, cleaned, verified, complete, in this order."""
    service = service_of(loads=loads)
    there = service.world
    assert run(service).compared == 11
    assert there.boxes["new"] == there.boxes["old"]
    kept = [one for one in there.log if one in {"exported", "asked", "clean", "verify new"}]
    assert kept == ["exported", "asked", "clean", "verify new"]
    assert ("create" in there.log) is loads
    asked = there.log.index("ask")
    assert "beat" in there.log[:asked]
    (engine,) = [one for one in there.journals["new"].records() if one.get("type") == ENGINE]
    assert (engine["name"], engine["imported"]) == ("export-import", 1)
    assert there.markers["new"].state is MarkerState.COMPLETE
    assert not service.bucket
    codes = [code for code in there.events.codes if code in (*WORDS, *(WORDS.prepares or ()))]
    assert codes == ["exporting", "exported", "table-importing", "table-imported"]


@pytest.mark.parametrize("loads", [False, True])
@settings(max_examples=60, deadline=None)
@given(moments=st.lists(st.integers(0, 40), max_size=4))
def test_killed_anywhere_any_number_of_times_it_is_asked_for_once(
    loads: bool, moments: list[int]
) -> None:
    """Runs that die at any step leave one export and one target, which the next run ends."""
    service = service_of(loads=loads)
    there = service.world
    for moment in moments:
        there.kill_at = moment
        try:
            run(service)
        except Killed:
            assert there.markers.get("new") is not None or "new" not in there.boxes
    there.kill_at = None
    run(service)
    assert there.boxes["new"] == there.boxes["old"]
    assert there.markers["new"].state is MarkerState.COMPLETE
    assert len(service.jobs) == len(service.exports) == 1
    assert not service.bucket


@pytest.mark.parametrize("loads", [False, True])
def test_what_changes_after_the_export_is_carried(loads: bool) -> None:
    """Put, changed and deleted: the target is as the source in the end."""
    service = service_of(loads=loads)
    there = service.world

    def change(what: str) -> None:
        if what == "asked":
            there.boxes["old"].update({"k00": "changed", "new": "v"})
            del there.boxes["old"]["k01"]

    there.meddle = change
    run(service)
    assert there.boxes["new"] == there.boxes["old"]
    assert "carry" in there.log
    assert not [one for one in there.log if one.startswith("write")]


def test_a_source_that_never_holds_still_is_incomplete() -> None:
    """When both sides differ after every round, it is said, and the record stays at running."""
    service = service_of()
    there = service.world

    def write_meanwhile(what: str) -> None:
        if what == "verify old":
            there.boxes["old"][f"new-{len(there.log)}"] = "v"

    there.meddle = write_meanwhile
    with pytest.raises(IncompleteError, match="still differ after"):
        run(service)
    assert there.markers["new"].state is MarkerState.RUNNING


def test_more_changes_than_are_listed_are_copied_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not every key that differs is known, this machine copies, and deletes the known."""
    monkeypatch.setattr("dataware.verify.verdict.LISTED", 3)
    service = service_of(partial=9)
    there = service.world
    run(service)
    assert there.boxes["new"] == there.boxes["old"]
    assert [one for one in there.log if one.startswith("write")]


@pytest.mark.parametrize("loads", [False, True])
def test_what_does_not_fit_is_named_and_carried(loads: bool) -> None:
    """What the report names is in the journal, and explains what the comparison finds."""
    service = service_of(partial=2, loads=loads)
    run(service)
    assert service.world.boxes["new"] == service.world.boxes["old"]
    problem, named, found = service.world.events.texts("warning")
    assert "the import did not bring everything (1 item did not fit)" in problem
    assert named.endswith("left out 2 keys, such as k00 (did not fit), k01 (did not fit)")
    assert found.endswith("2 keys differ, 2 of which the import left out; carrying them")
    journal = service.world.journals["new"]
    (failed,) = [one["keys"] for one in journal.records() if one["type"] == "engine-failed"]
    assert failed[0] == {"key": "k00", "why": "did not fit"}


def test_a_report_is_read_before_its_bucket_is_removed_and_once() -> None:
    """A run that dies right before that reads it again, and names each key once."""
    service = service_of(partial=2)
    service.world.kill_on = "clean"
    with pytest.raises(Killed):
        run(service)
    service.silent = True
    run(service, on_conflict=OnConflict.SOURCE)
    named = [text for text in service.world.events.texts("warning") if "left out 2 keys" in text]
    assert len(named) == 2
    records = [one["type"] for one in service.world.journals["new"].records()]
    assert records.count("engine-report") <= 1
    assert service.world.boxes["new"] == service.world.boxes["old"]


def test_a_report_that_cannot_be_read_is_said() -> None:
    """Both sides are compared anyway."""
    service = service_of(partial=2, silent=True)
    run(service)
    assert service.world.boxes["new"] == service.world.boxes["old"]
    warned = " ".join(service.world.events.texts("warning"))
    assert "what the import left out cannot be read (the log group does not exist)" in warned
    assert "2 keys differ, because the import left them out or old has changed" in warned


def test_what_can_be_put_by_nobody_is_explained_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writers of the source are not to blame."""
    service = service_of(partial=1)

    async def refuse(_carrier: BoxCarrier, keys: Collection[bytes]) -> CarryOutcome:
        return CarryOutcome(failed=frozenset(keys))

    monkeypatch.setattr(BoxCarrier, "carry", refuse)
    with pytest.raises(IncompleteError, match=r"left out: k00 \(did not fit\); fix that, and run"):
        run(service)


@pytest.mark.parametrize("loads", [False, True])
def test_work_that_failed_is_asked_for_again(loads: bool) -> None:
    """The reason is told; the next run begins anew, and there is one target in the end."""
    service = service_of(loads=loads, broken="no access")
    told = "empty, else copies the rest by itself" if loads else "starts another one"
    with pytest.raises(IncompleteError, match=rf"import into new failed \(no access\).*{told}$"):
        run(service)
    assert service.bucket
    run(service)
    assert service.world.boxes["new"] == service.world.boxes["old"]
    assert sorted(service.jobs) == ["t1", "t2"]
    assert not service.bucket


@pytest.mark.parametrize("loads", [False, True])
def test_work_that_failed_while_nobody_watched_costs_one_command(loads: bool) -> None:
    """The run that finds it so asks again, and says why."""
    service = service_of(loads=loads, broken="no access")
    service.world.kill_on = "asked"
    with pytest.raises(Killed):
        run(service)
    run(service)
    assert service.world.boxes["new"] == service.world.boxes["old"]
    assert sorted(service.jobs) == ["t1", "t2"]
    (told,) = service.world.events.texts("warning")
    assert told.endswith(
        "the import into new, which an earlier run asked for, failed (no access); asking again"
    )
    assert not service.bucket


@pytest.mark.parametrize("loads", [False, True])
def test_an_export_that_failed_while_nobody_watched_costs_one_command(loads: bool) -> None:
    """It is made again once; one that fails while it is watched ends the run."""
    service = service_of(loads=loads)
    service.world.kill_on = "exported"
    with pytest.raises(Killed):
        run(service)
    service.unready = "its files are gone"
    run(service)
    assert list(service.jobs) == ["t2"]
    assert "failed (its files are gone); asking again" in service.world.events.texts("warning")[0]


def test_an_export_that_failed_while_nobody_watched_leads_to_one_more_alone() -> None:
    """Whatever ends that one as well is for a person."""
    service = service_of()
    service.world.kill_on = "exported"
    with pytest.raises(Killed):
        run(service)
    service.unready = "denied"

    def fail_again(what: str) -> None:
        if what == "exported":
            service.unready = "denied again"

    service.world.meddle = fail_again
    with pytest.raises(IncompleteError, match="denied again"):
        run(service)
    assert not service.jobs


def test_an_export_that_failed_is_asked_for_again() -> None:
    """Nothing stands under the name meanwhile."""
    service = service_of(unready="no bucket")
    with pytest.raises(IncompleteError, match=r"could not prepare the import of new \(no bucket\)"):
        run(service)
    assert "new" not in service.world.boxes
    run(service)
    assert list(service.jobs) == ["t2"]


def test_an_export_that_leads_to_nothing_leaves_nothing() -> None:
    """The record names no work any more, so that another engine may carry the migration."""
    service = service_of(refusal="it has too many files", bucket=True)
    with pytest.raises(RefusedError, match=r"it has too many files; .*--engine local"):
        run(service)
    assert not service.bucket
    assert service.world.markers["new"].detail[ENGINE] is None


def test_a_name_that_somebody_took_is_refused_and_the_export_is_kept() -> None:
    """What it costs is not lost: the same command goes on with it once the name is free."""
    service = service_of()
    there = service.world

    def take(what: str) -> None:
        if what == "ask":
            there.boxes.setdefault("new", {"theirs": "v"})

    there.meddle = take
    with pytest.raises(DatawareError, match="new exists"):
        run(service)
    assert there.boxes["new"] == {"theirs": "v"}
    there.meddle = do_nothing
    del there.boxes["new"]
    run(service)
    assert list(service.exports) == list(service.jobs) == ["t1"]


def test_a_stop_is_told_with_what_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """During the export and during the import; the next run ends it."""
    service = service_of(slow=3)
    there = service.world
    # What can end the request itself is no help while the export that it needs goes on.
    monkeypatch.setattr(BoxCreator, "words", WORDS._replace(stays="until it is cancelled"))
    ends = r"the preparation of the import of new goes on in AWS, and cannot be cancelled"
    with pytest.raises(IncompleteError, match=ends):
        run(service, stop=lambda: there.log[-1] == "pause")
    with pytest.raises(IncompleteError, match=r"goes on in AWS, until it is .* the bucket b"):
        run(service, stop=lambda: "asked" in there.log and there.log[-1] == "pause")
    run(service)
    assert list(service.jobs) == ["t1"]
    assert there.boxes["new"] == there.boxes["old"]


def test_a_bucket_that_cannot_be_removed_is_named() -> None:
    """The migration is complete, and a person knows what is left."""
    service = service_of(undeletable=True)
    run(service)
    assert service.world.markers["new"].state is MarkerState.COMPLETE
    (warning,) = service.world.events.texts("warning")
    assert "cannot remove the bucket b (denied); the record of new names it" in warning
    (left,) = list_leftovers(service.world.markers["new"].detail)
    assert (left["name"], left["token"], left["parts"]) == ("export-import", "t1", ["the bucket b"])


def test_a_bucket_that_could_not_be_removed_once_is_off_the_record_when_it_is() -> None:
    """The next work of the same engine uses the same bucket, and removes it."""
    service = service_of(refusal="it has too many files", bucket=True, undeletable=True)
    with pytest.raises(RefusedError, match="it has too many files"):
        run(service)
    assert list_leftovers(service.world.markers["new"].detail)
    assert service.world.markers["new"].detail["refused"] == "export-import"
    service.refusal, service.undeletable = "", False
    run(service)
    assert not service.bucket
    assert list_leftovers(service.world.markers["new"].detail) == []


def test_the_source_is_waited_for_until_it_can_be_had_as_it_is_now() -> None:
    """That is told once."""
    service = service_of(latest=[None, None])
    run(service)
    (note,) = service.world.events.texts("note")
    assert "until old can be imported as it is now" in note


def test_a_source_is_waited_for_by_the_clock_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is an hour ahead would wait for an hour."""
    service, asked = service_of(), []
    find = BoxCreator.find_request

    def note(creator: BoxCreator, *given: Any) -> Record | None:
        asked.append(given[2])
        return find(creator, *given)

    monkeypatch.setattr(BoxCreator, "find_request", note)
    monkeypatch.setattr(WorldLease, "service_time", 7.0)
    run(service)
    assert asked == [7.0]


def test_what_others_wrote_to_a_whole_target_before_the_next_run_is_kept() -> None:
    """It may be in use, so a difference is a conflict for a person."""
    service = service_of()
    there = service.world
    there.kill_on = "clean"
    with pytest.raises(Killed):
        run(service)
    there.boxes["new"]["k00"] = "theirs"
    with pytest.raises(IncompleteError, match="1 conflict"):
        run(service)
    assert there.boxes["new"]["k00"] == "theirs"
    run(service, on_conflict=OnConflict.SOURCE)
    assert there.boxes["new"] == there.boxes["old"]


def test_what_others_wrote_before_it_was_filled_is_not_replaced() -> None:
    """A table that an earlier run made and somebody uses by now is filled by this machine."""
    service = service_of(loads=True)
    there = service.world
    there.kill_on = "prepare"
    with pytest.raises(Killed):
        run(service)
    there.boxes["new"]["k00"] = "theirs"
    with pytest.raises(IncompleteError, match="1 conflict"):
        run(service)
    assert there.boxes["new"]["k00"] == "theirs"
    assert len(there.boxes["new"]) == 11
    assert not service.jobs


def test_an_empty_source_is_not_complete() -> None:
    """Zero found is not success."""
    service = service_of(keys=0)
    with pytest.raises(IncompleteError, match="held no key"):
        run(service)
    assert service.world.markers["new"].state is MarkerState.RUNNING


def test_a_target_that_is_not_seen_at_first_is_looked_for_again() -> None:
    """A service tells of what was just asked for only after some seconds."""
    service = service_of(unseen=UNSEEN_LOOKS)
    assert run(service).compared == 11
    assert service.world.markers["new"].state is MarkerState.COMPLETE
    assert len(service.jobs) == 1


@pytest.mark.parametrize("loads", [False, True])
@pytest.mark.parametrize("at", ["exported", "asked"])
@pytest.mark.parametrize("killed", [False, True])
def test_work_that_its_service_does_not_know_yet_is_not_asked_for_twice(
    loads: bool, at: str, killed: bool
) -> None:
    """Two would go on at once, each paid for, and the older may write last."""
    service = service_of(loads=loads)

    def forget(what: str) -> None:
        if what == at:
            service.unknown = UNSEEN_LOOKS

    service.world.meddle = forget
    if killed:
        service.world.kill_on = "pause" if at == "exported" else "look"
        while not service.unknown:
            with pytest.raises(Killed):
                run(service)
        service.world.kill_on = ""
    service.world.meddle = do_nothing if killed else forget
    assert run(service).compared == 11
    assert list(service.exports) == list(service.jobs) == ["t1"]


@pytest.mark.parametrize("at", ["exported", "asked"])
def test_work_that_its_service_has_forgotten_is_asked_for_by_the_next_run(at: str) -> None:
    """It is waited for, and not for ever."""
    service = service_of()

    def forget(what: str) -> None:
        if what == at:
            service.unknown = UNSEEN_LOOKS + 1

    service.world.meddle = forget
    with pytest.raises(IncompleteError, match="AWS does not know it"):
        run(service)
    assert not service.unknown
    service.world.meddle = do_nothing


def test_a_target_that_is_never_seen_is_said() -> None:
    """Nobody waits for it without end."""
    service = service_of(unseen=99)
    with pytest.raises(IncompleteError, match="new disappeared"):
        run(service)
    assert 99 - service.unseen == UNSEEN_LOOKS + 1


def test_a_target_that_goes_away_on_the_way_is_said() -> None:
    """Somebody deleted it; nothing is believed of it."""
    service = service_of(slow=2)
    there = service.world

    def remove(what: str) -> None:
        if what == "asked":
            del there.boxes["new"]

    there.meddle = remove
    with pytest.raises(IncompleteError, match="new disappeared"):
        run(service)
    there.meddle = do_nothing
    run(service)
    assert there.boxes["new"] == there.boxes["old"]
    assert list(service.jobs) == ["t1", "t2"]


@pytest.mark.parametrize("when", ["ask", "asked"])
def test_a_request_that_may_have_got_through_stays_on_record(
    when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop, or a lost answer, says nothing of it: the next run finds the very same work."""
    service = service_of()
    there = service.world
    monkeypatch.setattr(BoxCreator, "list_parts", lambda *_given: ())

    def lose(what: str) -> None:
        if what == when:
            raise IncompleteError("stopped before the answer came")

    there.meddle = lose
    with pytest.raises(IncompleteError, match="before the answer"):
        run(service)
    assert there.markers["new"].detail[ENGINE]["token"] == "t1"
    there.meddle = do_nothing
    if when == "ask":
        run(service)
        assert list(service.jobs) == ["t1"]


@pytest.mark.parametrize("when", ["prepare", "asked", "clean"])
@pytest.mark.parametrize("loads", [False, True])
def test_a_pause_says_that_the_work_goes_on_and_holds_back_what_follows_it(
    loads: bool, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB pauses neither an export nor an import; nothing is begun or verified meanwhile."""
    service, wish = service_of(loads=loads, slow=3), PauseWish()
    there, told = service.world, note_work(monkeypatch)
    next_step = {"prepare": "ask", "asked": "verify old", "clean": "verify old"}[when]

    def pause(what: str) -> None:
        wish.is_paused = wish.is_paused or (what == when and "resumed" not in there.log)

    def resume(_seconds: float) -> None:
        assert next_step not in there.log
        there.log.append("resumed")
        wish.is_paused = False

    monkeypatch.setattr(pausable_stop, "time", SimpleNamespace(sleep=resume))
    there.meddle = pause
    run(service, alter=lambda one: replace(one, markers=AskedMarkers(there, wish)))
    assert there.log.index("resumed") < there.log.index(next_step)
    assert there.boxes["new"] == there.boxes["old"]
    assert "asked for" in told
    assert told[-1] == ""
    if when != "clean":
        assert "its export or import goes on, because DynamoDB can pause neither" in " ".join(
            there.events.texts("paused")
        )

"""What a plan says of following it, before anything is started: the feed, consent, blind spots."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from dataware.aws.errors import translate_errors
from dataware.core.engines.card import EngineName
from dataware.core.engines.choice import EngineTable
from dataware.core.engines.situation import EngineSituation
from dataware.core.model import Action, Decision, Size, Wanted
from dataware.core.plan import Plan, Planned
from dataware.core.plan_shape import check_shown_parts
from dataware.kinds.dynamodb_table.engines import TABLE_ENGINES
from dataware.kinds.dynamodb_table.follow.forecast import DAY, SETTINGS
from dataware.ops.context import Context, CopySettings
from dataware.ops.follow.forecast import forecast_follows
from dataware.ops.inputs.prices import list_prices
from support.copying import Events
from support.plans import BUCKET, held, migration, one, plan_of

ARN = "arn:aws:kinesis:eu-central-1:111122223333:stream/changes"
FOLLOW = CopySettings(follow=True)


class SourceAccount:
    """The clients of an account with one table; an Aws port of them alone."""

    account, region, partition = "111122223333", "eu-central-1", "aws"

    def __init__(
        self, *, stream: bool = False, kinesis: int = 0, recovery: str = "DISABLED"
    ) -> None:
        self.stream, self.kinesis, self.recovery = stream, kinesis, recovery
        self.denied: set[str] = set()
        self.broken = False
        self.asked: list[str] = []

    def for_region(self, _region: str) -> SourceAccount:
        """The same account."""
        return self

    def expecting(self, _owner: str) -> SourceAccount:
        """The same account."""
        return self

    def client(self, _service: str) -> SourceAccount:
        """All clients are this."""
        return self

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        """As the real port does."""
        return translate_errors(what, permission)

    def _ask(self, operation: str) -> None:
        self.asked.append(operation)
        if operation in self.denied:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, operation)
        if self.broken and operation == "DescribeStreamSummary":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, operation)

    def describe_table(self, **_given: Any) -> Any:
        """A table with its stream."""
        self._ask("DescribeTable")
        on = {"StreamSpecification": {"StreamEnabled": True}, "LatestStreamArn": "arn"}
        return {"Table": on if self.stream else {}}

    def describe_kinesis_streaming_destination(self, **_given: Any) -> Any:
        """Its Kinesis stream."""
        self._ask("DescribeKinesisStreamingDestination")
        found = [{"StreamArn": ARN, "DestinationStatus": "ACTIVE"}] if self.kinesis else []
        return {"KinesisDataStreamDestinations": found}

    def describe_stream_summary(self, **given: Any) -> Any:
        """How long that keeps records."""
        assert given == {"StreamARN": ARN}
        self._ask("DescribeStreamSummary")
        return {"StreamDescriptionSummary": {"RetentionPeriodHours": self.kinesis}}

    def describe_continuous_backups(self, **_given: Any) -> Any:
        """Whether exports can be made."""
        self._ask("DescribeContinuousBackups")
        status = {"PointInTimeRecoveryStatus": self.recovery}
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": status}}


def bucket_copy() -> Planned:
    """A bucket that is filled from another one."""
    decision = Decision(Action.MIGRATE, 3, "because", "old-bucket")
    planned = one(Action.MIGRATE, "new-bucket")
    return replace(planned, decision=decision, fallbacks=(held("old-bucket"),))


def forecast(
    account: SourceAccount, *planned: Planned, report: bool = True, **settings: Any
) -> tuple[Plan, list[str]]:
    """The plan with its forecasts, and the lines that are told."""
    events = Events()
    context = cast("Context", SimpleNamespace(aws=account, emit=events))
    wanted = replace(FOLLOW, **settings)
    plan = forecast_follows(context, plan_of(*planned), wanted, report=report)
    document = json.loads(json.dumps(plan.to_json()))
    check_shown_parts(document)
    assert (
        Plan.from_json(document).resources[0].preferred.notes == plan.resources[0].preferred.notes
    )
    return plan, [event.text() for event in events]


def forecast_of(account: SourceAccount, planned: Planned, **settings: Any) -> dict[str, Any]:
    """The forecast of one copy as in the plan file."""
    plan, _ = forecast(account, planned, **settings)
    found: dict[str, Any] = plan.to_json()["resources"][0]["follow"]
    return found


def test_the_stream_that_is_on_is_named_with_how_long_it_keeps_changes() -> None:
    """And with what no stream tells of, in text and in the plan file."""
    plan, lines = forecast(SourceAccount(stream=True), migration())
    assert lines == [
        "Waitlist-prod: a follow reads the stream of Waitlist, which keeps changes for 24 h",
        f"Waitlist-prod: a follow does not see {SETTINGS}",
    ]
    assert plan.to_json()["resources"][0]["follow"] == {
        "source": "Waitlist",
        "feed": "stream",
        "enables": False,
        "consent": "",
        "retention_seconds": DAY,
        "blind_spots": [SETTINGS],
        "problem": "",
    }
    assert plan.warnings == ()


@pytest.mark.parametrize(
    ("engine", "gigabytes", "told"),
    [
        (EngineName.RESTORE, 100, ""),
        (EngineName.RESTORE, 20_000, "the restore takes about 40 h 20 min, and the stream keeps"),
        (EngineName.EXPORT_IMPORT, 1, "the import has no promised time, and the stream keeps"),
        (EngineName.LOCAL, 20_000, ""),
    ],
)
def test_a_feed_may_keep_changes_for_less_than_an_engine_takes(
    engine: EngineName, gigabytes: int, told: str
) -> None:
    """Then the plan says that the command has to go on running, and what a break costs."""
    size = Size(gigabytes * 10**6, gigabytes * 2**30)
    table = EngineTable(TABLE_ENGINES)
    there = EngineSituation("Waitlist", "Waitlist-prod", size, True, True, recovery=True)
    lines = tuple(table.list_lines(there, engine, list_prices()))
    for account in (SourceAccount(stream=True), SourceAccount()):
        planned = replace(migration(), engine=engine, engines=lines)
        _, texts = forecast(account, planned)
        found = [text for text in texts if "leave the command running" in text]
        assert len(found) == bool(told and account.stream)
        assert all(told in text for text in found)


def test_a_table_without_a_stream_says_what_would_change_it_and_what_is_done_else() -> None:
    """Nothing is switched on by a plan, nor without consent."""
    account = SourceAccount()
    plan, lines = forecast(account, migration())
    assert lines[0] == (
        "Waitlist-prod: a follow of Waitlist compares both sides again and again, which costs two "
        "reads of everything each time; --enable-stream switches on a stream instead, which "
        "changes Waitlist"
    )
    found = plan.to_json()["resources"][0]["follow"]
    assert (found["feed"], found["consent"], found["enables"]) == ("", "--enable-stream", False)
    assert found["retention_seconds"] is None
    assert {one for one in account.asked if not one.startswith("Describe")} == set()


def test_a_stream_that_a_person_allows_is_announced_as_a_change_of_the_source() -> None:
    """Before anything is switched on."""
    account = SourceAccount()
    plan, lines = forecast(account, migration(), enable_feed=True)
    assert lines[0] == (
        "Waitlist-prod: a follow switches on a stream of Waitlist, which keeps changes for 24 h; "
        "this changes Waitlist"
    )
    assert plan.to_json()["resources"][0]["follow"]["enables"] is True
    assert (
        forecast_of(SourceAccount(stream=True), migration(), enable_feed=True)["enables"] is False
    )


@pytest.mark.parametrize(("hours", "text"), [(24, "24 h"), (168, "168 h")])
def test_a_kinesis_stream_keeps_changes_for_as_long_as_it_says(hours: int, text: str) -> None:
    """Which is up to a year."""
    plan, lines = forecast(SourceAccount(kinesis=hours), migration())
    told = f"a follow reads the Kinesis stream of Waitlist, which keeps changes for {text}"
    assert lines[0] == f"Waitlist-prod: {told}"
    assert any("switched off and on" in line for line in lines)
    assert plan.to_json()["resources"][0]["follow"]["retention_seconds"] == hours * 3600


def test_a_kinesis_stream_that_may_not_be_looked_at_has_no_known_time() -> None:
    """The rest is known all the same; another failure is told."""
    account = SourceAccount(kinesis=24)
    account.denied = {"DescribeStreamSummary"}
    found = forecast_of(account, migration())
    assert (found["feed"], found["retention_seconds"]) == ("Kinesis stream", None)
    account.denied, account.broken = set(), True
    assert "ResourceNotFound" in forecast_of(account, migration())["problem"]


def test_exports_need_point_in_time_recovery_and_come_late() -> None:
    """Which the plan says, and not the follow after an hour of copying."""
    on = forecast_of(SourceAccount(recovery="ENABLED"), migration(), export_to="b/p")
    assert (on["feed"], on["problem"]) == ("incremental exports", "")
    assert any("20 minutes" in spot for spot in on["blind_spots"])
    off = forecast_of(SourceAccount(), migration(), export_to="b/p")
    assert off["problem"] == "point-in-time recovery is off, from which exports are made"


def test_what_may_not_be_looked_at_is_unknown_and_not_no_stream() -> None:
    """With the permission that is missing."""
    account = SourceAccount()
    account.denied = {"DescribeTable"}
    plan, lines = forecast(account, migration())
    assert "dynamodb:DescribeTable" in plan.to_json()["resources"][0]["follow"]["problem"]
    (line,) = lines
    assert "cannot tell how a follow would read changes of Waitlist" in line


@pytest.mark.parametrize("deep", [False, True])
def test_a_bucket_names_what_its_listings_do_not_show(deep: bool) -> None:
    """Tags, and other metadata on equal bytes, are what `--deep` is for."""
    found = forecast_of(SourceAccount(), bucket_copy(), deep=deep)
    (spot,) = found["blind_spots"]
    assert ("tags" in spot and "--deep" in spot) is not deep
    assert "ACLs" in spot
    _, lines = forecast(SourceAccount(), bucket_copy(), deep=deep)
    assert lines[0].endswith("and changes nothing of it")
    assert ("reads every object" in lines[0]) is deep


def test_what_cannot_be_followed_is_told_with_the_plan() -> None:
    """As a warning of the whole plan, which a person sees before `apply` refuses."""
    wanted = Wanted("App/Key", "AWS::SecretsManager::Secret", "key-prod", ("key",))
    decision = Decision(Action.MIGRATE, 3, "because", "key")
    secret = replace(migration(), wanted=wanted, decision=decision)
    plan, lines = forecast(SourceAccount(stream=True), secret, migration())
    assert "dataware cannot follow a secret yet" in lines[0]
    (warning,) = plan.warnings
    assert warning.startswith("`dataware apply --follow` would refuse this plan: ")


def test_what_is_not_copied_has_no_forecast_and_a_quiet_plan_tells_nothing() -> None:
    """A question before `apply` shows the notes of its own summary."""
    kept = one(Action.KEEP, "kept")
    taken = one(Action.IMPORT, "new", source="old")
    plan, lines = forecast(SourceAccount(), kept, migration(), taken, report=False)
    assert lines == []
    assert [resource.follow is None for resource in plan.resources] == [True, False, True]
    assert plan.resources[1].preferred.notes != ()
    assert plan.resources[0].wanted.type == BUCKET

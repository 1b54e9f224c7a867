"""A table is restored under its new name: killed on the way, finished by the same command."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataware.embedded import EmbeddedAws, StreamSettings
from support.cli import ended, launch, run
from support.killing import Strike, struck_run
from support.proxied import proxied
from support.servers import FaultProxy, Forward, Reply, Seen, reword
from support.worlds import client, enable_recovery, items_of, make_table, varied_items

TOML = """
[[resource]]
type = "AWS::DynamoDB::Table"
id = "Orders"
preferred = "{target}"
fallback = "{source}"

[resource.properties]
BillingMode = "PAY_PER_REQUEST"
DeletionProtectionEnabled = true
AttributeDefinitions = [{{ AttributeName = "pk", AttributeType = "S" }}]
KeySchema = [{{ AttributeName = "pk", KeyType = "HASH" }}]
Tags = [{{ Key = "team", Value = "space" }}]

[resource.properties.TimeToLiveSpecification]
AttributeName = "expires"
Enabled = true

[resource.properties.StreamSpecification]
StreamViewType = "KEYS_ONLY"

[resource.properties.PointInTimeRecoverySpecification]
PointInTimeRecoveryEnabled = true
"""


MOMENTS, REQUESTS = 5, 80
"""Kills of a whole run, and about how many requests such a run makes."""


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """A server whose restores take a moment."""
    with EmbeddedAws(streams=StreamSettings(restore_seconds=0.7)) as server:
        yield server


@pytest.fixture
def proxy(
    server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """What commands speak to, in a folder and a home of their own."""
    with proxied(server, tmp_path, monkeypatch) as proxy:
        yield proxy


def fill(name: str, *, recovery: bool = True) -> dict[str, Any]:
    """A table of 60 items, of which everything can be restored; those items."""
    make_table(name, varied_items(60))
    if recovery:
        enable_recovery(name)
    return items_of(name)


def write_app(source: str = "Orders", target: str = "Orders-prod") -> Path:
    """A dataware.toml that prefers `target`."""
    path = Path("dataware.toml")
    path.write_text(TOML.format(source=source, target=target))
    return path


def settings_of(name: str) -> dict[str, Any]:
    """What boto3 sees of a table beside its items."""
    dynamodb = client("dynamodb")
    table = dynamodb.describe_table(TableName=name)["Table"]
    recovery = dynamodb.describe_continuous_backups(TableName=name)
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return {
        "tags": dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"],
        "stream": table["StreamSpecification"]["StreamViewType"],
        "protected": table["DeletionProtectionEnabled"],
        "restored from": table["RestoreSummary"]["SourceTableArn"].rpartition("/")[2],
        "recovery": recovery["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"][
            "PointInTimeRecoveryStatus"
        ],
        "expiry": (expiry["TimeToLiveStatus"], expiry["AttributeName"]),
    }


WHOLE = {
    "tags": [{"Key": "team", "Value": "space"}],
    "stream": "KEYS_ONLY",
    "protected": True,
    "restored from": "Orders",
    "recovery": "ENABLED",
    "expiry": ("ENABLED", "expires"),
}


@pytest.mark.parametrize(
    ("operation", "answered"),
    [
        ("RestoreTableToPointInTime", False),
        ("RestoreTableToPointInTime", True),
        ("UpdateTimeToLive", True),
        ("Scan", False),
    ],
)
def test_a_killed_restore_is_finished_by_the_same_command(
    proxy: FaultProxy, operation: str, answered: bool
) -> None:
    """Whether the request got through or not: one table, all items, and all that is declared."""
    before, app = fill("Orders"), write_app()
    command = ("apply", app, "--yes", "--engine", "restore", "--format", "json")

    def is_late(seen: Any) -> bool:
        return operation != "Scan" or seen.json().get("Limit") != 1

    strike = Strike(1, answered=answered)
    struck = struck_run(proxy, strike, *command, operation=operation, when=is_late)
    assert strike.struck, struck
    assert struck.code < 0 or struck.code == 137
    ran = ended(launch(*command))
    assert ran.code == 0, ran
    codes = [event["code"] for event in ran.events]
    assert "verified" in codes
    assert "migrated" in codes
    assert items_of("Orders-prod") == before == items_of("Orders")
    assert settings_of("Orders-prod") == WHOLE
    again = run(*command)
    assert again.code == 0, again
    assert "migrated" not in [event["code"] for event in again.events]


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_killed_at_any_moment_a_restore_ends_right(proxy: FaultProxy, moment: int) -> None:
    """The moments are seeded, one in each part of the requests that a whole run makes."""
    before, app = fill("Orders"), write_app()
    command = ("apply", app, "--yes", "--engine", "restore")
    chance = random.Random(moment)
    at = 1 + int(REQUESTS * (moment + chance.random()) / MOMENTS)
    strike = Strike(at, answered=chance.random() < 0.5)
    assert struck_run(proxy, strike, *command).code < 0
    ran = run(*command)
    assert ran.code == 0, ran
    assert items_of("Orders-prod") == before == items_of("Orders")
    assert settings_of("Orders-prod") == WHOLE
    assert sorted(client("dynamodb").list_tables()["TableNames"]) == ["Orders", "Orders-prod"]
    shown = run("status")
    assert "complete: 60 items verified" in shown.out
    assert "not removed" not in shown.out


def test_what_others_wrote_to_a_restored_table_meanwhile_is_kept(proxy: FaultProxy) -> None:
    """Between a kill and the same command the table is whole, so somebody may use it already."""
    before, app = fill("Orders"), write_app()
    command = ("apply", app, "--yes", "--engine", "restore")
    strike = Strike(1, answered=True)
    struck_run(proxy, strike, *command, operation="UpdateTimeToLive")
    assert strike.struck
    dynamodb = client("dynamodb")
    key, gone = [item["pk"] for item in before.values()][:2]
    theirs = [{"pk": key, "by": {"S": "them"}}, {"pk": {"S": "theirs"}, "by": {"S": "them"}}]
    for item in theirs:
        dynamodb.put_item(TableName="Orders-prod", Item=item)
    dynamodb.delete_item(TableName="Orders-prod", Key={"pk": gone})
    ran = ended(launch(*command))
    assert ran.code == 4, ran
    assert "what it has is kept" in ran.out
    assert "1 conflict" in ran.out + ran.err
    kept = items_of("Orders-prod").values()
    assert [one for one in theirs if one in kept] == theirs
    assert gone in [item["pk"] for item in kept]
    ran = ended(launch(*command, "--on-conflict", "source"))
    assert ran.code == 0, ran
    kept = items_of("Orders-prod").values()
    assert [one for one in theirs if one in kept] == theirs[1:]
    assert before.items() <= items_of("Orders-prod").items()


def test_a_restore_that_is_stopped_goes_on_and_is_gone_on_with(proxy: FaultProxy) -> None:
    """Ctrl-C ends the watching: that AWS goes on is told, and the next run ends it."""
    before, app = fill("Orders"), write_app()
    command = ("apply", app, "--yes", "--engine", "restore")
    strike = Strike(1, answered=True, number=signal.SIGINT)
    stopped = struck_run(proxy, strike, *command, operation="RestoreTableToPointInTime")
    assert stopped.code == 4, stopped
    assert "cannot be cancelled" in stopped.out + stopped.err
    assert "incomplete" in run("status").out
    planned = run("plan", app, "--on-error", "stop", "--all")
    assert planned.code == 0, planned
    assert "restore: about 20 min" in planned.out
    assert "would protect" not in planned.out
    already = "the engine restore already migrates Orders into Orders-prod"
    for other, reason in (
        (("migrate", "dynamodb://Orders", "dynamodb://Orders-prod"), already),
        (("apply", app, "--yes", "--engine", "local"), "the migration was begun with restore"),
        (("apply", app, "--yes", "--follow"), already),
    ):
        refused = run(*other)
        assert refused.code == 3, refused
        assert reason in refused.err
    ran = ended(launch(*command))
    assert ran.code == 0, ran
    assert "Resuming the restore of Orders" in ran.out
    assert proxy.count("RestoreTableToPointInTime") == 0
    assert items_of("Orders-prod") == before


def test_what_changes_during_a_restore_is_carried(proxy: FaultProxy) -> None:
    """Put, changed and deleted after the restore point: the target is as the source in the end."""
    fill("Orders")
    app = write_app()

    def change(seen: Any, forward: Any) -> Any:
        reply = forward(seen)
        dynamodb = client("dynamodb")
        gone, changed = dynamodb.scan(TableName="Orders", Limit=2)["Items"]
        dynamodb.delete_item(TableName="Orders", Key={"pk": gone["pk"]})
        for key in (changed["pk"], {"S": "a new one"}):
            dynamodb.put_item(TableName="Orders", Item={"pk": key, "changed": {"BOOL": True}})
        return reply

    proxy.add(change, operation="RestoreTableToPointInTime", times=1)
    ran = run("apply", app, "--yes", "--engine", "restore")
    assert ran.code == 0, ran
    assert "has changed since" in ran.out
    assert items_of("Orders-prod") == items_of("Orders")
    changed = [item for item in items_of("Orders-prod").values() if "changed" in item]
    assert (len(changed), len(items_of("Orders-prod"))) == (2, 60)


def test_a_restored_table_whose_key_is_lost_is_not_waited_for(proxy: FaultProxy) -> None:
    """The command says why and ends; it goes on with the same restore once the key is there."""
    before, app = fill("Orders"), write_app()
    proxy.add(
        reword(b'"ACTIVE"', b'"INACCESSIBLE_ENCRYPTION_CREDENTIALS"'),
        operation="DescribeTable",
        when=lambda seen: proxy.count("RestoreTableToPointInTime") > 0,
    )
    ran = run("apply", app, "--yes", "--engine", "restore")
    assert ran.code == 4, ran
    why = "is INACCESSIBLE_ENCRYPTION_CREDENTIALS, because DynamoDB cannot use its key of KMS"
    assert f"table Orders-prod {why}: enable that key; run the same command again" in ran.err
    proxy.clear()
    ran = run("apply", app, "--yes", "--engine", "restore")
    assert ran.code == 0, ran
    assert proxy.count("RestoreTableToPointInTime") == 0
    assert items_of("Orders-prod") == before


def test_a_restore_that_was_refused_is_forgotten_as_what_may_have_begun(
    proxy: FaultProxy,
) -> None:
    """The table that stands is somebody else's, and nothing is claimed of it."""
    fill("Orders")
    app = write_app()

    def come_first(seen: Seen, forward: Forward) -> Reply:
        make_table("Orders-prod", varied_items(1))
        return forward(seen)

    proxy.add(come_first, operation="RestoreTableToPointInTime", times=1)
    ran = run("apply", app, "--yes", "--engine", "restore")
    assert ran.code == 3, ran
    assert "Orders-prod exists and is not what this migration restored" in ran.err
    forgot = run("forget", "dynamodb://Orders-prod", "--yes")
    assert forgot.code == 0, forgot
    assert "if the restore into Orders-prod has begun, it goes on" in forgot.out
    assert len(items_of("Orders-prod")) == 1


@pytest.mark.usefixtures("proxy")
def test_without_recovery_a_restore_is_refused_and_nothing_is_changed() -> None:
    """The plan says why, and a demand for it ends with the reason."""
    fill("Orders", recovery=False)
    app = write_app()
    planned = run("plan", app, "--all")
    assert "restore: no, point in time recovery of Orders is off" in planned.out
    for command in ("plan", "apply"):
        ran = run(command, app, "--engine", "restore")
        assert ran.code == 3, ran
        assert "the engine restore does not fit Orders-prod" in ran.err
    assert client("dynamodb").list_tables()["TableNames"] == ["Orders"]


@pytest.mark.usefixtures("proxy")
def test_the_engine_of_a_saved_plan_carries_it_out() -> None:
    """What was reviewed is what happens, and the record of the run says so."""
    before, app = fill("Orders"), write_app()
    assert run("plan", app, "--engine", "restore", "--out", "plan.json").code == 0
    (resource,) = json.loads(Path("plan.json").read_text())["resources"]
    assert resource["engine"] == "restore"
    assert run("apply", "plan.json", "--yes").code == 0
    assert settings_of("Orders-prod") == WHOLE
    assert items_of("Orders-prod") == before

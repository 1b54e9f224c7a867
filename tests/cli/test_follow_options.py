"""The options of a follow, where they do not go together or the type is not followed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataware.cli.app_apply import check_followed_environments
from dataware.core.errors import InputError
from dataware.core.plan import Plan
from dataware.embedded import EmbeddedAws
from dataware.ops.context import CopySettings
from support.cli import KEYED_BY_PK, TABLE, run, toml_resource, write_toml
from support.plans import migration
from support.worlds import client, make_table, varied_items

TABLES = ("dynamodb://old-one", "dynamodb://new-one")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--enable-stream"], "--enable-stream needs --follow"),
        (["--follow", "--on-conflict", "source"], "--follow takes no --on-conflict"),
        (["--export-to", "s3://b/p"], "--export-to needs --follow"),
        (["--follow", "--export-to", "b/p"], "such as s3://exports/dataware"),
        (["--follow", "--enable-stream", "--export-to", "s3://b"], "leave out --enable-stream"),
    ],
)
def test_options_that_do_not_go_together_are_bad_usage(options: list[str], why: str) -> None:
    """Nothing is looked at."""
    ran = run("migrate", *TABLES, *options)
    assert ran.code == 1
    assert why in ran.err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--enable-stream"], "--enable-stream needs --follow"),
        (["--export-to", "s3://b/p"], "--export-to needs --follow"),
        (["--follow", "--export-to", "b/p"], "such as s3://exports/dataware"),
    ],
)
def test_a_plan_refuses_the_same_options_of_a_feed(options: list[str], why: str) -> None:
    """Before anything is looked at, and before an app is run."""
    ran = run("plan", *options)
    assert ran.code == 1
    assert why in ran.err


def test_a_plan_to_follow_names_the_feed_in_text_and_in_its_file(
    aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the command to go on with follows; nothing is switched on."""
    monkeypatch.chdir(tmp_path)
    make_table("old-table", varied_items(3))
    table = toml_resource(TABLE, "new-table", "old-table", properties=KEYED_BY_PK)
    write_toml(Path("dataware.toml"), table)
    ran = run("plan", "--follow", "--enable-stream", "--out", "plan.json")
    assert ran.code == 0, ran
    assert "new-table: a follow switches on a stream of old-table, which keeps changes" in ran.out
    assert "dataware apply plan.json --follow --enable-stream" in ran.out
    (resource,) = json.loads((tmp_path / "plan.json").read_text("utf-8"))["resources"]
    assert (resource["follow"]["feed"], resource["follow"]["enables"]) == ("stream", True)
    assert "StreamSpecification" not in client("dynamodb").describe_table(TableName="old-table")
    assert "a follow does not see" in run("show", "plan.json").out


def test_a_freeze_limit_that_cannot_be_kept_is_refused_before_anything_is_stopped() -> None:
    """The feed is read for some seconds after the freeze, so a shorter limit would always thaw."""
    command = ["cutover", "Orders", "--freeze", "true", "--thaw", "true", "--freeze-limit", "10s"]
    ran = run(*command)
    assert ran.code == 1
    assert "--freeze-limit is too short" in ran.err


@pytest.mark.parametrize("command", ["cutover", "undo"])
@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([], "say how the writers are stopped"),
        (["--freeze", "true"], "say how the writers are stopped"),
        (["--frozen", "--thaw", "true"], "leave out --freeze and --thaw"),
    ],
)
def test_how_writers_are_stopped_is_asked_for_before_anything_is_looked_at(
    command: str, options: list[str], why: str
) -> None:
    """Also for the way back, which stops those of the new side."""
    ran = run(command, "Orders", *options)
    assert ran.code == 1
    assert why in ran.err


def test_more_environments_than_go_on_together_are_not_followed() -> None:
    """The last one would wait for the end of the others, which have none."""
    plans = [
        Plan("111122223333", f"region-{number}", "2026-11-29T00:00:00+00:00", (migration(),))
        for number in range(6)
    ]
    idle = [Plan("111122223333", "idle", "2026-11-29T00:00:00+00:00", ())]
    check_followed_environments([*plans[:5], *idle], CopySettings(follow=True))
    check_followed_environments(plans, CopySettings())
    with pytest.raises(InputError, match="6 environments would be followed"):
        check_followed_environments(plans, CopySettings(follow=True))

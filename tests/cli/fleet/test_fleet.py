"""`dataware fleet` on an AWS of several accounts and regions: what is left behind is looked at."""

from __future__ import annotations

import json
import shlex
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import click
import pytest

from dataware.cli.commands import dataware
from dataware.cli.commands.fleet import COMMANDS, fleet
from dataware.embedded import EmbeddedAws
from dataware.ops.saved_fleet import read_saved_fleet
from support.cli import ended, launch, run, table_app
from support.killing import Strike, struck_run
from support.processes import PATIENCE
from support.servers import Fault, FaultProxy, Forward, Gate, Reply, Seen, answer, json_error
from support.worlds import KEYS

OWN, ONE, TWO = "000000000000", "111111111111", "222222222222"
EU, US = "eu-west-1", "us-east-1"
PLACES = [(ONE, EU), (ONE, US), (TWO, EU), (TWO, US)]
TARGETS = f"""
[[target]]
name = "one"
account = "{ONE}"
regions = ["{EU}", "{US}"]
role = "plan"
tags = {{ stage = "test" }}

[[target]]
name = "two"
account = "{TWO}"
regions = ["{EU}", "{US}"]
role = "plan"
tags = {{ stage = "prod" }}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an app and a fleet."""
    monkeypatch.chdir(tmp_path)
    table_app(Path("app.toml"), "Orders-prod", "Orders")
    Path("fleet.toml").write_text(TARGETS, encoding="utf-8")
    return tmp_path


def at(account: str, region: str) -> Any:
    """A client for the tables of a place."""
    keys = {"aws_access_key_id": account, "aws_secret_access_key": "test"}
    return boto3.client("dynamodb", region_name=region, **keys)


def make_table(account: str, region: str, items: int, name: str = "Orders") -> None:
    """A table with some items."""
    dynamodb = at(account, region)
    dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
    for number in range(items):
        dynamodb.put_item(TableName=name, Item={"pk": {"S": f"{account} {region} {number}"}})


def keys_at(account: str, region: str, name: str = "Orders-prod") -> set[str] | None:
    """The keys of a table; None without the table."""
    dynamodb = at(account, region)
    try:
        found = dynamodb.scan(TableName=name, ConsistentRead=True)["Items"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return None
    return {item["pk"]["S"] for item in found}


def matrix_in(events: list[dict[str, Any]]) -> Mapping[str, tuple[Mapping[str, str], str]]:
    """The actions and the state of each target."""
    (found,) = [one for one in events if one["code"] == "fleet"]
    rows = found["data"]["matrix"]["rows"]
    return {row["target"]: (row["actions"], row["state"]) for row in rows}


def test_a_fleet_is_planned_applied_and_applied_again(aws_server: EmbeddedAws) -> None:
    """Two accounts in two regions: each keeps its own data, and nothing is done twice."""
    for count, place in enumerate(PLACES):
        make_table(*place, items=count)
    ran = run("fleet", "plan", "app.toml", "--out", "fleet.json")
    assert ran.code == 0, ran
    assert "Orders-prod: 3 migrate, 1 create (one/eu-west-1)" in ran.out
    assert ran.lines[-1].endswith("Next: dataware fleet apply fleet.json")
    assert [keys_at(*place) for place in PLACES] == [None] * 4
    shown = run("show", "fleet.json")
    assert shown.code == 0, shown
    assert shown.lines[1:] == [line for line in ran.lines if line in shown.lines]
    assert "Fleet: 4 targets, 4 ready." in shown.out
    assert "<h2 id=" in run("show", "fleet.json", "--format", "html").out
    told = run("apply", "fleet.json").err
    assert "fleet.json is the plan of a fleet: run `dataware fleet apply fleet.json`" in told
    ran = run("fleet", "apply", "fleet.json", "--canary", "two/us-east-1", "--format", "json")
    assert ran.code == 0, ran
    waves = [one["data"]["targets"] for one in ran.events if one["code"] == "wave"]
    assert waves == [["two/us-east-1"], ["one/us-east-1"], ["one/eu-west-1", "two/eu-west-1"]]
    own = {"wave", "fleet"}
    assert all("target" in one["data"] for one in ran.events if one["code"] not in own)
    assert {state for _, state in matrix_in(ran.events).values()} == {"done"}
    for count, place in enumerate(PLACES):
        assert keys_at(*place) == {f"{place[0]} {place[1]} {n}" for n in range(count)}
    again = run("fleet", "apply", "fleet.json")
    assert again.code == 0, again
    assert again.out.count("Nothing to copy") == 4
    assert "Fleet: 4 targets, 4 done" in again.out


def test_a_target_that_fails_ends_the_waves_and_the_same_command_goes_on(
    aws_server: EmbeddedAws,
) -> None:
    """The canary is in order, the next target's plan is out of date: the other region waits."""
    for place in PLACES:
        make_table(*place, items=2)
    assert run("fleet", "plan", "app.toml", "--out", "fleet.json").code == 0
    make_table(TWO, EU, 1, "Orders-prod")  # somebody else's data, after the plan
    words = ("--max-concurrent", "1", "--format", "json", "--notify", "tee told.json")
    ran = run("fleet", "apply", "fleet.json", *words)
    assert ran.code == 3, ran
    told = json.loads(Path("told.json").read_text(encoding="utf-8"))
    assert (told["event"], told["command"], told["exit_code"]) == ("stopped", "fleet apply", 3)
    assert told["reason"].startswith("3 of 4 targets not done (one/us-east-1, two/eu-west-1, ")
    (failure,) = [one for one in ran.events if one["code"] == "failure"]
    assert failure["data"]["exit_code"] == 3
    assert {name: state for name, (_, state) in matrix_in(ran.events).items()} == {
        "one/eu-west-1": "done",
        "one/us-east-1": "not started",
        "two/eu-west-1": "refused",
        "two/us-east-1": "not started",
    }
    assert keys_at(ONE, US) is keys_at(TWO, US) is None
    at(TWO, EU).delete_table(TableName="Orders-prod")
    again = run("fleet", "apply", "fleet.json")
    assert again.code == 0, again
    assert all(len(keys_at(*place) or ()) == 2 for place in PLACES)


def sts_error(code: str, message: str) -> Fault:
    """A refusal of the security token service, which wraps its errors (AWS query protocol)."""
    error = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    return answer(403, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode())


def test_what_cannot_be_looked_into_is_unknown_and_stops_the_fleet(
    fault_proxy: FaultProxy,
) -> None:
    """A role that is not trusted and a region that is not enabled, each with its reason."""
    for place in PLACES:
        make_table(*place, items=1)

    def is_for(text: str) -> Any:
        return lambda seen: text.encode() in seen.body or text in str(seen.headers)

    denied = (
        "User: arn:aws:iam::000000000000:user/me is not authorized to perform: sts:AssumeRole on "
        f"resource: arn:aws:iam::{ONE}:role/plan with an explicit deny in a service control policy"
    )
    refuse = sts_error("AccessDenied", denied)
    fault_proxy.add(refuse, operation="AssumeRole", when=is_for(f"{ONE}%3Arole"))
    closed = sts_error("InvalidClientTokenId", "The security token is invalid")
    fault_proxy.add(closed, operation="GetCallerIdentity", when=is_for(f"/{EU}/sts"))
    ran = run("fleet", "plan", "app.toml", "--out", "fleet.json", "--format", "json")
    assert ran.code == 1, ran
    told = {
        one["data"].get("target") or one["data"]["names"]: one["text"]
        for one in ran.events
        if one["code"] in {"target-unknown", "targets-unknown"}
    }
    assert sorted(told) == ["one/eu-west-1, one/us-east-1", "two/eu-west-1"], "each reason once"
    assert "cannot assume role" in told["one/eu-west-1, one/us-east-1"]
    denial = "service control policy forbids sts:AssumeRole"
    assert denial in told["one/eu-west-1, one/us-east-1"]
    assert f"region {EU} is not enabled in account {TWO}" in told["two/eu-west-1"]
    actions = matrix_in(ran.events)
    assert actions["one/eu-west-1"] == ({}, "unknown")
    assert actions["two/us-east-1"] == ({"Orders-prod": "migrate"}, "ready")
    status = run("fleet", "status")
    assert status.code == 1
    assert (status.out.count("is unknown"), status.out.count("2 targets are unknown")) == (1, 1)
    refused = run("fleet", "apply", "fleet.json")
    assert refused.code == 3
    assert "could not be looked into" in refused.err
    assert keys_at(TWO, US) is None
    part = run("fleet", "apply", "fleet.json", "--exclude", "one", "--exclude", "two/eu-west-1")
    assert part.code == 0, part
    assert len(keys_at(TWO, US) or ()) == 1


def test_a_region_that_refuses_known_credentials_is_told_as_not_enabled(
    fault_proxy: FaultProxy,
) -> None:
    """Also where another target has shown before who the caller is."""
    make_table(OWN, US, 1)
    text = "".join(
        f'[[target]]\nname = "{region}"\naccount = "{OWN}"\nregion = "{region}"\n'
        for region in (US, EU)
    )
    Path("fleet.toml").write_text(text, encoding="utf-8")
    closed = json_error("UnrecognizedClientException", message="The security token is invalid")
    fault_proxy.add(closed, when=lambda seen: f"/{EU}/dynamodb" in str(seen.headers))
    ran = run("fleet", "plan", "app.toml", "--format", "json")
    assert ran.code == 1, ran
    (told,) = [one["text"] for one in ran.events if one["code"] == "target-unknown"]
    assert f"Target {EU} is unknown: region {EU} is not enabled in account {OWN}" in told
    assert matrix_in(ran.events)[US] == ({"Orders-prod": "migrate"}, "ready")


def test_credentials_of_another_account_are_never_taken_for_the_targets(
    aws_server: EmbeddedAws,
) -> None:
    """A wrong profile would look into, and write into, somebody else's account."""
    Path("fleet.toml").write_text(
        f'[[target]]\nname = "one"\naccount = "{ONE}"\nregion = "{EU}"\n', encoding="utf-8"
    )
    ran = run("fleet", "plan", "app.toml")
    assert ran.code == 1
    assert f"the credentials are of account {OWN}, not of {ONE}" in ran.out


def test_the_accounts_of_an_organization_are_looked_into(fault_proxy: FaultProxy) -> None:
    """Each by the role of its own, those that are closed or have other tags not at all."""

    def list_accounts(_seen: Seen, _forward: Forward) -> Reply:
        accounts = [
            {"Id": ONE, "Name": "Team one", "State": "ACTIVE"},
            {"Id": TWO, "Name": "Team two", "State": "ACTIVE"},
            {"Id": "3" * 12, "Name": "Gone", "State": "SUSPENDED"},
        ]
        return Reply.of(200, json.dumps({"Accounts": accounts}).encode())

    def list_tags(seen: Seen, _forward: Forward) -> Reply:
        stage = "prod" if seen.json()["ResourceId"] == TWO else "test"
        return Reply.of(200, json.dumps({"Tags": [{"Key": "stage", "Value": stage}]}).encode())

    fault_proxy.add(list_accounts, operation="ListAccounts")
    fault_proxy.add(list_tags, operation="ListTagsForResource")
    make_table(TWO, EU, 3)
    Path("fleet.toml").write_text(
        f'[organization]\nrole = "plan"\nregion = "{EU}"\ntags = {{ stage = "prod" }}\n',
        encoding="utf-8",
    )
    ran = run("fleet", "plan", "app.toml", "--format", "json")
    assert ran.code == 0, ran
    assert matrix_in(ran.events) == {"Team two": ({"Orders-prod": "migrate"}, "ready")}
    fault_proxy.add(json_error("AccessDeniedException"), operation="ListTagsForResource")
    fault_proxy.clear()
    fault_proxy.add(json_error("AccessDeniedException"), operation="ListAccounts")
    denied = run("fleet", "targets")
    assert denied.code == 1
    assert "organizations:ListAccounts" in denied.err


def test_targets_are_listed_in_the_order_of_their_waves_and_none_is_looked_at(
    fault_proxy: FaultProxy,
) -> None:
    """Selection and waves can be tried without any account."""
    ran = run("fleet", "targets", "--tag", "stage=prod")
    assert ran.code == 0
    assert [line.partition("  ")[2] for line in ran.lines] == [
        f"two/{EU}: account {TWO}, {EU}, wave 1",
        f"two/{US}: account {TWO}, {US}, wave 2",
    ]
    assert fault_proxy.count() == 0


def test_a_canary_that_the_choice_leaves_out_is_no_mistake_and_a_misspelt_one_is(
    aws_server: EmbeddedAws,
) -> None:
    """A part of a fleet is planned and applied; a slip is told before anything is looked at."""
    make_table(TWO, EU, items=2)
    Path("fleet.toml").write_text(f'[waves]\ncanary = "one"\n{TARGETS}', encoding="utf-8")
    assert run("fleet", "targets", "--tag", "stage=prod").code == 0
    assert run("fleet", "plan", "app.toml", "--out", "whole.json").code == 0
    ran = run("fleet", "apply", "whole.json", "--target", "two")
    assert (ran.code, keys_at(TWO, EU)) == (0, keys_at(TWO, EU, "Orders")), ran
    assert "Wave 1 of 2: two/eu-west-1" in ran.out
    wrong = run("fleet", "apply", "whole.json", "--target", "two", "--canary", "one")
    assert (wrong.code, "the canary one is none of the targets" in wrong.err) == (1, True)
    Path("fleet.toml").write_text(f'[waves]\ncanary = "won"\n{TARGETS}', encoding="utf-8")
    slip = run("fleet", "plan", "app.toml", "--out", "slip.json")
    assert (slip.code, Path("slip.json").exists()) == (1, False)
    assert "fleet.toml, waves: the canary won is none of the targets" in slip.err


def test_an_assembly_gives_each_target_the_stacks_that_are_meant_for_it(
    aws_server: EmbeddedAws,
) -> None:
    """By account and region; a stack for any goes to all, and a target without one says so."""
    make_table(ONE, EU, 1)
    places = {
        "Any": "unknown-account/unknown-region",
        "Here": f"{ONE}/{EU}",
        "There": f"{ONE}/{US}",
    }
    assembly = Path("cdk.out")
    assembly.mkdir()
    artifacts = {}
    for name, place in places.items():
        table = {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Metadata": {"Dataware": {"Fallback": ["Orders"]}},
            "Properties": {"TableName": f"Orders-{name}", "BillingMode": "PAY_PER_REQUEST", **KEYS},
        }
        template = {"Resources": {f"Orders{name}": table}}
        (assembly / f"{name}.json").write_text(json.dumps(template), encoding="utf-8")
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{place}",
            "properties": {"templateFile": f"{name}.json"},
        }
    manifest = {"version": "48.0.0", "artifacts": artifacts}
    (assembly / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    ran = run("fleet", "plan", "cdk.out", "--target", "one/*", "--format", "json")
    found = matrix_in(ran.events)
    assert {name: sorted(actions) for name, (actions, _) in found.items()} == {
        f"one/{EU}": ["OrdersAny", "OrdersHere"],
        f"one/{US}": ["OrdersAny", "OrdersThere"],
    }
    assert "goes to" not in ran.out
    del artifacts["Any"]
    artifacts["Away"] = {**artifacts["Here"], "environment": f"aws://{ONE}/ap-south-1"}
    (assembly / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    told = f"stack Away goes to {ONE}, ap-south-1, which is no target of the fleet"
    assert told in run("fleet", "plan", "cdk.out").out
    ran = run("fleet", "plan", "cdk.out", "--target", "two/eu-west-1")
    assert "goes to" not in ran.out
    assert ran.code == 1
    assert f"no stack of the app is meant for account {TWO}, {EU}" in ran.out


def test_a_fleet_in_which_nothing_is_planned_says_so(aws_server: EmbeddedAws) -> None:
    """A pattern may fit in some targets alone; one that fits in none is told."""
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "Orders-prod", **KEYS}}
    Path("app.json").write_text(json.dumps({"Resources": {"Orders": table}}), encoding="utf-8")
    told = "nothing is planned in any target: no resource opts in, and no pattern fits one"
    assert told in run("fleet", "plan", "app.json", "--fallback", "{base}-test={base}").out
    assert told not in run("fleet", "plan", "app.json", "--fallback", "{base}-prod={base}").out


def test_a_loss_that_the_guard_sees_in_one_target_stops_the_saved_plan(
    aws_server: EmbeddedAws,
) -> None:
    """Neither a file in between nor the lack of anything to copy makes a stop into a tick."""
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {"TableName": "Orders-prod", "BillingMode": "PAY_PER_REQUEST", **KEYS},
    }
    keys = {"aws_access_key_id": ONE, "aws_secret_access_key": "test"}
    stacks = boto3.client("cloudformation", region_name=EU, **keys)
    stacks.create_stack(StackName="App", TemplateBody=json.dumps({"Resources": {"Old": table}}))
    stacks.get_waiter("stack_create_complete").wait(StackName="App", WaiterConfig={"Delay": 1})
    at(ONE, EU).put_item(TableName="Orders-prod", Item={"pk": {"S": "kept"}})
    renamed = {**table, "Properties": {**table["Properties"], "TableName": "Orders-new"}}
    Path("app.json").write_text(json.dumps({"Resources": {"Old": renamed}}), encoding="utf-8")
    words = ("app.json", "--all-stateful", "--stack", "App", "--in-region", EU)
    assert run("fleet", "plan", *words, "--out", "fleet.json").code == 3
    refused = run("fleet", "apply", "fleet.json")
    assert (refused.code, refused.out) == (3, "")
    assert "nothing was changed, because of one/eu-west-1: a stop holds" in refused.err
    assert run("fleet", "apply", "fleet.json", "--exclude", "one").code == 0
    allowed = run("fleet", "plan", *words, "--allow-loss", "Old", "--out", "fleet.json")
    assert (allowed.code, "pass --all to read the warnings" in allowed.out) == (0, True), allowed
    shown = run("fleet", "plan", *words, "--allow-loss", "Old", "--all")
    assert ("Orders-new" in shown.out, "pass --all" in shown.out) == (True, False)
    assert run("fleet", "apply", "fleet.json").code == 0
    assert keys_at(ONE, EU) == {"kept"}


def test_profiles_lead_into_accounts_and_a_missing_one_is_unknown_alone(
    aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each target by its own; the command's credentials are for those without."""
    make_table(ONE, EU, 1)
    make_table(OWN, EU, 0)
    config = Path("config")
    config.write_text(
        f"[profile one]\naws_access_key_id = {ONE}\naws_secret_access_key = test\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config.resolve()))
    Path("fleet.toml").write_text(
        "".join(
            f'[[target]]\nname = "{name}"\naccount = "{account}"\nregion = "{EU}"\n{more}\n'
            for name, account, more in [
                ("own", OWN, ""),
                ("one", ONE, 'profile = "one"'),
                ("two", TWO, 'profile = "twoo"'),
            ]
        ),
        encoding="utf-8",
    )
    ran = run("fleet", "plan", "app.toml", "--format", "json")
    assert ran.code == 1
    assert {name: dict(actions) for name, (actions, _) in matrix_in(ran.events).items()} == {
        "own": {"Orders-prod": "create"},
        "one": {"Orders-prod": "migrate"},
        "two": {},
    }
    (told,) = [one["text"] for one in ran.events if one["code"] == "target-unknown"]
    assert "two is unknown" in told
    assert "twoo" in told


def test_processes_that_copy_are_in_the_account_of_the_role(aws_server: EmbeddedAws) -> None:
    """They find the credentials by themselves, as the leading process did."""
    make_table(ONE, EU, 0)
    for begin in range(0, 600, 25):
        items = [
            {"pk": {"S": f"{n:04}"}, "pad": {"S": "x" * 20_000}} for n in range(begin, begin + 25)
        ]
        put = [{"PutRequest": {"Item": one}} for one in items]
        at(ONE, EU).batch_write_item(RequestItems={"Orders": put})
    target = ("--target", "one/eu-west-1")
    assert run("fleet", "plan", "app.toml", *target, "--out", "fleet.json").code == 0
    ran = run("fleet", "apply", "fleet.json", "--processes", "2", "--format", "json")
    assert ran.code == 0, ran
    assert "parallel" in [one["code"] for one in ran.events]
    pages = at(ONE, EU).get_paginator("scan").paginate(TableName="Orders-prod", Select="COUNT")
    assert sum(page["Count"] for page in pages) == 600


def test_ctrl_c_ends_with_4_and_the_same_command_goes_on(fault_proxy: FaultProxy) -> None:
    """What the canary has begun is finished or can be resumed, and no further target begins."""
    for place in PLACES[:2]:
        make_table(*place, items=6)
    assert run("fleet", "plan", "app.toml", "--target", "one", "--out", "fleet.json").code == 0
    strike = Strike(1, number=signal.SIGINT)
    ran = struck_run(
        fault_proxy, strike, "fleet", "apply", "fleet.json", operation="BatchWriteItem"
    )
    assert ran.code == 4, ran
    assert "run the same command again" in ran.err
    assert "Traceback" not in ran.err
    assert "not started" in ran.out
    status = run("fleet", "status")
    assert status.code == 0, status
    assert any("Orders → Orders-prod" in line for line in status.lines), status
    assert f"two/{US}: Nothing to do: no migration is recorded in account " in status.out
    again = run("fleet", "apply", "fleet.json")
    assert again.code == 0, again
    assert all(len(keys_at(*place) or ()) == 6 for place in PLACES[:2])


def writes(proxy: FaultProxy) -> list[Seen]:
    """The requests that wrote items."""
    return [one for one in list(proxy.seen) if one.operation == "BatchWriteItem"]


def test_killed_in_the_middle_the_same_command_finishes_and_copies_nothing_twice(
    fault_proxy: FaultProxy,
) -> None:
    """What was complete keeps its table and is written to no more; the others get their data."""
    for place in PLACES:
        make_table(*place, items=6)
    assert run("fleet", "plan", "app.toml", "--out", "fleet.json").code == 0

    def is_in(region: str) -> Any:
        return lambda seen: f"/{region}/dynamodb" in str(seen.headers)

    fault_proxy.add(gate := Gate(), operation="BatchWriteItem", when=is_in(US))
    process = launch("fleet", "apply", "fleet.json", "--max-concurrent", "1")
    assert gate.reached.wait(PATIENCE), process.printed()
    process.kill()
    assert ended(process).code == -signal.SIGKILL
    gate.open()
    complete = [place for place in PLACES if place[1] == EU]
    assert all(len(keys_at(*place) or ()) == 6 for place in complete), "both of the first region"
    made = [at(*place).describe_table(TableName="Orders-prod")["Table"] for place in complete]
    fault_proxy.clear()
    again = run("fleet", "apply", "fleet.json", "--max-concurrent", "1")
    assert again.code == 0, again
    assert not any(map(is_in(EU), writes(fault_proxy)))
    now = [at(*place).describe_table(TableName="Orders-prod")["Table"] for place in complete]
    assert [one["TableId"] for one in now] == [one["TableId"] for one in made]
    for account, region in PLACES:
        assert keys_at(account, region) == {f"{account} {region} {n}" for n in range(6)}
        assert keys_at(account, region, "Orders") == keys_at(account, region)


def target_with_stage(given: tuple[str, str, str]) -> str:
    """A target that says of the app which stage it is."""
    name, account, stage = given
    return (
        f'[[target]]\nname = "{name}"\naccount = "{account}"\nregion = "{EU}"\nrole = "plan"\n'
        f'parameters = {{ Stage = "{stage}" }}\n'
    )


def test_each_target_gets_its_parameters_and_a_shared_bucket_name_is_a_conflict(
    aws_server: EmbeddedAws,
) -> None:
    """A name that a parameter makes is another one in every target; a literal one is not."""
    bucket = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}
    template = {
        "Parameters": {"Stage": {"Type": "String"}},
        "Resources": {
            "Uploads": {
                **bucket,
                "Metadata": {"Dataware": {"Fallback": ["uploads-of-old"]}},
                "Properties": {"BucketName": {"Fn::Sub": "uploads-${Stage}"}},
            }
        },
    }
    Path("template.json").write_text(json.dumps(template), encoding="utf-8")
    fleet_file = Path("fleet.toml")
    targets = [("one", ONE, "prod"), ("two", TWO, "prod")]
    fleet_file.write_text("".join(map(target_with_stage, targets)), encoding="utf-8")
    ran = run("fleet", "plan", "template.json", "--out", "fleet.json")
    assert ran.code == 3, ran
    assert "one and two want the same S3 bucket uploads-prod" in ran.out
    refused = run("fleet", "apply", "fleet.json")
    assert refused.code == 3
    assert "in each other's way" in refused.err
    targets[0] = ("one", ONE, "test")
    fleet_file.write_text("".join(map(target_with_stage, targets)), encoding="utf-8")
    ran = run("fleet", "plan", "template.json", "--out", "fleet.json")
    assert ran.code == 0, ran
    names = [one.wanted.preferred for one in read_saved_fleet(Path("fleet.json"))[0].resources]
    assert names == ["uploads-test", "uploads-prod"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_and_the_page_explain_every_option(name: str) -> None:
    """Examples parse, the help fits into eighty columns, and docs/cli.md knows each option."""
    command = fleet.get_command(click.Context(fleet), name)  # type: ignore[attr-defined]
    assert command is not None
    examples = [line.strip() for line in command.help.partition("Examples:\n")[2].splitlines()]
    assert any(examples)
    for example in filter(None, examples):
        words = shlex.split(example.partition(" > ")[0])
        assert words[:3] == ["dataware", "fleet", name]
        with click.Context(dataware, info_name="dataware") as context:
            command.make_context(name, words[3:], parent=context)
    page = (Path(__file__).parents[3] / "docs/cli.md").read_text(encoding="utf-8")
    assert f"### fleet {name}\n" in page
    for option in command.params:
        if isinstance(option, click.Option):
            assert f"`{option.opts[0]}" in page, option.opts[0]

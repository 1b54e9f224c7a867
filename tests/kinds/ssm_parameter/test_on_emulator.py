"""Parameters are copied by the command line with their history, and no value is ever seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataware.aws import Account
from support.cli import Ran, run
from support.dynamo import account
from support.servers import Fault, FaultProxy, Forward, Reply, Seen, json_error

OLD, NEW = "/app/key", "/app/key-prod"
PAIR = (f"ssm://{OLD}", f"ssm://{NEW}")
OLD_FLAG, NEW_FLAG = "/app/flag", "/app/flag-prod"
PLANTED = ("PLANTED-first", "PLANTED-second", "PLANTED-third", "PLANTED-own")


@pytest.fixture
def aws(
    fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """A secure string that has had three values, with labels, tags and a description."""
    monkeypatch.chdir(tmp_path)
    there = account()
    ssm = there.client("ssm")
    for number, value in enumerate(PLANTED[:3]):
        ssm.put_parameter(
            Name=OLD,
            Value=value,
            Type="SecureString",
            Description=f"take {number}",
            Tier="Standard" if number < 2 else "Advanced",
            Overwrite=number > 0,
        )
    ssm.label_parameter_version(Name=OLD, ParameterVersion=1, Labels=["first", "old"])
    ssm.label_parameter_version(Name=OLD, ParameterVersion=3, Labels=["live"])
    tags = [{"Key": "team", "Value": "space"}]
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=OLD, Tags=tags)
    fault_proxy.clear()
    yield there
    fault_proxy.clear()


def history(aws: Account, name: str) -> list[dict[str, Any]]:
    """Every version, without what a copy cannot keep."""
    rows = aws.client("ssm").get_parameter_history(Name=name, WithDecryption=True)["Parameters"]
    kept = ("Type", "Value", "Labels", "Description", "Tier", "DataType")
    return [{key: row[key] for key in kept} for row in rows]


def require_no_value(aws: Account, *ended: Ran) -> None:
    """Fail if a planted value stands in an output, in any file of the run, or in a record."""
    for one in ended:
        assert not any(value in one.out + one.err for value in PLANTED)
    for place in (Path.home(), Path.cwd()):
        for file in (each for each in place.rglob("*") if each.is_file()):
            content = file.read_bytes()
            assert not any(value.encode() in content for value in PLANTED), file
    for page in aws.client("ssm").get_paginator("describe_parameters").paginate():
        for name in (row["Name"] for row in page["Parameters"]):
            text = json.dumps(aws.client("ssm").get_parameter(Name=name), default=str)
            assert name in {OLD, NEW} or not any(value in text for value in PLANTED), name


def test_values_labels_and_tags_are_copied_and_no_value_is_seen(
    aws: Account, fault_proxy: FaultProxy
) -> None:
    """Into a parameter that the copy makes; a second run writes nothing, and both verify."""
    ended = run("migrate", *PAIR, "--format", "json")
    assert ended.code == 0, ended.out
    assert history(aws, NEW) == history(aws, OLD)
    ssm = aws.client("ssm")
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=NEW)["TagList"]
    assert tags == [{"Key": "team", "Value": "space"}]
    fault_proxy.clear()
    again = run("migrate", *PAIR)
    assert again.code == 0, again.err
    written = [seen.json()["Name"] for seen in fault_proxy.seen if seen.operation == "PutParameter"]
    assert NEW not in written
    verified = run("verify", *PAIR)
    assert verified.code == 0
    assert "3 values" in verified.out
    require_no_value(aws, ended, again, verified, run("report"))


@pytest.mark.parametrize("kind", ["String", "StringList"])
def test_every_type_is_copied(aws: Account, kind: str) -> None:
    """As what it is."""
    aws.client("ssm").put_parameter(Name="/app/plain", Value="a,b", Type=kind)
    assert run("migrate", "ssm:///app/plain", "ssm:///app/plain-prod").code == 0
    assert history(aws, "/app/plain-prod") == history(aws, "/app/plain")


@pytest.mark.parametrize(
    ("policy", "code"), [((), 4), (("--on-conflict", "stop"), 3), (("--on-conflict", "source"), 0)]
)
def test_a_value_that_somebody_has_set_is_hidden_only_where_that_is_asked_for(
    aws: Account, policy: tuple[str, ...], code: int
) -> None:
    """What is there is in front of the source's values, or all there is."""
    ssm = aws.client("ssm")
    ssm.put_parameter(Name=NEW, Value=PLANTED[3], Type="SecureString")
    ended = run("migrate", *PAIR, *policy, "--debug")
    assert ended.code == code, ended.err
    there = [one["Value"] for one in history(aws, NEW)]
    assert there == [PLANTED[3], *(PLANTED[:3] if code == 0 else ())]
    require_no_value(aws, ended)


@pytest.mark.parametrize("own", [("on", "off"), ("off", "on", "off")])
def test_a_value_that_somebody_has_set_back_is_kept(aws: Account, own: tuple[str, ...]) -> None:
    """The target ends with what the source begins with, and no copy has put it there."""
    ssm = aws.client("ssm")
    for name, values in ((OLD_FLAG, ("off", "on")), (NEW_FLAG, own)):
        for number, value in enumerate(values):
            ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=number > 0)
    ended = run("migrate", f"ssm://{OLD_FLAG}", f"ssm://{NEW_FLAG}")
    assert ended.code == 4, ended.out
    assert "conflict" in ended.out + ended.err
    assert ssm.get_parameter(Name=NEW_FLAG)["Parameter"]["Value"] == "off"
    assert [one["Value"] for one in history(aws, NEW_FLAG)] == list(own)


def test_a_difference_is_named_by_age(aws: Account) -> None:
    """Numbers differ between both sides, and values are shown to nobody."""
    assert run("migrate", *PAIR).code == 0
    ssm = aws.client("ssm")
    ssm.put_parameter(Name=NEW, Value=PLANTED[3], Type="SecureString", Overwrite=True)
    found = run("verify", *PAIR, "--debug")
    assert found.code == 2
    assert "the newest value" in found.out + found.err
    require_no_value(aws, found)


def repeat_body(code: str) -> Fault:
    """A refusal that repeats what was sent, as services do in their messages."""

    def fault(seen: Seen, forward: Forward) -> Reply:
        message = f"Value '{seen.body.decode()}' failed to satisfy constraint; {PLANTED}"
        return json_error(code, 400, message)(seen, forward)

    return fault


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("GetParameterHistory", "AccessDeniedException"),
        ("PutParameter", "ValidationException"),
        ("PutParameter", "AccessDeniedException"),
        ("LabelParameterVersion", "AccessDeniedException"),
    ],
)
def test_no_failure_shows_a_value_and_the_same_command_goes_on(
    aws: Account, fault_proxy: FaultProxy, operation: str, code: str
) -> None:
    """Whatever the service says of what it was sent, nothing of it is passed on."""
    fault_proxy.add(
        repeat_body(code),
        operation=operation,
        when=lambda seen: seen.json()["Name"] in {OLD, NEW},
    )
    ended = run("migrate", *PAIR, "--debug")
    assert ended.code in {1, 4}, ended.err
    assert operation in ended.out + ended.err
    fault_proxy.clear()
    again = run("migrate", *PAIR, "--debug")
    assert again.code == 0, again.err
    assert history(aws, NEW) == history(aws, OLD)
    require_no_value(aws, ended, again)


def test_a_plan_leaves_a_parameter_to_a_person(aws: Account, tmp_path: Path) -> None:
    """A template holds the whole value, so the plan names the command instead."""
    app = tmp_path / "dataware.toml"
    app.write_text(
        f'[[resource]]\ntype = "AWS::SSM::Parameter"\npreferred = "{NEW}"\nfallback = "{OLD}"\n',
        encoding="utf-8",
    )
    ended = run("plan", app)
    assert ended.code == 3
    assert f"dataware migrate {' '.join(PAIR)}" in " ".join((ended.out + ended.err).split())

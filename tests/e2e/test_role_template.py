"""The role of the printed template, on an AWS that enforces IAM: it plans, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from dataware.embedded import EmbeddedAws
from support.cli import BUCKET, KEYED_BY_PK, TABLE, run, toml_resource, write_toml
from support.worlds import client, make_bucket, make_table

ACCOUNT = "000000000000"


def test_the_role_plans_all_of_the_app_and_may_write_nothing(
    auth_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deployed as a stack, assumed by the account that it trusts."""
    monkeypatch.chdir(tmp_path)
    make_table("Orders", [{"pk": {"S": "a"}}])
    make_bucket("files", [{"Key": "a", "Body": b"data"}])
    make_bucket("kept-prod", [{"Key": "a", "Body": b"data"}])
    app = write_toml(
        Path("app.toml"),
        toml_resource(TABLE, "Orders-prod", "Orders", properties=KEYED_BY_PK),
        toml_resource(BUCKET, "files-prod", "files"),
        toml_resource(BUCKET, "kept-prod", "kept"),
    )
    printed = run("iam-policy", app, "--role-template", ACCOUNT)
    assert printed.code == 0, printed
    assert ACCOUNT not in printed.out.replace(f'"Default": "{ACCOUNT}"', "")
    cloudformation = client("cloudformation")
    capabilities = ["CAPABILITY_NAMED_IAM"]
    cloudformation.create_stack(
        StackName="roles", TemplateBody=printed.out, Capabilities=capabilities
    )
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName="roles", WaiterConfig={"Delay": 1})
    (stack,) = cloudformation.describe_stacks(StackName="roles")["Stacks"]
    (role,) = [one["OutputValue"] for one in stack["Outputs"]]
    assert role.endswith(":role/dataware-plan")
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="planner")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys["SessionToken"])
    ran = run("plan", app, "--out", "plan.json")
    assert ran.code == 0, ran
    plan = json.loads(Path("plan.json").read_text())
    assert [one["action"] for one in plan["resources"]] == ["migrate", "migrate", "import"]
    seen = [facts for one in plan["resources"] for facts in (one["preferred"], *one["fallbacks"])]
    assert [facts["problems"] for facts in seen] == [[]] * len(seen)
    as_role = boto3.Session()
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role.client("dynamodb").put_item(TableName="Orders", Item={"pk": {"S": "b"}})
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role.client("s3").put_object(Bucket="files", Key="b", Body=b"")
    assert run("apply", app, "--yes").code != 0
    wrong = run("iam-policy", app, "--role-template", ACCOUNT, "--for", "apply")
    assert (wrong.code, "only plans" in wrong.err) == (1, True)

"""`dataware init`: a twin that is made from what it writes is like the first one."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dataware.kinds import load
from support.accounts import open_account
from support.cli import BUCKET, TABLE, run
from support.worlds import client, make_bucket

pytestmark = pytest.mark.usefixtures("aws_server")

NOT_CREATED = {
    TABLE: ("PointInTimeRecoverySpecification", "TimeToLiveSpecification"),
    BUCKET: ("Tags",),
}
"""What the embedded CloudFormation passes over when it creates such a resource."""

INDEX = {"KeySchema": [{"AttributeName": "at", "KeyType": "HASH"}]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_rich_table(name: str, **more: Any) -> None:
    """A table with everything that matters."""
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
            {"AttributeName": "at", "AttributeType": "B"},
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-at",
                **INDEX,
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]},
                "ProvisionedThroughput": {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4},
            }
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "local",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 8},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        DeletionProtectionEnabled=True,
        Tags=[{"Key": "team", "Value": "space"}],
        **more,
    )
    dynamodb.update_continuous_backups(
        TableName=name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    dynamodb.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "gone"}
    )


def make_rich_bucket(name: str) -> None:
    """A bucket with everything that matters."""
    make_bucket(name, [{"Key": "a", "Body": b"1"}])
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "team", "Value": "space"}]})
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )


def described(cfn_type: str, name: str) -> Any:
    """The properties of a resource as it is."""
    describe = load(cfn_type).template.describe
    assert describe is not None
    return describe(open_account(), name).properties


def test_the_twin_of_what_init_writes_is_equal() -> None:
    """Nothing is weaker in the plan, and what is created has the same properties to the letter."""
    make_rich_table("Orders")
    client("dynamodb").put_item(
        TableName="Orders", Item={"pk": {"S": "1"}, "sk": {"N": "1"}, "at": {"B": b"x"}}
    )
    make_rich_bucket("uploads-of-space")
    made = run("init", "--suffix=-prod", "Orders", "s3://uploads-of-space", "--plain")
    assert (made.code, made.err) == (0, "")
    assert "Saved 2 resources, as they are today, to dataware.toml" in made.out
    declared = tomllib.loads(Path("dataware.toml").read_text(encoding="utf-8"))["resource"]
    assert {"PointInTimeRecoverySpecification", "TimeToLiveSpecification", "Tags"} <= set(
        declared[0]["properties"]
    )
    assert run("check").code == 0
    planned = run("plan", "--strict", "--plain")
    assert planned.code == 0, planned
    assert "weaker" not in planned.out
    assert "2 to copy" in planned.out
    assert run("apply").code == 0
    for cfn_type, old in ((TABLE, "Orders"), (BUCKET, "uploads-of-space")):
        first, twin = described(cfn_type, old), described(cfn_type, f"{old}-prod")
        assert [one["properties"] for one in declared if one["type"] == cfn_type] == [first]
        assert twin == {name: first[name] for name in first if name not in NOT_CREATED[cfn_type]}


def test_a_file_that_says_so_already_is_nothing_to_do() -> None:
    """A job that is retried ends well and writes nothing; another file stays an error."""
    make_bucket("uploads-of-space")
    assert run("init", "uploads-of-space", "--schema").code == 0
    Path("dataware.schema.json").unlink()
    assert run("init", "uploads-of-space", "--schema").code == 0
    assert Path("dataware.schema.json").exists()
    before = Path("dataware.toml").stat().st_mtime_ns
    again = run("init", "uploads-of-space", "--schema")
    told = "Nothing to do: dataware.toml declares 1 resource just so"
    assert (again.code, told in again.out) == (0, True)
    assert Path("dataware.toml").stat().st_mtime_ns == before
    assert run("init", "uploads-of-space").code == 1


def test_a_suffix_without_a_hyphen_is_told() -> None:
    """`--suffix prod` glues two words together, which is seldom meant."""
    make_bucket("uploads-of-space")
    told = run("init", "--suffix", "prod", "uploads-of-space", "--plain")
    assert told.code == 0
    words = "uploads-of-space becomes uploads-of-spaceprod: write --suffix=-prod for a hyphen"
    assert words in told.out + told.err
    again = run("init", "--suffix=-prod", "uploads-of-space", "--out", "b.toml", "--plain")
    assert "becomes" not in again.out + again.err


def test_no_file_is_overwritten_and_nothing_is_half_written() -> None:
    """What is there stays to the letter, also when the resource does not exist."""
    make_bucket("uploads-of-space")
    Path("dataware.toml").write_text("# mine", encoding="utf-8")
    ran = run("init", "uploads-of-space")
    assert (ran.code, "is not overwritten" in ran.err) == (1, True)
    assert Path("dataware.toml").read_text(encoding="utf-8") == "# mine"
    assert run("init", "nothing-here", "--out", "new.toml").code == 1
    assert not Path("new.toml").exists()


def test_a_schema_stands_beside_the_file_that_names_it_and_fits_it() -> None:
    """Editors read `#:schema`, and no file of the user's is overwritten for it."""
    make_rich_table("Waitlist")
    made = run("init", "--schema", "Waitlist")
    assert made.code == 0, made
    assert "Saved the schema for editors to dataware.schema.json" in made.out
    text = Path("dataware.toml").read_text(encoding="utf-8")
    first, _, _ = text.partition("\n")
    assert first == "#:schema ./dataware.schema.json"
    schema = json.loads(Path(first.removeprefix("#:schema ")).read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(tomllib.loads(text))
    refused = run("init", "--schema", "--format", "cfn", "Waitlist")
    assert (refused.code, refused.out) == (1, "")
    assert "--schema needs a dataware.toml" in refused.err


def test_a_name_of_two_kinds_says_which() -> None:
    """A table and a bucket may share a name."""
    make_bucket("both-of-them")
    make_rich_table("both-of-them")
    ran = run("init", "both-of-them")
    assert ran.code == 1
    assert "write s3://both-of-them or dynamodb://both-of-them" in ran.err
    assert run("init", "dynamodb://both-of-them", "--out", "-").code == 0


@pytest.mark.parametrize("form", ["cfn", "cdk-py", "cdk-ts"])
def test_a_snippet_is_all_that_is_printed(form: str) -> None:
    """Lines for a template or an app go to standard output, and no file is made."""
    make_bucket("uploads-of-space")
    ran = run("init", "--format", form, "uploads-of-space", "--suffix=-prod")
    assert (ran.code, ran.err) == (0, "")
    assert "uploads-of-space-prod" in ran.out
    assert list(Path().iterdir()) == []

"""Whole processes: no call with a full lock file, and one run to collect without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from cdk.apps import BUCKET, ENVIRONMENT, TABLE, entry, make_table, write_lock
from dataware.embedded import EmbeddedAws
from dataware.kinds import kinds
from dataware.ops.inputs.app import load_app

COUNT = 50
APP = f"""
import sys
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb
from dataware.cdk import DataAwareBucket, DataAwareTable

app = App()
stack = Stack(app, "Demo", env=Environment(account=sys.argv[1], region=sys.argv[2]))
key = dynamodb.Attribute(name="email", type=dynamodb.AttributeType.STRING)
for at in range({COUNT}):
    DataAwareBucket(stack, f"B{{at}}", preferred_name=f"uploads-{{at}}")
    DataAwareTable(stack, f"T{{at}}", preferred_name=f"Waitlist-{{at}}", partition_key=key)
app.synth()
heavy = ("boto", "dataware.aws", "aws_cdk.aws_stepfunctions", "aws_cdk.custom_resources")
print(sorted(name for name in sys.modules if name.startswith(heavy)))
"""


ADOPTING = """
import sys
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from dataware.cdk import DataAwareBucket, DataAwareTable

app = App(context={"dataware:import": "adopt"})
stack = Stack(app, "Demo", env=Environment(account=sys.argv[1], region=sys.argv[2]))
key = dynamodb.Attribute(name="email", type=dynamodb.AttributeType.STRING)
lifetime = [s3.LifecycleRule(expiration=Duration.days(30))]
DataAwareBucket(stack, "Uploads", preferred_name="uploads", lifecycle_rules=lifetime)
DataAwareTable(stack, "Waitlist", preferred_name="Waitlist", partition_key=key)
app.synth()
"""

MIXED = """
import sys
from aws_cdk import App, Environment, NestedStack, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from dataware.cdk import DataAwareMixin

app = App()
stack = Stack(app, "Demo", env=Environment(account=sys.argv[1], region=sys.argv[2]))
for at in range(2):
    bucket = s3.Bucket(stack, f"B{at}", bucket_name=f"uploads-{at}-prod")
    bucket.with_(DataAwareMixin([f"uploads-{at}"]))
kms.Key(stack, "Key").with_(DataAwareMixin(physical_id="alias/app"))
inner = NestedStack(stack, "Inner")
s3.Bucket(inner, "B", bucket_name="inner-prod").with_(DataAwareMixin(["inner"]))
app.synth()
"""


def run(
    folder: Path, *arguments: str, app: str = APP, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the app as the CDK command line does."""
    (folder / "app.py").write_text(app)
    return subprocess.run(
        [sys.executable, "app.py", *arguments],
        cwd=folder,
        env={**os.environ, "CDK_OUTDIR": str(folder / "cdk.out"), **environ},
        capture_output=True,
        text=True,
        check=True,
    )


def test_a_full_lock_file_needs_no_aws(project: Path) -> None:
    """A hundred decisions from the lock file: nothing is asked, no SDK or machinery imported."""
    names = [(BUCKET, f"uploads-{at}") for at in range(COUNT)]
    names += [(TABLE, f"Waitlist-{at}") for at in range(COUNT)]
    write_lock({f"{cfn_type} {name}": entry() for cfn_type, name in names})
    account, region = ENVIRONMENT.split("/")
    done = run(project, account, region, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert done.stdout.strip() == "[]"
    template = json.loads((project / "cdk.out/Demo.template.json").read_text())
    assert len([one for one in template["Resources"].values() if "Dataware" in str(one)]) == (
        2 * COUNT
    )


def test_an_app_is_looked_up_as_a_whole(project: Path, aws_server: EmbeddedAws) -> None:
    """Without a lock file the app runs once more to collect, and all names are asked together."""
    make_table("Waitlist-7")
    sts = boto3.client("sts")
    done = run(project, sts.get_caller_identity()["Account"], sts.meta.region_name)
    looks = [line for line in done.stderr.splitlines() if "Looking at" in line]
    assert len(looks) == 1, done.stderr
    assert f"Looking at {2 * COUNT} resources" in looks[0]
    assert "Importing existing DynamoDB table with data: Waitlist-7" in done.stderr
    template = json.loads((project / "cdk.out/Demo.template.json").read_text())
    names = [one["Properties"].get("TableName") for one in template["Resources"].values()]
    assert "Waitlist-7" not in names
    assert "Waitlist-8" in names


def test_the_example_is_planned_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dataware plan` runs the app of `cdk.json`, which asks nothing while it is collected."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    folder = Path(__file__).resolve().parents[2] / "examples/python"
    app = load_app(None, kinds={kind.cfn_type: kind for kind in kinds()}, folder=folder)
    assert [(one.id, one.fallbacks) for one in app.wanted] == [
        ("Spaceport/Uploads", ("spaceport-uploads",)),
        ("Spaceport/Processing", ("spaceport-ml-processing",)),
        ("Spaceport/Waitlist", ("Spaceport-Waitlist",)),
        ("Spaceport/Jobs", ()),
    ]


@pytest.mark.usefixtures("aws_server")
def test_what_adoption_would_delete_or_cannot_change_is_an_error_at_synth(project: Path) -> None:
    """A plain `cdk deploy` that adopts stops for the same reasons as a plan."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="uploads")
    s3.put_object(Bucket="uploads", Key="a", Body=b"x")
    make_table("Waitlist", "other")
    account = boto3.client("sts").get_caller_identity()["Account"]
    run(project, account, "us-east-1", app=ADOPTING)
    said = "".join(one.read_text() for one in (project / "cdk.out").glob("*.json"))
    assert "(rule 24): adopting uploads would delete data" in said
    assert "objects expire after 30 days" in said
    assert "(rule 23): Waitlist would have to be replaced by an empty table" in said


def annotations(folder: Path, level: str) -> list[str]:
    """What the assembly of a run says to people about its constructs."""
    manifest = json.loads((folder / "cdk.out/manifest.json").read_text())
    stack = manifest["artifacts"]["Demo"]
    metadata = stack.get("metadata") or json.loads(
        (folder / "cdk.out" / stack["additionalMetadataFile"]).read_text()
    )
    return [one["data"] for each in metadata.values() for one in each if one["type"] == level]


def test_what_a_mixin_opts_in_is_not_deployed_empty_beside_its_data(
    project: Path, aws_server: EmbeddedAws
) -> None:
    """A plain deployment copies nothing for a mixin, so data that has to move is an error."""
    s3, kms = boto3.client("s3"), boto3.client("kms")
    s3.create_bucket(Bucket="uploads-0")
    s3.put_object(Bucket="uploads-0", Key="a", Body=b"x")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    place = (boto3.client("sts").get_caller_identity()["Account"], "us-east-1")
    run(project, *place, app=MIXED)
    moved, twin = sorted(annotations(project, "aws:cdk:error"), reverse=True)
    assert moved == (
        "the data of uploads-0 has to be copied to uploads-0-prod: deploy with `dataware deploy`, "
        "which copies first"
    )
    assert "alias/app exists, and only `dataware deploy` lets a stack adopt it" in twin
    (inner,) = annotations(project, "aws:cdk:warning")
    assert inner.startswith("inner-prod was not looked at: the name of a nested stack")

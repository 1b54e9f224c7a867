"""How long a synth takes with decisions from the lock file, against CDK's own constructs."""

from __future__ import annotations

import json
import sys

from tests.bench.measure import Run
from tests.bench.result import Claim, Result, Row
from tests.bench.world import World

MOST = 1.10
TURNS = 3
PLACE = "111122223333/eu-central-1"

_APP = """
import os
import sys

os.environ["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = os.path.abspath("jsii")
from aws_cdk import App, Environment, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3

count, account, region = int(sys.argv[2]), *sys.argv[3].split("/")
stack = Stack(App(), "Bench", env=Environment(account=account, region=region))
key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
kept = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
if sys.argv[1] == "aware":
    from dataware.cdk import DataAwareBucket, DataAwareTable

    for at in range(count // 2):
        DataAwareBucket(stack, f"B{at}", preferred_name=f"bench-{at}")
        DataAwareTable(stack, f"T{at}", preferred_name=f"Bench-{at}", partition_key=key)
else:
    for at in range(count // 2):
        s3.Bucket(stack, f"B{at}", bucket_name=f"bench-{at}", removal_policy=kept)
        dynamodb.Table(
            stack, f"T{at}", table_name=f"Bench-{at}", partition_key=key, removal_policy=kept
        )
folder = stack.node.root.synth().directory
print(folder)
"""


def synth(world: World, resources: int) -> Result:
    """The same app with both sorts of constructs, in turns; the quickest run of each counts."""
    (world.folder / "app.py").write_text(_APP)
    _lock(world, resources)
    _run(world, "plain", resources)  # unpacks the CDK library
    plain, aware = [], []
    for _ in range(TURNS):
        plain.append(_run(world, "plain", resources))
        aware.append(_run(world, "aware", resources))
    least, ours = (min(runs, key=lambda run: run.cpu) for runs in (plain, aware))
    share = ours.cpu / least.cpu
    return Result(
        f"Synth: {resources} resources, every decision in the lock file",
        [
            Row("constructs of CDK", least, resources),
            Row("constructs of dataware", ours, resources, f"{share:.2f} of the CPU time"),
        ],
        [Claim(f"at most {MOST:.2f} of the CPU time: {share:.2f}", share <= MOST)],
    )


def _run(world: World, sort: str, resources: int) -> Run:
    return world.measured([sys.executable, "app.py", sort, str(resources), PLACE])


def _lock(world: World, resources: int) -> None:
    entry = {
        "action": "keep",
        "rule": 6,
        "reason": "it belongs to this stack",
        "import": None,
        "source": None,
        "fallbacks": [],
        "exists": "yes",
        "owner": "this stack",
        "stack": None,
        "logical_id": None,
        "warnings": [],
    }
    names = [f"AWS::S3::Bucket bench-{at}" for at in range(resources // 2)]
    names += [f"AWS::DynamoDB::Table Bench-{at}" for at in range(resources // 2)]
    lock = {"version": 1, "environments": {PLACE: dict.fromkeys(names, entry)}}
    (world.folder / "dataware.lock.json").write_text(json.dumps(lock))

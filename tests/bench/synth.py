"""How long a synth takes with decisions from the lock file, against CDK's own constructs."""

from __future__ import annotations

import compileall
import json
import sys
from pathlib import Path
from typing import Any

from tests.bench.measure import Run
from tests.bench.result import RUN_COLUMNS, Goal, Result, run_row
from tests.bench.world import World

import dataware

MOST = 1.10
TURNS = 5
PLACE = "111122223333/eu-central-1"

_APP = """
import os
import sys

os.environ["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = os.path.abspath("jsii")
from aws_cdk import App, Environment, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3

count, account, region = int(sys.argv[2]), *sys.argv[3].split("/")
app = App(outdir="cdk.out", context={"dataware:lookup": sys.argv[4]})
stack = Stack(app, "Bench", env=Environment(account=account, region=region))
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
app.synth()
"""


def synth(world: World, resources: int) -> Result:
    """The same app with both sorts of constructs, in turns; the medians count."""
    (world.folder / "app.py").write_text(_APP)
    # As pip leaves a package that it installs; the CDK library is compiled already.
    compileall.compile_dir(Path(dataware.__file__).parent, quiet=2)
    _run(world, "plain", resources)  # unpacks the CDK library
    _run(world, "aware", resources, "collect")
    _lock(world)
    plain, aware = [], []
    for _ in range(TURNS):
        plain.append(_run(world, "plain", resources))
        aware.append(_run(world, "aware", resources))
    theirs, ours = (sorted(runs, key=lambda run: run.cpu)[TURNS // 2] for runs in (plain, aware))
    share = ours.cpu / theirs.cpu
    return Result(
        f"Synth: {resources} resources, every decision in the lock file",
        RUN_COLUMNS,
        [
            run_row("constructs of CDK", theirs, resources),
            run_row("constructs of dataware", ours, resources, f"{share:.2f} of the CPU time"),
        ],
        [Goal("a synth takes at most 1.10 of the CPU time", f"{share:.2f}", share <= MOST)],
    )


def _run(world: World, sort: str, resources: int, lookup: str = "never") -> Run:
    return world.measured([sys.executable, "app.py", sort, str(resources), PLACE, lookup])


def _lock(world: World) -> None:
    """The lock file of a stack that has all that the app declares."""
    template = json.loads((world.folder / "cdk.out/Bench.template.json").read_text())
    entries = {
        f"{one['Type']} {_name(one['Properties'])}": _entry(logical_id)
        for logical_id, one in template["Resources"].items()
    }
    lock = {"version": 1, "environments": {PLACE: entries}}
    (world.folder / "dataware.lock.json").write_text(json.dumps(lock))


def _name(properties: dict[str, Any]) -> str:
    return str(properties.get("BucketName") or properties["TableName"])


def _entry(logical_id: str) -> dict[str, Any]:
    return {
        "action": "keep",
        "rule": 6,
        "reason": "it belongs to this stack",
        "import": None,
        "source": None,
        "fallbacks": [],
        "exists": "yes",
        "owner": "this stack",
        "stack": "Bench",
        "logical_id": logical_id,
        "warnings": [],
    }

"""What a deployment costs with dataware, against `cdk deploy` of CDK's own constructs.

One app, four ways to deploy it, each in a stack of its own: twelve buckets, twelve tables, and
functions whose code is bundled, as a program that counts how often that is done. A deployment that
has nothing to do leaves nothing behind, so the third one costs what the hundredth does.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from tests.bench.measure import Run, RunError
from tests.bench.result import RUN_COLUMNS, Goal, Result, run_row
from tests.bench.world import World

from support.cdk_cli import BESIDE, NEVER_ASK, QUIET, install
from support.peers import UnavailableError

_APP = """
import os, pathlib, sys
import jsii
from aws_cdk import App, BundlingOptions, DockerImage, ILocalBundling, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

way, count = os.environ["BENCH_WAY"], int(os.environ["BENCH_COUNT"])
copies = int(os.environ.get("BENCH_COPIES", 0))
key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
kept = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
app = App()
stack = Stack(app, f"Bench-{way}")


@jsii.implements(ILocalBundling)
class Bundling:
    def try_bundle(self, output, *args, **options):
        with open(f"bundled-{way}", "a") as told:
            told.write("x")
        pathlib.Path(output, "index.py").write_text("def handler(event, context): pass")
        return True


options = BundlingOptions(image=DockerImage.from_registry("none"), local=Bundling())
code = lambda_.Code.from_asset("source", bundling=options)
for at in range(count // 2):
    bucket, table = f"bench-{way}-{at}", f"Bench-{way}-{at}"
    if way == "plain":
        one = s3.Bucket(stack, f"B{at}", bucket_name=bucket, removal_policy=kept)
        other = dynamodb.Table(
            stack, f"T{at}", table_name=table, partition_key=key, removal_policy=kept
        )
    else:
        from dataware.cdk import DataAwareBucket, DataAwareTable

        one = DataAwareBucket(stack, f"B{at}", preferred_name=bucket).bucket
        other = DataAwareTable(stack, f"T{at}", preferred_name=table, partition_key=key).table
    if at < 3:
        function = lambda_.Function(
            stack, f"F{at}", runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler",
            code=code,
        )
        one.grant_read(function)
        other.grant_read_write_data(function)
for at in range(copies):
    from dataware.cdk import DataMigration

    target = dynamodb.Table(stack, f"Into{at}", table_name=f"into-{at}", partition_key=key)
    DataMigration(stack, f"Copy{at}", source=f"dynamodb://from-{at}", target=target)
app.synth()
"""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to deploy the app; with `locks` the decisions are committed after the first."""

    name: str
    label: str
    by_dataware: bool = False
    locks: bool = False

    def command(self, *words: str) -> list[str]:
        """What is typed."""
        if self.by_dataware:
            dataware = [sys.executable, "-m", "dataware.cli", "deploy", "--yes"]
            return [*dataware, "--", *NEVER_ASK, *words]
        return [str(install()), "deploy", *NEVER_ASK, *words]


WAYS = (
    Way("plain", "cdk deploy, constructs of CDK"),
    Way("locked", "cdk deploy, constructs of dataware, lock file", locks=True),
    Way("live", "cdk deploy, constructs of dataware, live look"),
    Way("whole", "dataware deploy", by_dataware=True),
)
GOALS = {"locked": 1.10, "live": 1.60, "whole": 1.50}


def deploying(world: World, resources: int, last: int) -> Result:
    """The first deployment and number `last`, in each way; what migrations add to a template."""
    try:
        install()
    except UnavailableError as reason:
        raise RunError(str(reason)) from None
    result = Result(f"Deployments: {resources} resources", RUN_COLUMNS)
    _prepare(world)
    world.measured([str(install()), "bootstrap", "--no-notices"], **_environ(world, WAYS[0], 0))
    runs = {way.name: _deploy_in_turn(world, way, resources, last) for way in WAYS}
    for number, word in ((0, "first"), (-1, f"number {last}")):
        base = runs["plain"][number].cpu
        for way in WAYS:
            run = runs[way.name][number]
            ratio = f"{run.cpu / base:.2f} of the CPU time"
            result.rows.append(run_row(f"{word}: {way.label}", run, resources, ratio))
    ratios = {name: each[-1].cpu / runs["plain"][-1].cpu for name, each in runs.items()}
    for name, most in GOALS.items():
        label = next(way.label for way in WAYS if way.name == name)
        text = f"{label}, nothing to do: at most {most:.2f} of the CPU time"
        result.goals.append(Goal(text, f"{ratios[name]:.2f}", ratios[name] <= most))
    result.goals += [_bundled_once(world), *_few_resources(world)]
    result.notes.append(
        "between the second and the last one, deployments are of the assembly that the one before "
        "left, because only the first two and the last are typed and measured"
    )
    return result


def _prepare(world: World) -> None:
    folder = world.folder
    (folder / "source").mkdir(exist_ok=True)
    (folder / "source/index.py").write_text("def handler(event, context): pass\n")
    (folder / "app.py").write_text(_APP)
    (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))


def _environ(world: World, way: Way, resources: int, **more: str) -> dict[str, str]:
    places = [str(install().parent), str(BESIDE), os.environ["PATH"]]
    return {
        **QUIET,
        "AWS_ENDPOINT_URL": world.server.endpoint,
        "CDK_HOME": str(world.folder / "home"),
        # Every measured program has a home of its own, and this is warm for one with a home.
        "DATAWARE_CACHE": str(world.folder / "cache"),
        "CDK_DEFAULT_ACCOUNT": world.server.account,
        "CDK_DEFAULT_REGION": world.server.region,
        "PATH": os.pathsep.join(places),
        "BENCH_WAY": way.name,
        "BENCH_COUNT": str(resources),
        **more,
    }


def _deploy_in_turn(world: World, way: Way, resources: int, last: int) -> Sequence[Run]:
    """The first, the second and the last of `last` deployments, one after the other."""
    lock, found = world.folder / "dataware.lock.json", list[Run]()
    lock.unlink(missing_ok=True)
    environ = _environ(world, way, resources)
    out = f"out-{way.name}"
    for number in range(1, last + 1):
        if 2 < number < last:
            app = f'cp -r {out}/. "$CDK_OUTDIR"' if way.by_dataware else out
            world.measured(way.command("--app", app), **environ)
            continue
        found.append(world.measured(way.command("--output", out), **environ))
        click.echo(f"  {way.label}, {number}: {found[-1].cpu:.1f} s CPU", err=True)
        if way.locks:
            world.measured([sys.executable, "-m", "dataware.cli", "plan", "--lock"], **environ)
    return found


def _bundled_once(world: World) -> Goal:
    times = {way.name: len((world.folder / f"bundled-{way.name}").read_text()) for way in WAYS}
    more = max(times.values()) - times["plain"]
    text = "no deployment bundles an asset more often than CDK does"
    return Goal(text, f"{max(times.values())} times, CDK {times['plain']}", more <= 0)


def _few_resources(world: World) -> list[Goal]:
    """How many resources migrations add to a template, less their targets."""
    sizes = {}
    for copies in (0, 1, 10):
        out = world.folder / f"migrations-{copies}"
        more = {"BENCH_COPIES": str(copies), "CDK_OUTDIR": str(out)}
        world.measured([sys.executable, "app.py"], **_environ(world, WAYS[0], 2, **more))
        sizes[copies] = _resources_in(out) - copies
    added = {copies: sizes[copies] - sizes[0] for copies in (1, 10)}
    text = "{} at most {} resources to a template"
    return [
        Goal(text.format("1 migration adds", 13), str(added[1]), added[1] <= 13),
        Goal(text.format("10 migrations add", 22), str(added[10]), added[10] <= 22),
    ]


def _resources_in(assembly: Path) -> int:
    (template,) = assembly.glob("*.template.json")
    return len(json.loads(template.read_text())["Resources"])

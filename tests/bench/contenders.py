"""Who takes part in a race: dataware, its peers, and the loops that people write by hand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench import peers
from tests.bench.jobs import BUCKET_APP, DATAWARE, TABLE_APP
from tests.bench.names import SOURCE, TARGET, THREADS, TRANSFERS
from tests.bench.peers import Program
from tests.bench.world import World

from dataware import __version__

_DYNAMODUMP_PAUSE = 25.0  # one second after each of the 25 threads that a backup starts


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to copy the source into the target.

    `shown` is the command line as it is published, `creates` says that it makes the target itself,
    `tool` is its name in the fidelity report. `turns` is the most often that it runs, and `pause`
    the seconds that it sleeps whatever there is to do; they are not counted.
    """

    name: str
    tool: str
    command: tuple[str, ...]
    version: str
    shown: str
    creates: bool = False
    missing: str = ""
    turns: int = 3
    pause: float = 0.0

    @property
    def ours(self) -> bool:
        """Whether it is dataware."""
        return self.tool == "dataware"


def of_buckets(world: World) -> Sequence[Contender]:
    """All who copy buckets; dataware first."""
    source, target = f"s3://{SOURCE}", f"s3://{TARGET}"
    s5cmd, rclone, aws = peers.s5cmd(), peers.rclone(), peers.awscli()
    loud = ("--log", "error")
    sync = ("--only-show-errors",)
    many = (f"--transfers={TRANSFERS}", f"--checkers={TRANSFERS}", "--fast-list")
    v2 = ("--s3-list-version=2", "--s3-no-check-bucket", "--log-level=ERROR")
    pair = (f"bench:{SOURCE}", f"bench:{TARGET}")
    return [
        _dataware("migrate", source, target),
        _peer("s5cmd cp", s5cmd, (*loud, "cp", f"{source}/*", f"{target}/")),
        _peer("s5cmd sync", s5cmd, (*loud, "sync", f"{source}/*", f"{target}/")),
        _peer("rclone copy", rclone, ("copy", *pair, *many, *v2)),
        replace(
            _peer("aws s3 sync", aws, ("s3", "sync", source, target, *sync)),
            shown=f"aws s3 sync {source} {target} {sync[0]}, max_concurrent_requests = {TRANSFERS}",
        ),
        _loop("copy-one-by-one", "boto3 loop, one by one", "boto3 copy_object"),
        _loop("copy-with-threads", f"boto3 loop, {THREADS} threads", "boto3 copy_object"),
    ]


def of_tables(world: World) -> Sequence[Contender]:
    """All who copy tables; dataware first."""
    app = world.folder / "table.toml"
    app.write_text(TABLE_APP)
    return [
        _dataware("apply", str(app), creates=True),
        _dynamodump(world),
        _loop("batch-writer", "boto3 resource + batch_writer", "boto3 batch_writer"),
        _loop("client-one-thread", "boto3 client, one thread", "boto3 client"),
        _loop("client-threads", f"boto3 client, {THREADS} threads", "boto3 client"),
    ]


def bucket_into_new(world: World) -> Contender:
    """dataware with a bucket that it creates itself."""
    app = world.folder / "bucket.toml"
    app.write_text(BUCKET_APP)
    return _dataware("apply", str(app), creates=True)


def for_fidelity_of_buckets(world: World) -> Sequence[Contender]:
    """All who copy buckets in a way of their own; how quick they are does not matter here."""
    ours, *others = of_buckets(world)
    rclone = next(one for one in others if one.tool == "rclone copy")
    with_metadata = replace(
        rclone,
        name="rclone copy -M",
        tool="rclone copy -M",
        command=(*rclone.command, "-M"),
        shown=f"{rclone.shown} -M",
    )
    several = [one for one in others if one.name != f"boto3 loop, {THREADS} threads"]
    several.insert(several.index(rclone) + 1, with_metadata)
    versions = replace(
        ours,
        name="dataware, all versions",
        tool="dataware, all versions",
        command=(*ours.command, "--versions", "all"),
        shown=f"{ours.shown} --versions all",
    )
    managed = _loop("copy-managed", "boto3 managed copy", "boto3 managed copy")
    return [ours, versions, *several, managed]


def _dataware(*arguments: str, creates: bool = False) -> Contender:
    shown = " ".join(("dataware", *(Path(one).name if one[0] == "/" else one for one in arguments)))
    command = (*DATAWARE, *arguments)
    return Contender("dataware", "dataware", command, f"dataware {__version__}", shown, creates)


def _peer(name: str, program: Program, arguments: tuple[str, ...]) -> Contender:
    shown = " ".join((Path(program.path).name, *arguments))
    command = (program.path, *arguments)
    return Contender(name, name, command, program.version, shown, missing=program.missing)


def _loop(loop: str, name: str, tool: str) -> Contender:
    command = (sys.executable, "-m", "tests.bench.loops", loop)
    return Contender(name, tool, command, peers.boto3(), f"tests/bench/loops.py: {loop}")


def _dynamodump(world: World) -> Contender:
    program = peers.dynamodump()
    place = urlsplit(world.responder.endpoint)
    there = f"--host {place.hostname} --port {place.port} -r {world.server.region}"
    keys = f"--accessKey {world.server.account} --secretKey test"
    common = f"-s {SOURCE} --skipThroughputUpdate --dumpPath dump --log ERROR"
    backup, restore = f"-m backup {common}", f"-m restore {common} -d {TARGET} --dataOnly"
    lines = [f"{program.path} {mode} {there} {keys}" for mode in (backup, f"{restore} --noConfirm")]
    command = ("sh", "-c", f"rm -rf dump && {' && '.join(lines)}")
    shown = f"dynamodump {backup} && dynamodump {restore}"
    return Contender(
        "dynamodump",
        "dynamodump",
        command,
        program.version,
        shown,
        missing=program.missing,
        turns=1,
        pause=_DYNAMODUMP_PAUSE,
    )

"""Runs every tool over the same things and compares source and target attribute by attribute."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import click
from botocore.config import Config
from tests.bench.contenders import Contender, for_fidelity_of_buckets, of_tables
from tests.bench.fidelity import items, objects
from tests.bench.jobs import make_table
from tests.bench.names import SOURCE, TARGET
from tests.bench.real import running
from tests.bench.world import World

from support.peers import Weed

_LIMIT = 120.0
_AGE_SECONDS = 1.5


@dataclass(slots=True)
class Kept:
    """What one tool kept: `gone` are things that are not in the target at all.

    `changed` names, for each other thing, the attributes that are not the source's; `had` and
    `lost` count, for each attribute of those, how many had it and how many have it no longer.
    """

    name: str
    tool: str
    version: str
    shown: str
    missing: str = ""
    status: int = 0
    gone: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)
    had: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    def compare(self, what: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        """Enter one thing."""
        if not found and set(wanted) != {"older versions"}:
            self.gone.append(what)
            return
        different = [name for name in wanted if not _holds(found.get(name), wanted[name])]
        self.had.update(wanted.keys())
        self.lost.update(different)
        self.changed[what] = [*different, *_added(wanted, found)]

    def summary(self) -> str:
        """What it does not keep, in a few words."""
        names = [name for name in self.had if name not in ("ETag", "older versions", "value")]
        all_gone = {name: self.lost[name] == self.had[name] for name in names if self.lost[name]}
        words = [name for name in all_gone if all_gone[name]]
        words += [f"some {name}" for name in all_gone if not all_gone[name]]
        if self.lost["value"]:
            words = [f"the values of {self.lost['value']} items"]
        if self.lost["older versions"]:
            words.append("older versions")
        if self.gone:
            words.insert(0, f"{len(self.gone)} of {len(self.gone) + len(self.changed)} whole")
        told = f" (exit {self.status})" if self.status else " (exit 0)" if self.gone else ""
        return f"{', '.join(words) or 'nothing'}{told}"


def _holds(found: Any, wanted: Any) -> bool:
    """Whether an attribute is what it should be; of named values, whether all are there."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return wanted.items() <= found.items()
    return bool(found == wanted)


def _added(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """What the source does not have: whole attributes, and metadata."""
    more = set(found.get("user metadata", ())) - set(wanted.get("user metadata", ()))
    names = {name for name in found if name not in wanted and name != "user metadata"}
    return [f"+ {name}" for name in sorted(names | more)]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One server, the things on it, those that it refused, and what every tool kept."""

    server: str
    things: Sequence[str]
    refused: Sequence[str]
    kept: Sequence[Kept]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Server:
    """An S3 that has just begun, empty: a client, and what leads a program there."""

    s3: Any
    environ: Mapping[str, str]


Servers = Callable[[], AbstractContextManager[Server]]


def embedded(world: World) -> Servers:
    """The embedded AWS."""

    @contextmanager
    def begin() -> Iterator[Server]:
        world.server.reset()
        yield Server(world.client("s3"), {"AWS_ENDPOINT_URL": world.server.endpoint})

    return begin


def weed(world: World) -> Servers:
    """SeaweedFS for S3, and the embedded AWS for all else."""

    @contextmanager
    def begin() -> Iterator[Server]:
        world.server.reset()
        with running(Weed()) as server:
            config = Config(s3={"addressing_style": "path"})
            client = boto3.client("s3", config=config, **server.client_options())
            there = {"AWS_ENDPOINT_URL_S3": server.endpoint}
            keys = {"AWS_ACCESS_KEY_ID": server.account, "AWS_SECRET_ACCESS_KEY": server.secret}
            yield Server(client, {"AWS_ENDPOINT_URL": world.server.endpoint, **there, **keys})

    return begin


def of_objects(
    world: World,
    name: str,
    servers: Servers,
    contenders: Sequence[Contender] = (),
    things: Sequence[objects.Thing] = objects.THINGS,
) -> Comparison:
    """The objects, on a server that begins anew for every tool."""
    by_name = {thing.what: thing for thing in things}
    refused: list[str] = []
    kept = []
    for contender in contenders or for_fidelity_of_buckets(world):
        with servers() as server:
            for bucket in (SOURCE, TARGET):
                _bucket(server.s3, bucket)
            refused = objects.put_all(server.s3, SOURCE, things)  # the same ones every time
            # Sources are older than their copies; some tools go by that, to the second.
            time.sleep(_AGE_SECONDS)
            one = _tried(world, contender, server.environ)

            def look(what: str, bucket: str, s3: Any = server.s3) -> Mapping[str, Any]:
                return objects.attributes(s3, bucket, by_name[what])

            _enter(one, [what for what in by_name if what not in refused], look)
            kept.append(one)
    return Comparison(name, list(by_name), refused, kept)


def of_items(world: World, contenders: Sequence[Contender] = ()) -> Comparison:
    """The items, on the embedded AWS."""
    things = {thing.what: thing for thing in items.THINGS}
    kept = []
    for contender in contenders or of_tables(world):
        world.server.reset()
        dynamodb = world.client("dynamodb")
        for table in (SOURCE,) if contender.creates else (SOURCE, TARGET):
            make_table(world, table)
        items.put_all(dynamodb, SOURCE)
        # dynamodump is told where to go in its arguments: through the responder, which passes all
        # on as long as nothing is virtual.
        world.responder.become()
        one = _tried(world, contender, {})
        if one.status and not items.look(dynamodb, TARGET, items.THINGS[0]):
            # One thing that stops a tool shall not hide what it makes of the others.
            dynamodb.delete_item(TableName=SOURCE, Key=items.key(items.LARGEST))
            _tried(world, contender, {})

        def look(what: str, table: str, client: Any = dynamodb) -> Mapping[str, Any]:
            return items.look(client, table, things[what])

        _enter(one, list(things), look)
        kept.append(one)
    return Comparison("the embedded AWS", list(things), (), kept)


def _enter(one: Kept, things: Sequence[str], look: Callable[[str, str], Mapping[str, Any]]) -> None:
    if one.missing:
        return
    for what in things:
        one.compare(what, look(what, SOURCE), look(what, TARGET))


def _tried(world: World, contender: Contender, environ: Mapping[str, str]) -> Kept:
    one = Kept(
        contender.name, contender.tool, contender.version, contender.shown, contender.missing
    )
    if not one.missing:
        one.status, output = world.tried(contender.command, _LIMIT, **environ)
        click.echo(f"  {one.name}: exit {one.status} {output[-400:].strip()}", err=True)
    return one


def _bucket(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

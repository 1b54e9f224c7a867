"""A source that is written to all the time is followed, through trouble that one seed decides.

Three writers put, update and delete, many of them the same few keys. Writes of the copy are held
back, so that what they carry is old when they arrive. The follow is stopped and begun again. In
`chaos` the feed tells of keys late, twice and in any order; in `gaps` the stream forgets what was
not read for some seconds, and the follow is away for longer.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast
from unittest.mock import patch
from uuid import uuid4

import boto3

from dataware.aws import Account
from dataware.cli.context import make_context
from dataware.cli.transport import make_wire
from dataware.core.errors import IncompleteError
from dataware.core.events import Event
from dataware.core.follow import loop
from dataware.core.follow.feed import ChangeFeed, FeedRound
from dataware.core.model import Location
from dataware.core.ports import Request, Response, Wire
from dataware.embedded import StreamSettings
from dataware.http.endpoint import Endpoint
from dataware.kinds import load
from dataware.ops.context import Context, CopySettings
from dataware.ops.follow import difference, follow_run
from dataware.ops.follow.follow import follow

WRITERS = 3
HOT, MORE = 40, 100
HELD_SECONDS = 0.3
AWAY_SECONDS = 5.0
PATIENCE = 90.0
LEAST_WRITES = 100
TYPES = {"dynamodb": "AWS::DynamoDB::Table", "s3": "AWS::S3::Bucket"}

STREAMS = {
    "feed": StreamSettings(shard_records=40),
    "chaos": StreamSettings(shard_records=40),
    "gaps": StreamSettings(shard_records=20, stream_seconds=3.0, iterator_seconds=2.0),
    "rounds": StreamSettings(),
}
"""The ways to follow, each with how short-lived the streams of its server are."""


@dataclass(frozen=True)
class Difference:
    """What differs once the writers rest, and how much was written before that."""

    missing: int
    extra: int
    different: int
    writes: int
    gaps: int

    @property
    def is_none(self) -> bool:
        """Whether both sides are the same."""
        return not (self.missing or self.extra or self.different)


class ChaosFeed:
    """A feed whose keys come late, twice, and in any order; its positions keep the law of a feed.

    A position that is given out passes over no key that was not told of.
    """

    def __init__(self, feed: ChangeFeed, order: random.Random) -> None:
        self._feed = feed
        self._order = order
        self._held: frozenset[bytes] = frozenset()
        self._told: list[bytes] = []
        self._position: Mapping[str, Any] = {}

    def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """Go on after a position."""
        self._held = frozenset()
        self._position = self._feed.open(position, now)
        return self._position

    def poll(self, now: float) -> FeedRound:
        """A round, of which some keys may be held back until the next one."""
        found = self._feed.poll(now)
        keys = sorted(found.keys | self._held)
        self._order.shuffle(keys)
        held = frozenset(keys[: len(keys) // 3]) if self._order.random() < 0.5 else frozenset()
        again = [key for key in self._told[-200:] if self._order.random() < 0.2]
        self._told += [key for key in keys if key not in held]
        self._held = held
        if not held:
            self._position = found.position
        whole = found.whole and not held
        told = frozenset(keys) - held | frozenset(again)
        return replace(found, keys=told, position=self._position, whole=whole)


class HeldBackWire:
    """A wire on which some writes stand still for a while before they are sent."""

    def __init__(self, wire: Wire, order: random.Random) -> None:
        self._wire = wire
        self._order = order

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "permit":
            self._wire.permit = value
        else:
            super().__setattr__(name, value)

    async def send(self, request: Request) -> Response:
        """Send, some writes later."""
        target = request.shared.get("x-amz-target", "") or request.headers.get("x-amz-target", "")
        if target.endswith(("BatchWriteItem", "PutItem")) or request.method == "PUT":
            await asyncio.sleep(self._order.random() * HELD_SECONDS)
        return await self._wire.send(request)


class Tables:
    """Two tables, and what writers do to the first."""

    scheme = "dynamodb"

    def __init__(self, names: tuple[str, str], items: int) -> None:
        self.client = boto3.client("dynamodb")
        self.source, self.target = names
        key: dict[str, Any] = {
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        self.client.create_table(TableName=self.source, StreamSpecification=stream, **key)
        self.client.create_table(TableName=self.target, **key)
        for start in range(0, items, 25):
            puts = [
                {"PutRequest": {"Item": {"pk": {"S": f"k{n}"}, "v": {"N": "0"}}}}
                for n in range(start, start + 25)
            ]
            self.client.batch_write_item(RequestItems={self.source: puts})

    def write(self, number: int, value: int, chance: float) -> None:
        """Put, update or delete a key."""
        key, table = {"pk": {"S": f"k{number}"}}, self.source
        if chance < 0.3:
            self.client.delete_item(TableName=table, Key=key)
        elif chance < 0.7:
            self.client.put_item(TableName=table, Item={**key, "v": {"N": str(value)}})
        else:
            self.client.update_item(
                TableName=table,
                Key=key,
                UpdateExpression="SET u = :u",
                ExpressionAttributeValues={":u": {"N": str(value)}},
            )

    def content(self, name: str) -> dict[str, Any]:
        """What a side holds."""
        pages = self.client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
        return {item["pk"]["S"]: item for page in pages for item in page["Items"]}


class Buckets:
    """Two buckets, and what writers do to the first."""

    scheme = "s3"

    def __init__(self, names: tuple[str, str], items: int) -> None:
        self.client = boto3.client("s3")
        self.source, self.target = names
        for name in names:
            self.client.create_bucket(Bucket=name)
        for number in range(items):
            self.client.put_object(Bucket=self.source, Key=f"k{number}", Body=b"0")

    def write(self, number: int, value: int, chance: float) -> None:
        """Put or delete a key."""
        if chance < 0.3:
            self.client.delete_object(Bucket=self.source, Key=f"k{number}")
        else:
            self.client.put_object(
                Bucket=self.source, Key=f"k{number}", Body=str(value).encode(), Metadata={"n": "1"}
            )

    def content(self, name: str) -> dict[str, Any]:
        """What a side holds."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=name)
        return {one["Key"]: one["ETag"] for page in pages for one in page.get("Contents", ())}


@dataclass
class Follower:
    """A follow that is begun, stopped and begun again."""

    sides: Tables | Buckets
    order: random.Random
    events: list[Event] = field(default_factory=list)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Follow on a thread, until the end of the context. Raises what the follow raises."""
        ended, errors = threading.Event(), list[BaseException]()

        def wire(access: Endpoint, on_throttle: Callable[[str], None], *more: Any) -> Wire:
            held: Any = HeldBackWire(make_wire(access, on_throttle, *more), self.order)
            return cast("Wire", held)

        def run() -> None:
            account = Account.open(wire, stop=ended.is_set)
            context = make_context(account, self.events.append, ended.is_set, strict=False)
            places = (
                Location(name, account.account, account.region)
                for name in (self.sides.source, self.sides.target)
            )
            try:
                _wait(lambda: self._is_free(context))
                follow(context, TYPES[self.sides.scheme], *places, CopySettings(follow=True))
            except IncompleteError as error:
                if not ended.is_set():
                    errors.append(error)
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        if errors:
            raise errors[0]

    def _is_free(self, context: Context) -> bool:
        """Whether the lock is; a release without an answer in time leaves it to run out."""
        slug = load(TYPES[self.sides.scheme]).names.slug
        return not context.markers.get(slug, self.sides.target).alive

    def count(self, code: str) -> int:
        """How often something was told."""
        return sum(one.code == code for one in self.events)


def run_seed(way: str, seed: int, items: int = 400, seconds: float = 1.5) -> Difference:
    """Follow through what a seed decides, and tell what differs when the writers rest."""
    number = uuid4().hex[:8]
    names = (f"source-{number}", f"target-{number}")
    sides: Tables | Buckets = (Buckets if way == "rounds" else Tables)(names, items)
    order, follower = random.Random(seed), Follower(sides, random.Random(seed + 1))
    ended, writes = threading.Event(), Counter[int]()
    writers = [
        threading.Thread(target=_write, args=(sides, random.Random(seed * 10 + n), ended, writes))
        for n in range(WRITERS)
    ]
    with _short_waits(way, order):
        for one in writers:
            one.start()
        try:
            for _ in range(2):
                with follower.following():
                    _wait(lambda: follower.count("following") > 0)
                    time.sleep(seconds)
                if way == "gaps":
                    time.sleep(AWAY_SECONDS)
            with follower.following():
                time.sleep(seconds)
                _wait(lambda: writes.total() > LEAST_WRITES)
                ended.set()
                for one in writers:
                    one.join()
                _wait(lambda: _differ(sides, 0, 0).is_none)
        finally:
            ended.set()
    return _differ(sides, sum(writes.values()), follower.count("feed-gap"))


def _write(
    sides: Tables | Buckets, order: random.Random, ended: threading.Event, writes: Counter[int]
) -> None:
    keys = len(sides.content(sides.source)) + MORE
    while not ended.is_set():
        number = order.choice([order.randrange(HOT), order.randrange(keys)])
        sides.write(number, writes.total(), order.random())
        writes[threading.get_ident()] += 1
        time.sleep(0.004)


def _differ(sides: Tables | Buckets, writes: int, gaps: int) -> Difference:
    here, there = sides.content(sides.source), sides.content(sides.target)
    both: Collection[str] = here.keys() & there.keys()
    different = sum(here[key] != there[key] for key in both)
    return Difference(
        len(here.keys() - there.keys()), len(there.keys() - here.keys()), different, writes, gaps
    )


@contextmanager
def _short_waits(way: str, order: random.Random) -> Iterator[None]:
    """On this machine nothing is on its way for a minute; in chaos the feed is put in disorder."""
    with ExitStack() as patches:
        for module in (follow_run, loop):
            patches.enter_context(patch.object(module, "UNKNOWN_OUTCOME_SECONDS", 2.0))
        patches.enter_context(patch.object(follow_run, "POLL_SECONDS", 0.05))
        patches.enter_context(patch.object(difference, "LEAST_PAUSE", 0.2))
        if way == "chaos":
            choose = follow_run.choose_feed

            def choose_disorder(*arguments: Any) -> Any:
                chosen = choose(*arguments)
                return replace(chosen, feed=ChaosFeed(chosen.feed, order))

            patches.enter_context(patch.object(follow_run, "choose_feed", choose_disorder))
        yield


def _wait(what: Callable[[], bool]) -> None:
    """Wait until something is so, or for long; what differs then is told."""
    deadline = time.monotonic() + PATIENCE
    while not what() and time.monotonic() < deadline:
        time.sleep(0.1)

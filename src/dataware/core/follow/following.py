"""What a resource type brings to be followed: its feed of changes, and its carrier."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from dataware.core.copier import Copier, CopyOrder, CopyTools
from dataware.core.follow.feed import CarryOutcome, ChangeFeed
from dataware.core.follow.forecast import FeedOptions, FollowForecast
from dataware.core.follow.written import WrittenKeys
from dataware.core.model import Location
from dataware.core.ports import Aws, Wire


class AsyncCarrier(Protocol):
    """A carrier as a type brings it, on the event loop of its wires."""

    async def carry(self, keys: Collection[bytes]) -> CarryOutcome:
        """Bring `keys` of the target to the current state of the source; see `Carrier.carry`."""
        ...


class MakeCarrier(Protocol):
    """How a card offers its carrier."""

    def __call__(
        self, reading: Wire, writing: Wire, order: CopyOrder, written: WrittenKeys
    ) -> AsyncCarrier:
        """A carrier for `order`; nothing else may send by its wires. Does no I/O."""
        ...


class MakeRecordingCopier(Protocol):
    """How a card offers a copier that records by key what it writes."""

    def __call__(self, tools: CopyTools, order: CopyOrder, written: WrittenKeys) -> Copier[Any]:
        """A copier for `order`; does no I/O. Raises InputError for an order it cannot record."""
        ...


class FindExpired(Protocol):
    """How a card tells which items only wait for being deleted by the service."""

    def __call__(
        self,
        source: tuple[Aws, Location],
        target: tuple[Aws, Location],
        keys: Collection[bytes],
        now: float,
    ) -> frozenset[bytes]:
        """Of `keys` that only the source has, those that expire by the settings of the target.

        Raises LookupFailedError.
        """
        ...


@dataclass(frozen=True, slots=True)
class FunctionFeed:
    """How a function in the account reads a feed: what it may do, and what it is given.

    `read` are actions on the source, `write` on the target, `poll` on the feeds of the source,
    whose ARNs `feed_arn` makes of its own, and `anywhere` what IAM cannot scope. `find` gives the
    id of the feed that a function can read, None without one. `read_record` gives the canonical key
    of a record, and the number by which the service knows it.
    """

    read: tuple[str, ...]
    write: tuple[str, ...]
    poll: tuple[str, ...]
    anywhere: tuple[str, ...]
    feed_arn: Callable[[str], str]
    find: Callable[[Aws, str], str | None]
    read_record: Callable[[Mapping[str, Any]], tuple[bytes, str]]


@dataclass(frozen=True, slots=True)
class Following:
    """How a type is followed; each call takes the control plane of the source, and its name.

    `feed_noun` is what a feed is called ("stream"). `find_feed` gives the id of the one that is on,
    None without one; `enable_feed` switches one on, which changes the source, and gives its id once
    it can be read; `disable_feed` switches off the one of an id, and says whether it was on.
    `make_feed` reads it. `make_copier` copies for a follow whose carrier asks who wrote what stands
    in the target; None where the usual copier will do. The `guarded` ones of both replace only what
    the follow wrote itself, for a target that others may write to; None where the usual ones do.
    `in_account` is how a function follows; None where nothing could call one. `make_export_feed`
    reads what the service exports into a bucket, under a prefix; None where it exports nothing.
    `blind_spots` says what a follow does not see, by whether it compares deep; "" is nothing.
    `forecast` says the same of a follow that has not begun, with the feed that it would read.

    `list_tags` lists a place without a feed, by key, with the tags of `core.follow.written`; None
    where a feed reports changes. `check_undo` raises RefusedError for an old side to which a
    cut-over must not be undone.
    """

    feed_noun: str
    find_feed: Callable[[Aws, str], str | None]
    enable_feed: Callable[[Aws, str], str]
    disable_feed: Callable[[Aws, str, str], bool]
    make_feed: Callable[[Aws, str], ChangeFeed]
    make_carrier: MakeCarrier
    find_expired: FindExpired
    forecast: Callable[[Aws, str, FeedOptions], FollowForecast]
    make_copier: MakeRecordingCopier | None = None
    list_tags: Callable[[Aws, Location], Iterable[tuple[bytes, str]]] | None = None
    check_undo: Callable[[Aws, Location], None] | None = None
    guarded_carrier: MakeCarrier | None = None
    guarded_copier: MakeRecordingCopier | None = None
    in_account: FunctionFeed | None = None
    make_export_feed: Callable[[Aws, str, str, str], ChangeFeed] | None = None
    blind_spots: Mapping[bool, str] = field(default_factory=dict)

    def guard(self) -> Following:
        """The same for a target that others may write to."""
        return replace(
            self,
            make_carrier=self.guarded_carrier or self.make_carrier,
            make_copier=self.guarded_copier or self.make_copier,
        )

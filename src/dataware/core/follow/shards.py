"""When changes may be missing from a feed of shards: the gap rules, and what they remember.

A stream is a forest of shards. A shard is closed and gets children when it is full or splits; what
is older than the retention is trimmed, whole shards included. The order of a listing means nothing
(Amazon DynamoDB Developer Guide, "Change data capture for DynamoDB Streams"; API Reference,
DescribeStream). Dirty keys need no order, but no record may be missed, so a reader has to notice
that it was overtaken by the trimming:

    seen before             listed now                 why changes may be missing
    A open                  A is gone                  its last records were trimmed unread
    A ended or open         C, child of B; no B        B came and went unread
    A                       R, a root                  what led to R is not known
    any                     any                        a number to read on from is trimmed
    any                     any                        no whole round for 20 h (of 24 h)
    stream S                stream T                   S was switched off, T is another

A false alarm costs a full difference; a missed one costs data. So whatever is unclear is a gap.

A listing lags behind the stream: a shard has ended, and its child is not listed yet. Nothing is
missed by that, but nobody can say either that all is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from dataware.core.follow.feed import Gap, GapCause

LONGEST_AWAY = 20 * 3600.0
"""Without a whole round for this long, records may be trimmed: they are kept for 24 hours."""

LONGEST_STEP_BACK = 300.0
"""A clock that has gone back by more than this does not tell how long a reader was away."""

KEEP_ENDED = 48 * 3600.0
"""For how long an ended shard is remembered once it is listed no more; its children are known."""

CHILDLESS = 3600.0
"""For how long the child of an ended shard is waited for, which an enabled stream always has."""


class ListedShard(NamedTuple):
    """A shard as it is listed; `closed` says that it takes no more records.

    `other_parent` is there where two shards were merged.
    """

    id: str
    parent: str | None = None
    closed: bool = False
    other_parent: str | None = None


class ShardReading(NamedTuple):
    """How far a shard was read: after the number `last` (None: no record yet), up to its end.

    `ended` is when its end was reached, None before.
    """

    last: str | None = None
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class StreamReading:
    """How far a stream was read; `whole_at` is when the last whole round of it began."""

    stream: str
    whole_at: float
    shards: Mapping[str, ShardReading] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able value, for the checkpoint."""
        shards = {name: list(reading) for name, reading in self.shards.items()}
        return {"stream": self.stream, "whole_at": self.whole_at, "shards": shards}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> StreamReading:
        """The reading that `to_json` wrote. Raises KeyError, TypeError or ValueError."""
        shards = {name: ShardReading(*reading) for name, reading in value["shards"].items()}
        return StreamReading(value["stream"], float(value["whole_at"]), shards)


def begin_reading(stream: str, listing: Iterable[ListedShard], now: float) -> StreamReading:
    """A reading of the changes from now on, which knows the shards that are there.

    What is closed holds older changes only, so it counts as read. Of what is open all is read: the
    surplus costs little, and no number is known yet from which to read on.
    """
    shards = {one.id: ShardReading(ended=now if one.closed else None) for one in listing}
    return StreamReading(stream, now, shards)


def find_gaps(
    before: StreamReading,
    stream: str,
    listing: Collection[ListedShard],
    now: float,
    *,
    trimmed: Collection[str] = (),
    longest_away: float = LONGEST_AWAY,
) -> tuple[Gap, ...]:
    """Why changes may be missing between the reading `before` and this listing of `stream`.

    `listing` is every shard of every page; `trimmed` are the shards whose numbers to read on from
    the service has trimmed.
    """
    since = before.whole_at
    if stream != before.stream:
        return (Gap(GapCause.OTHER_STREAM, since),)
    gaps = [Gap(GapCause.TRIMMED, since, shard) for shard in sorted(trimmed)]
    if not -LONGEST_STEP_BACK <= now - before.whole_at < longest_away:
        gaps.append(Gap(GapCause.AWAY_TOO_LONG, since))
    listed = {shard.id for shard in listing}
    for name, reading in before.shards.items():
        if reading.ended is None and name not in listed:
            gaps.append(Gap(GapCause.OPEN_SHARD_GONE, since, name))
    for shard in listing:
        if (cause := _why_unexpected(shard, before.shards, listed)) is not None:
            gaps.append(Gap(cause, since, shard.id))
    return tuple(gaps)


def _why_unexpected(
    shard: ListedShard, known: Mapping[str, ShardReading], listed: Collection[str]
) -> GapCause | None:
    """Why a shard that is listed shows that others were missed, or None."""
    if shard.id in known:
        return None
    if shard.parent is None:
        return GapCause.NEW_ROOT
    reading = known.get(shard.parent)
    is_read = reading is not None and reading.ended is not None
    # A parent that is listed is or will be read, and its own parents are judged by themselves.
    return None if is_read or shard.parent in listed else GapCause.PARENT_NOT_READ


def take_listing(
    before: StreamReading, stream: str, listing: Collection[ListedShard], now: float
) -> StreamReading:
    """The reading with the shards that are new, without those that are gone and need no memory."""
    if stream != before.stream:
        return StreamReading(stream, now, {shard.id: ShardReading() for shard in listing})
    listed = {shard.id for shard in listing}
    shards = {
        name: reading
        for name, reading in before.shards.items()
        if name in listed or (reading.ended is not None and now - reading.ended < KEEP_ENDED)
    }
    new = {name: ShardReading() for name in listed if name not in shards}
    # An answer without an iterator is no end where the listing says that records may come yet.
    still_open = {
        shard.id: shards[shard.id]._replace(ended=None)
        for shard in listing
        if shard.id in shards and not shard.closed
    }
    return replace(before, shards={**shards, **new, **still_open})


def find_childless(
    reading: StreamReading, listing: Collection[ListedShard], now: float
) -> tuple[str, ...]:
    """The shards that were read to their end not long ago, and whose child is not listed yet."""
    parents = {parent for shard in listing for parent in (shard.parent, shard.other_parent)}
    ended = {shard.id: reading.shards[shard.id].ended for shard in listing}
    return tuple(
        name
        for name, at in ended.items()
        if at is not None and name not in parents and now - at < CHILDLESS
    )

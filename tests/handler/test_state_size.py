"""However much a migration leaves behind, its states stay within what Step Functions passes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from dataware.calc.multiset_digest import MultisetDigest
from dataware.core.copier import CopyOutcome, SkippedKey, SkipReason, Unit
from dataware.core.model import Size
from dataware.handler import finish
from dataware.handler.verification import skipped_by
from dataware.migrate.copy_progress import CopyProgress, CopySubject
from dataware.migrate.copy_state import CopyState, Counts
from dataware.migrate.engine import Engine, EngineSettings
from dataware.migrate.run_tools import RunTools
from dataware.migrate.shard import LIMIT, Shard, ShardJournal, shared_out
from support.copying import Events, LoopClock, MemoryCopier
from support.deployments import Time, begin, properties
from support.virtual import run_virtually
from support.worlds import make_table, varied_items

MANY = 20_000
"""So many keys take more bytes than a state may have, by far, whatever their names are."""

NAMES = {"short": "c0ffee" * 10, "long": "k" * 1000, "wide": "\u6f22\U0001f680" * 300}

WITH_EXAMPLES = {"short": 400, "long": 50, "wide": 1}
"""Up to how many shards there is room for a key of each; more of them only count."""


class Leaving(MemoryCopier):
    """Every key is taken in the target."""

    async def write(self, unit: Unit) -> CopyOutcome:
        """Leave the keys behind, with a reason of the length of an error message."""
        why = "the target holds another item under this key " + unit.payload[0][-300:]
        return CopyOutcome(
            skipped=tuple(SkippedKey(key, SkipReason.CONFLICT, why) for key in unit.payload)
        )


def left_in(parts: int, name: str) -> tuple[list[Shard], Events]:
    """The shards after a copy that left everything behind, and what stands in the log."""
    events, each = Events(), MANY // parts
    source = {f"{p}/{parts}": [f"{p}-{i} {name}" for i in range(each)] for p in range(parts)}
    shards = shared_out([Shard(part, None, each) for part in source])

    async def copy(shard: Shard) -> None:
        progress, clock = shard.progress(), LoopClock()
        subject = CopySubject("old", "new", "item", 25)
        meter = CopyProgress(subject, Size(each, 0), Counts(), clock, events)
        copier = Leaving({shard.partition: source[shard.partition]}, {})
        tools = RunTools(ShardJournal(shard), progress, clock, events, meter)
        await Engine(copier, tools, EngineSettings(readers=1, writers=2)).run()
        shard.take(progress)

    async def copy_all() -> None:
        for shard in shards:
            await copy(shard)

    run_virtually(copy_all())
    return shards, events


def travelled(shards: Sequence[Shard]) -> list[dict[str, Any]]:
    """The shards as the state machine carries them."""
    carried: list[dict[str, Any]] = json.loads(json.dumps([shard.to_json() for shard in shards]))
    return carried


def size(state: Mapping[str, Any]) -> int:
    """The bytes of a state; escapes make this more than its UTF-8."""
    return len(json.dumps(state))


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("parts", [1, 50, 400])
@pytest.mark.parametrize("name", NAMES)
def test_twenty_thousand_keys_that_are_left_behind_fit(parts: int, name: str) -> None:
    """The numbers are exact, some keys are examples, and the log has all of them."""
    make_table("old-one", varied_items(1))
    make_table("new-one")
    shards, events = left_in(parts, NAMES[name])
    logged = {one.data["key"] for one in events if one.code == "skipped"}
    assert len(logged) == MANY
    _, given = begin(properties())
    before = CopyState(partitions=[shard.partition for shard in shards]).snapshot()
    state = {**given, "outcome": "copy", "before": before, "shards": travelled(shards)}
    assert size(state) <= LIMIT
    ended = finish.handler(state, Time())
    reason = json.loads(ended["cause"])["reason"]
    assert f"{MANY:,} items not copied to new-one ({MANY:,} conflict)" in reason
    assert "the log of the deployment names each of them" in reason
    assert ("such as 0-0 " in reason) is (parts <= WITH_EXAMPLES[name])
    assert skipped_by(shards).count == MANY
    assert len(json.dumps(skipped_by(shards).to_json())) < LIMIT / 10


@pytest.mark.parametrize("parts", [1, 50, 400])
def test_shards_that_all_fail_fit(parts: int) -> None:
    """With long reasons and long cursors, as for keys of some kilobytes."""
    shards = shared_out([Shard(f"{p}/{parts}", "\u6f22" * 1000, 10**7) for p in range(parts)])
    for shard in shards:
        left = {"key": "\u6f22" * 100, "reason": "conflict", "detail": "taken" * 100}
        ShardJournal(shard).append({"type": "checkpoint", "skipped_keys": [left] * 9})
        shard.counts = Counts(10**7, 10**7, 10**12, 10**6, MultisetDigest(10**7, (1 << 128) - 1))
        shard.fail("\u6f22 because of something that takes many words " * 20)
    state = {"before": CopyState(partitions=[shard.partition for shard in shards]).snapshot()}
    assert size({**state, "shards": travelled(shards)}) <= LIMIT
    assert all(shard["failed"].startswith("\u6f22 because") for shard in travelled(shards))


def test_a_cursor_survives_until_the_shard_ends() -> None:
    """However long it is, the next call goes on from it; a loop carries one shard alone."""
    (shard, *_) = shared_out([Shard(f"{p}/400", "\u6f22" * 1000) for p in range(400)])
    assert Shard.from_json(shard.to_json()).cursor == shard.cursor

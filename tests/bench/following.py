"""What following costs: carrying keys that changed, and keeping many of them on disk.

``python -m tests.bench.following carry COUNT`` carries COUNT keys of a table whose feed has told of
them, by the loop, the file and the carrier of a follow; ``keep COUNT`` only keeps them.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from tests.bench.jobs import make_table
from tests.bench.names import SOURCE, TARGET
from tests.bench.result import RUN_COLUMNS, Goal, Result, run_row
from tests.bench.world import World

from dataware.aws import Account
from dataware.cli.transport import make_wire
from dataware.core.copier import CopyOrder
from dataware.core.follow.feed import CarryOutcome, FeedRound
from dataware.core.follow.following import AsyncCarrier
from dataware.core.follow.loop import FollowLoop, FollowPorts
from dataware.core.model import Location
from dataware.kinds.dynamodb_table.follow.following import FOLLOWING
from dataware.kinds.dynamodb_table.follow.keys import encode_key
from dataware.state.follow_file import FollowFile

LEAST_A_SECOND = 20_000
MOST_MEGABYTES = 150.0
ROUND = 50_000
CHUNK = 5_000


class ManyChanges:
    """A feed that tells of `count` keys, a round of them at a time."""

    def __init__(self, count: int) -> None:
        self._keys = _keys(count)

    def open(self, _position: Mapping[str, Any] | None, _now: float) -> Mapping[str, Any]:
        """Nothing to go on after."""
        return {}

    def poll(self, _now: float) -> FeedRound:
        """The next round."""
        return FeedRound(frozenset(islice(self._keys, ROUND)), {})


class Carrying:
    """The carrier of tables, for a caller without an event loop."""

    def __init__(self, runner: asyncio.Runner, carrier: AsyncCarrier) -> None:
        self._runner = runner
        self._carrier = carrier

    def carry(self, keys: Collection[bytes], _now: float) -> CarryOutcome:
        """Carry one chunk."""
        return self._runner.run(self._carrier.carry(keys))


class Keeping:
    """A carrier that leaves out what goes over the wire."""

    def carry(self, keys: Collection[bytes], _now: float) -> CarryOutcome:
        """All of it is carried."""
        return CarryOutcome(frozenset(keys))


def following(world: World, carried: int, kept: int) -> Result:
    """Carry `carried` keys by one process on one core, and keep `kept` of them."""
    world.fresh(table={"source": SOURCE, "target": TARGET, "size": carried, "sort": "small"})
    make_table(world, SOURCE)
    make_table(world, TARGET)
    command = [sys.executable, "-m", "tests.bench.following"]
    carry = world.measured([*command, "carry", str(carried)])
    keep = world.measured([*command, "keep", str(kept)])
    told = world.responder.report()
    if (told["written"], told["wrong"]) != (carried, 0):
        raise AssertionError(f"not carried as the source has it: {told}")
    return Result(
        "Following: keys that changed in a table",
        RUN_COLUMNS,
        [
            run_row(f"{carried:,} changed keys carried", carry, carried),
            run_row(f"{kept:,} dirty keys kept, lent and forgotten", keep, kept),
        ],
        [
            Goal.at_least(
                "changes carried a second by one core",
                LEAST_A_SECOND,
                carried / carry.seconds,
                " a second",
            ),
            Goal.at_most(
                "memory for so many dirty keys",
                MOST_MEGABYTES,
                max(carry.megabytes, keep.megabytes),
                " MB",
            ),
        ],
        ["items of about 100 bytes; each change is one consistent read and one write in batches"],
    )


def _keys(count: int) -> Iterator[bytes]:
    return (encode_key({"id": {"S": f"item-{n:09d}"}}, ("id",)) for n in range(count))


def _carry(count: int, file: FollowFile) -> None:
    account = Account.open(make_wire)
    where = account.account, account.region
    order = CopyOrder(Location(SOURCE, *where), Location(TARGET, *where))
    wires = [account.wire(lambda _reason: None) for _ in range(2)]
    with asyncio.Runner() as runner:
        carrier = FOLLOWING.make_carrier(*wires, order, file)
        _drive(count, file, Carrying(runner, carrier).carry)
        for wire in wires:
            runner.run(wire.close())


def _drive(
    count: int, file: FollowFile, carry: Callable[[Collection[bytes], float], CarryOutcome]
) -> None:
    class _Carrier:
        def carry(self, keys: Collection[bytes], now: float) -> CarryOutcome:
            return carry(keys, now)

    loop = FollowLoop(FollowPorts(ManyChanges(count), _Carrier(), file, file), chunk=CHUNK)
    loop.open(time.time())
    loop.allow_carrying(0.0)
    while not loop.quiet_rounds:
        loop.step(time.time())


def main(arguments: list[str]) -> None:
    """Be the process that is measured."""
    job, count = arguments[0], int(arguments[1])
    with tempfile.TemporaryDirectory() as folder:
        file = FollowFile(Path(folder) / "state" / "bench.follow", "run")
        if job == "carry":
            _carry(count, file)
        else:
            _drive(count, file, Keeping().carry)
        file.close()


if __name__ == "__main__":
    main(sys.argv[1:])

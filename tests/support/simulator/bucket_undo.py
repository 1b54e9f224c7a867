"""The way back of a bucket: what the target got since the switch is carried to the source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dataware.core.follow.cutover_loop import CutoverLoop
from dataware.core.follow.cutover_ports import CutoverPorts
from dataware.core.follow.loop import FollowPorts
from dataware.core.follow.undo_ports import BothSidesFeed, OldSide, UndoCarrier, UndoWritten
from dataware.ops.follow.difference import DifferenceFeed
from dataware.ops.follow.undo_window import KnownStrays, UndecidedKeys
from dataware.state.cutover_records import LeaseCutoverRecords
from support.simulator import bucket_process
from support.simulator.bucket_sides import BucketComparison, RecordsOfProcess
from support.simulator.undo import UndoHooks

if TYPE_CHECKING:
    from support.simulator.bucket_process import BucketProcess


def make_loop(process: BucketProcess, records: LeaseCutoverRecords, witness: str) -> CutoverLoop:
    """The loop of a way back, as `dataware.ops.follow.undo_run` puts it together."""
    people, machine, disk = process.people, process.machine, process.machine.disk
    is_new = process.open_disk()
    strays = KnownStrays.read(disk.journal.records(), witness)
    kept = disk.open_kept(witness)
    replaces = people.decide() == "replace"
    written = UndoWritten(RecordsOfProcess(kept.records, process.wires), replaces=replaces)
    is_seen = strays.is_seen and not is_new
    old_feed = process.list_changes(people.source) if is_seen else None
    old = OldSide(old_feed, machine.memory, written, process, strays.keys, is_known=strays.are_all)
    people.judge.known_strays = old.strays
    holder: list[CutoverLoop] = []

    def leave_kept(keys: Iterable[bytes]) -> frozenset[bytes]:
        left = holder[0].loop.conflicts.keys() if people.decide() == "keep" else frozenset()
        return frozenset(keys) - left

    def count(keys: Iterable[bytes]) -> frozenset[bytes]:
        return leave_kept(old.choose(frozenset(keys)))

    sides = (people.target, people.source)
    rounds: Any = BucketComparison(process.world, sides, deep=process.is_deep, choose=leave_kept)
    by_record = None
    if is_seen and not process.is_deep:
        by_record = process.list_changes(people.target, is_target=True)
    undecided = UndecidedKeys(disk.journal, witness)
    kept.dirty.add(undecided.keys, machine.now())
    carrier = process.make_carrier(bucket_process.BACKWARD, written)
    follow = FollowPorts(
        BothSidesFeed(by_record or DifferenceFeed(rounds), old),
        UndoCarrier(carrier, old, replaces=replaces, keep=undecided.keep),
        kept.dirty,
        kept.memory,
    )
    hooks = UndoHooks(process)
    ports = CutoverPorts(records, hooks, hooks, process.compare(choose=count), process)
    loop = CutoverLoop(ports, follow, seconds=machine.monotonic)
    holder.append(loop)
    return loop

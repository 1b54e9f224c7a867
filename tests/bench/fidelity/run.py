"""The fidelity report as a benchmark: every tool, on every server that is here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.bench.fidelity.compare import Comparison, embedded, of_items, of_objects, weed
from tests.bench.fidelity.objects import THINGS
from tests.bench.fidelity.page import page
from tests.bench.result import Goal, Result
from tests.bench.world import World

from support.peers import UnavailableError

_NO_ENCODING = (
    "this server does not encode the keys in its listing of versions, as S3 does if asked: a key "
    "with a carriage return cannot be told there, and dataware names it as left behind"
)
_PLUS = (
    "s5cmd writes a space in the name of a copy's source as “+”, which this server takes "
    "literally; S3 itself may read it as a space"
)
_REPLACE = (
    "where a copy replaces metadata and does not name Content-Type or Content-Encoding, this "
    "server keeps them; S3 does not, nor does SeaweedFS below"
)
_RCLONE = (
    "when a key fails, rclone tries the bucket again, and then sets the time of the objects that "
    "are there by a copy onto themselves, which drops headers and class; where no key fails, a "
    "second `rclone copy` does the same. SeaweedFS below shows a first run without a failed key"
)
_LOUD = (
    "this server gives the largest number in full digits. There the batch writer of boto3 ends "
    "with an error before it writes anything, because its Decimal holds 38 digits; the table shows "
    "what it makes of the other 29"
)


def fidelity(world: World, measured: Callable[[], str]) -> tuple[Result, dict[str, str], str]:
    """A short table, what each tool loses in a few words, and the whole page."""
    buckets = [of_objects(world, "the embedded AWS", embedded(world))]
    buckets[0] = replace(buckets[0], notes=[_REPLACE, _NO_ENCODING, _PLUS, _RCLONE])
    result = Result("Fidelity: what is not kept", ("tool", "of", "loses"))
    try:
        buckets.append(_on_weed(world))
    except UnavailableError as reason:
        result.notes.append(f"SeaweedFS: {reason}")
    tables = replace(of_items(world), notes=[_LOUD])
    losses: dict[str, str] = {}
    for what, comparison in (("objects", buckets[0]), ("items", tables)):
        for one in comparison.kept:
            loses = f"did not run: {one.missing}" if one.missing else one.summary()
            losses[f"{what}: {one.tool}"] = loses
            result.rows.append((one.name, f"30 {what}", loses))
    result.goals = [_kept("objects", buckets[0]), _kept("items", tables)]
    result.notes.append("in full: [fidelity](fidelity.md)")
    return result, losses, page(buckets, tables, measured())


def _on_weed(world: World) -> Comparison:
    plain = [thing for thing in THINGS if "/" not in thing.key]
    found = of_objects(world, "SeaweedFS", weed(world), things=plain)
    note = "objects with a slash in the key are left out: this server keeps and lists paths"
    return replace(found, notes=[note])


def _kept(what: str, comparison: Comparison) -> Goal:
    """All that is not a matter of how S3 puts an object together, or of older versions."""
    ours = comparison.kept[0]
    lost = sum(ours.lost.values()) - ours.lost["ETag"] - ours.lost["older versions"]
    found = f"{len(ours.gone)} missing, {lost} attributes changed"
    text = f"the 30 {what} arrive with every attribute (older versions on demand)"
    return Goal(text, found, not ours.gone and not lost)

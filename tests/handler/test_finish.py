"""The end of a copy: what explains a difference, and what the next run is told."""

from __future__ import annotations

import json

import pytest

from dataware.core.errors import LookupFailedError
from dataware.handler import finish
from dataware.handler.job import job_of
from dataware.handler.verification import skipped_by
from dataware.migrate.copy_state import CopyState, Counts
from dataware.migrate.shard import Shard
from dataware.ops.migration_policy import SkippedKeys
from dataware.verify.merge import DifferenceKind, KeyDifference
from dataware.verify.verdict import Side, Verdict
from support.deployments import BUCKET, Time, begin, properties
from support.worlds import make_table, varied_items


def verdict(*missing: str, counted: int = 0) -> Verdict:
    """A verdict that lists some keys as missing, and counts more of them."""
    found = Verdict(compared=100)
    found.counts[DifferenceKind.MISSING] = counted or len(missing)
    found.listed.extend(KeyDifference(DifferenceKind.MISSING, key) for key in missing)
    return found


def shard(*kept: str, left: int = 0) -> Shard:
    """A shard that left keys behind."""
    names = [{"key": key, "reason": "conflict", "detail": "taken"} for key in kept]
    return Shard("0/1", done=True, counts=Counts(skipped=left or len(kept)), kept=names)


@pytest.mark.parametrize(
    ("found", "shards", "expected"),
    [
        (verdict(), [shard()], True),
        (verdict("a"), [shard("a")], True),
        (verdict("b"), [shard("a")], False),
        (verdict("a", "b"), [shard("a")], False),
        (verdict("a"), [shard("a"), shard("b")], True),
        (verdict("a", counted=2), [shard("a"), shard("b")], True),
        (verdict("a", counted=2), [shard("a")], False),
        (verdict(counted=9), [shard("a", left=9)], True),
        (verdict(counted=8), [shard("a", left=9)], False),
        (verdict("x", "y", counted=6), [shard("a", left=6)], True),
        (verdict("x", "y", counted=2), [shard("a", left=2)], False),
        (verdict("a" * 200), [shard("a" * 200)], True),
        (verdict("a" * 300), [shard("a" * 200)], True),
        (verdict("a" * 300), [shard("b")], False),
        (verdict("a"), [shard()], False),
    ],
)
def test_only_what_the_shards_skipped_explains_a_difference(
    found: Verdict, shards: list[Shard], expected: bool
) -> None:
    """By name as far as names are known, else by equal numbers; also once it has travelled."""
    left = skipped_by(shards)
    assert left.explains(found) is expected
    assert SkippedKeys.from_json(json.loads(json.dumps(left.to_json()))) == left


@pytest.mark.parametrize(("moved", "expected"), [(Side.SOURCE, False), (Side.TARGET, True)])
def test_only_a_source_that_moves_may_hide_what_is_not_copied(moved: Side, expected: bool) -> None:
    """A target in use moves all the time, and all that hides is what it has got of its own."""
    found = Verdict(changed_sides={moved})
    assert skipped_by([shard()]).explains(found) is expected


def test_few_of_the_keys_left_behind_travel() -> None:
    """However many there are, an execution carries them; the rest is counted."""
    many = [shard(*(f"{n}-{at}" + "k" * 190 for at in range(5))) for n in range(400)]
    left = skipped_by(many)
    assert left.count == 2000
    assert len(json.dumps(left.to_json())) < 50_000


def test_the_command_by_hand_names_both_places() -> None:
    """With prefixes, and an ARN as it is."""
    about = properties(BUCKET, SourcePrefix="a/", TargetPrefix="b/")
    job = job_of(about, execution="x", now=0.0)
    assert finish.by_hand(job) == "`dataware migrate s3://old-one/a/ s3://new-one/b/`"
    arn = "arn:aws:dynamodb:us-east-1:999988887777:table/old-one"
    job = job_of(properties(Source=arn), execution="x", now=0.0)
    assert finish.by_hand(job) == f"`dataware migrate {arn} dynamodb://new-one`"


@pytest.mark.usefixtures("machine")
def test_a_verification_that_fails_is_all_that_the_next_run_repeats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everything is copied, and the checkpoint says so."""
    make_table("old-one", varied_items(5))
    make_table("new-one")
    _, given = begin(properties())

    def unseen(*_: object, **__: object) -> Verdict:
        raise LookupFailedError("cannot access table new-one")

    monkeypatch.setattr(finish, "compare", unseen)
    before = CopyState(partitions=["0/1"]).snapshot()
    done = Shard("0/1", done=True, counts=Counts(copied=5)).to_json()
    ended = finish.handler({**given, "before": before, "shards": [done]}, Time())
    cause = json.loads(ended["cause"])
    assert cause["reason"] == "cannot access table new-one"
    assert CopyState.of([CopyState.snapshot_of(cause["checkpoint"])]).finished


@pytest.mark.usefixtures("machine")
def test_a_worker_that_was_lost_is_named() -> None:
    """The state machine puts Lambda's error in the shard; many shards say it once."""
    make_table("old-one", varied_items(5))
    make_table("new-one")
    _, given = begin(properties())
    before = CopyState(partitions=["0/2", "1/2"]).snapshot()
    lost = [{**Shard(f"{n}/2").to_json(), "failed": "Sandbox.Timedout"} for n in range(2)]
    ended = finish.handler({**given, "before": before, "shards": lost}, Time())
    reason = json.loads(ended["cause"])["reason"]
    assert reason.count("Sandbox.Timedout") == 1
    assert "only 0 items: Sandbox.Timedout" in reason

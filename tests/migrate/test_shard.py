"""A shard survives the way through Step Functions, and stays small."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dataware.migrate.copy_state import CopyState, Counts
from dataware.migrate.shard import CURSOR_LENGTH, KEPT, Shard, ShardJournal

counts = st.builds(Counts, *[st.integers(0, 10**9)] * 4)
shards = st.builds(
    Shard,
    st.text(min_size=1),
    st.none() | st.text(min_size=1),
    st.integers(0, 10**9),
    st.booleans(),
    counts,
    st.dictionaries(st.sampled_from(["conflict", "failed"]), st.integers(1, 99)).map(Counter),
    st.lists(st.fixed_dictionaries({"key": st.text(), "reason": st.text(), "detail": st.text()})),
    st.none() | st.text(),
    st.integers(10**5, 10**6),
)


@given(shards)
def test_a_shard_comes_back_as_it_went(shard: Shard) -> None:
    """Nothing is lost in JSON."""
    assert Shard.from_json(json.loads(json.dumps(shard.to_json()))) == shard


@given(shards)
def test_a_shard_folds_into_the_progress_of_the_whole(shard: Shard) -> None:
    """Counts and skip_reasons arrive whole; what is not done, and has no cursor, begins anew."""
    progress = CopyState(partitions=[shard.partition])
    if record := shard.record():
        progress.take(record)
        assert progress.counts == shard.counts
        assert progress.skip_reasons == shard.skip_reasons
    assert progress.finished is shard.done
    assert progress.remaining() == ([] if shard.done else [(shard.partition, shard.cursor)])


def test_a_cursor_that_is_too_long_begins_the_shard_anew() -> None:
    """It is given up, and what is not done never passes for done."""
    shard = Shard("p", "x" * (CURSOR_LENGTH + 1), counts=Counts(copied=5))
    assert shard.record() is None
    shard.done = True
    assert shard.record() is not None


def test_an_engine_goes_on_from_the_cursor() -> None:
    """The first call begins the partition; a later one continues it, counting from zero."""
    assert Shard("p").progress().remaining() == [("p", None)]
    shard = Shard("p", "after this", counts=Counts(copied=5))
    progress = shard.progress()
    assert progress.remaining() == [("p", "after this")]
    progress.take({"type": "checkpoint", "partition": "p", "cursor": None, "skipped_keys": [],
                   "copied": 3})  # fmt: skip
    shard.take(progress)
    assert (shard.done, shard.counts.copied) == (True, 8)


def test_only_the_first_keys_are_named() -> None:
    """Many conflicts do not make an execution's state too large."""
    shard = Shard("p")
    left = {"key": "k" * 3000, "reason": "conflict", "detail": "w" * 3000}
    ShardJournal(shard).append({"type": "checkpoint", "skipped_keys": [left] * 1000})
    assert len(shard.kept) == KEPT
    shard.fail("x" * 10_000)
    assert len(json.dumps(shard.to_json())) < 4000


def test_four_hundred_shards_fit_into_an_execution() -> None:
    """Step Functions passes 256 KB from state to state."""
    done = [
        Shard(f"{n}/400", None, 10**7, True, Counts(10**7, 10**7, 10**10, 0)) for n in range(400)
    ]
    assert len(json.dumps([shard.to_json() for shard in done])) < 200_000

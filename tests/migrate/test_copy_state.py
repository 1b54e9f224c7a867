"""Progress: a fold of the journal, and the checkpoint that travels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.calc.multiset_digest import MultisetDigest
from dataware.migrate.copy_state import COMPACT_LIMIT, CopyState, Counts

names = st.sampled_from([f"{i}/8" for i in range(8)])
checkpoints = st.builds(
    lambda partition, cursor, copied, left, digests: {
        "type": "checkpoint",
        "partition": partition,
        "cursor": cursor,
        "copied": copied,
        "skipped": left,
        "skipped_keys": [{"key": "k", "reason": "conflict", "detail": "w"}] * left,
        **({"tally": MultisetDigest.of(digests).text} if digests else {}),
    },
    names,
    st.none() | st.text(max_size=5),
    st.integers(0, 9),
    st.integers(0, 2),
    st.lists(st.binary(min_size=16, max_size=16), max_size=2),
)
BEGUN = [
    {"type": "run", "run": "r1", "identity": "t1"},
    {"type": "partitions", "partitions": [f"{i}/8" for i in range(8)]},
]


@given(st.lists(checkpoints, max_size=12), st.lists(checkpoints, max_size=12))
def test_a_travelling_checkpoint_stands_for_the_records_before_it(
    before: list[dict[str, object]], after: list[dict[str, object]]
) -> None:
    """Restoring and going on equals never having been interrupted."""
    straight = CopyState.of([*BEGUN, *before, *after])
    text = CopyState.of([*BEGUN, *before]).compact()
    assert text is not None
    restored = CopyState.of([BEGUN[0], CopyState.snapshot_of(text), *after])
    assert restored == straight


@given(st.lists(checkpoints, max_size=20))
def test_what_remains_is_what_has_no_end(records: list[dict[str, object]]) -> None:
    """A partition remains until a checkpoint without a cursor, and goes on after its last one."""
    progress = CopyState.of([*BEGUN, *records])
    last = {record["partition"]: record["cursor"] for record in records}
    assert dict(progress.remaining()) == {
        name: last.get(name) for name in progress.partitions if last.get(name, "") is not None
    }
    assert progress.finished == (not progress.remaining())


@given(st.lists(checkpoints, max_size=12))
def test_the_tally_is_that_of_all_checkpoints(records: list[dict[str, object]]) -> None:
    """Parts add up, and it stands in records only where something was digested."""
    total = MultisetDigest()
    for record in records:
        total = total.plus(MultisetDigest.from_text(str(record.get("tally", "0:0"))))
    counts = CopyState.of([*BEGUN, *records]).counts
    assert counts.tally == total
    assert ("tally" in counts.to_json()) == (total.records > 0)
    assert Counts.from_json(counts.to_json()) == counts


def test_nothing_begun_is_not_finished() -> None:
    """Without partitions there is nothing to call finished."""
    assert not CopyState().finished


def test_a_checkpoint_that_is_too_long_does_not_travel() -> None:
    """What does not fit beside a marker stays at home, whole."""
    progress = CopyState.of(BEGUN)
    progress.cursors = {f"{i}": f"{i * 7919 % 10007:x}" * 9 for i in range(2000)}
    assert progress.compact() is None
    assert COMPACT_LIMIT < 4096


@pytest.mark.parametrize("text", ["", "rubbish", "c$}"])
def test_another_text_is_not_a_checkpoint(text: str) -> None:
    """A damaged checkpoint is recognised, never half used."""
    with pytest.raises(ValueError, match="not a checkpoint"):
        CopyState.snapshot_of(text)

"""What differs from what is on record: found key by key, and each state told once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataware.core.follow.ledger import LedgerFeed, find_changed, swap_tags
from dataware.core.follow.written import WrittenVersion

keys = st.sampled_from([b"", b"a", b"aa", b"b", b"\xff"])
tags = st.sampled_from(["1", "2", "3"])
versions = st.builds(
    WrittenVersion,
    st.sampled_from(["", "1", "2"]),
    st.just(""),
    st.sampled_from(["", "2", "3"]),
)


@given(st.dictionaries(keys, tags), st.dictionaries(keys, versions))
def test_every_key_that_is_not_as_it_was_left_is_found_and_no_other(
    listed: dict[bytes, str], on_record: dict[bytes, WrittenVersion]
) -> None:
    """New, gone or with another tag; what the follow deleted itself is not missed."""
    found = dict(find_changed(sorted(listed.items()), sorted(on_record.items())))
    expected = {}
    for key in listed.keys() | on_record.keys():
        version = on_record.get(key, WrittenVersion())
        known = {version.source, version.intended} - {""}
        if key in listed and listed[key] not in known:
            expected[key] = listed[key]
        elif key not in listed and known:
            expected[key] = ""
    assert found == expected


def test_each_state_is_told_once_also_that_all_is_as_it_was_left() -> None:
    """And after a round it rests for as long as that took."""
    now = 100.0
    listed = {b"a": "1", b"b": "1"}
    left = [(b"a", WrittenVersion("1")), (b"b", WrittenVersion("1"))]

    def list_slowly() -> list[tuple[bytes, str]]:
        nonlocal now
        now += 2.0
        return sorted(listed.items())

    feed = LedgerFeed(list_slowly, lambda: left, lambda: now)
    assert feed.open(None, now) == {}

    def poll() -> frozenset[bytes]:
        nonlocal now
        now += 2.0
        change_round = feed.poll(now)
        assert change_round.whole
        assert not feed.poll(now).whole
        return change_round.keys

    assert poll() == set()
    listed[b"a"] = "2"
    assert poll() == {b"a"}
    assert poll() == set()
    listed[b"a"] = "3"
    del listed[b"b"]
    assert poll() == {b"a", b"b"}
    listed[b"a"] = "1"
    assert poll() == {b"a"}
    assert poll() == set()


def test_the_target_is_known_by_the_tags_that_its_values_got() -> None:
    """Such as that of an object under a key of KMS."""
    rows = swap_tags(
        [(b"a", WrittenVersion("source", "target", "")), (b"b", WrittenVersion("", "", "i"))]
    )
    listed = [(b"a", "target"), (b"b", "i")]
    assert list(find_changed(listed, rows)) == []

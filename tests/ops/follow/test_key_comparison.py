"""Some keys of both sides are compared, or all: what differs, what is missing, and what fails."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import pytest

from dataware.core.errors import LookupFailedError
from dataware.core.follow.feed import DifferenceResult
from dataware.core.ports import StopRequest
from dataware.core.reader import Evidence, KeyFingerprint, Reader
from dataware.ops.follow.difference import DifferenceTools
from dataware.ops.follow.key_comparison import TOGETHER, KeyComparisonThread
from dataware.verify.merge import DifferenceKind, KeyDifference
from dataware.verify.verdict import Verdict


class Side:
    """One side, which reads what it is asked for; `asked` keeps that."""

    def __init__(self, **values: str) -> None:
        self.values = {key.encode(): value.encode() for key, value in values.items()}
        self.asked: list[list[KeyFingerprint]] = []

    def find(self, keys: Sequence[KeyFingerprint]) -> Mapping[bytes, KeyFingerprint]:
        """The entries that are there."""
        self.asked.append(list(keys))
        return {
            one.key: KeyFingerprint(one.key, self.values[one.key], one.label)
            for one in keys
            if one.key in self.values
        }

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
        """Whether two values are equal."""
        assert cast("Any", other) is not self
        return Evidence.CONTENT if mine.digest == theirs.digest else None


class Setting:
    """Two sides, and a comparison of them."""

    def __init__(self, most: int | None = None) -> None:
        self.source = Side(same="1", changed="1", only_here="1", expiring="1")
        self.target = Side(same="1", changed="2", only_there="1")
        self.whole = 0
        self.error: Exception | None = None
        self.expired: Collection[bytes] = ()
        self.expiry_asked: list[Collection[bytes]] = []
        self.kept: frozenset[bytes] = frozenset()
        self.stop: StopRequest = lambda: False
        tools = DifferenceTools(self._compare, self._find_expired, self._choose)
        self.thread = KeyComparisonThread(tools, self._make_readers, most)

    def _compare(self, stop: StopRequest) -> Verdict:
        self.whole, self.stop = self.whole + 1, stop
        found = Verdict(listed=[KeyDifference(DifferenceKind.MISSING, "of-all")])
        found.counts[DifferenceKind.MISSING] += 1
        return found

    def _find_expired(self, keys: Collection[bytes]) -> Collection[bytes]:
        self.expiry_asked.append(set(keys))
        return self.expired

    def _choose(self, keys: Collection[bytes]) -> frozenset[bytes]:
        return frozenset(keys) - self.kept

    def _make_readers(self) -> tuple[Reader, Reader]:
        if self.error is not None:
            raise self.error
        return cast("Reader", self.source), cast("Reader", self.target)

    def compare(self, *keys: str) -> set[bytes]:
        """The keys of those that differ."""
        self.thread.start([key.encode() for key in keys])
        result = self.collect()
        assert result.complete
        return set(result.keys)

    def collect(self) -> DifferenceResult:
        """What was found, as soon as it is there."""
        while (result := self.thread.collect()) is None:
            pass
        return result


@pytest.fixture
def setting() -> Setting:
    """A comparison by key, whatever the number."""
    return Setting()


def test_of_the_keys_that_are_asked_for_those_that_differ_are_found(setting: Setting) -> None:
    """Whichever side has them; no other key is looked at."""
    every = ("same", "changed", "only_here", "only_there", "nowhere")
    assert setting.compare(*every) == {b"changed", b"only_here", b"only_there"}
    assert setting.compare("same") == set()
    assert setting.compare("changed") == {b"changed"}
    assert setting.whole == 0
    assert [one.label for one in setting.source.asked[0]] == sorted(every)


def test_keys_that_only_wait_to_be_deleted_do_not_differ(setting: Setting) -> None:
    """Nobody is asked where nothing is missing."""
    setting.expired = {b"expiring", b"changed"}
    assert setting.compare("expiring", "only_here", "changed") == {b"only_here", b"changed"}
    assert setting.expiry_asked == [{b"expiring", b"only_here"}]
    setting.compare("same", "changed", "only_there")
    assert len(setting.expiry_asked) == 1


def test_keys_that_a_person_leaves_as_they_are_do_not_differ(setting: Setting) -> None:
    """Of either sort."""
    setting.kept = frozenset({b"changed", b"only_here"})
    assert setting.compare("changed", "only_here", "only_there") == {b"only_there"}


def test_many_keys_are_read_on_both_sides_a_thousand_at_a_time(setting: Setting) -> None:
    """So that what changes between the two reads is little."""
    setting.source.values.update({b"%05d" % n: b"1" for n in range(2 * TOGETHER + 1)})
    found = setting.compare(*(f"{n:05}" for n in range(2 * TOGETHER + 1)))
    assert len(found) == 2 * TOGETHER + 1
    assert [len(chunk) for chunk in setting.source.asked] == [TOGETHER, TOGETHER, 1]
    assert [len(chunk) for chunk in setting.target.asked] == [TOGETHER, TOGETHER, 1]


def test_all_is_compared_where_that_is_asked_for_or_each_look_is_dear() -> None:
    """So many keys are looked up one by one, and no more."""
    setting = Setting(most=2)
    assert setting.compare("same", "changed") == {b"changed"}
    assert setting.whole == 0
    assert setting.compare("same", "changed", "only_here") == {b"of-all"}
    setting.thread.start(None)
    assert set(setting.collect().keys) == {b"of-all"}
    assert setting.whole == 2


@pytest.mark.parametrize("error", [LookupFailedError("no answer"), ValueError("unexpected")])
def test_what_a_comparison_raises_is_raised_where_it_is_collected(
    setting: Setting, error: Exception
) -> None:
    """And it may be started again."""
    setting.error = error
    with pytest.raises(type(error)):
        setting.compare("same")
    setting.error = None
    assert setting.compare("changed") == {b"changed"}


def test_a_new_comparison_takes_the_place_of_one_that_goes_on(setting: Setting) -> None:
    """What that would have found is of no use any more."""
    setting.thread.start(None)
    assert setting.compare("same") == set()
    assert setting.whole == 0 or setting.stop()


def test_nothing_is_collected_before_a_start_and_after_the_end(setting: Setting) -> None:
    """And the end may come at any time."""
    assert setting.thread.collect() is None
    setting.thread.close()
    setting.compare("changed")
    setting.thread.close()
    assert setting.thread.collect() is None


def test_the_thread_does_not_keep_the_process_alive(setting: Setting) -> None:
    """A read may hang."""
    setting.thread.start([b"same"])
    thread = setting.thread._thread
    assert thread is not None
    assert thread.daemon
    thread.join()

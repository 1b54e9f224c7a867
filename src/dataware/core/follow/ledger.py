"""Which keys of a source are not as a follow left them, by what it keeps on record of them; pure.

A source without a feed of changes is watched by this: both are in the order of keys, and are read
side by side, so memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dataware.core.follow.feed import FeedRound
from dataware.core.follow.written import NOT_WRITTEN, WrittenVersion

Tagged = tuple[bytes, str]
"""A key with the tag of what stands there."""


def find_changed(
    listed: Iterable[Tagged], on_record: Iterable[tuple[bytes, WrittenVersion]]
) -> Iterator[tuple[bytes, str]]:
    """The keys that are new, gone (their tag is ""), or have another tag than the last one."""
    there, recorded = iter(listed), iter(on_record)
    one, other = next(there, None), next(recorded, None)
    while one is not None:
        while other is not None and other[0] < one[0]:
            yield from _find_gone(other)
            other = next(recorded, None)
        version = NOT_WRITTEN if other is None or other[0] != one[0] else other[1]
        if one[1] not in (version.source, version.intended):
            yield one
        if other is not None and other[0] == one[0]:
            other = next(recorded, None)
        one = next(there, None)
    while other is not None:
        yield from _find_gone(other)
        other = next(recorded, None)


def _find_gone(row: tuple[bytes, WrittenVersion]) -> Iterator[Tagged]:
    """A key that is on record and not listed, unless it was deleted by the follow itself."""
    if row[1].source or row[1].intended:
        yield row[0], ""


class LedgerFeed:
    """The ChangeFeed port over listings and what is on record of their keys.

    Each round lists all, reports each state of a key once, and rests then for as long as it took,
    by the clock `seconds`.
    """

    def __init__(
        self,
        list_all: Callable[[], Iterable[Tagged]],
        on_record: Callable[[], Iterable[tuple[bytes, WrittenVersion]]],
        seconds: Callable[[], float],
    ) -> None:
        self._list_all = list_all
        self._on_record = on_record
        self._seconds = seconds
        self._next = float("-inf")
        self._changes: dict[bytes, str] = {}

    def open(self, _position: Mapping[str, Any] | None, _now: float) -> Mapping[str, Any]:
        """It knows no position: what is on record is where it begins."""
        return {}

    def poll(self, now: float) -> FeedRound:
        """The keys that are not as they were left. Raises LookupFailedError."""
        began = self._seconds()
        if began < self._next:
            return FeedRound(frozenset(), {}, whole=False)
        changed = dict(find_changed(self._list_all(), self._on_record()))
        new = {key for key, tag in changed.items() if self._changes.get(key) != tag}
        # What is again as it was left has changed as well since it was reported.
        new |= self._changes.keys() - changed.keys()
        self._changes = changed
        ended = self._seconds()
        self._next = 2 * ended - began
        return FeedRound(frozenset(new), {}, as_of=now)


def swap_tags(
    on_record: Iterable[tuple[bytes, WrittenVersion]],
) -> Iterator[tuple[bytes, WrittenVersion]]:
    """The same as seen from the target: the tags that its values got."""
    for key, version in on_record:
        yield key, WrittenVersion(version.target, "", version.intended)

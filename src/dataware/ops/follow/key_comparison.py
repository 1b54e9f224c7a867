"""Compares some keys of both sides, or all, by the readers of the verification."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from dataware.core.errors import DatawareError
from dataware.core.follow.feed import DifferenceResult
from dataware.core.reader import KeyFingerprint, Reader
from dataware.ops.follow.difference import BackgroundDifference, DifferenceTools

TOGETHER = 1000
"""Keys that are read on one side before they are read on the other."""


def find_gone(sides: tuple[Reader, Reader], keys: Collection[bytes]) -> frozenset[bytes]:
    """Those of `keys` that neither side has, read consistently. Raises LookupFailedError."""
    gone, wanted = set(keys), sorted(keys)
    for at in range(0, len(wanted), TOGETHER):
        entries = [_entry_of(key) for key in wanted[at : at + TOGETHER]]
        for side in sides:
            gone -= side.find(entries).keys()
    return frozenset(gone)


def _entry_of(key: bytes) -> KeyFingerprint:
    return KeyFingerprint(key, b"", key.decode("utf-8", "surrogatepass"))


class KeyComparisonThread:
    """The KeyComparison port, on a thread of its own.

    `make_readers` gives new readers of source and target.
    """

    def __init__(
        self,
        tools: DifferenceTools,
        make_readers: Callable[[], tuple[Reader, Reader]],
        most: int | None = None,
    ) -> None:
        """Compare by key; all instead of more than `most` keys, where a look at each is dear."""
        self._tools = tools
        self._make_readers = make_readers
        self._most = most
        self._whole: BackgroundDifference | None = None
        self._thread: threading.Thread | None = None
        self._result: DifferenceResult | None = None
        self._error: BaseException | None = None

    def start(self, keys: Collection[bytes] | None) -> None:
        """Begin to read `keys` on both sides; None stands for all."""
        self.close()
        self._result = self._error = None
        if keys is None or (self._most is not None and len(keys) > self._most):
            self._whole = BackgroundDifference(self._tools)
            self._whole.start()
            return
        wanted = sorted(keys)
        self._thread = threading.Thread(
            target=self._run, args=(wanted,), name="comparison", daemon=True
        )
        self._thread.start()

    def collect(self) -> DifferenceResult | None:
        """The keys that differ, once all is compared; None while it goes on."""
        if self._whole is not None:
            return self._whole.collect()
        if self._thread is None or self._thread.is_alive():
            return None
        if self._error is not None:
            raise self._error
        return self._result

    def close(self) -> None:
        """Give up what goes on."""
        if self._whole is not None:
            self._whole.close()
        self._whole = self._thread = None

    def _run(self, keys: list[bytes]) -> None:
        try:
            self._result = self._compare(keys)
        except DatawareError as error:
            self._error = error
        except Exception as error:
            self._error = error

    def _compare(self, keys: list[bytes]) -> DifferenceResult:
        source, target = self._make_readers()
        differing: set[bytes] = set()
        missing: set[bytes] = set()
        for at in range(0, len(keys), TOGETHER):
            entries = [_entry_of(key) for key in keys[at : at + TOGETHER]]
            here, there = source.find(entries), target.find(entries)
            for key in here.keys() | there.keys():
                if key not in there:
                    missing.add(key)
                elif key not in here or source.same(here[key], target, there[key]) is None:
                    differing.add(key)
        if missing:
            missing -= set(self._tools.find_expired(missing))
        return DifferenceResult(self._tools.choose(differing | missing))

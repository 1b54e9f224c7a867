"""Keeps what happens in the record of the run: for `dataware report`, days later.

Whatever becomes of the record, the run goes on: a failure is told once, and nothing more is kept.
A record stays small however long the run and whatever goes wrong in it: progress is kept at
intervals that grow with the time that has passed, and lists and the file have an end, beyond which
it is only counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any, Protocol

from dataware.core.events import Event
from dataware.report.event_sampler import ENDS, LOOK, migration_of

RESOLUTION = 1 / 200
"""The share of a migration's time that may pass between two samples of its progress.

So a copy of a second has 4 samples, one of an hour 1,200, and one of ten days about 2,300.
"""

GROUPED = ("source", "name", "reason", "detail", "target")
"""What keys of one sort have in common."""

KEYS = 100_000
"""Keys of one sort that are kept by name."""

BYTES = 64 * 1024**2
"""Bytes that a record may have; beyond them only ends are kept."""

TOGETHER = 500
"""Keys of one line."""

FLUSH_SECONDS = 1.0
PASSED_OVER = frozenset({"batch", "difference", LOOK})
"""Codes of which others tell the record more: `progress` and `compared-different`."""

SAMPLED = frozenset({"progress", "verify-progress", "follow-progress"})
"""Codes that come several times a second."""

LARGE = frozenset({"plan"})
"""Fields of which others tell the record more: `decision`."""


class Sink(Protocol):
    """Where records go; any method may raise OSError."""

    size: int

    def write(self, record: Mapping[str, Any]) -> None:
        """Append a record."""
        ...

    def flush(self) -> None:
        """Let what was written outlive this process."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class Samples:
    """Which samples of progress are kept; the newest of the others waits for an end."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        self._kept: dict[str, float] = {}
        self._waiting: dict[str, tuple[float, Event]] = {}

    def due(self, happened: Event, now: float) -> bool:
        """Whether the sample is kept at `now`, in seconds."""
        name = f"{happened.code} {migration_of(happened)}"
        start = self._begun.setdefault(name, now)
        if name in self._kept and now - self._kept[name] < RESOLUTION * (now - start):
            self._waiting[name] = (now, happened)
            return False
        self._kept[name] = now
        self._waiting.pop(name, None)
        return True

    def last(self, migration: str) -> list[tuple[float, Event]]:
        """The newest samples of a migration, with their times, if they were not kept."""
        lines = []
        for name in [f"{code} {migration}" for code in SAMPLED]:
            self._begun.pop(name, None)
            self._kept.pop(name, None)
            if name in self._waiting:
                lines.append(self._waiting.pop(name))
        return lines

    def rest(self) -> list[tuple[float, Event]]:
        """The newest samples of all migrations that have no end yet."""
        return list(self._waiting.values())


class Recorder:
    """Takes events as a renderer does, from any thread.

    `failed` hears the first failure of the `sink`; `now` is in seconds from any start.
    """

    def __init__(
        self,
        sink: Sink,
        failed: Callable[[OSError], None],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink = sink
        self._failed = failed
        self._now = now
        self._start = self._flushed = now()
        self._lock = RLock()
        self._broken = False
        self._samples = Samples()
        self._keys: dict[tuple[str, ...], list[str]] = {}
        self._decided: dict[tuple[object, ...], tuple[object, object]] = {}
        self._listed: Counter[str] = Counter()
        self._cut: Counter[str] = Counter()

    def __call__(self, happened: Event) -> None:
        """Keep an event."""
        self._run_safely(lambda: self._take(happened))

    def note(self, code: str, **data: object) -> None:
        """Keep something that is no event."""
        self._run_safely(lambda: self._write(self._now(), code, data))

    def end(self, exit_code: int, reason: str | None) -> None:
        """Keep how the run ended, and close the record."""
        self._run_safely(lambda: self._end(exit_code, reason))

    def _run_safely(self, act: Callable[[], None]) -> None:
        with self._lock:
            if self._broken:
                return
            try:
                act()
            except Exception as error:
                # Nothing that is wrong with a record may end a copy.
                self._broken = True
                self._failed(error if isinstance(error, OSError) else OSError(0, str(error)))

    def _take(self, happened: Event) -> None:
        if happened.code in PASSED_OVER or self._is_known(happened):
            return
        now = self._now()
        if happened.code == "skipped":
            self._take_skipped(happened.data)
        elif happened.code == "compared-different":
            self._take_differences(happened.data)
        elif happened.code not in SAMPLED or self._samples.due(happened, now):
            self._take_rest(happened, now)
        if now - self._flushed >= FLUSH_SECONDS:
            self._write_keys()
            self._flush(now)

    def _is_known(self, happened: Event) -> bool:
        """Whether this is a decision that was made before, in a run that looks more than once."""
        if happened.code != "decision":
            return False
        data = happened.data
        key = data.get("target"), data.get("type"), data["name"]
        what = data["action"], data["rule"]
        is_known = self._decided.get(key) == what
        self._decided[key] = what
        return is_known

    def _take_rest(self, happened: Event, now: float) -> None:
        ends, sampled = happened.code in ENDS, happened.code in SAMPLED
        if not sampled:
            self._write_keys()
        if ends:
            for moment, sample in self._samples.last(migration_of(happened)):
                self._write(moment, sample.code, sample.data)
        self._write(now, happened.code, happened.data, always=ends)
        if not sampled:
            self._flush(now)

    def _take_skipped(self, data: Mapping[str, Any]) -> None:
        """Gather keys that were skipped for the same reason."""
        if not self._count_fitting("skipped", 1):
            return
        group = tuple(str(data.get(field, "")) for field in GROUPED)
        keys = self._keys.setdefault(group, [])
        keys.append(str(data.get("key", "")))
        if len(keys) >= TOGETHER:
            self._write_keys()

    def _take_differences(self, data: Mapping[str, Any]) -> None:
        keys = list(data["keys"])
        if fitting := self._count_fitting(f"compared-different-{data['difference']}", len(keys)):
            self._write(self._now(), "compared-different", {**data, "keys": keys[:fitting]})

    def _count_fitting(self, code: str, count: int) -> int:
        """How many of `count` more keys fit."""
        fitting = min(count, KEYS - self._listed[code])
        self._listed[code] += fitting
        if fitting < count:
            self._cut[code] += count - fitting
        return fitting

    def _write_keys(self) -> None:
        groups, self._keys = self._keys, {}
        for group, keys in groups.items():
            about = dict(zip(GROUPED, group, strict=True))
            if not about["target"]:
                del about["target"]
            self._write(self._now(), "skipped", {**about, "keys": keys})

    def _write(
        self, now: float, code: str, data: Mapping[str, object], *, always: bool = False
    ) -> None:
        if not always and self._sink.size > BYTES:
            keys = data.get("keys")
            self._cut[code] += len(keys) if isinstance(keys, list) else 1
            return
        small = {name: value for name, value in data.items() if name not in LARGE}
        self._sink.write({"at": round(now - self._start, 3), "code": code, "data": small})

    def _flush(self, now: float) -> None:
        self._flushed = now
        self._sink.flush()

    def _end(self, exit_code: int, reason: str | None) -> None:
        self._write_keys()
        for moment, sample in self._samples.rest():
            self._write(moment, sample.code, sample.data)
        if self._cut:
            self._write(self._now(), "cut", dict(self._cut), always=True)
        self._write(self._now(), "end", {"exit_code": exit_code, "reason": reason}, always=True)
        self._sink.close()

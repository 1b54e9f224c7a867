"""JSON lines: one object for each event, and nothing else on the stream.

    {"time": "2026-01-31T12:00:00.123Z", "code": "batch", "level": "progress",
     "text": "Migrated batch 1/4", "data": {"name": "…", "batch": 1, "batches": 4}}

Codes and the fields of `data` are permanent; fields may be added. Every key of a list is told.
A copy of many batches reports at most one a second, and of the last.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import RLock
from typing import Self, TextIO

from dataware.core.events import Event
from dataware.report.event_sampler import EventSampler
from dataware.report.output import Output

PERIOD = 1.0


class JsonRenderer:
    """One JSON object a line; `now` is the time of day in seconds since the epoch."""

    def __init__(self, stream: TextIO, *, now: Callable[[], float] = time.time) -> None:
        self._output = Output(stream)
        self._now = now
        self._bounded = EventSampler(now, period=PERIOD, sample=None)
        self._lock = RLock()

    def __call__(self, event: Event) -> None:
        """Render an event; may be called from any thread."""
        with self._lock:
            for each in self._bounded.admit(event):
                self._write(each)

    def _write(self, event: Event) -> None:
        self._output.write(json.dumps(self._object(event), default=str))

    def _object(self, event: Event) -> dict[str, object]:
        moment = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
        return {
            "time": moment.replace("+00:00", "Z"),
            "code": event.code,
            "level": event.message.level,
            "text": event.text(),
            "data": dict(event.data),
        }

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Write what was held back."""
        for each in self._bounded.rest():
            self._write(each)

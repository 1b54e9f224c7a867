"""Puts events of some times into a log group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def put_events(logs: Any, group: str, times: Sequence[int], stream: str = "stream") -> None:
    """Put an event of each time, in milliseconds, into a new stream of a log group."""
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": at, "message": f"event of {at}"} for at in sorted(times)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

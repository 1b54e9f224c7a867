"""Times as services say them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from botocore.utils import parse_timestamp


def read_time(value: Any) -> Any:
    """A time that a service says, as the SDK reads it.

    The SDK's parser takes any way to write a time, which costs two thirds of reading a listing.
    """
    if isinstance(value, str) and "T" in value:
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    return parse_timestamp(value)

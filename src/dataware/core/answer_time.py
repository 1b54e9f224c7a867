"""The time at which a service answered, by its own clock."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from dataware.core.values import mapping_of


def read_answer_time(answer: Mapping[str, Any], otherwise: float) -> float:
    """When a service gave an answer of the SDK, in seconds since 1970, by its clock.

    The header Date tells (RFC 9110, 6.6.1). `otherwise` is for an answer without one, or with what
    is no date: something between this machine and AWS may have written it.
    """
    headers = mapping_of(mapping_of(answer.get("ResponseMetadata")).get("HTTPHeaders"))
    try:
        return parsedate_to_datetime(str(headers.get("date"))).timestamp()
    except (ValueError, TypeError, OSError, OverflowError):
        return otherwise

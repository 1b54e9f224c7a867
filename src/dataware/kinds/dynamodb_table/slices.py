"""Pages of a scan whose items stay the bytes that DynamoDB sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

SlicePage = Callable[[bytes], dict[str, Any]]

_compact = json.JSONEncoder(separators=(",", ":")).encode


class Torn(ValueError):
    """A body that is not all of a JSON object."""


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises ValueError for anything else."""
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise Torn(type(answer).__name__)
    return answer


def plain_slices(body: bytes) -> dict[str, Any]:
    """The answer to a scan with its items as JSON of their own, by the standard library.

    Numbers are strings in DynamoDB's JSON, so that nothing is converted here either.
    """
    answer = json_object(body)
    if isinstance(answer.get("Items"), list):
        answer["Items"] = [_compact(item).encode() for item in answer["Items"]]
    return answer


def _quick_slices() -> SlicePage | None:
    with suppress(ImportError):
        from dataware.kinds.dynamodb_table.quick import slice_page  # noqa: PLC0415 - optional

        return slice_page
    return None


_quick = _quick_slices()


def sliced(body: bytes) -> dict[str, Any]:
    """The answer to a scan, its items raw. Raises ValueError for what is not a JSON object.

    What the quick way does not understand is left to the standard library, so that both take
    the same answers for pages.
    """
    if _quick is not None:
        with suppress(ValueError):
            return _quick(body)
    return plain_slices(body)

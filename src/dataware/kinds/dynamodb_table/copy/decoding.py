"""Answers of DynamoDB as JSON, and pages of a scan whose items stay the bytes that it sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

Read = Callable[[bytes], Any]

_compact = json.JSONEncoder(separators=(",", ":")).encode


class TruncatedBodyError(ValueError):
    """A body that is not all of a JSON object."""


def _module() -> ModuleType | None:
    with suppress(ImportError):
        from dataware.kinds.dynamodb_table.copy import fast_decoding  # noqa: PLC0415 - optional

        return fast_decoding
    return None


def _either(quickly: Read | None, plainly: Read) -> Read:
    """The quick way, if there is one, and the plain way for what that does not understand.

    So both take the same answers.
    """
    if quickly is None:
        return plainly

    def read(body: bytes) -> Any:
        try:
            return quickly(body)
        except ValueError:
            return plainly(body)

    return read


_quick = _module()
_document = _either(_quick.read if _quick else None, json.loads)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises ValueError for anything else."""
    try:
        answer = _document(body)
    except RecursionError:
        raise TruncatedBodyError("nested too deeply") from None
    if not isinstance(answer, dict):
        raise TruncatedBodyError(type(answer).__name__)
    return answer


def plain_slices(body: bytes) -> dict[str, Any]:
    """The answer to a scan with its items as JSON of their own, by the standard library.

    Numbers are strings in DynamoDB's JSON, so that nothing is converted here either.
    """
    answer = json_object(body)
    if isinstance(answer.get("Items"), list):
        answer["Items"] = [_compact(item).encode() for item in answer["Items"]]
    return answer


sliced = _either(_quick.slice_page if _quick else None, plain_slices)
"""The answer to a scan, its items raw. Raises ValueError for what is not a JSON object."""

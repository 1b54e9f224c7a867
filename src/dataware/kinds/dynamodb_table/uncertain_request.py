"""What an error says of a request that DynamoDB carries out by itself: refused, or not known."""

from __future__ import annotations

from typing import NoReturn

from dataware.core.errors import IncompleteError, ServiceError

REFUSALS = frozenset(
    {"AccessDenied", "AccessDeniedException", "LimitExceededException", "ValidationException"}
)
"""Answers to each of these requests after which nothing has begun; after any other, such as to a
second try, or none, that is not known."""


def raise_request_error(error: ServiceError, work: str, own: frozenset[str]) -> NoReturn:
    """Raise the error itself where nothing has begun, and IncompleteError where that is not known.

    `own` are more refusals of this request.
    """
    if error.code in REFUSALS | own:
        raise error
    raise IncompleteError(
        f"it is not known whether the {work} has begun ({error}); run the same command again to "
        "go on"
    ) from error

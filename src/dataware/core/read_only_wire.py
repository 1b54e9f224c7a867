"""A wire that reads and never writes: what the credentials of a source are sent over."""

from __future__ import annotations

import json
import re

from dataware.core.errors import RefusedError
from dataware.core.ports import Request, Response
from dataware.core.wrapped_wire import WrappedWire

READING_OPERATIONS = ("Scan", "Query", "Get", "BatchGet", "List", "Describe")
"""How the names of operations begin that change nothing."""

EXPORT = "ExportTableToPointInTime"
"""What these credentials may ask for beside reads: it copies out of the backups of a table, whose
items, settings and capacity stay as they are (Amazon DynamoDB Developer Guide, "DynamoDB data
export to Amazon S3: how it works")."""

_OPERATION = "x-amz-target"


def reads_only(request: Request) -> bool:
    """Whether a request changes nothing, whoever it is signed by.

    A request of a JSON protocol names its operation in a header; of any other the method tells
    (RFC 9110, section 9.2.1, "Safe Methods").
    """
    headers = {**request.shared, **request.headers}
    named = next((value for name, value in headers.items() if name.lower() == _OPERATION), None)
    if named is None:
        return request.method in {"GET", "HEAD"}
    return named.rpartition(".")[2].startswith(READING_OPERATIONS)


def exports_into_own_bucket(operation: str, body: object) -> bool:
    """Whether a request asks for an export into a bucket that dataware makes, and for no other."""
    if operation != EXPORT or not isinstance(body, (bytes, str)):
        return False
    request = json.loads(body)
    bucket, owner = str(request.get("S3Bucket")), str(request.get("S3BucketOwner"))
    return bool(re.fullmatch(rf"dataware-export-{re.escape(owner)}-[0-9a-z-]+", bucket))


class ReadOnlyWire(WrappedWire):
    """Sends requests that change nothing, and refuses all others before they are signed."""

    async def send(self, request: Request) -> Response:
        """Send a request that only reads. Raises RefusedError for any other."""
        if not reads_only(request):
            raise RefusedError(write_refusal(f"{request.method} {request.path}"))
        return await self._wire.send(request)


def write_refusal(call: str) -> str:
    """Why a call was not made."""
    return f"the credentials of the source only read, so {call} was not sent"

"""A wire that reads and never writes: what the credentials of a source are sent over."""

from __future__ import annotations

from dataware.core.errors import RefusedError
from dataware.core.ports import Permit, Request, Response, Wire

READING_OPERATIONS = ("Scan", "Query", "Get", "BatchGet", "List", "Describe")
"""How the names of operations begin that change nothing."""

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


class ReadOnlyWire:
    """Sends requests that change nothing, and refuses all others before they are signed."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @property
    def permit(self) -> Permit | None:
        """What says before each request whether it may be sent."""
        return self._wire.permit

    @permit.setter
    def permit(self, permit: Permit | None) -> None:
        self._wire.permit = permit

    @property
    def retries(self) -> int:
        """How many requests were sent again so far."""
        return self._wire.retries

    async def send(self, request: Request) -> Response:
        """Send a request that only reads. Raises RefusedError for any other."""
        if not reads_only(request):
            raise RefusedError(write_refusal(f"{request.method} {request.path}"))
        return await self._wire.send(request)

    async def close(self) -> None:
        """Release connections and threads."""
        await self._wire.close()


def write_refusal(call: str) -> str:
    """Why a call was not made."""
    return f"the credentials of the source only read, so {call} was not sent"

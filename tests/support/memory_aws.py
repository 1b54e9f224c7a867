"""DynamoDB and S3 in memory behind the Transport protocol, with faults in front of them.

Nothing of dataware judges or reads here: answers are written as the services document them, and a
test looks at `tables` and `buckets` directly. Conditions on writes and on copy sources are
enforced, which not every emulator does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from dataware.core.ports import Request, Response
from support.memory_buckets import MemoryBuckets
from support.memory_tables import MemoryTables
from support.operations import headers_sent, s3_operation


@dataclass(frozen=True)
class Call:
    """A request with the name of its operation."""

    operation: str
    request: Request


Forward = Callable[[Call], Response]
Fault = Callable[[Call, Forward], Awaitable[Response]]


@dataclass
class _Rule:
    fault: Fault
    operations: tuple[str, ...]
    when: Callable[[Call], bool]
    left: int | None
    skip: int

    def takes(self, call: Call) -> bool:
        if self.left == 0 or (self.operations and call.operation not in self.operations):
            return False
        if not self.when(call):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.left is not None:
            self.left -= 1
        return True


class MemoryAws:
    """Both services as one raw transport; `asked` counts the tries of every operation."""

    def __init__(self) -> None:
        self.tables = MemoryTables()
        self.buckets = MemoryBuckets()
        self.calls: list[Call] = []
        self._rules: list[_Rule] = []

    @property
    def asked(self) -> Counter[str]:
        """How often each operation was asked for."""
        return Counter(call.operation for call in self.calls)

    def add(
        self,
        fault: Fault,
        *operations: str,
        when: Callable[[Call], bool] = lambda _call: True,
        times: int | None = None,
        skip: int = 0,
    ) -> None:
        """Put a fault before some operations, or all of them; `skip` calls pass before it."""
        self._rules.append(_Rule(fault, operations, when, times, skip))

    def heal(self) -> None:
        """Take every fault away."""
        self._rules.clear()

    async def exchange(self, request: Request) -> Response:
        """Answer as the service would, or as the first fault that takes the call says."""
        call = Call(operation_of(request), request)
        self.calls.append(call)
        for rule in self._rules:
            if rule.takes(call):
                return await rule.fault(call, self._forward)
        return self._forward(call)

    async def close(self) -> None:
        """Nothing to release."""

    def _forward(self, call: Call) -> Response:
        if call.request.service == "dynamodb":
            return self.tables.answer(call.operation, call.request)
        return self.buckets.answer(call.operation, call.request)


def operation_of(request: Request) -> str:
    """The API operation of a request."""
    headers = headers_sent(request)
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    return s3_operation(request.method, request.path, request.query, headers)


def saying(response: Response) -> Fault:
    """Answer in place of the service, which never hears of the call."""

    async def fault(_call: Call, _forward: Forward) -> Response:
        return response

    return fault


def raising(error: OSError) -> Fault:
    """No answer, and the service never hears of the call."""

    async def fault(_call: Call, _forward: Forward) -> Response:
        raise error

    return fault


def losing_the_answer(error: OSError) -> Fault:
    """The service does its work, and its answer gets lost."""

    async def fault(call: Call, forward: Forward) -> Response:
        forward(call)
        raise error

    return fault


def altering(alter: Callable[[bytes], bytes]) -> Fault:
    """The service does its work; its answer's body arrives altered, with the headers as sent."""

    async def fault(call: Call, forward: Forward) -> Response:
        response = forward(call)
        return Response(response.status, response.headers, alter(response.body))

    return fault

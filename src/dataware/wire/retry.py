"""The loop around a raw transport that follows `Request.judge`.

An answer counts only when it is whole (transports raise where it is truncated, its checksum is
checked here) and judged DONE or FAILED. Everything else is asked again with full-jitter exponential
back-off, until the budget is spent; then LookupFailedError says so. An exhausted request never
looks like a success.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from dataware.core.errors import DatawareError, LookupFailedError
from dataware.core.model import Problem
from dataware.core.ports import Clock, Judgement, Permit, Request, Response
from dataware.http.endpoint import Endpoint
from dataware.http.error_answer import read_error
from dataware.wire.transport import RawTransport, Transport, with_corrections

MAX_DOUBLINGS = 30

CHECKED = frozenset({"dynamodb"})
"""The services that send a checksum of the whole answer, ``x-amz-crc32``."""

INDEX = re.compile(rb'"resource"\s*:\s*"arn:[^"]*/index/([\w.-]+)"')
"""An index among the throttling reasons of an answer (Amazon DynamoDB API Reference)."""


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """How long one request is tried.

    `attempts` bounds faults (lost connections, server errors); throttled answers are bounded by
    `seconds` alone, because slowing down is what the service asks for. The n-th wait is drawn
    evenly from zero to ``min(cap, base * 2**n)`` seconds.
    """

    attempts: int = 14
    seconds: float = 300.0
    base: float = 0.05
    cap: float = 20.0


class RetryingWire:
    """The Wire port over a raw transport; time and chance are arguments."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        chance: Callable[[], float],
        on_throttle: Callable[[str], None],
        budget: RetryBudget | None = None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._chance = chance
        self._on_throttle = on_throttle
        self._budget = budget or RetryBudget()
        self._retries = 0
        self._permit: Permit | None = None

    @property
    def permit(self) -> Permit | None:
        """What says before each request whether it may be sent."""
        return self._permit

    @permit.setter
    def permit(self, permit: Permit | None) -> None:
        self._permit = self._transport.permit = permit

    @property
    def retries(self) -> int:
        """How many requests were sent again so far, for whatever reason."""
        return self._retries

    async def send(self, request: Request) -> Response:
        """Send, and retry what `request.judge` says is worth another try.

        Returns the first answer judged DONE or FAILED. Raises LookupFailedError when throttling,
        time-outs or server errors outlast the budget, AuthenticationError for a wrong clock.
        """
        started = self._clock.monotonic()
        tries = faults = 0
        while True:
            outcome: Response | OSError
            try:
                outcome = await self._transport.exchange(request)
                if request.service in CHECKED:
                    _require_checksum(outcome)
            except OSError as error:
                if (permit := self._permit) is not None and not permit.current:
                    self._retries += 1
                    await permit.wait()
                    continue
                outcome, verdict = error, Judgement.RETRY
            else:
                verdict = request.judge(outcome)
                if verdict is Judgement.DONE or verdict is Judgement.FAILED:
                    return outcome
            tries += 1
            if verdict is Judgement.THROTTLED:
                self._on_throttle(describe(request, outcome))
            else:
                faults += 1
            delay = self._delay(tries)
            elapsed = self._clock.monotonic() - started
            if faults >= self._budget.attempts or elapsed + delay > self._budget.seconds:
                raise _retries_exhausted_error(request, outcome, tries, elapsed)
            self._retries += 1
            await self._clock.sleep(delay)

    async def close(self) -> None:
        """Release connections and threads."""
        await self._transport.close()

    def _delay(self, tries: int) -> float:
        doublings = min(tries - 1, MAX_DOUBLINGS)
        return self._chance() * min(self._budget.cap, self._budget.base * 2.0**doublings)


def _require_checksum(response: Response) -> None:
    """Raise ConnectionError for a body that is not the one that was sent.

    The checksum is over the bytes as they went over the wire.
    """
    checksum = response.headers.get("x-amz-crc32", "")
    if checksum.isdigit() and int(checksum) != zlib.crc32(response.body):
        raise ConnectionError("the answer does not match its checksum")


def operation(request: Request) -> str:
    """The call in words, without any name or key in it."""
    for name, value in (*request.headers.items(), *request.shared.items()):
        if name.lower() == "x-amz-target":
            return value.rpartition(".")[2]
    return f"{request.service} {request.method}"


def describe(request: Request, outcome: Response | OSError) -> str:
    """Why a try did not count, for people; names the index if it alone is throttled."""
    index = INDEX.search(outcome.body) if isinstance(outcome, Response) else None
    of = f" for index {index[1].decode()}" if index else ""
    return f"{operation(request)} returned {_outcome_code(request, outcome)}{of}"


def _outcome_code(request: Request, outcome: Response | OSError) -> str:
    """The code that stands for a try that did not count."""
    if isinstance(outcome, OSError):
        return type(outcome).__name__
    return read_error(operation(request), outcome).code


def _retries_exhausted_error(
    request: Request, outcome: Response | OSError, tries: int, elapsed: float
) -> DatawareError:
    """The error for a request that outlasted its budget: AuthenticationError where that is why."""
    code = _outcome_code(request, outcome)
    if isinstance(outcome, Response):
        answer = read_error(operation(request), outcome)
        if answer.auth_hint is not None:
            return answer.to_error(f"{request.service}")
    detail = "" if isinstance(outcome, Response) else str(outcome)
    problem = Problem(operation(request), code, None, detail)
    return LookupFailedError(
        f"{problem} after {tries} tries in {elapsed:.0f} s{f' ({detail})' if detail else ''};"
        " run the same command again later",
        problem,
    )


def open_wire(
    transport: RawTransport, access: Endpoint, clock: Clock, on_throttle: Callable[[str], None]
) -> RetryingWire:
    """The whole wire over a raw transport: corrections of refusals, and retries."""
    corrected = with_corrections(transport, access)
    return RetryingWire(corrected, clock, random.random, on_throttle)

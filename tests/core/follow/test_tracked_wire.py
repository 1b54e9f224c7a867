"""Which tries of a request may still be carried out, by how often it was sent and answered."""

from __future__ import annotations

import asyncio

import pytest

from dataware.core.errors import LookupFailedError
from dataware.core.follow.tracked_wire import TrackedWire
from dataware.core.ports import Judgement, Request, Response

ANSWERS = {
    200: Judgement.DONE,
    400: Judgement.FAILED,
    429: Judgement.THROTTLED,
    500: Judgement.RETRY,
}
LOST = 0


def judge(response: Response) -> Judgement:
    """By the status."""
    return ANSWERS[response.status]


class Tries:
    """A wire that gets these answers, one a try; LOST is none."""

    permit = None

    def __init__(self, *statuses: int, before: int = 0) -> None:
        self.statuses, self.retries, self.is_closed = statuses, before, False

    async def send(self, request: Request) -> Response:
        """Send until an answer is the last one."""
        for number, status in enumerate(self.statuses):
            self.retries += number > 0
            if status == LOST:
                continue
            response = Response(status, {}, b"")
            if request.judge(response) in (Judgement.DONE, Judgement.FAILED):
                return response
        raise LookupFailedError("no answer in time")

    async def close(self) -> None:
        """Closed."""
        self.is_closed = True


@pytest.mark.parametrize(
    ("statuses", "unclear"),
    [
        ((200,), 0),
        ((400,), 0),
        # What was throttled was not carried out; after an error of the server nobody knows.
        ((429, 200), 0),
        ((500, 200), 1),
        ((500, 429, 500, 200), 2),
        ((LOST, 200), 1),
        ((LOST, LOST, 500), 3),
        ((429, LOST), 1),
    ],
)
def test_a_try_without_an_outcome_may_still_be_carried_out(
    statuses: tuple[int, ...], unclear: int
) -> None:
    """Also where another try of the same request was answered well."""
    tries = Tries(*statuses, before=7)
    wire = TrackedWire(tries)

    async def send_twice() -> None:
        for number in (1, 2):
            try:
                await wire.send(Request("dynamodb", "POST", "/", judge))
            except LookupFailedError:
                assert statuses[-1] in (LOST, 500)
            assert wire.unclear == unclear * number
        await wire.close()

    asyncio.run(send_twice())
    assert wire.retries == 7 + 2 * (len(statuses) - 1)
    assert tries.is_closed

"""The rules of retrying: what counts, how long it is tried, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import InputError, LookupFailedError
from dataware.core.ports import Judgement, Request, Response
from dataware.wire import RetryBudget, RetryingWire
from support.transports import ManualClock

OK = Response(200, {}, b"fine")
BUSY = Response(503, {}, b"<Error><Code>SlowDown</Code></Error>")
BROKEN = Response(500, {}, b"")
DENIED = Response(403, {}, b"<Error><Code>AccessDenied</Code></Error>")
HIDDEN = Response(200, {}, b"<Error><Code>InternalError</Code></Error>")


def judge(response: Response) -> Judgement:
    """As S3 is judged: a 200 may hide an error."""
    if response.status == 503:
        return Judgement.THROTTLED
    if response.status == 500 or (b"<Error>" in response.body and response.status == 200):
        return Judgement.RETRY
    return Judgement.DONE if response.status < 300 else Judgement.FAILED


GET = Request("s3", "GET", "/bucket/secret-key", judge)
SCAN = Request("dynamodb", "POST", "/", judge, headers={"X-Amz-Target": "D_1.Scan"})


class Script:
    """A raw transport that answers from a list; the last entry repeats."""

    def __init__(self, *outcomes: Response | Exception) -> None:
        self.outcomes = list(outcomes)
        self.calls = 0
        self.closed = False

    async def exchange(self, _request: Request) -> Response:
        self.calls += 1
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def close(self) -> None:
        self.closed = True


class Run:
    """One request through the retry loop."""

    def __init__(
        self, script: Script, chance: float = 1.0, budget: RetryBudget | None = None
    ) -> None:
        self.script = script
        self.clock = ManualClock()
        self.throttled: list[str] = []
        self.wire = RetryingWire(script, self.clock, lambda: chance, self.throttled.append, budget)

    def send(self, request: Request = GET) -> Response:
        return asyncio.run(self.wire.send(request))


@pytest.mark.parametrize("answer", [OK, DENIED])
def test_a_judged_answer_is_returned_at_once(answer: Response) -> None:
    """DONE and FAILED both end the request without a second try."""
    run = Run(Script(answer, BROKEN))
    assert run.send() is answer
    assert (run.script.calls, run.clock.slept, run.throttled) == (1, [], [])


@pytest.mark.parametrize(
    "bad",
    [
        BROKEN,
        BUSY,
        HIDDEN,
        ConnectionError("reset"),
        TimeoutError("silence"),
        Response(200, {"x-amz-crc32": str(crc32(b"fine") ^ 1)}, b"fine"),
    ],
    ids=["500", "503", "error in 200", "reset", "time-out", "checksum"],
)
def test_what_does_not_count_is_asked_again(bad: Response | Exception) -> None:
    """Faults of every sort are retried until a good answer comes."""
    run = Run(Script(bad, bad, OK))
    assert run.send(SCAN) is OK
    assert run.script.calls == 3


def test_waits_double_up_to_the_cap() -> None:
    """The upper limit of the waits grows exponentially and ends at the cap."""
    run = Run(Script(*[BUSY] * 7, OK), budget=RetryBudget(base=1.0, cap=10.0))
    run.send()
    assert run.clock.slept == [1, 2, 4, 8, 10, 10, 10]


def test_throttling_is_told_with_its_reason() -> None:
    """Every throttled answer is reported, by call and code, without the key."""
    run = Run(Script(BUSY, BUSY, OK))
    run.send()
    assert run.throttled == ["s3 GET returned SlowDown"] * 2


def test_faults_end_after_the_attempts() -> None:
    """A service that keeps failing ends as LookupFailedError with its code."""
    run = Run(Script(BROKEN), budget=RetryBudget(attempts=4))
    with pytest.raises(LookupFailedError) as caught:
        run.send()
    assert run.script.calls == 4
    assert caught.value.problem is not None
    assert caught.value.problem.code == "500"


@pytest.mark.parametrize("outcome", [BUSY, ConnectionError("reset by peer")])
def test_an_exhausted_budget_says_why_and_names_no_key(outcome: Response | Exception) -> None:
    """The sentence has the code, the tries and what to do, and never the object's key."""
    with pytest.raises(
        LookupFailedError, match=r"tries in \d+ s.*run the same command again"
    ) as caught:
        Run(Script(outcome)).send()
    assert "secret-key" not in str(caught.value)


@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0.001, 5), st.floats(0.1, 100))
def test_throttling_never_outlasts_the_budget(
    chances: list[float], base: float, seconds: float
) -> None:
    """Whatever chance says, the waits together stay within the budget."""
    clock = ManualClock(0.0)
    draw = iter(_forever(chances))
    wire = RetryingWire(
        Script(BUSY), clock, lambda: next(draw), lambda _reason: None, RetryBudget(2, seconds, base)
    )
    with pytest.raises(LookupFailedError):
        asyncio.run(wire.send(GET))
    assert sum(clock.slept) <= seconds


def _forever(chances: list[float]) -> Iterable[float]:
    """The drawn chances, then ones, so that every run ends."""
    yield from chances
    while True:
        yield 1.0


def test_errors_that_no_try_can_cure_pass_through() -> None:
    """Missing credentials are not retried."""
    run = Run(Script(InputError("no credentials")))
    with pytest.raises(InputError):
        run.send()
    assert run.script.calls == 1


def test_closing_closes_the_transport() -> None:
    """The wire owns its transport."""
    run = Run(Script(OK))
    asyncio.run(run.wire.close())
    assert run.script.closed


def test_json_calls_are_named_by_their_operation() -> None:
    """A throttled table is told of as the operation that was throttled."""
    run = Run(Script(BUSY, OK))
    run.send(SCAN)
    assert run.throttled == ["Scan returned SlowDown"]

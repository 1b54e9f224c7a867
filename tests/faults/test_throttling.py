"""A service that asks for patience: nothing is lost, nothing is hammered, and the reason is told.

The waits are those of virtual time, so that five minutes of throttling take no time here.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.errors import LookupFailedError
from dataware.core.ports import Response
from dataware.migrate.copy_state import CopyState
from dataware.wire import RetryBudget
from support.accounting import check_identity, check_sums
from support.dynamo import refuse, respond
from support.memory_aws import Call, Fault, Forward, raising, saying
from support.memory_buckets import fault
from support.memory_jobs import KINDS, READS, WRITES, filled

EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def partly(share: random.Random) -> Fault:
    """Write some items of a batch, from none to all, and hand the rest back."""

    async def unprocessed(call: Call, forward: Forward) -> Response:
        ((name, asked),) = json.loads(call.request.body)["RequestItems"].items()
        keep = share.randrange(len(asked) + 1)
        if keep:
            body = json.dumps({"RequestItems": {name: asked[:keep]}}).encode()
            request = type(call.request)("dynamodb", "POST", "/", call.request.judge, body=body)
            forward(Call(call.operation, request))
        return respond({"UnprocessedItems": {name: asked[keep:]} if asked[keep:] else {}})

    return unprocessed


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 130), st.integers(0, 10**6), st.floats(0, 0.95))
def test_unprocessed_items_all_arrive_and_none_twice(count: int, seed: int, share: float) -> None:
    """Whatever part of whatever batch comes back, every item is written once and counted once."""
    chance = random.Random(seed)
    job = filled("table", count, seed=seed)
    job.aws.add(partly(chance), "BatchWriteItem", when=lambda _call: chance.random() < share)
    job.run()
    assert job.check_whole().counts.copied == count
    assert set(job.written.values()) == {1}


class Throttled:
    """Throttles some operations for a while of virtual time; keeps the times of the tries."""

    def __init__(self, seconds: float, answer: Response) -> None:
        self.seconds = seconds
        self.answer = answer
        self.times: list[float] = []

    async def __call__(self, call: Call, forward: Forward) -> Response:
        now = asyncio.get_running_loop().time()
        self.times.append(now)
        return self.answer if now < self.times[0] + self.seconds else forward(call)


THROTTLES: dict[str, Sequence[Response]] = {
    "table": (
        refuse("ProvisionedThroughputExceededException"),
        refuse("ThrottlingException"),
        refuse("RequestLimitExceeded"),
        Response(503, {}, b""),
    ),
    "bucket": (fault(503, "SlowDown"), fault(503, "ServiceUnavailable"), Response(503, {}, b"")),
}
CASES = [
    pytest.param(kind, answer, id=f"{kind} {number}")
    for kind, answers in THROTTLES.items()
    for number, answer in enumerate(answers)
]


@pytest.mark.parametrize("seconds", [0.1, 5, 60, 200])
@pytest.mark.parametrize(("kind", "answer"), CASES)
def test_throttling_that_ends_costs_nothing_but_time(
    kind: str, answer: Response, seconds: float
) -> None:
    """Up to minutes of it are waited out, and the copy ends whole."""
    job = filled(kind, 60)
    throttled = Throttled(seconds, answer)
    job.aws.add(throttled, *WRITES[kind], *READS[kind])
    job.run()
    job.check_whole()
    assert job.throttled, "nothing was throttled, so nothing is shown"


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("whole", [True, False], ids=["unprocessed", "refused"])
def test_a_writer_that_is_throttled_does_not_hammer(whole: bool, seed: int) -> None:
    """One writer asks at most 20 times in any second, and ever more rarely."""
    job = filled("table", 25, seed=seed)
    job.aws.tables.page = 100  # one page, one batch, one writer
    body = {"UnprocessedItems": {"new": [{"PutRequest": {"Item": {"pk": {"S": "k0"}}}}] * 25}}
    answer = respond(body) if whole else refuse("ProvisionedThroughputExceededException")
    throttled = Throttled(250, answer)
    job.aws.add(throttled, "BatchWriteItem")
    job.run()
    job.check_whole()
    busiest = max(Counter(int(time) for time in throttled.times).values())
    assert busiest <= 20
    assert len(throttled.times) < 80, "waits that do not grow make a thousand calls in 250 s"


@EVERY_KIND
def test_throttling_without_end_ends_in_an_error_and_loses_nothing(kind: str) -> None:
    """The budget runs out with a reason; what was written is counted, and the next run goes on."""
    job = filled(kind, 80, budget=RetryBudget(seconds=20))
    job.aws.add(saying(THROTTLES[kind][0]), *WRITES[kind], skip=2)
    with pytest.raises(LookupFailedError, match="run the same command again"):
        job.run()
    check_sums(job.journal.kept, 80)
    done = len(job.content("new"))
    assert 0 < done < 80
    job.aws.heal()
    job.run()
    job.check_whole()


INDEX = "arn:aws:dynamodb:eu-central-1:111122223333:table/new/index/by-email"


@pytest.mark.parametrize("exclusive", [True, False], ids=["batches", "puts"])
def test_a_throttled_index_is_named(exclusive: bool) -> None:
    """Who has to raise a capacity is told which one: an index has one of its own."""
    job = filled("table", 30, exclusive=exclusive)
    reasons = [{"reason": "IndexWriteProvisionedThroughputExceeded", "resource": INDEX}]
    answer = refuse("ProvisionedThroughputExceededException", ThrottlingReasons=reasons)
    job.aws.add(saying(answer), *WRITES["table"], times=3)
    job.run()
    job.check_whole()
    operation = "BatchWriteItem" if exclusive else "PutItem"
    told = f"{operation} returned ProvisionedThroughputExceededException for index by-email"
    assert set(job.throttled) == {told}
    (slowed,) = job.events.texts("slowed")
    assert "by-email" in slowed


def test_a_full_collection_is_left_behind_by_name() -> None:
    """A key whose collection has reached 10 GB is no reason to stop, and is not asked for ever."""
    job = filled("table", 30)
    full = refuse("ItemCollectionSizeLimitExceededException")
    job.aws.add(saying(full), *WRITES["table"], when=lambda call: b'"k0007"' in call.request.body)
    progress = job.run()
    check_identity(job.journal.kept, 30)
    assert progress.skip_reasons == {"too-large": 1}
    assert sum(b'"k0007"' in call.request.body for call in job.aws.calls) == 2
    assert len(job.content("new")) == 29


TRANSIENT: dict[str, Sequence[Response | OSError]] = {
    "table": (
        refuse("InternalServerError"),
        refuse("ReplicatedWriteConflictException"),
        Response(500, {}, b""),
        Response(502, {}, b"<html>bad gateway</html>"),
        Response(504, {}, b""),
        TimeoutError("silence"),
        ConnectionError("reset"),
    ),
    "bucket": (
        fault(500, "InternalError"),
        fault(409, "ConditionalRequestConflict"),
        fault(400, "RequestTimeout"),
        Response(502, {}, b"<html>bad gateway</html>"),
        Response(504, {}, b""),
        TimeoutError("silence"),
        ConnectionError("reset"),
    ),
}


@EVERY_KIND
@pytest.mark.parametrize("seed", range(10))
def test_a_storm_of_errors_loses_nothing(kind: str, seed: int) -> None:
    """A third of all answers are errors of every sort, and the copy still ends whole."""
    chance = random.Random(seed)
    job = filled(kind, 100, seed=seed)
    errors = [*TRANSIENT[kind], *THROTTLES[kind]]

    async def storm(_call: Call, _forward: Forward) -> Response:
        error = chance.choice(errors)
        if isinstance(error, OSError):
            raise error
        return error

    job.aws.add(storm, when=lambda _call: chance.random() < 0.33)
    job.run()
    job.check_whole()


@EVERY_KIND
@pytest.mark.parametrize("number", range(len(TRANSIENT["table"])))
def test_an_error_without_end_is_given_up_with_its_reason(kind: str, number: int) -> None:
    """A request that never succeeds ends the run with an error; nothing counts as copied by it."""
    job = filled(kind, 30)
    error = TRANSIENT[kind][number]
    job.aws.add(raising(error) if isinstance(error, OSError) else saying(error), *WRITES[kind])
    with pytest.raises(LookupFailedError, match="after 14 tries"):
        job.run()
    check_sums(job.journal.kept, 30)
    assert CopyState.of(job.journal.kept).counts.copied == 0
    assert not job.content("new")

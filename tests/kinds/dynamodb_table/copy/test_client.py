"""What DynamoDB's answers mean."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from dataware.core.errors import LookupFailedError, NotFoundError, ServiceError
from dataware.core.ports import Judgement, Request, Response
from dataware.kinds.dynamodb_table.copy.client import (
    Shape,
    TableClient,
    has_nothing,
    has_page,
    has_table,
    has_written,
)
from support.dynamo import place, refuse, respond

PAGE = {"Items": [{"pk": {"S": "a"}}], "Count": 1}


class OneAnswer:
    """A wire that judges one answer, keeps the verdict and hands the answer back."""

    def __init__(self, response: Response) -> None:
        self._response = response
        self.verdict: Judgement | None = None
        self.request: Request | None = None

    async def send(self, request: Request) -> Response:
        self.request = request
        self.verdict = request.judge(self._response)
        return self._response

    async def close(self) -> None:
        return


def verdict(response: Response, shape: Shape = has_page) -> Judgement | None:
    """What the judge of a request makes of an answer."""
    wire = OneAnswer(response)
    try:
        asyncio.run(TableClient(wire, place("t")).ask("Scan", shape))
    except ServiceError:
        assert wire.verdict is Judgement.FAILED
    return wire.verdict


def test_a_request_names_its_operation_table_and_region() -> None:
    """Requests are signed for DynamoDB in the table's region, and ask for no compression."""
    wire = OneAnswer(respond(PAGE))
    answer = asyncio.run(TableClient(wire, place("t")).ask("Scan", has_page, Segment=0))
    assert answer == PAGE
    request = wire.request
    assert request is not None
    assert (request.service, request.method, request.path) == ("dynamodb", "POST", "/")
    assert request.region == "us-east-1"
    assert request.shared["x-amz-target"] == "DynamoDB_20120810.Scan"
    assert request.shared["accept-encoding"] == "identity"
    assert json.loads(request.body) == {"TableName": "t", "Segment": 0}


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (has_page, PAGE),
        (has_page, {"Items": [], "Count": 0}),
        (has_table, {"Table": {"KeySchema": []}}),
        (has_nothing, {}),
        (has_written(2), {"UnprocessedItems": {}}),
        (has_written(2), {"UnprocessedItems": {"t": [{"PutRequest": {"Item": {}}}]}}),
    ],
)
def test_an_answer_of_the_promised_shape_is_done(shape: Shape, body: dict[str, object]) -> None:
    """Success is what has the operation's own shape."""
    assert verdict(respond(body), shape) is Judgement.DONE


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (has_page, {}),
        (has_page, {"Items": [{"pk": {"S": "a"}}], "Count": 2}),
        (has_page, {"Items": [{"pk": {"S": "a"}}]}),
        (has_table, {}),
        (has_table, {"Table": {}}),
        (has_nothing, {"__type": "x#InternalServerError"}),
        (has_written(1), {}),
        (has_written(1), {"UnprocessedItems": None}),
        (has_written(1), {"UnprocessedItems": {"t": [{}]}}),
    ],
)
def test_status_200_without_the_shape_is_never_success(
    shape: Shape, body: dict[str, object]
) -> None:
    """An answer that lacks what its operation promises is asked again."""
    assert verdict(respond(body), shape) is Judgement.RETRY


def test_a_batch_that_comes_back_whole_is_a_request_to_slow_down() -> None:
    """No item written means throttled, like the exception that says so."""
    left: dict[str, object] = {"t": [{"PutRequest": {"Item": {}}}] * 2}
    assert verdict(respond({"UnprocessedItems": left}), has_written(2)) is Judgement.THROTTLED


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: b"",
        lambda raw: b"<html>try later</html>",
        lambda raw: b"[]",
        lambda raw: b"\xff\xfe\x00",
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_a_damaged_body_is_asked_again(damage: Callable[[bytes], bytes], status: int) -> None:
    """Truncated JSON, an empty body or a page of a proxy is neither success nor refusal."""
    raw = damage(json.dumps(PAGE).encode())
    assert verdict(Response(status, {}, raw)) is Judgement.RETRY


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (refuse("ProvisionedThroughputExceededException"), Judgement.THROTTLED),
        (refuse("ThrottlingException"), Judgement.THROTTLED),
        (refuse("RequestLimitExceeded"), Judgement.THROTTLED),
        (refuse("TransactionConflictException"), Judgement.RETRY),
        (respond({"__type": "x#InternalServerError"}, 500), Judgement.RETRY),
        (respond({"__type": "x#Whatever"}, 502), Judgement.RETRY),
        (respond({}, 400), Judgement.RETRY),
        (respond({"__type": "x#ServiceUnavailable"}, 503), Judgement.THROTTLED),
        (Response(503, {}, b"busy"), Judgement.THROTTLED),
        (Response(504, {}, b""), Judgement.RETRY),
        (refuse("ValidationException"), Judgement.FAILED),
        (refuse("AccessDeniedException"), Judgement.FAILED),
        (refuse("ResourceNotFoundException"), Judgement.FAILED),
    ],
)
def test_errors_are_told_apart(response: Response, expected: Judgement) -> None:
    """Throttling slows down, transient errors are retried, refusals are final."""
    assert verdict(response) is expected


def test_a_denial_names_the_permission_and_quotes_nothing() -> None:
    """What a person reads has the call, the code and the cure, and none of the service's text."""
    wire = OneAnswer(refuse("AccessDeniedException", "secret value"))
    with pytest.raises(LookupFailedError) as raised:
        asyncio.run(TableClient(wire, place("orders")).ask("Scan", has_page))
    assert "orders" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert raised.value.problem is not None
    assert raised.value.problem.permission == "dynamodb:Scan"


def test_a_missing_table_is_not_there() -> None:
    """ResourceNotFoundException becomes NotFoundError and names the table."""
    wire = OneAnswer(refuse("ResourceNotFoundException"))
    with pytest.raises(NotFoundError, match="orders"):
        asyncio.run(TableClient(wire, place("orders")).ask("Scan", has_page))


@pytest.mark.parametrize(
    "more",
    [
        {"Count": 2},
        {"Count": "1"},
        {"ScannedCount": 2},
        {"LastEvaluatedKey": {}},
        {"LastEvaluatedKey": []},
        {"LastEvaluatedKey": ""},
        {"LastEvaluatedKey": 0},
    ],
    ids=str,
)
def test_a_page_that_contradicts_itself_is_asked_again(more: dict[str, object]) -> None:
    """Counts are checked, and only a page without a next key is the last one."""
    assert verdict(respond({**PAGE, **more})) is Judgement.RETRY


def test_a_document_without_bottom_is_asked_again() -> None:
    """However deep it is nested, it is no page and no error of the program."""
    assert verdict(Response(200, {}, b"[" * 100_000)) is Judgement.RETRY

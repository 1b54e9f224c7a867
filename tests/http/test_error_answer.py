"""What error answers mean: one table, and the same errors on every way to AWS."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from dataware.aws.errors import translate_errors
from dataware.core.copier import SkipReason
from dataware.core.errors import (
    AuthenticationError,
    DatawareError,
    LookupFailedError,
    NotFoundError,
    WriteDeniedError,
)
from dataware.core.model import Location
from dataware.core.ports import Judgement, Permit, Request, Response
from dataware.http.error_answer import (
    MEANINGS,
    ErrorAnswer,
    Meaning,
    RequestRefusedError,
    read_error,
    read_json_error,
)
from dataware.kinds.dynamodb_table.copy.client import TableClient, has_nothing
from dataware.kinds.s3_bucket.copy.client import S3Client
from dataware.kinds.s3_bucket.copy.requests import Bucket, S3Request
from dataware.wire import RetryBudget, RetryingWire
from support.transports import ManualClock

AUTH = sorted(
    code
    for code, meaning in MEANINGS.items()
    if meaning in (Meaning.EXPIRED, Meaning.REJECTED, Meaning.SKEWED)
)
PLACE = Location("name", "111122223333", "eu-central-1")
ANSWERS = st.builds(
    ErrorAnswer,
    st.sampled_from(["CopyObject", "Scan", "PutItem", "HeadObject", "ListObjectsV2"]),
    st.sampled_from([*MEANINGS, "NoSuchBucket", "ResourceNotFoundException", "Strange"]),
    st.sampled_from([301, 400, 403, 404, 409, 412, 429, 500, 501, 503]),
    st.text(),
)


@dataclass
class OneAnswer:
    """A wire, and a transport, that answers everything alike."""

    response: Response
    permit: Permit | None = None
    retries: int = 0

    async def send(self, request: Request) -> Response:
        request.judge(self.response)
        return self.response

    async def exchange(self, request: Request) -> Response:
        return self.response

    async def close(self) -> None:
        """Nothing is open."""


def xml(code: str, status: int = 400) -> Response:
    """An error answer of S3."""
    return Response(status, {}, f"<Error><Code>{code}</Code></Error>".encode())


def by_sdk(code: str) -> None:
    """Ask through the SDK."""
    said = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    with translate_errors("bucket name"):
        raise ClientError(said, "ListObjectsV2")


def by_s3(code: str) -> None:
    """Ask S3 as the copier does."""
    ask = S3Client(OneAnswer(xml(code))).plain(Bucket.of(PLACE), "HeadObject", "HEAD", S3Request())
    asyncio.run(ask)


def by_dynamodb(code: str) -> None:
    """Ask DynamoDB as the copier does."""
    wire = OneAnswer(Response(400, {}, f'{{"__type": "x#{code}"}}'.encode()))
    asyncio.run(TableClient(wire, PLACE).ask("Scan", has_nothing))


def by_retries(code: str) -> None:
    """Ask until the budget is spent."""
    budget = RetryBudget(attempts=2, seconds=10)
    wire = RetryingWire(OneAnswer(xml(code)), ManualClock(), random.random, print, budget)
    request = Request("s3", "GET", "/b/k", lambda _response: Judgement.RETRY)
    asyncio.run(wire.send(request))


@pytest.mark.parametrize("code", AUTH)
@pytest.mark.parametrize("ask", [by_sdk, by_s3, by_dynamodb, by_retries])
def test_who_is_not_let_in_is_told_why_on_every_way(ask: Callable[[str], None], code: str) -> None:
    """The sentence names the call and the code, and says what to do."""
    if ask is by_s3 and MEANINGS[code] is Meaning.SKEWED:
        ask = by_retries
    if ask is by_dynamodb and MEANINGS[code] is Meaning.SKEWED:
        ask = by_retries
    with pytest.raises(AuthenticationError, match=f"returned {code}: .*; ") as caught:
        ask(code)
    hint = ErrorAnswer("", code, 400).auth_hint
    assert hint is not None
    assert str(caught.value).endswith(hint)


@pytest.mark.parametrize("code", ["AccessDenied", "ThrottlingException", "", "403", "Strange"])
def test_other_codes_are_no_matter_of_credentials(code: str) -> None:
    """A denial, above all."""
    assert ErrorAnswer("Scan", code, 400).auth_hint is None


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (xml("SlowDown", 503), "SlowDown"),
        (Response(500, {}, b""), "500"),
        (
            Response(400, {}, b'{"__type":"com.amazonaws#ThrottlingException"}'),
            "ThrottlingException",
        ),
        (Response(400, {}, b'{"__type": "ExpiredTokenException"}'), "ExpiredTokenException"),
        (Response(400, {"x-amzn-errortype": "a.b#Gone:http://x/"}, b""), "Gone"),
        (Response(502, {}, b"<html>bad gateway</html>"), "502"),
        (Response(503, {}, b"<Error><Code>SlowDown</Code>"), "503"),
        (Response(400, {}, b'{"__type": "Throt'), "400"),
        (Response(400, {}, b"[]"), "400"),
        (Response(404, {}, b""), "404"),
    ],
)
def test_a_code_is_read_in_every_dialect(response: Response, code: str) -> None:
    """XML, JSON and header errors all yield their code; without a whole one it is the status."""
    answer = read_error("Scan", response)
    assert (answer.code, answer.status) == (code, response.status)
    assert answer.is_named is (code != str(response.status))


def test_an_error_is_read_with_its_condition() -> None:
    """The failed precondition tells a changed source from an occupied target."""
    body = (
        b'<Error xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Code>PreconditionFailed</Code>'
        b"<Message>m</Message><Condition>If-None-Match</Condition></Error>"
    )
    assert read_error("CopyObject", Response(412, {}, body)) == ErrorAnswer(
        "CopyObject", "PreconditionFailed", 412, "m", "If-None-Match"
    )


@given(st.binary(max_size=200), st.sampled_from([200, 400, 403, 503]))
def test_any_answer_is_read(body: bytes, status: int) -> None:
    """Whatever a gateway sends, there is a code."""
    assert read_error("Scan", Response(status, {}, body)).code


@given(ANSWERS)
def test_a_denial_is_no_absence_and_no_absence_a_denial(answer: ErrorAnswer) -> None:
    """Nor does anything become an absence that the service does not document for the call."""
    for looking in (True, False):
        error = answer.to_error("it", "s3:GetObject", looking=looking)
        assert isinstance(error, NotFoundError | LookupFailedError | AuthenticationError)
        if answer.is_denied:
            assert not isinstance(error, NotFoundError)
        if isinstance(error, NotFoundError):
            assert answer.says_absent or (looking and answer.code == "404")
    assert (answer.to_problem("s3:GetObject").permission is None) is not answer.is_denied


@given(ANSWERS)
def test_what_concerns_every_key_is_no_reason_to_skip_one(answer: ErrorAnswer) -> None:
    """Keys are skipped for a reason of their own; a caller who is not let in copies nothing."""
    if answer.concerns_every_key and answer.status != 412:
        assert answer.skip_of("permissions") is None
    if answer.concerns_one_item:
        assert answer.skip_of("permissions") is not None


@given(ANSWERS)
def test_no_other_try_is_made_of_what_stays_refused(answer: ErrorAnswer) -> None:
    """A denial and a wrong key end at once; what slows down and what passes does not."""
    if answer.status in (400, 403, 404, 409, 412):
        fails = answer.judge() is Judgement.FAILED
        passing = (Meaning.THROTTLED, Meaning.TRANSIENT, Meaning.SKEWED)
        assert fails is (answer.meaning not in passing)
    else:
        assert (answer.judge() is Judgement.THROTTLED) >= (answer.status in (429, 503))


@pytest.mark.parametrize(
    ("answer", "reason", "why"),
    [
        (ErrorAnswer("CopyObject", "PreconditionFailed", 412), SkipReason.CHANGED, "it changed"),
        (ErrorAnswer("CopyObject", "NoSuchKey", 404), SkipReason.CHANGED, "it changed"),
        (ErrorAnswer("CopyObject", "InvalidObjectState", 403), SkipReason.ARCHIVED, "restore it"),
        (ErrorAnswer("CopyObject", "KMS.DisabledException", 400), SkipReason.LOST_KEY, "KMS.Dis"),
        (ErrorAnswer("CopyObject", "AccessDenied", 403), SkipReason.DENIED, "it needs those"),
        (
            ErrorAnswer("CopyObject", "KMS.AccessDeniedException", 400),
            SkipReason.DENIED,
            "it needs those",
        ),
        (
            ErrorAnswer("PutItem", "ValidationException", 400, "Item size has exceeded it"),
            SkipReason.TOO_LARGE,
            "larger than",
        ),
        (
            ErrorAnswer("PutItem", "ValidationException", 400, "Type mismatch for Index Key"),
            SkipReason.FAILED,
            "an index",
        ),
        (
            ErrorAnswer("PutItem", "ItemCollectionSizeLimitExceededException", 400),
            SkipReason.TOO_LARGE,
            "collection",
        ),
    ],
)
def test_a_key_is_skipped_for_its_own_reason(
    answer: ErrorAnswer, reason: SkipReason, why: str
) -> None:
    """Each reason has its own advice."""
    skip = answer.skip_of("those")
    assert skip is not None
    assert skip[0] is reason
    assert why in skip[1]


@pytest.mark.parametrize(
    ("code", "sort"), [("NoSuchBucket", NotFoundError), ("SignatureDoesNotMatch", DatawareError)]
)
def test_what_concerns_every_key_ends_the_copy_of_a_bucket(
    code: str, sort: type[Exception]
) -> None:
    """A vanished bucket or a refused signature is not reported key by key, as a denial is."""
    bucket, ask = Bucket.of(PLACE), S3Request(b"k")

    async def delete(response: Response) -> None:
        await S3Client(OneAnswer(response)).plain(bucket, "DeleteObject", "DELETE", ask)

    with pytest.raises(sort):
        asyncio.run(delete(xml(code, 404)))
    with pytest.raises(RequestRefusedError, match="DeleteObject returned AccessDenied"):
        asyncio.run(delete(xml("AccessDenied", 403)))


def test_a_bucket_that_a_copy_misses_may_be_either() -> None:
    """The answer to a copy does not say which of both is not there, so the sentence does not."""
    error = ErrorAnswer("CopyObject", "NoSuchBucket", 404).to_error("bucket target")
    assert isinstance(error, NotFoundError)
    assert str(error) == "bucket target: CopyObject returned NoSuchBucket"


def test_a_denied_write_of_an_item_is_told_from_a_denied_look() -> None:
    """Because it says what a copy still needs."""
    said = {"__type": "AccessDeniedException", "message": "no"}
    assert isinstance(
        read_json_error("PutItem", Response(400, {}, b""), said).to_error("table t"),
        WriteDeniedError,
    )
    look = read_json_error("Scan", Response(400, {}, b""), said).to_error(
        "table t", "dynamodb:Scan"
    )
    assert not isinstance(look, WriteDeniedError)
    assert str(look) == "table t: Scan returned AccessDeniedException; it needs dynamodb:Scan"

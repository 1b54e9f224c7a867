"""Listings that go in circles: every loop over pages ends, with a sentence that says why.

A server names a page again that it has shown, directly or after others, with entries or without.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dataware.aws import Account, ClientSettings, SystemClock
from dataware.aws.holding_stack import HoldingStack, WaitIntervals
from dataware.aws.permissions import NeededActions
from dataware.aws.simulate import simulate
from dataware.calc.key_range import KeyRange
from dataware.cli.context import make_wire
from dataware.core.copier import CopyOrder
from dataware.core.errors import LookupFailedError
from dataware.core.model import Content, Location
from dataware.core.ports import Request, Response
from dataware.kinds import load
from dataware.kinds.dynamodb_table.export.failed_items import read_log
from dataware.kinds.s3_bucket.copy.client import S3Client
from dataware.kinds.s3_bucket.copy.listing import OBJECTS, VERSIONS, pages
from dataware.kinds.s3_bucket.copy.multipart import abandon
from dataware.kinds.s3_bucket.copy.objects import BucketPair
from dataware.kinds.s3_bucket.copy.requests import Bucket
from dataware.kinds.s3_bucket.copy.versions import HistoryReplay
from dataware.kinds.s3_bucket.copy.xml import ListedObject
from dataware.kinds.secret.verify.reader import SecretReader
from dataware.state import ParameterMarkers
from support.cli import BUCKET, TABLE
from support.dynamo import respond
from support.memory_aws import Call, Forward
from support.memory_jobs import filled
from support.servers import FaultProxy, Reply, Seen
from support.servers import Forward as Passing

ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/u"
PLACE = Location("some-one", ACCOUNT, "eu-central-1")
LENGTHS = pytest.mark.parametrize("length", [1, 3])
MOST = 2000
"""Requests after which a loop counts as endless."""


class Circle:
    """Answers whose cursors come again after `length` pages."""

    def __init__(self, length: int, page: Callable[[str], bytes]) -> None:
        self._cursors = itertools.cycle(str(number) for number in range(length))
        self._page = page
        self.asked = 0

    def next(self) -> bytes:
        self.asked += 1
        assert self.asked < MOST, "the loop does not end"
        return self._page(next(self._cursors))

    @property
    def retries(self) -> int:
        """None."""
        return 0

    async def send(self, request: Request) -> Response:
        """As a wire."""
        response = Response(200, {}, self.next())
        request.judge(response)
        return response

    async def close(self) -> None:
        """Nothing to release."""


def objects(cursor: str, rows: str = "") -> bytes:
    """A page of objects that goes on."""
    return (
        f"<ListBucketResult><IsTruncated>true</IsTruncated>{rows}"
        f"<NextContinuationToken>{cursor}</NextContinuationToken></ListBucketResult>"
    ).encode()


ROW = (
    "<Version><Key>key</Key><VersionId>1</VersionId><IsLatest>true</IsLatest><Size>1</Size>"
    '<ETag>"0a"</ETag></Version>'
)


def versions(cursor: str, rows: str = "") -> bytes:
    """A page of versions that goes on."""
    return (
        f"<ListVersionsResult><IsTruncated>true</IsTruncated>{rows}<NextKeyMarker>key"
        f"</NextKeyMarker><NextVersionIdMarker>{cursor}</NextVersionIdMarker></ListVersionsResult>"
    ).encode()


def uploads(cursor: str) -> bytes:
    """A page of uploads that goes on."""
    return (
        "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>key"
        f"</NextKeyMarker><NextUploadIdMarker>{cursor}</NextUploadIdMarker>"
        "</ListMultipartUploadsResult>"
    ).encode()


async def drain(listed: Any) -> None:
    """Read every page."""
    async for _ in listed:
        pass


def pair(circle: Circle) -> BucketPair:
    """Both sides of a copy."""
    return BucketPair.of(
        S3Client(circle), CopyOrder(PLACE, Location("other-one", ACCOUNT, "eu-central-1"))
    )


WIRED: dict[str, Callable[[int], tuple[Circle, Any]]] = {}


def wired(make_page: Callable[[str], bytes], use: Callable[[Circle], Any]) -> Any:
    """A loop of the copier, by the pages that it gets."""

    def make(length: int) -> tuple[Circle, Any]:
        circle = Circle(length, make_page)
        return circle, use(circle)

    return make


WIRED["objects"] = wired(
    objects, lambda c: drain(pages(S3Client(c), Bucket.of(PLACE), OBJECTS, KeyRange.of("")))
)
WIRED["versions"] = wired(
    versions, lambda c: drain(pages(S3Client(c), Bucket.of(PLACE), VERSIONS, KeyRange.of("")))
)
WIRED["versions of one key"] = wired(
    lambda cursor: versions(cursor, ROW),
    lambda c: drain(pages(S3Client(c), Bucket.of(PLACE), VERSIONS, KeyRange.of(""))),
)
WIRED["what a key holds"] = wired(
    lambda cursor: versions(cursor, ROW),
    lambda c: HistoryReplay(pair(c), (ListedObject(b"key", 1, "0a", version="1"),)).run(),
)
WIRED["unfinished uploads"] = wired(uploads, lambda c: abandon(pair(c), b"key"))


@LENGTHS
@pytest.mark.parametrize("name", WIRED)
def test_a_listing_of_the_copier_ends(name: str, length: int) -> None:
    """Objects, versions and uploads, empty pages or not."""
    circle, listed = WIRED[name](length)
    with pytest.raises(LookupFailedError, match="never ends"):
        asyncio.run(listed)
    assert circle.asked < 100


@LENGTHS
def test_a_scan_of_the_copier_ends(length: int) -> None:
    """A key that comes again begins the table anew, and would copy it for ever."""
    job = filled("table", 30)
    keys = itertools.cycle({"pk": {"S": str(number)}} for number in range(length))

    async def circle(_call: Call, _forward: Forward) -> Response:
        rows = [{"pk": {"S": "a"}}]
        return respond({"Items": rows, "Count": 1, "LastEvaluatedKey": next(keys)})

    job.aws.add(circle, "Scan")
    with pytest.raises(LookupFailedError, match="never ends"):
        job.run()


CALLER = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
    b"<Arn>arn:aws:iam::111122223333:user/u</Arn></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)


@pytest.fixture
def server() -> Iterator[FaultProxy]:
    """A server on which each test puts its pages."""
    with FaultProxy("http://127.0.0.1:1") as proxy:
        yield proxy


@pytest.fixture
def account(server: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account at that server."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    once = ClientSettings(first_attempts=1, attempts=1)
    return Account.open(make_wire, region="eu-central-1", client_settings=once)


def serve(server: FaultProxy, operation: str, circle: Circle) -> None:
    """Answer an operation with the pages of a circle, and others with little."""

    def respond_to(seen: Seen, _forward: Passing) -> Reply:
        if seen.operation == "GetCallerIdentity":
            return Reply.of(200, CALLER)
        if seen.operation == operation:
            return Reply.of(200, circle.next())
        if seen.operation == "HeadBucket":
            return Reply.of(200)
        if seen.operation == "DescribeTable":
            table = {
                "TableStatus": "ACTIVE",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "CreationDateTime": 0,
            }
            return Reply.of(200, json.dumps({"Table": table}).encode())
        if seen.operation == "ListObjectsV2":
            body = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
            return Reply.of(200, body)
        return Reply.of(403, b"")

    server.add(respond_to)


def query(operation: str, rows: str, token: str) -> Callable[[str], bytes]:
    """Pages of a service that speaks XML; `token` is the name of the cursor."""
    return lambda cursor: (
        f"<{operation}Response><{operation}Result>{rows}<IsTruncated>true</IsTruncated>"
        f"<{token}>{cursor}</{token}></{operation}Result></{operation}Response>"
    ).encode()


def scan(cursor: str) -> bytes:
    """An empty page of a scan."""
    last = {"pk": {"S": cursor}}
    return json.dumps({"Items": [], "Count": 0, "LastEvaluatedKey": last}).encode()


def listed_parameters(cursor: str) -> bytes:
    """A page of parameters."""
    return json.dumps({"Parameters": [], "NextToken": cursor}).encode()


def buckets(cursor: str) -> bytes:
    """A page of the list of buckets."""
    token = f"<ContinuationToken>{cursor}</ContinuationToken>"
    return f"<ListAllMyBucketsResult><Buckets/>{token}</ListAllMyBucketsResult>".encode()


def reads(account: Account, type_name: str, *, all_versions: bool = False) -> None:
    """Read all of one side, as a verification does."""
    make = load(type_name).require_copying().reader
    assert make is not None
    reader = make(account, PLACE, all_versions=all_versions, deep=False)
    part = "" if type_name == BUCKET else "0 of 1"
    for _ in reader.pages(part):
        pass


def events(account: Account) -> None:
    """The reason why a holding stack failed."""
    HoldingStack(account, "holding", "thing", WaitIntervals()).failure("id")


def json_page(rows: str, token: str = "NextToken") -> Callable[[str], bytes]:
    """Pages of a service that speaks JSON, without rows."""
    return lambda cursor: json.dumps({rows: [], token: cursor}).encode()


SDK: dict[str, tuple[str, Callable[[str], bytes], Callable[[Account], object]]] = {
    "versions of a secret": (
        "ListSecretVersionIds",
        json_page("Versions"),
        lambda account: list(SecretReader(account, PLACE).pages("")),
    ),
    "stack resources": (
        "ListStackResources",
        query("ListStackResources", "<StackResourceSummaries/>", "NextToken"),
        lambda account: account.stack_resources("app"),
    ),
    "stack events": (
        "DescribeStackEvents",
        query("DescribeStackEvents", "<StackEvents/>", "NextToken"),
        events,
    ),
    "simulation": (
        "SimulatePrincipalPolicy",
        query("SimulatePrincipalPolicy", "<EvaluationResults/>", "Marker"),
        lambda account: simulate(
            account,
            "arn:aws:iam::111122223333:user/u",
            [NeededActions(("s3:GetObject",), ("arn:x",))],
        ),
    ),
    "records": (
        "GetParametersByPath",
        listed_parameters,
        lambda account: ParameterMarkers(account, SystemClock()).all(),
    ),
    "objects of a verification": (
        "ListObjectsV2",
        objects,
        lambda account: reads(account, BUCKET),
    ),
    "versions of a verification": (
        "ListObjectVersions",
        versions,
        lambda account: reads(account, BUCKET, all_versions=True),
    ),
    "items of a verification": ("Scan", scan, lambda account: reads(account, TABLE)),
}


@LENGTHS
@pytest.mark.parametrize("name", SDK)
def test_a_listing_through_the_sdk_ends(
    name: str, length: int, server: FaultProxy, account: Account
) -> None:
    """Paginators of the SDK, and loops over its answers."""
    operation, page, use = SDK[name]
    circle = Circle(length, page)
    serve(server, operation, circle)
    with pytest.raises(LookupFailedError):
        use(account)
    assert circle.asked < 100


def test_a_log_ends_where_its_token_stays_and_not_in_circles(
    server: FaultProxy, account: Account
) -> None:
    """The same token again is the end of a log stream; several in turn are none."""
    page = json_page("events", "nextForwardToken")
    serve(server, "GetLogEvents", Circle(3, page))
    with pytest.raises(LookupFailedError):
        list(read_log(account, "group", "stream"))
    server.clear()
    serve(server, "GetLogEvents", Circle(1, page))
    assert list(read_log(account, "group", "stream")) == []


LOOKS: dict[str, tuple[str, Callable[[str], bytes], str]] = {
    "objects": ("ListObjectsV2", objects, BUCKET),
    "versions": ("ListObjectVersions", versions, BUCKET),
    "buckets": ("ListBuckets", buckets, BUCKET),
    "items": ("Scan", scan, TABLE),
}


@LENGTHS
@pytest.mark.parametrize("name", LOOKS)
def test_a_look_in_circles_sees_nothing(
    name: str, length: int, server: FaultProxy, account: Account
) -> None:
    """A probe ends, too, and does not take what it could not see for empty."""
    operation, page, type_name = LOOKS[name]
    circle = Circle(length, page)
    serve(server, operation, circle)
    facts = load(type_name).probe(account, "some-one")
    assert circle.asked < 100
    assert "RepeatedCursor" in {problem.code for problem in facts.problems}
    if name != "buckets":
        assert facts.content is Content.UNKNOWN

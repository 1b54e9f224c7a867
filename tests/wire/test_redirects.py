"""The contract of raw transports about buckets of other regions.

`server` is the address of the region that the requests are for, `home` that of the region in which
the bucket is. Each answer that stands for a redirect here has been described by AWS, see
`dataware.http.redirect`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate

import pytest
from botocore.auth import S3SigV4Auth

from dataware.core.ports import Request
from support.servers import Fault, FaultProxy, Reply, Seen, answer, xml_error
from support.transports import (
    REGION,
    FixedAccess,
    MakeTransport,
    assert_signed_like_botocore,
    done,
    exchange,
)

HOME = "eu-west-1"
NAMED = {"x-amz-bucket-region": HOME}
GET = Request("s3", "GET", "/bucket/key", done)
HEAD = GET._replace(method="HEAD")


def document(code: str, more: str = "") -> bytes:
    """An error of S3."""
    return f"<Error><Code>{code}</Code><Message>m</Message>{more}</Error>".encode()


ENDPOINT = "<Endpoint>bucket.s3.eu-west-1.amazonaws.com</Endpoint><Bucket>bucket</Bucket>"
REDIRECTS = {
    "permanent": answer(301, document("PermanentRedirect", ENDPOINT), NAMED),
    "temporary": answer(307, document("TemporaryRedirect", ENDPOINT), NAMED),
    "found": answer(302, b"", NAMED),
    "signed for another": answer(
        400, document("AuthorizationHeaderMalformed", f"<Region>{HOME}</Region>")
    ),
    "opt-in": answer(400, document("IllegalLocationConstraintException"), NAMED),
}


@dataclass
class Regional(FixedAccess):
    """An access that keeps which regions' addresses it was asked for."""

    asked: list[str] = field(default_factory=list)

    def endpoint(self, service: str, region: str) -> str:
        self.asked.append(region)
        return super().endpoint(service, region)


@pytest.fixture(scope="module")
def abroad() -> Iterator[FaultProxy]:
    """A second recording server for all tests of the module."""
    with FaultProxy("http://127.0.0.1:1") as proxy:
        yield proxy


@pytest.fixture
def home(abroad: FaultProxy) -> FaultProxy:
    """The server of the bucket's own region; it answers unless a test says otherwise."""
    abroad.clear()
    abroad.add(lambda seen, _forward: Reply.of(200, seen.body))
    return abroad


@pytest.fixture
def access(server: FaultProxy, home: FaultProxy) -> Regional:
    """Two regions, each at an address of its own."""
    return Regional(server.endpoint, regional={HOME: home.endpoint})


def region_of(seen: Seen) -> str:
    """The region for which a request is signed."""
    return seen.headers["authorization"].split("/")[2]


@pytest.mark.parametrize("redirect", REDIRECTS.values(), ids=REDIRECTS)
def test_a_redirected_request_is_sent_to_the_region_of_its_bucket(
    make_transport: MakeTransport,
    server: FaultProxy,
    home: FaultProxy,
    access: Regional,
    redirect: Fault,
) -> None:
    """It is signed anew for that region and arrives there once, whole."""
    server.add(redirect)
    put = Request("s3", "PUT", "/bucket/a/../%2f", done, "b=1&a", {"x-amz-meta-a": "1"}, b"body")
    response = exchange(make_transport, access, put)
    assert (response.status, response.body) == (200, b"body")
    assert (len(server.seen), len(home.seen)) == (1, 1)
    first, second = server.seen[0], home.seen[0]
    assert (region_of(first), region_of(second)) == (REGION, HOME)
    assert (second.method, second.target) == ("PUT", "/bucket/a/../%2F?b=1&a")
    assert second.headers["x-amz-meta-a"] == "1"
    assert second.headers["x-amz-expected-bucket-owner"] == access.account
    assert_signed_like_botocore(second, home.endpoint, S3SigV4Auth, "s3", HOME)


@pytest.mark.parametrize("status", [301, 400])
def test_an_answer_to_head_names_the_region_in_a_header(
    make_transport: MakeTransport,
    server: FaultProxy,
    home: FaultProxy,
    access: Regional,
    status: int,
) -> None:
    """It has no document."""
    server.add(answer(status, b"", NAMED))
    assert exchange(make_transport, access, HEAD).status == 200
    assert [seen.method for seen in home.seen] == ["HEAD"]


def test_the_region_of_a_bucket_is_asked_once(
    make_transport: MakeTransport, server: FaultProxy, home: FaultProxy, access: Regional
) -> None:
    """Later requests go there at once, whatever region they are for; other buckets do not."""
    server.add(REDIRECTS["permanent"], when=lambda seen: seen.path.startswith("/bucket"), times=1)
    server.add(answer(200))
    listing = GET._replace(path="/bucket", query="list-type=2")
    other = GET._replace(path="/bucket-two/key")
    exchange(make_transport, access, GET, listing, HEAD._replace(region="us-east-2"), other)
    assert [seen.path for seen in server.seen] == ["/bucket/key", "/bucket-two/key"]
    assert [seen.target for seen in home.seen] == [
        "/bucket/key",
        "/bucket?list-type=2",
        "/bucket/key",
    ]
    assert {region_of(seen) for seen in home.seen} == {HOME}


def test_requests_that_are_redirected_at_once_all_arrive(
    make_transport: MakeTransport, server: FaultProxy, home: FaultProxy, access: Regional
) -> None:
    """Each gets its own answer, and what comes after them goes there at once."""
    server.add(REDIRECTS["permanent"])
    home.clear()
    home.add(lambda seen, _forward: Reply.of(200, seen.path.encode()))
    paths = [f"/bucket/{number}" for number in range(32)]

    async def main() -> None:
        transport = make_transport(access)
        requests = [GET._replace(path=path) for path in paths]
        answers = await asyncio.gather(*map(transport.exchange, requests))
        redirected = len(server.seen)
        await transport.exchange(GET)
        await transport.close()
        assert [answer.body.decode() for answer in answers] == paths
        assert len(server.seen) == redirected

    asyncio.run(main())


def test_two_regions_that_send_to_each_other_end_the_request(
    make_transport: MakeTransport, server: FaultProxy, home: FaultProxy, access: Regional
) -> None:
    """A request is redirected once; the second redirect is its answer."""
    server.add(REDIRECTS["permanent"])
    home.clear()
    home.add(answer(301, b"back", {"x-amz-bucket-region": REGION}))
    response = exchange(make_transport, access, GET)
    assert (response.status, response.body) == (301, b"back")
    assert (len(server.seen), len(home.seen)) == (1, 1)


def test_a_bucket_that_is_made_again_elsewhere_is_found_again(
    make_transport: MakeTransport, server: FaultProxy, home: FaultProxy, access: Regional
) -> None:
    """What was known of its region gives way to what an answer says."""
    server.add(REDIRECTS["permanent"], times=1)
    server.add(answer(200))
    home.clear()
    home.add(answer(301, b"", {"x-amz-bucket-region": REGION}), skip=1)
    home.add(answer(200))
    assert exchange(make_transport, access, GET, GET, GET).status == 200
    assert (len(server.seen), len(home.seen)) == (3, 2)


@pytest.mark.parametrize("status", [301, 307, 400])
def test_the_region_it_was_signed_for_is_no_other(
    make_transport: MakeTransport,
    server: FaultProxy,
    home: FaultProxy,
    access: Regional,
    status: int,
) -> None:
    """Whether to try again is then for the caller, as with a name that DNS does not know yet."""
    server.add(answer(status, b"", {"x-amz-bucket-region": REGION}))
    assert exchange(make_transport, access, GET).status == status
    assert (len(server.seen), len(home.seen)) == (1, 0)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_location_is_never_gone_to(
    make_transport: MakeTransport,
    server: FaultProxy,
    home: FaultProxy,
    access: Regional,
    status: int,
) -> None:
    """A signed request goes to no address that an answer gives."""
    body = document("TemporaryRedirect", f"<Endpoint>{home.endpoint}</Endpoint>")
    server.add(answer(status, body, {"Location": f"{home.endpoint}/bucket/key"}))
    assert exchange(make_transport, access, GET).status == status
    assert (len(server.seen), len(home.seen)) == (1, 0)
    assert set(access.asked) == {REGION}


@pytest.mark.parametrize(
    "name",
    ["evil.example", "evil.example/", "x@evil.example", "a b", "-a", "a-", "A", "é", "a" * 64],
)
def test_what_cannot_be_a_region_is_none(
    make_transport: MakeTransport, server: FaultProxy, access: Regional, name: str
) -> None:
    """No address is made of it."""
    malformed = document("AuthorizationHeaderMalformed", f"<Region>{name}</Region>")
    server.add(answer(301, b"", {"x-amz-bucket-region": name}), times=1)
    server.add(answer(400, malformed))
    assert exchange(make_transport, access, GET, GET).status == 400
    assert (len(server.seen), set(access.asked)) == (2, {REGION})


@pytest.mark.parametrize(
    "request_",
    [
        Request("dynamodb", "POST", "/", done),
        Request("dynamodb", "POST", "/bucket/key", done),
        GET._replace(path="/"),
        GET._replace(path="//key"),
    ],
    ids=["table", "path", "no bucket", "no name"],
)
def test_only_a_request_for_a_bucket_is_redirected(
    make_transport: MakeTransport, server: FaultProxy, access: Regional, request_: Request
) -> None:
    """Whatever else is refused, its region was chosen by the caller."""
    server.add(answer(400, b"", NAMED))
    assert exchange(make_transport, access, request_).status == 400
    assert (len(server.seen), set(access.asked)) == (1, {REGION})


@pytest.mark.parametrize("status", [200, 403, 404, 412, 500, 503])
def test_a_region_in_another_answer_redirects_nothing(
    make_transport: MakeTransport, server: FaultProxy, access: Regional, status: int
) -> None:
    """Only a redirect does."""
    server.add(answer(status, b"", NAMED))
    assert exchange(make_transport, access, GET).status == status
    assert (len(server.seen), set(access.asked)) == (1, {REGION})


def test_an_error_that_speaks_of_a_region_is_no_redirect(
    make_transport: MakeTransport, server: FaultProxy, access: Regional
) -> None:
    """In a document, only AuthorizationHeaderMalformed names the region of the bucket."""
    server.add(answer(400, document("InvalidRequest", f"<Region>{HOME}</Region>")))
    assert exchange(make_transport, access, GET).status == 400
    assert len(server.seen) == 1


def test_a_copy_is_redirected_for_its_target(
    make_transport: MakeTransport, server: FaultProxy, home: FaultProxy, access: Regional
) -> None:
    """The region is that of the bucket in the path; the source stays where it is."""
    server.add(REDIRECTS["signed for another"], times=1)
    server.add(answer(200))
    copy = Request("s3", "PUT", "/target/k", done, headers={"x-amz-copy-source": "bucket/k"})
    exchange(make_transport, access, copy, GET)
    assert [seen.path for seen in server.seen] == ["/target/k", "/bucket/key"]
    assert [seen.path for seen in home.seen] == ["/target/k"]
    assert home.seen[0].headers["x-amz-copy-source"] == "bucket/k"


@pytest.mark.parametrize("skewed_first", [True, False], ids=["clock first", "region first"])
def test_a_wrong_clock_and_a_wrong_region_are_both_corrected(
    make_transport: MakeTransport,
    server: FaultProxy,
    home: FaultProxy,
    access: Regional,
    skewed_first: bool,
) -> None:
    """Whichever the service looks at first."""
    date = {"Date": formatdate(time.time() + 5 * 3600, usegmt=True)}
    skewed = answer(403, document("RequestTimeTooSkewed"), date)
    home.clear()
    (server if skewed_first else home).add(skewed, times=1)
    server.add(answer(301, b"", {**NAMED, **date}))
    home.add(answer(200))
    assert exchange(make_transport, access, GET, GET).status == 200
    assert (len(server.seen), len(home.seen)) == ((2, 2) if skewed_first else (1, 3))


def test_a_denial_by_the_other_region_is_the_answer(
    make_transport: MakeTransport, server: FaultProxy, home: FaultProxy, access: Regional
) -> None:
    """What the bucket's own region says counts."""
    server.add(REDIRECTS["permanent"])
    home.clear()
    home.add(xml_error("AccessDenied", 403))
    assert exchange(make_transport, access, GET).status == 403
    assert (len(server.seen), len(home.seen)) == (1, 1)

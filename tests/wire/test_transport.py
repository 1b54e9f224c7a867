"""The contract of raw transports: what they send, and what they make of an answer.

The suite runs over every transport, see `conftest.make_transport`; what it says of redirects is in
`test_redirects.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth

from dataware.core.errors import LookupFailedError
from dataware.core.ports import Request
from dataware.http.endpoint import Credentials
from support.servers import FaultProxy, Reply, Seen, answer, delay, drop, json_error, truncate
from support.transports import (
    ACCESS_KEY,
    ACCOUNT,
    SECRET_KEY,
    FixedAccess,
    MakeTransport,
    assert_signed_like_botocore,
    done,
    exchange,
)

PATHS = [
    "/bucket/..",
    "/bucket/a/../b",
    "/bucket/a/./b/.",
    "/bucket//",
    "/bucket//lead//trail//",
    "/bucket/%2F%2f",
    "/bucket/line%0Abreak",
    "/bucket/plus+and%2Band%20blank",
    "/bucket/semi;colon=1",
    "/bucket/%F0%9F%9A%80~-_.",
    "/bucket/50%25",
    "/bucket/%3F%23",
    "//twice",
    "/",
]

TRICKLE_SECONDS = 60


def get(path: str = "/bucket/key", **more: object) -> Request:
    """A GET to S3."""
    return Request("s3", "GET", path, done, **more)  # type: ignore[arg-type]  # fields by name


@pytest.fixture
def ok_server(server: FaultProxy) -> FaultProxy:
    """A recording server that always answers 200 with the body ``ok``."""
    server.add(answer(200, b"ok"))
    return server


@pytest.mark.parametrize("path", PATHS)
def test_paths_go_over_the_wire_byte_for_byte(
    make_transport: MakeTransport, ok_server: FaultProxy, path: str
) -> None:
    """No key is normalised, decoded or encoded again; hex digits may become upper case."""
    exchange(make_transport, ok_server.endpoint, get(path, query="versionId=a%2Fb&tagging"))
    assert ok_server.seen[0].target == path.replace("%2f", "%2F") + "?versionId=a%2Fb&tagging"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b"\x00\xff binary"])
def test_signature_is_the_one_botocore_makes(
    make_transport: MakeTransport, ok_server: FaultProxy, path: str, body: bytes
) -> None:
    """The signature of what arrived equals the one of botocore's S3 signer."""
    headers = {"x-amz-meta-a": "two  blanks", "Content-Type": "text/plain"}
    request = Request("s3", "PUT", path, done, "b=2&a=1&a=0", headers, body)
    exchange(make_transport, ok_server.endpoint, request)
    assert_signed_like_botocore(ok_server.seen[0], ok_server.endpoint, S3SigV4Auth, "s3")


def test_signature_of_a_json_service_is_the_one_botocore_makes(
    make_transport: MakeTransport, ok_server: FaultProxy
) -> None:
    """DynamoDB requests are signed for their own service, over header and body."""
    headers = {"X-Amz-Target": "DynamoDB_20120810.Scan", "Content-Type": "application/json"}
    request = Request("dynamodb", "POST", "/", done, headers=headers, body=b'{"a":1}')
    exchange(make_transport, ok_server.endpoint, request)
    assert_signed_like_botocore(ok_server.seen[0], ok_server.endpoint, SigV4Auth, "dynamodb")


def test_headers_and_body_arrive(make_transport: MakeTransport, ok_server: FaultProxy) -> None:
    """Given headers and a binary body arrive whole, and no compression is asked for."""
    body = bytes(range(256)) * 5000
    exchange(
        make_transport,
        ok_server.endpoint,
        Request("s3", "PUT", "/b/k", done, headers={"x-amz-meta-x": "y"}, body=body),
    )
    seen = ok_server.seen[0]
    assert (seen.body, seen.headers["x-amz-meta-x"]) == (body, "y")
    assert seen.headers["accept-encoding"] == "identity"


def test_empty_put_announces_no_bytes(make_transport: MakeTransport, ok_server: FaultProxy) -> None:
    """An empty body has a length of zero, which S3 asks for."""
    exchange(make_transport, ok_server.endpoint, Request("s3", "PUT", "/b/k", done))
    assert ok_server.seen[0].headers["content-length"] == "0"


def test_every_s3_request_names_the_owner(
    make_transport: MakeTransport, ok_server: FaultProxy
) -> None:
    """The expected owner is the caller's account unless the request names another one."""
    exchange(
        make_transport,
        ok_server.endpoint,
        get(),
        get(headers={"X-Amz-Expected-Bucket-Owner": "999999999999"}),
        Request("s3", "PUT", "/b/k", done, headers={"x-amz-copy-source": "a/b"}),
        Request("dynamodb", "POST", "/", done),
    )
    own, given, copy, table = (seen.headers for seen in ok_server.seen)
    assert own["x-amz-expected-bucket-owner"] == ACCOUNT
    assert "x-amz-source-expected-bucket-owner" not in own
    assert given["x-amz-expected-bucket-owner"] == "999999999999"
    assert copy["x-amz-source-expected-bucket-owner"] == ACCOUNT
    assert "x-amz-expected-bucket-owner" not in table


@pytest.mark.parametrize("status", [200, 206, 301, 400, 403, 404, 412, 500, 503])
def test_every_status_is_an_answer(
    make_transport: MakeTransport, server: FaultProxy, status: int
) -> None:
    """Refusals come back as they are; judging them is not the transport's."""
    body = gzip.compress(b"left as it is")
    server.add(answer(status, body, {"X-Amz-Thing": "1", "Content-Encoding": "gzip"}))
    response = exchange(make_transport, server.endpoint, get())
    assert (response.status, response.body) == (status, body)
    assert response.headers["x-amz-thing"] == "1"


def test_head_answers_without_its_body(make_transport: MakeTransport, server: FaultProxy) -> None:
    """The length that HEAD announces is the object's, not the answer's."""
    server.add(
        lambda _seen, _forward: Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n", b"")
    )
    response = exchange(make_transport, server.endpoint, Request("s3", "HEAD", "/b/k", done))
    assert (response.headers["content-length"], response.body) == ("12345", b"")


def test_a_lost_connection_raises(make_transport: MakeTransport, server: FaultProxy) -> None:
    """A connection that ends without an answer is no answer."""
    server.add(drop)
    with pytest.raises(ConnectionError):
        exchange(make_transport, server.endpoint, get())


def test_an_unreachable_server_raises(make_transport: MakeTransport) -> None:
    """Nobody at the address is no answer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionError):
        exchange(make_transport, f"http://127.0.0.1:{port}", get())


@pytest.mark.parametrize("keep", [0, 1, 99_999])
def test_a_truncated_answer_raises(
    make_transport: MakeTransport, server: FaultProxy, keep: int
) -> None:
    """A body that is shorter than announced is never handed on."""
    server.add(truncate(keep))
    server.add(answer(200, b"x" * 100_000))
    with pytest.raises(ConnectionError):
        exchange(make_transport, server.endpoint, get())


def test_a_truncated_chunked_answer_raises(
    make_transport: MakeTransport, server: FaultProxy
) -> None:
    """A chunked body without its last chunk is never handed on."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    server.add(lambda _seen, _forward: Reply(head, b"5\r\nhello\r\n"))
    with pytest.raises(ConnectionError):
        exchange(make_transport, server.endpoint, get())


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_answer_that_is_cut_in_its_headers_raises(
    make_transport: MakeTransport, server: FaultProxy, method: str
) -> None:
    """A connection that ends among the headers is no answer, whatever its status was."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"
    server.add(lambda _seen, _forward: Reply(head, b"", keep=0))
    with pytest.raises(ConnectionError):
        exchange(make_transport, server.endpoint, get()._replace(method=method))


def test_a_hung_server_times_out(make_transport: MakeTransport, server: FaultProxy) -> None:
    """Silence is bounded by `read_seconds`."""
    server.add(delay(30))
    server.add(answer(200))
    with pytest.raises(TimeoutError):
        exchange(make_transport, server.endpoint, get(), read_seconds=0.2)


def test_a_trickling_answer_times_out(make_transport: MakeTransport, trickle: str) -> None:
    """A server that is never silent and never ready is bounded, and holds no thread for ever."""
    before = set(threading.enumerate())
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        exchange(make_transport, trickle, get(), read_seconds=5, answer_seconds=0.5)
    while set(threading.enumerate()) - before:
        assert time.monotonic() - started < TRICKLE_SECONDS / 2
        time.sleep(0.01)


@pytest.fixture
def trickle() -> Iterator[str]:
    """A server that sends one byte of its body every 50 ms, and would end it at some time."""
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        bytes_ = int(TRICKLE_SECONDS / 0.05)
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % bytes_)
            with contextlib.suppress(OSError):
                while not ended.wait(0.05):
                    connection.sendall(b".")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        thread.join()


def test_answers_are_not_mixed_up(make_transport: MakeTransport, server: FaultProxy) -> None:
    """Of 64 requests at once, each gets its own answer."""
    server.add(lambda seen, _forward: Reply.of(200, seen.path.encode()))

    async def main() -> None:
        transport = make_transport(server.endpoint)
        paths = [f"/bucket/{number}" for number in range(64)]
        answers = await asyncio.gather(*(transport.exchange(get(path)) for path in paths))
        await transport.close()
        assert [answer.body.decode() for answer in answers] == paths

    asyncio.run(main())


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_wrong_clock_is_corrected(
    make_transport: MakeTransport, server: FaultProxy, hours: int
) -> None:
    """A refusal that carries another time makes the transport sign by that time from then on."""
    date = formatdate(time.time() + hours * 3600, usegmt=True)
    server.add(answer(403, b"<Code>RequestTimeTooSkewed</Code>", {"Date": date}), times=1)
    server.add(answer(200))
    response = exchange(make_transport, server.endpoint, get(), get())
    assert (response.status, len(server.seen)) == (200, 3)
    wanted = time.strftime("%Y%m%dT%H", time.gmtime(time.time() + hours * 3600 - 60))
    later = time.strftime("%Y%m%dT%H", time.gmtime(time.time() + hours * 3600))
    for seen in server.seen[1:]:
        assert seen.headers["x-amz-date"][:11] in (wanted, later)


@dataclass
class RenewedAccess(FixedAccess):
    """Access whose keys are others once a request has arrived."""

    seen: list[Seen] = field(default_factory=list)

    def keys(self) -> Credentials:
        return Credentials(ACCESS_KEY, SECRET_KEY, "new" if self.seen else "old")


def test_keys_that_were_renewed_on_the_way_sign_again(
    make_transport: MakeTransport, server: FaultProxy
) -> None:
    """Keys may end between the signature and the answer; the newer ones let the request in."""
    server.add(answer(400, b"<Code>ExpiredToken</Code>"), times=1)
    server.add(answer(200))
    response = exchange(make_transport, RenewedAccess(server.endpoint, seen=server.seen), get())
    tokens = [seen.headers["x-amz-security-token"] for seen in server.seen]
    assert (response.status, tokens) == (200, ["old", "new"])


def test_a_refusal_at_the_right_time_is_not_asked_again(
    make_transport: MakeTransport, server: FaultProxy
) -> None:
    """A denial is an answer like any other."""
    server.add(json_error("AccessDeniedException"), when=lambda _seen: True)
    response = exchange(make_transport, server.endpoint, get())
    assert (response.status, len(server.seen)) == (400, 1)


def test_a_proxy_that_wants_credentials_is_named(
    make_transport: MakeTransport, server: FaultProxy
) -> None:
    """407 comes from proxies alone; its password is not shown, and nothing is tried again."""
    server.add(answer(407, b"<html><body>who are you</body></html>"))
    address = server.endpoint.replace("http://", "http://me:secret@")
    access = FixedAccess("http://s3.example", proxy_url=address)
    with pytest.raises(LookupFailedError) as caught:
        exchange(make_transport, access, get())
    assert server.endpoint.removeprefix("http://") in str(caught.value)
    assert "407" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_proxy_that_refuses_a_tunnel_is_named(
    make_transport: MakeTransport, server: FaultProxy
) -> None:
    """So it is with the tunnel of an encrypted connection."""
    server.add(answer(407))
    address = server.endpoint.replace("http://", "http://me:secret@")
    access = FixedAccess("https://s3.example", proxy_url=address)
    with pytest.raises(LookupFailedError) as caught:
        exchange(make_transport, access, get())
    assert server.endpoint.removeprefix("http://") in str(caught.value)
    assert "407" in str(caught.value)
    assert "secret" not in str(caught.value)

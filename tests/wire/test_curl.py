"""What only the fast transport does: its handles, its queue, its proxies and its certificates."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import LookupFailedError
from dataware.core.ports import Request, Response
from dataware.http.endpoint import Limits
from dataware.wire import with_corrections
from dataware.wire.curl import CurlTransport, Headers, upper_escapes
from support.servers import FaultProxy, Reply, Seen, answer
from support.transports import FixedAccess, curl_transport, done

BARE = Request("s3", "GET", "/b/k", done)


@pytest.fixture
def server() -> Iterator[FaultProxy]:
    """A server that records requests; a test says what it answers."""
    with FaultProxy("http://127.0.0.1:1") as proxy:
        yield proxy


def send(access: FixedAccess, *requests: Request) -> list[Response]:
    """Send requests one after another through one transport."""

    async def main() -> list[Response]:
        transport = with_corrections(CurlTransport(access), access)
        try:
            return [await transport.exchange(request) for request in requests]
        finally:
            await transport.close()

    return asyncio.run(main())


def test_handles_are_used_again_without_a_trace_of_the_last_request(server: FaultProxy) -> None:
    """Methods, bodies and headers of one request never show up in the next one."""
    server.add(lambda seen, _forward: Reply.of(200, seen.body))
    put = Request("s3", "PUT", "/b/k", done, headers={"x-amz-meta-a": "1"}, body=b"one")
    post = Request("s3", "POST", "/b/k", done, body=b"three")
    head = Request("s3", "HEAD", "/b/k", done)
    bodies = [each.body for each in send(FixedAccess(server.endpoint), put, BARE, post, head, put)]
    assert [seen.method for seen in server.seen] == ["PUT", "GET", "POST", "HEAD", "PUT"]
    assert bodies == [b"one", b"", b"three", b"", b"one"]
    assert [("x-amz-meta-a" in seen.headers) for seen in server.seen] == [True, *3 * [False], True]
    for name in ("content-type", "expect"):
        assert not any(name in seen.headers for seen in server.seen)


def test_more_requests_than_connections_wait_their_turn(server: FaultProxy) -> None:
    """The limit holds, and everything is answered."""
    together, most, lock = [0], [0], threading.Lock()
    crowd = threading.Event()

    def count(seen: Seen, _forward: object) -> Reply:
        with lock:
            together[0] += 1
            most[0] = max(most[0], together[0])
            if together[0] == 3:
                crowd.set()
        crowd.wait(60)
        with lock:
            together[0] -= 1
        return Reply.of(200, seen.path.encode())

    server.add(count)

    async def main() -> None:
        transport = curl_transport(server.endpoint, connections=3)
        paths = [f"/b/{number}" for number in range(12)]
        requests = [Request("s3", "GET", path, done) for path in paths]
        answers = await asyncio.gather(*map(transport.exchange, requests))
        await transport.close()
        assert [answer.body.decode() for answer in answers] == paths

    asyncio.run(main())
    assert most[0] == 3


def test_a_cancelled_request_makes_room_for_the_next(server: FaultProxy) -> None:
    """What nobody waits for any more is given up, under way or still in the queue."""
    release = threading.Event()
    hold = threading.Event()

    def slow(_seen: Seen, _forward: object) -> Reply:
        hold.set()
        release.wait(60)
        return Reply.of(200, b"late")

    server.add(slow, times=1)
    server.add(answer(200, b"next"))

    async def main() -> Response:
        transport = curl_transport(server.endpoint, connections=1)
        first, second, third = (asyncio.ensure_future(transport.exchange(BARE)) for _ in range(3))
        await asyncio.to_thread(hold.wait, 60)
        first.cancel()
        second.cancel()
        got = await third
        release.set()
        await transport.close()
        assert first.cancelled()
        assert second.cancelled()
        return got

    assert asyncio.run(main()).body == b"next"


def test_closing_ends_what_is_under_way(server: FaultProxy) -> None:
    """Nobody waits for ever on a transport that was closed."""
    release = threading.Event()

    def slow(_seen: Seen, _forward: object) -> Reply:
        release.wait(60)
        return Reply.of(200, b"late")

    server.add(slow)

    async def main() -> None:
        transport = curl_transport(server.endpoint, connections=1)
        waiting = [asyncio.ensure_future(transport.exchange(BARE)) for _ in range(2)]
        await asyncio.sleep(0.05)
        await transport.close()
        release.set()
        done_, _ = await asyncio.wait(waiting, timeout=60)
        assert all(each.cancelled() for each in done_)
        assert len(done_) == 2

    asyncio.run(main())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_headers_that_are_cut_short_are_no_answer(server: FaultProxy, method: str) -> None:
    """Without a length, or a body, nothing else tells that there was more to come."""
    head = b"HTTP/1.1 200 OK\r\nETag: x\r\n"
    server.add(lambda _seen, _forward: Reply(head, b"", keep=0))
    with pytest.raises(ConnectionError, match="truncated"):
        send(FixedAccess(server.endpoint), BARE._replace(method=method))


def test_a_header_never_spans_lines(server: FaultProxy) -> None:
    """A value with a line break cannot add a header."""
    server.add(answer(200))
    with pytest.raises(ValueError, match="more than one line"):
        send(
            FixedAccess(server.endpoint),
            Request("s3", "PUT", "/b/k", done, headers={"x-amz-meta-a": "1\r\nx-evil: 1"}),
        )
    assert not server.seen


def test_a_header_may_be_empty_or_beyond_ascii(server: FaultProxy) -> None:
    """Both arrive as they are signed."""
    server.add(answer(200))
    headers = {"x-amz-meta-a": "", "x-amz-meta-b": "Zoë"}
    send(FixedAccess(server.endpoint), Request("s3", "PUT", "/b/k", done, headers=headers))
    seen = server.seen[0].headers
    assert seen["x-amz-meta-a"] == ""
    assert seen["x-amz-meta-b"].encode("latin-1").decode() == "Zoë"


def test_a_proxy_is_asked_for_the_whole_address(server: FaultProxy) -> None:
    """Plain HTTP goes through a proxy with an absolute target; the host is the service's."""
    server.add(answer(200, b"through"))
    access = FixedAccess("http://s3.example", proxy_url=server.endpoint)
    (response,) = send(access, Request("s3", "GET", "/b/a/../k", done, "x=1"))
    assert response.body == b"through"
    assert server.seen[0].target == "http://s3.example/b/a/../k?x=1"
    assert server.seen[0].headers["host"] == "s3.example"


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server with TLS: its address, and the file of the authority that signed for it."""
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = HTTPServer(("127.0.0.1", 0), _Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", bundle
    server.shutdown()
    server.server_close()


def test_a_configured_bundle_is_trusted(secure: tuple[str, Path]) -> None:
    """TLS works with the certificates that the user names."""
    address, bundle = secure
    (response,) = send(FixedAccess(address, ca_bundle=str(bundle)), BARE)
    assert response.body == b"hello"


def test_an_untrusted_certificate_is_one_sentence(secure: tuple[str, Path]) -> None:
    """No try can cure it, so it says what to set."""
    with pytest.raises(LookupFailedError, match="not trusted; set AWS_CA_BUNDLE"):
        send(FixedAccess(secure[0]), BARE)


def test_a_bundle_that_is_not_there_is_one_sentence(secure: tuple[str, Path]) -> None:
    """A wrong path is told of like a wrong certificate."""
    with pytest.raises(LookupFailedError, match="AWS_CA_BUNDLE"):
        send(FixedAccess(secure[0], ca_bundle="/nowhere/ca.pem"), BARE)


def test_the_headers_are_those_of_the_last_answer() -> None:
    """An interim answer, a folded space and a line without a colon change nothing."""
    lines = [
        b"HTTP/1.1 100 Continue\r\n",
        b"X-Early: 1\r\n",
        b"\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b'ETag:  "a:b"  \r\n',
        b"X-Amz-Meta-N: caf\xc3\xa9\r\n",
        b"\r\n",
    ]
    headers = Headers(b"".join(lines))
    assert "x-early" not in headers
    assert headers.get("x-early", "none") == "none"
    assert headers == {"etag": '"a:b"', "x-amz-meta-n": "caf\xc3\xa9"}
    assert (headers["etag"], len(headers)) == ('"a:b"', 2)


@given(st.dictionaries(st.from_regex(r"[A-Za-z-]{1,6}", fullmatch=True), st.text("ab: \t1")))
def test_every_header_is_found_under_its_name(given_: dict[str, str]) -> None:
    """Asked for one by one or all at once, a header is there or it is not."""
    lines = [b"HTTP/1.1 200 OK\r\n"]
    lines += [f"{name}: {value}\r\n".encode() for name, value in given_.items()]
    wanted = {name.lower(): value.strip() for name, value in given_.items()}
    for name in (*wanted, "absent", "a"):
        headers = Headers(b"".join(lines))
        assert headers.get(name) == wanted.get(name)
        assert (name in headers) == (name in wanted)
    assert dict(Headers(b"".join(lines))) == wanted


@pytest.mark.parametrize(
    ("text", "upper"),
    [("/a%2fb", "/a%2Fb"), ("%c3%A9%aB", "%C3%A9%AB"), ("/abc", "/abc"), ("%2G%zz", "%2G%zz")],
)
def test_escapes_become_upper_case(text: str, upper: str) -> None:
    """Only what is an escape, and all of it."""
    assert upper_escapes(text) == upper


def test_a_handshake_that_never_ends_is_no_connection() -> None:
    """Who takes a connection and says nothing of TLS is given up after `connect_seconds`."""

    async def main() -> None:
        transport = curl_transport(address, connect_seconds=0.2)
        try:
            await transport.exchange(BARE)
        finally:
            await transport.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(TimeoutError, match=r"no connection in 0\.2 s"):
            asyncio.run(main())


def test_what_waits_is_not_signed_and_has_no_handle(server: FaultProxy) -> None:
    """A signature would grow old in the queue, and a handle takes memory."""
    server.add(lambda _seen, _forward: Reply.of(200, b""))
    made: list[Request] = []

    async def main() -> None:
        transport = CurlTransport(FixedAccess(server.endpoint), Limits(connections=2))
        sign = transport._signer.sign
        transport._signer.sign = lambda request, *rest: (  # type: ignore[method-assign]  # seen from outside
            made.append(request) or sign(request, *rest)
        )
        request = Request("s3", "GET", "/b/k", done)
        tasks = [asyncio.create_task(transport.send(request)) for _ in range(50)]
        await asyncio.sleep(0)
        assert len(made) == 2
        await asyncio.gather(*tasks)
        (address,) = transport._addresses.values()
        assert sum(map(len, address.idle.values())) == 2
        await transport.close()

    asyncio.run(main())
    assert len(made) == 50

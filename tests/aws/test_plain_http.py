"""HTTP that is not signed: redirects, bodies that are handed on, answers that are cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from dataware.aws.plain_http import PIECE_BYTES, ThreadedHttp
from dataware.core.ports import PlainRequest
from support.servers import FaultProxy, Forward, Reply, Seen, answer

LARGE = bytes(range(256)) * (PIECE_BYTES // 128)
"""Two pieces."""


@dataclass(frozen=True)
class NoProxy:
    """An account whose addresses are reached directly."""

    ca_bundle: str = ""
    user_agent: str = "dataware"

    def proxy(self, _url: str) -> None:
        """None is set."""


@dataclass
class Permission:
    """Says whether anything may be sent; keeps the times that it hears."""

    current: bool = True
    heard: str = ""

    def hear(self, date: str) -> None:
        """Take the time."""
        self.heard = date


@pytest.fixture
def here() -> Iterator[FaultProxy]:
    """A server that answers what a test says."""
    with FaultProxy("http://127.0.0.1:1") as server:
        yield server


@pytest.fixture
def there() -> Iterator[FaultProxy]:
    """Another one, at another address."""
    with FaultProxy("http://127.0.0.1:1") as server:
        yield server


def http() -> ThreadedHttp:
    """What is tested."""
    return ThreadedHttp(NoProxy())  # type: ignore[arg-type]  # as much as it asks for


def get(url: str, method: str = "GET") -> PlainRequest:
    """A request that carries its authorization."""
    return PlainRequest(method, url, {"authorization": "Basic secret", "accept": "x"})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_host_is_never_told_the_authorization(
    here: FaultProxy, there: FaultProxy, status: int
) -> None:
    """A layer that is redirected to comes from there, without what the registry was told."""
    here.add(answer(status, b"", {"Location": f"{there.endpoint}/layer?signed=1"}))
    there.add(answer(200, b"bytes"))
    found = asyncio.run(http().send(get(f"{here.endpoint}/v2/a/blobs/b")))
    assert (found.status, found.body) == (200, b"bytes")
    (seen,) = there.seen
    assert "authorization" not in seen.headers
    assert (seen.target, seen.headers["accept"]) == ("/layer?signed=1", "x")
    assert here.seen[0].headers["authorization"] == "Basic secret"


def test_the_same_host_is_told_it_again(here: FaultProxy) -> None:
    """Also where the address is a relative one."""
    here.add(answer(307, b"", {"Location": "/next"}), times=1)
    here.add(answer(200, b"bytes"))
    assert asyncio.run(http().send(get(f"{here.endpoint}/first"))).body == b"bytes"
    assert [seen.headers["authorization"] for seen in here.seen] == ["Basic secret"] * 2


def test_redirects_end(here: FaultProxy) -> None:
    """A circle is an error, and what changes something follows none."""
    here.add(answer(307, b"", {"Location": "/again"}))
    with pytest.raises(ConnectionError, match="redirected more than"):
        asyncio.run(http().send(get(f"{here.endpoint}/first")))
    assert asyncio.run(http().send(get(f"{here.endpoint}/first", "PUT"))).status == 307


def test_a_body_is_handed_on_whole_and_seen_on_the_way(here: FaultProxy, there: FaultProxy) -> None:
    """Piece by piece: `take` sees each before it is sent."""
    here.add(answer(200, LARGE))
    there.add(answer(202, b"", {"Location": "/next"}))
    pieces: list[bytes] = []
    found, taken = asyncio.run(
        http().relay(get(f"{here.endpoint}/a"), get(f"{there.endpoint}/b", "PATCH"), pieces.append)
    )
    assert taken is not None
    assert (found.status, taken.status, taken.headers["location"]) == (200, 202, "/next")
    assert there.seen[0].body == LARGE == b"".join(pieces)
    assert max(map(len, pieces)) <= PIECE_BYTES


def test_nothing_is_sent_on_where_there_is_nothing(here: FaultProxy, there: FaultProxy) -> None:
    """The refusal comes back, and the target never hears of it."""
    here.add(answer(404, b"no"))
    both = get(f"{here.endpoint}/a"), get(f"{there.endpoint}/b", "PATCH")
    found, taken = asyncio.run(http().relay(*both, lambda _piece: None))
    assert (found.status, found.body, taken, there.seen) == (404, b"no", None, [])


def test_what_is_cut_short_is_no_answer(here: FaultProxy, there: FaultProxy) -> None:
    """Neither as an answer nor on its way to somebody else."""
    here.add(_cut)
    there.add(answer(202))
    with pytest.raises(ConnectionError):
        asyncio.run(http().send(get(f"{here.endpoint}/a")))
    both = get(f"{here.endpoint}/a"), get(f"{there.endpoint}/b", "PATCH")
    with pytest.raises(ConnectionError):
        asyncio.run(http().relay(*both, lambda _piece: None))
    assert all(len(seen.body) < len(LARGE) for seen in there.seen)


def _cut(_seen: Seen, _forward: Forward) -> Reply:
    return replace(Reply.of(200, LARGE), keep=1000)


def test_nothing_is_sent_without_the_permit(here: FaultProxy) -> None:
    """And the time of each answer is handed on to it."""
    here.add(answer(200, b"", {"Date": "Sun, 29 Nov 2026 13:00:00 GMT"}))
    permit = Permission()
    asyncio.run(http().send(get(f"{here.endpoint}/a"), permit))  # type: ignore[arg-type]
    assert permit.heard.startswith("Sun, 29 Nov")
    permit.current = False
    with pytest.raises(ConnectionError, match="lost its lock"):
        asyncio.run(http().send(get(f"{here.endpoint}/a"), permit))  # type: ignore[arg-type]
    assert len(here.seen) == 1

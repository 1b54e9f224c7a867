"""Who waits for a socket is told when it is ready, and never when it is no longer watched."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator

import pytest

from dataware.wire.sockets import READ, WRITE, EpollSockets, LoopSockets, Ready, Sockets, sockets

Make = Callable[[asyncio.AbstractEventLoop, Ready], Sockets]
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=[EpollSockets, LoopSockets])
def make(request: pytest.FixtureRequest) -> Make:
    """Either way of watching."""
    made: Make = request.param
    return made


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two sockets that are connected with each other."""
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        yield one, other


def seen(make: Make, act: Callable[[Sockets], None]) -> list[tuple[int, int]]:
    """What is told within a moment after `act`; each socket is watched until it was told of."""

    async def main() -> list[tuple[int, int]]:
        told: list[tuple[int, int]] = []

        def tell(handle: int, ready: int) -> None:
            told.append((handle, ready))
            watched.watch(0, handle)

        watched = make(asyncio.get_running_loop(), tell)
        try:
            act(watched)
            await asyncio.sleep(0.05)
        finally:
            watched.close()
        return told

    return asyncio.run(main())


def test_a_socket_with_something_to_read_is_told_of(make: Make, pair: Pair) -> None:
    """Reading is told as reading, also where nothing can be read any more but the end."""
    one, other = pair

    def act(watched: Sockets) -> None:
        watched.watch(READ, one.fileno())
        other.send(b"x")

    def end(watched: Sockets) -> None:
        watched.watch(READ, one.fileno())
        other.close()

    assert seen(make, act) == [(one.fileno(), READ)]
    assert seen(make, end) == [(one.fileno(), READ)]


def test_only_what_was_asked_for_is_told(make: Make, pair: Pair) -> None:
    """A socket that can be written and not read is told of to nobody who wants to read."""
    one, _ = pair
    assert seen(make, lambda at: at.watch(READ, one.fileno())) == []
    assert seen(make, lambda at: at.watch(WRITE, one.fileno())) == [(one.fileno(), WRITE)]


def test_a_new_wish_takes_the_place_of_the_old_one(make: Make, pair: Pair) -> None:
    """Who wanted to write and now wants to read hears of reading alone."""
    one, other = pair

    def act(watched: Sockets) -> None:
        watched.watch(WRITE, one.fileno())
        watched.watch(READ, one.fileno())
        other.send(b"x")

    assert seen(make, act) == [(one.fileno(), READ)]


def test_what_is_no_longer_watched_is_not_told_of(make: Make, pair: Pair) -> None:
    """Also where it became ready before, and where it never was watched."""
    one, other = pair

    def act(watched: Sockets) -> None:
        other.send(b"x")
        watched.watch(READ | WRITE, one.fileno())
        watched.watch(0, one.fileno())
        watched.watch(0, other.fileno())

    assert seen(make, act) == []


def test_what_is_told_first_can_end_the_watch_of_another(pair: Pair) -> None:
    """Both are ready at once, and the first one's news is that nobody waits for the second."""
    one, other = pair

    async def main() -> list[int]:
        told: list[int] = []

        def tell(handle: int, ready: int) -> None:
            assert ready == WRITE
            told.append(handle)
            for each in pair:
                watched.watch(0, each.fileno())

        watched = EpollSockets(asyncio.get_running_loop(), tell)
        for each in pair:
            watched.watch(WRITE, each.fileno())
        await asyncio.sleep(0.05)
        watched.close()
        return told

    assert asyncio.run(main()) in ([one.fileno()], [other.fileno()])


def test_the_number_of_a_closed_socket_may_be_anothers() -> None:
    """A socket that is closed while it is watched leaves nothing behind for its number."""

    def act(watched: Sockets) -> None:
        for _ in range(2):
            one, other = socket.socketpair()
            handle = one.fileno()
            watched.watch(READ, handle)
            one.close()
            other.close()
            watched.watch(0, handle)
        one, other = socket.socketpair()
        handle = one.fileno()
        watched.watch(READ, handle)
        one.close()
        other.close()
        one, other = socket.socketpair()
        assert one.fileno() == handle
        watched.watch(WRITE, handle)
        kept.extend([one, other])

    kept: list[socket.socket] = []
    try:
        assert seen(EpollSockets, act) == [(kept[0].fileno(), WRITE)]
    finally:
        for each in kept:
            each.close()


def test_closing_twice_does_no_harm(make: Make) -> None:
    """The second time there is nothing to close."""

    async def main() -> None:
        watched = make(asyncio.get_running_loop(), lambda *_: None)
        watched.close()
        watched.close()

    asyncio.run(main())


def test_where_there_is_epoll_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the loop watches by itself."""

    async def main() -> list[type]:
        loop = asyncio.get_running_loop()
        first = sockets(loop, lambda *_: None)
        monkeypatch.delattr("select.epoll")
        second = sockets(loop, lambda *_: None)
        first.close()
        second.close()
        return [type(first), type(second)]

    assert asyncio.run(main()) == [EpollSockets, LoopSockets]

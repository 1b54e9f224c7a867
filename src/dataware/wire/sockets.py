"""Reports when one of many sockets is ready; knows nothing of HTTP.

An event loop takes several calls and objects for each socket that it begins or ceases to watch,
and libcurl does both for each request. Where the system has epoll, all of them are watched by one
of our own, and the loop watches that one alone.
"""

from __future__ import annotations

import asyncio
import errno
import select
from collections.abc import Callable
from typing import Protocol

READ = 1
WRITE = 2
"""What a socket is watched for, and ready for; both together are their sum.

They are what libcurl calls so, in what it wants and in what it is told.
"""

Ready = Callable[[int, int], None]
"""Called with a socket, and with what it is ready for of that for which it is watched."""


class Sockets(Protocol):
    """The sockets that are watched; `watch` is called as libcurl calls its socket callback."""

    def watch(self, wanted: int, handle: int, *_more: object) -> None:
        """Watch a socket for this from now on, and for nothing else; for nothing: no longer."""
        ...

    def close(self) -> None:
        """Watch nothing any more."""
        ...


def sockets(loop: asyncio.AbstractEventLoop, ready: Ready) -> Sockets:
    """The quickest way to watch sockets on this system; `ready` is called from the loop."""
    return EpollSockets(loop, ready) if hasattr(select, "epoll") else LoopSockets(loop, ready)


class EpollSockets:
    """Sockets in an epoll of their own.

    One that is no longer watched stays in it until it stirs: most are soon watched again.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ready: Ready) -> None:
        self._loop = loop
        self._ready = ready
        self._epoll = select.epoll()
        self._watched: dict[int, int] = {}
        self._events = (0, select.EPOLLIN, select.EPOLLOUT, select.EPOLLIN | select.EPOLLOUT)
        self._plain = {events: wanted for wanted, events in enumerate(self._events)}
        loop.add_reader(self._epoll.fileno(), self._hand_out)

    def watch(self, wanted: int, handle: int, *_more: object) -> None:
        """Watch a socket for this from now on, and for nothing else; for nothing: no longer."""
        wanted &= READ | WRITE
        is_watched = handle in self._watched
        self._watched[handle] = wanted
        if wanted:
            events = self._events[wanted]
            if not (is_watched and self._still(self._epoll.modify, handle, events)):
                self._epoll.register(handle, events)

    @staticmethod
    def _still(change: Callable[..., None], *arguments: int) -> bool:
        """Change what is watched, unless its socket was closed and so has left by itself.

        Its number may be another socket's by now, of which the epoll knows nothing.
        """
        try:
            change(*arguments)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EBADF):
                raise
            return False
        return True

    def close(self) -> None:
        """Watch nothing any more."""
        if not self._epoll.closed:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
        self._watched.clear()

    def _hand_out(self) -> None:
        for handle, events in self._epoll.poll(0):
            wanted = self._watched.get(handle, 0)
            if not wanted:
                # Nobody waits for it any more, maybe only since an earlier one of these.
                self._watched.pop(handle, None)
                self._still(self._epoll.unregister, handle)
                continue
            # With a socket that is broken everything may be tried, and reports it.
            ready = wanted & self._plain.get(events, READ | WRITE)
            if ready:
                self._ready(handle, ready)


class LoopSockets:
    """Sockets that the loop itself watches."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ready: Ready) -> None:
        self._loop = loop
        self._ready = ready
        self._watched: dict[int, int] = {}

    def watch(self, wanted: int, handle: int, *_more: object) -> None:
        """Watch a socket for this from now on, and for nothing else; for nothing: no longer."""
        wanted &= READ | WRITE
        before = self._watched.pop(handle, 0)
        gone, new = before & ~wanted, wanted & ~before
        if gone & READ:
            self._loop.remove_reader(handle)
        if gone & WRITE:
            self._loop.remove_writer(handle)
        if new & READ:
            self._loop.add_reader(handle, self._ready, handle, READ)
        if new & WRITE:
            self._loop.add_writer(handle, self._ready, handle, WRITE)
        if wanted:
            self._watched[handle] = wanted

    def close(self) -> None:
        """Watch nothing any more."""
        for handle in tuple(self._watched):
            self.watch(0, handle)

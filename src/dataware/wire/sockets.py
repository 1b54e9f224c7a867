"""Tells when one of many sockets is ready, to whom it concerns; knows nothing of HTTP.

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

Ready = Callable[[int, bool, bool], None]
"""Called with a socket, whether it can be read, and whether it can be written."""


class Sockets(Protocol):
    """The sockets that are watched."""

    def watch(self, handle: int, *, read: bool, write: bool) -> None:
        """Watch a socket for this from now on, and for nothing else; for neither: no longer."""
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
        loop.add_reader(self._epoll.fileno(), self._hand_out)

    def watch(self, handle: int, *, read: bool, write: bool) -> None:
        """Watch a socket for this from now on, and for nothing else; for neither: no longer."""
        wanted = select.EPOLLIN * read | select.EPOLLOUT * write
        known = handle in self._watched
        self._watched[handle] = wanted
        if wanted and not (known and self._still(self._epoll.modify, handle, wanted)):
            self._epoll.register(handle, wanted)

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
            broken = events & ~(select.EPOLLIN | select.EPOLLOUT)
            read = bool(wanted & select.EPOLLIN and (events & select.EPOLLIN or broken))
            write = bool(wanted & select.EPOLLOUT and (events & select.EPOLLOUT or broken))
            if read or write:
                self._ready(handle, read, write)


class LoopSockets:
    """Sockets that the loop itself watches."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ready: Ready) -> None:
        self._loop = loop
        self._ready = ready
        self._watched: dict[int, tuple[bool, bool]] = {}

    def watch(self, handle: int, *, read: bool, write: bool) -> None:
        """Watch a socket for this from now on, and for nothing else; for neither: no longer."""
        read_before, write_before = self._watched.pop(handle, (False, False))
        if read_before and not read:
            self._loop.remove_reader(handle)
        if write_before and not write:
            self._loop.remove_writer(handle)
        if read and not read_before:
            self._loop.add_reader(handle, self._ready, handle, True, False)
        if write and not write_before:
            self._loop.add_writer(handle, self._ready, handle, False, True)
        if read or write:
            self._watched[handle] = read, write

    def close(self) -> None:
        """Watch nothing any more."""
        for handle in tuple(self._watched):
            self.watch(handle, read=False, write=False)

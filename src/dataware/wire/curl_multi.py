"""libcurl's multi interface, driven by the running event loop; knows nothing of AWS.

libcurl says which sockets it waits for and for how long, the loop says when one is ready
(``curl_multi_socket_action``), so that thousands of transfers take one thread and no polling.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any, NamedTuple

import pycurl

from dataware.core.ports import Permit
from dataware.wire.sockets import sockets

IDLE_CONNECTIONS = 2048
"""Connections that are kept open for later; far more than are ever under way."""

LOOKS = 4
"""How often, in the shortest of the times that a transfer is given, it is looked at."""

_AT_ONCE = 256

NOT_PERMITTED = "not sent, because this run may have lost its lock"


class TransferTimeouts(NamedTuple):
    """How many seconds a transfer may take to connect, be silent, and take as a whole."""

    connect: float
    silence: float
    answer: float


class Transfer:
    """One easy handle with what it receives; used again and again, for one request at a time.

    `begun` is when it began, `moved` how much of it was seen to have moved last, and `since` when
    that was first seen.
    """

    __slots__ = ("begun", "body", "curl", "future", "lines", "method", "moved", "since")

    def __init__(self) -> None:
        self.curl: Any = pycurl.Curl()
        self.curl.transfer = self
        self.lines: list[bytes] = []
        self.body: list[bytes] = []
        self.future: asyncio.Future[None] | None = None
        self.method = ""
        self.begun = self.since = 0.0
        self.moved: object = None
        self.curl.setopt(pycurl.HEADERFUNCTION, self.lines.append)
        self.curl.setopt(pycurl.WRITEFUNCTION, self.body.append)

    def take_answer(self) -> tuple[int, bytes, bytes]:
        """Status, headers and body of the answer, which are then forgotten."""
        status = self.curl.getinfo(pycurl.RESPONSE_CODE)
        lines, body = self.lines, self.body
        answer = status, b"".join(lines), b"".join(body)
        lines.clear()
        body.clear()
        return answer

    def overdue(self, now: float, patience: TransferTimeouts) -> str | None:
        """What has taken too long, as far as that was looked at; None while nothing has."""
        moved = len(self.lines), len(self.body), self.curl.getinfo(pycurl.SIZE_UPLOAD_T)
        if moved != self.moved:
            self.moved, self.since = moved, now
        if now - self.begun >= patience.answer:
            return f"no complete response in {patience.answer:g} s"
        if now - self.begun >= patience.connect and not self.curl.getinfo(pycurl.PRETRANSFER_TIME):
            return f"no connection in {patience.connect:g} s"
        if now - self.since >= patience.silence:
            return f"no data for {patience.silence:g} s"
        return None

    def clear(self) -> None:
        """Forget what was received."""
        self.lines.clear()
        self.body.clear()


class TransferError(Exception):
    """A transfer that ended without an answer: libcurl's code, and its words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class CurlMulti:
    """Transfers under way on one event loop.

    One that takes longer than `patience` has ends as timed out. (libcurl would keep timers for each
    of them, and its own limit of the speed counts in whole seconds, so that a trickle of one byte a
    second gets past it.)

    Without a current `permit` libcurl gets no chance to send anything: what is under way ends.
    """

    def __init__(self, patience: TransferTimeouts, permit: Permit | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._multi: Any = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._wait)
        self._multi.setopt(pycurl.M_MAXCONNECTS, IDLE_CONNECTIONS)
        self._active: set[Transfer] = set()
        self._sockets = sockets(self._loop, self._act)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._sockets.watch)
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._soon: asyncio.Handle | None = None
        self._collecting = False
        self._patience = patience
        self.permit = permit
        self._every = min(patience) / LOOKS
        self._look = self._loop.call_later(self._every, self._end_overdue)

    def begin(self, transfer: Transfer) -> asyncio.Future[None]:
        """Carry a transfer out: what is answered is done when it has ended, and may raise Failed.

        Who no longer waits for it has to `abandon` it.
        """
        future: asyncio.Future[None] = asyncio.Future(loop=self._loop)
        transfer.future = future
        transfer.begun, transfer.moved = monotonic(), None
        self._active.add(transfer)
        self._multi.add_handle(transfer.curl)
        return future

    def abandon(self, transfer: Transfer) -> None:
        """Give a transfer up, with its connection."""
        if transfer in self._active:
            self._stop(transfer)

    def close(self) -> None:
        """End every transfer and close every connection."""
        for transfer in tuple(self._active):
            if transfer.future is not None:
                transfer.future.cancel()
            self._stop(transfer)
        self._look.cancel()
        for handle in (self._timer, self._soon):
            if handle is not None:
                handle.cancel()
        self._multi.close()
        self._sockets.close()

    def _stop(self, transfer: Transfer) -> None:
        self._active.discard(transfer)
        self._multi.remove_handle(transfer.curl)

    def _wait(self, milliseconds: int) -> None:
        """libcurl wants to be called after some time; a negative one takes the wish back.

        It asks again with every request, so a timer that would end earlier is left running.
        """
        if milliseconds == 0:
            self._due = None
            if self._soon is None:
                self._soon = self._loop.call_soon(self._call)
            return
        self._due = None if milliseconds < 0 else self._loop.time() + milliseconds / 1000
        if self._due is not None:
            self._set_timer(self._due)

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self._due > self._loop.time():
            self._set_timer(self._due)
        else:
            self._due = None
            self._call()

    def _call(self) -> None:
        self._soon = None
        if self.permit is not None and not self.permit.current:
            self._end_unpermitted()
        self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        if not self._collecting:
            self._collect_soon()

    def _act(self, handle: int, ready: int) -> None:
        # Nothing is sent but by what libcurl does right after this and in `_call`, so these two
        # are the checks that every request has to pass.
        if self.permit is not None and not self.permit.current:
            self._end_unpermitted()
        # Reading and writing are the same bits in `sockets` as in libcurl.
        self._multi.socket_action(handle, ready)
        if not self._collecting:
            self._collect_soon()

    def _end_unpermitted(self) -> None:
        """End everything under way, for it may not be sent: the process may have stood still."""
        for transfer in tuple(self._active):
            self._finish_transfer(
                transfer, TransferError(pycurl.E_ABORTED_BY_CALLBACK, NOT_PERMITTED)
            )

    def _collect_soon(self) -> None:
        self._collecting = True
        self._loop.call_soon(self._collect)

    def _collect(self) -> None:
        """Hand out what has ended; libcurl must not be called back from its own callbacks."""
        self._collecting = False
        queued = 1
        while queued:
            queued, done, failed = self._multi.info_read(_AT_ONCE)
            for curl in done:
                self._finish_transfer(curl.transfer, None)
            for curl, code, words in failed:
                self._finish_transfer(curl.transfer, TransferError(code, words))

    def _end_overdue(self) -> None:
        self._look = self._loop.call_later(self._every, self._end_overdue)
        now = monotonic()
        for transfer in tuple(self._active):
            if (words := transfer.overdue(now, self._patience)) is not None:
                self._finish_transfer(transfer, TransferError(pycurl.E_OPERATION_TIMEDOUT, words))

    def _finish_transfer(self, transfer: Transfer, failure: TransferError | None) -> None:
        self._stop(transfer)
        future = transfer.future
        if future is None or future.done():
            return
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(failure)

"""Without a permit nothing is sent: not first, not again, and not after a pause of the process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataware.core.errors import RefusedError
from dataware.core.ports import Request
from dataware.http.endpoint import Credentials
from dataware.wire import RetryingWire
from support.servers import FaultProxy, Gate, Reply, answer, delay
from support.transports import FixedAccess, MakeTransport, ManualClock, done

TERM_SECONDS = 1.0
PAUSE_SECONDS = 1.3
PATIENCE = 60.0


class Switch:
    """A permit that a test turns on and off; `dates` are those of the answers."""

    def __init__(self) -> None:
        self.current = True
        self.lost = False
        self.dates: list[str] = []

    def hear(self, date: str) -> None:
        self.dates.append(date)

    async def wait(self) -> None:
        while not self.current:
            if self.lost:
                raise RefusedError("the lock is lost")
            await asyncio.sleep(0.01)


def request(number: int = 0) -> Request:
    """A request that can be told from others."""
    return Request("s3", "GET", f"/bucket/{number}", done)


def test_a_request_waits_for_its_permit(server: FaultProxy, make_transport: MakeTransport) -> None:
    """It is sent once the permit is there, and not at all once it cannot come any more."""
    server.add(answer(200, b"ok", {"Date": "Sun, 29 Nov 2026 10:00:00 GMT"}))

    async def send() -> None:
        wire = RetryingWire(make_transport(server.endpoint), ManualClock(), lambda: 0.0, print)
        wire.permit = switch = Switch()
        switch.current = False
        sending = asyncio.create_task(wire.send(request()))
        await asyncio.sleep(0.2)
        assert server.count() == 0
        switch.current = True
        assert (await sending).body == b"ok"
        assert switch.dates == ["Sun, 29 Nov 2026 10:00:00 GMT"]
        switch.current, switch.lost = False, True
        with pytest.raises(RefusedError):
            await wire.send(request())
        assert server.count() == 1
        await wire.close()

    asyncio.run(send())


def test_what_waits_for_a_slot_or_a_retry_is_not_sent(
    server: FaultProxy, make_transport: MakeTransport
) -> None:
    """The permit is looked at after every wait, also after the last one inside of the transport."""
    server.add(gate := Gate())
    server.add(answer(200, b"ok"))

    async def send() -> None:
        transport = make_transport(server.endpoint, connections=1)
        wire = RetryingWire(transport, ManualClock(), lambda: 0.0, lambda _reason: None)
        wire.permit = switch = Switch()
        sending = [asyncio.create_task(wire.send(request(number))) for number in range(5)]
        assert await asyncio.to_thread(gate.reached.wait, PATIENCE)
        switch.current, switch.lost = False, True
        gate.open()
        results = await asyncio.gather(*sending, return_exceptions=True)
        assert sum(isinstance(result, RefusedError) for result in results) >= len(results) - 1
        assert server.count() == 1
        await wire.close()

    asyncio.run(send())


@pytest.mark.parametrize("name", ["Date", "date", "DATE"])
def test_the_time_of_an_answer_is_heard_however_it_is_spelled(
    server: FaultProxy, make_transport: MakeTransport, name: str
) -> None:
    """Each new one, of the last answer where several came; answers without one say nothing."""
    dates = [f"Sun, 29 Nov 2026 10:00:0{second} GMT" for second in (0, 0, 1)]
    rest = [*({"X-Before": "1", name: date} for date in dates), {}]
    server.add(lambda _seen, _forward: Reply.of(200, b"ok", rest.pop(0)))

    async def send() -> None:
        wire = RetryingWire(make_transport(server.endpoint), ManualClock(), lambda: 0.0, print)
        wire.permit = switch = Switch()
        for number in range(4):
            await wire.send(request(number))
        assert list(dict.fromkeys(filter(None, switch.dates))) == [dates[0], dates[2]]
        await wire.close()

    asyncio.run(send())


def test_a_permit_that_ends_while_the_request_is_signed_forbids_it(
    server: FaultProxy, make_transport: MakeTransport
) -> None:
    """Between the first look at the permit and the first write a process may stand still."""
    server.add(answer(200, b"ok"))
    switch = Switch()

    class Access(FixedAccess):
        def keys(self) -> Credentials:
            switch.current = False
            return super().keys()

    async def send() -> None:
        transport = make_transport(Access(server.endpoint))
        transport.permit = switch
        with pytest.raises(ConnectionError):
            await transport.exchange(request())
        await transport.close()

    asyncio.run(send())
    assert server.count() == 0


def test_a_permit_that_comes_late_holds_too(
    server: FaultProxy, make_transport: MakeTransport
) -> None:
    """It is looked at from then on, also by connections that are open already."""
    server.add(answer(200, b"ok"))

    async def send() -> None:
        wire = RetryingWire(make_transport(server.endpoint), ManualClock(), lambda: 0.0, print)
        await wire.send(request())
        wire.permit = switch = Switch()
        switch.current, switch.lost = False, True
        with pytest.raises(RefusedError):
            await wire.send(request())
        assert server.count() == 1
        await wire.close()

    asyncio.run(send())


SENDER = """
import asyncio, random, sys, threading
from dataware.aws import SystemClock
from dataware.core.ports import Request
from dataware.http.endpoint import Credentials
from dataware.migrate import lease_term as term
from dataware.wire import RetryingWire
from support import transports
term.SILENT_SECONDS = float(sys.argv[3])
make = getattr(transports, sys.argv[1])
held = term.LeaseTerm(term.since_boot() + float(sys.argv[4]), term.time.time() + float(sys.argv[4]))
def renew_once():
    sys.stdin.readline()
    held.renew(term.since_boot(), term.time.time())
    print("renewed", flush=True)
async def send(wire, number):
    while True:
        await wire.send(Request("s3", "PUT", f"/b/{number}", transports.done, body=b"x" * 9000))
        await asyncio.sleep(random.uniform(0, 0.01))
async def main():
    wire = RetryingWire(make(sys.argv[2], connections=4), SystemClock(), random.random, print)
    wire.permit = held
    threading.Thread(target=renew_once, daemon=True).start()
    sending = [asyncio.create_task(send(wire, number)) for number in range(8)]
    await asyncio.wait(sending, return_when=asyncio.FIRST_EXCEPTION)
asyncio.run(main())
"""


@pytest.fixture
def sender(server: FaultProxy, make_transport: MakeTransport) -> Iterator[subprocess.Popen[bytes]]:
    """A process that sends all the time; a line ends its long term within TERM_SECONDS."""
    server.add(delay(0.02))
    server.add(answer(200, b"ok"))
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-c", SENDER, make_transport.__name__, server.endpoint]
    process = subprocess.Popen(
        [*command, str(TERM_SECONDS), str(PATIENCE)],
        env={**os.environ, "PYTHONPATH": str(tests)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    yield process
    process.kill()
    process.communicate()


def settled(server: FaultProxy) -> int:
    """How many requests came, once those that are on their way have been read."""
    counts = [server.count()]
    while counts[-6:] != [counts[-1]] * 6:
        time.sleep(0.05)
        counts.append(server.count())
    return counts[-1]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX stops processes by a signal")
def test_a_process_that_was_stopped_sends_nothing_more(
    server: FaultProxy, sender: subprocess.Popen[bytes]
) -> None:
    """Of requests that are prepared, wait, or are under way none is sent after the pause."""
    deadline = time.monotonic() + PATIENCE
    while server.count() < 20:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert sender.stdin is not None
    assert sender.stdout is not None
    sender.stdin.write(b"\n")
    sender.stdin.flush()
    assert sender.stdout.readline() == b"renewed\n"
    sender.send_signal(signal.SIGSTOP)
    time.sleep(PAUSE_SECONDS)
    before = settled(server)
    sender.send_signal(signal.SIGCONT)
    sender.wait(PATIENCE)  # it ends once it has waited in vain for another renewal
    assert settled(server) == before

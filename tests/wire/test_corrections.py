"""What the wrapper round a raw transport sends again: for another time, newer keys, a region."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import formatdate

import pytest

from dataware.core.ports import Permit, Request, Response
from dataware.http.endpoint import Credentials
from dataware.wire.transport import CorrectingTransport, with_corrections
from support.transports import FixedAccess, MakeTransport, botocore_transport, curl_transport, done

NOW = 1_800_000_000.0
REQUEST = Request("s3", "GET", "/bucket/key", done)
FINE = Response(200, {}, b"")


@dataclass
class ScriptedTransport:
    """A raw transport that answers from a list, and keeps what it was asked."""

    answers: list[Response]
    keys: list[Credentials]
    permit: Permit | None = None
    skew: float = 0.0
    sent: list[tuple[str | None, float, bool]] = field(default_factory=list)
    closed: bool = False

    async def send(self, request: Request, *, renew: bool = False) -> tuple[Response, str | None]:
        self.sent.append((request.region, self.skew, renew))
        return self.answers.pop(0), self.keys[0].token

    async def close(self) -> None:
        self.closed = True


def refusal(status: int = 403, ahead: float = 0.0) -> Response:
    """A refusal by a service whose clock is some seconds ahead."""
    return Response(status, {"date": formatdate(NOW + ahead, usegmt=True)}, b"")


def keys(token: str | None) -> Credentials:
    """Credentials with a session token."""
    return Credentials("KEY", "secret", token)


def sent(answers: Sequence[Response], renewed: str | None = "old") -> tuple[int, ScriptedTransport]:
    """The status that a caller sees, and what was sent; `renewed` is the token by then."""
    raw = ScriptedTransport(list(answers), [keys("old")])
    corrected = CorrectingTransport(raw, lambda: keys(renewed), "us-east-1", lambda: NOW)
    return asyncio.run(corrected.exchange(REQUEST)).status, raw


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize("ahead", [-3600.0, 241.0, 86400.0])
def test_a_refusal_by_another_clock_is_signed_again_by_it(status: int, ahead: float) -> None:
    """Once, and by the clock that the refusal shows."""
    code, raw = sent([refusal(status, ahead), FINE])
    assert (code, raw.sent) == (200, [(None, 0.0, False), (None, ahead, False)])


@pytest.mark.parametrize("ahead", [0.0, 239.0, -239.0])
def test_a_refusal_by_the_same_clock_and_keys_is_the_answer(ahead: float) -> None:
    """A denial is an answer like any other, though clocks never agree to the second."""
    code, raw = sent([refusal(403, ahead)])
    assert (code, len(raw.sent)) == (403, 1)


@pytest.mark.parametrize("status", [200, 301, 404, 412, 500, 503])
def test_only_a_refusal_is_signed_again(status: int) -> None:
    """Whatever time another answer carries, and whatever keys there are by now."""
    code, raw = sent([refusal(status, 86400.0)], renewed="new")
    assert (code, len(raw.sent)) == (status, 1)


def test_a_request_is_signed_again_with_keys_that_were_renewed_meanwhile() -> None:
    """Those that it was signed with may have ended on the way."""
    code, raw = sent([refusal(400), FINE], renewed="new")
    assert (code, raw.sent) == (200, [(None, 0.0, False), (None, 0.0, True)])


def test_a_request_is_sent_twice_at_most_for_its_signature() -> None:
    """A service that names another time each time is not followed for ever."""
    code, raw = sent([refusal(403, 3600.0), refusal(403, 7200.0)], renewed="new")
    assert (code, len(raw.sent)) == (403, 2)


def test_a_refusal_says_whose_the_credentials_are_and_another_answer_does_not() -> None:
    """Who they are is found out once, however many keys are refused."""
    raw = ScriptedTransport([refusal(403), refusal(400), refusal(404), FINE], [keys("old")])
    asked: list[str] = []

    def find_name() -> str:
        asked.append("once")
        return "of profile prod"

    corrected = CorrectingTransport(raw, lambda: keys("old"), "us-east-1", lambda: NOW, find_name)

    async def main() -> list[str]:
        return [(await corrected.exchange(REQUEST)).whose for _ in range(4)]

    assert asyncio.run(main()) == ["of profile prod", "of profile prod", "", ""]
    assert asked == ["once"]


def test_what_was_learnt_holds_for_later_requests() -> None:
    """Only the first request is refused."""
    raw = ScriptedTransport([refusal(403, 3600.0), FINE, FINE], [keys("old")])
    corrected = CorrectingTransport(raw, lambda: keys("old"), "us-east-1", lambda: NOW)

    async def main() -> None:
        await corrected.exchange(REQUEST)
        await corrected.exchange(REQUEST)

    asyncio.run(main())
    assert [skew for _, skew, _ in raw.sent] == [0.0, 3600.0, 3600.0]


def test_the_other_region_is_corrected_as_well() -> None:
    """First the clock, then the region, then the keys of the second try: each once."""
    moved = Response(301, {"x-amz-bucket-region": "eu-west-1"}, b"")
    raw = ScriptedTransport([refusal(403, 3600.0), moved, refusal(403, 7200.0), FINE], [keys("a")])
    access = FixedAccess("http://s3.example")
    both = with_corrections(raw, access, lambda: NOW)
    assert asyncio.run(both.exchange(REQUEST)) is FINE
    regions = [region for region, _, _ in raw.sent]
    assert regions == [None, None, "eu-west-1", "eu-west-1"]


class _Never:
    """A permit that is never given."""

    current = False

    def hear(self, date: str) -> None:
        """Nothing is heard."""

    async def wait(self) -> None:
        """Nothing is waited for."""


def test_permit_and_close_go_through_every_wrapper() -> None:
    """What is asked of the whole is asked of the transport inside."""
    raw = ScriptedTransport([], [keys(None)])
    both = with_corrections(raw, FixedAccess("http://s3.example"))
    both.permit = permit = _Never()
    assert raw.permit is permit
    assert both.permit is permit
    asyncio.run(both.close())
    assert raw.closed


@pytest.mark.parametrize("make", [botocore_transport, curl_transport])
def test_no_transport_sends_without_its_permit(make: MakeTransport) -> None:
    """Neither of the real ones, through the wrappers."""
    transport = make("http://127.0.0.1:1")
    transport.permit = _Never()

    async def main() -> None:
        try:
            await transport.exchange(REQUEST)
        finally:
            await transport.close()

    with pytest.raises(ConnectionError, match="may have lost its lock"):
        asyncio.run(main())

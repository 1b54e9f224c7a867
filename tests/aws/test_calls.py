"""Calls that can be given up: none of them outlasts a wish to stop, and nothing else changes."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.response import StreamingBody

from dataware.aws import Account, interruptible_calls
from dataware.aws.interruptible_calls import PIECE_BYTES, InterruptibleCalls
from dataware.core.errors import IncompleteError, LookupFailedError
from support.accounts import open_account
from support.processes import PATIENCE
from support.servers import FaultProxy

LOOK, CHANGE = "DescribeTable", "PutParameter"


class Wish:
    """A wish to stop that a test utters, and a service that answers once it is told to."""

    def __init__(self) -> None:
        self.uttered = False
        self.asked = threading.Event()
        self.answering = threading.Event()

    def __call__(self) -> bool:
        """Whether to stop; also uttered as soon as the service was asked."""
        return self.uttered or self.asked.is_set()

    def service(self) -> str:
        """An answer that is long in coming."""
        self.asked.set()
        self.answering.wait()
        return "answer"


@pytest.fixture
def wish() -> Iterator[Wish]:
    """A wish, and a service that answers at last when the test is over."""
    wish = Wish()
    yield wish
    wish.answering.set()


@pytest.mark.parametrize("operation", [LOOK, CHANGE])
def test_what_is_under_way_is_given_up(wish: Wish, operation: str) -> None:
    """The sentence names the call, and what is left behind does not hold the process."""
    with pytest.raises(
        IncompleteError, match=f"before AWS responded to {operation}; run the same command"
    ):
        InterruptibleCalls(wish).answer(operation, wish.service)
    left = [one for one in threading.enumerate() if one.name.startswith("dataware-call")]
    assert left
    assert all(one.daemon for one in left)


def test_no_look_begins_once_somebody_wants_to_stop(wish: Wish) -> None:
    """Nothing is asked any more."""
    wish.uttered = True
    with pytest.raises(IncompleteError):
        InterruptibleCalls(wish).answer(LOOK, wish.service)
    assert not wish.asked.is_set()


def test_a_change_may_still_be_made(wish: Wish) -> None:
    """A run that ends can say so."""
    wish.uttered = True
    wish.answering.set()
    assert InterruptibleCalls(wish).answer(CHANGE, wish.service) == "answer"


def test_answers_and_errors_arrive(wish: Wish) -> None:
    """Also of calls within calls, which need no thread of their own."""
    calls = InterruptibleCalls(lambda: False)
    seen: list[str] = []

    def inner() -> str:
        seen.append(threading.current_thread().name)
        return "inner"

    def outer() -> str:
        return calls.answer(LOOK, inner) + threading.current_thread().name

    assert calls.answer(LOOK, outer) == f"inner{seen[0]}"
    with pytest.raises(ZeroDivisionError):
        calls.answer(LOOK, lambda: str(1 // 0))
    with pytest.raises(TimeoutError, match="of the call"):
        calls.answer(LOOK, _raise(TimeoutError("of the call")))


def _raise(error: Exception) -> Callable[[], str]:
    def call() -> str:
        raise error

    return call


def test_where_nobody_can_ask_to_stop_calls_are_made_as_they_are() -> None:
    """In Lambda there is no signal, and no call needs a thread."""
    assert InterruptibleCalls().answer(LOOK, threading.current_thread) is threading.current_thread()


def test_a_body_is_given_up_between_its_ends(wish: Wish) -> None:
    """Content comes in chunks, and each of them can be left alone."""

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                wish.service()
            return super().read(size)

    chunks = (
        InterruptibleCalls(wish).body("GetObject", StreamingBody(Slow(b"abcdef"), 6)).iter_chunks(3)
    )
    assert next(chunks) == b"abc"
    with pytest.raises(IncompleteError):
        next(chunks)


def test_a_body_that_is_whole_arrives(wish: Wish) -> None:
    """All of it, as it was sent."""
    body = InterruptibleCalls(wish).body("GetObject", StreamingBody(io.BytesIO(b"abcdef"), 6))
    assert list(body.iter_chunks(4)) == [b"abcd", b"ef"]


def test_a_pause_ends_with_a_wish_to_stop(wish: Wish) -> None:
    """However long it was to be."""
    threading.Timer(0.05, wish.asked.set).start()
    began = time.monotonic()
    with pytest.raises(IncompleteError, match="run the same command again"):
        InterruptibleCalls(wish).pause(600)
    assert time.monotonic() - began < 300


def test_a_pause_lasts_as_long_as_it_should() -> None:
    """Without a wish to stop nothing cuts it short."""
    began = time.monotonic()
    InterruptibleCalls(lambda: False).pause(0.15)
    assert time.monotonic() - began >= 0.15


def stopping(account: Account, proxy: FaultProxy, operation: str, wish: Wish) -> None:
    """Let a service be silent about an operation, and ask to stop as soon as it was asked."""

    def silent(seen: object, forward: object) -> object:
        del seen, forward
        return wish.service()

    proxy.add(silent, operation=operation)  # type: ignore[arg-type]  # it never answers


def test_pages_and_undecoded_answers_are_given_up_too(fault_proxy: FaultProxy, wish: Wish) -> None:
    """Whatever way an account gives to ask."""
    account = open_account(stop=wish)
    stopping(account, fault_proxy, "ListTables", wish)
    with pytest.raises(IncompleteError, match="ListTables"):
        list(account.client("dynamodb").get_paginator("list_tables").paginate())
    wish.asked.clear()
    with pytest.raises(IncompleteError, match="ListTables"):
        account.fetch("dynamodb", "list_tables", bytes)


def test_credentials_that_are_never_renewed_are_given_up(
    fault_proxy: FaultProxy, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy signs with them on the thread that looks for the wish."""
    keys = {"access_key": "a", "secret_key": "s", "token": "t"}
    until = datetime.now(UTC) + timedelta(minutes=1)
    renewed = RefreshableCredentials(
        **keys, expiry_time=until, refresh_using=wish.service, method="test"
    )
    account = open_account(stop=wish)
    monkeypatch.setattr(account, "_credentials", lambda: renewed)
    with pytest.raises(IncompleteError, match="GetCredentials"):
        account.keys()


def test_a_code_is_asked_for_on_the_thread_that_needs_it(
    fault_proxy: FaultProxy, wish: Wish, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A terminal that hides what is typed is given back by nobody who is left behind."""
    config = tmp_path / "config"
    config.write_text(
        "[profile person]\nrole_arn = arn:aws:iam::000000000000:role/person\n"
        "source_profile = base\nmfa_serial = arn:aws:iam::000000000000:mfa/person\n"
        "[profile base]\naws_access_key_id = 000000000000\naws_secret_access_key = test\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    asked: list[str] = []

    def code(_prompt: str) -> str:
        asked.append(threading.current_thread().name)
        return "123456"

    account = open_account(profile="person", stop=wish)
    providers = account._login.session._session.get_component("credential_provider")
    monkeypatch.setattr(providers.get_provider("assume-role"), "_prompter", code)
    assert account.asks_for_code
    assert account.account
    assert asked == [threading.current_thread().name]


def test_an_answer_that_never_ends_is_given_up() -> None:
    """Bytes that trickle keep the SDK waiting for ever, so the whole answer has a limit, too."""
    started = time.monotonic()
    held = threading.Event()
    with pytest.raises(
        LookupFailedError, match=r"DescribeTable got no complete response within 0\.2 s"
    ):
        InterruptibleCalls(answer_seconds=0.2).answer(LOOK, held.wait)
    held.set()
    assert time.monotonic() - started < 20


def test_each_try_of_a_call_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is slow, and asked again by the SDK, is not given up."""
    now, looks = [time.monotonic()], [0]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=time.sleep)
    monkeypatch.setattr(interruptible_calls, "time", clock)
    monkeypatch.setattr(interruptible_calls, "POLL_SECONDS", 0.01)

    def never() -> bool:
        looks[0] += 1
        return False

    calls = InterruptibleCalls(never, answer_seconds=100.0)

    def three_tries() -> str:
        for _ in range(3):
            calls._begin()
            now[0] += 60.0
            before = looks[0]
            while looks[0] < before + 3:
                time.sleep(0.01)
        return "done"

    assert calls.answer(LOOK, three_tries) == "done"


@pytest.mark.parametrize("length", [0, 1, PIECE_BYTES, PIECE_BYTES * 2 + 3])
def test_a_body_that_is_read_in_pieces_is_whole(length: int) -> None:
    """What is read at once is what was asked for, however large, and then nothing."""
    content = bytes(index % 251 for index in range(length))
    body = InterruptibleCalls(lambda: False).body(
        LOOK, StreamingBody(io.BytesIO(content), len(content))
    )
    assert body.read() == content
    assert body.read() == b""
    again = InterruptibleCalls(lambda: False).body(
        LOOK, StreamingBody(io.BytesIO(content), len(content))
    )
    assert b"".join(again.iter_chunks(PIECE_BYTES * 2)) == content


def test_one_thread_looks_after_many_calls_and_ends_when_there_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many are under way; the next call has one again."""
    monkeypatch.setattr(interruptible_calls, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(interruptible_calls, "IDLE_LOOKS", 3)
    calls, gate = InterruptibleCalls(lambda: False), threading.Event()
    for _ in range(2):
        gate.clear()
        with ThreadPoolExecutor(20) as pool:
            answers = [pool.submit(calls.answer, LOOK, gate.wait) for _ in range(20)]
            until = time.monotonic() + PATIENCE
            while len(calls._under_way) < 20 and time.monotonic() < until:
                time.sleep(0.01)
            watching = [one for one in threading.enumerate() if one.name == "dataware-watch"]
            assert sum(one.is_alive() for one in watching) >= 1
            assert len(calls._under_way) == 20
            gate.set()
            assert all(one.result() for one in answers)
        assert not calls._under_way
        until = time.monotonic() + PATIENCE
        while calls._is_watched and time.monotonic() < until:
            time.sleep(0.01)
        assert not calls._is_watched


def test_an_answer_after_the_end_is_dropped(wish: Wish) -> None:
    """What was given up stays given up, and its thread is free for the next call."""
    calls = InterruptibleCalls(wish)
    with pytest.raises(IncompleteError):
        calls.answer(LOOK, wish.service)
    wish.answering.set()
    wish.asked.clear()
    wish.uttered = False
    assert calls.answer(LOOK, lambda: "next") == "next"

"""A source, a target and the follow between them, on a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import uuid4

import boto3

from dataware.aws import Account
from dataware.cli.context import make_context
from dataware.cli.transport import make_wire
from dataware.core.errors import IncompleteError
from dataware.core.events import Event
from dataware.core.model import Location
from dataware.ops.context import CopySettings
from dataware.ops.follow.follow import follow
from dataware.ops.migrate_by_hand import migrate

FOLLOW = CopySettings(follow=True)


class FollowedPair:
    """Two resources of a type, of which one is followed into the other."""

    service: ClassVar[str]
    type_name: ClassVar[str]

    def __init__(self) -> None:
        self.client = boto3.client(self.service)
        number = uuid4().hex[:8]
        self.source, self.target = f"source-{number}", f"target-{number}"
        self.events: list[Event] = []
        self.error: BaseException | None = None

    def content(self, name: str) -> dict[str, Any]:
        """What a side holds, by key."""
        raise NotImplementedError

    @property
    def names(self) -> tuple[str, str]:
        """Both."""
        return self.source, self.target

    def follow(self, stop: Callable[[], bool], settings: CopySettings = FOLLOW) -> None:
        """Follow until `stop`."""
        account = Account.open(make_wire, stop=stop)
        context = make_context(account, self.events.append, stop, strict=False)
        sides = (Location(name, account.account, account.region) for name in self.names)
        carry_out = follow if settings.follow else migrate
        carry_out(context, self.type_name, *sides, settings)

    @contextmanager
    def following(self, settings: CopySettings = FOLLOW) -> Iterator[None]:
        """Follow on a thread, until the end of the context."""
        ended = threading.Event()
        self.error = None

        def run() -> None:
            try:
                self.follow(ended.is_set, settings)
            except BaseException as error:
                self.error = error

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(60)
        assert isinstance(self.error, IncompleteError), self.error
        assert "run the same command again" in str(self.error)

    def await_phase(self, phase: str = "following") -> None:
        """Wait until the run says so."""
        self.wait(lambda: any(one.data.get("phase") == phase for one in list(self.events)))

    def wait(self, until: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait for something."""
        deadline = time.monotonic() + seconds
        while not until():
            assert self.error is None, self.error
            assert time.monotonic() < deadline, [one.text() for one in self.events[-8:]]
            time.sleep(0.05)

    def await_equal(self, strangers: dict[str, Any] | None = None) -> None:
        """Wait until the target holds what the source does, but for what strangers put there."""
        theirs = strangers or {}
        self.wait(lambda: self.content(self.target) == {**self.content(self.source), **theirs})

    def codes(self) -> list[str]:
        """What was told."""
        return [one.code for one in self.events]

"""A Parameter Store whose writes may fail, lose their answers, or arrive late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from support.parameters import FakeParameters
from support.simulator.world import World


class LateParameters(FakeParameters):
    """The parameters of a world; `on_write` hears each value that arrives."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.clock = ServiceClock(world)  # type: ignore[assignment] # only its time is asked for
        self.between = world.tick
        self.on_write: Callable[[str], None] = lambda _value: None

    def put_parameter(self, **given: Any) -> Mapping[str, Any]:
        """Write now, or later, or never, and answer, or not."""
        world = self._world
        self.between()
        if not world.happens(world.chances.unknown):
            return self._put(given)
        outcome = world.random.choice(("lost answer", "never", "late"))
        world.say("the marker's write has no answer:", outcome)
        if outcome == "lost answer":
            self._put(given)
        elif outcome == "late":
            world.later(world.random.uniform(0.5, 250), lambda: self._put_late(given))
        raise ReadTimeoutError(endpoint_url="https://ssm")

    def _put_late(self, given: dict[str, Any]) -> None:
        with suppress(ClientError):
            self._put(given)

    def _put(self, given: dict[str, Any]) -> Mapping[str, Any]:
        between, self.between = self.between, lambda: None
        try:
            answer = super().put_parameter(**given)
        finally:
            self.between = between
        self.on_write(given["Value"])
        return answer


class ServiceClock:
    """The clock of the service."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._world.now

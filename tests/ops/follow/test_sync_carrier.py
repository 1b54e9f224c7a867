"""A chunk is carried on one event loop, and a person who asks to stop waits for it so long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dataware.core.copier import CopyOrder
from dataware.core.errors import IncompleteError, ServiceError
from dataware.core.follow.feed import CarryOutcome
from dataware.core.follow.following import Following
from dataware.core.model import Location
from dataware.migrate.lease_term import LeaseTerm
from dataware.ops.context import Context
from dataware.ops.follow import sync_carrier
from dataware.ops.follow.sync_carrier import SyncCarrier

ORDER = CopyOrder(Location("old", "1", "r"), Location("new", "1", "r"))
TERM = cast("LeaseTerm", object())


class CarrierWire:
    """A wire that somebody may close."""

    def __init__(self, on_throttle: Callable[[str], None]) -> None:
        self.on_throttle, self.permit, self.is_closed = on_throttle, None, False

    async def close(self) -> None:
        """Close it."""
        self.is_closed = True


class Setting:
    """A carrier of a type, which takes `seconds` and then gives or raises something."""

    def __init__(self) -> None:
        self.wires: list[CarrierWire] = []
        self.made = 0
        self.seconds = 0.0
        self.error: Exception | None = None
        self.stopped = self.is_cancelled = False
        self.loops: set[int] = set()
        context = SimpleNamespace(aws=SimpleNamespace(wire=self._make_wire))
        following = SimpleNamespace(make_carrier=self._make_carrier)
        self.carrier = SyncCarrier(
            cast("Context", context),
            cast("Following", following),
            ORDER,
            cast("Any", "written"),
            TERM,
            lambda: self.stopped,
        )

    def _make_wire(self, on_throttle: Callable[[str], None]) -> CarrierWire:
        self.wires.append(CarrierWire(on_throttle))
        return self.wires[-1]

    def _make_carrier(self, reading: Any, writing: Any, order: CopyOrder, written: Any) -> Any:
        assert [reading, writing] == self.wires
        assert (order, written) == (ORDER, "written")
        self.made += 1
        return SimpleNamespace(carry=self._carry)

    async def _carry(self, keys: Collection[bytes]) -> CarryOutcome:
        self.loops.add(id(asyncio.get_running_loop()))
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        if self.error is not None:
            raise self.error
        return CarryOutcome(carried=frozenset(keys))


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Looked at all the time."""
    monkeypatch.setattr(sync_carrier, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(sync_carrier, "GRACE_SECONDS", 0.05)
    return Setting()


def test_all_lots_go_over_the_same_wires_and_nothing_beyond_the_lock(setting: Setting) -> None:
    """They are opened with the first one."""
    assert setting.wires == []
    for key in (b"a", b"b"):
        assert setting.carrier.carry([key], 1.0).carried == {key}
    assert (setting.made, len(setting.loops)) == (1, 1)
    assert [wire.permit for wire in setting.wires] == [TERM, TERM]
    setting.carrier.close()
    assert [wire.is_closed for wire in setting.wires] == [True, True]


def test_a_lot_that_takes_long_is_waited_for(setting: Setting) -> None:
    """Nobody asks to stop."""
    setting.seconds = 0.15
    assert setting.carrier.carry([b"a"], 1.0).carried == {b"a"}


def test_a_lot_that_ends_soon_after_a_request_to_stop_is_carried(setting: Setting) -> None:
    """So that the next run need not wait for it."""
    setting.seconds, setting.stopped = 0.02, True
    assert setting.carrier.carry([b"a"], 1.0).carried == {b"a"}


def test_a_lot_that_takes_longer_than_that_is_given_up(setting: Setting) -> None:
    """What was sent of it may arrive yet; the run says so."""
    setting.seconds, setting.stopped = 30.0, True
    with pytest.raises(IncompleteError, match="stopped before some keys were carried"):
        setting.carrier.carry([b"a"], 1.0)
    assert setting.is_cancelled


def test_what_a_carrier_raises_goes_on_to_the_follow(setting: Setting) -> None:
    """Such as a denied write."""
    setting.error = ServiceError("denied")
    with pytest.raises(ServiceError, match="denied"):
        setting.carrier.carry([b"a"], 1.0)


def test_why_a_service_asks_to_slow_down_is_kept(setting: Setting) -> None:
    """By either wire."""
    assert setting.carrier.throttled == ""
    setting.carrier.carry([b"a"], 1.0)
    for number, wire in enumerate(setting.wires):
        wire.on_throttle(f"reason {number}")
        assert setting.carrier.throttled == f"reason {number}"


def test_a_carrier_that_has_carried_nothing_can_be_closed(setting: Setting) -> None:
    """A run may end before its first chunk."""
    setting.carrier.close()


def test_a_source_that_a_profile_reads_is_read_with_its_credentials() -> None:
    """And the target is written with those of the run."""
    opened, order = [], replace(ORDER, source=replace(ORDER.source, profile="partner"))

    def open_side(side: str) -> Any:
        def make_wire(on_throttle: Callable[[str], None]) -> CarrierWire:
            opened.append(side)
            return CarrierWire(on_throttle)

        return SimpleNamespace(wire=make_wire)

    async def carry(keys: Collection[bytes]) -> CarryOutcome:
        return CarryOutcome(carried=frozenset(keys))

    context = SimpleNamespace(aws=open_side("ours"), open_profile=open_side)
    following = SimpleNamespace(make_carrier=lambda *_given: SimpleNamespace(carry=carry))
    carrier = SyncCarrier(
        cast("Context", context),
        cast("Following", following),
        order,
        cast("Any", "written"),
        TERM,
        lambda: False,
    )
    assert carrier.carry([b"k"], 0).carried == {b"k"}
    carrier.close()
    assert opened == ["partner", "ours"]

"""Records on which somebody asks for a pause, and what a record tells of a service's work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from dataware.core.run_control import RunControl
from dataware.ops.lease_keeper import LeaseKeeper
from dataware.ops.work_words import describe_work
from support.world import WorldLease, WorldMarkers


@dataclass
class PauseWish:
    """Whether somebody asks for a pause now."""

    is_paused: bool = False


@dataclass(frozen=True)
class AskedLease(WorldLease):
    """A lease on which somebody asks for a pause."""

    wish: PauseWish = field(default_factory=PauseWish)

    @property
    def control(self) -> RunControl:  # type: ignore[override]  # a field of the other one
        """What is asked now."""
        return RunControl(paused_at=1.0) if self.wish.is_paused else RunControl()


@dataclass(frozen=True)
class AskedMarkers(WorldMarkers):
    """Records on which somebody asks for a pause."""

    wish: PauseWish = field(default_factory=PauseWish)

    def begin(self, *given: Any) -> WorldLease:
        """The same lease, with what is asked."""
        super().begin(*given)
        return AskedLease(self.world, given[1], self.wish)


def note_work(monkeypatch: pytest.MonkeyPatch, unit: str = "key") -> list[str]:
    """What `dataware status` would tell of work under way, whenever that changes."""
    told: list[str] = []
    publish = LeaseKeeper.publish

    def note(keeper: LeaseKeeper, detail: Mapping[str, object]) -> None:
        publish(keeper, detail)
        words = describe_work(keeper.detail, unit)
        if [words] != told[-1:]:
            told.append(words)

    monkeypatch.setattr(LeaseKeeper, "publish", note)
    return told

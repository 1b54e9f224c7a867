"""Rehearsals that are killed at every step."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Protocol

from dataware.core.errors import DatawareError
from support.copying import Killed
from support.world import World


class RehearsalStage(Protocol):
    """A rehearsal, and the world that it must leave as it was."""

    world: World

    def rehearse(self) -> None:
        """One command."""
        ...

    def check_clean(self) -> None:
        """Nothing is there that was not there before."""
        ...


def kill_at_every_step(make: Callable[[], RehearsalStage]) -> int:
    """Kill rehearsals at every step, twice in a row, and rehearse again; how many died."""
    deaths = 0
    lasted, moments = False, count()
    while not lasted:
        at, stage = next(moments), make()
        for moment in (at, at // 2):
            stage.world.kill_at = moment
            try:
                stage.rehearse()
            except (Killed, DatawareError):
                deaths += 1
            lasted = lasted or (moment == at and bool(stage.world.kill_at))
        stage.world.kill_at = None
        stage.rehearse()
        stage.check_clean()
        assert stage.world.markers == {}, at
    return deaths

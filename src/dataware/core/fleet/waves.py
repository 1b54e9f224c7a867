"""In which order the targets of a fleet are applied, and when that ends; pure.

canary          one target alone; if it fails, nothing else is begun
waves           region by region, at most `max_concurrent` targets at once
tolerance       once more targets than that have failed, no further wave begins
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dataware.calc.suggest import did_you_mean
from dataware.core.errors import InputError
from dataware.core.fleet.selection import matches_name
from dataware.core.fleet.target import FleetTarget

MAX_CONCURRENT = 5
"""Targets at once that nobody has to ask for."""

WORST_FIRST = (3, 1, 4, 2, 0)
"""Exit codes in the order in which a fleet's command ends with them."""

Wave = tuple[FleetTarget, ...]


@dataclass(frozen=True, slots=True)
class WaveSettings:
    """How a fleet is applied; without a `canary` the first target is it."""

    max_concurrent: int = MAX_CONCURRENT
    tolerance: int = 0
    canary: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The settings as in a fleet's plan file."""
        return {
            "max_concurrent": self.max_concurrent,
            "tolerance": self.tolerance,
            "canary": self.canary,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> WaveSettings:
        """Read them back. Raises InputError for anything else."""
        most, tolerance, canary = data["max_concurrent"], data["tolerance"], data["canary"]
        numbers = isinstance(most, int) and isinstance(tolerance, int)
        if not numbers or most < 1 or tolerance < 0 or not isinstance(canary, str | None):
            raise InputError("the waves of the fleet's plan are damaged; make the plan again")
        return WaveSettings(most, tolerance, canary)


def drop_absent_canary(
    settings: WaveSettings, whole: Sequence[FleetTarget], chosen: Sequence[FleetTarget]
) -> WaveSettings:
    """The settings for the targets that are chosen of a whole fleet.

    Where the choice leaves the canary out, the first of the others goes ahead of them. A canary
    that the whole fleet does not have stays: it is a slip, which `make_waves` reports.
    """
    word = settings.canary
    if word is None or any(matches_name(one, word) for one in chosen):
        return settings
    is_target = any(matches_name(one, word) for one in whole)
    return replace(settings, canary=None) if is_target else settings


def make_waves(targets: Sequence[FleetTarget], settings: WaveSettings) -> tuple[Wave, ...]:
    """The waves in their order; none without a target. Raises InputError without the canary."""
    if not targets:
        return ()
    canary = _canary_of(targets, settings.canary)
    regions: dict[str, list[FleetTarget]] = {canary.region: []}
    for one in targets:
        if one is not canary:
            regions.setdefault(one.region, []).append(one)
    most = settings.max_concurrent
    waves = [
        tuple(some[begin : begin + most])
        for some in regions.values()
        for begin in range(0, len(some), most)
    ]
    return ((canary,), *waves)


def _canary_of(targets: Sequence[FleetTarget], word: str | None) -> FleetTarget:
    if word is None:
        return targets[0]
    canary = next((one for one in targets if matches_name(one, word)), None)
    if canary is None:
        names = {one.name for one in targets}
        raise InputError(f"the canary {word} is none of the targets, {did_you_mean(word, names)}")
    return canary


def should_stop(wave: int, failures: int, settings: WaveSettings) -> bool:
    """Whether no further wave begins after the one at an index, from 0, the canary's."""
    return failures > (settings.tolerance if wave else 0)


def worst_exit_code(codes: Iterable[int]) -> int:
    """The exit code of all; one that is not known counts as an error."""
    codes_known = [code if code in WORST_FIRST else 1 for code in codes]
    return min(codes_known, key=WORST_FIRST.index, default=0)

"""What every form of an app is read with."""

from __future__ import annotations

from dataclasses import dataclass, field

from dataware.ops.inputs.fallback_patterns import FallbackPattern
from dataware.ops.inputs.value_sources import ValueSources
from dataware.ops.inputs.wanted import Overrides


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How an app is read.

    `overrides` win over the settings in the app. `sources` give the values that templates do not
    hold. `patterns` give fallbacks to what has none; with them, or with `every`, stateful resources
    are read that do not opt in. `only` are the names that are asked for alone, none for
    all: any other resource may have a name that nobody knows. `is_one_of_many` says that the app is
    read for other environments, too, where patterns may fit that fit nothing here.
    """

    overrides: Overrides = field(default_factory=Overrides)
    sources: ValueSources = field(default_factory=ValueSources)
    patterns: tuple[FallbackPattern, ...] = ()
    every: bool = False
    only: tuple[str, ...] = ()
    is_one_of_many: bool = False

"""The values that a parameter has had, and what the target lacks of them; pure.

Numbers of versions cannot be kept, because the service counts them itself and keeps a hundred of
them (AWS Systems Manager User Guide, "Working with parameter versions"); their order is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataware.core.hidden_values import HiddenValue


@dataclass(frozen=True, slots=True)
class ParameterVersion:
    """A value with its number, its labels, and what else is said of it (`settings`)."""

    number: int
    type: str
    value: HiddenValue
    labels: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def has_same_value(self, other: ParameterVersion) -> bool:
        """Whether another version holds the same value, in the same form."""
        return self.type == other.type and self.value.reveal() == other.value.reveal()


@dataclass(frozen=True, slots=True)
class Replay:
    """How far the target's history is that of the source.

    The first `shared` versions of the source are the last ones of the target; version number
    `first_number` of the target is, or will be, the first one of the source.
    """

    shared: int
    first_number: int
    is_free: bool


def compare_histories(
    source: Sequence[ParameterVersion], target: Sequence[ParameterVersion]
) -> Replay:
    """How a copy goes on; `is_free` says that the target holds nothing but what a copy began.

    A flag has few values, so what ends like the source begins may be somebody's who set it back
    after a copy: it is one that goes on only where the target has no other value, before or after.
    """
    shared = next(
        (
            count
            for count in range(min(len(source), len(target)), 0, -1)
            if _is_same(source[:count], target[len(target) - count :])
        ),
        0,
    )
    last = target[-1].number if target else 0
    return Replay(shared, last - shared + 1, is_free=shared == len(target))


def _is_same(one: Sequence[ParameterVersion], other: Sequence[ParameterVersion]) -> bool:
    return all(mine.has_same_value(theirs) for mine, theirs in zip(one, other, strict=True))


def lacks_labels(
    replay: Replay, index: int, source: ParameterVersion, target: Sequence[ParameterVersion]
) -> frozenset[str]:
    """The labels that a version of the target lacks, of those that the source's has."""
    number = replay.first_number + index
    there = next((one.labels for one in target if one.number == number), frozenset())
    return source.labels - there

"""Copies a parameter into another one by writing all its values again, oldest first.

What the target ends with is compared with what the source begins with, so a run that was killed
resumes there. A value that somebody else has set in the target is never hidden by newer ones
unless the order says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from dataware.core.copier import (
    CopyOrder,
    CopyOutcome,
    CopyTools,
    PageBound,
    SkippedKey,
    SkipReason,
    Unit,
    UnitPage,
    no_page_bound,
)
from dataware.core.errors import ConflictError
from dataware.core.model import OnConflict, Size
from dataware.kinds.ordered_copier import OrderedCopier
from dataware.kinds.ssm_parameter.copy.client import ParameterClient
from dataware.kinds.ssm_parameter.copy.history import (
    ParameterVersion,
    Replay,
    compare_histories,
    lacks_labels,
)

PAGE: Final = 5
"""Values between two checkpoints."""

UNIT_BYTES: Final = PAGE * 8 * 1024
"""A value has 8 KB at most (API Reference, PutParameter)."""


@dataclass(frozen=True, slots=True)
class ValueBatch:
    """The positions of some values to write; the last batch also brings the tags."""

    positions: Sequence[int]
    is_last: bool
    done: asyncio.Event = field(default_factory=asyncio.Event, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class _Histories:
    """Both sides as they were first seen."""

    source: Sequence[ParameterVersion]
    target: Sequence[ParameterVersion]
    replay: Replay

    def is_wrong(self, position: int) -> bool:
        """Whether the target lacks a value, or labels of it."""
        if position >= self.replay.shared:
            return True
        return bool(self.lacking_labels(position))

    def lacking_labels(self, position: int) -> frozenset[str]:
        """The labels that the target's version lacks."""
        return lacks_labels(self.replay, position, self.source[position], self.target)


class ParameterCopier(OrderedCopier):
    """The copier of parameters; `order` tells from where to where."""

    def __init__(self, tools: CopyTools, order: CopyOrder) -> None:
        super().__init__(tools, order)
        self._source, self._target = (
            ParameterClient(tools.aws.for_region(place.region), place)
            for place in (order.source, order.target)
        )
        self._both_histories: _Histories | None = None

    async def size(self) -> Size:
        """How many values are kept."""
        return Size(len((await self._look()).source), 0)

    async def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage[ValueBatch]]:
        """The values that the target lacks, in order; a page comes once the one before is done.

        The cursor is the source's number of a version, which stays what it is.
        """
        del partition
        both = await self._look()
        rest = [at for at, one in enumerate(both.source) if one.number > int(after or 0)]
        wrong = [at for at in rest if both.is_wrong(at)]
        if wrong and not self._may_write(both):
            yield UnitPage((), None, same=len(rest) - len(wrong), skipped=self._skip(both, wrong))
            return
        if not rest:
            yield UnitPage((), None)
        while rest:
            length = min(PAGE, bound() or PAGE)
            page, rest = rest[:length], rest[length:]
            lacking = [at for at in page if both.is_wrong(at)]
            batch = ValueBatch(lacking, is_last=not rest)
            units = (Unit(batch, len(lacking), UNIT_BYTES),) if lacking else ()
            cursor = str(both.source[page[-1]].number) if rest else None
            yield UnitPage(units, cursor, same=len(page) - len(lacking))
            if units:
                await batch.done.wait()

    async def write(self, unit: Unit[ValueBatch]) -> CopyOutcome:
        """Write some values with their labels, and in the end the tags."""
        both, batch = await self._look(), unit.payload
        for at in batch.positions:
            version, number = both.source[at], both.replay.first_number + at
            if at >= both.replay.shared:
                await self._call(self._put, version, number, at == len(both.source) - 1)
            if labels := both.lacking_labels(at):
                await self._call(self._target.put_labels, number, labels)
        if batch.is_last and (tags := await self._call(self._source.read_tags)):
            await self._call(self._target.add_tags, tags)
        batch.done.set()
        return CopyOutcome(copied=len(batch.positions))

    def _put(self, version: ParameterVersion, number: int, is_newest: bool) -> None:
        self._target.put(version, number, is_newest=is_newest)

    def _may_write(self, both: _Histories) -> bool:
        return both.replay.is_free or self._order.on_conflict is OnConflict.SOURCE

    def _skip(self, both: _Histories, wrong: Sequence[int]) -> tuple[SkippedKey, ...]:
        """What is left out, because the target has a value of its own.

        Raises ConflictError where that is to stop.
        """
        if self._order.on_conflict is OnConflict.STOP:
            raise ConflictError(
                f"parameter {self._target.name} has another value; nothing was written, and the "
                "run stops because of --on-conflict stop"
            )
        newest = len(both.source) - 1
        return tuple(
            SkippedKey(name_of(newest - at), SkipReason.CONFLICT, "the target has another value")
            for at in wrong
        )

    async def _look(self) -> _Histories:
        """Both sides, as they were first seen."""
        if self._both_histories is None:
            source = await self._call(self._source.read_history)
            target = await self._call(self._target.read_history)
            self._both_histories = _Histories(source, target, compare_histories(source, target))
        return self._both_histories


def name_of(age: int) -> str:
    """A value by its age, as a verification names it: numbers differ between both sides."""
    return "the newest value" if age == 0 else f"the value {age} before the newest"
